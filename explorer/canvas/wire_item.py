"""One connection: an orthogonal line with rounded corners, its arrowhead, and the shape that passes."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QGuiApplication, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from explorer.architecture.placement import NODE_GAP, Box, Point, Wire
from explorer.canvas import card as cards
from explorer.canvas import wire_width
from explorer.canvas.labels import ARROW, Label
from explorer.layers import Shape
from explorer.look import numbers
from explorer.look.theme import GRID, Theme

_SMALLEST_TEXT_PX = 9
"""Pixels of the screen."""
_GRIP = 12
"""Pixels across that count as on the wire."""
_MOST_SHAPES = 2
"""Of more values only the number stands beside the wire."""


class WireItem(QGraphicsItem):
    """A wire between two items.

    Attributes:
        wire: its ends, which may be folded blocks.
        connections: what of the network it stands for; several where blocks are folded.
        sources: ids of the nodes whose values pass, each once.
        targets: ids of the nodes that read them, each once.
    """

    def __init__(self, wire: Wire, theme: Theme) -> None:
        super().__init__()
        self.wire = wire
        self.connections: tuple[Wire, ...] = (wire,)
        self.sources: tuple[str, ...] = (wire.source,)
        self.targets: tuple[str, ...] = (wire.target,)
        self._theme = theme
        self._font = cards.fonts(QGuiApplication.font().key()).small
        self._route: tuple[Point, ...] = ()
        self._line = QPainterPath()
        self._head = QPolygonF()
        self._label: Label | None = None
        self._shapes: tuple[Shape | None, ...] = (None,)
        self._preview: tuple[Shape | None, ...] | None = None
        self._is_fault = False
        self._hovered = False
        self._by_size = True
        self._bounds = QRectF()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def label(self) -> str:
        """The text beside the wire."""
        shapes = self._preview or self._shapes
        return (
            " + ".join(numbers.shape(shape) for shape in shapes) if len(shapes) <= _MOST_SHAPES else f"×{len(shapes)}"
        )

    @property
    def is_fault(self) -> bool:
        """Whether what arrives is what the target cannot take."""
        return self._is_fault

    def show_route(self, points: tuple[Point, ...], label: Label | None) -> None:
        """Run along other corners; the label stands at `label`, or nowhere."""
        start = points[0]
        route = tuple([Point(x - start.x, y - start.y) for x, y in points])
        if label is not None:
            box = label.box
            label = Label(Box(box.x - start.x, box.y - start.y, box.width, box.height), label.is_left)
        # Most wires look alike, and when a block unfolds most only move: what is drawn is relative to the start.
        if route != self._route or label != self._label:
            self.prepareGeometryChange()
            self._route, self._label = route, label
            self._line, self._head = rounded(route), _head(route[-1])
            self._bounds = self._line.boundingRect().adjusted(-_GRIP / 2, -2, _GRIP / 2, 2)
            if label is not None:
                self._bounds = self._bounds.united(QRectF(*label.box).adjusted(-8 * GRID, -GRID, 8 * GRID, GRID))
        self.setPos(start.x, start.y)

    def show_connections(self, connections: tuple[Wire, ...]) -> None:
        """Stand for these connections of the network."""
        if connections != self.connections:
            self.connections = connections
            self.sources = tuple(dict.fromkeys(connection.source for connection in connections))
            self.targets = tuple(dict.fromkeys(connection.target for connection in connections))

    def show_shapes(self, shapes: tuple[Shape | None, ...], *, is_fault: bool) -> None:
        """Show what passes, and whether the target cannot take it, when the scene next updates it."""
        self._shapes = shapes
        if is_fault != self._is_fault:
            self._is_fault = is_fault
            self.setZValue(0.5 if is_fault else 0)

    def show_by_size(self, by_size: bool) -> None:
        """Be as thick as what passes is large, or like all others."""
        if by_size != self._by_size:
            self._by_size = by_size
            self.update()

    def show_preview(self, shapes: tuple[Shape | None, ...] | None) -> None:
        """Show what would pass instead; None ends that."""
        if shapes != self._preview:
            self._preview = shapes
            self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self.update()

    def show_hovered(self, hovered: bool) -> None:
        """Show that the pointer is on it."""
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return _grip(self._route)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        zoom = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
        theme = self._theme
        colour = theme.error if self._is_fault else theme.accent if self._hovered else theme.wire
        pen = QPen(colour, max(wire_width.width(self._shapes) if self._by_size else wire_width.PLAIN, 1.0 / zoom))
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if None in self._shapes:
            pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._line)
        if zoom >= cards.TITLE_ZOOM:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(self._head)
        if self._label is not None and (zoom >= cards.LABEL_ZOOM or (self._is_fault and zoom >= cards.TITLE_ZOOM)):
            self._paint_label(painter, self._label, zoom)

    def _paint_label(self, painter: QPainter, place: Label, zoom: float) -> None:
        theme = self._theme
        font = QFont(self._font)
        font.setPixelSize(max(font.pixelSize(), round(min(_SMALLEST_TEXT_PX / zoom, 0.75 * NODE_GAP))))
        painter.setFont(font)
        is_lost = self._is_fault or (self._preview is not None and None in self._preview)
        painter.setPen(theme.error if is_lost else theme.accent if self._preview is not None else theme.muted)
        side = Qt.AlignmentFlag.AlignRight if place.is_left else Qt.AlignmentFlag.AlignLeft
        flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
        painter.drawText(QRectF(*place.box), int(flags), self.label)


@lru_cache(maxsize=4096)
def rounded(points: tuple[Point, ...]) -> QPainterPath:
    """The line through the corners, each rounded as far as its shorter arm allows; not to be changed."""
    path = QPainterPath(QPointF(*points[0]))
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        arm = min(GRID, _length(before, corner) / 2, _length(corner, after) / 2)
        path.lineTo(_towards(corner, before, arm))
        path.quadTo(QPointF(*corner), _towards(corner, after, arm))
    # The line ends inside the arrowhead, whose tip would otherwise be blunt.
    path.lineTo(points[-1].x, points[-1].y - ARROW / 2)
    return path


@lru_cache(maxsize=1024)
def _grip(route: tuple[Point, ...]) -> QPainterPath:
    """What counts as on the wire."""
    stroker = QPainterPathStroker()
    stroker.setWidth(_GRIP)
    return stroker.createStroke(rounded(route)) if route else QPainterPath()


def _head(tip: Point) -> QPolygonF:
    x, y = tip
    return QPolygonF([QPointF(x, y), QPointF(x - ARROW / 2, y - ARROW), QPointF(x + ARROW / 2, y - ARROW)])


def _length(a: Point, b: Point) -> float:
    return abs(a.x - b.x) + abs(a.y - b.y)


def _towards(start: Point, end: Point, distance: float) -> QPointF:
    length = _length(start, end) or 1.0
    return QPointF(start.x + (end.x - start.x) * distance / length, start.y + (end.y - start.y) * distance / length)
