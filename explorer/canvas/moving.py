"""Cards moved by hand: dragged with snapping to the axes of their neighbours, put down as one step of the history.

Over other cards and blocks they float, and an outline, to which their wires lead, shows the nearest free place, where
they will be: `architecture.landing` finds it. Where what is moved stands is `session.arrangement`'s to keep; what gives
way to it when the network changes, `architecture.arranging`'s to say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLineF, QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsView

from explorer.architecture.arranging import arranged
from explorer.architecture.landing import Landing
from explorer.architecture.placement import Box, Placement, Point
from explorer.canvas.card_item import LYING
from explorer.canvas.overlay import Drawn, Overlay
from explorer.canvas.scene import GraphScene
from explorer.session.arrangement import Arrangement

STARTS_AFTER = 6
"""Pixels of the screen that the pointer moves before a press on a card is more than a click."""
SNAP = 8
"""Pixels of the screen within which a card snaps to an axis."""
_FLOATING = 0.8
"""How opaque a card is that hangs over others."""


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
        self._landing: Landing | None = None
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
            snap = snapped(rect, in_sight(self._view, before, self._keys), SNAP / self._view.transform().m11())
        by = away + snap.by
        kept = {key: place for key, place in self._arrangement.positions.items() if key not in self._keys}
        if self._landing is None:
            # What made way for these cards where they were comes back once they are elsewhere.
            self._landing = Landing(self._without(automatic, kept, shown.inside), self._keys, shown.inside)
        free = self._landing.nearest(Point(by.x(), by.y()))
        self._wanted = {key: Point(box.x + free.x, box.y + free.y) for key, box in zip(self._keys, boxes, strict=True)}
        show_placement(self._graph, arranged(automatic, {**self._wanted, **kept}, shown.inside))
        is_free = abs(free.x - by.x()) <= 1 and abs(free.y - by.y()) <= 1
        self._float(None if is_free else by)
        places = [QRectF(*self._graph.placement.nodes[key]) for key in self._keys] if self._graph.placement else []
        self._overlay.show(Drawn(guides=snap.guides if is_free else (), fitting=() if is_free else tuple(places)))

    def _float(self, by: QPointF | None) -> None:
        """Let the cards hang at the pointer over all others, so far from where they were; None puts them down."""
        placement = self._graph.placement if by is None else self._before
        for key in self._keys:
            item = self._graph.card(key)
            if item is not None and placement is not None and key in placement.nodes:
                item.setOpacity(1.0 if by is None else _FLOATING)
                item.setZValue(LYING if by is None else LYING + 1)
                item.setPos(QPointF(*placement.nodes[key][:2]) + (by or QPointF()))

    def _without(self, automatic: Placement, kept: Mapping[str, Point], inside: Mapping[str, str]) -> Placement:
        """Where all else is without these cards, and they themselves where they are now."""
        assert self._before is not None
        others = arranged(automatic, kept, inside)
        own = {key: self._before.nodes[key] for key in self._keys}
        return replace(others, nodes=MappingProxyType({**others.nodes, **own}))

    def finish(self) -> None:
        """Put the cards down."""
        self._overlay.clear()
        self._float(None)
        if not self._wanted or self._graph.placement is None or not self._is_still_there():
            return
        places = {key: self._graph.placement.nodes[key] for key in self._keys}
        text = _tr("Move {}").format(self._keys[0])
        if len(self._keys) > 1:
            text = _tr("Move {} items").format(len(self._keys))
        moved = {key: Point(box.x, box.y) for key, box in places.items()}
        kept = {key: place for key, place in self._arrangement.positions.items() if key not in moved}
        # In the order in which the drag has drawn them: should two overlap, the one put down last stays.
        self._arrangement.move(text, {**moved, **kept})

    def cancel(self) -> None:
        """Let the cards go back."""
        self._overlay.clear()
        self._float(None)
        if self._wanted and self._before is not None and self._is_still_there():
            self._graph.show_moved(self._arrangement.positions)

    def _is_still_there(self) -> bool:
        """Whether the drawing has the cards still: an edit may have come in between."""
        placement = self._graph.placement
        return placement is not None and all(key in placement.nodes for key in self._keys)


def in_sight(view: QGraphicsView, placement: Placement, without: Iterable[str]) -> list[QRectF]:
    """What there is to snap to: the cards in sight but for some."""
    area = view.mapToScene(view.viewport().rect()).boundingRect()
    own = set(without)
    boxes = [QRectF(*box) for key, box in placement.nodes.items() if key not in own]
    return [box for box in boxes if box.intersects(area)]


def _around(boxes: Iterable[Box]) -> QRectF:
    rect = QRectF()
    for box in boxes:
        rect = rect.united(QRectF(*box))
    return rect
