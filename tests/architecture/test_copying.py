"""Fragments: what is copied, where it goes and what it is called; the plain form that a clipboard holds."""

import json

import pytest

from explorer import zoo
from explorer.architecture import Architecture, ArchitectureFileError, Block, EditRefused, edits
from explorer.architecture.copying import Fragment, copied, copied_block, from_plain, paste, to_plain
from explorer.architecture.paths import free_path
from explorer.inference import infer
from tests.networks import branching


def _new(new: Architecture, old: Architecture) -> list[str]:
    return [node.id for node in new if node.id not in old]


def test_layers_in_a_row_are_pasted_into_the_wire() -> None:
    alexnet = zoo.entry("alexnet").build()
    pasted = paste(alexnet, copied(alexnet, ["relu3", "conv3"]), "relu5")
    assert _new(pasted, alexnet) == ["conv6", "relu8"]
    assert pasted["conv6"].inputs == ("relu5",)
    assert pasted["relu8"].inputs == ("conv6",)
    assert pasted["pool5"].inputs == ("relu8",)
    assert pasted["conv6"].layer == alexnet["conv3"].layer
    assert [node for node in pasted if node.id in alexnet and node.id != "pool5"] == [
        node for node in alexnet if node.id != "pool5"
    ]


def test_the_output_follows_what_is_pasted_behind_it() -> None:
    alexnet = zoo.entry("alexnet").build()
    pasted = paste(alexnet, copied(alexnet, ["relu7", "dropout7"]), "fc8")
    assert pasted.outputs == ("dropout8",)


def test_blocks_come_along_and_stand_beside_the_one_before() -> None:
    resnet = zoo.entry("resnet50").build()
    whole = [node.id for node in resnet if node.id.startswith("layer1.0.")]
    fragment = copied(resnet, whole)
    assert fragment == copied_block(resnet, "layer1.0")
    assert {block.path for block in fragment.blocks} == {"0", "0.downsample"}
    pasted = paste(resnet, fragment, "layer3.5.relu")
    assert [block for block in pasted.blocks if block not in resnet.blocks] == [
        Block(path="layer3.6.downsample", kind="projection"),
        Block(path="layer3.6", kind="bottleneck"),
    ]
    assert pasted["layer4.0.conv1"].inputs == ("layer3.6.relu",)
    assert infer(pasted).nodes["layer3.6.relu"].output_shape == (256, 14, 14)


def test_inside_a_block_a_pasted_one_lies_deeper() -> None:
    resnet = zoo.entry("resnet18").build()
    pasted = paste(resnet, copied_block(resnet, "layer1.0"), "layer2.0.relu1")
    assert _new(pasted, resnet)[0] == "layer2.0.0.conv1"
    assert pasted["layer2.0.conv2"].inputs == ("layer2.0.0.relu",)


def test_a_whole_stage_keeps_its_structure() -> None:
    resnet = zoo.entry("resnet18").build()
    fragment = copied(resnet, [node.id for node in resnet if node.id.startswith("layer1.")])
    assert {block.path for block in fragment.blocks} == {"layer1", "layer1.0", "layer1.1"}
    pasted = paste(resnet, fragment, "layer1.1.relu")
    assert _new(pasted, resnet)[0] == "layer5.0.conv1"
    assert not infer(pasted).errors


def test_a_second_source_is_found_by_its_name() -> None:
    resnet = zoo.entry("resnet18").build()
    fragment = copied(resnet, ["layer1.1.add", "layer1.1.relu"])
    assert fragment.sources == (".layer1.1.bn2", ".layer1.0.relu")
    pasted = paste(resnet, fragment, "layer1.1.relu")
    assert pasted["layer1.1.add2"].inputs == ("layer1.1.relu", "layer1.0.relu")
    # Before what it read, it would feed itself, and elsewhere there is no such node: it reads the same twice.
    assert paste(resnet, fragment, "maxpool")["add"].inputs == ("maxpool", "maxpool")
    alexnet = zoo.entry("alexnet").build()
    assert paste(alexnet, fragment, "conv3")["add"].inputs == ("conv3", "conv3")


def test_several_ends_branch_off() -> None:
    net = branching()
    fragment = copied(net, ["mixed.left", "mixed.right"])
    pasted = paste(net, fragment, "pool")
    assert _new(pasted, net) == ["left", "right"]
    assert pasted["left"].inputs == pasted["right"].inputs == ("pool",)
    assert pasted["flatten"].inputs == ("pool",)
    assert pasted.outputs == net.outputs


def test_copies_are_free_to_be_trained() -> None:
    net = edits.set_frozen(branching(), ["stem.conv"], True)
    pasted = paste(net, copied(net, ["stem.conv"]), "stem.conv")
    assert pasted["stem.conv"].frozen
    assert not pasted["stem.conv2"].frozen


def test_what_cannot_be_copied_says_why() -> None:
    net = branching()
    with pytest.raises(EditRefused, match="nothing is selected"):
        copied(net, [])
    with pytest.raises(EditRefused, match="input is the network's input"):
        copied(net, ["input", "stem.conv"])
    with pytest.raises(EditRefused, match="'conv9' is not in branching"):
        copied(net, ["conv9"])
    with pytest.raises(EditRefused, match="'conv9' is not in branching"):
        paste(net, copied(net, ["stem.conv"]), "conv9")
    with pytest.raises(EditRefused, match="'layer7' is no block of branching"):
        copied_block(net, "layer7")


@pytest.mark.parametrize(
    ("network", "selected"),
    [
        ("resnet18", "layer2.0."),
        ("resnet18", "layer1.1.add"),
        ("googlenet", "inception4a."),
        ("lenet5-1998", "c3"),
        ("densenet121", "features.transition1."),
        ("alexnet-bn", "conv"),
    ],
)
def test_the_plain_form_comes_back_the_same(network: str, selected: str) -> None:
    net = zoo.entry(network).build()
    fragment = copied(net, [node.id for node in net if node.id.startswith(selected)])
    again = from_plain(json.loads(json.dumps(to_plain(fragment))))
    assert again == fragment
    anchor = net.nodes[-2].id
    assert paste(net, again, anchor) == paste(net, fragment, anchor)


def _damaged(key: str, value: object) -> dict[str, object]:
    net = branching()
    return {**to_plain(copied(net, ["stem.conv", "stem.norm"])), key: value}


def test_damaged_plain_data_is_refused() -> None:
    with pytest.raises(ArchitectureFileError, match="a network and no fragment"):
        from_plain(_damaged("sources", []))
    with pytest.raises(ArchitectureFileError, match="a network and no fragment"):
        from_plain(_damaged("outputs", ["image"]))
    with pytest.raises(ArchitectureFileError, match="nodes: expected a list"):
        from_plain(_damaged("nodes", 3))
    with pytest.raises(ArchitectureFileError):
        from_plain("conv1")


def test_a_fragment_is_a_value() -> None:
    net = branching()
    fragment = copied(net, ["stem.conv"])
    assert fragment == Fragment(nodes=fragment.nodes, blocks=(), sources=(".input",), exits=("conv",))
    assert hash(fragment) == hash(copied(net, ["stem.conv"]))


@pytest.mark.parametrize(
    ("path", "free"),
    [
        ("conv2", "conv4"),
        ("block.flatten", "block.flatten2"),
        ("block.3", "block.4"),
        ("conv3x3", "conv3x3_2"),
        ("inception4b", "inception4b_2"),
        ("inception4b_9", "inception4b_10"),
        ("new", "new"),
    ],
)
def test_names_count_on(path: str, free: str) -> None:
    taken = {"conv2", "conv3", "block.flatten", "block.3", "conv3x3", "inception4b", "inception4b_9"}
    assert free_path(taken, path) == free
