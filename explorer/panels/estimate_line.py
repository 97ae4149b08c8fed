"""Beside Start: how long an epoch and the whole run will take, from a short probe; corrected by a run as it goes on."""

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.runs import EpochFinished, Event, RunStarted, StepsRecorded
from explorer.runs.profile import SpeedEstimate

_NUM_EPOCHS = 3
"""That the time of an epoch is the mean of: one that something else held up does not stand for all, and a machine that
got slower or faster is soon seen."""
_TEST_SHARE = 1 / 3
"""Of the time of a step with the same images that a test takes, as long as nothing is known of it."""


class EstimateLine(QWidget):
    """A button that asks for an estimate, and the words of the last one.

    Signals:
        asked(): estimate now.
    """

    asked = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._estimate: SpeedEstimate | None = None
        self._epochs = 1
        self._is_probing = False
        self._why_not = ""
        self._started: RunStarted | None = None
        self._epoch_s: float | None = None
        """Of the current or last run, by what was measured so far."""
        self._epochs_s: deque[float] = deque(maxlen=_NUM_EPOCHS)
        """Of its last whole epochs."""
        self._epoch, self._first_whole = 0, 1
        """The epoch under way, and the first that was not resumed on its way."""
        self._made, self._made_s = 0, 0.0
        """Steps of the epoch under way, and what they took."""
        self.button = QToolButton(self)
        self.button.setAutoRaise(True)
        self.button.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.button.setMinimumHeight(3 * GRID)
        self.button.clicked.connect(self.asked)
        self.label = RoleLabel(themes, role="muted", font=body_font(), parent=self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self.button)
        row.addWidget(self.label)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._set_icons()
        self._show()

    @property
    def text(self) -> str:
        """What it says."""
        return self.label.text()

    def show_estimate(self, estimate: SpeedEstimate | None, epochs: int, *, is_probing: bool, why_not: str) -> None:
        """Show what is estimated for the next run.

        Args:
            estimate: None where it is not known.
            epochs: of the next run.
            is_probing: whether an estimate is under way.
            why_not: why the last one came to nothing; empty if it did not.
        """
        self._estimate, self._epochs, self._is_probing, self._why_not = estimate, epochs, is_probing, why_not
        self._show()

    def forget_run(self) -> None:
        """What the last run took says nothing of the next."""
        self._started, self._epoch_s = None, None
        self._show()

    def take(self, events: Iterable[Event]) -> None:
        """Correct the estimate by what a run measures."""
        for event in events:
            if isinstance(event, RunStarted):
                self._begin(event)
            elif isinstance(event, StepsRecorded) and self._started is not None and event.images_per_second > 0:
                self._add(event, self._started)
            elif isinstance(event, EpochFinished) and self._started is not None and event.epoch >= self._first_whole:
                self._epochs_s.append(event.seconds)
                self._epoch_s = sum(self._epochs_s) / len(self._epochs_s)
        self._show()

    def _begin(self, event: RunStarted) -> None:
        self._started, self._epoch_s = event, None
        self._epochs_s.clear()
        self._epochs = event.config.epochs
        self._epoch = self._made = 0
        # What is left of an epoch that is resumed on its way is no whole one.
        self._first_whole = 1 + -(-event.resumed_step // event.steps_per_epoch)

    def _add(self, event: StepsRecorded, started: RunStarted) -> None:
        """Until an epoch was measured: what its steps took so far, the others at their present speed, and the test."""
        if self._epochs_s:
            return
        if event.epoch != self._epoch:
            self._epoch, self._made, self._made_s = event.epoch, 0, 0.0
        step_s = started.num_train / started.steps_per_epoch / event.images_per_second
        self._made += len(event.losses)
        self._made_s += len(event.losses) * step_s
        test_s = _TEST_SHARE * started.num_test / event.images_per_second
        if self._estimate is not None:
            test_s = self._estimate.test_s
        self._epoch_s = self._made_s + (started.steps_per_epoch - self._made) * step_s + test_s

    def _show(self) -> None:
        self.label.setText(self._words())
        what = self.tr("Estimate the time of an epoch: trains a copy of the network for two seconds")
        self.button.setToolTip(what)
        self.button.setAccessibleName(what)
        has_words = bool(self.label.text())
        self.button.setText("" if has_words else self.tr("Time an epoch"))
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if has_words else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        self.button.setToolButtonStyle(style)
        self.button.setVisible(self._started is None)
        self.button.setEnabled(not self._is_probing)
        self.label.setToolTip(self._hint())
        self.label.set_role("warning" if self._is_refused else "muted")
        # With neither, its margins would push aside what stands beside it.
        self.setVisible(self._started is None or has_words)

    @property
    def _is_refused(self) -> bool:
        return bool(self._why_not) and self._started is None and self._estimate is None and not self._is_probing

    def _words(self) -> str:
        if self._started is not None:
            if self._epoch_s is None:
                return ""
            taken = self.tr("{0} per epoch").format(numbers.rough_duration(self._epoch_s))
            before = None if self._estimate is None else self._estimate.epoch_s
            if before is None:
                return taken
            return self.tr("{taken}, {before} estimated").format(taken=taken, before=numbers.rough_duration(before))
        if self._is_probing:
            return self.tr("timing a step…")
        estimate = self._estimate
        if estimate is None:
            return self.tr("no estimate") if self._why_not else ""
        epoch_s, run_s = estimate.epoch_s, estimate.run_s(self._epochs)
        if epoch_s is None or run_s is None:
            rate = numbers.exact_count(round(estimate.images_per_second))
            return self.tr("≈ {rate} images/s on {device}").format(rate=rate, device=_device(estimate))
        return self.tr("≈ {epoch} per epoch, {run} in all, on {device}").format(
            epoch=numbers.rough_duration(epoch_s), run=numbers.rough_duration(run_s), device=_device(estimate)
        )

    def _hint(self) -> str:
        if self._is_refused:
            return self._why_not
        estimate = self._estimate
        if estimate is None:
            return ""
        return self.tr("Measured on {device}: {count} steps of {batch} images, {rate} images/s").format(
            device=_device(estimate),
            count=estimate.num_steps,
            batch=estimate.batch_size,
            rate=numbers.exact_count(round(estimate.images_per_second)),
        )

    def _set_icons(self) -> None:
        self._themes.changed.connect(self._recolour)
        self._recolour()

    def _recolour(self) -> None:
        self.button.setIcon(icon("measure", self._themes.theme))


def _device(estimate: SpeedEstimate) -> str:
    """As the rest of the panel writes it: torch's own name where there can be several."""
    return "CPU" if estimate.device == "cpu" else estimate.device
