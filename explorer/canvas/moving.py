"""Cards moved by hand: dragged with snapping to the axes of their neighbours, put down as one step of the history.

Where what is moved stands is `session.arrangement`'s to keep; what gives way to it, `architecture.arranging`'s to say.
"""

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLineF, QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsView

from explorer.architecture.arranging import arranged
from explorer.architecture.placement import Box, Placement, Point
from explorer.canvas.overlay import Drawn, Overlay
from explorer.canvas.scene import GraphScene
from explorer.session.arrangement import Arrangement

STARTS_AFTER = 6
"""Pixels of the screen that the pointer moves before a press on a card is more than a click."""
_SNAP = 8
"""Pixels of the screen within which a card snaps to an axis."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Moving", text)


class Snap(NamedTuple):
    """Where a dragged box goes, and the lines that it snapped to."""

    by: QPointF
    guides: tuple[QLineF, ...]


def snapped(box: QRectF, others: Iterable[QRectF], within: float) -> Snap:
    """How far to shift a box so that its middle is straight above or below another's, or its top on a level with one.

    Args:
        within: the farthest that it is shifted on either axis.
    """
    by, guides = QPointF(), []
    across, along = within, within
    column: QRectF | None = None
    row: QRectF | None = None
    for other in others:
        dx, dy = other.center().x() - box.center().x(), other.center().y() - box.center().y()
        if abs(dx) < across or (abs(dx) == across and column is not None and _nearer(box, other, column)):
            across, column = abs(dx), other
            by.setX(dx)
        if abs(dy) < along or (abs(dy) == along and row is not None and _nearer(box, other, row)):
            along, row = abs(dy), other
            by.setY(dy)
    there = box.translated(by)
    if column is not None:
        x = there.center().x()
        guides.append(QLineF(x, min(there.top(), column.top()), x, max(there.bottom(), column.bottom())))
    if row is not None:
        y = there.center().y()
        guides.append(QLineF(min(there.left(), row.left()), y, max(there.right(), row.right()), y))
    return Snap(by, tuple(guides))


def _nearer(box: QRectF, a: QRectF, b: QRectF) -> bool:
    centre = box.center()
    return (a.center() - centre).manhattanLength() < (b.center() - centre).manhattanLength()


def show_placement(graph: GraphScene, placement: Placement) -> None:
    """Draw the items of a scene at other places; those that stay are not touched."""
    before = graph.placement
    assert before is not None
    for key, box in placement.nodes.items():
        item = graph.card(key)
        if item is not None and box != before.nodes.get(key):
            item.setPos(box.x, box.y)
    for path, box in placement.frames.items():
        if box != before.frames.get(path):
            graph.frames[path].show_box(box, placement.titles[path])
    for wire, points in placement.wires.items():
        if points != before.wires.get(wire):
            # Its text comes back when the card is put down: finding room for all texts takes longer than a frame.
            graph.wires[wire].show_route(points, None)
    graph.placement = placement


class MovingGesture:
    """The cards under the pointer follow it."""

    def __init__(
        self,
        pressed: QPoint,
        keys: tuple[str, ...],
        view: QGraphicsView,
        graph: GraphScene,
        arrangement: Arrangement,
        overlay: Overlay,
    ) -> None:
        self._pressed = pressed
        self._from = view.mapToScene(pressed)
        self._keys = keys
        self._view = view
        self._graph = graph
        self._arrangement = arrangement
        self._overlay = overlay
        self._before = graph.placement
        self._wanted: dict[str, Point] = {}

    @property
    def has_begun(self) -> bool:
        """Whether the pointer has moved far enough for this to be no click."""
        return bool(self._wanted)

    def move(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer moved; with Alt, nothing snaps."""
        before, shown, automatic = self._before, self._graph.shown, self._graph.automatic
        if before is None or shown is None or automatic is None or not self._is_still_there():
            return
        if not self.has_begun and (position - self._pressed).manhattanLength() < STARTS_AFTER:
            return
        away = self._view.mapToScene(position) - self._from
        boxes = [before.nodes[key] for key in self._keys]
        rect = _around(boxes).translated(away)
        snap = Snap(QPointF(), ())
        if not modifiers & Qt.KeyboardModifier.AltModifier:
            snap = snapped(rect, self._others(), _SNAP / self._view.transform().m11())
        by = away + snap.by
        self._wanted = {
            key: Point(round(box.x + by.x()), round(box.y + by.y())) for key, box in zip(self._keys, boxes, strict=True)
        }
        kept = {key: place for key, place in self._arrangement.positions.items() if key not in self._wanted}
        show_placement(self._graph, arranged(automatic, {**self._wanted, **kept}, shown.inside))
        self._overlay.show(Drawn(guides=snap.guides))

    def finish(self) -> None:
        """Put the cards down."""
        self._overlay.clear()
        if not self._wanted or self._graph.placement is None or not self._is_still_there():
            return
        # Where they lie in fact: what was dropped on a card put there by hand has made way.
        places = {key: self._graph.placement.nodes[key] for key in self._keys}
        text = _tr("Move {}").format(self._keys[0])
        if len(self._keys) > 1:
            text = _tr("Move {} items").format(len(self._keys))
        moved = {key: Point(box.x, box.y) for key, box in places.items()}
        kept = {key: place for key, place in self._arrangement.positions.items() if key not in moved}
        # In the order in which the drag has drawn them: of two that overlap, the one put down last stays.
        self._arrangement.move(text, {**moved, **kept})

    def cancel(self) -> None:
        """Let the cards go back."""
        self._overlay.clear()
        if self._wanted and self._before is not None and self._is_still_there():
            self._graph.show_moved(self._arrangement.positions)

    def _is_still_there(self) -> bool:
        """Whether the drawing has the cards still: an edit may have come in between."""
        placement = self._graph.placement
        return placement is not None and all(key in placement.nodes for key in self._keys)

    def _others(self) -> list[QRectF]:
        """What there is to snap to: the cards in sight that stay."""
        placement = self._before
        assert placement is not None
        area = self._view.mapToScene(self._view.viewport().rect()).boundingRect()
        boxes = [QRectF(*box) for key, box in placement.nodes.items() if key not in self._keys]
        return [box for box in boxes if box.intersects(area)]


def _around(boxes: Iterable[Box]) -> QRectF:
    rect = QRectF()
    for box in boxes:
        rect = rect.united(QRectF(*box))
    return rect
