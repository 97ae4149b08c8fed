"""Width, classes and images of whole networks, held against what the catalogue builds for the same numbers."""

import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, EditRefused, edits
from explorer.inference import infer
from explorer.inference.ideas import scaling
from explorer.layers import Add, Chunk, Concat, Conv2d, GroupNorm, Input, Linear, Mul, PartialConv2d, Split
from explorer.runtime.modules import build_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear
from tests.inference.test_ideas import _SAMPLE, _net

_WITH_CLASSES = [e.id for e in zoo.entries() if any(p.name == "classes" for p in e.parameters)]


def _scaled(net: Architecture, factor: float) -> Architecture:
    return scaling("width").apply(net, factor=factor)


@pytest.mark.parametrize("network", [i for i in _WITH_CLASSES if i in _SAMPLE])
def test_classes_are_those_that_the_catalogue_builds(network: str) -> None:
    assert scaling("classes").current(_net(network)) in ({"classes": 10.0}, {"classes": 1000.0})
    assert scaling("classes").apply(_net(network), classes=7) == zoo.entry(network).build(classes=7)


def test_classes_of_auxiliary_heads_and_behind_a_softmax() -> None:
    for network, values in (("googlenet", {"auxiliary_heads": True}), ("inception-v3", {"auxiliary_head": True})):
        net = zoo.entry(network).build(**values)
        assert scaling("classes").apply(net, classes=12) == zoo.entry(network).build(classes=12, **values)
    tanh84 = scaling("classes").apply(_net("lenet5-tanh84"), classes=10)
    assert infer(tanh84).nodes["softmax"].output_shape == (10,)
    for network in ("lenet5-1998", "inception-compared"):
        assert scaling("classes").current(_net(network)) == {}
        with pytest.raises(EditRefused, match="returns no scores that one layer makes"):
            scaling("classes").apply(_net(network), classes=10)


@pytest.mark.parametrize(
    ("network", "width"), [("resnet18", 64), ("resnet50", 64), ("resnet20", 16), ("plain20", 16), ("convnext-tiny", 96)]
)
def test_widths_are_those_that_the_catalogue_builds(network: str, width: int) -> None:
    """Their families scale by one number: sums, padded shortcuts, depthwise convolutions, linear layers at pixels."""
    assert _scaled(_net(network), 0.5) == zoo.entry(network).build(width=width // 2)
    assert _scaled(_net(network), 3) == zoo.entry(network).build(width=3 * width)


def test_convolutions_of_vgg_have_the_widths_of_its_family() -> None:
    half = _scaled(_net("vgg11"), 0.5)
    family = zoo.entry("vgg11").build(width=32)
    assert [n for n in half if n.id.startswith("features")] == [n for n in family if n.id.startswith("features")]
    assert half["classifier.0"].layer == Linear(out_features=2048)
    assert half["classifier.6"].layer == Linear(out_features=1000)


@pytest.mark.parametrize("network", _SAMPLE)
def test_any_factor_leaves_a_network(network: str) -> None:
    net = _net(network)
    shapes = [infer(net).nodes[node_id].output_shape for node_id in net.outputs]
    for factor in (0.03, 0.37, 1.3, 2):
        changed = _scaled(net, factor)
        inference = infer(changed)
        assert not inference.errors
        assert [(node.id, node.inputs) for node in changed] == [(node.id, node.inputs) for node in net]
        if shapes[0] is not None and len(shapes[0]) == 1:
            assert [inference.nodes[node_id].output_shape for node_id in net.outputs] == shapes
        assert changed.input == net.input
    assert _scaled(_scaled(net, 2), 0.5) == net
    assert _scaled(net, 1) is net


@pytest.mark.parametrize("network", ["alexnet", "mobilenet-v3-small", "shufflenet-v2-0-5", "resnet20", "convnext-tiny"])
def test_torch_runs_other_widths(network: str) -> None:
    changed = _scaled(_net(network), 0.37)
    inference = infer(changed)
    with torch.device("meta"):
        module = build_module(changed).eval()
        output = module(torch.empty(1, *changed.input_shape))
    assert tuple(output.shape[1:]) == inference.nodes[changed.outputs[0]].output_shape
    assert sum(parameter.numel() for parameter in module.parameters()) == inference.totals.num_parameters


def _classified(net: Builder) -> Architecture:
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", linear(10))
    return net.build()


def test_groups_and_norms_divide_what_arrives() -> None:
    net = Builder("groups", 3, 16, 16)
    net.add("conv1", conv(32, 3))
    net.add("conv2", conv(64, 3, groups=8))
    net.add("norm", GroupNorm(num_groups=16))
    changed = _scaled(_classified(net), 0.6)
    assert changed["conv1"].layer == conv(16, 3)  # 19.2, of 16 a multiple of 8 is nearer than 24
    assert changed["conv2"].layer == conv(32, 3, groups=8)  # 38.4 in multiples of 16
    assert changed["norm"].layer == GroupNorm(num_groups=16)


def test_what_meets_an_unlike_branch_stays() -> None:
    """Half of one layer's channels, or two layers' together, beside another's: rounding would part them."""
    net = Builder("mixed", 3, 16, 16)
    stem = net.add("stem", conv(10, 1))
    half = net.add("half", Chunk(chunks=2, dim=1, index=0), after=stem)
    left = net.add("left", conv(5, 1))
    first = net.add("sum", Add(), after=(half, left))
    one, two = net.add("one", conv(3, 1), after=first), net.add("two", conv(3, 1), after=first)
    both = net.add("both", Concat(), after=(one, two))
    beside = net.add("beside", conv(6, 1), after=first)
    net.add("second", Add(), after=(both, beside))
    net.add("free", conv(8, 1))
    changed = _scaled(_classified(net), 0.5)
    widths = {node.id: node.layer.out_channels for node in changed if isinstance(node.layer, Conv2d)}
    assert widths == {"stem": 10, "left": 5, "one": 3, "two": 3, "beside": 6, "free": 4}


def test_a_single_channel_that_is_repeated_stays_single() -> None:
    net = Builder("attention", 3, 16, 16)
    maps = net.add("maps", conv(16, 3, padding=1))
    weight = net.add("weight", conv(1, 1), after=maps)
    net.add("product", Mul(), after=(maps, weight))
    changed = _scaled(_classified(net), 2)
    assert changed["weight"].layer == conv(1, 1)
    assert changed["maps"].layer == conv(32, 3, padding=1)


def test_what_counts_its_channels_keeps_them() -> None:
    lenet = _scaled(_net("lenet5-1998"), 2)
    assert lenet["c1"].layer == _net("lenet5-1998")["c1"].layer
    assert isinstance(lenet["c3"].layer, PartialConv2d)
    assert lenet["f6"].layer == Linear(out_features=84)
    assert lenet["c5"].layer == conv(240, 5)
    net = Builder("split", 3, 16, 16)
    net.add("conv", conv(8, 1))
    net.add("part", Split(sizes=(3, 5), index=1))
    net.add("last", conv(6, 1))
    changed = _scaled(_classified(net), 2)
    assert changed["conv"].layer == conv(8, 1)
    assert changed["last"].layer == conv(12, 1)


def test_fixed_channels_follow_the_width() -> None:
    fixed = edits.set_value(_net("alexnet"), "conv3", "in_channels", 256)
    changed = _scaled(fixed, 0.5)
    layer = changed["conv3"].layer
    assert isinstance(layer, Conv2d)
    assert layer.in_channels is None
    assert infer(changed).totals == infer(_scaled(_net("alexnet"), 0.5)).totals


def test_widths_that_cannot_be_say_why() -> None:
    net = Builder("linear", 1, 28, 28)
    net.add("flatten", flatten())
    net.add("fc", linear(10))
    with pytest.raises(EditRefused, match="linear has no width to scale"):
        _scaled(net.build(), 2)
    wide = edits.set_value(_net("alexnet"), "fc6", "out_features", 500_000)
    with pytest.raises(EditRefused, match="fc6 would make 1,500,000 channels; a layer has at most 1,000,000"):
        _scaled(wide, 3)
    with pytest.raises(ValueError, match=r"width: factor received 0; use a number from 0\.01 to 32"):
        _scaled(wide, 0)
    with pytest.raises(ValueError, match="width has no amount 'depth'; it has factor"):
        scaling("width").apply(wide, depth=2)
    with pytest.raises(ValueError, match=r"classes: classes received 2\.5; use a whole number"):
        scaling("classes").apply(wide, classes=2.5)
    with pytest.raises(ValueError, match="classes: classes received True"):
        scaling("classes").apply(wide, classes=True)


@pytest.mark.parametrize("network", _SAMPLE)
def test_images_of_another_size_work_or_say_why_not(network: str) -> None:
    net = _net(network)
    for shape in ((1, 28, 28), (4, 97, 131), (3, 300, 260)):
        values = dict(zip(("channels", "height", "width"), shape, strict=True))
        if min(shape[1:]) < 224:
            try:
                scaling("images").apply(net, **values)
            except EditRefused:
                with pytest.raises(EditRefused, match=r"^[\w.]+: .*; use "):
                    scaling("images").apply(net, **values)
                continue
        changed = scaling("images").apply(net, **values)
        assert changed.input.layer == Input(channels=shape[0], height=shape[1], width=shape[2])
        assert not infer(changed).errors
        assert scaling("images").current(changed) == values


def test_a_window_over_whole_maps_follows_them() -> None:
    googlenet = scaling("images").apply(_net("googlenet"), height=97, width=131)
    inference = infer(googlenet)
    assert inference.nodes["avgpool"].output_shape == (1024, 1, 1)
    assert inference.totals.num_parameters == infer(_net("googlenet")).totals.num_parameters
    assert scaling("images").apply(googlenet, height=224, width=224) == _net("googlenet")
