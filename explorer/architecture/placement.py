"""Where each node stands and how each wire runs: top to bottom, orthogonal, always the same.

Each open block is laid out alone, by `piece`, and here they are put together. Pure geometry: sizes come from whoever
draws, in pixels, and nothing here knows what a card shows. Values are no part of it, so a network whose numbers change
keeps its placement. What of a network is an item to place is `folding`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from explorer.architecture.architecture import Architecture
from explorer.architecture.piece import NODE_GAP, Edge, Piece, Point, Request, piece

__all__ = ["FRAME_HEADER", "NODE_GAP", "Box", "Placement", "Point", "Wire", "lay_out", "place", "wires"]

FRAME_HEADER = 32
"""Height of the line at the top of an open block, in pixels."""
FRAME_PADDING = 16
"""Pixels between an open block's border and what lies in it."""
FRAME_TITLE = 256
"""Room that an open block's title wants in its header, in pixels."""


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
    titles: Mapping[str, Box]
    """Of each open block's header the room for words: no wire runs there."""
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
    gap: int = NODE_GAP,
) -> Placement:
    """Lay items out.

    Args:
        sizes: (width, height) of every item, in pixels, in an order that the drawing keeps to.
        links: what runs between the items.
        inside: the open block around each item and open block; those at the top are left out.
        frames: the open blocks, each before those inside it.
        gap: pixels between an item and the next.
    """
    frames = tuple(frames)
    plan = _Plan(sizes, tuple(links), inside, frames, gap)
    boxes: dict[str, Box] = {}
    titles: dict[str, Box] = {}
    runs: dict[tuple[str, int], tuple[Point, ...]] = {}
    plan.put("", Point(0, 0), boxes, titles, runs)
    routes = {link: _joined([runs[step] for step in steps]) for link, steps in plan.steps.items()}
    return Placement(
        nodes=MappingProxyType({key: boxes[key] for key in sizes}),
        frames=MappingProxyType({key: boxes[key] for key in frames}),
        titles=MappingProxyType(titles),
        wires=MappingProxyType(routes),
        bounds=_bounds(boxes, routes),
    )


class _Level:
    """One open block, or the top: its children, and what runs between them, comes in and goes out."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.children: dict[str, int] = {}
        self.ins: dict[str, int] = {}
        self.outs: dict[str, int] = {}
        self.edges: dict[tuple[int, int, str, int], int] = {}
        self.piece: Piece
        self.axis = 0.0
        """Where in the piece the middle of the frame is, as the piece around it sees that."""

    def edge(self, source: int, target: int, through: str, port: int) -> int:
        """The index of an edge; all that one item sends to one place is one edge."""
        return self.edges.setdefault((source, target, through, port), len(self.edges))


class _Plan:
    """The levels of a drawing, and for each link the edges that it runs along, from the source on."""

    def __init__(
        self,
        sizes: Mapping[str, tuple[float, float]],
        links: tuple[Wire, ...],
        inside: Mapping[str, str],
        frames: tuple[str, ...],
        gap: int,
    ) -> None:
        self._sizes = sizes
        self._gap = gap
        self._inside = inside
        self.levels = {path: _Level(path) for path in ("", *frames)}
        # In the drawing's order, an open block where its first item stands.
        for item in sizes:
            key, path = item, inside.get(item, "")
            while key not in self.levels[path].children:
                self.levels[path].children[key] = len(self.levels[path].children)
                if not path:
                    break
                key, path = path, inside.get(path, "")
        self._around = {key: self._above(key) for key in (*frames, *sizes)}
        self.steps = {link: self._steps(link) for link in links}
        for path in (*reversed(frames), ""):
            self._lay_out(self.levels[path])

    def _above(self, key: str) -> tuple[str, ...]:
        """The levels around, the innermost first."""
        found = []
        while key in self._inside:
            key = self._inside[key]
            found.append(key)
        return (*found, "")

    def _steps(self, link: Wire) -> tuple[tuple[str, int], ...]:
        """Out of the blocks around the source, across, and into those around the target."""
        source, target = link.source, link.target
        out_of, into = self._around[source], self._around[target]
        common = next(path for path in out_of if path in into)
        steps, child = [], source
        for path in out_of[: out_of.index(common)]:
            level = self.levels[path]
            end = -1 - level.outs.setdefault(source, len(level.outs))
            steps.append((path, level.edge(level.children[child], end, source, 0)))
            child = path
        within = into[: into.index(common)]
        last = within[-1] if within else target
        level = self.levels[common]
        port = 0 if within else link.port
        steps.append((common, level.edge(level.children[child], level.children[last], source, port)))
        for depth in range(len(within) - 1, -1, -1):
            inner = within[depth - 1] if depth else target
            path = within[depth]
            level = self.levels[path]
            start = -1 - level.ins.setdefault(source, len(level.ins))
            port = link.port if inner == target else 0
            steps.append((path, level.edge(start, level.children[inner], source, port)))
        return tuple(steps)

    def _lay_out(self, level: _Level) -> None:
        sizes = tuple(self._size(key) for key in level.children)
        keys = list(level.children)
        edges = []
        for source, target, through, _port in level.edges:
            leaves = self._place(keys[source], through, is_in=False) if source >= 0 else None
            arrives = self._place(keys[target], through, is_in=True) if target >= 0 else None
            edges.append(Edge(source, target, leaves, arrives))
        empty = tuple(self._empty(key) for key in keys)
        level.piece = piece(Request(sizes, empty, tuple(edges), len(level.ins), len(level.outs), self._gap))
        middle = level.piece.width / 2
        # What comes in comes in at the middle, so that a chain of blocks is a straight line.
        level.axis = (*level.piece.ins, *level.piece.outs, middle)[0]

    def _size(self, key: str) -> tuple[float, float]:
        """A child's size; an open block's is as wide to both sides of its axis."""
        level = self.levels.get(key)
        if level is None:
            return self._sizes[key]
        half = max(level.axis, level.piece.width - level.axis) + FRAME_PADDING
        return 2 * half, FRAME_HEADER + level.piece.height + 2 * FRAME_PADDING

    def _empty(self, key: str) -> tuple[float, float]:
        """What of that width is beside the block's frame."""
        level = self.levels.get(key)
        if level is None:
            return 0.0, 0.0
        left, right = level.axis, level.piece.width - level.axis
        return max(0.0, right - left), max(0.0, left - right)

    def _place(self, key: str, through: str, *, is_in: bool) -> float | None:
        """Where on an open block's border what an item sends passes; None leaves the place on an item open."""
        level = self.levels.get(key)
        if level is None:
            return None
        x = level.piece.ins[level.ins[through]] if is_in else level.piece.outs[level.outs[through]]
        return self._size(key)[0] / 2 + x - level.axis

    def put(
        self,
        path: str,
        origin: Point,
        boxes: dict[str, Box],
        titles: dict[str, Box],
        runs: dict[tuple[str, int], tuple[Point, ...]],
    ) -> None:
        """Say where all of a level is, whose piece has its corner at `origin`."""
        level = self.levels[path]
        top, bottom = origin.y - FRAME_HEADER - FRAME_PADDING, origin.y + level.piece.height + FRAME_PADDING
        for key, corner in zip(level.children, level.piece.corners, strict=True):
            x, y = origin.x + corner.x, origin.y + corner.y
            inner = self.levels.get(key)
            width, height = self._size(key)
            if inner is None:
                boxes[key] = Box(x, y, width, height)
                continue
            at = Point(x + width / 2 - inner.axis, y + FRAME_HEADER + FRAME_PADDING)
            frame = Box(at.x - FRAME_PADDING, y, inner.piece.width + 2 * FRAME_PADDING, height)
            boxes[key] = frame
            titles[key] = _title(frame, [at.x + x for x in inner.piece.ins])
            self.put(key, at, boxes, titles, runs)
        for (source, target, _through, _port), number in level.edges.items():
            route = [Point(origin.x + x, origin.y + y) for x, y in level.piece.routes[number]]
            if source < 0:
                route[0] = Point(route[0].x, top)
            if target < 0:
                route[-1] = Point(route[-1].x, bottom)
            runs[path, number] = tuple(route)


def _title(frame: Box, ins: list[float]) -> Box:
    """The first stretch of the header between wires that come in which is wide enough, or else the widest."""
    edges = [frame.x, *sorted(ins), frame.right]
    rooms = [(left, right) for left, right in pairwise(edges) if right > left]
    left, right = next((r for r in rooms if r[1] - r[0] >= FRAME_TITLE), max(rooms, key=lambda room: room[1] - room[0]))
    return Box(left, frame.y, right - left, FRAME_HEADER)


def _joined(runs: list[tuple[Point, ...]]) -> tuple[Point, ...]:
    """One line of several, without the corners where it only goes on."""
    points: list[Point] = []
    for run in runs:
        for point in run:
            if len(points) > 1 and (points[-2].x == points[-1].x == point.x or points[-2].y == points[-1].y == point.y):
                points[-1] = point
            elif not points or points[-1] != point:
                points.append(point)
    return tuple(points)


def _bounds(boxes: Mapping[str, Box], routes: Mapping[Wire, tuple[Point, ...]]) -> Box:
    corners = [point for route in routes.values() for point in route]
    left = min([box.x for box in boxes.values()] + [point.x for point in corners])
    top = min([box.y for box in boxes.values()] + [point.y for point in corners])
    right = max([box.right for box in boxes.values()] + [point.x for point in corners])
    bottom = max([box.bottom for box in boxes.values()] + [point.y for point in corners])
    return Box(left, top, right - left, bottom - top)
