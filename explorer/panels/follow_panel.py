"""A run that trains elsewhere: its curves, how far it is and how it stands, as its folder grows."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.curves import Curves
from explorer.panels.training_message import MessageBar
from explorer.runs import (
    EpochFinished,
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    StepsRecorded,
    TroubleMet,
)
from explorer.runs.follow import Followed
from explorer.runs.scaling import scaling_efficiency
from explorer.session.follow_session import FollowSession

_BAR_STEPS = 1000


class FollowPanel(QWidget):
    """Shows what a `FollowSession` brings; it changes nothing of the run.

    Signals:
        titled(str): what the run is called.
        network_asked(): the user wants to see what it trains.
        end_asked(): the user wants to follow it no more.
    """

    titled = Signal(str)
    network_asked = Signal()
    end_asked = Signal()

    def __init__(self, session: FollowSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._started: RunStarted | None = None
        self._steps: StepsRecorded | None = None
        self._tested: EpochFinished | None = None
        self._end: RunFinished | RunFailed | None = None
        self.events: list[Event] = []
        """Of the run since it last began."""
        self._status: Followed | None = None
        self.progress_text = ElidedLabel(themes, font=body_font(), parent=self)
        self.place_text = RoleLabel(themes, role="muted", font=body_font(), parent=self)
        self.state_text = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(GRID)
        self.progress.setRange(0, _BAR_STEPS)
        self.network_button = QToolButton(self)
        self.network_button.setText(self.tr("Open its network"))
        self.network_button.setToolTip(
            self.tr("Show what this run trains on the canvas; once it has ended, with its curves and weights")
        )
        self.network_button.clicked.connect(self.network_asked)
        self.end_button = QToolButton(self)
        self.end_button.setText(self.tr("Stop following"))
        self.end_button.setToolTip(self.tr("Close this tab; the run itself goes on"))
        self.end_button.clicked.connect(self.end_asked)
        self.message = MessageBar(themes, self)
        self.curves = Curves(themes, self)
        self.curves.failed.connect(self.message.show_message)
        self._lay_out()
        session.events_arrived.connect(self.put)
        session.status_changed.connect(self.show_status)
        session.failed.connect(self._show_trouble)
        self._show()

    def put(self, events: Sequence[Event]) -> None:
        """Take what the run says."""
        for event in events:
            match event:
                case RunStarted():
                    self._started, self._steps, self._tested, self._end = event, None, None, None
                    self.events = []
                    self.message.hide()
                    self.titled.emit(event.architecture_name)
                case StepsRecorded():
                    self._steps = event
                case EpochFinished():
                    self._tested = event
                case RunFinished():
                    self._end = event
                case RunFailed():
                    self._end = event
                    self.message.show_message(event.message, event.details)
                case TroubleMet():
                    self.message.show_message(event.message)
                case _:
                    pass
            self.events.append(event)
        self.curves.put(events)
        self._show()

    def show_status(self, status: Followed) -> None:
        """Say how the run stands."""
        self._status = status
        self.curves.show_waiting(not status.is_ended)
        self._show()

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(2 * GRID)
        line.addWidget(self.progress_text, 1)
        line.addWidget(self.place_text)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.network_button, self.end_button):
            buttons.addWidget(button)
        line.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.message)
        column.addLayout(line)
        column.addWidget(self.progress)
        column.addWidget(self.state_text)
        column.addWidget(self.curves, 1)

    def _show(self) -> None:
        self.progress_text.show_text(self._progress())
        device = self._started.device if self._started is not None else ""
        host = self._status.host if self._status is not None else ""
        self.place_text.show_text(" · ".join(part for part in (device, host) if part))
        self.network_button.setEnabled(self._started is not None)
        total, last = (1, 0) if self._steps is None else (self._steps.num_steps_total, self._steps.last_step)
        self.progress.setValue(round(_BAR_STEPS * min(1.0, last / max(1, total))))
        text, role = self._standing()
        self.state_text.set_role("warning" if role == "warning" else "muted")
        self.state_text.show_text(text)

    def _progress(self) -> str:
        if self._started is None:
            is_waiting = self._status is None or self._status.state == "waiting"
            return self.tr("No run has begun here yet") if is_waiting else self.tr("starting…")
        parts = [self._started.architecture_name]
        if self._steps is not None:
            parts += [
                self.tr("epoch {epoch}/{epochs}").format(epoch=self._steps.epoch, epochs=self._started.config.epochs),
                self.tr("step {step}").format(step=numbers.exact_count(self._steps.last_step)),
                self.tr("{rate} images/s").format(rate=numbers.exact_count(self._steps.images_per_second)),
            ]
            efficiency = scaling_efficiency(self._started, self._steps.images_per_second)
            if efficiency is not None:
                text = self.tr("{count} processes, efficiency {share}")
                text = text.format(count=self._started.num_processes, share=numbers.percent(efficiency, 0))
                parts.append(text)
        if self._tested is not None:
            parts.append(self.tr("test accuracy {share}").format(share=numbers.percent(self._tested.test_accuracy)))
        return " · ".join(parts)

    def _standing(self) -> tuple[str, str]:
        """How the run stands, as a sentence, and the role of its label."""
        status = self._status
        if status is None or status.state == "waiting":
            return self.tr("Looking at {0}").format(self._session.folder), "muted"
        if status.state == "interrupted":
            text = self.tr("Interrupted: its process ({process} on {host}) ended without a word.")
            return text.format(process=status.process, host=status.host), "warning"
        if status.state == "failed":
            return self.tr("Failed. What is there stays."), "warning"
        if status.is_ended:
            return self._ending(status), "muted"
        if status.is_silent:
            text = self.tr("No news for {time}.").format(time=_long(status.silent_s))
            if status.lifeless_s >= status.silent_s / 2:
                text = f"{text} {self.tr('No sign of life from {host} either.').format(host=status.host)}"
            else:
                text = f"{text} {self.tr('Its process on {host} lives.').format(host=status.host)}"
            return text, "warning"
        states = {
            "starting": self.tr("Starting on {host}…"),
            "paused": self.tr("Paused on {host}"),
            "stopping": self.tr("Stopping…"),
        }
        text = states.get(status.state, self.tr("Running on {host}")).format(host=status.host)
        if self._steps is not None and self._steps.seconds_left is not None and status.state == "running":
            text += self.tr(", {time} left").format(time=numbers.duration(self._steps.seconds_left))
        notes = " ".join(self._started.notes) if self._started is not None else ""
        return f"{text}. {notes}".rstrip(), "muted"

    def _ending(self, status: Followed) -> str:
        end = self._end
        parts = [self.tr("Finished") if status.state == "completed" else self.tr("Stopped")]
        if isinstance(end, RunFinished):
            parts.append(self.tr("{steps} steps").format(steps=numbers.exact_count(end.step)))
            parts.append(numbers.duration(end.seconds))
            if end.images_per_second is not None:
                parts.append(self.tr("{rate} images/s").format(rate=numbers.exact_count(end.images_per_second)))
            if end.note:
                parts.append(end.note)
        return " · ".join(parts)

    def _show_trouble(self, why: str) -> None:
        if why:
            self.message.show_message(self.tr("The folder cannot be read at the moment: {0}").format(why))
        else:
            self.message.hide()


def _long(seconds: float) -> str:
    """Whole minutes, or whole hours from two on."""
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
