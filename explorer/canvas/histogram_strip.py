"""A histogram as the picture that a card carries: bars, a mark at zero, and the ends of the range where they fit."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from explorer.canvas.card import fonts
from explorer.canvas.card_text import draw_line, sized
from explorer.canvas.maps_strip import Strip
from explorer.look import numbers
from explorer.look.theme import Theme
from explorer.runs import Histogram

_OVERSAMPLING = 2
_TEXT = 9
"""Height of the figures, in pixels of the card."""
_LEAST_BARS = 20
"""Pixels of bars above which figures have a place."""
_LEAST_PLAIN = 0.001
"""Below it a value is written with a power of ten."""


def histogram_strip(histogram: Histogram, theme: Theme, width: float, height: float, application_font: str) -> Strip:
    """The bars over the whole room of `width` by `height` pixels of a card.

    The fullest is as high as there is room; one more than twice as full as all others, as the zeros behind a ReLU are,
    is cut there, so that the others are seen.
    """
    image = QImage(
        round(width * _OVERSAMPLING), round(height * _OVERSAMPLING), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.scale(_OVERSAMPLING, _OVERSAMPLING)
    font = sized(fonts(application_font).small, _TEXT)
    line = QFontMetricsF(font).height()
    has_figures = height - line >= _LEAST_BARS
    base = height - (line if has_figures else 1.0)
    _paint_bars(painter, histogram, theme, QRectF(0, 0, width, base))
    place = _zero(histogram)
    if place is not None:
        painter.setPen(QPen(theme.text, 1, Qt.PenStyle.DotLine))
        x = min(max(place * width, 0.5), width - 0.5)
        painter.drawLine(QPointF(x, 0), QPointF(x, base))
    if has_figures:
        _paint_figures(painter, histogram, theme, QRectF(0, base, width, line), font)
    painter.end()
    return Strip(image, QSizeF(width, height), line / height if has_figures else 0.0)


def range_text(histogram: Histogram) -> str:
    """From where to where its values lie: "−0.31 to 0.28"."""
    return f"{numbers.scientific(histogram.low)} to {numbers.scientific(histogram.high)}"


def _paint_bars(painter: QPainter, histogram: Histogram, theme: Theme, room: QRectF) -> None:
    counts = histogram.counts.astype(np.float64)
    fullest, next_full = np.sort(np.append(counts, (0.0, 0.0)))[:-3:-1]
    most = min(fullest, 2 * next_full) if next_full > 0 else fullest
    if most > 0:
        shares = np.minimum(counts / most, 1)
        edges = np.linspace(room.left(), room.right(), len(shares) + 1)
        tops = room.bottom() - shares * (room.height() - 1)
        outline = [QPointF(room.left(), room.bottom())]
        for left, right, top in zip(edges[:-1].tolist(), edges[1:].tolist(), tops.tolist(), strict=True):
            outline += [QPointF(left, top), QPointF(right, top)]
        outline.append(QPointF(room.right(), room.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawPolygon(QPolygonF(outline))
    painter.setPen(QPen(theme.muted, 1))
    painter.drawLine(QPointF(room.left(), room.bottom() - 0.5), QPointF(room.right(), room.bottom() - 0.5))


def _paint_figures(painter: QPainter, histogram: Histogram, theme: Theme, room: QRectF, font: QFont) -> None:
    left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
    middle = Qt.AlignmentFlag.AlignVCenter
    low, high = _figure(histogram.low), _figure(histogram.high)
    from_left = draw_line(painter, room, low, font, theme.muted, left | middle)
    from_right = draw_line(painter, room, high, font, theme.muted, right | middle)
    place = _zero(histogram)
    if place is None:
        return
    zero = QRectF(place * room.width() - _TEXT, room.top(), 2 * _TEXT, room.height())
    if zero.left() > from_left and zero.right() < room.width() - from_right:
        draw_line(painter, zero, "0", font, theme.muted, Qt.AlignmentFlag.AlignCenter)


def _figure(value: float) -> str:
    """A value on a card, where an exponent could hardly be read: "0.049", but "4.9·10⁻⁴"."""
    if _LEAST_PLAIN <= abs(value) < 0.1:
        return f"{value:.2g}".replace("-", numbers.MINUS)
    return numbers.scientific(value)


def _zero(histogram: Histogram) -> float | None:
    """Where between the ends zero lies, 0 to 1; None where it is beyond them."""
    if not histogram.low <= 0 <= histogram.high or histogram.high <= histogram.low:
        return None
    return -histogram.low / (histogram.high - histogram.low)
