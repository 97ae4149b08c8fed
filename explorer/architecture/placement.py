"""Where each node stands and how each wire runs: top to bottom, orthogonal, always the same. The engine is graphlay.

Pure geometry: sizes come from whoever draws, in pixels, and nothing here knows what a card shows. Values are no part of
it, so a network whose numbers change keeps its placement. What of a network is an item to place is `folding`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import graphlay

from explorer.architecture.architecture import Architecture

NODE_GAP = 40
"""Pixels between a node and the next, in both directions: room for a wire, its arrowhead and one line of text."""

FRAME_HEADER = 32
"""Height of the line at the top of an open block, in pixels."""
FRAME_PADDING = 16
"""Pixels between an open block's border and what lies in it."""

_OPTIONS: Mapping[str, Any] = {
    "direction": "topbottom",
    "spacing": {
        "layer_gap": NODE_GAP,
        "node_gap": NODE_GAP,
        "isolated_gap": NODE_GAP,
        "reroute_node_gap": NODE_GAP,
        "dummy_gap": 24.0,
        "port_gap": 24.0,
        "compound_padding": FRAME_PADDING,
        "compound_header": FRAME_HEADER,
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
    """By node id, or by path of a folded block; no two overlap."""
    frames: Mapping[str, Box]
    """Around all that lies in each open block, by its path."""
    wires: Mapping[Wire, tuple[Point, ...]]
    """Corners of each wire from the source's border to the target's, horizontal and vertical by turns."""
    bounds: Box
    """Around all nodes and wires."""


def wires(architecture: Architecture) -> tuple[Wire, ...]:
    """Every connection of a network, by target, then port."""
    return tuple(Wire(source, node.id, port) for node in architecture for port, source in enumerate(node.inputs))


def place(architecture: Architecture, sizes: Mapping[str, tuple[float, float]]) -> Placement:
    """Lay a network out, node by node.

    Args:
        sizes: (width, height) of every node, in pixels.
    """
    return lay_out({node.id: sizes[node.id] for node in architecture}, wires(architecture), {})


def lay_out(
    sizes: Mapping[str, tuple[float, float]],
    links: Iterable[Wire],
    inside: Mapping[str, str],
    frames: Iterable[str] = (),
) -> Placement:
    """Lay items out.

    Args:
        sizes: (width, height) of every item, in pixels, in an order that the drawing keeps to.
        links: what runs between the items.
        inside: the open block around each item and open block; those at the top are left out.
        frames: the open blocks, each before those inside it.
    """
    graph = graphlay.Graph()
    places: dict[str, int] = {}
    frames = tuple(frames)
    for key in (*frames, *sizes):
        width, height = sizes.get(key, (1.0, 1.0))
        around: dict[str, Any] = {"parent": places[inside[key]]} if key in inside else {}
        places[key] = graph.node(key, width=width, height=height, **around)
    links = tuple(links)
    for link in links:
        graph.edge(places[link.source], places[link.target])
    layout = graphlay.layout(graph, options=_OPTIONS)
    boxes = {}
    for key, placed in zip(layout.ids, layout.nodes, strict=True):
        width, height = sizes.get(key) or (placed["size"]["width"], placed["size"]["height"])
        centre = placed["center"]
        # Whole pixels, so that edges are sharp at 100 %; equal coordinates round alike, so wires stay orthogonal.
        boxes[key] = Box(round(centre["x"]) - width / 2, round(centre["y"] - height / 2), width, height)
    routes = {
        link: _anchored(
            [Point(round(point["x"]), round(point["y"])) for point in edge["points"]],
            boxes[link.source],
            boxes[link.target],
        )
        for link, edge in zip(links, layout.edges, strict=True)
    }
    return Placement(
        nodes=MappingProxyType({key: boxes[key] for key in sizes}),
        frames=MappingProxyType({key: boxes[key] for key in frames}),
        wires=MappingProxyType(routes),
        bounds=_bounds(boxes, routes),
    )


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
