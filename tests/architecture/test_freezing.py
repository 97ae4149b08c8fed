"""Which layers a choice freezes; torch says which of them have anything to freeze."""

import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, EditRefused, edits, freezing
from explorer.layers import BatchNorm2d, Flatten, PReLU, ReLU, Softmax
from explorer.runtime.modules import build_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, linear
from tests.networks import branching


def owners(architecture: Architecture) -> set[str]:
    """Nodes that own something in the `state_dict`, as torch has it."""
    with torch.device("meta"):
        return {key.rpartition(".")[0] for key in build_module(architecture).state_dict()}


@pytest.mark.parametrize(
    "network", ["lenet5-1998", "googlenet-torchvision", "densenet121", "convnext-tiny", "vgg11-bn"]
)
def test_what_can_be_frozen_is_what_torch_gives_weights(network: str) -> None:
    architecture = zoo.entry(network).build()
    assert {node.id for node in architecture if freezing.can_freeze(node.layer)} == owners(architecture)


def test_up_to_a_block_takes_what_the_block_depends_on() -> None:
    architecture = zoo.entry("resnet18").build()
    ids = freezing.up_to(architecture, "layer2")
    assert {i.partition(".")[0] for i in ids} == {"conv1", "bn1", "layer1", "layer2"}
    assert set(ids) == {i for i in owners(architecture) if i.startswith(("conv1", "bn1", "layer1", "layer2"))}
    assert freezing.up_to(architecture, "fc") == tuple(
        i for i in (n.id for n in architecture) if i in owners(architecture)
    )


def test_up_to_follows_wires_and_not_the_order_of_nodes() -> None:
    architecture = zoo.entry("googlenet-torchvision").build(auxiliary_heads=True)
    ids = freezing.up_to(architecture, "inception4e")
    assert not any(i.startswith(("aux", "inception5")) for i in ids)
    assert {"conv1.conv", "inception4d.branch1.conv", "inception4e.branch1.conv"} <= set(ids)
    assert "aux1.conv.conv" in freezing.up_to(architecture, "aux1")
    assert "inception4b.branch1.conv" not in freezing.up_to(architecture, "aux1")


def test_the_head_is_what_makes_the_scores() -> None:
    heads = {
        "resnet50": ("fc",),
        "vgg16": ("classifier.6",),
        "squeezenet1-0": ("classifier.1",),
        "lenet5-tanh84": ("fc2",),
        "inception-naive": (),
    }
    assert {network: freezing.head(zoo.entry(network).build()) for network in heads} == heads
    assert freezing.head(zoo.entry("inception-v3").build(auxiliary_head=True)) == ("fc", "AuxLogits.fc")
    assert freezing.head(branching()) == ("fc", "aux.fc")


def test_norms_of_the_scores_belong_to_the_head() -> None:
    net = Builder("norm last", 3, 8, 8)
    net.add("first", conv(4, 3))
    net.add("scores", conv(2, 1))
    net.add("norm", BatchNorm2d())
    net.add("prelu", PReLU())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", Flatten())
    net.add("softmax", Softmax(dim=1))
    architecture = net.build()
    assert freezing.head(architecture) == ("scores", "norm", "prelu")
    assert freezing.all_but_head(architecture) == ("first",)


def test_freezing_sets_exactly_these() -> None:
    architecture = edits.set_frozen(branching(), ["fc"], True)
    frozen = freezing.freeze(architecture, freezing.all_but_head(architecture))
    assert {node.id for node in frozen if node.frozen} == owners(architecture) - {"fc", "aux.fc"}
    assert freezing.freeze(frozen, freezing.all_but_head(frozen)) is frozen
    assert not any(node.frozen for node in freezing.freeze(frozen, ()))
    assert frozen.structure is architecture.structure
    some = freezing.under(architecture, ["layer1", "mixed.left"])
    assert some == ("layer1.0.conv1", "layer1.0.norm1", "mixed.left")


def test_steps_end_at_blocks_and_never_at_the_head() -> None:
    found = freezing.steps(zoo.entry("resnet18").build())
    assert found == ("bn1", "layer1", "layer2", "layer3", "layer4")
    dense = freezing.steps(zoo.entry("densenet121").build())
    assert dense[:2] == ("features.norm0", "features.denseblock1")
    vgg = zoo.entry("vgg13").build()
    assert freezing.steps(vgg)[-3:] == ("features.22", "classifier.0", "classifier.3")
    for architecture in (vgg, branching()):
        chosen = [set(freezing.up_to(architecture, path)) for path in freezing.steps(architecture)]
        assert all(not ids & set(freezing.head(architecture)) for ids in chosen)
        assert all(ids for ids in chosen)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(EditRefused, match="neither a block nor a layer 'layer9'"):
        freezing.up_to(branching(), "layer9")
    with pytest.raises(EditRefused, match="neither a block nor a layer 'layer'"):
        freezing.under(branching(), ["layer"])
    with pytest.raises(EditRefused, match="has no head"):
        freezing.all_but_head(zoo.entry("inception-naive").build())
    net = Builder("no weights", 3, 8, 8)
    net.add("relu", ReLU())
    assert freezing.head(net.build()) == ()
    net = Builder("one", 3, 1, 1)
    net.chain("classifier", [Flatten(), linear(2)])
    assert freezing.all_but_head(net.build()) == ()
