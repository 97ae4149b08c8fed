"""A grid of taps with their values, as colours and where there is room as numbers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from explorer.look.ramps import picture
from explorer.look.theme import Theme, body_font
from explorer.panels.layer_walk.colours import colours, decimals_of, hatch, ink_on, short
from explorer.session.layer_arithmetic import Floats, Sum
from explorer.session.layer_window import ABSENT, BETWEEN

_LEAST_POINTS = 6.5
_LARGE = (56.0, 26.0)
"""Cells of this size have their numbers as large as what is read."""
_LINED = 6.0
"""Cells of this size have lines between them."""


class Style(NamedTuple):
    """How numbers are written in cells."""

    font: QFont
    decimals: int
    is_bare: bool = False
    """Without the zero before the point."""

    def written(self, value: float) -> str:
        """A number in this style."""
        text = short(value, self.decimals)
        return text.replace("0.", ".", 1) if self.is_bare and abs(value) < 1 else text


def fitting(font: QFont, scale: float, width: float) -> Style:
    """The style in which numbers up to `scale` have room: smaller, then without the zero, then with fewer decimals."""
    decimals = decimals_of(scale)
    styles = [Style(font, decimals), Style(font, decimals, True)]
    styles += [Style(font, fewer, True) for fewer in range(decimals - 1, 0, -1)]
    for style in styles:
        needed = QFontMetricsF(font).horizontalAdvance(style.written(-0.88888 * scale))
        points = font.pointSizeF() * min(1.0, width / needed)
        if points >= _LEAST_POINTS:
            break
    result = QFont(font)
    result.setPointSizeF(max(_LEAST_POINTS, points))
    return style._replace(font=result)


class Grid(NamedTuple):
    """Where the taps are drawn, and how."""

    area: QRectF
    has_numbers: bool
    is_patch: bool
    """Whether it is the input's, where padding is marked."""

    def cell(self, row: int, column: int, shape: tuple[int, ...]) -> QRectF:
        """Where one tap lies."""
        width, height = self.area.width() / shape[1], self.area.height() / shape[0]
        return QRectF(self.area.left() + column * width, self.area.top() + row * height, width, height)

    def paint(self, painter: QPainter, values: Floats, scale: float, found: Sum, theme: Theme) -> None:
        """Draw the values of all taps.

        Args:
            values: `(k, l)`.
            scale: the magnitude that has the strongest colour.
        """
        area, shape = self.area, found.state.shape
        painter.drawImage(area, picture(colours(values, scale, theme)))
        painter.save()
        self._paint_taps(painter, values, scale, found, theme)
        painter.restore()
        width, height = area.width() / shape[1], area.height() / shape[0]
        if min(width, height) >= _LINED:
            rows = (area.top() + i * height for i in range(1, shape[0]))
            columns = (area.left() + j * width for j in range(1, shape[1]))
            lines = [QLineF(area.left(), y, area.right(), y) for y in rows]
            # Opaque and of one pixel: Qt draws any other line ten times slower.
            painter.setPen(QPen(theme.panel, 0))
            painter.drawLines(lines + [QLineF(x, area.top(), x, area.bottom()) for x in columns])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.accent, 2) if self.is_patch else QPen(theme.border, 1))
        painter.drawRect(area)

    def frame(self, painter: QPainter, tap: tuple[int, int] | None, shape: tuple[int, ...], tint: QColor) -> None:
        """Mark a tap, if there is one."""
        if tap is not None and tap[0] < shape[0] and tap[1] < shape[1]:
            painter.setPen(QPen(tint, 2.4))
            painter.drawRect(self.cell(*tap, shape))

    def _paint_taps(self, painter: QPainter, values: Floats, scale: float, found: Sum, theme: Theme) -> None:
        """The numbers, and what is no pixel."""
        shape = found.state.shape
        special = found.is_padding | (found.state < 0)
        shown: npt.NDArray[np.bool_] = np.ones(shape, bool) if self.has_numbers else special
        width = self.area.width() / shape[1]
        is_large = width >= _LARGE[0] and self.area.height() / shape[0] >= _LARGE[1]
        style = fitting(body_font() if is_large else painter.font(), scale, width - 3)
        painter.setFont(style.font)
        for i, j in np.argwhere(shown).tolist():
            cell, state, value = self.cell(i, j, shape), int(found.state[i, j]), float(values[i, j])
            if state in {BETWEEN, ABSENT}:
                painter.fillRect(cell, theme.panel)
                if self.has_numbers and state == BETWEEN and self.is_patch:
                    painter.setPen(theme.muted)
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, "○")
                continue
            if special[i, j] and self.is_patch:
                painter.fillRect(cell, hatch(theme.muted, 110))
            if self.has_numbers:
                painter.setPen(ink_on(value, scale, theme))
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, style.written(value))
