"""The selected runs beside the table: their curves over each other, and what differs between them in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from explorer.layers import Category
from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.curves.data import Floats, Measurements
from explorer.runs import CONFIG_FIELDS, RunConfig, RunHistory, RunRecord
from explorer.runs.comparison import compare, in_words, learning_rates
from explorer.runs.recipe import as_asked
from explorer.session.runs_session import RunsSession

if TYPE_CHECKING:
    from explorer.panels.runs.plot import RunLines, RunsPlot

MOST_RUNS = 7
"""More colours cannot be told apart."""
_SERIES = (
    Category.CONVOLUTION,
    Category.LINEAR,
    Category.ACTIVATION,
    Category.NORMALIZATION,
    Category.POOLING,
    Category.MERGE,
    Category.RESHAPE,
)
_NUM_LINES = 4
_BATCH_COLUMNS = 400


class RunsComparison(QWidget):
    """Shows one run or compares up to `MOST_RUNS`."""

    def __init__(self, runs: RunsSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._themes = themes
        self._records: tuple[RunRecord, ...] = ()
        self._plots: tuple[RunsPlot, RunsPlot] | None = None
        self._is_stale = False
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        page = QWidget(self)
        self._row = QHBoxLayout()
        self._row.setSpacing(GRID)
        self.words = RoleLabel(themes, font=small_font(), wraps=True)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setContentsMargins(GRID, 4, GRID, 4)
        # In a scroll area a wrapped label is otherwise as high as it would be in the narrow column of its size hint.
        policy = self.words.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Preferred)
        self.words.setSizePolicy(policy)
        area = QScrollArea(page)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.words)
        area.setFixedHeight(_NUM_LINES * self.words.fontMetrics().lineSpacing() + GRID)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._row, 1)
        column.addWidget(area)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(page)
        self._page = page
        themes.changed.connect(lambda _theme: self._draw())

    @property
    def plots(self) -> "tuple[RunsPlot, RunsPlot]":
        """The loss and the accuracy; loads pyqtgraph (0.2 s)."""
        if self._plots is None:
            from explorer.panels.runs.plot import RunsPlot

            self._plots = (
                RunsPlot(self.tr("Loss (nats)"), self._themes, self._page),
                RunsPlot(self.tr("Accuracy (%)"), self._themes, self._page),
            )
            for plot in self._plots:
                self._row.addWidget(plot, 1)
        return self._plots

    def invite(self, is_any: bool) -> None:
        """Say what is to be done here, where there are any runs to select."""
        text = self.tr("Select runs to see their curves, and what differs between them.")
        self._empty.show_text(text if is_any else "")

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The runs that are shown."""
        return self._records

    def colours(self) -> dict[str, QColor]:
        """Each shown run's colour, by its id; none for a single one, which nothing needs to be told from."""
        if len(self._records) < 2:
            return {}
        return {r.run_id: series_colour(i, self._themes.theme) for i, r in enumerate(self._records)}

    def apply(self, records: Sequence[RunRecord]) -> None:
        """Show these runs, the first of which is what the others are compared with."""
        new = tuple(records[:MOST_RUNS])
        if new == self._records:
            return
        self._records = new
        self._is_stale = True
        if self.isVisible():
            self._draw()

    def showEvent(self, event: object) -> None:
        if self._is_stale:
            self._draw()

    def _draw(self) -> None:
        self._is_stale = False
        self._stack.setCurrentWidget(self._page if self._records else self._empty)
        self._runs.forget_histories(record.run_id for record in self._records)
        if not self._records:
            return
        self.words.show_text("\n".join(self._words()))
        losses, accuracies, last = [], [], 1.0
        for index, record in enumerate(self._records):
            history = self._runs.history(record)
            if history is None:
                continue
            colour = series_colour(index, self._themes.theme)
            is_alone = len(self._records) == 1
            if is_alone:
                colour = self._themes.theme.test
            loss, accuracy, end = _lines(record, history, colour, with_batches=is_alone)
            if is_alone:
                # As the Training tab draws them.
                train = self._themes.theme.train
                loss, accuracy = loss._replace(train_colour=train), accuracy._replace(train_colour=train)
            losses.append(loss)
            accuracies.append(accuracy)
            last = max(last, end)
        loss_plot, accuracy_plot = self.plots
        loss_plot.show_lines(tuple(losses), last)
        accuracy_plot.show_lines(tuple(accuracies), last, 100)

    def _words(self) -> list[str]:
        return self._single(self._records[0]) if len(self._records) == 1 else self._several()

    def _single(self, record: RunRecord) -> list[str]:
        usual = RunConfig().to_plain()
        plain = as_asked(record.config).to_plain()
        settings = [
            f"{field.name.replace('_', ' ')} {field.written(plain[field.name])}"
            for field in CONFIG_FIELDS
            if plain[field.name] != usual[field.name]
        ]
        lines = [record.message] if record.message else []
        facts = [self.tr("{0} steps").format(numbers.exact_count(record.step))]
        if record.num_parameters is not None:
            facts.append(self.tr("{0} parameters").format(numbers.exact_count(record.num_parameters)))
        if record.seconds is not None:
            facts.append(numbers.duration(record.seconds))
        facts.append(self.tr("seed {0}").format(record.config.seed))
        lines.append(" · ".join(facts))
        lines.append(self.tr("Settings: {0}").format(" · ".join(settings) or self.tr("as usual")))
        if rates := self._learning_rates(record):
            lines.append(self.tr("Learning rate {0}").format(rates))
        if record.note:
            lines.append(record.note)
        return lines

    def _several(self) -> list[str]:
        architectures = {}
        for record in self._records:
            if (architecture := self._runs.architecture(record)) is not None:
                architectures[record.run_id] = architecture
        rates = {record.run_id: self._learning_rates(record) for record in self._records}
        found = compare(self._records, architectures, rates)
        if found.are_alike:
            return [self.tr("Made alike: the same network and settings.")]
        lines = []
        if found.settings:
            settings = " · ".join(in_words(setting) for setting in found.settings)
            lines.append(self.tr("Settings: {0}").format(settings))
        for record, phrases in zip(self._records[1:], found.networks, strict=True):
            if phrases:
                whose = self.tr("Network") if len(self._records) == 2 else record.title
                lines.append(f"{whose}: {' · '.join(phrases)}")
        return lines

    def _learning_rates(self, record: RunRecord) -> str:
        history = self._runs.history(record)
        return "" if history is None else learning_rates(record, history)


def series_colour(index: int, theme: Theme) -> QColor:
    """The colour of the run at a place among those compared."""
    return theme.category(_SERIES[index % len(_SERIES)])


def _lines(
    record: RunRecord, history: RunHistory, colour: QColor, *, with_batches: bool
) -> "tuple[RunLines, RunLines, float]":
    """Loss and accuracy of a run over epochs, and how far they reach."""
    from explorer.panels.runs.plot import RunLines

    per_epoch = max(1, record.steps_per_epoch or 1)
    ends = np.array([epoch.step / per_epoch for epoch in history.epochs], np.float64)
    rows = [(e.train_loss, e.test_loss, e.train_accuracy * 100, e.test_accuracy * 100) for e in history.epochs]
    columns = np.array(rows, np.float64).reshape(-1, 4).T
    end = float(history.steps[-1]) / per_epoch if len(history.steps) else 0.0
    loss = RunLines(colour, ends, columns[0], columns[1])
    accuracy = RunLines(colour, ends, columns[2], columns[3])
    # A run that has no epoch yet has only its batches to show.
    if (with_batches or not history.epochs) and len(history.steps):
        places, shown = _batches(history, history.losses, per_epoch)
        loss = loss._replace(batch_epochs=places, batch=shown)
        places, shown = _batches(history, history.accuracies * 100, per_epoch)
        accuracy = accuracy._replace(batch_epochs=places, batch=shown)
    return loss, accuracy, max(end, float(ends[-1]) if len(ends) else 0.0)


def _batches(history: RunHistory, values: Floats, per_epoch: int) -> tuple[Floats, Floats]:
    kept = Measurements()
    kept.put(int(history.steps[0]), values.astype(np.float32))
    steps, shown = kept.envelope(float(history.steps[0]), float(history.steps[-1]), _BATCH_COLUMNS)
    return steps / per_epoch, shown
