"""Where a wire has room for its shape: beside one of its vertical stretches, clear of nodes, wires and other labels."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from explorer.architecture.placement import Box, Placement, Point, Wire

ARROW = 8
"""Length of a wire's arrowhead, in pixels."""
_ASIDE = 6
_BUCKET = 64


class Label(NamedTuple):
    """A place for a wire's text."""

    box: Box
    is_left: bool
    """Whether it stands left of the wire, so that its text ends there."""


class _Obstacles:
    """Boxes by horizontal band, so that a look at one place is a look at few of them."""

    def __init__(self) -> None:
        self._bands: defaultdict[int, list[Box]] = defaultdict(list)

    def add(self, box: Box) -> None:
        for band in _bands(box):
            self._bands[band].append(box)

    def is_clear(self, box: Box) -> bool:
        return not any(box.overlaps(other) for band in _bands(box) for other in self._bands.get(band, ()))


def place_labels(placement: Placement, width: float, height: float) -> Mapping[Wire, Label]:
    """A place of `width` by `height` pixels for each wire's label; wires without room are left out."""
    obstacles = _Obstacles()
    for box in placement.nodes.values():
        obstacles.add(box)
    for points in placement.wires.values():
        for start, end in _stretches(points):
            obstacles.add(_around(start, end))
    found = {}
    for wire, points in placement.wires.items():
        place = next((c for c in _candidates(points, width, height) if obstacles.is_clear(c.box)), None)
        if place is not None:
            found[wire] = place
            obstacles.add(place.box)
    return found


def _candidates(points: tuple[Point, ...], width: float, height: float) -> Iterator[Label]:
    """Beside the stretch into the target first, then beside the others from the longest on; right before left."""
    vertical = [(start, end) for start, end in _stretches(points) if start.x == end.x]
    last, others = vertical[-1:], sorted(vertical[:-1], key=lambda s: -abs(s[1].y - s[0].y))
    for start, end in (*last, *others):
        top, bottom = min(start.y, end.y), max(start.y, end.y)
        if (start, end) in last:
            bottom -= ARROW
        if bottom - top < height:
            continue
        y = round((top + bottom - height) / 2)
        yield Label(Box(start.x + _ASIDE, y, width, height), is_left=False)
        yield Label(Box(start.x - _ASIDE - width, y, width, height), is_left=True)


def _stretches(points: tuple[Point, ...]) -> Iterable[tuple[Point, Point]]:
    return pairwise(points)


def _around(start: Point, end: Point) -> Box:
    left, top = min(start.x, end.x), min(start.y, end.y)
    return Box(left - 2, top - 2, abs(end.x - start.x) + 4, abs(end.y - start.y) + 4)


def _bands(box: Box) -> range:
    return range(int(box.y // _BUCKET), int(box.bottom // _BUCKET) + 1)
