"""A vector of up to a hundred features as bars from zero."""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, small_font


class BarsView(QWidget):
    """The bars; the largest is accented.

    Signals:
        hovered(int | None, int, int): the feature under the mouse; the other two are 0.
    """

    hovered = Signal(object, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._values: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._order: npt.NDArray[np.intp] = np.arange(0)
        self._under: int | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(10 * GRID)
        themes.changed.connect(self.update)

    def show_values(self, values: npt.NDArray[np.float32], order: npt.NDArray[np.intp]) -> None:
        """Show these values, one bar each, in this order."""
        self._values, self._order = values[order], order
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = int((event.position().x() - GRID) // self._pitch()) if len(self._values) else -1
        under = place if 0 <= place < len(self._values) else None
        if under != self._under:
            self._under = under
            self.update()
        self.hovered.emit(None if under is None else int(self._order[under]), 0, 0)

    def leaveEvent(self, event: object) -> None:
        self._under = None
        self.hovered.emit(None, 0, 0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        values, theme = self._values, self._themes.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.panel)
        if not len(values):
            return
        painter.setFont(small_font())
        line = painter.fontMetrics().height()
        pitch = self._pitch()
        top, bottom = line + GRID, self.height() - line - GRID
        # What is no finite number has its text, and no bar.
        is_finite = np.isfinite(values)
        heights = np.where(is_finite, values, 0.0)
        highest, lowest = float(heights.max(initial=0.0)), float(heights.min(initial=0.0))
        # Bars below zero need room for their number above the axis labels.
        bottom -= line if lowest < 0 else 0
        unit = (bottom - top) / ((highest - lowest) or 1.0)
        zero = top + highest * unit
        widest = painter.fontMetrics().horizontalAdvance("−00.00")
        largest = int(np.where(is_finite, values, -np.inf).argmax()) if is_finite.any() else None
        for place, (value, height) in enumerate(zip(values, heights, strict=True)):
            left, width = GRID + place * pitch, max(1.0, pitch - max(1.0, min(6.0, pitch / 4)))
            end = zero - float(height) * unit
            colour = theme.accent if place == largest else theme.wire
            painter.fillRect(QRectF(left, min(zero, end), width, max(1.0, abs(zero - end))), colour)
            lit = place in (self._under, largest)
            painter.setPen(theme.text if lit else theme.muted)
            if pitch >= widest:
                at = QRectF(left - pitch, end - line - 1 if height >= 0 else end + 1, width + 2 * pitch, line)
                painter.drawText(at, Qt.AlignmentFlag.AlignHCenter, _text(float(value)))
            every = max(1, -(-3 * GRID // max(1, int(pitch))))
            if place % every == 0 or lit:
                at = QRectF(left - pitch - 3 * GRID, self.height() - line - 2, width + 2 * pitch + 6 * GRID, line)
                painter.drawText(at, Qt.AlignmentFlag.AlignHCenter, str(self._order[place]))
        painter.setPen(QPen(theme.border, 1))
        painter.drawLine(QPointF(GRID, zero), QPointF(GRID + pitch * len(values), zero))

    def _pitch(self) -> float:
        return min(8.0 * GRID, (self.width() - 2 * GRID) / max(1, len(self._values)))


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return (f"{value:.2f}" if math.isfinite(value) else "∞" if value > 0 else "-∞").replace("-", numbers.MINUS)
