"""Where a wire has room for its shape: beside one of its vertical stretches, clear of all else that is drawn."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point, Wire

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
    for frame in placement.frames.values():
        obstacles.add(Box(frame.x, frame.y, frame.width, FRAME_HEADER))
        for x, y, across, down in (
            (frame.x, frame.y, 0, frame.height),
            (frame.right, frame.y, 0, frame.height),
            (frame.x, frame.bottom, frame.width, 0),
        ):
            obstacles.add(Box(x - 1, y - 1, across + 2, down + 2))
    for points in placement.wires.values():
        for start, end in _stretches(points):
            obstacles.add(_around(start, end))
    found = {}
    told: set[tuple[str, float]] = set()
    for wire, points in placement.wires.items():
        for x, place in _candidates(points, width, height):
            # Wires of one source carry the same, and run together before they part: once is enough there.
            if (wire.source, x) not in told and obstacles.is_clear(place.box):
                told.add((wire.source, x))
                found[wire] = place
                obstacles.add(place.box)
                break
    return found


def free_ends(placement: Placement) -> Mapping[str, float]:
    """From which x on no wire crosses the header of each open block, by its path."""
    headers: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    ends = {}
    for path, box in placement.frames.items():
        ends[path] = box.x
        header = Box(box.x, box.y, box.width, FRAME_HEADER)
        for band in _bands(header):
            headers[band].append((path, header))
    for points in placement.wires.values() if headers else ():
        for start, end in _stretches(points):
            around = _around(start, end)
            for band in _bands(around):
                for path, header in headers.get(band, ()):
                    if around.right > ends[path] and around.overlaps(header):
                        ends[path] = around.right
    return ends


def _candidates(points: tuple[Point, ...], width: float, height: float) -> Iterator[tuple[float, Label]]:
    """The x of a stretch and a place beside it.

    Beside the stretch into the target first, then beside the others from the longest on; right before left, in the
    middle before the ends.
    """
    vertical = [(start, end) for start, end in _stretches(points) if start.x == end.x]
    last, others = vertical[-1:], sorted(vertical[:-1], key=lambda s: -abs(s[1].y - s[0].y))
    for start, end in (*last, *others):
        top, bottom = min(start.y, end.y), max(start.y, end.y)
        if (start, end) in last:
            bottom -= ARROW
        if bottom - top < height:
            continue
        middle = round((top + bottom - height) / 2)
        for y in dict.fromkeys((middle, round(bottom - height), round(top))):
            yield start.x, Label(Box(start.x + _ASIDE, y, width, height), is_left=False)
            yield start.x, Label(Box(start.x - _ASIDE - width, y, width, height), is_left=True)


def _stretches(points: tuple[Point, ...]) -> Iterable[tuple[Point, Point]]:
    return pairwise(points)


def _around(start: Point, end: Point) -> Box:
    left, top = min(start.x, end.x), min(start.y, end.y)
    return Box(left - 2, top - 2, abs(end.x - start.x) + 4, abs(end.y - start.y) + 4)


def _bands(box: Box) -> range:
    return range(int(box.y // _BUCKET), int(box.bottom // _BUCKET) + 1)
