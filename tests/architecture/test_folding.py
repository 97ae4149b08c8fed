"""What is shown of a folded network: every node once, every connection once, by an own count from ids and inputs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.architecture import grouping
from explorer.architecture.folding import (
    MANY_NODES,
    blocks_around,
    folded_by_default,
    followed,
    shown,
)
from explorer.architecture.placement import Placement, Wire, lay_out
from explorer.zoo import entries, entry
from explorer.zoo.blocks import block_entry

NETWORKS = ("googlenet", "resnet50", "densenet121", "mobilenet-v2", "efficientnet-b0", "inception-v3")


def _holder(node_id: str, folded: set[str], declared: set[str]) -> str:
    parts = node_id.split(".")
    paths = [".".join(parts[:count]) for count in range(1, len(parts))]
    return next((path for path in paths if path in folded and path in declared), node_id)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NETWORKS), st.data())
def test_every_node_and_connection_is_shown_once(network_id: str, data: st.DataObject) -> None:
    network = entry(network_id).build()
    declared = {block.path for block in network.blocks}
    folded = set(data.draw(st.lists(st.sampled_from(sorted(declared)), unique=True)))
    found = shown(network, folded)
    holders = {node.id: _holder(node.id, folded, declared) for node in network}
    assert found.holders == holders
    assert list(found.items) == list(dict.fromkeys(holders[node.id] for node in network))
    for path, ids in found.folded.items():
        assert list(ids) == [node.id for node in network if node.id.startswith(f"{path}.")]
    connections = [
        Wire(source, node.id, port)
        for node in network
        for port, source in enumerate(node.inputs)
        if holders[source] != holders[node.id]
    ]
    assert sorted(c for stands_for in found.links.values() for c in stands_for) == sorted(connections)
    for link, stands_for in found.links.items():
        assert {(holders[c.source], holders[c.target]) for c in stands_for} == {(link.source, link.target)}
    between = [link for link in found.links if link.source in found.folded or link.target in found.folded]
    assert len({link[:2] for link in between}) == len(between), "drawn once between the same two"
    for item in found.items:
        around = [path for path in declared if item.startswith(f"{path}.")]
        assert found.inside.get(item, "") == max(around, key=len, default="")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(NETWORKS), st.data())
def test_frames_hold_what_lies_in_them_and_nothing_else(network_id: str, data: st.DataObject) -> None:
    network = entry(network_id).build()
    opened = data.draw(st.sets(st.sampled_from([block.path for block in network.blocks]), max_size=12))
    found = shown(network, folded_by_default(network) - opened)
    placement = lay_out(dict.fromkeys(found.items, (480.0, 64.0)), found.links, found.inside, found.frames)
    _check_frames(placement, set(found.items))


def _check_frames(placement: Placement, items: set[str]) -> None:
    for path, frame in placement.frames.items():
        for key, box in (*placement.nodes.items(), *placement.frames.items()):
            if key.startswith(f"{path}."):
                assert frame.x < box.x < box.right < frame.right
                assert frame.y < box.y < box.bottom < frame.bottom
            elif key != path and not path.startswith(f"{key}."):
                assert not frame.overlaps(box), f"{key} lies in {path}"
    assert set(placement.nodes) == items


def test_a_small_network_is_open_and_a_large_one_an_overview() -> None:
    small = entry("vgg16").build()
    assert small.blocks
    assert shown(small, folded_by_default(small)).items == tuple(node.id for node in small)
    resnet = entry("resnet152").build()
    found = shown(resnet, folded_by_default(resnet))
    assert [item for item in found.items if item in found.folded] == ["layer1", "layer2", "layer3", "layer4"]
    opened = shown(resnet, folded_by_default(resnet) - {"layer3"})
    assert opened.frames == ("layer3",)
    assert [item for item in opened.items if item.startswith("layer3.")] == [f"layer3.{n}" for n in range(36)]


def test_a_block_that_is_nearly_all_of_the_network_is_open() -> None:
    densenet = entry("densenet121").build()
    found = shown(densenet, folded_by_default(densenet))
    assert found.frames == ("features",)
    assert "features.denseblock3" in found.folded


@pytest.mark.parametrize("network_id", [e.id for e in entries()])
def test_every_network_of_the_catalogue_opens_as_an_overview(network_id: str) -> None:
    network = entry(network_id).build()
    found = shown(network, folded_by_default(network))
    if network.blocks:
        assert len(found.items) <= MANY_NODES
    else:
        assert len(found.items) == len(network)


def test_what_was_seen_keeps_its_state_and_what_is_new_follows_the_default() -> None:
    network = entry("resnet50").build()
    states = dict(followed({}, network))
    assert states == {block.path: True for block in network.blocks}
    states["layer1"] = False
    grown = grouping.repeat(network, "layer1.1", 2)
    after = followed(states, grown)
    assert not after["layer1"]
    assert {path for path in after if path not in states} == {
        block.path for block in grown.blocks if block.path not in states
    }
    assert all(after[path] for path in after if path not in states)
    assert followed(after, network)["layer1"] is False


def test_a_new_block_is_folded_as_the_one_that_it_is_made_like() -> None:
    network = block_entry("residual").insert(entry("lenet5").build(), "conv1")
    (path,) = (block.path for block in network.blocks)
    grown = grouping.repeat(network, path, 1)
    (new,) = (block.path for block in grown.blocks if block.path != path)
    equals = {path: (path, new), new: (path, new)}
    for folded in (True, False):
        assert followed({path: folded}, grown, equals)[new] is folded
    assert followed({path: True}, grown)[new] is False


def test_blocks_around_leave_out_what_is_not_declared() -> None:
    network = entry("mobilenet-v2").build()
    node_id = next(node.id for node in network if node.id.startswith("features.3.conv.0."))
    assert blocks_around(network, node_id) == ("features", "features.3", "features.3.conv.0")
    assert blocks_around(network, "features") == ()


def test_a_block_alone_stands_with_what_it_reads_and_what_reads_it() -> None:
    network = entry("resnet50").build()
    found = shown(network, folded_by_default(network), scope="layer3.0")
    inner = {node.id for node in network if node.id.startswith("layer3.0.")}
    assert found.items[0] == "layer2"
    assert found.items[-1] == "layer3.1"
    assert len(found.folded["layer2"]) == sum(node.id.startswith("layer2.") for node in network)
    assert found.frames == ("layer3.0",)
    assert {i for i in found.holders if i.startswith("layer3.0.")} == inner
    assert all("layer3.0" in (c.source[:8], c.target[:8]) for cs in found.links.values() for c in cs)
