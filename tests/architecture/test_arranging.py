"""Items where a hand has put them: they stay, nothing overlaps, wires end at their items and pass through none."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.architecture import Architecture
from explorer.architecture.arranging import arranged
from explorer.architecture.folding import shown
from explorer.architecture.landing import Landing
from explorer.architecture.placement import FRAME_HEADER, Box, Placement, Point, lay_out
from explorer.zoo import entry

SIZE = (300.0, 56.0)


def _placed(architecture: Architecture, folded: set[str]) -> tuple[Placement, dict[str, str]]:
    drawn = shown(architecture, folded, "")
    sizes = dict.fromkeys(drawn.items, SIZE)
    return lay_out(sizes, drawn.links, drawn.inside, drawn.frames), dict(drawn.inside)


GOOGLENET = _placed(entry("googlenet").build(), {b.path for b in entry("googlenet").build().blocks})
RESNET = _placed(entry("resnet18").build(), {f"layer{i}" for i in (2, 3, 4)})


def _check(placement: Placement, inside: dict[str, str]) -> None:
    for (a, box), (b, other) in combinations(placement.nodes.items(), 2):
        assert not box.overlaps(other), (a, b)
    for key, box in (*placement.nodes.items(), *placement.frames.items()):
        if key in inside:
            assert _holds(placement.frames[inside[key]], box), key
        for path, frame in placement.frames.items():
            header = Box(frame.x, frame.y, frame.width, FRAME_HEADER)
            assert key == path or not box.overlaps(header) or path.startswith(f"{key}."), (key, path)
            is_around = key == path or path in _around(inside, key) or key in _around(inside, path)
            assert is_around or not box.overlaps(frame), (key, path)
    for wire, points in placement.wires.items():
        source, target = placement.nodes[wire.source], placement.nodes[wire.target]
        assert points[0].y == source.bottom
        assert source.x <= points[0].x <= source.right
        assert points[-1].y == target.y
        assert target.x <= points[-1].x <= target.right
        assert all(a.x == b.x or a.y == b.y for a, b in pairwise(points)), "upright and level by turns"
        assert points[1].y >= points[0].y, "it leaves downwards"
        assert points[-2].y <= points[-1].y, "it arrives from above"


def _around(inside: dict[str, str], key: str) -> list[str]:
    found = []
    while key in inside:
        key = inside[key]
        found.append(key)
    return found


def _holds(frame: Box, box: Box) -> bool:
    return frame.x <= box.x and box.right <= frame.right and frame.y <= box.y and box.bottom <= frame.bottom


def test_without_moves_it_is_the_layout_itself() -> None:
    placement, inside = GOOGLENET
    assert arranged(placement, {}, inside) is placement
    assert arranged(placement, {"gone": Point(0, 0)}, inside) is placement


def test_what_nothing_touches_stays_the_same() -> None:
    placement, inside = RESNET
    first = next(iter(placement.nodes))
    box = placement.nodes[first]
    result = arranged(placement, {first: Point(box.x - 500, box.y)}, inside)
    assert result.nodes[first] == box._replace(x=box.x - 500)
    assert {k: b for k, b in result.nodes.items() if k != first} == {
        k: b for k, b in placement.nodes.items() if k != first
    }
    ends = {w for w in placement.wires if first in (w.source, w.target)}
    assert all(result.wires[w] is placement.wires[w] for w in placement.wires if w not in ends)
    _check(result, inside)


@pytest.mark.parametrize("network", [GOOGLENET, RESNET], ids=["googlenet", "resnet18"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_anything_anywhere(network: tuple[Placement, dict[str, str]], data: st.DataObject) -> None:
    placement, inside = network
    keys = data.draw(st.lists(st.sampled_from(sorted(placement.nodes)), min_size=1, max_size=4, unique=True))
    moved = {}
    for key in keys:
        box = placement.nodes[key]
        dx, dy = data.draw(st.integers(-700, 700)), data.draw(st.integers(-700, 700))
        moved[key] = Point(box.x + dx, box.y + dy)
    result = arranged(placement, moved, inside)
    assert result.nodes[keys[0]][:2] == moved[keys[0]], "what was put first stays there whatever comes after"
    _check(result, inside)


@pytest.mark.parametrize("network", [GOOGLENET, RESNET], ids=["googlenet", "resnet18"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_lands_covers_nothing_and_nothing_makes_way(
    network: tuple[Placement, dict[str, str]], data: st.DataObject
) -> None:
    placement, inside = network
    keys = data.draw(st.lists(st.sampled_from(sorted(placement.nodes)), min_size=1, max_size=3, unique=True))
    wish = Point(data.draw(st.integers(-900, 900)), data.draw(st.integers(-900, 900)))
    by = Landing(placement, keys, inside).nearest(wish)
    there = {key: Point(placement.nodes[key].x + by.x, placement.nodes[key].y + by.y) for key in keys}
    result = arranged(placement, there, inside)
    assert {key: box[:2] for key, box in result.nodes.items()} == {
        key: there.get(key, box[:2]) for key, box in placement.nodes.items()
    }
    _check(result, inside)
    assert Landing(placement, keys, inside).nearest(by) == by, "where it is free, it goes where it is wanted"


def test_a_card_dropped_on_another_lands_beside_it() -> None:
    placement, inside = RESNET
    first, second = list(placement.nodes)[:2]
    box, other = placement.nodes[first], placement.nodes[second]
    by = Landing(placement, [first], inside).nearest(Point(other.x + 10 - box.x, other.y - 5 - box.y))
    there = box._replace(x=box.x + by.x, y=box.y + by.y)
    assert not there.overlaps(other)
    assert max(abs(there.centre.x - other.centre.x) / 300, abs(there.centre.y - other.centre.y) / 56) < 2


def test_a_wire_goes_around_what_stands_between() -> None:
    placement, inside = RESNET
    first, second = list(placement.nodes)[:2]
    box = placement.nodes[second]
    # The first goes far below: its wire has to come back up beside all that lies between.
    result = arranged(placement, {first: Point(box.x, placement.bounds.bottom + 100)}, inside)
    _check(result, inside)
    (points,) = (points for wire, points in result.wires.items() if wire.source == first)
    for key, other in result.nodes.items():
        for a, b in pairwise(points):
            passes = min(a.x, b.x) < other.right and max(a.x, b.x) > other.x
            passes = passes and min(a.y, b.y) < other.bottom and max(a.y, b.y) > other.y
            assert not passes, key
