"""Where items that are dragged may be put down: at the nearest place where they cover nothing and leave wires room.

Pure geometry over `placement`'s, beside `arranging`, which lets others make way for what was put somewhere before.
"""

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from explorer.architecture.arranging import framed, held
from explorer.architecture.placement import NODE_GAP, Box, Placement, Point

_CLEAR = 24
"""Pixels at least between what is put down and what is there: room for a wire and its arrowhead."""
_MOST_TRIES = 300


class _Level(NamedTuple):
    """What lies directly in one open block, or in none."""

    path: str
    moving: tuple[str, ...]
    """Items that are dragged."""
    changing: tuple[str, ...]
    """Open blocks that hold some of those."""
    still: tuple[Box, ...]


class Landing:
    """The places for some items that are dragged together."""

    def __init__(self, placement: Placement, keys: Iterable[str], inside: Mapping[str, str]) -> None:
        """Look at what is around.

        Args:
            placement: where all else is.
            keys: the dragged ones, by which it has them too.
            inside: as `arranged` takes it.
        """
        self._boxes = {key: placement.nodes[key] for key in keys}
        changing: set[str] = set()
        for key in self._boxes:
            path = inside.get(key, "")
            while path:
                changing.add(path)
                path = inside.get(path, "")
        lying = held(placement, inside)
        own = self._boxes.keys() | changing
        # A block comes before those inside it; here the innermost is looked at first.
        self._levels = [
            _Level(
                path,
                tuple(key for key in lying[path] if key in self._boxes),
                tuple(key for key in lying[path] if key in changing),
                tuple(placement.nodes.get(key) or placement.frames[key] for key in lying[path] if key not in own),
            )
            for path in (*reversed(list(placement.frames)), "")
            if path in changing or not path
        ]

    def nearest(self, by: Point) -> Point:
        """The shift nearest to a wanted one at which nothing is covered, in whole pixels.

        Where many tries find none, it is the wanted one: what is covered then makes way.
        """
        wanted = Point(round(by.x), round(by.y))
        heap = [(0.0, wanted)]
        seen = {wanted}
        for _ in range(_MOST_TRIES):
            if not heap:
                break
            _, shift = heapq.heappop(heap)
            met = self._first_met(shift)
            if met is None:
                return shift
            for way in _ways_off(*met):
                there = Point(shift.x + way.x, shift.y + way.y)
                if there not in seen:
                    seen.add(there)
                    heapq.heappush(heap, (math.hypot(there.x - wanted.x, there.y - wanted.y), there))
        return wanted

    def _first_met(self, shift: Point) -> tuple[Box, Box] | None:
        """What would lie over what, if anything: a dragged item or a block that grows with it, and what is there."""
        frames: dict[str, Box] = {}
        for level in self._levels:
            moving = [_shifted(self._boxes[key], shift) for key in level.moving]
            changing = [frames[path] for path in level.changing]
            met = next(_met(moving, (*level.still, *changing)), None) or next(_met(changing, level.still), None)
            if met is None:
                met = next((pair for i, box in enumerate(changing) for pair in _met([box], changing[:i])), None)
            if met is not None:
                return met
            if level.path:
                frames[level.path] = framed((*moving, *changing, *level.still))
        return None


def _met(boxes: Sequence[Box], others: Sequence[Box]) -> Iterator[tuple[Box, Box]]:
    wide = [Box(box.x - _CLEAR, box.y - _CLEAR, box.width + 2 * _CLEAR, box.height + 2 * _CLEAR) for box in boxes]
    return ((box, other) for box, around in zip(boxes, wide, strict=True) for other in others if around.overlaps(other))


def _shifted(box: Box, by: Point) -> Box:
    return Box(box.x + by.x, box.y + by.y, box.width, box.height)


def _ways_off(box: Box, other: Box) -> tuple[Point, ...]:
    """The shifts in whole pixels that take a box off another, to each side."""
    return (
        Point(math.ceil(other.right + NODE_GAP - box.x), 0),
        Point(math.floor(other.x - NODE_GAP - box.right), 0),
        Point(0, math.ceil(other.bottom + NODE_GAP - box.y)),
        Point(0, math.floor(other.y - NODE_GAP - box.bottom)),
    )
