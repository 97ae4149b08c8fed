"""Every network of the catalogue as it opens and with all blocks open: nothing overlaps, and wires keep out of the way.

The numbers that have no right value, crossings and length, are `tests/benchmarks/layout.py`'s to report.
"""

import pytest

from explorer.architecture import folding
from explorer.architecture.placement import Box, Placement, Point, Wire, place
from explorer.zoo import entries, entry
from tests.architecture.layout_quality import CARD, Quality, laid_out, measured
from tests.networks import branching, deep_chain

_SMALLEST_TITLE = 200
"""Pixels: a name, and the mark of blocks made alike."""


def _check(quality: Quality) -> None:
    assert not quality.overlaps
    assert not quality.spills
    assert not quality.through
    assert not quality.through_titles
    assert not quality.through_blocks
    assert not quality.slanted
    assert quality.jogs == 0
    assert quality.upward == 0


@pytest.mark.parametrize("name", [known.id for known in entries()])
def test_every_network_is_laid_out_well(name: str) -> None:
    network = entry(name).build()
    for folded in {folding.folded_by_default(network), frozenset[str]()}:
        shown, placement = laid_out(network, folded)
        quality = measured(placement, shown.inside)
        _check(quality)
        assert quality.shared == 0
        assert quality.crossings == 0, "the catalogue's networks can all be drawn without"
        assert all(title.width >= _SMALLEST_TITLE for title in placement.titles.values())


def test_blocks_with_several_ways_in_and_out_are_too() -> None:
    network = branching()
    for folded in ((), ("layer1",), ("layer1.0",), ("stem", "mixed"), ("aux",)):
        shown, placement = laid_out(network, folded)
        _check(measured(placement, shown.inside))


def test_equal_blocks_look_alike_and_stand_below_one_another() -> None:
    _shown, placement = laid_out(entry("resnet152").build(), ())
    first, second = (
        {key.removeprefix(path): box for key, box in placement.nodes.items() if key.startswith(path)}
        for path in ("layer3.7.", "layer3.21.")
    )
    assert first.keys() == second.keys()
    down = second["conv1"].y - first["conv1"].y
    assert all(second[key] == box._replace(y=box.y + down) for key, box in first.items())


def test_an_edit_in_one_block_leaves_the_others_as_they_are() -> None:
    network = deep_chain(30)
    sizes = {node.id: CARD for node in network}
    before = place(network, sizes)
    wider = place(network, {**sizes, "layer4.1": (640.0, 96.0)})
    gaps = [
        {a: placement.nodes[b].y - placement.nodes[a].bottom for a, b in zip(sizes, list(sizes)[1:], strict=False)}
        for placement in (before, wider)
    ]
    assert gaps[0] == gaps[1]


def test_the_measure_finds_what_is_wrong() -> None:
    nodes = {"a": Box(0, 0, 100, 50), "b": Box(90, 40, 100, 50), "c": Box(0, 200, 100, 50), "d": Box(300, 0, 100, 50)}
    frames, titles = {"f": Box(-20, -40, 150, 120)}, {"f": Box(-20, -40, 150, 32)}
    routes = {
        Wire("a", "c", 0): (Point(50, 50), Point(50, 200)),
        Wire("d", "c", 1): (Point(310, 50), Point(310, 150), Point(20, 150), Point(20, 200)),
        Wire("d", "b", 0): (Point(350, 50), Point(350, -20), Point(140, -20), Point(100, -20), Point(103, 40)),
        Wire("d", "c", 2): (Point(380, 50), Point(380, 60), Point(95, 60), Point(95, 200)),
    }
    placement = Placement(nodes=nodes, frames=frames, titles=titles, wires=routes, bounds=Box(-20, -40, 420, 290))
    found = measured(placement, {"a": "f"})
    assert found.overlaps == (("f", "b"), ("a", "b"))
    assert found.through == ((Wire("d", "c", 2), "b"),)
    assert found.through_titles == ((Wire("d", "b", 0), "f"),)
    assert set(found.through_blocks) == {(Wire("d", "b", 0), "f"), (Wire("d", "c", 2), "f")}
    assert found.slanted == (Wire("d", "b", 0),)
    assert found.jogs == 1
    assert found.upward == 1
    assert found.crossings == 1, "wires of one source part, they do not cross"
    assert found.shared == 0
    assert found.bends == 7
