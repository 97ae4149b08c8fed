"""A confusion matrix laid out in a view: how large its cells and names are, and where each lies. No widgets.

What is in a cell is `layout`'s, how it is painted `painting`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QFontMetrics

from explorer.look import numbers
from explorer.look.theme import GRID
from explorer.panels.classes.layout import LARGEST_CELL, Cell, Groups, Scale, edges, grouped, scale_of
from explorer.runs.class_figures import Confusion

_WIDEST_CELL = 9 * GRID
_WIDEST_NAME = 12 * GRID
_LONGEST_UPRIGHT = 7 * GRID
_UPRIGHT_SHARE = 0.25
"""Of the height, at most: cells that can be told apart say more than names do."""
_LEAST_LYING = 5 * GRID
"""Of a column; names longer than it stand upright above narrower ones."""


ColumnNames = Literal["lying", "upright", "current"]
"""How they stand above the cells; where there is room for neither, the current column alone is named."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arranged:
    """Where everything lies, in pixels. `scrolled` is how far the cells are, to the right and down."""

    found: Confusion
    order: tuple[int, ...]
    names: tuple[str, ...]
    """Of the matrix's columns; the first ones are the rows' too."""
    groups: Groups
    scale: Scale
    cell_width: float
    left: int
    """Beside the cells, for the names of rows."""
    top: int
    """Above them, for those of columns."""
    column_names: ColumnNames
    xs: npt.NDArray[np.int64]
    """Where each column begins and the last one ends, from `left` on."""
    ys: npt.NDArray[np.int64]
    """Where each row begins and the last one ends, from `top` on."""

    @property
    def width(self) -> int:
        """Of names and cells together."""
        return self.left + int(self.xs[-1]) + 2

    def fitting(self, room: QSize) -> float:
        """Pixels of a class where all classes are seen."""
        return _fitting(self.found, room, self.left, self.top)

    def cell_rect(self, cell: Cell, scrolled: QPoint) -> QRect:
        """Where a cell lies in the view."""
        x, y = int(self.xs[cell.column]), int(self.ys[cell.row])
        corner = QPoint(self.left + x, self.top + y) - scrolled
        return QRect(corner, QSize(int(self.xs[cell.column + 1]) - x, int(self.ys[cell.row + 1]) - y))

    def at(self, point: QPoint, scrolled: QPoint) -> Cell | None:
        """The cell at a point of the view; None for none."""
        if point.x() < self.left or point.y() < self.top:
            return None
        column = int(np.searchsorted(self.xs, point.x() - self.left + scrolled.x(), "right")) - 1
        row = int(np.searchsorted(self.ys, point.y() - self.top + scrolled.y(), "right")) - 1
        inside = row < len(self.groups.rows) and column < len(self.groups.columns)
        return Cell(row, column) if inside else None

    def rows_in(self, view: QSize, scrolled: QPoint) -> range:
        """The rows that are seen in a view."""
        return _seen(self.ys, scrolled.y(), view.height() - self.top)

    def columns_in(self, view: QSize, scrolled: QPoint) -> range:
        """The columns that are seen in a view."""
        return _seen(self.xs, scrolled.x(), view.width() - self.left)

    def within(self, cell: Cell) -> Cell:
        """The nearest cell that there is."""
        rows, columns = len(self.groups.rows), len(self.groups.columns)
        return Cell(max(0, min(cell.row, rows - 1)), max(0, min(cell.column, columns - 1)))

    def cell_of(self, true: int, predicted: int) -> Cell:
        """The cell that two classes are counted in."""
        rows = [place for place, group in enumerate(self.groups.rows) if true in group]
        columns = [place for place, group in enumerate(self.groups.columns) if predicted in group]
        return Cell(rows[0], columns[0])

    def row_name(self, row: int) -> str:
        """Of its first class."""
        return self.names[self.groups.rows[row][0]]

    def column_name(self, column: int) -> str:
        """Of its first class."""
        return self.names[self.groups.columns[column][0]]

    def renewed(self, found: Confusion) -> "Arranged | None":
        """The same with other counts; None where they ask for another layout, as with more digits."""
        groups = grouped(found, self.order, self.scale.group)
        if found.counts.shape != self.found.counts.shape or _digits(groups) != _digits(self.groups):
            return None
        return replace(self, found=found, groups=groups)


def arrange(
    found: Confusion,
    order: Sequence[int],
    zoom: float,
    room: QSize,
    metrics: QFontMetrics,
    names: Sequence[str],
    least_name: int,
) -> Arranged:
    """Lay a matrix out.

    Args:
        order: of the classes.
        zoom: how many times as large as where all classes are seen.
        room: of the view, without bars.
        metrics: of the font.
        names: of the matrix's columns.
        least_name: pixels that are left beside the cells at least.
    """
    # The longest by its letters is wide enough to know: measuring a thousand names takes milliseconds.
    by_letters = sorted(names, key=len)
    longest = max(metrics.horizontalAdvance(name) for name in by_letters[-8:])
    left = min(max(longest, least_name), _WIDEST_NAME) + GRID
    last = metrics.horizontalAdvance(max(names, key=len))
    cell_width = float(_WIDEST_CELL)
    upright = min(longest, _LONGEST_UPRIGHT) + GRID
    # Twice, since names that stand upright take room from the cells.
    for _ in range(2):
        column_names = _column_names(cell_width, last, upright, room)
        top = metrics.height() + (upright if column_names == "upright" else metrics.height() + 2)
        scale = scale_of(_fitting(found, room, left, top) * zoom)
        groups = grouped(found, order, scale.group)
        cell_width = _widened(groups, scale, metrics, names, room.width() - left - 2)
    return Arranged(
        found=found,
        order=tuple(order),
        names=tuple(names),
        groups=groups,
        scale=scale,
        cell_width=cell_width,
        left=left,
        top=top,
        column_names=_column_names(cell_width, last, upright, room),
        xs=edges(len(groups.columns), cell_width),
        ys=edges(len(groups.rows), scale.cell),
    )


def _column_names(cell_width: float, longest: int, upright: int, room: QSize) -> ColumnNames:
    """How they stand, with their length where they lie and what they take from the height where they stand."""
    if cell_width >= min(longest, _LEAST_LYING):
        return "lying"
    return "upright" if upright <= _UPRIGHT_SHARE * room.height() else "current"


def _fitting(found: Confusion, room: QSize, left: int, top: int) -> float:
    height, width = room.height() - top - 2, room.width() - left - 2
    return max(0.05, min(height / found.num_classes, width / found.num_columns, LARGEST_CELL))


def _widened(groups: Groups, scale: Scale, metrics: QFontMetrics, names: Sequence[str], width: int) -> float:
    """A cell's width: more than its height where names and numbers need it and there is room."""
    if scale.group > 1:
        return scale.cell
    longest = max(metrics.horizontalAdvance(names[column[0]]) for column in groups.columns)
    room = width // len(groups.columns)
    if scale.cell < metrics.height():
        # No numbers, but names that stand upright would take more from the height than they leave.
        lying = min(room, _WIDEST_CELL, longest + GRID)
        return max(scale.cell, lying) if lying >= min(longest, _LEAST_LYING) else scale.cell
    digits = metrics.horizontalAdvance(_largest(groups))
    return max(scale.cell, min(room, _WIDEST_CELL, max(longest + GRID, digits + GRID, 2 * scale.cell)))


def _largest(groups: Groups) -> str:
    return numbers.exact_count(int(groups.counts.max(initial=0)))


def _digits(groups: Groups) -> int:
    return len(_largest(groups))


def _seen(places: npt.NDArray[np.int64], scrolled: int, room: int) -> range:
    first = int(np.searchsorted(places, scrolled, "right")) - 1
    last = int(np.searchsorted(places, scrolled + room, "left"))
    return range(max(0, first), min(len(places) - 1, last))
