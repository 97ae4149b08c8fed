"""Where a wire has room for its shape: beside one of its vertical stretches, clear of all else that is drawn."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point, Wire

ARROW = 8
"""Length of a wire's arrowhead, in pixels."""
_ASIDE = 6
_SHEET = 4
"""Below a card, where the second sheet of a folded block would cover words."""
_BUCKET = 64


class Label(NamedTuple):
    """A place for a wire's text."""

    box: Box
    is_left: bool
    """Whether it stands left of the wire, so that its text ends there."""


_Edges = tuple[float, float, float, float]
"""Left, top, right and bottom: of a large network there are thousands, too many for a box with properties each."""


class _Obstacles:
    """Rectangles by horizontal band, so that a look at one place is a look at few of them."""

    def __init__(self) -> None:
        self._bands: defaultdict[int, list[_Edges]] = defaultdict(list)

    def add(self, edges: _Edges) -> None:
        for band in range(int(edges[1] // _BUCKET), int(edges[3] // _BUCKET) + 1):
            self._bands[band].append(edges)

    def is_clear(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether nothing shares more than an edge with these edges."""
        for band in range(int(top // _BUCKET), int(bottom // _BUCKET) + 1):
            for at_left, at_top, at_right, at_bottom in self._bands.get(band, ()):
                if left < at_right and at_left < right and top < at_bottom and at_top < bottom:
                    return False
        return True


def place_labels(placement: Placement, width: float, height: float) -> Mapping[Wire, Label]:
    """A place of `width` by `height` pixels for each wire's label; wires without room are left out."""
    obstacles = _Obstacles()
    for x, y, across, down in placement.nodes.values():
        obstacles.add((x, y, x + across, y + down))
    for x, y, across, down in placement.frames.values():
        right, bottom = x + across, y + down
        obstacles.add((x, y, right, y + FRAME_HEADER))
        obstacles.add((x - 1, y - 1, x + 1, bottom + 1))
        obstacles.add((right - 1, y - 1, right + 1, bottom + 1))
        obstacles.add((x - 1, bottom - 1, right + 1, bottom + 1))
    for points in placement.wires.values():
        for start, end in pairwise(points):
            obstacles.add(_around(start, end))
    found = {}
    told: set[tuple[str, float]] = set()
    for wire, points in placement.wires.items():
        for x, left, top in _candidates(points, width, height):
            # Wires of one source carry the same, and run together before they part: once is enough there.
            if (wire.source, x) not in told and obstacles.is_clear(left, top, left + width, top + height):
                told.add((wire.source, x))
                found[wire] = Label(Box(left, top, width, height), is_left=left < x)
                obstacles.add((left, top, left + width, top + height))
                break
    return found


def free_ends(placement: Placement) -> Mapping[str, float]:
    """From which x on no wire crosses the header of each open block, by its path."""
    headers: defaultdict[int, list[tuple[str, _Edges]]] = defaultdict(list)
    ends = {}
    for path, (x, y, width, _height) in placement.frames.items():
        ends[path] = x
        for band in range(int(y // _BUCKET), int((y + FRAME_HEADER) // _BUCKET) + 1):
            headers[band].append((path, (x, y, x + width, y + FRAME_HEADER)))
    for points in placement.wires.values() if headers else ():
        for start, end in pairwise(points):
            left, top, right, bottom = _around(start, end)
            for band in range(int(top // _BUCKET), int(bottom // _BUCKET) + 1):
                for path, (at_left, at_top, at_right, at_bottom) in headers.get(band, ()):
                    crosses = left < at_right and at_left < right and top < at_bottom and at_top < bottom
                    if crosses and right > ends[path]:
                        ends[path] = right
    return ends


def _candidates(points: tuple[Point, ...], width: float, height: float) -> Iterator[tuple[float, float, float]]:
    """The x of a stretch, and the left and top edge of a place beside it.

    Beside the stretch into the target first, then beside the others from the longest on; right before left, in the
    middle before the ends.
    """
    upright = [(start.x, start.y, end.y) for start, end in pairwise(points) if start.x == end.x]
    if not upright:
        return
    x, start, end = upright.pop()
    yield from _beside(x, min(start, end), max(start, end) - ARROW, width, height)
    for x, start, end in sorted(upright, key=lambda stretch: -abs(stretch[2] - stretch[1])):
        yield from _beside(x, min(start, end), max(start, end), width, height)


def _beside(x: float, top: float, bottom: float, width: float, height: float) -> Iterator[tuple[float, float, float]]:
    if bottom - top < height:
        return
    middle = round((top + bottom - height) / 2)
    below = min(round(top) + _SHEET, round(bottom - height))
    for y in dict.fromkeys((middle, round(bottom - height), below, round(top))):
        yield x, x + _ASIDE, y
        yield x, x - _ASIDE - width, y


def _around(start: Point, end: Point) -> _Edges:
    """The room that a stretch of wire takes."""
    (x, y), (to_x, to_y) = start, end
    left, right = (x, to_x) if x < to_x else (to_x, x)
    top, bottom = (y, to_y) if y < to_y else (to_y, y)
    return (left - 2, top - 2, right + 2, bottom + 2)
