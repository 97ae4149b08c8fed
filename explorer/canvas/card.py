"""The geometry of a node's card: its size for each layer type, where its steppers and maps lie, how much it shows.

A card's size depends on the layer's type and the font alone, never on a value, so that nothing moves when a number
grows. Maps stand beside the text, not under it: a network is deep and a screen is wide, so low cards keep it legible.
"""

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontInfo, QFontMetricsF

from explorer import layers
from explorer.canvas import steps
from explorer.layers import Kind, Layer
from explorer.look import theme as look
from explorer.look.theme import GRID

STRIPE = 4
"""Width of the colour of the layer's category, in pixels."""
MAPS_WIDTH = 20 * GRID
"""Three square maps of 48 pixels, or four of 36, and the gaps between them."""
ARROWS_WIDTH = 2 * GRID


class Detail(Enum):
    """How much of a card is worth drawing."""

    CARD = "card"
    TITLE = "title"
    """Name, shape and maps, the text at a size that stays legible."""
    BLOCK = "block"
    """Its category's colour."""


CARD_ZOOM = 0.7
TITLE_ZOOM = 0.24
READABLE_PX = 7.0
"""Words that would be smaller on the screen are left out."""
LABEL_ZOOM = 0.6
"""Wires carry their shape from here on."""


def detail(zoom: float) -> Detail:
    """What to draw at `zoom` screen pixels a scene pixel."""
    # A transform gives its zoom back with an error that would draw neighbours differently just at the limit.
    zoom = round(zoom, 4)
    return Detail.CARD if zoom >= CARD_ZOOM else Detail.TITLE if zoom >= TITLE_ZOOM else Detail.BLOCK


class Part(NamedTuple):
    """What of a stepper is under the pointer."""

    name: str
    """The hyper-parameter."""
    steps: int
    """1 on the upper arrow, −1 on the lower, 0 on the value."""


CHEVRON = Part("", 0)
"""What unfolds a block."""


class Stepper(NamedTuple):
    """One hyper-parameter's place on a card."""

    name: str
    rect: QRectF

    def arrow(self, up: bool) -> QRectF:
        """The hit area of an arrow."""
        half = self.rect.height() / 2
        top = self.rect.top() if up else self.rect.top() + half
        return QRectF(self.rect.right() - ARROWS_WIDTH, top, ARROWS_WIDTH, half)

    def part_at(self, position: QPointF) -> Part:
        """What is under a position inside `rect`."""
        for up, count in ((True, 1), (False, -1)):
            if self.arrow(up).contains(position):
                return Part(self.name, count)
        return Part(self.name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The geometry of one layer type's card, from its top left corner."""

    rect: QRectF
    title: QRectF
    """The line of name, type and shape."""
    values: QRectF | None
    """The line of steppers and the parameter count; None on a card of one line."""
    steppers: tuple[Stepper, ...]
    maps: QRectF
    chevron: QRectF | None = None
    """What folds and unfolds; None on a node's card."""

    def part_at(self, position: QPointF) -> Part | None:
        """The stepper part, or the chevron, under a position, or None."""
        if self.chevron is not None and self.chevron.contains(position):
            return CHEVRON
        return next((s.part_at(position) for s in self.steppers if s.rect.contains(position)), None)


class Fonts(NamedTuple):
    """The theme's fonts in pixels, so that one drawing is the same on screen and in a picture."""

    bold: QFont
    body: QFont
    small: QFont


@lru_cache(maxsize=8)
def fonts(_application_font: str) -> Fonts:
    """The fonts that cards use; the key is the application's font, which the theme's sizes follow."""
    return Fonts(*(_in_pixels(font) for font in (look.body_font(bold=True), look.body_font(), look.small_font())))


def _in_pixels(font: QFont) -> QFont:
    result = QFont(font)
    result.setPixelSize(max(8, QFontInfo(font).pixelSize()))
    return result


def card(layer_type: type[Layer], application_font: str) -> Card:
    """The card of a layer type."""
    return _card(layer_type.__name__, application_font)


@lru_cache(maxsize=256)
def _card(type_name: str, application_font: str) -> Card:
    layer_type = layers.layer_type(type_name)
    used = fonts(application_font)
    row = _up(max(3 * GRID, QFontMetricsF(used.body).height() + 6))
    left, text_width = STRIPE + GRID, _text_width(application_font)
    # Input has no values to step and nothing learned; the same holds for whatever overrides neither.
    two_lines = bool(steps.on_node(layer_type)) or layer_type.num_parameters is not Layer.num_parameters
    height = 2 * row + 2 * GRID if two_lines else row + 3 * GRID
    width = _up(left + text_width + GRID + MAPS_WIDTH + GRID)
    inset = GRID if two_lines else 6
    maps = QRectF(width - GRID - MAPS_WIDTH, inset, MAPS_WIDTH, height - 2 * inset)
    if not two_lines:
        title = QRectF(left, (height - row) / 2, text_width, row)
        return Card(rect=QRectF(0, 0, width, height), title=title, values=None, steppers=(), maps=maps)
    values = QRectF(left, GRID + row, text_width, row)
    steppers, x = [], values.left()
    for parameter in steps.on_node(layer_type):
        cell = _cell_width(parameter.name, parameter.kind, used)
        steppers.append(Stepper(parameter.name, QRectF(x - GRID / 2, values.top(), cell, row)))
        x += cell
    return Card(
        rect=QRectF(0, 0, width, height),
        title=QRectF(left, GRID, text_width, row),
        values=values,
        steppers=tuple(steppers),
        maps=maps,
    )


@lru_cache(maxsize=8)
def block_card(application_font: str) -> Card:
    """The card of a folded block: as wide as all others, and as high as one of two lines."""
    row = _up(max(3 * GRID, QFontMetricsF(fonts(application_font).body).height() + 6))
    left, text_width, height = STRIPE + GRID, _text_width(application_font), 2 * row + 2 * GRID
    width = _up(left + text_width + GRID + MAPS_WIDTH + GRID)
    indent = 2 * GRID
    return Card(
        rect=QRectF(0, 0, width, height),
        title=QRectF(left + indent, GRID, text_width - indent, row),
        values=QRectF(left + indent, GRID + row, text_width - indent, row),
        steppers=(),
        maps=QRectF(width - GRID - MAPS_WIDTH, GRID, MAPS_WIDTH, height - 2 * GRID),
        chevron=QRectF(STRIPE, GRID, indent + GRID, row),
    )


def shape_width(application_font: str) -> float:
    """Room for a shape with three digits on each axis, in the small font."""
    return _up(QFontMetricsF(fonts(application_font).small).horizontalAdvance("888×888×888") + 4)


@lru_cache(maxsize=8)
def _text_width(application_font: str) -> float:
    """One width for all cards, so that shapes and counts stand in columns: the longest line of steppers and a count."""
    used = fonts(application_font)
    lines = [[_cell_width(p.name, p.kind, used) for p in steps.on_node(t)] for t in layers.layer_types()]
    return _up(max(sum(line) for line in lines) + QFontMetricsF(used.small).horizontalAdvance("8.88 M → 8.88 M"))


def _cell_width(name: str, kind: Kind, used: Fonts) -> float:
    sample = {Kind.PAIR: "8×8" if steps.is_short(name) else "88×88", Kind.PADDING: "same"}.get(kind, "8888")
    label = QFontMetricsF(used.small).horizontalAdvance(steps.label(name))
    return GRID / 2 + label + GRID / 2 + QFontMetricsF(used.body).horizontalAdvance(sample) + 2 + ARROWS_WIDTH


def _up(length: float) -> float:
    return math.ceil(length / GRID) * GRID
