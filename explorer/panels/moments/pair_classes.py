"""Two moments of what the network gets right: the confusion matrices of the last tests before them, and how each cell
changed. The matrices are the Classes tab's own; the tests are read from the run's folder, in a thread.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QWidget

from explorer.look import numbers, ramps
from explorer.look.theme import GRID, ThemeSource, contrast, small_font
from explorer.panels.classes.layout import Cell
from explorer.panels.classes.matrix import ConfusionView
from explorer.panels.moments.pair_words import PairWords, points
from explorer.runs.class_figures import Confusion, confusion
from explorer.runs.class_files import EpochTest, TestFileError, kept_epochs, read_test
from explorer.session.job import Job

_CLOSE_TIMEOUT_S = 2.0
_LARGEST_CELL = 6 * GRID
Shares = npt.NDArray[np.float64]


class _Read(NamedTuple):
    """The tests of two moments."""

    tests: tuple[EpochTest | None, EpochTest | None]
    why: str
    """Why one is missing that was to be there."""


class ClassesPage(QWidget):
    """Matrix, matrix, and what changed.

    Signals:
        found(): the tests that `ask` asked for are there, or none is.
    """

    found = Signal()

    def __init__(
        self, folder: Path, finished: Callable[[int], int | None], themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        """Compare tests of the run in `folder`.

        Args:
            folder: of the run.
            finished: the last epoch that was finished at a step; None for none.
        """
        super().__init__(parent)
        self._folder = folder
        self._finished = finished
        self._job: Job | None = None
        self._ended: list[Job] = []
        self._read: _Read | None = None
        self._asked: tuple[int | None, ...] = ()
        self.matrices = (ConfusionView(themes, self), ConfusionView(themes, self))
        self.change = MatrixChange(self.matrices[0], themes, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        for view in (*self.matrices, self.change):
            row.addWidget(view, 1)

    def ask(self, steps: tuple[int, int]) -> None:
        """Read the tests of two moments; `found` follows, unless they are the same as before."""
        asked = tuple(self._finished(step) for step in steps)
        if asked == self._asked and (self._read is not None or self._job is not None):
            return
        self._asked = asked
        if self._job is not None:
            self._job.cancel()
            self._ended.append(self._job)
        job = self._job = Job(partial(_read_tests, self._folder, asked), self)
        job.finished.connect(lambda read: self._take(job, read))
        job.failed.connect(lambda why: self._take(job, _Read((None, None), why)))
        job.start()

    def show_pair(self) -> PairWords:
        """Show what was read; what there is to say of it."""
        read = self._read
        if read is None:
            return PairWords(note=self.tr("Reading the tests…"))
        left, right = read.tests
        if left is None or right is None or left.tested.class_names != right.tested.class_names:
            for matrix in self.matrices:
                matrix.apply(None)
            self.change.show_change(None)
            return PairWords(note=read.why or self.tr("This run has kept no tests yet."))
        found = confusion(left.tested), confusion(right.tested)
        for matrix, one in zip(self.matrices, found, strict=True):
            matrix.apply(one, range(one.num_classes))
        self.change.show_change(found)
        text = self.tr("after epoch {0} (step {1}): {2} of {3} images are right")
        facts = [
            text.format(
                test.epoch,
                f"{test.step:,}",
                numbers.share(test.tested.num_right, test.tested.count),
                f"{test.tested.count:,}",
            )
            for test in (left, right)
        ]
        accuracies = [test.tested.num_right / max(1, test.tested.count) for test in (left, right)]
        by = self.tr("{0} points · cells: share of the row").format(points(accuracies[1] - accuracies[0], 2))
        note = self.tr("the same test: between it and the next one there is none") if left.epoch == right.epoch else ""
        return PairWords((facts[0], facts[1], by), note)

    def close_jobs(self) -> None:
        """End all work."""
        for job in (self._job, *self._ended):
            if job is not None:
                job.close(_CLOSE_TIMEOUT_S)
        self._job, self._ended = None, []

    def _take(self, job: Job, read: _Read) -> None:
        if job is self._job:
            self._job, self._read = None, read
            self.found.emit()
        elif job in self._ended:
            self._ended.remove(job)


class MatrixChange(QWidget):
    """How each cell's share of its row changed, in percentage points; blue fell, orange rose."""

    def __init__(self, beside: ConfusionView, themes: ThemeSource, parent: QWidget | None = None) -> None:
        """Lie beside a matrix, with cells of the same size as long as it shows each class in one of its own."""
        super().__init__(parent)
        self._beside = beside
        self._themes = themes
        self._found: tuple[Confusion, Confusion] | None = None
        self.shares: Shares = np.zeros((0, 0))
        """What is drawn, -1 to 1."""
        self.setFont(small_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        themes.changed.connect(self.update)

    def show_change(self, found: tuple[Confusion, Confusion] | None) -> None:
        """Show the change from the first to the second; None for nothing."""
        self._found = found
        self.shares = np.zeros((0, 0)) if found is None else change_of(*found)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(36 * GRID, 36 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(16 * GRID, 12 * GRID)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.describe(event.pos()), self)
            return True
        return super().event(event)

    def describe(self, point: QPoint) -> str:
        """The cell at a place in words; empty for none."""
        place = self._matrix_rect()
        if self._found is None or not place.contains(point):
            return ""
        row = int((point.y() - place.top()) * len(self.shares) / place.height())
        column = int((point.x() - place.left()) * self.shares.shape[1] / place.width())
        before, after = (f"{_count(one, row, column):,}" for one in self._found)
        text = self.tr("{true} taken for {predicted}: {before} → {after} images ({by} points)")
        return text.format(
            true=self._name(row),
            predicted=self._name(column),
            before=before,
            after=after,
            by=points(float(self.shares[row, column])),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._found is None:
            return
        painter, theme, metrics = QPainter(self), self._themes.theme, self.fontMetrics()
        place = self._matrix_rect()
        reach = float(np.abs(self.shares).max(initial=0.0)) or 1.0
        colours = ramps.diverging(theme)[ramps.signed_levels(self.shares.astype(np.float32), reach)]
        image = ramps.picture(colours)
        painter.drawImage(place, image)
        painter.setPen(theme.border)
        painter.drawRect(place.adjusted(-1, -1, 0, 0))
        rows, columns = self.shares.shape
        height, width = place.height() / rows, place.width() / columns
        is_named = height >= metrics.height()
        is_written = is_named and width >= metrics.horizontalAdvance(points(-1.0, 0)) + 2
        painter.setPen(theme.muted)
        if is_named:
            for row in range(rows):
                line = QRectF(0, place.top() + row * height, place.left() - 4, height)
                name = metrics.elidedText(self._name(row), Qt.TextElideMode.ElideRight, int(line.width()))
                painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
            for column in range(columns):
                head = QRectF(place.left() + column * width, 0, width, place.top() - 2)
                name = metrics.elidedText(self._name(column), Qt.TextElideMode.ElideRight, int(width))
                painter.drawText(head, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, name)
        if is_written:
            for row, column in np.argwhere(np.abs(self.shares) >= 0.005).tolist():
                ground = image.pixelColor(column, row)
                painter.setPen(max((theme.text, theme.panel), key=lambda ink: contrast(ink, ground)))
                cell = QRectF(place.left() + column * width, place.top() + row * height, width, height)
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, points(float(self.shares[row, column]), 0))

    def _matrix_rect(self) -> QRect:
        assert self._found is not None
        rows, columns = self.shares.shape
        if self._beside.scale.group == 1 and (rows, columns) == self._found[0].counts.shape:
            first, last = (self._beside.cell_rect(cell) for cell in (Cell(0, 0), Cell(rows - 1, columns - 1)))
            place = first.united(last)
            if self.rect().contains(place):
                return place
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(name) for name in self._found[1].class_names)
        left, top = min(widest + 6, self.width() // 3), metrics.height() + 4
        cell = min(_LARGEST_CELL, (self.width() - left - 2) / columns, (self.height() - top - 2) / rows)
        return QRect(left, top, max(1, int(cell * columns)), max(1, int(cell * rows)))

    def _name(self, place: int) -> str:
        assert self._found is not None
        names = self._found[1].class_names
        return names[place] if place < len(names) else self.tr("none of these")


def change_of(before: Confusion, after: Confusion) -> Shares:
    """How the share of each cell of its row changed, `(C, columns)`, -1 to 1; of rows without images 0."""
    columns = max(before.num_columns, after.num_columns)
    shares = []
    for one in (before, after):
        counts = np.zeros((one.num_classes, columns))
        counts[:, : one.num_columns] = one.counts
        shares.append(counts / np.maximum(one.images, 1)[:, None])
    change: Shares = shares[1] - shares[0]
    return change


def _count(found: Confusion, row: int, column: int) -> int:
    return int(found.counts[row, column]) if column < found.num_columns else 0


def _read_tests(
    folder: Path,
    finished: Sequence[int | None],
    progress: Callable[[str, float], None],  # noqa: ARG001
    cancelled: Callable[[], bool],  # noqa: ARG001
) -> _Read:
    """The last test before each of two moments, or the first of all."""
    kept, why = kept_epochs(folder), ""
    found: list[EpochTest | None] = []
    for epoch in finished:
        before = [one for one in kept if epoch is not None and one <= epoch]
        wanted = before[-1] if before else next(iter(kept), None)
        try:
            found.append(None if wanted is None else read_test(folder, wanted))
        except TestFileError as error:
            found.append(None)
            why = str(error)
    return _Read((found[0], found[1]), why)
