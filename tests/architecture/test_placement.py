"""Placement: nothing overlaps, wires are orthogonal and end on their nodes, chains are straight, always the same."""

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.architecture import Architecture, Node, edits
from explorer.architecture.placement import FRAME_HEADER, NODE_GAP, Placement, Wire, lay_out, place
from explorer.layers import Add, Input, ReLU
from explorer.zoo import entry

SIZE = (480.0, 64.0)


def _chain(length: int) -> Architecture:
    nodes = [Node(id="input", layer=Input(), inputs=())]
    for number in range(1, length):
        nodes.append(Node(id=f"relu{number}", layer=ReLU(), inputs=(nodes[-1].id,)))
    return Architecture(name="chain", nodes=tuple(nodes), outputs=(nodes[-1].id,))


def _placed(architecture: Architecture) -> Placement:
    return place(architecture, {node.id: SIZE for node in architecture})


@st.composite
def networks(draw: st.DrawFn) -> Architecture:
    """Networks of chains, branches and joins, also with one node read twice by a merge."""
    nodes = [Node(id="input", layer=Input(), inputs=())]
    for number in range(draw(st.integers(0, 14))):
        sources = draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=3))
        inputs = tuple(nodes[source].id for source in sources)
        nodes.append(Node(id=f"n{number}", layer=ReLU() if len(inputs) == 1 else Add(), inputs=inputs))
    return Architecture(name="random", nodes=tuple(nodes), outputs=(nodes[-1].id,))


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_nothing_overlaps_and_wires_are_orthogonal(architecture: Architecture, data: st.DataObject) -> None:
    heights = st.sampled_from((48.0, 64.0, 96.0))
    sizes = {node.id: (480.0, data.draw(heights)) for node in architecture}
    placement = place(architecture, sizes)
    assert not [pair for pair in combinations(placement.nodes.values(), 2) if pair[0].overlaps(pair[1])]
    assert len(placement.wires) == sum(len(node.inputs) for node in architecture)
    for wire, points in placement.wires.items():
        source, target = placement.nodes[wire.source], placement.nodes[wire.target]
        assert points[0].y == source.bottom
        assert source.x <= points[0].x <= source.right
        assert points[-1].y == target.y
        assert target.x <= points[-1].x <= target.right
        assert all(a.x == b.x or a.y == b.y for a, b in pairwise(points))
    for node in architecture:
        for source_id in node.inputs:
            assert placement.nodes[source_id].bottom < placement.nodes[node.id].y, "it flows from top to bottom"


def test_a_chain_is_a_straight_line_with_even_gaps() -> None:
    placement = _placed(_chain(40))
    boxes = list(placement.nodes.values())
    assert len({box.x for box in boxes}) == 1
    assert {below.y - above.bottom for above, below in pairwise(boxes)} == {NODE_GAP}
    assert all(len(points) == 2 and points[0].x == points[1].x for points in placement.wires.values())


def test_it_is_the_same_every_time_and_whole_pixels() -> None:
    network = entry("lenet5-max").build()
    first, second = _placed(network), _placed(network)
    assert first == second
    assert all(value == int(value) for box in first.nodes.values() for value in box)


def test_values_are_no_part_of_it() -> None:
    network = entry("lenet5").build()
    other = edits.set_value(network, "conv1", "out_channels", 512)
    assert _placed(network) == _placed(other)


def test_bounds_hold_everything() -> None:
    nodes = _chain(6).nodes
    skip = Node(id="add", layer=Add(), inputs=(nodes[1].id, nodes[-1].id))
    placement = _placed(Architecture(name="skip", nodes=(*nodes, skip), outputs=("add",)))
    bounds = placement.bounds
    for x, y in [point for points in placement.wires.values() for point in points]:
        assert bounds.x <= x <= bounds.right
        assert bounds.y <= y <= bounds.bottom
    assert bounds.width > placement.nodes["add"].width, "the skip runs beside the chain"


def test_a_block_that_feeds_itself_from_outside_still_has_a_place() -> None:
    # Folded, a block with a layer between two of its own is read by that layer and reads it.
    links = [Wire("in", "block", 0), Wire("block", "between", 0), Wire("between", "block", 1), Wire("block", "out", 0)]
    placement = lay_out(dict.fromkeys(("in", "block", "between", "out"), SIZE), links, {})
    assert not [pair for pair in combinations(placement.nodes.values(), 2) if pair[0].overlaps(pair[1])]
    assert set(placement.wires) == set(links)
    inside = {"a": "block", "b": "block"}
    links = [Wire("in", "a", 0), Wire("a", "between", 0), Wire("between", "b", 0)]
    placement = lay_out(dict.fromkeys(("in", "a", "between", "b"), SIZE), links, inside, ["block"])
    assert not placement.frames["block"].overlaps(placement.nodes["between"])
    assert not [pair for pair in combinations(placement.nodes.values(), 2) if pair[0].overlaps(pair[1])]


def test_a_frame_has_room_for_its_title() -> None:
    links = [Wire("in", "a", 0), Wire("a", "b", 0)]
    placement = lay_out(dict.fromkeys(("in", "a", "b"), SIZE), links, {"a": "block", "b": "block"}, ["block"])
    frame = placement.frames["block"]
    assert frame.y + FRAME_HEADER <= placement.nodes["a"].y
    assert placement.bounds.bottom == frame.bottom
