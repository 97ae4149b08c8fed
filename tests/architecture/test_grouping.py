"""Blocks: grouped, taken apart, renamed, repeated; and which of them are made alike."""

from collections.abc import Iterator

import pytest

from explorer import zoo
from explorer.architecture import Architecture, Block, EditRefused, edits
from explorer.architecture.grouping import (
    group,
    identical_blocks,
    rename_block,
    repeat,
    repeat_refusal,
    set_kind,
    ungroup,
)
from explorer.architecture.shapes import output_shapes
from explorer.inference import infer
from explorer.layers import ReLU
from tests.networks import branching


def _ids(architecture: Architecture, path: str) -> list[str]:
    return [node.id for node in architecture if node.id.startswith(f"{path}.")]


def _wiring(architecture: Architecture) -> list[tuple[object, list[int]]]:
    """The network without its names."""
    sources = architecture.structure.sources
    return [(node.layer, list(read)) for node, read in zip(architecture, sources, strict=True)]


def test_a_group_renames_what_it_holds() -> None:
    alexnet = zoo.entry("alexnet").build()
    stem = group(alexnet, ["conv1", "relu1", "norm1", "pool1"], "stem", "stem")
    assert _ids(stem, "stem") == ["stem.conv1", "stem.relu1", "stem.norm1", "stem.pool1"]
    assert stem.blocks == (Block(path="stem", kind="stem"),)
    assert stem["conv2"].inputs == ("stem.pool1",)
    assert _wiring(stem) == _wiring(alexnet)
    assert ungroup(stem, "stem") == alexnet


def test_blocks_that_are_whole_move_inside() -> None:
    resnet = zoo.entry("resnet18").build()
    body = group(resnet, _ids(resnet, "layer1") + _ids(resnet, "layer2"), "body", "body")
    assert "body.layer2.0.downsample" in {block.path for block in body.blocks}
    assert infer(body).totals == infer(resnet).totals
    again = ungroup(body, "body")
    assert again == resnet
    pair = group(resnet, _ids(resnet, "layer1"), "both")
    assert pair["both.layer1.0.conv1"].layer == resnet["layer1.0.conv1"].layer


def test_groups_lie_in_the_block_around() -> None:
    resnet = zoo.entry("resnet18").build()
    inner = group(resnet, ["layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu1"], "unit", "unit")
    assert Block(path="layer1.0.unit", kind="unit") in inner.blocks
    assert ungroup(inner, "layer1.0.unit") == resnet


@pytest.mark.parametrize(
    ("node_ids", "name", "why"),
    [
        ([], "stem", "nothing is selected"),
        (["input", "conv1"], "stem", "input is the network's input"),
        (["conv9"], "stem", "'conv9' is not in"),
        (["conv1", "bn1"], "layer1", "layer1 is there already"),
        (["conv1", "bn1"], "a.b", "'a.b' holds a dot"),
        (["conv1", "bn1"], "a b", "'a b.conv1' is no id"),
        (["conv1", "relu"], "stem", "bn1 lies between the layers"),
        (["maxpool", "layer1.0.conv1"], "stem", r"layer1\.0 would be cut in two; take layer1\.0\.bn1 with it"),
    ],
)
def test_what_cannot_be_grouped_says_why(node_ids: list[str], name: str, why: str) -> None:
    resnet = zoo.entry("resnet18").build()
    with pytest.raises(EditRefused, match=why):
        group(resnet, node_ids, name)


def test_taken_names_keep_their_blocks_before_them() -> None:
    resnet = zoo.entry("resnet18").build()
    first = ungroup(resnet, "layer1.0")
    assert "layer1.conv1" in first
    second = ungroup(first, "layer1.1")
    assert second["layer1.1_conv1"].inputs == ("layer1.relu",)
    assert {block.path for block in second.blocks if block.path.startswith("layer1")} == {"layer1"}
    assert _wiring(second) == _wiring(resnet)
    with pytest.raises(EditRefused, match="'layer9' is no block"):
        ungroup(resnet, "layer9")


def test_renaming_reaches_all_that_lies_inside() -> None:
    resnet = zoo.entry("resnet18").build()
    renamed = rename_block(resnet, "layer2", "second")
    assert "second.0.downsample.0" in renamed
    assert Block(path="second.0.downsample", kind="projection") in renamed.blocks
    assert not _ids(renamed, "layer2")
    assert rename_block(renamed, "second", "layer2") == resnet
    assert rename_block(resnet, "layer2", "layer2") is resnet
    with pytest.raises(EditRefused, match="layer3 is there already"):
        rename_block(resnet, "layer2", "layer3")
    with pytest.raises(EditRefused, match="conv1 is there already"):
        rename_block(resnet, "layer2", "conv1")


def test_kinds_are_words() -> None:
    shuffle = zoo.entry("shufflenet-v2-1-0").build()
    assert Block(path="conv5", kind="head") in set_kind(shuffle, "conv5", "head").blocks
    changed = set_kind(shuffle, "stage2", "first stage")
    assert Block(path="stage2", kind="first stage") in changed.blocks
    assert len(changed.blocks) == len(shuffle.blocks)
    with pytest.raises(EditRefused, match="a block's kind is a word or more"):
        set_kind(shuffle, "stage2", " ")


def test_four_more_of_a_residual_block() -> None:
    """By hand: a bottleneck of 512, 128, 128 and 512 channels has 280,064 parameters."""
    resnet = zoo.entry("resnet50").build()
    more = repeat(resnet, "layer2.3", 4)
    assert [block.path for block in more.blocks if block not in resnet.blocks] == [f"layer2.{i}" for i in (4, 5, 6, 7)]
    for i in (4, 5, 6, 7):
        assert more[f"layer2.{i}.conv1"].inputs == (f"layer2.{i - 1}.relu",)
    assert more["layer3.0.conv1"].inputs == ("layer2.7.relu",)
    added = infer(more).totals.num_parameters - infer(resnet).totals.num_parameters
    assert added == 4 * (512 * 128 + 128 * 128 * 9 + 128 * 512 + 2 * (128 + 128 + 512))
    assert not infer(more).errors


def test_depths_of_a_family_are_repetitions() -> None:
    """ResNet-34 is ResNet-18 with more of the same (He et al. 2015, table 1)."""
    grown = zoo.entry("resnet18").build()
    for stage, count in enumerate((1, 2, 4, 1), 1):
        grown = repeat(grown, f"layer{stage}.1", count)
    deeper = zoo.entry("resnet34").build()
    assert {(n.id, n.layer, n.inputs) for n in grown} == {(n.id, n.layer, n.inputs) for n in deeper}
    assert set(grown.blocks) == set(deeper.blocks)


def test_dense_layers_go_on_growing() -> None:
    densenet = zoo.entry("densenet121").build()
    more = repeat(densenet, "features.denseblock1.denselayer6", 2)
    shapes = output_shapes(more)
    assert shapes["features.denseblock1.denselayer8.concat"] == (256 + 2 * 32, 56, 56)
    assert not infer(more).errors


@pytest.mark.parametrize(
    ("network", "path", "why"),
    [
        (
            "resnet50",
            "layer2.0",
            r"512×28×28 of 256×56×56; a second one would make 512×14×14; repeat layer2\.3 instead",
        ),
        ("resnet50", "layer2", r"repeat layer2\.3 instead"),
        ("googlenet", "inception9", "'inception9' is no block"),
        ("densenet121", "features.transition1", "128×28×28 of 256×56×56"),
        ("inception-v3", "Mixed_7a", "1280×8×8 of 768×17×17; a second one would make 1792×3×3"),
        ("resnet18", "layer2.0.downsample", "layer2.0.downsample makes 128×28×28 of 64×56×56"),
    ],
)
def test_the_first_of_a_stage_is_not_repeated(network: str, path: str, why: str) -> None:
    net = zoo.entry(network).build()
    with pytest.raises(EditRefused, match=why):
        repeat(net, path, 1)


def test_what_cannot_stand_in_a_row_is_not_repeated() -> None:
    net = branching()
    assert repeat_refusal(net, "layer1.0") is None
    two_ends = edits.set_outputs(net, [*net.outputs, "layer1.0.conv1"])
    with pytest.raises(EditRefused, match=r"layer1\.0 reads 1 value and makes 2 values"):
        repeat(two_ends, "layer1.0", 1)
    broken = edits.set_value(net, "stem.conv", "in_channels", 5)
    with pytest.raises(EditRefused, match="mend the fault first"):
        repeat(broken, "layer1.0", 1)
    with pytest.raises(EditRefused, match="use at least 1"):
        repeat(net, "layer1.0", 0)
    # Dense layers before a convolution that is fixed to what arrives now.
    densenet = edits.set_value(zoo.entry("densenet121").build(), "features.transition1.conv", "in_channels", 256)
    with pytest.raises(EditRefused, match=r"features\.transition1\.conv does not take what would arrive"):
        repeat(densenet, "features.denseblock1.denselayer6", 1)


def test_identical_blocks_of_the_catalogue() -> None:
    resnet = identical_blocks(zoo.entry("resnet50").build())
    assert resnet == (
        ("layer1.1", "layer1.2"),
        ("layer2.1", "layer2.2", "layer2.3"),
        tuple(f"layer3.{i}" for i in range(1, 6)),
        ("layer4.1", "layer4.2"),
    )
    densenet = identical_blocks(zoo.entry("densenet121").build())
    assert [len(paths) for paths in densenet] == [6 + 12 + 24 + 16]
    assert identical_blocks(zoo.entry("googlenet").build()) == (("inception4e", "inception5a"),)
    assert identical_blocks(zoo.entry("vgg16").build()) == ()


def test_names_and_order_make_no_difference_but_values_do() -> None:
    resnet = zoo.entry("resnet18").build()
    same = ("layer1.0", "layer1.1")
    assert same in identical_blocks(resnet)
    renamed = edits.rename(resnet, "layer1.1.conv1", "layer1.1.first")
    assert same in identical_blocks(edits.set_frozen(renamed, ["layer1.1.first"], True))
    assert same not in identical_blocks(edits.set_value(resnet, "layer1.1.conv1", "bias", True))
    assert same not in identical_blocks(edits.insert_after(resnet, "layer1.1.bn1", ReLU()))
    swapped = edits.connect(
        edits.connect(resnet, "layer1.0.relu", "layer1.1.add", 0), "layer1.1.bn2", "layer1.1.add", 1
    )
    assert same not in identical_blocks(swapped)
    assert same not in identical_blocks(edits.set_outputs(resnet, ["fc", "layer1.1.conv1"]))


def test_the_order_of_branches_in_the_file_makes_no_difference() -> None:
    net = zoo.entry("googlenet").build()
    nodes = list(net.nodes)
    first = next(i for i, node in enumerate(nodes) if node.id == "inception5a.conv1x1")
    # The 1×1 branch stands last of the four.
    branch = nodes[first : first + 2]
    end = next(i for i, node in enumerate(nodes) if node.id == "inception5a.concat")
    shuffled = Architecture(
        name=net.name,
        nodes=(*nodes[:first], *nodes[first + 2 : end], *branch, *nodes[end:]),
        outputs=net.outputs,
        blocks=net.blocks,
    )
    assert identical_blocks(shuffled) == identical_blocks(net)


def test_the_outer_of_equal_blocks_counts() -> None:
    net = group(branching(), ["stem.conv", "stem.norm", "stem.relu"], "whole")
    assert not [paths for paths in identical_blocks(net) if "whole.stem" in paths]


def _windows(architecture: Architecture) -> Iterator[list[str]]:
    """Nodes in a row, of several lengths, at several places."""
    ids = [node.id for node in architecture][1:]
    for start in range(0, len(ids) - 8, max(1, len(ids) // 12)):
        yield ids[start : start + 2]
        yield ids[start : start + 8]


@pytest.mark.parametrize("network", ["alexnet", "googlenet", "resnet20", "shufflenet-v2-1-0", "mobilenet-v2", "vgg11"])
def test_groups_are_refused_or_change_names_alone(network: str) -> None:
    net = zoo.entry(network).build()
    totals = infer(net).totals
    done = 0
    for node_ids in _windows(net):
        try:
            grouped = group(net, node_ids, "grouped")
        except EditRefused:
            continue
        done += 1
        assert infer(grouped).totals == totals
        (path,) = [block.path for block in grouped.blocks if block.path.split(".")[-1] == "grouped"]
        assert ungroup(grouped, path) == net
    assert done >= 2


@pytest.mark.parametrize("network", ["resnet50", "googlenet", "densenet121", "mobilenet-v3-small", "squeezenet1-1"])
def test_every_block_is_repeated_without_a_fault_or_not_at_all(network: str) -> None:
    net = zoo.entry(network).build()
    done = 0
    for block in net.blocks[:: max(1, len(net.blocks) // 20)]:
        if repeat_refusal(net, block.path) is not None:
            continue
        try:
            more = repeat(net, block.path, 2)
        except EditRefused:
            continue
        done += 1
        inference = infer(more)
        assert not inference.errors
        assert [node.id for node in more if node.id in net] == [node.id for node in net]
        # An outer block of the same layers alone stands for it.
        alike = [paths for paths in identical_blocks(more) if any(f"{block.path}.".startswith(f"{p}.") for p in paths)]
        assert max(len(paths) for paths in alike) >= 3
    assert done >= 2
