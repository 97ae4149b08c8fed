"""Which block some nodes are, what lies in it, and where two blocks differ."""

from collections.abc import Callable

import pytest

from explorer.architecture import Architecture, edits
from explorer.architecture.block_view import block_of, differences, parts
from explorer.architecture.forms import Forms
from explorer.architecture.grouping import identical_blocks
from explorer.architecture.likeness import likenesses
from explorer.layers import ReLU
from explorer.zoo import entry


@pytest.fixture(scope="module")
def resnet() -> Architecture:
    return entry("resnet50").build()


def within(architecture: Architecture, path: str) -> list[str]:
    return [node.id for node in architecture if node.id.startswith(f"{path}.")]


def test_all_nodes_of_a_block_are_it_and_fewer_or_more_are_none(resnet: Architecture) -> None:
    for block in resnet.blocks:
        found = block_of(resnet, reversed(within(resnet, block.path)))
        assert found is not None
        assert within(resnet, found.path) == within(resnet, block.path)
    third = within(resnet, "layer3")
    assert block_of(resnet, third[1:]) is None
    assert block_of(resnet, [*third, "conv1"]) is None
    assert block_of(resnet, [*third[1:], "conv1"]) is None
    assert block_of(resnet, []) is None


def test_parts_are_counted_by_their_most_frequent_kind(resnet: Architecture) -> None:
    assert parts(resnet, "layer3") == (6, "bottleneck")
    assert parts(resnet, "layer3.1") is None


def test_equal_blocks_differ_nowhere_and_others_where_they_do(resnet: Architecture) -> None:
    assert differences(resnet, "layer3.2", "layer3.1") == ()
    found = {d.name: d for d in differences(resnet, "layer3.0", "layer3.1")}
    assert found["conv2"].own == resnet["layer3.0.conv2"]
    assert found["conv2"].other == resnet["layer3.1.conv2"]
    only_here = {name for name, d in found.items() if d.other is None}
    assert only_here == {i.removeprefix("layer3.0.") for i in within(resnet, "layer3.0") if "downsample" in i}
    back = {d.name: d for d in differences(resnet, "layer3.1", "layer3.0")}
    assert {name for name, d in back.items() if d.own is None} == only_here


def test_other_wires_are_a_difference(resnet: Architecture) -> None:
    new = edits.insert_after(resnet, "layer3.2.bn1", ReLU())
    added = next(node.id for node in new if node.id not in {n.id for n in resnet})
    names = [d.name for d in differences(new, "layer3.2", "layer3.1")]
    assert added.removeprefix("layer3.2.") in names
    readers = [reader.removeprefix("layer3.2.") for reader in new.consumers(added)]
    assert set(readers) <= set(names)


def test_what_is_kept_over_edits_is_what_would_be_found_anew(resnet: Architecture) -> None:
    forms, architecture = Forms(), resnet
    steps: tuple[Callable[[Architecture], Architecture], ...] = (
        lambda a: edits.set_value(a, "layer3.2.conv1", "bias", True),
        lambda a: edits.set_value(a, "layer3.3.conv1", "bias", True),
        lambda a: edits.set_value(a, "layer3.2.conv1", "bias", False),
        lambda a: edits.insert_after(a, "layer1.1.bn1", ReLU()),
        lambda a: edits.set_outputs(a, ["fc", "layer2.1.conv1"]),
        lambda a: edits.set_value(a, "layer3.3.conv1", "bias", False),
    )
    for step in steps:
        architecture = step(architecture)
        assert forms.alike(architecture) == identical_blocks(architecture)
        assert likenesses(architecture, forms) == likenesses(architecture)
