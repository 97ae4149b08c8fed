"""The colours of feature maps: grey from little to much, or blue and orange, parted at zero; and their bar.

The colours themselves are `look.ramps`', as those of weights and of single layers are.
"""

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.look import numbers, ramps
from explorer.look.theme import DARK, GRID, LIGHT, Theme, ThemeSource, small_font
from explorer.panels.feature_maps.values import GAP, LAST_LEVEL, NOT_A_NUMBER

_BROKEN = "#c51bd0"
"""NaN: no colour of either scale."""


def colours(theme: Theme, is_diverging: bool) -> list[int]:
    """The 256 colours of the levels, as Qt's colour tables take them; the same list each time."""
    return _colours(theme.is_dark, is_diverging)


@lru_cache(maxsize=4)
def _colours(is_dark: bool, is_diverging: bool) -> list[int]:
    theme, count = DARK if is_dark else LIGHT, LAST_LEVEL + 1
    ground = theme.panel.rgb()
    found: list[int] = (ramps.diverging(theme, count) if is_diverging else ramps.grey(count)).tolist()
    found += [ground] * (256 - count)
    found[NOT_A_NUMBER] = QColor(_BROKEN).rgb()
    found[GAP] = ground
    return found


def picture(levels: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]", table: list[int]) -> QImage:
    """Levels `(height, width)` in their colours."""
    rows = np.ascontiguousarray(levels)
    height, width = rows.shape
    image = QImage(rows.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    # Scaled at every paint: a format that the painter need not turn first, and memory that is its own.
    return image.convertToFormat(QImage.Format.Format_RGB32)


class ColourBar(QWidget):
    """The scale from its low to its high end, with zero marked."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._low, self._high, self._is_diverging = 0.0, 0.0, False
        self._note = ""
        self._image = QImage()
        self._image_of: tuple[bool, int] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(4 * GRID)
        themes.changed.connect(self.update)

    @property
    def text(self) -> str:
        """What its ends say."""
        return self._note or f"{value_text(self._low)} … {value_text(self._high)}"

    def show_range(self, low: float, high: float, is_diverging: bool, note: str = "") -> None:
        """Show these ends; with a note, the note in their place."""
        if (low, high, is_diverging, note) != (self._low, self._high, self._is_diverging, self._note):
            self._low, self._high, self._is_diverging, self._note = low, high, is_diverging, note
            self.setAccessibleName(self.text)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(16 * GRID, 4 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setFont(small_font())
        bar = QRectF(0.5, 0.5, self.width() - 1, 1.4 * GRID)
        kind = (self._is_diverging, theme.panel.rgb())
        if kind != self._image_of:
            levels = np.arange(LAST_LEVEL + 1, dtype=np.uint8)[None]
            self._image, self._image_of = picture(levels, colours(theme, self._is_diverging)), kind
        painter.drawImage(bar, self._image)
        painter.setPen(QPen(theme.border, 1))
        painter.drawRect(bar)
        painter.setPen(theme.muted)
        line = QRectF(0, bar.bottom() + 2, self.width(), self.height() - bar.bottom() - 2)
        if self._note:
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter, self._note)
            self._mark(painter, bar, 0.5 if self._is_diverging else None)
            return
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, value_text(self._low))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, value_text(self._high))
        if not self._low < 0 < self._high:
            return
        share = -self._low / (self._high - self._low)
        self._mark(painter, bar, share)
        place = share * self.width()
        metrics = painter.fontMetrics()
        taken = (
            metrics.horizontalAdvance(value_text(self._low)) + GRID,
            metrics.horizontalAdvance(value_text(self._high)),
        )
        if taken[0] < place < self.width() - taken[1] - GRID:
            painter.setPen(theme.text)
            painter.drawText(
                QRectF(place - 2 * GRID, line.top(), 4 * GRID, line.height()), Qt.AlignmentFlag.AlignHCenter, "0"
            )

    def _mark(self, painter: QPainter, bar: QRectF, share: float | None) -> None:
        if share is not None:
            place = bar.left() + share * bar.width()
            painter.setPen(QPen(self._themes.theme.text, 1))
            painter.drawLine(QPointF(place, bar.bottom() - 3), QPointF(place, bar.bottom() + 3))


def value_text(value: float, digits: int = 3) -> str:
    """A value in so many digits."""
    return f"{value:.{digits}g}".replace("-", numbers.MINUS)


def exact_text(value: float) -> str:
    """A value with all the digits that float32 has."""
    return f"{value:.6g}".replace("-", numbers.MINUS)
