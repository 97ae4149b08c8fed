"""Figures in columns: nothing overlaps, every wire still runs from its source to its target, and it fits the page."""

from dataclasses import replace
from itertools import combinations

import pytest

from explorer.architecture.placement import Box, Placement, Wire, lay_out
from explorer.canvas.figure import FIT_PAGE, PAGE_MM, Figure, FigureError, FigureOptions, figure, folded
from explorer.canvas.figure_columns import in_columns
from explorer.inference import infer
from explorer.zoo import entry
from tests.architecture.layout_quality import Quality, measured

pytestmark = pytest.mark.usefixtures("qapp")


def _figure(network: str, depth: str, columns: int, width_mm: float | None = None) -> Figure:
    architecture = entry(network).build()
    options = FigureOptions(shapes=True, counts=True, columns=columns, width_mm=width_mm, is_transparent=False)
    return figure(architecture, infer(architecture), folded(architecture, depth), options)


def _quality(placement: Placement) -> Quality:
    """Of cards and wires; blocks, which may have several boxes, are looked at apart."""
    return measured(replace(placement, frames={}, titles={}), {})


def _check_wires(placement: Placement, before: Placement) -> None:
    found, known = _quality(placement), _quality(before)
    assert (found.overlaps, found.through, found.slanted) == ((), (), ())
    assert found.jogs == known.jogs
    assert found.crossings <= known.crossings
    assert placement.wires.keys() == before.wires.keys()
    bounds = placement.bounds
    for wire, points in placement.wires.items():
        source, target = placement.nodes[wire.source], placement.nodes[wire.target]
        assert points[0].y == source.bottom
        assert source.x <= points[0].x <= source.right
        assert points[-1].y == target.y
        assert target.x <= points[-1].x <= target.right
        assert all(bounds.x <= p.x <= bounds.right and bounds.y <= p.y <= bounds.bottom for p in points)


def _around(drawn: Figure, key: str) -> set[str]:
    """The open blocks that something lies in."""
    path = drawn.shown.inside.get(key)
    return set() if path is None else {path, *_around(drawn, path)}


def _holds(outer: Box, inner: Box) -> bool:
    return outer.x <= inner.x and inner.right <= outer.right and outer.y <= inner.y and inner.bottom <= outer.bottom


@pytest.mark.parametrize(
    ("network", "depth", "columns"),
    [
        ("alexnet", "auto", 2),
        ("alexnet", "none", 7),
        ("vgg16", "none", 3),
        ("googlenet", "auto", 3),
        ("googlenet", "none", 5),
        ("resnet18", "none", 3),
        ("densenet121", "auto", 2),
        ("inception-v3", "none", 4),
    ],
)
def test_nothing_overlaps_and_every_wire_arrives(network: str, depth: str, columns: int) -> None:
    one, drawn = _figure(network, depth, 1), _figure(network, depth, columns)
    assert drawn.num_columns == columns
    assert drawn.height_mm < 1.3 * one.height_mm / columns
    _check_wires(drawn.placement, one.placement)
    boxes = drawn.placement.nodes
    for key, box in boxes.items():
        assert box[2:] == one.placement.nodes[key][2:], "a card keeps its size"
        assert all(any(_holds(part, box) for part in drawn.frames[path]) for path in _around(drawn, key))
    for path, parts in drawn.frames.items():
        assert not any(a.overlaps(b) for a, b in combinations(parts, 2))
        for part in parts:
            inside = {key for key, box in boxes.items() if box.overlaps(part)}
            assert all(path in _around(drawn, key) for key in inside), "no card lies over a block that is not its own"
            beside = [
                other
                for other in drawn.frames
                if other != path and other not in _around(drawn, path) and path not in _around(drawn, other)
            ]
            assert not any(part.overlaps(other) for key in beside for other in drawn.frames[key])


@pytest.mark.parametrize(("network", "depth"), [("alexnet", "auto"), ("googlenet", "auto"), ("vgg16", "none")])
def test_it_fits_a_page_with_letters_as_large_as_may_be(network: str, depth: str) -> None:
    one, drawn = _figure(network, depth, 1), _figure(network, depth, FIT_PAGE)
    width_mm, height_mm = PAGE_MM
    assert one.height_mm > height_mm
    assert drawn.num_columns == 2
    assert drawn.width_mm < width_mm + 1e-6
    assert drawn.height_mm < height_mm + 1e-6
    assert drawn.smallest_points > 5
    narrow = _figure(network, depth, FIT_PAGE, 85.0)
    assert narrow.width_mm < 85.0 + 1e-6
    assert narrow.height_mm < height_mm + 1e-6


def test_what_fits_as_it_is_stays_as_it_is() -> None:
    one, drawn = _figure("lenet5", "auto", 1), _figure("lenet5", "auto", FIT_PAGE)
    assert drawn.num_columns == 1
    assert drawn.placement == one.placement
    assert drawn.width_mm == pytest.approx(one.width_mm)


def test_an_impossible_number_is_refused() -> None:
    with pytest.raises(FigureError, match="columns received 13; use 1 to 12"):
        _figure("lenet5", "auto", 13)


@pytest.mark.parametrize("skips", [1, 3])
def test_wires_that_run_on_together_lie_apart_and_do_not_cross(skips: int) -> None:
    """Of a chain whose first items all feed its last, so that every cut takes some wires along."""
    last, sizes = 15, {f"n{i}": (160.0, 40.0) for i in range(16)}
    links = [Wire(f"n{i}", f"n{i + 1}", 0) for i in range(last)]
    links += [Wire(f"n{i}", f"n{last}", i + 1) for i in range(skips)]
    before = lay_out(sizes, links, {})
    found = in_columns(before, 4)
    assert found.count == 4
    _check_wires(found.placement, before)
    # Only where they did before, in the last gap.
    assert _quality(found.placement).shared == _quality(before).shared


def test_an_item_alone_cannot_be_cut() -> None:
    assert in_columns(lay_out({"a": (160.0, 40.0)}, (), {}), 3).count == 1
