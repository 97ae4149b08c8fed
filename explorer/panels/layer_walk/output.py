"""A layer's output, as far as the window has come, or how much of each output padding is."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from explorer.look.ramps import picture
from explorer.look.theme import ThemeSource
from explorer.panels.layer_walk.colours import colours, decimals_of, hatch, ink_on, reach, short
from explorer.panels.layer_walk.map import VALUE_CELL, MapView, Region
from explorer.session.layer_arithmetic import Walk

_SHARE_CELL = 24.0
_FAINT = 90
"""How visible an output is that the window has not come to, of 255."""


class OutputView(MapView):
    """One output channel, with the pixel on show in a frame."""

    least_cell: ClassVar[float] = 2.0
    most_zoom: ClassVar[float] = 7.0

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, parent)
        self._walk: Walk | None = None
        self._values: npt.NDArray[np.float32] = np.zeros((1, 1), np.float32)
        self._scale = 1.0
        self._place = (0, 0)
        self._filled: int | None = None
        self._readers: npt.NDArray[np.bool_] | None = None
        self._shows_share = False
        self.setAccessibleName(self.tr("Output"))

    @property
    def scale(self) -> float:
        """The magnitude that has the strongest colour."""
        return self._scale

    @property
    def readers(self) -> npt.NDArray[np.bool_] | None:
        """`(H, W)`: the outputs that are marked; None for none."""
        return self._readers

    def show_output(self, walk: Walk | None, channel: int = 0) -> None:
        """Show a channel of the output."""
        self._walk = walk
        if walk is None:
            self._set_span(0, 0, 0, 0)
        else:
            self._values = walk.output_map(channel)
            self._scale = reach(self._values)
            self._set_span(0, 0, *self._values.shape)
            if self._readers is not None and self._readers.shape != self._values.shape:
                self._readers = None
        self._arrange()
        self.refresh()

    def show_place(self, row: int, column: int, filled: int | None) -> None:
        """Frame a pixel.

        Args:
            filled: the outputs that the window has come to, row by row; None for all.
        """
        self._place = (row, column)
        self._filled = filled
        self._set_focus(row, column, 1, 1)
        self.update()

    def mark_readers(self, readers: npt.NDArray[np.bool_] | None) -> None:
        """Mark the outputs that read a pixel."""
        self._readers = readers
        self.update()

    def show_share(self, shows: bool) -> None:
        """Show the padding's share of each output instead of its value."""
        self._shows_share = shows
        self.refresh()

    def _paint_base(self, painter: QPainter, region: Region) -> None:
        assert self._walk is not None
        theme = self._themes.theme
        part = np.s_[region.top : region.bottom, region.left : region.right]
        if self._shows_share:
            values: npt.NDArray[np.floating] = self._walk.slide.padding_share[part]
            scale, least = 1.0, _SHARE_CELL
            texts = [f"{round(100 * float(value))}" for value in values.flat]
        else:
            values, scale, least = self._values[part], self._scale, VALUE_CELL
            texts = [short(float(value), decimals_of(scale)) for value in values.flat] if region.cell >= least else []
        painter.drawImage(region.area, picture(colours(values, scale, theme)))
        self._paint_cells(painter, region, region.area)
        if region.cell >= least:
            for (row, column), value in np.ndenumerate(values):
                painter.setPen(ink_on(float(value), scale, theme))
                cell = region.rect(row + region.top, column + region.left)
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, texts[row * values.shape[1] + column])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.text, 1.4))
        painter.drawRect(region.rect(0, 0, *self._values.shape))

    def _paint_marks(self, painter: QPainter, region: Region) -> None:
        theme = self._themes.theme
        if self._filled is not None:
            self._paint_to_come(painter, region, self._filled)
        if self._readers is not None:
            rows, columns = np.flatnonzero(self._readers.any(1)), np.flatnonzero(self._readers.any(0))
            painter.setPen(QPen(theme.panel, 1))
            tint = QColor(theme.good)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tint, 2))
            for row in rows:
                for column in columns:
                    painter.drawRect(region.rect(int(row), int(column)).adjusted(1, 1, -1, -1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        cell = region.rect(*self._place)
        painter.setPen(QPen(theme.panel, 4))
        painter.drawRect(cell)
        painter.setPen(QPen(theme.accent, 2))
        painter.drawRect(cell)

    def _paint_to_come(self, painter: QPainter, region: Region, filled: int) -> None:
        """Cover what the window has not come to."""
        height, width = self._values.shape
        row, column = divmod(filled, width)
        cover = QColor(self._themes.theme.panel)
        cover.setAlpha(255 - _FAINT)
        areas = [region.rect(row, column, 1, width - column)] if row < height and column else []
        first = row + 1 if column else row
        if first < height:
            areas.append(region.rect(first, 0, height - first, width))
        for area in areas:
            painter.fillRect(area, cover)
            painter.fillRect(area, hatch(self._themes.theme.border, 160, Qt.BrushStyle.Dense7Pattern))

    def _overview(self) -> QImage:
        if self._walk is None:
            return QImage()
        values = self._walk.slide.padding_share if self._shows_share else self._values
        return picture(colours(values, 1.0 if self._shows_share else self._scale, self._themes.theme))
