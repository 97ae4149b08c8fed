"""How far a run is: words, the device and a bar, from its own events, and what looking at it takes.

The curves are `panels.curves`.
"""

import dataclasses
import re
import time

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.progress import StillProgressBar
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.place_words import place_tip, place_words
from explorer.panels.training.parts_label import Part, PartsLabel
from explorer.runs import DataProgress, Event, RunFailed, RunFinished, RunNoted, RunStarted, StepsRecorded
from explorer.session.views_cost import ViewsCost, ViewsLimits

_BAR_STEPS = 1000
_COMPUTING = ("starting", "running")
_THREADS = re.compile(r", \d+ threads?$")
"""The end of a CPU's name, see `runtime.devices.device_name`."""


class RunProgress:
    """Widgets that say where the current or last run is; whoever shows them lays them out."""

    def __init__(self, themes: ThemeSource, parent: QWidget, *, counts_first_step: bool = False) -> None:
        """Widgets for one run after the other.

        Args:
            counts_first_step: whether to say how long the first step has taken, which minutes may be; not for a run
                whose beginning is heard of later than it was.
        """
        self.text = PartsLabel(themes, parent)
        self.device = RoleLabel(themes, role="muted", font=body_font(), parent=parent)
        self.views = RoleLabel(themes, role="muted", font=body_font(), parent=parent)
        self.views.hide()
        self._cost: ViewsCost | None = None
        self.bar = StillProgressBar(parent)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(GRID)
        self.bar.setRange(0, _BAR_STEPS)
        self._steps: StepsRecorded | None = None
        self._end: RunFinished | RunFailed | None = None
        self._reading: DataProgress | None = None
        self._has_passing = False
        """Whether the last note is one that passes."""
        self.started: RunStarted | None = None
        """What the run said first; None before it did."""
        self._started_s = 0.0
        self._state = "idle"
        self.seconds: QTimer | None = None
        """Runs while the time of the first step is counted; None where it is not."""
        if counts_first_step:
            self.seconds = QTimer(parent)
            self.seconds.setTimerType(Qt.TimerType.PreciseTimer)  # a coarse one skips a second now and then
            self.seconds.setInterval(1000)
            self.seconds.timeout.connect(lambda: self.show(self._state))

    def begin(self) -> None:
        """Another run was asked for."""
        self.started, self._steps, self._end, self._reading = None, None, None, None
        self._has_passing = False

    def take(self, event: Event) -> None:
        """Remember what an event says; `show` shows it."""
        if isinstance(event, RunStarted):
            self.started = event
            self._started_s = time.monotonic()
        elif isinstance(event, RunNoted) and self.started is not None:
            self._drop_passing()
            self._has_passing = event.is_passing
            self.started = dataclasses.replace(self.started, notes=(*self.started.notes, event.note))
        elif isinstance(event, StepsRecorded):
            self._drop_passing()
            self._steps = event
        elif isinstance(event, (RunFinished, RunFailed)):
            self._drop_passing()
            self._end = event
        elif isinstance(event, DataProgress):
            self._reading = event

    def show(self, state: str) -> None:
        """Show where the run is.

        Args:
            state: of the session: "idle", "starting", "running", "paused" or "stopping".
        """
        self._state = state
        if self.seconds is not None and self.seconds.isActive() != self._is_in_first_step():
            (self.seconds.stop if self.seconds.isActive() else self.seconds.start)()
        busy = state == "starting" and self.started is None and not self._share()
        if self.bar.maximum() != (0 if busy else _BAR_STEPS):
            self.bar.setRange(0, 0 if busy else _BAR_STEPS)
        if not busy:
            self.bar.setValue(round(self._share() * _BAR_STEPS))
        self.text.show_parts(self._parts(state))
        self.device.show_text(place_words(self._where(), self.started, self._steps))
        self.device.setToolTip(place_tip(self.started))

    def rest(self) -> None:
        """Count nothing until `show`: nobody sees it."""
        if self.seconds is not None:
            self.seconds.stop()

    def show_views(self, cost: ViewsCost | None, limits: ViewsLimits) -> None:
        """Show what looking at the run takes of its time; nothing where that is not known."""
        if cost is self._cost:
            return
        self._cost = cost
        self.views.setVisible(cost is not None)
        if cost is not None:
            self.views.show_text(_tr("views {share}").format(share=numbers.rough_share(sum(cost))))
            self.views.setToolTip(_cost_tip(cost, limits))

    def _drop_passing(self) -> None:
        if self._has_passing and self.started is not None:
            self.started = dataclasses.replace(self.started, notes=self.started.notes[:-1])
        self._has_passing = False

    def _share(self) -> float:
        if self.started is None and self._reading is not None and self._end is None:
            return self._reading.share
        if self._steps is None or self._steps.num_steps_total <= 0:
            return 0.0
        return min(1.0, self._steps.last_step / self._steps.num_steps_total)

    def _parts(self, state: str) -> list[Part]:
        """What to say; in a narrow window the bar says the share, and the curves how many steps there were."""
        steps = self._steps
        if self._end is not None and state == "idle":
            if isinstance(self._end, RunFinished) and self.started is None:
                return [Part(_tr("stopped before the run began"), 0)]
            return _ending(self._end)
        if self.started is None and self._reading is not None:
            return [Part(_tr("stopping…") if state == "stopping" else self._reading.text, 0)]
        if self._is_in_first_step():
            return self._first_step()
        if state == "stopping" and steps is None:
            return [Part(_tr("stopping…"), 0)]
        if steps is None or self.started is None:
            if state == "paused":
                return [Part(_tr("paused before the first step"), 0)]
            return [Part(_tr("not trained yet") if state == "idle" else _tr("starting…"), 0)]
        parts = [
            Part(_tr("epoch {epoch}/{epochs}").format(epoch=steps.epoch, epochs=self.started.config.epochs), 1),
            Part(numbers.percent(self._share(), 0), 3),
            Part(_rate(steps, self.started), 2),
        ]
        if state == "paused":
            parts.insert(0, Part(_tr("paused at step {step}").format(step=numbers.exact_count(steps.last_step)), 0))
        elif state == "stopping":
            parts.insert(0, Part(_tr("stopping…"), 0))
        elif steps.seconds_left is not None:
            parts.append(Part(_tr("{time} left").format(time=numbers.duration(steps.seconds_left)), 0))
        return parts

    def _is_in_first_step(self) -> bool:
        return self.started is not None and self._steps is None and self._end is None and self._state in _COMPUTING

    def _first_step(self) -> list[Part]:
        assert self.started is not None
        text = _tr("step {step} of {steps}").format(
            step=numbers.exact_count(self.started.resumed_step + 1),
            steps=numbers.exact_count(self.started.config.epochs * self.started.steps_per_epoch),
        )
        if self.seconds is None:
            return [Part(text, 0)]
        return [Part(text, 0), Part(numbers.duration(time.monotonic() - self._started_s), 1)]

    def _where(self) -> str:
        """The device, without the threads that the run began with where the words say how many it has now."""
        if self.started is None:
            return ""
        says_threads = self._end is None and self._steps is not None and self._steps.num_threads is not None
        return _THREADS.sub("", self.started.device) if says_threads else self.started.device


def _rate(steps: StepsRecorded, started: RunStarted) -> str:
    text = _tr("{0} images/s").format(numbers.exact_count(steps.images_per_second))
    ways = []
    if steps.precision != "float32":
        ways.append(_tr("in {0}").format(steps.precision))
    if steps.is_compiled:
        ways.append(_tr("compiled"))
    # Of several processes each has its own, and their number says more. A run on the CPU changes it as the machine gets
    # busy or idle, which explains a leap of the rate.
    if steps.num_threads is not None and started.num_processes == 1:
        threads = _tr("1 thread") if steps.num_threads == 1 else _tr("{0} threads").format(steps.num_threads)
        ways.append(_tr("with {0}").format(threads))
    return " ".join((text, ", ".join(ways))).rstrip()


def _cost_tip(cost: ViewsCost, limits: ViewsLimits) -> str:
    lines = (
        _tr("What looking at the run takes of its time, over about the last ten seconds of it:"),
        _tr("captured between steps {share}, limit {limit}, and {moments} for moments to look back at").format(
            share=numbers.percent(cost.captures),
            limit=numbers.percent(limits.captures),
            moments=numbers.percent(limits.moments),
        ),
        _tr("painting pictures {share}, limit {limit}").format(
            share=numbers.percent(cost.painting), limit=numbers.percent(limits.painting)
        ),
        _tr("numbers and curves {share}, limit {limit}").format(
            share=numbers.percent(cost.numbers), limit=numbers.percent(limits.numbers)
        ),
    )
    return "\n".join(lines)


def _ending(end: RunFinished | RunFailed) -> list[Part]:
    if isinstance(end, RunFailed):
        return [Part(_tr("failed"), 0)]
    parts = [Part(_tr("finished") if end.reason == "completed" else _tr("stopped"), 0)]
    if end.test_accuracy is not None:
        parts.append(Part(_tr("test accuracy {share}").format(share=numbers.percent(end.test_accuracy)), 1))
    parts.append(Part(_tr("{steps} steps").format(steps=numbers.exact_count(end.step)), 4))
    parts.append(Part(numbers.duration(end.seconds), 2))
    if end.images_per_second is not None:
        parts.append(Part(_tr("{rate} images/s").format(rate=numbers.exact_count(end.images_per_second)), 3))
    return parts


def _tr(text: str) -> str:
    return QCoreApplication.translate("RunProgress", text)
