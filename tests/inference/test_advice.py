"""Advice: what the graph tells of networks that run, but hardly as meant; and the silence over those that do."""

import pytest

from explorer import layers as L  # noqa: N812
from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import Issue, changed, infer
from explorer.inference.logits import logits_node
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear

QUIET_FAMILIES = ("LeNet", "AlexNet", "VGG", "GoogLeNet", "ResNet", "DenseNet")


def _net(*layers: L.Layer, size: int = 16, classifier: bool = True) -> Architecture:
    """The layers as nodes a, b, c, ... on 3-channel maps, and a classifier behind them."""
    net = Builder("advised", 3, size, size)
    for position, layer in enumerate(layers):
        net.add("abcdefgh"[position], layer)
    if classifier:
        net.add("pool", adaptive_avg_pool(1))
        net.add("flatten", flatten())
        net.add("fc", linear(10))
    return net.build()


def _one(architecture: Architecture, node_id: str) -> Issue:
    (issue,) = infer(architecture).nodes[node_id].issues
    return issue


def _none(architecture: Architecture) -> None:
    assert infer(architecture).issues == ()


def test_a_bias_before_a_norm() -> None:
    for source, norm in (
        (conv(4, 3), L.BatchNorm2d()),
        (L.ConvTranspose2d(out_channels=4, kernel_size=(2, 2), stride=(2, 2)), L.BatchNorm2d()),
        (conv(4, 3), L.InstanceNorm2d()),
    ):
        net = _net(source, norm, L.ReLU())
        issue = _one(net, "b")
        assert issue.severity == "note"
        assert issue.message == "the bias of a has no effect: this layer subtracts each channel's mean"
        assert [repair.text for repair in issue.repairs] == ["no bias in a"]
        _none(issue.repairs[0].edit(net))
    features = Builder("features", 3, 8, 8)
    features.add("flatten", flatten())
    features.add("fc1", linear(8))
    features.add("norm", L.BatchNorm1d())
    features.add("relu", L.ReLU())
    features.add("fc2", linear(10))
    messages = [issue.message for issue in infer(features.build()).nodes["norm"].issues]
    assert any(message.startswith("the bias of fc1 has no effect") for message in messages)


def test_a_bias_that_others_read_stays() -> None:
    net = Builder("shared", 3, 8, 8)
    net.add("conv1", conv(4, 3))
    net.add("norm", L.BatchNorm2d())
    net.add("add", L.Add(), after=("conv1", "norm"))
    assert not infer(net.build()).nodes["norm"].issues
    shared = _net(conv(4, 3), L.BatchNorm2d(), L.ReLU())
    returned = edits.set_outputs(shared, ("fc", "a"))
    assert not infer(returned).nodes["b"].issues


def test_twice_the_same() -> None:
    net = _net(conv(4, 3), L.ReLU(), L.ReLU())
    issue = _one(net, "c")
    assert issue.message == "changes nothing: b is a ReLU already"
    _none(issue.repairs[0].edit(net))
    assert _one(_net(conv(4, 3), L.Sigmoid(), L.ReLU()), "c").message == "changes nothing: b is never negative"
    norms = _net(conv(4, 3), L.ReLU(), L.BatchNorm2d(), L.BatchNorm2d())
    for repair in _one(norms, "d").repairs:
        _none(repair.edit(norms))


def test_no_activation_is_said_once_a_row() -> None:
    net = _net(conv(4, 3), conv(4, 3), conv(4, 3), L.ReLU())
    assert [issue.node_id for issue in infer(net).issues] == ["b"]
    (repair,) = infer(net).issues[0].repairs
    assert [issue.node_id for issue in infer(repair.edit(net)).issues] == ["c"]


def test_a_convolution_in_two_factors_is_meant() -> None:
    _none(_net(conv(3, 3, padding=1, groups=3), conv(8, 1), L.ReLU()))
    _none(_net(conv(8, (1, 7)), conv(8, (7, 1)), L.ReLU()))


def test_one_pixel_has_nothing_around_it() -> None:
    net = _net(conv(4, 3, padding=1), L.ReLU(), size=1)
    issue = _one(net, "a")
    assert issue.message == "maps of 1×1 arrive: all taps of the 3×3 kernel but one read padding"
    repaired = issue.repairs[0].edit(net)
    assert repaired["a"].layer == conv(4, 1)
    _none(repaired)
    pooled = _net(conv(4, 1), L.ReLU(), L.AvgPool2d(kernel_size=(1, 1), stride=(1, 1)), size=1)
    assert "nothing left to pool" in _one(pooled, "c").message


def test_a_sum_that_repeats_a_branch() -> None:
    net = Builder("gate", 8, 6, 6)
    net.add("pool", adaptive_avg_pool(1))
    net.add("gate", L.Sigmoid())
    net.add("join", L.Add(), after=("input", "gate"))
    architecture = net.build()
    issue = _one(architecture, "join")
    assert issue.message == "8×1×1 of gate is repeated to 8×6×6: one value is added to a whole map"
    assert [repair.text for repair in issue.repairs] == ["multiply instead"]
    multiplied = issue.repairs[0].edit(architecture)
    assert isinstance(multiplied["join"].layer, L.Mul)
    _none(multiplied)
    narrow = Builder("narrow", 8, 6, 6)
    narrow.add("conv", conv(1, 1))
    narrow.add("join", L.Sub(), after=("input", "conv"))
    assert [r.text for r in _one(narrow.build(), "join").repairs] == ["project conv with 1×1"]


def test_maps_that_reach_a_linear_layer() -> None:
    net = _net(conv(4, 3), L.ReLU(), L.Dropout(), linear(5), classifier=False)
    issue = _one(net, "d")
    assert issue.severity == "warning"
    assert issue.message.startswith("4×14×14 arrives unflattened")
    assert not infer(issue.repairs[0].edit(net)).issues
    # As ConvNeXt has it: channels last, a norm, a linear layer over them, and another behind an activation.
    last = _net(L.Permute(dims=(2, 3, 1)), L.LayerNorm(), linear(12), L.GELU(), linear(3), L.Permute(dims=(3, 1, 2)))
    _none(last)


def test_what_nothing_reads() -> None:
    net = Builder("dead end", 3, 8, 8)
    net.add("conv1", conv(4, 3))
    net.add("relu1", L.ReLU())
    net.add("side", conv(4, 3), after="conv1")
    net.add("sideways", L.ReLU())
    net.add("conv2", conv(4, 3), after="relu1")
    architecture = net.build()
    issue = _one(architecture, "sideways")
    assert [repair.text for repair in issue.repairs] == ["return it too", "remove it and what leads to it only"]
    returned, removed = (repair.edit(architecture) for repair in issue.repairs)
    assert returned.outputs == ("conv2", "sideways")
    assert [node.id for node in removed] == ["input", "conv1", "relu1", "conv2"]
    _none(removed)


def test_of_several_heads_one_is_trained() -> None:
    net = Builder("two heads", 3, 8, 8)
    net.add("conv1", conv(4, 3))
    net.add("flatten", flatten())
    net.add("main", linear(10))
    net.add("aux", linear(10), after="flatten")
    net.add("probabilities", L.Softmax(), after="main")
    architecture = net.build(outputs=("main", "aux", "probabilities"))
    issue = _one(architecture, "aux")
    assert (issue.severity, issue.message.partition(";")[0]) == ("note", "training reads the first output")
    assert not infer(architecture).nodes["probabilities"].issues
    first, removed = (repair.edit(architecture) for repair in issue.repairs)
    assert first.outputs[0] == "aux"
    assert "aux" not in removed
    assert removed.outputs == ("main", "probabilities")
    assert "flatten" in removed


@pytest.mark.parametrize("layer", [L.Softmax(), L.LogSoftmax()])
def test_a_softmax_at_the_end_is_read_before_by_training(layer: L.Layer) -> None:
    net = _net(conv(4, 3), L.ReLU())
    net = edits.add_node(net, layer, ("fc",), "softmax")
    issue = _one(net, "softmax")
    assert issue.severity == "note"
    assert logits_node(net)[0] == "fc"
    assert issue.message.startswith("training reads the logits of fc:")
    assert issue.repairs[0].edit(net).outputs == ("fc",)


@pytest.mark.parametrize("layer", [L.ReLU(), L.Sigmoid(), L.Tanh(), L.GELU(), L.Hardsigmoid()])
def test_an_activation_behind_the_logits(layer: L.Layer) -> None:
    net = edits.add_node(_net(conv(4, 3), L.ReLU()), layer, ("fc",), "last")
    issue = _one(net, "last")
    assert issue.severity == "warning"
    assert "as logits" in issue.message
    _none(issue.repairs[0].edit(net))


def test_the_most_that_a_squashed_class_can_get_is_true() -> None:
    net = edits.add_node(_net(conv(4, 3), L.ReLU()), L.Sigmoid(), ("fc",), "last")
    # One class at 1, nine at 0: e / (e + 9).
    assert "23 %" in _one(net, "last").message


def test_a_net_that_is_still_growing_is_left_in_peace() -> None:
    _none(_net(conv(4, 3), L.ReLU(), classifier=False))


def test_dropout_behind_the_logits() -> None:
    net = edits.add_node(_net(conv(4, 3), L.ReLU()), L.Dropout(), ("fc",), "drop")
    issue = _one(net, "drop")
    assert issue.severity == "warning"
    _none(issue.repairs[0].edit(net))


def test_a_softmax_in_the_middle() -> None:
    net = Builder("middle", 3, 8, 8)
    net.add("flatten", flatten())
    net.add("fc1", linear(8))
    net.add("softmax", L.Softmax())
    net.add("fc2", linear(10))
    architecture = net.build()
    issue = _one(architecture, "fc2")
    assert issue.severity == "warning"
    assert issue.message.startswith("computes on the probabilities of softmax")
    assert "softmax" not in issue.repairs[0].edit(architecture)


def test_a_softmax_that_a_reshape_hides_from_training() -> None:
    net = edits.add_node(_net(conv(4, 3), L.ReLU()), L.Softmax(), ("fc",), "softmax")
    net = edits.add_node(net, L.Identity(), ("softmax",), "last")
    issue = _one(net, "last")
    assert issue.severity == "warning"
    assert logits_node(net)[0] == "last"
    _none(edits.remove(issue.repairs[0].edit(net), ["last"]))


def test_advice_follows_its_neighbours() -> None:
    net = _net(conv(4, 3), L.BatchNorm2d(), L.ReLU())
    before = infer(net)
    after = infer(edits.set_value(net, "a", "bias", False), before)
    assert not after.nodes["b"].issues
    renamed = edits.rename(net, "a", "stem")
    assert infer(renamed, before).nodes["b"].issues[0].message.startswith("the bias of stem")
    other = edits.set_value(net, "fc", "out_features", 12)
    assert "b" not in changed((net, before), (other, infer(other, before))).changed


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.id) for e in zoo.entries() if e.family in QUIET_FAMILIES])
def test_what_is_known_to_work_is_not_warned_of(entry: zoo.Entry) -> None:
    issues = infer(entry.build()).issues
    assert [issue.text for issue in issues if issue.severity != "note"] == []
