"""Where wires begin and end on the cards: the ports that a card shows under the pointer, and the ends of wires."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from PySide6.QtCore import QPointF

from explorer.architecture import Architecture
from explorer.architecture.placement import Point
from explorer.canvas.card import TITLE_ZOOM
from explorer.canvas.card_item import CardItem
from explorer.canvas.scene import GraphScene
from explorer.canvas.wire_item import WireItem
from explorer.look.theme import GRID
from explorer.session import wiring

RADIUS = 5.0
"""Of a port as it is drawn, in pixels of the screen."""
_REACH = 10.0
"""From its middle, in pixels of the screen."""
_FARTHEST = 13.0
"""The same in pixels of the scene: of a wire across the gap between two cards, its ends are left to be taken."""
_END = 3.5 * GRID
"""So much of a wire, at most, is its end, in pixels of the scene."""
_END_SHARE = 0.5


class Port(NamedTuple):
    """A place where a wire leaves or arrives."""

    key: str
    place: QPointF
    """In the scene, on the card's border."""
    is_output: bool
    wire: WireItem | None = None
    """What arrives there; None at an output, and where there is room for one more."""


class WireEnd(NamedTuple):
    """One end of a wire."""

    wire: WireItem
    is_target: bool
    place: QPointF
    """In the scene."""


def reach(zoom: float) -> float:
    """How near to a port counts as on it, in pixels of the scene."""
    return min(_REACH / zoom, _FARTHEST)


def ports_of(graph: GraphScene, architecture: Architecture, key: str) -> tuple[Port, ...]:
    """The ports of a node's or a folded block's card: what it puts out, then what it reads from left to right."""
    item, placement = graph.card(key), graph.placement
    if item is None or placement is None:
        return ()
    box = item.card.rect.translated(item.pos())
    found = [Port(key, QPointF(box.center().x(), box.bottom()), is_output=True)]
    arriving = [(points[-1], graph.wires[wire]) for wire, points in placement.wires.items() if wire.target == key]
    arriving.sort(key=lambda pair: pair[0].x)
    found += [Port(key, QPointF(*point), is_output=False, wire=wire) for point, wire in arriving]
    if wiring.has_room(architecture, key):
        right = max([point.x for point, _wire in arriving] or [box.center().x()])
        free = min(max(right + 3 * GRID, box.center().x()), box.right() - 2 * GRID)
        found.append(Port(key, QPointF(free, box.top()), is_output=False))
    return tuple(found)


def port_at(graph: GraphScene, architecture: Architecture, position: QPointF, zoom: float) -> Port | None:
    """The port at a place of the scene, also just outside its card; none where cards are too small to have them."""
    if zoom < TITLE_ZOOM:
        return None
    within = reach(zoom)
    found: dict[str, CardItem] = {}
    for away in (QPointF(0, 0), QPointF(0, within), QPointF(0, -within)):
        item = graph.card_at(position + away)
        if item is not None:
            found[item.key] = item
    near = [(_distance(port.place, position), port) for key in found for port in ports_of(graph, architecture, key)]
    distance, port = min(near, key=lambda pair: pair[0], default=(within, None))
    return port if distance < within else None


def wire_end_at(graph: GraphScene, position: QPointF, zoom: float) -> WireEnd | None:
    """The end of a wire at a place of the scene, beyond the port's own reach."""
    if zoom < TITLE_ZOOM or graph.placement is None:
        return None
    wire = graph.wire_at(position)
    points = None if wire is None else graph.placement.wires.get(wire.wire)
    if wire is None or points is None:
        return None
    along = _length(points)
    room = min(_END, _END_SHARE * along)
    for end, is_target in ((points[-1], True), (points[0], False)):
        if _distance(QPointF(*end), position) <= room:
            return WireEnd(wire, is_target, QPointF(*end))
    return None


def _length(points: Iterable[Point]) -> float:
    return sum(abs(a.x - b.x) + abs(a.y - b.y) for a, b in pairwise(points))


def _distance(a: QPointF, b: QPointF) -> float:
    return (a - b).manhattanLength()
