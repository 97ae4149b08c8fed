"""The outlines of a card's body, made once for all cards of one size. Filling them takes a third of stroking them."""

from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath

_MOST_SHAPES = 2048


class Outline(NamedTuple):
    """A rounded rectangle with its upper left corner in the origin, and its border's width inside it."""

    width: float
    height: float
    radius: float
    """Of the middle of the border."""
    border: float


def fill_outline(painter: QPainter, outline: Outline, border: QColor, body: QColor) -> None:
    """Draw the body with its border."""
    width, height, radius, line = outline
    painter.fillPath(_rounded(width, height, 0.0, radius + line / 2), QBrush(border))
    painter.fillPath(_rounded(width, height, line, max(0.0, radius - line / 2)), QBrush(body))


def fill_end(painter: QPainter, outline: Outline, stripe: QRectF, colour: QColor) -> None:
    """Draw what of a stripe lies inside the body and half of its border, so that its corners follow the body's."""
    painter.fillPath(_cut(outline, stripe.x(), stripe.y(), stripe.width(), stripe.height()), QBrush(colour))


@lru_cache(maxsize=_MOST_SHAPES)
def _rounded(width: float, height: float, inset: float, radius: float) -> QPainterPath:
    """Not to be changed."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(inset, inset, width - 2 * inset, height - 2 * inset), radius, radius)
    return path


@lru_cache(maxsize=_MOST_SHAPES)
def _cut(outline: Outline, left: float, top: float, width: float, height: float) -> QPainterPath:
    """Not to be changed."""
    part = QPainterPath()
    part.addRect(QRectF(left, top, width, height))
    return _rounded(outline.width, outline.height, outline.border / 2, outline.radius).intersected(part)
