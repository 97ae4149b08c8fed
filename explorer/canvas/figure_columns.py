"""A tall figure cut into columns, read down each and then from left to right, so that it fits a page.

Cuts run where no card and no header of an open block is, and where as few wires as may be. What runs on passes below
its column, up the gutter and into the next from above: nested lanes, of which no two cross. An open block that is cut
has a box in each column. The ink is `figure_drawing`'s.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point, Wire

MOST_COLUMNS = 12
_LANE = 8.0
"""Pixels between wires that run on together."""
_CLEAR = 16.0
"""Pixels between a column and the first lane beside, below or above it."""
_FREE = 3.0
"""Pixels that a cut keeps away from everything that it does not cross at a right angle."""
_STEP = 4.0
"""How much further than an inner one an outer block that is cut reaches."""
_A_CROSSING, _A_FRAME = 0.01, 0.004
"""What one more wire, and one more open block, that is cut weighs against columns of unequal height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A placement in columns."""

    placement: Placement
    frames: Mapping[str, tuple[Box, ...]]
    """Of each open block its boxes, one in each column that it is in; the placement has the first of them."""
    count: int


class _Cut(NamedTuple):
    """A level where a figure may be cut."""

    y: float
    xs: tuple[float, ...]
    """Where wires cross it, from left to right; wires that run on one line there count once."""
    frames: tuple[str, ...]
    """The open blocks that it cuts, the outermost first."""


class _Lane(NamedTuple):
    """How what crosses a cut at one x runs on to the next column."""

    below: float
    gutter: float
    above: float


def in_columns(placement: Placement, count: int) -> Columns:
    """Cut a placement into so many columns of about equal height; into fewer where it cannot be cut so often."""
    cuts = _chosen(_cuts(placement), placement.bounds, count) if count > 1 else ()
    if not cuts:
        return Columns(placement=placement, frames={key: (box,) for key, box in placement.frames.items()}, count=1)
    return _Wrapping(placement, cuts).columns()


def fitting(placement: Placement, width: float, height: float) -> Columns:
    """Cut a placement so that it is drawn largest in a room of that width and height, with the fewest columns.

    Args:
        width: of the room, in the placement's pixels at full size; a figure that fits is not made larger.
    """

    def scale(columns: Columns) -> float:
        bounds = columns.placement.bounds
        return min(1.0, width / bounds.width, height / bounds.height)

    return max((in_columns(placement, count) for count in range(1, MOST_COLUMNS + 1)), key=scale)


def _cuts(placement: Placement) -> list[_Cut]:
    """Every level worth cutting at: in the middle of each stretch where nothing but straight wires is."""
    taken = [(box.y, box.bottom) for box in placement.nodes.values()]
    for box in placement.frames.values():
        taken += [(box.y, box.y + FRAME_HEADER), (box.bottom, box.bottom)]
    for points in placement.wires.values():
        taken += [(a.y, b.y) for a, b in pairwise(points) if a.y == b.y]
    taken.sort()
    # From outer to inner: paths of open blocks are prefixes of those inside.
    frames = sorted(placement.frames.items(), key=lambda item: item[0].count("."))
    found: list[_Cut] = []
    reached = taken[0][1]
    for top, bottom in taken:
        if top - reached > 2 * _FREE:
            y = (top + reached) / 2
            xs = _crossings(placement.wires.values(), y)
            if xs is not None:
                found.append(_Cut(y, xs, tuple(key for key, box in frames if box.y < y < box.bottom)))
        reached = max(reached, bottom)
    return found


def _crossings(wires: Iterable[Sequence[Point]], y: float) -> tuple[float, ...] | None:
    """Where wires pass a level; None where one comes back up."""
    xs: set[float] = set()
    for points in wires:
        passed = [(a, b) for a, b in pairwise(points) if min(a.y, b.y) < y < max(a.y, b.y)]
        if len(passed) > 1 or any(b.y < a.y for a, b in passed):
            return None
        xs.update(a.x for a, _b in passed)
    return tuple(sorted(xs))


def _chosen(cuts: Sequence[_Cut], bounds: Box, count: int) -> tuple[_Cut, ...]:
    """The cuts that make the most even columns with the fewest wires cut: all ways are compared, column by column."""
    levels = [bounds.y, *(cut.y for cut in cuts), bounds.bottom]
    wanted, last = bounds.height / count, len(levels) - 1

    def cost(start: int, end: int) -> float:
        uneven = ((levels[end] - levels[start]) / wanted - 1) ** 2
        if end == last:
            return uneven
        cut = cuts[end - 1]
        return uneven + _A_CROSSING * max(0, len(cut.xs) - 1) + _A_FRAME * len(cut.frames)

    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for column in range(min(count, len(cuts) + 1)):
        is_last = column == min(count, len(cuts) + 1) - 1
        after: dict[int, tuple[float, tuple[int, ...]]] = {}
        for end in [last] if is_last else range(1, last):
            ways = [(so_far + cost(at, end), (*way, end)) for at, (so_far, way) in best.items() if at < end]
            if ways:
                after[end] = min(ways)
        best = after
    return tuple(cuts[end - 1] for end in best[last][1][:-1]) if last in best else ()


class _Wrapping:
    """Puts what lies between cuts beside each other."""

    def __init__(self, placement: Placement, cuts: tuple[_Cut, ...]) -> None:
        self._placement = placement
        self._cuts = cuts
        self._levels = [cut.y for cut in cuts]
        edges = [placement.bounds.y, *self._levels, placement.bounds.bottom]
        self._spans = list(pairwise(edges))
        tops = [placement.bounds.y, *(self._start(cut) for cut in cuts)]
        highest = max(len(cut.xs) for cut in cuts)
        # Room above all columns for the lanes into the second and further ones.
        over = _CLEAR + (highest - 1) * _LANE
        self._shifts: list[Point] = []
        self._lanes: list[Mapping[float, _Lane]] = []
        x = 0.0
        for column, (top, span) in enumerate(zip(tops, self._spans, strict=True)):
            left, right = self._extent(span)
            self._shifts.append(Point(x - left, over - top))
            x += right - left
            if column < len(cuts):
                lanes = len(cuts[column].xs)
                self._lanes.append(self._lanes_of(cuts[column], x + _CLEAR, over))
                x += 2 * _CLEAR + (lanes - 1) * _LANE

    def columns(self) -> Columns:
        placement = self._placement
        nodes = {key: self._moved(box, self._column(box.y)) for key, box in placement.nodes.items()}
        frames = {key: self._boxes(key, box) for key, box in placement.frames.items()}
        titles = {key: self._moved(box, self._column(box.y)) for key, box in placement.titles.items()}
        wires = {wire: self._run(points) for wire, points in placement.wires.items()}
        return Columns(
            placement=Placement(
                nodes=MappingProxyType(nodes),
                frames=MappingProxyType({key: boxes[0] for key, boxes in frames.items()}),
                titles=MappingProxyType(titles),
                wires=MappingProxyType(wires),
                bounds=_around([*nodes.values(), *(box for boxes in frames.values() for box in boxes)], wires),
            ),
            frames=MappingProxyType(frames),
            count=len(self._spans),
        )

    def _column(self, y: float) -> int:
        return bisect_left(self._levels, y)

    def _start(self, cut: _Cut) -> float:
        """Where the column below a cut begins, in the placement: blocks that are cut reach above it."""
        return cut.y - _STEP * len(cut.frames)

    def _extent(self, span: tuple[float, float]) -> tuple[float, float]:
        """From where to where a column's cards, blocks and wires reach."""
        top, bottom = span
        boxes = (*self._placement.nodes.values(), *self._placement.frames.values())
        xs = [edge for box in boxes if box.y < bottom and top < box.bottom for edge in (box.x, box.right)]
        for points in self._placement.wires.values():
            for a, b in pairwise(points):
                if min(a.y, b.y) < bottom and top < max(a.y, b.y):
                    xs += [a.x, b.x]
        return min(xs), max(xs)

    def _lanes_of(self, cut: _Cut, gutter: float, over: float) -> Mapping[float, _Lane]:
        """The lanes from the column above a cut: what leaves furthest right turns first and arrives from highest."""
        column = len(self._lanes)
        end = cut.y + _STEP * len(cut.frames) + self._shifts[column].y
        lanes = {}
        for place, x in enumerate(reversed(cut.xs)):
            above = over - _CLEAR + _LANE - _LANE * (len(cut.xs) - place)
            lanes[x] = _Lane(end + _LANE * (place + 1), gutter + _LANE * place, above)
        return lanes

    def _moved(self, box: Box, column: int) -> Box:
        shift = self._shifts[column]
        return box._replace(x=box.x + shift.x, y=box.y + shift.y)

    def _boxes(self, key: str, box: Box) -> tuple[Box, ...]:
        """The boxes of an open block: where it is cut, those around others reach further."""
        boxes = []
        first, last = self._column(box.y), self._column(box.bottom)
        for column in range(first, last + 1):
            top, bottom = box.y, box.bottom
            if column > first:
                cut = self._cuts[column - 1]
                top = cut.y - _STEP * (len(cut.frames) - cut.frames.index(key))
            if column < last:
                cut = self._cuts[column]
                bottom = cut.y + _STEP * (len(cut.frames) - cut.frames.index(key))
            boxes.append(self._moved(Box(box.x, top, box.width, bottom - top), column))
        return tuple(boxes)

    def _run(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        """A wire through all columns that it passes."""
        shift = self._shifts[self._column(points[0].y)]
        run = [Point(points[0].x + shift.x, points[0].y + shift.y)]
        for a, b in pairwise(points):
            for column in range(self._column(a.y), self._column(b.y)):
                lane = self._lanes[column][a.x]
                x, then = a.x + self._shifts[column].x, a.x + self._shifts[column + 1].x
                run += [
                    Point(x, lane.below),
                    Point(lane.gutter, lane.below),
                    Point(lane.gutter, lane.above),
                    Point(then, lane.above),
                ]
            shift = self._shifts[self._column(b.y)]
            run.append(Point(b.x + shift.x, b.y + shift.y))
        return tuple(run)


def _around(boxes: Iterable[Box], wires: Mapping[Wire, tuple[Point, ...]]) -> Box:
    boxes, points = tuple(boxes), [point for run in wires.values() for point in run]
    left = min([*(box.x for box in boxes), *(point.x for point in points)])
    top = min([*(box.y for box in boxes), *(point.y for point in points)])
    right = max([*(box.right for box in boxes), *(point.x for point in points)])
    bottom = max([*(box.bottom for box in boxes), *(point.y for point in points)])
    return Box(left, top, right - left, bottom - top)
