"""Ideas over the catalogue: each is refused with a reason, or gives a network without a fault that torch runs as told.

The catalogue's own forms of AlexNet and VGG are built from their papers' tables, so that a switch can be held against
what was not switched but built.
"""

import random
from collections.abc import Callable
from functools import cache

import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, EditRefused, edits
from explorer.architecture.edits import Edit
from explorer.inference import Inference, infer
from explorer.inference.ideas import IDEAS, SCALINGS, effect, idea, scaling
from explorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Category,
    Conv2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from explorer.runtime.modules import build_module
from tests.inference.random_networks import random_network
from tests.networks import branching

_SAMPLE = (
    "lenet5-1998",
    "lenet5-tanh84",
    "lenet5-max",
    "alexnet",
    "alexnet-bn",
    "alexnet-28",
    "zfnet",
    "vgg11",
    "googlenet",
    "googlenet-torchvision",
    "inception-compared",
    "resnet50",
    "resnet20",
    "densenet121",
    "nin-cifar",
    "squeezenet1-1",
    "mobilenet-v2",
    "mobilenet-v3-small",
    "shufflenet-v2-0-5",
    "efficientnet-b0",
    "convnext-tiny",
)
"""At least one of each family, its odd ones among them."""
_SWITCHES = [(item.id, form.id) for item in IDEAS for form in item.forms]


@cache
def _known(network: str) -> tuple[Architecture, Inference]:
    architecture = zoo.entry(network).build()
    return architecture, infer(architecture)


def _net(network: str) -> Architecture:
    return _known(network)[0]


def _torch_agrees(architecture: Architecture) -> None:
    """torch builds the network with as many parameters, and it returns the shapes."""
    inference = infer(architecture)
    with torch.device("meta"):
        network = build_module(architecture).eval()
        outputs = network(torch.empty(2, *architecture.input_shape))
    received = outputs if isinstance(outputs, tuple) else (outputs,)
    wanted = [inference.nodes[node_id].output_shape for node_id in architecture.outputs]
    assert [tuple(output.shape[1:]) for output in received] == wanted
    assert sum(parameter.numel() for parameter in network.parameters()) == inference.totals.num_parameters


def test_every_idea_explains_itself() -> None:
    for item in IDEAS:
        assert len(item.forms) >= 2
        for form in item.forms:
            assert form.explanation.endswith(".")
            assert form.text[0].isupper()
            assert any(character.isdecimal() for character in form.paper)
    for scaled in SCALINGS:
        assert scaled.explanation.endswith(".")
        assert any(character.isdecimal() for character in scaled.paper)


@pytest.mark.parametrize("network", _SAMPLE)
def test_a_switch_is_refused_or_leaves_no_fault_and_comes_back(network: str) -> None:
    architecture = _net(network)
    done = 0
    for idea_id, form_id in _SWITCHES:
        switch = idea(idea_id)
        before = switch.presence(architecture, form_id)
        if switch.refusal(architecture, form_id) is not None:
            assert before != "on"
            with pytest.raises(EditRefused):
                switch.apply(architecture, form_id)
            continue
        new = switch.apply(architecture, form_id)
        assert (new is architecture) == (before == "on")
        assert switch.presence(new, form_id) == "on"
        assert switch.apply(new, form_id) is new
        after = infer(new)
        assert not after.errors
        for node in new:
            if node.id in architecture and node.layer.category is architecture[node.id].layer.category:
                assert type(node.layer) is type(architecture[node.id].layer) or idea_id in ("activation", "pooling")
        if new is architecture:
            continue
        done += 1
        others = [form.id for form in switch.forms if form.id != form_id]
        for other in others:
            if switch.presence(architecture, other) == "on":
                assert switch.apply(new, other, (architecture,)) == architecture
        try:
            away = switch.apply(new, others[0], (architecture,))
        except EditRefused:
            continue
        assert switch.apply(away, form_id, (new, architecture)) == new
        assert infer(switch.apply(away, form_id, (new,))).totals == after.totals
    assert done >= 4


@pytest.mark.parametrize("network", ["alexnet", "resnet20", "mobilenet-v3-small", "googlenet", "convnext-tiny"])
def test_torch_runs_what_was_switched(network: str) -> None:
    for idea_id, form_id in _SWITCHES:
        if idea_id == "activation" and form_id not in {"elu", "gelu"}:
            continue
        switch = idea(idea_id)
        if switch.presence(_net(network), form_id) == "on" or switch.refusal(_net(network), form_id):
            continue
        _torch_agrees(switch.apply(_net(network), form_id))


@pytest.mark.parametrize(
    ("idea_id", "form_id", "values"),
    [
        ("towers", "one", {"groups": 1}),
        ("response-norm", "off", {"response_norm": False}),
        ("pooling-windows", "plain", {"overlapping": False}),
        ("dropout", "off", {"dropout": False}),
    ],
)
def test_alexnets_ideas_are_those_that_its_entry_offers(idea_id: str, form_id: str, values: dict[str, int]) -> None:
    paper, without = _net("alexnet"), zoo.entry("alexnet").build(**values)
    switch = idea(idea_id)
    assert switch.apply(paper, form_id) == without
    back = next(form.id for form in switch.forms if form.id != form_id)
    # From the paper's rules alone, with no earlier version to look at.
    assert switch.apply(without, back) == paper


def test_ideas_meet() -> None:
    """All of AlexNet's ideas taken out one after another and put back in another order."""
    paper = _net("alexnet")
    off = [("dropout", "off"), ("towers", "one"), ("response-norm", "off"), ("pooling-windows", "plain")]
    on = [("towers", "two"), ("pooling-windows", "overlapping"), ("response-norm", "on"), ("dropout", "on")]
    history = [paper]
    for idea_id, form_id in (*off, *on):
        history.insert(0, idea(idea_id).apply(history[0], form_id, tuple(history)))
    assert history[0] == paper
    # Batch norm and tanh in between do not stand in the way of what comes back.
    bare = history[4]
    changed = idea("activation").apply(idea("batch-norm").apply(bare, "on"), "tanh")
    for idea_id, form_id in on:
        if idea_id != "response-norm":
            changed = idea(idea_id).apply(changed, form_id, tuple(history))
    assert [node.id for node in changed if node.id not in paper] == ["bn1", "bn2", "bn3", "bn4", "bn5"]
    assert isinstance(changed["dropout6"].layer, Dropout)
    assert not infer(changed).errors


def test_vgg_with_batch_norm_is_vgg_bn_without_biases() -> None:
    made = idea("batch-norm").apply(_net("vgg11"), "on")
    assert [node.layer.type_name for node in made] == [node.layer.type_name for node in _net("vgg11-bn")]
    assert [node.id for node in made if node.id not in _net("vgg11")][:3] == [
        "features.bn0",
        "features.bn3",
        "features.bn6",
    ]
    convolutions = [node.layer for node in made if isinstance(node.layer, Conv2d)]
    assert not any(layer.bias for layer in convolutions)
    biases = sum(layer.out_channels for layer in convolutions)
    expected = _known("vgg11-bn")[1].totals.num_parameters - biases
    assert infer(made).totals.num_parameters == expected


def test_a_batch_norm_that_goes_leaves_a_bias() -> None:
    plain = idea("batch-norm").apply(_net("resnet18"), "off")
    assert not any(isinstance(node.layer, BatchNorm2d) for node in plain)
    assert all(node.layer.bias for node in plain if isinstance(node.layer, Conv2d))
    # torchvision's VGG has biases beside its batch norms, which come back with them.
    vgg = _net("vgg11-bn")
    bare = idea("batch-norm").apply(vgg, "off", (vgg,))
    assert idea("batch-norm").apply(bare, "on", (bare, vgg)) == vgg
    # A convolution that had no bias before a batch norm came has none behind it either.
    own = edits.set_value(_net("vgg11"), "features.3", "bias", False)
    normed = idea("batch-norm").apply(own, "on")
    assert idea("batch-norm").apply(normed, "off", (own,)) == own


def test_squeeze_and_excitation_and_the_scores_stay_without_batch_norm() -> None:
    efficient = _net("efficientnet-b0")
    bare = idea("batch-norm").apply(efficient, "off")
    again = idea("batch-norm").apply(bare, "on")
    assert infer(again).totals == _known("efficientnet-b0")[1].totals
    squeezed = idea("batch-norm").apply(_net("squeezenet1-1"), "on")
    assert squeezed.consumers("classifier.1") == ("classifier.2",)
    assert "features.3.bn_squeeze" not in squeezed
    assert "features.3.squeeze_bn" in squeezed


def test_activations_but_for_gates_and_outputs() -> None:
    efficient = idea("activation").apply(_net("efficientnet-b0"), "relu")
    kinds = {type(node.layer) for node in efficient if node.layer.category is Category.ACTIVATION}
    assert kinds == {ReLU, Sigmoid}
    assert idea("activation").presence(_net("efficientnet-b0"), "silu") == "on"
    assert idea("activation").presence(_net("mobilenet-v3-small"), "relu") == "mixed"
    softmax = idea("activation").apply(_net("lenet5-tanh84"), "silu")
    assert isinstance(softmax["softmax"].layer, Softmax)
    assert isinstance(softmax["tanh1"].layer, SiLU)
    returned = edits.insert_after(_net("lenet5"), "fc3", Tanh())
    assert isinstance(idea("activation").apply(returned, "relu")["tanh5"].layer, Tanh)
    with pytest.raises(EditRefused, match="has no activations to exchange"):
        idea("activation").apply(_net("lenet-plain"), "relu")


def test_values_come_back_with_their_form() -> None:
    leaky = edits.set_layer(_net("alexnet"), "relu3", LeakyReLU(negative_slope=0.2))
    smooth = idea("activation").apply(leaky, "gelu")
    again = idea("activation").apply(smooth, "leaky-relu", (smooth, leaky))
    assert again["relu3"].layer == LeakyReLU(negative_slope=0.2)
    assert again["relu4"].layer == LeakyReLU()
    dropped = edits.set_value(_net("alexnet"), "dropout6", "p", 0.3)
    bare = idea("dropout").apply(dropped, "off")
    assert idea("dropout").apply(bare, "on", (bare, dropped)) == dropped
    assert idea("dropout").apply(bare, "on")["dropout6"].layer == Dropout(p=0.5)


def test_pooling_keeps_sizes_where_it_can() -> None:
    """⌊(n − 3)/2⌋ + 1 and ⌊(n − 2)/2⌋ + 1 agree for odd n; for even n the larger window is rounded up."""
    for network, form_id in (("alexnet", "plain"), ("vgg11", "overlapping"), ("resnet18", "plain")):
        old, new = _known(network)[1], infer(idea("pooling-windows").apply(_net(network), form_id))
        assert {n: r.output_shape for n, r in old.nodes.items()} == {n: r.output_shape for n, r in new.nodes.items()}
    lenet = idea("pooling-windows").apply(_net("lenet5"), "overlapping")
    assert lenet["pool1"].layer == AvgPool2d(kernel_size=(3, 3), stride=(2, 2), ceil_mode=True)
    small = edits.set_value(edits.set_input_shape(_net("alexnet"), 3, 224, 224), "conv1", "padding", (0, 0))
    plain = idea("pooling-windows").apply(small, "plain")
    assert infer(plain).nodes["pool1"].output_shape == (96, 27, 27)  # 54 halved; with overlap it was 26
    assert infer(small).nodes["pool1"].output_shape == (96, 26, 26)


def test_what_was_fixed_to_a_size_follows() -> None:
    fixed = edits.set_input_shape(_net("alexnet"), 3, 224, 224)
    features = infer(fixed).nodes["fc6"].input_shapes[0]
    assert features is not None
    fixed = edits.set_value(fixed, "fc6", "in_features", features[0])
    changed = idea("pooling-windows").apply(fixed, "plain")
    assert not infer(changed).errors
    layer = changed["fc6"].layer
    assert isinstance(layer, Linear)
    assert layer.in_features is None


def test_kinds_of_pooling() -> None:
    average = idea("pooling").apply(_net("vgg11"), "average")
    assert isinstance(average["features.2"].layer, AvgPool2d)
    assert isinstance(average["avgpool"].layer, AdaptiveAvgPool2d)
    largest = idea("pooling").apply(_net("googlenet"), "max")
    assert largest is _net("googlenet")  # the average of whole maps is the classifier's
    dilated = edits.set_layer(_net("lenet5"), "pool1", MaxPool2d(kernel_size=(2, 2), stride=(2, 2), dilation=(2, 2)))
    assert idea("pooling").apply(dilated, "max")["pool1"].layer == dilated["pool1"].layer


def test_response_norm_stands_where_it_stood_in_its_papers() -> None:
    bare = idea("response-norm").apply(_net("googlenet"), "off")
    assert idea("response-norm").apply(bare, "on", (bare, _net("googlenet"))) == _net("googlenet")
    put_in = idea("response-norm").apply(bare, "on")
    assert put_in["norm1"].inputs == ("relu1",)
    assert put_in["norm2"].inputs == ("relu2",)
    vgg = idea("response-norm").apply(_net("vgg11"), "on")
    assert [node.id for node in vgg if isinstance(node.layer, LocalResponseNorm)] == [
        "features.norm0",
        "features.norm3",
    ]
    with pytest.raises(EditRefused, match="bn1 normalises already; remove BatchNorm2d first"):
        idea("response-norm").apply(_net("resnet18"), "on")


def test_towers_split_what_alexnet_split() -> None:
    towers = idea("towers").apply(_net("alexnet-one-tower"), "two")
    groups = {node.id: node.layer.groups for node in towers if isinstance(node.layer, Conv2d)}
    assert groups == {"conv1": 1, "conv2": 2, "conv3": 1, "conv4": 2, "conv5": 2}
    assert idea("towers").presence(edits.set_value(towers, "conv4", "groups", 1), "two") == "mixed"
    # A depthwise convolution of two channels is no tower.
    net = edits.insert_before(_net("alexnet-28"), "conv1", Conv2d(out_channels=2, kernel_size=(1, 1)))
    net = edits.insert_before(net, "conv1", Conv2d(out_channels=2, kernel_size=(3, 3), groups=2))
    assert idea("towers").presence(net, "one") == "on"


def test_averages_replace_the_large_layers() -> None:
    """By hand: of AlexNet's classifier 256·1000 weights and 1000 biases are left."""
    alexnet = idea("averages").apply(_net("alexnet"), "on")
    assert [node.id for node in alexnet][-4:] == ["pool5", "avgpool", "flatten", "fc8"]
    inference = infer(alexnet)
    assert inference.nodes["fc8"].num_parameters == 256 * 1000 + 1000
    vgg = idea("averages").apply(_net("vgg11"), "on")
    assert vgg["avgpool"].layer == AdaptiveAvgPool2d(output_size=(1, 1))
    assert [node.id for node in vgg][-2:] == ["flatten", "classifier.6"]
    assert idea("averages").apply(vgg, "off", (vgg, _net("vgg11"))) == _net("vgg11")
    resnet = idea("averages").apply(_net("resnet18"), "off")
    assert infer(resnet).nodes["fc"].num_parameters == 512 * 7 * 7 * 1000 + 1000
    shuffle = idea("averages").apply(_net("shufflenet-v2-0-5"), "off")
    assert isinstance(shuffle["mean"].layer, Flatten)
    with pytest.raises(EditRefused, match="no linear layer that makes its scores"):
        idea("averages").apply(_net("squeezenet1-1"), "on")


def test_the_auxiliary_heads_go_along() -> None:
    googlenet = zoo.entry("googlenet").build(auxiliary_heads=True)
    for idea_id, form_id in _SWITCHES:
        if idea(idea_id).refusal(googlenet, form_id) is None:
            changed = idea(idea_id).apply(googlenet, form_id)
            assert changed.outputs == googlenet.outputs
            assert not infer(changed).errors


def test_effects_are_counted() -> None:
    paper, changed = _known("alexnet"), idea("towers").apply(_net("alexnet"), "one")
    numbers = effect(paper, (changed, infer(changed)), batch_size=8)
    assert numbers.num_parameters == (60_965_224, 62_378_344)
    assert numbers.macs == (724_406_816, 1_135_256_096)
    assert numbers.training_bytes[1] > numbers.training_bytes[0] > 3 * 4 * 60_965_224 / 2


def test_edits_are_ready_for_a_document() -> None:
    edit: Edit = idea("activation").edit("tanh")
    assert edit(_net("alexnet")) == idea("activation").apply(_net("alexnet"), "tanh")
    assert scaling("classes").edit(classes=10)(_net("alexnet")) == zoo.entry("alexnet").build(classes=10)


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(ValueError, match="unknown idea 'dropouts'; did you mean dropout"):
        idea("dropouts")
    with pytest.raises(ValueError, match="unknown idea 'with'; did you mean width"):
        scaling("with")
    with pytest.raises(ValueError, match="towers has no form 'three'; it has two, one"):
        idea("towers").apply(_net("alexnet"), "three")


def _broken(network: str) -> Architecture:
    """A network with a fault in its middle, behind which nothing is known."""
    net = _net(network)
    convolutions = [node.id for node in net if isinstance(node.layer, Conv2d)]
    return edits.set_value(net, convolutions[len(convolutions) // 2], "in_channels", 7)


_CHANGES: list[Callable[[Architecture], Architecture]] = [
    *(idea(idea_id).edit(form_id) for idea_id, form_id in _SWITCHES),
    scaling("width").edit(factor=0.5),
    scaling("classes").edit(classes=7),
    scaling("images").edit(height=100, width=60),
]


@pytest.mark.parametrize("network", ["alexnet", "resnet18", "squeezenet1-1", "mobilenet-v2", "inception-compared"])
def test_a_fault_that_was_there_hides_none_that_was_not(network: str) -> None:
    broken = _broken(network)
    before = {issue.node_id for issue in infer(broken).errors}
    assert len(before) == 1
    for change in _CHANGES:
        try:
            changed = change(broken)
        except EditRefused:
            continue
        assert {issue.node_id for issue in infer(changed).errors} <= before


def test_odd_networks_are_changed_or_refused() -> None:
    """Two outputs, no classifier, a merge at the end; and one layer alone."""
    alone = edits.remove(_net("lenet-plain"), [node.id for node in _net("lenet-plain").nodes[1:]])
    single = edits.insert_after(alone, "input", Conv2d(out_channels=4, kernel_size=(3, 3)))
    for net in (branching(), alone, single):
        for change in _CHANGES:
            try:
                changed = change(net)
            except EditRefused:
                continue
            assert not infer(changed).errors


@pytest.mark.parametrize("seed", range(80))
def test_random_networks_get_no_new_fault(seed: int) -> None:
    net = random_network(random.Random(seed))
    known = {node_id for node_id, report in infer(net).nodes.items() if report.output_shape is not None}
    for change in _CHANGES:
        try:
            changed = change(net)
        except EditRefused:
            continue
        for issue in infer(changed).errors:
            assert issue.node_id in net
            assert issue.node_id not in known
