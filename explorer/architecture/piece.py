"""One open block laid out alone, or the top of a network: where its children stand, where wires come in and go out.

What lies inside a child is no business of the piece around it, but for the places on its border where wires pass. So an
edit in one block lays out that block and those around it again, and blocks made alike share one piece. The engine is
graphlay.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import graphlay

NODE_GAP = 40
"""Pixels between a node and the next, in both directions: room for a wire, its arrowhead and one line of text."""
_PORT = 2.0
"""Size of what stands in for the end of a wire on the border of the block, in pixels."""
_WEIGHT = 64.0
"""Of what keeps these ends at the top and at the bottom."""


class Point(NamedTuple):
    """A place, in pixels; y grows downwards."""

    x: float
    y: float


class Edge(NamedTuple):
    """What runs between two children, or between a child and the border."""

    source: int
    """Index of a child; `-1 - i` is the `i`-th place where something comes in."""
    target: int
    """Index of a child; `-1 - i` is the `i`-th place where something goes out."""
    leaves: float | None
    """Where on the child's lower border, in pixels from its left; None leaves that open."""
    arrives: float | None
    """Where on the child's upper border."""


class Request(NamedTuple):
    """What decides a piece."""

    sizes: tuple[tuple[float, float], ...]
    """(width, height) of the children, in an order that the drawing keeps to."""
    empty: tuple[tuple[float, float], ...]
    """Of each child's width what is left and right of all that is in it, in pixels."""
    edges: tuple[Edge, ...]
    num_in: int
    num_out: int
    gap: int
    """Pixels between a node and the next, in both directions."""


class Piece(NamedTuple):
    """A block's inside; (0, 0) is the top left corner of all that stands and runs in it."""

    corners: tuple[Point, ...]
    """Top left corner of each child."""
    routes: tuple[tuple[Point, ...], ...]
    """Corners of each edge, horizontal and vertical by turns; what comes in or goes out ends at the border."""
    ins: tuple[float, ...]
    """The x at which each thing comes in."""
    outs: tuple[float, ...]
    width: float
    height: float


@lru_cache(maxsize=2048)
def piece(request: Request) -> Piece:
    """Lay one block out."""
    graph, first_in = graphlay.Graph(), len(request.sizes)
    for index, (width, height) in enumerate(request.sizes):
        graph.node(index, width=width, height=height)
    first_out = first_in + request.num_in
    for index in range(first_in, first_out + request.num_out):
        graph.node(index, width=_PORT, height=_PORT)
    for edge in request.edges:
        source = edge.source if edge.source >= 0 else first_in - 1 - edge.source
        target = edge.target if edge.target >= 0 else first_out - 1 - edge.target
        graph.edge(source, target, **_ports(edge, request))
    _keep_outside(graph, first_in, request.num_in, request.num_out)
    layout = graphlay.layout(graph, options=_options(request.gap))
    corners = [
        # Whole pixels, so that edges are sharp at 100 %; equal coordinates round alike, so wires stay orthogonal.
        Point(_whole(placed["center"]["x"]) - width / 2, _whole(placed["center"]["y"] - height / 2))
        for placed, (width, height) in zip(layout.nodes, request.sizes, strict=False)
    ]
    routes = [
        _route(routed["points"], edge, corners, request.sizes)
        for routed, edge in zip(layout.edges, request.edges, strict=False)
    ]
    ends = [_whole(placed["center"]["x"]) for placed in layout.nodes[first_in:]]
    return _cut(request, corners, routes, ends)


def _options(gap: int) -> Mapping[str, Any]:
    """What the engine is told."""
    lane = 0.6 * gap
    return {
        "direction": "topbottom",
        "spacing": {
            "layer_gap": gap,
            "node_gap": gap,
            "isolated_gap": gap,
            "reroute_node_gap": gap,
            "dummy_gap": lane,
            "port_gap": lane,
        },
        # A wire leaves below and arrives above, always; the sides of a node stay free.
        "routing": {"port_sides": "facing_only"},
    }


def _whole(coordinate: float) -> float:
    """Halves, too, that the engine gives back with an error, all go the same way."""
    return math.floor(coordinate + 0.501)


def _ports(edge: Edge, request: Request) -> dict[str, Any]:
    """The places on the children's borders as the engine takes them: −1 left to 1 right."""
    found = {}
    for name, child, side, x in (
        ("source_port", edge.source, "bottom", edge.leaves),
        ("target_port", edge.target, "top", edge.arrives),
    ):
        if child < 0:
            found[name] = {"offset": {"side": side, "t": 0.0}}
        elif x is not None:
            found[name] = {"offset": {"side": side, "t": 2 * x / request.sizes[child][0] - 1}}
    return found


def _keep_outside(graph: graphlay.Graph, first_in: int, num_in: int, num_out: int) -> None:
    """Several ends on one border would each be drawn near its own reader: hold them at one height."""
    first_out = first_in + num_in
    if num_in > 1:
        above = graph.node("above", width=_PORT, height=_PORT)
        for index in range(first_in, first_out):
            graph.edge(above, index, weight=_WEIGHT)
    if num_out > 1:
        below = graph.node("below", width=_PORT, height=_PORT)
        for index in range(first_out, first_out + num_out):
            graph.edge(index, below, weight=_WEIGHT)


def _route(
    points: list[dict[str, float]], edge: Edge, corners: list[Point], sizes: tuple[tuple[float, float], ...]
) -> list[Point]:
    """The corners, with the ends exactly on the rounded borders."""
    route = [Point(_whole(point["x"]), _whole(point["y"])) for point in points]
    if edge.source >= 0:
        route[0] = Point(route[0].x, corners[edge.source].y + sizes[edge.source][1])
    if edge.target >= 0:
        route[-1] = Point(route[-1].x, corners[edge.target].y)
    return route


def _cut(request: Request, corners: list[Point], routes: list[list[Point]], ends: list[float]) -> Piece:
    """Without the room around, and without the stretches between the border and the first thing inside."""
    xs = []
    for (x, _y), (width, _height), (before, after) in zip(corners, request.sizes, request.empty, strict=True):
        xs += [x + before, x + width - after]
    tops = [y for _x, y in corners]
    bottoms = [y + h for (_x, y), (_w, h) in zip(corners, request.sizes, strict=True)]
    for route in routes:
        xs += [point.x for point in route]
        # The first and the last corner are ends; what lies between are bends.
        tops += [point.y for point in route[1:-1]]
        bottoms += [point.y for point in route[1:-1]]
    left, top, right, bottom = min(xs), min(tops), max(xs), max(bottoms)
    moved = []
    for edge, route in zip(request.edges, routes, strict=True):
        if edge.source < 0:
            route[0] = Point(route[0].x, top)
        if edge.target < 0:
            route[-1] = Point(route[-1].x, bottom)
        moved.append(tuple(Point(x - left, y - top) for x, y in route))
    return Piece(
        corners=tuple(Point(x - left, y - top) for x, y in corners),
        routes=tuple(moved),
        ins=tuple(x - left for x in ends[: request.num_in]),
        outs=tuple(x - left for x in ends[request.num_in : request.num_in + request.num_out]),
        width=right - left,
        height=bottom - top,
    )
