"""A run that trains elsewhere: its curves, how far it is and how it stands, as its folder grows.

How far it is says `training.progress`, as of a run of this window.
"""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.curves.panel import Curves
from explorer.panels.dock_panel import DockPanel
from explorer.panels.training.message import MessageBar
from explorer.panels.training.notes import NotesLine
from explorer.panels.training.progress import RunProgress
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
from explorer.session.follow_session import FollowSession

_STATES = {"starting": "starting", "running": "running", "paused": "paused", "stopping": "stopping"}
"""What `RunProgress` calls them; all else has ended, or not begun."""


class FollowPanel(DockPanel):
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
        self._measured: StepsRecorded | None = None
        self._tested: EpochFinished | None = None
        self._end: RunFinished | RunFailed | None = None
        self._status: Followed | None = None
        self._progress = RunProgress(themes, self)
        self.progress, self.progress_text = self._progress.bar, self._progress.text
        self._remark = ""
        self.state_text = NotesLine(themes, self)
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
        session.remarked.connect(self.show_remark)
        self._show()

    def put(self, events: Sequence[Event]) -> None:
        """Take what the run says."""
        for event in events:
            if isinstance(event, RunStarted):
                self._progress.begin()
            self._progress.take(event)
            match event:
                case RunStarted():
                    self._started, self._measured, self._tested, self._end = event, None, None, None
                    self.message.hide()
                    self.titled.emit(event.architecture_name)
                case StepsRecorded():
                    self._measured = event
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
        self.curves.put(events)
        self._show()

    def show_status(self, status: Followed) -> None:
        """Say how the run stands."""
        self._status = status
        self.curves.show_waiting(not status.is_ended)
        self._show()

    def show_remark(self, text: str) -> None:
        """Say why not all comes that is looked at; an empty text takes it back."""
        self._remark = text
        self._show()

    def sizeHint(self) -> QSize:
        # Not higher than it must be: its dock comes into a window whose others have their height.
        return QSize(150 * GRID, self.minimumSizeHint().height())

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(2 * GRID)
        line.addWidget(self.progress_text, 1)
        line.addWidget(self._progress.device)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.network_button, self.end_button):
            buttons.addWidget(button)
        line.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(self.message)
        column.addLayout(line)
        column.addWidget(self.progress)
        column.addWidget(self.state_text)
        column.addWidget(self.curves, 1)

    def _follow_seen(self, is_seen: bool) -> None:
        if is_seen:
            self._show()

    def _show(self) -> None:
        if not self.is_seen:
            return
        state = self._status.state if self._status is not None else "waiting"
        self._progress.show(_STATES.get(state, "idle"))
        if state == "waiting" and self._started is None:
            self.progress_text.show_text(self.tr("No run has begun here yet"))
        elif state == "interrupted":
            # Neither a speed nor the time that is left.
            self.progress_text.show_text(self._interruption())
        self.network_button.setEnabled(self._started is not None)
        standing, is_warning = self._standing()
        urgent = [text for text in (standing if is_warning else "", self._remark) if text]
        started = self._progress.started
        notes = [*reversed(started.notes)] if started is not None else []
        self.state_text.show_notes(notes if is_warning else [standing, *notes], "\n".join(urgent))

    def _interruption(self) -> str:
        if self._measured is None or self._started is None:
            return self.tr("interrupted before its first step")
        return self.tr("interrupted after step {step}, in epoch {epoch} of {epochs}").format(
            step=numbers.exact_count(self._measured.last_step),
            epoch=numbers.exact_count(self._measured.epoch),
            epochs=numbers.exact_count(self._started.config.epochs),
        )

    def _standing(self) -> tuple[str, bool]:
        """How the run stands, as a sentence, and whether that is a warning."""
        status = self._status
        if status is None or status.state == "waiting":
            return self.tr("Looking at {0}").format(self._session.folder), False
        if status.state == "interrupted":
            text = self.tr("Interrupted: its process ({process} on {host}) ended without a word.")
            return text.format(process=status.process, host=status.host), True
        if status.state == "failed":
            return self.tr("Failed. What is there stays."), True
        if status.is_ended:
            return self._ending(status), False
        if status.is_silent:
            text = self.tr("No news for {time}.").format(time=_long(status.silent_s))
            if status.lifeless_s >= status.silent_s / 2:
                text = f"{text} {self.tr('No sign of life from {host} either.').format(host=status.host)}"
            else:
                text = f"{text} {self.tr('Its process on {host} lives.').format(host=status.host)}"
            return text, True
        states = {
            "starting": self.tr("Starting on {host}…"),
            "paused": self.tr("Paused on {host}"),
            "stopping": self.tr("Stopping…"),
        }
        text = states.get(status.state, self.tr("Running on {host}")).format(host=status.host)
        if self._tested is not None:
            tested = self.tr("test accuracy {share} after epoch {epoch}")
            share = numbers.percent(self._tested.test_accuracy)
            text = f"{text}, {tested.format(share=share, epoch=self._tested.epoch)}"
        return f"{text}.", False

    def _ending(self, status: Followed) -> str:
        text = self.tr("Finished on {host}.") if status.state == "completed" else self.tr("Stopped on {host}.")
        text = text.format(host=status.host)
        return f"{text} {self._end.note}".rstrip() if isinstance(self._end, RunFinished) else text

    def _show_trouble(self, why: str) -> None:
        if why:
            self.message.show_message(self.tr("The folder cannot be read at the moment: {0}").format(why))
        else:
            self.message.hide()


def _long(seconds: float) -> str:
    """Whole minutes, or whole hours from two on."""
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
