"""A network at a glance: a bar a layer along depth in its category's colour, tall as its maps, wide as its channels.

Skip connections arch over the bars, parallel branches share a column. Cheap enough to draw for a whole gallery.
"""

import math
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from explorer.architecture import Architecture, Node
from explorer.inference import Inference
from explorer.layers import Category, Shape
from explorer.look.theme import Theme

_THIN = frozenset({Category.ACTIVATION, Category.NORMALIZATION, Category.REGULARIZATION, Category.RESHAPE})
_LARGEST_UNIT = 5.0
_SMALLEST_UNIT = 1.2
_ARC_SHARE = 0.18
"""Height that is kept free for skip connections, where there are any."""


class Bar(NamedTuple):
    """One layer: its category, where it lies on the unit of widths, and its share of the height."""

    node_id: str
    category: Category
    left: float
    width: float
    lane: int
    num_lanes: int
    height: float
    """0 to 1, of the whole column."""


class Silhouette(NamedTuple):
    """A network's bars and skip connections, before any size in pixels."""

    bars: tuple[Bar, ...]
    skips: tuple[tuple[str, str], ...]
    width: float


def silhouette(architecture: Architecture, inference: Inference, *, thin: bool = True) -> Silhouette:
    """The bars of a network, from the input at the left to the outputs at the right.

    Args:
        thin: whether activations, normalisations and other pointwise layers have bars too.
    """
    depth: dict[str, int] = {}
    columns: dict[int, list[Node]] = {}
    stands_for: dict[str, str] = {}
    skips: list[tuple[str, str]] = []
    for node in architecture:
        sources = [stands_for[source] for source in node.inputs]
        if not thin and node.layer.category in _THIN and sources:
            stands_for[node.id] = sources[0]
            continue
        stands_for[node.id] = node.id
        depth[node.id] = 1 + max((depth[source] for source in sources), default=-1)
        columns.setdefault(depth[node.id], []).append(node)
        skips += [(source, node.id) for source in sources if depth[node.id] - depth[source] > 1]
    bars: list[Bar] = []
    left = 0.0
    tallest = max(architecture.input_shape[1:])
    for index in sorted(columns):
        widths = [_width(node, inference.nodes[node.id].output_shape) for node in columns[index]]
        for lane, (node, width) in enumerate(zip(columns[index], widths, strict=True)):
            height = _height(inference.nodes[node.id].output_shape, tallest)
            inset = (max(widths) - width) / 2
            bars.append(Bar(node.id, node.layer.category, left + inset, width, lane, len(widths), height))
        left += max(widths) + 1
    return Silhouette(tuple(bars), tuple(skips), left - 1)


def paint_miniature(
    painter: QPainter, rect: QRectF, architecture: Architecture, inference: Inference, theme: Theme
) -> None:
    """Draw a network into a rectangle."""
    shape = silhouette(architecture, inference)
    if rect.width() / shape.width < _SMALLEST_UNIT:
        shape = silhouette(architecture, inference, thin=False)
    unit = min(_LARGEST_UNIT, rect.width() / shape.width)
    left = rect.center().x() - shape.width * unit / 2
    crown = rect.height() * _ARC_SHARE if shape.skips else 0.0
    body = rect.adjusted(0, crown, 0, 0)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.border, 1))
    painter.drawLine(QPointF(left, body.center().y()), QPointF(left + shape.width * unit, body.center().y()))
    placed = {bar.node_id: _placed(bar, left, unit, body) for bar in shape.bars}
    _paint_skips(painter, shape, placed, rect, theme)
    painter.setPen(Qt.PenStyle.NoPen)
    for bar in shape.bars:
        painter.setBrush(theme.category(bar.category))
        box = placed[bar.node_id]
        radius = min(2.0, box.width() / 4, box.height() / 4)
        painter.drawRoundedRect(box, radius, radius)
    painter.restore()


def miniature(architecture: Architecture, inference: Inference, size: QSize, ratio: float, theme: Theme) -> QPixmap:
    """A transparent picture of a network.

    Args:
        size: in device-independent pixels.
        ratio: device pixels in one of those.
    """
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_miniature(painter, QRectF(0, 0, size.width(), size.height()), architecture, inference, theme)
    painter.end()
    return pixmap


def _width(node: Node, shape: Shape | None) -> float:
    if node.layer.category in _THIN:
        return 1.0
    if shape is None or len(shape) != 3:
        return 1.6
    return 1.6 + 0.8 * math.log2(shape[0] + 1)


def _height(shape: Shape | None, tallest: int) -> float:
    if shape is None:
        return 0.06
    if len(shape) == 3:
        # The root keeps a 7×7 map visible beside a 224×224 image.
        return max(0.08, min(1.0, math.sqrt(max(shape[1:]) / tallest)))
    return max(0.12, min(0.9, math.log2(shape[-1] + 1) / 13))


def _placed(bar: Bar, left: float, unit: float, body: QRectF) -> QRectF:
    lane_height = body.height() / bar.num_lanes
    height = max(2.0, lane_height * (0.85 if bar.num_lanes > 1 else 1.0) * bar.height)
    centre = body.top() + lane_height * (bar.lane + 0.5)
    return QRectF(left + bar.left * unit, centre - height / 2, max(1.0, bar.width * unit), height)


def _paint_skips(painter: QPainter, shape: Silhouette, placed: dict[str, QRectF], rect: QRectF, theme: Theme) -> None:
    colour = QColor(theme.wire)
    colour.setAlpha(190 if len(shape.skips) < 20 else 90)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for source, target in shape.skips:
        start, end = placed[source], placed[target]
        top = rect.top() + 1
        path = QPainterPath(QPointF(start.center().x(), start.top()))
        path.cubicTo(start.center().x(), top, end.center().x(), top, end.center().x(), end.top())
        painter.drawPath(path)
