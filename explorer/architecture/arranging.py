"""A layout with some items where a hand has put them: what is in their way gives way, wires and open blocks follow.

Pure geometry over `placement`'s: the layout itself stays the engine's, and what no moved item touches keeps its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

from explorer.architecture.placement import FRAME_HEADER, FRAME_PADDING, NODE_GAP, Box, Placement, Point, Wire

_AWAY = 16
"""Pixels between a wire that makes way and what it passes."""
_MOST_IN_THE_WAY = 24
_MOST_TRIES = 32


def arranged(placement: Placement, moved: Mapping[str, Point], inside: Mapping[str, str]) -> Placement:
    """The placement with some items elsewhere.

    Args:
        moved: the top left corners of items put somewhere by hand; those that are not drawn are passed over.
        inside: the innermost open block around each item and open block, as `folding.Shown` has it.
    """
    wanted = {key: place for key, place in moved.items() if key in placement.nodes}
    if not wanted:
        return placement
    boxes = _boxes(placement, wanted)
    changed = {key for key, box in boxes.items() if box != placement.nodes[key]}
    if not changed:
        return placement
    frames = _frames(placement, boxes, changed, inside)
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


def _boxes(placement: Placement, wanted: Mapping[str, Point]) -> dict[str, Box]:
    """All items: those moved by hand where they were put, the others where they are, or beside what covers them now."""
    put: dict[str, Box] = {}
    for key, place in wanted.items():
        box = placement.nodes[key]
        put[key] = _clear(Box(place.x, place.y, box.width, box.height), put.values())
    pinned = tuple(put.values())
    result: dict[str, Box] = {}
    dodged: list[Box] = []
    others = [box for key, box in placement.nodes.items() if key not in put]
    for key, box in placement.nodes.items():
        if key in put:
            result[key] = put[key]
        elif any(box.overlaps(other) for other in pinned):
            result[key] = _clear(box, (*pinned, *dodged, *(other for other in others if other is not box)))
            dodged.append(result[key])
        else:
            result[key] = box
    return result


def _clear(box: Box, others: Iterable[Box]) -> Box:
    """The box, or the place left or right of what covers it that is nearest."""
    others = tuple(others)
    tried = [box]
    for _ in range(_MOST_TRIES):
        found = min(tried, key=lambda candidate: abs(candidate.x - box.x) + abs(candidate.y - box.y))
        tried.remove(found)
        covering = next((other for other in others if found.overlaps(other)), None)
        if covering is None:
            return found
        if found.x >= box.x:
            tried.append(found._replace(x=covering.right + NODE_GAP))
        if found.x <= box.x:
            tried.append(found._replace(x=covering.x - NODE_GAP - found.width))
    return found


def _frames(
    placement: Placement, boxes: Mapping[str, Box], changed: set[str], inside: Mapping[str, str]
) -> dict[str, Box]:
    """The open blocks, those around something that moved drawn anew about all that they hold."""
    frames = dict(placement.frames)
    around: set[str] = set()
    for key in changed:
        path = inside.get(key)
        while path is not None:
            around.add(path)
            path = inside.get(path)
    held: dict[str, list[str]] = {}
    for key in (*boxes, *frames):
        if key in inside:
            held.setdefault(inside[key], []).append(key)
    # A block comes before those inside it, so from the innermost out.
    for path in reversed(list(frames)):
        if path in around:
            parts = [boxes.get(key) or frames[key] for key in held[path]]
            left = min(part.x for part in parts) - FRAME_PADDING
            top = min(part.y for part in parts) - FRAME_PADDING - FRAME_HEADER
            right = max(part.right for part in parts) + FRAME_PADDING
            bottom = max(part.bottom for part in parts) + FRAME_PADDING
            frames[path] = Box(left, top, right - left, bottom - top)
    return frames


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
