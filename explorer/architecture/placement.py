"""Where each node stands and how each wire runs: top to bottom, orthogonal, always the same. The engine is graphlay.

Pure geometry: sizes come from whoever draws, in pixels, and nothing here knows what a card shows. Values are no part of
it, so a network whose numbers change keeps its placement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import graphlay

from explorer.architecture.architecture import Architecture

NODE_GAP = 40
"""Pixels between a node and the next, in both directions: room for a wire, its arrowhead and one line of text."""

_OPTIONS: Mapping[str, Any] = {
    "direction": "topbottom",
    "spacing": {
        "layer_gap": NODE_GAP,
        "node_gap": NODE_GAP,
        "isolated_gap": NODE_GAP,
        "reroute_node_gap": NODE_GAP,
        "dummy_gap": 24.0,
        "port_gap": 24.0,
    },
    # A wire leaves below and arrives above, always; the sides of a node stay free.
    "routing": {"port_sides": "facing_only"},
}


class Point(NamedTuple):
    """A place, in pixels; y grows downwards."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle by its top left corner and size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of the bottom edge."""
        return self.y + self.height

    @property
    def centre(self) -> Point:
        """The middle."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share more than an edge."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


class Wire(NamedTuple):
    """One connection: what `source` puts out arrives at input `port` of `target`."""

    source: str
    target: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A network laid out."""

    nodes: Mapping[str, Box]
    """By node id; no two overlap."""
    wires: Mapping[Wire, tuple[Point, ...]]
    """Corners of each wire from the source's border to the target's, horizontal and vertical by turns."""
    bounds: Box
    """Around all nodes and wires."""


def wires(architecture: Architecture) -> tuple[Wire, ...]:
    """Every connection of a network, by target, then port."""
    return tuple(Wire(source, node.id, port) for node in architecture for port, source in enumerate(node.inputs))


def place(architecture: Architecture, sizes: Mapping[str, tuple[float, float]]) -> Placement:
    """Lay a network out.

    Args:
        sizes: (width, height) of every node, in pixels.
    """
    graph = graphlay.Graph()
    for node in architecture:
        width, height = sizes[node.id]
        graph.node(node.id, width=width, height=height)
    connections = wires(architecture)
    for wire in connections:
        graph.edge(wire.source, wire.target)
    layout = graphlay.layout(graph, options=_OPTIONS)
    boxes = {}
    for node_id, placed in zip(layout.ids, layout.nodes, strict=True):
        width, height = sizes[node_id]
        centre = placed["center"]
        # Whole pixels, so that edges are sharp at 100 %; equal coordinates round alike, so wires stay orthogonal.
        boxes[node_id] = Box(round(centre["x"]) - width / 2, round(centre["y"] - height / 2), width, height)
    routes = {
        wire: _anchored(
            [Point(round(point["x"]), round(point["y"])) for point in edge["points"]],
            boxes[wire.source],
            boxes[wire.target],
        )
        for wire, edge in zip(connections, layout.edges, strict=True)
    }
    return Placement(nodes=MappingProxyType(boxes), wires=MappingProxyType(routes), bounds=_bounds(boxes, routes))


def _anchored(points: list[Point], source: Box, target: Box) -> tuple[Point, ...]:
    """The corners with the ends exactly on the rounded borders."""
    points[0] = Point(points[0].x, source.bottom)
    points[-1] = Point(points[-1].x, target.y)
    return tuple(points)


def _bounds(boxes: Mapping[str, Box], routes: Mapping[Wire, tuple[Point, ...]]) -> Box:
    corners = [point for route in routes.values() for point in route]
    left = min([box.x for box in boxes.values()] + [point.x for point in corners])
    top = min([box.y for box in boxes.values()] + [point.y for point in corners])
    right = max([box.right for box in boxes.values()] + [point.x for point in corners])
    bottom = max([box.bottom for box in boxes.values()] + [point.y for point in corners])
    return Box(left, top, right - left, bottom - top)
