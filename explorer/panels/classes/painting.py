"""A confusion matrix painted: cells with their numbers, what is marked, and the names beside and above them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen

from explorer.look import numbers
from explorer.look.theme import GRID, Theme, contrast
from explorer.panels.classes.arranged import Arranged
from explorer.panels.classes.layout import Cell, depths

_LINED_CELL = 7
"""Pixels from which cells have lines between them."""


class Marks(NamedTuple):
    """The cells that stand out; None for none."""

    hovered: Cell | None
    cursor: Cell | None
    chosen: Cell | None
    current: Cell | None
    """Whose row and column are named in any case."""


class Axes(NamedTuple):
    """What stands above the columns and over the rows."""

    columns: str
    rows: str


class MatrixPicture:
    """One matrix in one theme, to be painted at any scroll position."""

    def __init__(self, arranged: Arranged, theme: Theme, font: QFont, axes: Axes) -> None:
        """Work the colours out."""
        self._arranged = arranged
        self._theme = theme
        self._font = font
        self._axes = axes
        right, wrong = depths(arranged.groups)
        self._pixels = _pixels(right, wrong, theme)
        height, width = self._pixels.shape[:2]
        self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()

    def paint(self, painter: QPainter, view: QSize, scrolled: QPoint, marks: Marks) -> None:
        """Paint it into a view of that size."""
        arranged = self._arranged
        painter.setClipRect(QRect(QPoint(), view).adjusted(arranged.left, arranged.top, 0, 0))
        self._paint_cells(painter, view, scrolled)
        self._paint_marks(painter, scrolled, marks)
        painter.setClipping(False)
        self._paint_rows(painter, view, scrolled, marks.current)
        self._paint_columns(painter, view, scrolled, marks.current)

    def _paint_cells(self, painter: QPainter, view: QSize, scrolled: QPoint) -> None:
        arranged, theme = self._arranged, self._theme
        rows, columns = arranged.rows_in(view, scrolled), arranged.columns_in(view, scrolled)
        for row in rows if arranged.scale.cell >= _LINED_CELL else ():
            for column in columns:
                place = arranged.cell_rect(Cell(row, column), scrolled).adjusted(0, 0, -1, -1)
                painter.fillRect(place, self._image.pixelColor(column, row))
        if arranged.scale.cell < _LINED_CELL:
            # Whole pixels, as wide as `edges` says, which scaling the picture would not keep.
            painter.drawImage(QPoint(arranged.left, arranged.top) - scrolled, self._stretched())
            return
        metrics = QFontMetrics(self._font)
        widest = metrics.horizontalAdvance(numbers.exact_count(int(arranged.groups.counts.max(initial=0))))
        if arranged.scale.cell >= metrics.height() and arranged.cell_width >= widest + 4:
            painter.setFont(self._font)
            for row in rows:
                for column in columns:
                    count = int(arranged.groups.counts[row, column])
                    if count:
                        ground = self._image.pixelColor(column, row)
                        readable = max((theme.text, theme.panel), key=lambda ink: contrast(ink, ground))
                        painter.setPen(readable)
                        place = arranged.cell_rect(Cell(row, column), scrolled)
                        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, numbers.exact_count(count))

    def _paint_marks(self, painter: QPainter, scrolled: QPoint, marks: Marks) -> None:
        for cell, colour, width in (
            (marks.hovered, self._theme.muted, 1),
            (marks.cursor, self._theme.accent, 1),
            (marks.chosen, self._theme.accent, 2),
        ):
            if cell is not None:
                painter.setPen(QPen(colour, width))
                rect = self._arranged.cell_rect(cell, scrolled)
                grown = max(0, 6 - rect.height()) // 2
                painter.drawRect(rect.adjusted(-1 - grown, -1 - grown, grown, grown))

    def _paint_rows(self, painter: QPainter, view: QSize, scrolled: QPoint, current: Cell | None) -> None:
        arranged, theme = self._arranged, self._theme
        metrics = QFontMetrics(self._font)
        painter.setFont(self._font)
        # Lines of text may stand closer than usual, as far as letters do not touch.
        closest = metrics.height() * 3 // 4
        step = max(1, -(-closest // max(1, round(arranged.scale.cell))))
        beyond = max(0, metrics.height() - round(arranged.scale.cell)) // 2
        painter.setClipRect(QRect(0, arranged.top - beyond, arranged.left, view.height()))
        least = 0 if current is None else closest
        middle = 0 if current is None else arranged.cell_rect(Cell(current.row, 0), scrolled).center().y()
        for row in arranged.rows_in(view, scrolled):
            rect = arranged.cell_rect(Cell(row, 0), scrolled)
            is_current = current is not None and row == current.row
            # The current one is named in any case, and stands on no other's name.
            if not is_current and (row % step or abs(rect.center().y() - middle) < least):
                continue
            place = QRect(0, rect.center().y() - metrics.height() // 2, arranged.left - GRID // 2, metrics.height())
            painter.setPen(theme.text if is_current else theme.muted)
            name = metrics.elidedText(arranged.row_name(row), Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setClipping(False)

    def _paint_columns(self, painter: QPainter, view: QSize, scrolled: QPoint, current: Cell | None) -> None:
        arranged, theme = self._arranged, self._theme
        metrics = QFontMetrics(self._font)
        painter.setClipRect(QRect(arranged.left - GRID, 0, view.width(), arranged.top))
        height = arranged.top - metrics.height()
        is_upright = arranged.column_names == "upright"
        step = max(1, -(-(metrics.height() if is_upright else 1) // max(1, round(arranged.cell_width))))
        least = 0 if current is None or not is_upright else metrics.height() * 3 // 4
        middle = 0 if current is None else arranged.cell_rect(Cell(0, current.column), scrolled).center().x()
        for column in arranged.columns_in(view, scrolled):
            rect = arranged.cell_rect(Cell(0, column), scrolled)
            is_current = current is not None and column == current.column
            is_near = abs(rect.center().x() - middle) < least
            if not is_current and (column % step or is_near or arranged.column_names == "current"):
                continue
            painter.setPen(theme.text if is_current else theme.muted)
            name = arranged.column_name(column)
            if arranged.column_names == "current":
                width = metrics.horizontalAdvance(name)
                # Beyond its column on both sides, as far as the view goes.
                first = max(arranged.left, min(rect.center().x() - width // 2, view.width() - width - 2))
                painter.drawText(QPoint(first, metrics.height() + metrics.ascent()), name)
                continue
            if arranged.column_names == "lying":
                place = QRect(rect.left(), metrics.height(), rect.width(), height)
                elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, elided)
                continue
            painter.save()
            painter.translate(rect.center().x() - metrics.height() // 2, arranged.top - GRID // 2)
            painter.rotate(-90)
            place = QRect(0, 0, height - GRID // 2, metrics.height())
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
            painter.restore()
        painter.setClipping(False)
        painter.setPen(theme.muted)
        top = QRect(arranged.left, 0, view.width() - arranged.left, metrics.height())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._axes.columns)
        # Above the first row's name, which stands out over its row where rows are thin.
        beyond = max(0, metrics.height() - round(arranged.scale.cell)) // 2
        corner = QRect(0, 0, arranged.left - GRID // 2, arranged.top - 2 - beyond)
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, self._axes.rows)

    def _stretched(self) -> QImage:
        xs, ys = self._arranged.xs, self._arranged.ys
        columns = np.repeat(np.arange(len(xs) - 1), np.diff(xs))
        rows = np.repeat(np.arange(len(ys) - 1), np.diff(ys))
        pixels = np.ascontiguousarray(self._pixels[np.ix_(rows, columns)])
        return QImage(pixels.data, len(columns), len(rows), 4 * len(columns), QImage.Format.Format_RGB32).copy()


def _pixels(right: npt.NDArray[np.float64], wrong: npt.NDArray[np.float64], theme: Theme) -> npt.NDArray[np.uint8]:
    """Colours of cells, `(rows, columns, 4)` as Qt keeps them."""
    ground = _bgr(theme.canvas)
    is_right = (right >= wrong)[..., None]
    depth = np.where(is_right, right[..., None], wrong[..., None])
    hue = np.where(is_right, _bgr(theme.train), _bgr(theme.test))
    colours = np.full((*right.shape, 4), 255, np.uint8)
    colours[..., :3] = np.round(ground + (hue - ground) * depth)
    return colours


def _bgr(colour: QColor) -> npt.NDArray[np.float64]:
    return np.array([colour.blue(), colour.green(), colour.red()], np.float64)
