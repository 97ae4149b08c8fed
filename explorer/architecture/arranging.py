"""A layout with some items where a hand has put them: what is in their way gives way, wires and open blocks follow.

Pure geometry over `placement`'s: the layout itself stays the engine's, and what no moved item touches keeps its place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

from explorer.architecture.placement import FRAME_HEADER, FRAME_PADDING, NODE_GAP, Box, Placement, Point, Wire

_AWAY = 16
"""Pixels between a wire that makes way and what it passes."""
_MOST_IN_THE_WAY = 24


def arranged(placement: Placement, moved: Mapping[str, Point], inside: Mapping[str, str]) -> Placement:
    """The placement with some items elsewhere; nothing overlaps but an open block and what it holds.

    Args:
        moved: the top left corners of items put somewhere by hand; those that are not drawn are passed over.
        inside: the innermost open block around each item and open block, as `folding.Shown` has it.
    """
    wanted = {key: place for key, place in moved.items() if key in placement.nodes}
    if not wanted:
        return placement
    boxes, frames = _Settling(placement, wanted, inside).settled()
    changed = {key for key, box in boxes.items() if box != placement.nodes[key]}
    if not changed:
        return placement
    titles = {path: _shifted(title, placement.frames[path], frames[path]) for path, title in placement.titles.items()}
    routes = _routes(placement, boxes, changed)
    return replace(
        placement,
        nodes=MappingProxyType(boxes),
        frames=MappingProxyType(frames),
        titles=MappingProxyType(titles),
        wires=MappingProxyType(routes),
        bounds=_bounds((*boxes.values(), *frames.values()), routes.values()),
    )


def framed(parts: Iterable[Box]) -> Box:
    """An open block around what it holds."""
    parts = tuple(parts)
    left = min(part.x for part in parts) - FRAME_PADDING
    top = min(part.y for part in parts) - FRAME_PADDING - FRAME_HEADER
    right = max(part.right for part in parts) + FRAME_PADDING
    bottom = max(part.bottom for part in parts) + FRAME_PADDING
    return Box(left, top, right - left, bottom - top)


def held(placement: Placement, inside: Mapping[str, str]) -> Mapping[str, list[str]]:
    """The items and open blocks that lie directly in each open block, and, by the empty path, in none."""
    found: dict[str, list[str]] = {"": []}
    for key in (*placement.nodes, *placement.frames):
        found.setdefault(inside.get(key, ""), []).append(key)
    return found


class _Settling:
    """Each open block by itself, from the innermost out: what was moved stays, what it covers goes beside it.

    An open block in which something was moved counts as moved, and is as large as what it holds; one that gives way
    takes along all that it holds. So what lies in different blocks is as far apart as those are.
    """

    def __init__(self, placement: Placement, wanted: Mapping[str, Point], inside: Mapping[str, str]) -> None:
        self._placement = placement
        self._inside = inside
        self._held = held(placement, inside)
        self._boxes = {key: placement.nodes[key]._replace(x=place.x, y=place.y) for key, place in wanted.items()}
        """What is elsewhere than in the placement: items, and open blocks as far as they have been looked at."""
        self._pinned: dict[str, list[str]] = {}
        """What was moved, or holds something that was, in each open block; what was moved first comes first."""
        for item in wanted:
            key, path = item, inside.get(item, "")
            while key not in self._pinned.setdefault(path, []):
                self._pinned[path].append(key)
                if not path:
                    break
                key, path = path, inside.get(path, "")

    def settled(self) -> tuple[dict[str, Box], dict[str, Box]]:
        """The items, and the open blocks."""
        placement = self._placement
        # A block comes before those inside it.
        for path in (*reversed(list(placement.frames)), ""):
            if path in self._pinned:
                self._settle(path)
                if path:
                    self._boxes[path] = framed(self._box(key) for key in self._held[path])
        found = {key: self._box(key) for key in (*placement.nodes, *placement.frames)}
        return {key: found[key] for key in placement.nodes}, {path: found[path] for path in placement.frames}

    def _settle(self, path: str) -> None:
        pinned = self._pinned[path]
        put: list[Box] = []
        for key in pinned:
            self._shift(key, _clear(self._box(key), put))
            put.append(self._box(key))
        loose = [key for key in self._held[path] if key not in pinned]
        covered = [key for key in loose if any(self._box(key).overlaps(box) for box in put)]
        for key in covered:
            others = (self._box(other) for other in loose if other != key)
            self._shift(key, _clear(self._box(key), (*put, *others)))

    def _box(self, key: str) -> Box:
        return self._boxes.get(key) or self._placement.nodes.get(key) or self._placement.frames[key]

    def _shift(self, key: str, there: Box) -> None:
        """Put an item there, or an open block with all that it holds."""
        by = there.x - self._box(key).x
        if by:
            for each in self._all_in(key):
                box = self._box(each)
                self._boxes[each] = box._replace(x=box.x + by)

    def _all_in(self, key: str) -> Iterator[str]:
        yield key
        if key in self._placement.frames:
            for each in self._held[key]:
                yield from self._all_in(each)


def _clear(box: Box, others: Iterable[Box]) -> Box:
    """The box, or the place left or right of what covers it that is nearest."""
    others = tuple(others)
    tried = [box]
    while True:
        found = min(tried, key=lambda candidate: abs(candidate.x - box.x))
        tried.remove(found)
        covering = next((other for other in others if found.overlaps(other)), None)
        if covering is None:
            return found
        # Each way passes every other box once at most, so that it ends.
        if found.x >= box.x:
            tried.append(found._replace(x=covering.right + NODE_GAP))
        if found.x <= box.x:
            tried.append(found._replace(x=covering.x - NODE_GAP - found.width))


def _shifted(title: Box, before: Box, after: Box) -> Box:
    """The room for an open block's words, in its corner still."""
    if before == after:
        return title
    return Box(title.x - before.x + after.x, title.y - before.y + after.y, min(title.width, after.width), title.height)


def _routes(placement: Placement, boxes: Mapping[str, Box], changed: set[str]) -> dict[Wire, tuple[Point, ...]]:
    """The wires, those that a moved item ends or covers led anew."""
    elsewhere = [boxes[key] for key in changed]
    routes: dict[Wire, tuple[Point, ...]] = {}
    for wire, points in placement.wires.items():
        is_end = wire.source in changed or wire.target in changed
        if not is_end and not any(_crosses(points, box) for box in elsewhere):
            routes[wire] = points
            continue
        source, target = boxes[wire.source], boxes[wire.target]
        old_source, old_target = placement.nodes[wire.source], placement.nodes[wire.target]
        start = Point(points[0].x - old_source.x + source.x, source.bottom)
        end = Point(points[-1].x - old_target.x + target.x, target.y)
        others = [box for key, box in boxes.items() if key not in (wire.source, wire.target)]
        routes[wire] = route(start, end, others, (source, target))
    return routes


def route(start: Point, end: Point, others: Sequence[Box], ends: tuple[Box, Box]) -> tuple[Point, ...]:
    """The corners of a wire that leaves `start` downwards and arrives at `end` from above.

    Of the ways with few corners the first that no box is in the way of; else the one that passes the fewest.

    Args:
        others: what the wire is to go around.
        ends: the boxes that it leaves and reaches.
    """
    top, bottom = min(start.y, end.y), max(start.y, end.y)
    near = [box for box in others if box.y < bottom + NODE_GAP and box.bottom > top - NODE_GAP]
    middle = (start.x + end.x) / 2
    near.sort(key=lambda box: abs(box.centre.x - middle))
    near = near[:_MOST_IN_THE_WAY]
    best: tuple[int, tuple[Point, ...]] | None = None
    for points in _ways(start, end, near, ends):
        passed = sum(_crosses(points, box) for box in (*near, *ends))
        if passed == 0:
            return points
        if best is None or passed < best[0]:
            best = (passed, points)
    assert best is not None
    return best[1]


def _ways(start: Point, end: Point, near: Sequence[Box], ends: tuple[Box, Box]) -> Iterable[tuple[Point, ...]]:
    half = NODE_GAP / 2
    if end.y >= start.y + _AWAY:
        if start.x == end.x:
            yield (start, end)
        for level in (round((start.y + end.y) / 2), start.y + half, end.y - half):
            if start.y < level < end.y and start.x != end.x:
                yield (start, Point(start.x, level), Point(end.x, level), end)
    below, above = start.y + half, end.y - half
    lanes = {round(box.x) - _AWAY for box in (*near, *ends)} | {round(box.right) + _AWAY for box in (*near, *ends)}
    for lane in sorted(lanes, key=lambda x: abs(x - start.x) + abs(x - end.x)):
        corners = [start, Point(start.x, below), Point(lane, below), Point(lane, above), Point(end.x, above), end]
        yield tuple(_plain(corners))


def _plain(points: list[Point]) -> list[Point]:
    """The corners without those where nothing turns."""
    result = [points[0]]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        if not (before.x == here.x == after.x or before.y == here.y == after.y):
            result.append(here)
    return [*result, points[-1]]


def _crosses(points: Sequence[Point], box: Box) -> bool:
    """Whether a wire passes through a box; along its edge does not count."""
    for a, b in pairwise(points):
        if min(a.x, b.x) < box.right and max(a.x, b.x) > box.x and min(a.y, b.y) < box.bottom and max(a.y, b.y) > box.y:
            return True
    return False


def _bounds(boxes: Sequence[Box], routes: Iterable[Sequence[Point]]) -> Box:
    corners = [point for points in routes for point in points]
    left = min([box.x for box in boxes] + [point.x for point in corners])
    top = min([box.y for box in boxes] + [point.y for point in corners])
    right = max([box.right for box in boxes] + [point.x for point in corners])
    bottom = max([box.bottom for box in boxes] + [point.y for point in corners])
    return Box(left, top, right - left, bottom - top)
