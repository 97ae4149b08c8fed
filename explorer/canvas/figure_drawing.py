"""A network drawn for paper: cards as narrow as their words, open blocks as frames, wires; always in the light theme.

What is drawn and where it stands comes from `figure`; here are sizes, words and ink. Nothing of a window is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QFontMetricsF, QPainter, QPen, QPolygonF

from explorer.architecture import Node
from explorer.architecture.folding import Shown
from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point
from explorer.canvas import steps
from explorer.canvas.block_facts import BlockFacts
from explorer.canvas.card_text import name_within
from explorer.canvas.labels import ARROW
from explorer.canvas.maps_strip import Strip
from explorer.canvas.wire_item import rounded
from explorer.inference import NodeReport
from explorer.layers import Category
from explorer.look import numbers
from explorer.look.theme import GRID, LIGHT

_FAMILIES = ("Helvetica", "Arial", "Liberation Sans", "DejaVu Sans", "Noto Sans", "Nimbus Sans")
"""What journals print figures in, or what is as wide and may be embedded; the first that is installed."""
_NAME_PX, _WORDS_PX = 13, 11
_ROW = 18.0
_STRIPE = 4.0
_STACK = 4.0
GAP = 24
"""Pixels between cards: room for a wire and its arrowhead, no more."""
_NARROWEST = 12 * GRID
_MAPS = (112.0, 32.0)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _tr(text: str) -> str:
    return QCoreApplication.translate("Figure", text)


class Fonts(NamedTuple):
    """The two sizes of words."""

    name: QFont
    words: QFont


def fonts() -> Fonts:
    """Fonts by a family that is there, so that a file names what it was measured with."""
    known = set(QFontDatabase.families())
    family = next((name for name in _FAMILIES if name in known), QFontInfo(QFont()).family())
    name, words = QFont(family), QFont(family)
    name.setPixelSize(_NAME_PX)
    name.setWeight(QFont.Weight.Bold)
    words.setPixelSize(_WORDS_PX)
    for font in (name, words):
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return Fonts(name, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What stands on one card: two lines, each with a left and a right end; on a low card the kind is in the first."""

    name: str
    shape: str
    kind: str
    count: str
    colours: tuple[tuple[Category, float], ...]
    """The categories of its layers, each with its share."""
    is_block: bool
    is_low: bool
    """Whether one line says it all."""
    is_round: bool
    """Whether values enter or leave the network here."""
    is_faulty: bool
    strip: Strip | None


def node_words(
    node: Node, report: NodeReport, frame: str, *, shapes: bool, counts: bool, is_output: bool, strip: Strip | None
) -> Words:
    """A layer's: its name, type and values, what comes out and what it learns."""
    layer = node.layer
    told = [f"{steps.label(p.name)} {steps.text(layer, p.name)}" for p in steps.on_node(type(layer))]
    kind = "  ".join(part for part in (layer.type_name, *told, steps.summary(layer)) if part)
    parameters = report.num_parameters
    return Words(
        name=name_within(node.id, frame),
        shape=numbers.shape(report.output_shape) if shapes else "",
        kind=kind,
        count=_tr("{} params").format(numbers.short_count(parameters)) if counts and parameters else "",
        colours=((layer.category, 1.0),),
        is_block=False,
        is_low=not told and not parameters,
        is_round=is_output or layer.category is Category.INPUT,
        is_faulty=report.fault is not None,
        strip=strip,
    )


def block_words(path: str, facts: BlockFacts, frame: str, *, shapes: bool, counts: bool, strip: Strip | None) -> Words:
    """A folded block's: its kind, what it is made of, what comes out and what is learned in it."""
    parts = "" if facts.parts is None else "{} × {}".format(*facts.parts)
    layers = _tr("{} layers").format(numbers.exact_count(facts.num_layers))
    leaves = dict.fromkeys(numbers.shape(shape) for shape in facts.leaves)
    return Words(
        name=name_within(path, frame),
        shape=" + ".join(leaves) if shapes else "",
        kind="  ".join(part for part in (facts.kind, parts, layers) if part),
        count=_tr("{} params").format(numbers.short_count(facts.num_parameters))
        if counts and facts.num_parameters
        else "",
        colours=facts.colours,
        is_block=True,
        is_low=False,
        is_round=False,
        is_faulty=facts.fault is not None,
        strip=strip,
    )


def sizes(words: Mapping[str, Words], used: Fonts) -> Mapping[str, tuple[float, float]]:
    """(width, height) of each card: all as wide as the longest line needs, so that shapes stand in a column."""
    name, small = QFontMetricsF(used.name), QFontMetricsF(used.words)
    widest = float(_NARROWEST)
    for card in words.values():
        first = name.horizontalAdvance(card.name) + 2 * GRID + small.horizontalAdvance(card.shape)
        second = small.horizontalAdvance(card.kind) + small.horizontalAdvance(card.count) + 2 * GRID
        widest = max(widest, *((first + second - GRID,) if card.is_low else (first, second)))
    has_maps = any(card.strip is not None for card in words.values())
    width = widest + _STRIPE + 2.5 * GRID + (_MAPS[0] + GRID if has_maps else 0)
    # An even number of pixels: the middle, where wires arrive, is whole.
    width = 2 * GRID * -(-width // (2 * GRID))
    return {
        key: (width, _ROW + GRID if card.is_low and card.strip is None else 2 * _ROW + GRID)
        for key, card in words.items()
    }


def draw(
    painter: QPainter,
    placement: Placement,
    frames: Mapping[str, tuple[Box, ...]],
    shown: Shown,
    words: Mapping[str, Words],
    kinds: Mapping[str, str],
    used: Fonts,
) -> None:
    """Draw all of it, in the placement's own coordinates.

    Args:
        frames: of each open block its boxes.
        words: of each item.
        kinds: of each open block, what it is in the field's words.
    """
    painter.setFont(used.words)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    depths: dict[str, int] = {}
    for path in shown.frames:
        depths[path] = depths.get(shown.inside.get(path, ""), 0) + 1
        for box in frames[path]:
            _draw_frame(painter, box, depths[path])
    for points in placement.wires.values():
        _draw_wire(painter, points)
    for path in shown.frames:
        name = name_within(path, shown.inside.get(path, ""))
        _draw_title(painter, QRectF(*placement.titles[path]), name, kinds[path], used)
    for key, card in words.items():
        _draw_card(painter, placement.nodes[key], card, used)


def _draw_frame(painter: QPainter, box: Box, depth: int) -> None:
    painter.setPen(QPen(LIGHT.border, 1))
    painter.setBrush(QColor("#f4f5f7") if depth % 2 else QColor("#e9ecf0"))
    painter.drawRoundedRect(QRectF(*box), GRID, GRID)


def _draw_title(painter: QPainter, room: QRectF, name: str, kind: str, used: Fonts) -> None:
    rect = room.adjusted(1.5 * GRID, 0, -GRID, 0)
    rect.setHeight(FRAME_HEADER)
    width = _text(painter, rect, name, used.name, LIGHT.text, _LEFT)
    rect.setLeft(rect.left() + width + GRID)
    if kind != name and QFontMetricsF(used.words).horizontalAdvance(kind) <= rect.width():
        _text(painter, rect, kind, used.words, LIGHT.muted, _LEFT)


def _draw_wire(painter: QPainter, points: tuple[Point, ...]) -> None:
    pen = QPen(LIGHT.wire, 1.5)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(rounded(points))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(LIGHT.wire)
    tip = QPointF(*points[-1])
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-ARROW / 2, -ARROW), tip + QPointF(ARROW / 2, -ARROW)]))


def _draw_card(painter: QPainter, box: Box, card: Words, used: Fonts) -> None:
    rect = QRectF(*box)
    radius = min(2.0 * GRID, rect.height() / 2) if card.is_round else 0.5 * GRID
    border = QPen(LIGHT.error if card.is_faulty else QColor("#9aa3ad"), 1.5 if card.is_faulty else 1)
    painter.setPen(border)
    if card.is_block:
        painter.setBrush(QColor("#e9ecf0"))
        painter.drawRoundedRect(rect.adjusted(_STACK, _STACK, _STACK, _STACK), radius, radius)
    painter.setBrush(LIGHT.card)
    painter.drawRoundedRect(rect, radius, radius)
    inner = rect.adjusted(_STRIPE + GRID, GRID / 2, -GRID, -GRID / 2)
    _draw_stripe(painter, rect, card)
    if card.strip is not None:
        _draw_maps(painter, inner, card.strip)
        inner.setRight(inner.right() - _MAPS[0] - GRID)
    lines = 1 if card.is_low else 2
    first = QRectF(inner.left(), inner.center().y() - lines * _ROW / 2, inner.width(), _ROW)
    width = _text(painter, first, card.name, used.name, LIGHT.text, _LEFT)
    _text(painter, first, card.shape, used.words, LIGHT.text, _RIGHT)
    second = first.adjusted(width + GRID, 0, 0, 0) if card.is_low else first.translated(0, _ROW)
    _text(painter, second, card.kind, used.words, LIGHT.muted, _LEFT)
    _text(painter, second, card.count, used.words, LIGHT.muted, _RIGHT)


def _draw_stripe(painter: QPainter, rect: QRectF, card: Words) -> None:
    """The categories' colours, inside the card: clips would turn a vector file's text and lines into pictures."""
    painter.setPen(Qt.PenStyle.NoPen)
    inset = GRID if card.is_round else GRID / 2
    # Away from the border's curve.
    place = QRectF(rect.left() + GRID / 2, rect.top() + inset, _STRIPE, rect.height() - 2 * inset)
    top = place.top()
    for category, share in card.colours:
        height = share * place.height()
        painter.setBrush(LIGHT.category(category))
        painter.drawRect(QRectF(place.left(), top, place.width(), height))
        top += height


def _draw_maps(painter: QPainter, room: QRectF, strip: Strip) -> None:
    scale = min(_MAPS[0] / strip.size.width(), room.height() / strip.size.height())
    width, height = strip.size.width() * scale, strip.size.height() * scale
    painter.drawImage(QRectF(room.right() - width, room.center().y() - height / 2, width, height), strip.image)


def _text(
    painter: QPainter, rect: QRectF, text: str, font: QFont, colour: QColor, alignment: Qt.AlignmentFlag
) -> float:
    """Draw on one line; returns its width."""
    if not text:
        return 0.0
    # Fonts without a thin space take it from another, which a file would have to embed for nothing else.
    text = text.replace(numbers.THIN_SPACE, " ")
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, int(alignment | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip), text)
    return QFontMetricsF(font).horizontalAdvance(text)
