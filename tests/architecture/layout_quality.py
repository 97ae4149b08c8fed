"""How good a placement is, in numbers: what crosses, what overlaps, what a wire runs through, how long wires are.

Plain geometry on boxes and corners, apart from the engine that made them. Blocks count with their borders and titles.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from explorer.architecture import Architecture, folding
from explorer.architecture.folding import Shown
from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point, Wire, lay_out

CARD = (480.0, 64.0)
"""About a card's size, in pixels."""
_BAND = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What was found."""

    num_items: int
    overlaps: tuple[tuple[str, str], ...]
    """Pairs of items, of items and open blocks that do not hold them, and of open blocks side by side, that overlap."""
    spills: tuple[tuple[str, str], ...]
    """Items and open blocks that are not wholly inside the open block around them, below its header, with that one."""
    through: tuple[tuple[Wire, str], ...]
    """Wires that pass through an item which is not their end."""
    through_titles: tuple[tuple[Wire, str], ...]
    """Wires that pass through the words of an open block."""
    through_blocks: tuple[tuple[Wire, str], ...]
    """Wires that pass through an open block which holds neither of their ends."""
    slanted: tuple[Wire, ...]
    """Wires that are not horizontal and vertical by turns."""
    jogs: int
    """Steps aside of less than 8 pixels, which look like a mistake."""
    upward: int
    """Wires that arrive higher than they leave."""
    shared: float
    """Pixels along which wires from different sources lie on one another."""
    crossings: int
    """Places where wires of different sources cross."""
    length: float
    """Of all wires, in pixels."""
    bends: int


def laid_out(architecture: Architecture, folded: Iterable[str]) -> tuple[Shown, Placement]:
    """A network's drawing with some blocks folded, each item as large as a card."""
    shown = folding.shown(architecture, frozenset(folded))
    sizes = dict.fromkeys(shown.items, CARD)
    return shown, lay_out(sizes, shown.links, shown.inside, shown.frames)


def measured(placement: Placement, inside: Mapping[str, str]) -> Quality:
    """Look at a placement.

    Args:
        inside: the open block around each item and open block; those at the top are left out.
    """
    around = {key: tuple(_around(key, inside)) for key in (*placement.nodes, *placement.frames)}
    boxes = {**placement.frames, **placement.nodes}
    overlaps = tuple(
        (a, b) for a, b in _close(boxes) if a not in around[b] and b not in around[a] and boxes[a].overlaps(boxes[b])
    )
    spills = tuple((key, inside[key]) for key in boxes if key in inside and not _holds(boxes[inside[key]], boxes[key]))
    # Not the last pixels: a wire that comes in may run along the end of the room.
    titles = {path: Box(box.x + 4, box.y, box.width - 8, box.height) for path, box in placement.titles.items()}
    through, through_titles, through_blocks = [], [], []
    stretches = [(wire, *line) for wire, points in placement.wires.items() for line in pairwise(points)]
    for wire, key in _crossed(stretches, placement.nodes):
        if key not in (wire.source, wire.target):
            through.append((wire, key))
    for wire, path in _crossed(stretches, titles):
        through_titles.append((wire, path))
    for wire, path in _crossed(stretches, placement.frames):
        if path not in around[wire.source] and path not in around[wire.target]:
            through_blocks.append((wire, path))
    crossings, shared = _meetings(stretches)
    return Quality(
        num_items=len(placement.nodes),
        overlaps=overlaps,
        spills=spills,
        through=tuple(through),
        through_titles=tuple(through_titles),
        through_blocks=tuple(through_blocks),
        slanted=tuple(dict.fromkeys(wire for wire, a, b in stretches if a.x != b.x and a.y != b.y)),
        jogs=sum(0 < abs(a.x - b.x) < 8 or (a.x == b.x and a.y == b.y) for _wire, a, b in stretches),
        upward=sum(points[-1].y <= points[0].y for points in placement.wires.values()),
        shared=shared,
        crossings=crossings,
        length=sum(abs(b.x - a.x) + abs(b.y - a.y) for _wire, a, b in stretches),
        bends=sum(len(points) - 2 for points in placement.wires.values()),
    )


def _around(key: str, inside: Mapping[str, str]) -> Iterator[str]:
    while key in inside:
        key = inside[key]
        yield key


def _holds(frame: Box, box: Box) -> bool:
    return (
        frame.x <= box.x and box.right <= frame.right and frame.y + FRAME_HEADER <= box.y and box.bottom <= frame.bottom
    )


def _bands(top: float, bottom: float) -> range:
    return range(int(top // _BAND), int(bottom // _BAND) + 1)


def _close(boxes: Mapping[str, Box]) -> Iterator[tuple[str, str]]:
    """Pairs of boxes that share a horizontal band, each once."""
    seen = set()
    bands: defaultdict[int, list[str]] = defaultdict(list)
    for key, box in boxes.items():
        for band in _bands(box.y, box.bottom):
            for other in bands[band]:
                if (other, key) not in seen:
                    seen.add((other, key))
                    yield other, key
            bands[band].append(key)


def _crossed(stretches: Iterable[tuple[Wire, Point, Point]], boxes: Mapping[str, Box]) -> Iterable[tuple[Wire, str]]:
    """Which boxes a wire passes through the inside of, each pair once."""
    bands: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    for key, box in boxes.items():
        for band in _bands(box.y, box.bottom):
            bands[band].append((key, box))
    found: dict[tuple[Wire, str], None] = {}
    for wire, a, b in stretches:
        line = Box(min(a.x, b.x), min(a.y, b.y), abs(a.x - b.x), abs(a.y - b.y))
        for band in _bands(line.y, line.bottom):
            for key, box in bands.get(band, ()):
                if _meets(line.x, line.right, box.x, box.right) and _meets(line.y, line.bottom, box.y, box.bottom):
                    found[wire, key] = None
    return found


def _meets(start: float, end: float, low: float, high: float) -> bool:
    """Whether a stretch, which may be a point, and the inside of another share something."""
    return low < start < high or (start < high and low < end)


def _meetings(stretches: Iterable[tuple[Wire, Point, Point]]) -> tuple[int, float]:
    """Crossings of a vertical with a horizontal stretch, and the length that stretches of one direction share."""
    upright: dict[tuple[float, float, float], str] = {}
    level: dict[tuple[float, float, float], str] = {}
    for wire, a, b in stretches:
        # Wires of one source run together up to where they part: that is one line to the eye.
        if a.x == b.x and a.y != b.y:
            upright[a.x, min(a.y, b.y), max(a.y, b.y)] = wire.source
        elif a.x != b.x:
            level[a.y, min(a.x, b.x), max(a.x, b.x)] = wire.source
    shared = _shared(upright) + _shared(level)
    by_x = sorted(upright)
    xs = [key[0] for key in by_x]
    crossings = set()
    for (y, left, right), source in level.items():
        for x, top, bottom in by_x[bisect_right(xs, left) : bisect_left(xs, right)]:
            if top < y < bottom and upright[x, top, bottom] != source:
                crossings.add((x, y))
    return len(crossings), shared


def _shared(lines: Mapping[tuple[float, float, float], str]) -> float:
    by_place: defaultdict[float, list[tuple[float, float, str]]] = defaultdict(list)
    for (place, start, end), source in lines.items():
        by_place[place].append((start, end, source))
    total = 0.0
    for along in by_place.values():
        along.sort()
        for number, (start, end, source) in enumerate(along):
            for other_start, other_end, other in along[number + 1 :]:
                if other_start >= end:
                    break
                if other != source:
                    total += min(end, other_end) - max(start, other_start)
    return total
