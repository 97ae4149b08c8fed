"""The picture under the pointer while a layer or block is dragged: a small card like the one that it will be."""

from typing import NamedTuple

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QPainter, QPen, QPixmap

from explorer.look.theme import GRID, Theme, body_font

_HEIGHT = 4 * GRID
_STRIPE = 4
"""Width of the category's colour, as on a card."""
_STACKED = 3
"""Pixels by which the second card of a block stands out below the first."""
_ICON = 2 * GRID
_WIDEST = 30 * GRID


class Chip(NamedTuple):
    """A picture, and where in it the pointer is."""

    picture: QPixmap
    hot_spot: QPoint


def chip(name: str, symbol: QIcon, colour: QColor, theme: Theme, ratio: float, *, is_block: bool) -> Chip:
    """The chip of a layer type or a block.

    Args:
        colour: of its category.
        ratio: pixels of the screen in one of the picture.
        is_block: whether it is drawn as a stack, as a folded block is.
    """
    font = body_font(bold=True)
    metrics = QFontMetricsF(font)
    left = _STRIPE + GRID + _ICON + GRID
    text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, _WIDEST - left - 1.5 * GRID)
    below = _STACKED if is_block else 0
    size = QSize(round(left + metrics.horizontalAdvance(text) + 1.5 * GRID) + below, _HEIGHT + below)
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    card = QRectF(0.5, 0.5, size.width() - below - 1, _HEIGHT - 1)
    for by in range(below, -1, -_STACKED):
        painter.setPen(QPen(theme.accent if by == 0 else theme.border, 1.0))
        painter.setBrush(theme.card)
        painter.drawRoundedRect(card.translated(by, by), GRID * 0.75, GRID * 0.75)
    painter.fillRect(QRectF(1, GRID / 2, _STRIPE, _HEIGHT - GRID), colour)
    symbol.paint(painter, _STRIPE + GRID, (_HEIGHT - _ICON) // 2, _ICON, _ICON)
    painter.setFont(font)
    painter.setPen(theme.text)
    room = card.adjusted(left, 0, 0, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.end()
    return Chip(picture, QPoint(size.width() // 2, _HEIGHT // 2))
