"""Classes, or pairs of them that are confused, as a table with a line each; sorted by any column."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from explorer.look import numbers
from explorer.look.headers import ArrowHeader
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs.class_figures import ClassFigures, Pair

Index = QModelIndex | QPersistentModelIndex
_LEAST_NAME = 9 * GRID
_WIDEST_NAME = 18 * GRID
_COUNT = numbers.exact_count(88_888)
_SHARE = numbers.percent(1)


class Column(NamedTuple):
    """One column of values that can be sorted."""

    title: str
    tip: str
    values: npt.NDArray[Any]
    written: Callable[[Any], str]
    widest: str = ""
    """A text that always fits, of numbers; texts take what theirs need."""

    @property
    def is_text(self) -> bool:
        """Whether its values are names."""
        return not self.widest


class FiguresModel(QAbstractTableModel):
    """Columns of equal length, in some order of their lines."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._columns: tuple[Column, ...] = ()
        self._order: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._sorting = (-1, Qt.SortOrder.AscendingOrder)

    def show_columns(self, columns: Sequence[Column], *, keeps_order: bool) -> None:
        """Show these, sorted as before where the titles are the same; or in the order of before."""
        is_same = [column.title for column in columns] == [column.title for column in self._columns]
        if is_same and keeps_order and len(columns[0].values) == len(self._order):
            self._columns = tuple(columns)
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        if not is_same:
            self._sorting = (-1, Qt.SortOrder.AscendingOrder)
        self._columns = tuple(columns)
        self._arrange()
        self.endResetModel()

    def line(self, row: int) -> int:
        """The line that a row of the view shows, as the columns count them."""
        return int(self._order[row])

    def names(self, line: int) -> tuple[str, ...]:
        """What a line is about: its texts, which no other line has."""
        return tuple(column.written(column.values[line]) for column in self._columns if column.is_text)

    def find(self, names: tuple[str, ...]) -> int | None:
        """The line that is about this; None for none."""
        return next((line for line in range(len(self._order)) if self.names(line) == names), None)

    def row(self, line: int) -> int:
        """Where a line stands in the view."""
        return int(np.flatnonzero(self._order == line)[0])

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.written(column.values[self._order[index.row()]])
        if role == Qt.ItemDataRole.ToolTipRole and column.is_text:
            return column.written(column.values[self._order[index.row()]])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.layoutAboutToBeChanged.emit()
        self._sorting = (column, order)
        self._arrange()
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        column, order = self._sorting
        count = len(self._columns[0].values) if self._columns else 0
        self._order = np.arange(count)
        if not 0 <= column < len(self._columns):
            return
        values = self._columns[column].values
        if self._columns[column].is_text:
            named = np.array([self._columns[column].written(value).casefold() for value in values], np.str_)
            values = np.unique(named, return_inverse=True)[1]
        elif order == Qt.SortOrder.DescendingOrder:
            values = -values
        # Unknown figures are NaN and come last either way.
        self._order = np.argsort(values, kind="stable").astype(np.int64)
        if self._columns[column].is_text and order == Qt.SortOrder.DescendingOrder:
            self._order = self._order[::-1].copy()


class FiguresTable(QTableView):
    """The table.

    Signals:
        line_chosen(int): a line to look into, as the columns count them.
        copy_asked(): Ctrl+C.
    """

    line_chosen = Signal(int)
    copy_asked = Signal()

    def __init__(self, themes: ThemeSource, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures = FiguresModel(self)
        self.setModel(self.figures)
        self.setAccessibleName(name)
        self.setFont(small_font())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + GRID // 2)
        self.setHorizontalHeader(ArrowHeader(self))
        header = self.horizontalHeader()
        header.setFont(small_font())
        header.setHighlightSections(False)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionsClickable(True)

    def show_columns(self, columns: Sequence[Column], *, keeps_order: bool = False) -> None:
        """Show these; the place stays, and the chosen line as long as one is about the same.

        Args:
            keeps_order: lines of the same count stay where they are, whatever they are sorted by.
        """
        chosen = self.selectedIndexes()
        known = self.figures.names(self.figures.line(chosen[0].row())) if chosen else None
        is_first = self.figures.columnCount() != len(columns)
        place = self.verticalScrollBar().value()
        self.figures.show_columns(columns, keeps_order=keeps_order)
        if known is not None:
            self.mark(self.figures.find(known))
        self.verticalScrollBar().setValue(place)
        if is_first and columns:
            for section, column in enumerate(columns):
                self.setColumnWidth(section, self._width_of(column))

    def _width_of(self, column: Column) -> int:
        measured = self.fontMetrics().horizontalAdvance
        if column.is_text:
            width = max((measured(column.written(value)) for value in column.values), default=0)
            return max(_LEAST_NAME, min(width + 2 * GRID, _WIDEST_NAME))
        # Of the widest number that can come, so that nothing jumps while a run is tested.
        return max(measured(column.widest), ArrowHeader.width_of(column.title)) + GRID + 2

    def wanted_width(self) -> int:
        """Pixels of all columns and the bar beside them."""
        return self.horizontalHeader().length() + self.verticalScrollBar().sizeHint().width()

    def mark(self, line: int | None) -> None:
        """Mark a line without saying so; None for none."""
        with QSignalBlocker(self.selectionModel()):
            if line is None:
                self.clearSelection()
            else:
                self.selectRow(self.figures.row(line))
        self.viewport().update()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        found = self.selectedIndexes()
        if found:
            self.line_chosen.emit(self.figures.line(found[0].row()))

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_C and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.copy_asked.emit()
        else:
            super().keyPressEvent(event)


def class_columns(table: QWidget, names: Sequence[str], figures: ClassFigures) -> tuple[Column, ...]:
    """The figures of classes."""
    tr = table.tr
    return (
        Column(tr("Class"), "", np.arange(len(names)), lambda place: names[int(place)]),
        Column(tr("Images"), tr("Test images of this class"), figures.images, numbers.exact_count, _COUNT),
        Column(
            tr("Wrong"),
            tr("Those that were not recognised"),
            figures.images - figures.right,
            numbers.exact_count,
            _COUNT,
        ),
        Column(tr("Accuracy"), tr("Share of its images that are recognised; also called recall"), *_shares(figures[2])),
        Column(tr("Precision"), tr("Share of the answers of this class that are right"), *_shares(figures[3])),
        Column(tr("F1"), tr("Harmonic mean of accuracy and precision"), *_shares(figures[4])),
    )


def pair_columns(
    table: QWidget, names: Sequence[str], pairs: Sequence[Pair], figures: ClassFigures
) -> tuple[Column, ...]:
    """The commonest mistakes."""
    tr = table.tr
    counts = np.array([pair.num_images for pair in pairs], np.int64)
    images = np.array([figures.images[pair.true] for pair in pairs], np.int64)
    said = (*names, tr("none of these"))
    return (
        Column(tr("True"), "", np.array([p.true for p in pairs], int), lambda c: names[int(c)]),
        Column(tr("Taken for"), "", np.array([p.predicted for p in pairs], int), lambda c: said[int(c)]),
        Column(tr("Images"), tr("How many"), counts, numbers.exact_count, _COUNT),
        Column(tr("Share"), tr("Of all images of the true class"), *_shares(counts / np.maximum(images, 1))),
    )


def _shares(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Callable[[Any], str], str]:
    return values, lambda value: numbers.UNKNOWN if np.isnan(value) else numbers.percent(float(value)), _SHARE


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column.is_text else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
