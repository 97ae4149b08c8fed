"""Repairs: every one removes its issue, on random networks; those of the usual mistakes by their text."""

import random
from collections import Counter

import pytest

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, ArchitectureError, edits
from explorer.inference import changed, infer
from explorer.inference.report import Issue
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear, max_pool
from tests.inference.random_networks import random_network

_NUM_NETWORKS = 200
_NUM_SEEDS = 8


@pytest.mark.parametrize("seed", range(_NUM_SEEDS))
def test_every_repair_removes_its_issue(seed: int) -> None:
    rng = random.Random(seed)
    severities: Counter[str] = Counter()
    for _ in range(_NUM_NETWORKS):
        architecture = random_network(rng)
        inference = infer(architecture)
        for issue in inference.issues:
            severities[issue.severity] += 1
            assert issue.severity != "error" or issue.repairs, issue.text
            texts = [repair.text for repair in issue.repairs]
            assert len(set(texts)) == len(texts), texts
            for repair in issue.repairs:
                repaired = repair.edit(architecture)
                after = infer(repaired, inference)
                assert after == infer(repaired)
                left = after.nodes.get(issue.node_id)
                if left is not None:
                    assert left.fault is None, (issue.text, repair.text, left.fault)
                    assert issue.message not in [other.message for other in left.issues], (issue.text, repair.text)
    assert min(severities[severity] for severity in ("error", "warning", "note")) > 5


def test_a_repair_of_another_version_is_refused_or_fits() -> None:
    """What a view still shows while the network has changed already."""
    rng = random.Random(5)
    num_refused = 0
    for _ in range(150):
        architecture = random_network(rng)
        other = random_network(rng)
        for issue in infer(architecture).issues:
            for repair in issue.repairs:
                try:
                    result = repair.edit(other)
                except (ArchitectureError, ValueError):
                    num_refused += 1
                else:
                    assert infer(result).nodes.keys() == {node.id for node in result}
    assert num_refused > 50


def _texts(architecture: Architecture, node_id: str) -> list[str]:
    (issue,) = [issue for issue in infer(architecture).errors if issue.node_id == node_id]
    return [repair.text for repair in issue.repairs]


def _applied(architecture: Architecture, text: str) -> Architecture:
    (repair,) = [r for issue in infer(architecture).errors for r in issue.repairs if r.text == text]
    return repair.edit(architecture)


def classifier(size: int) -> Architecture:
    """Two convolutions and a linear layer fixed at 16·5·5 features, which 32×32 images give."""
    net = Builder("classifier", 1, size, size)
    net.add("conv1", conv(6, 5))
    net.add("pool1", max_pool(2))
    net.add("conv2", conv(16, 5))
    net.add("pool2", max_pool(2))
    net.add("flatten", flatten())
    net.add("fc1", L.Linear(in_features=400, out_features=10))
    return net.build()


def test_fixed_features_after_another_input_size() -> None:
    assert not infer(classifier(32)).errors
    net = classifier(28)
    assert _texts(net, "fc1") == [
        "in_features follows the input",
        "in_features 256",
        "pool to 5×5 before flatten",
        "input 32×32",
        "out_channels 25 in conv2",
    ]
    assert _applied(net, "input 32×32").input_shape == (1, 32, 32)
    pooled = infer(_applied(net, "pool to 5×5 before flatten"))
    assert not pooled.errors
    assert pooled.nodes["flatten"].output_shape == (400,)


def test_a_width_that_no_longer_fits() -> None:
    net = Builder("width", 3, 16, 16)
    net.add("conv1", conv(32, 3))
    net.add("norm1", L.BatchNorm2d())
    net.add("conv2", L.Conv2d(in_channels=64, out_channels=8, kernel_size=(3, 3)))
    architecture = net.build()
    assert "out_channels 64 in conv1" in _texts(architecture, "conv2")
    assert not infer(_applied(architecture, "out_channels 64 in conv1")).errors


def test_an_image_of_other_channels() -> None:
    net = Builder("grey", 1, 16, 16)
    net.add("conv1", L.Conv2d(in_channels=3, out_channels=8, kernel_size=(3, 3)))
    assert "channels 3 of the input" in _texts(net.build(), "conv1")


def test_an_image_that_is_too_small() -> None:
    net = Builder("small", 1, 8, 8)
    net.add("conv1", conv(6, 5))
    net.add("pool1", max_pool(2))
    net.add("conv2", conv(16, 5))
    assert "input 14×14" in _texts(net.build(), "conv2")


def test_an_image_that_is_too_low() -> None:
    net = Builder("low", 1, 8, 30)
    net.add("conv1", conv(6, 5))
    net.add("pool1", max_pool(2))
    net.add("conv2", conv(16, 5))
    assert "input 14×30" in _texts(net.build(), "conv2")


def test_a_flatten_too_many() -> None:
    net = Builder("flatten too many", 1, 8, 8)
    net.add("conv1", conv(4, 3, padding=1))
    net.add("flatten", flatten())
    net.add("relu", L.ReLU())
    net.add("conv2", conv(4, 3, padding=1))
    architecture = net.build()
    texts = _texts(architecture, "conv2")
    assert "remove flatten" in texts
    assert "reshape to 4×8×8 before" in texts
    assert infer(_applied(architecture, "remove flatten")).nodes["conv2"].output_shape == (4, 8, 8)


def test_a_flatten_that_others_need_stays() -> None:
    net = Builder("flatten shared", 1, 8, 8)
    net.add("conv1", conv(4, 3, padding=1))
    net.add("flatten", flatten())
    net.add("pool", max_pool(2))
    net.add("fc", linear(10), after="flatten")
    architecture = net.build(outputs=("fc", "pool"))
    repaired = _applied(architecture, "read conv1 before flatten")
    assert repaired["pool"].inputs == ("conv1",)
    assert repaired["fc"].inputs == ("flatten",)


def residual(merge: L.Layer, channels: int = 32, stride: int = 2) -> Architecture:
    """A branch of other channels and half the size, joined with what it came from."""
    net = Builder("residual", 16, 32, 32)
    net.add("stem", L.ReLU())
    net.add("branch", conv(channels, 3, stride, 1))
    net.add("join", merge, after=("branch", "stem"))
    return net.build()


def test_a_sum_of_unlike_shapes() -> None:
    net = residual(L.Add())
    assert _texts(net, "join")[:3] == [
        "project stem with 1×1, stride 2",
        "pool stem to 16×16 and project it",
        "upsample branch to 32×32 and project it",
    ]
    wide = residual(L.Add(), channels=32, stride=1)
    assert _texts(wide, "join") == [
        "project stem with 1×1",
        "project branch with 1×1",
        "out_channels 16 in branch",
    ]
    same_width = residual(L.Add(), channels=16)
    assert "stride 1 in branch" in _texts(same_width, "join")
    assert infer(_applied(same_width, "stride 1 in branch")).nodes["join"].output_shape == (16, 32, 32)


def test_a_concatenation_of_unlike_sizes() -> None:
    net = residual(L.Concat())
    texts = _texts(net, "join")
    assert texts[:2] == ["pool stem to 16×16", "upsample branch to 32×32"]
    assert infer(_applied(net, texts[0])).nodes["join"].output_shape == (48, 16, 16)
    assert "stride 1 in branch" in texts


def test_valid_beside_same_padding() -> None:
    net = Builder("inception", 3, 16, 16)
    net.add("a", conv(4, 3), after="input")
    net.add("b", conv(4, 5, padding=2), after="input")
    net.add("join", L.Concat(), after=("a", "b"))
    assert "padding 1 in a" in _texts(net.build(), "join")


def test_features_beside_maps() -> None:
    net = Builder("squeeze and excitation", 8, 16, 16)
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("gate", linear(8))
    net.add("join", L.Mul(), after=("input", "gate"))
    architecture = net.build()
    assert _texts(architecture, "join")[0] == "reshape gate to one pixel a channel"
    repaired = infer(_applied(architecture, "reshape gate to one pixel a channel"))
    assert repaired.nodes["join"].output_shape == (8, 16, 16)


def test_one_branch_of_three_can_be_left_out() -> None:
    net = Builder("three", 4, 8, 8)
    net.add("a", conv(4, 3, padding=1), after="input")
    net.add("b", conv(4, 5), after="input")
    net.add("join", L.Add(), after=("input", "a", "b"))
    architecture = net.build()
    assert "leave out b" in _texts(architecture, "join")
    assert not infer(_applied(architecture, "leave out b")).errors


def test_faults_of_one_layer_are_mended_together() -> None:
    net = Builder("two faults", 3, 4, 4)
    net.add("conv1", L.Conv2d(in_channels=8, out_channels=4, kernel_size=(7, 7)))
    texts = _texts(net.build(), "conv1")
    assert "in_channels follows the input, kernel_size 4" in texts


def test_a_stopped_report_follows_what_stands_before_it() -> None:
    net = Builder("renamed", 1, 8, 8)
    net.add("conv1", conv(4, 3, padding=1))
    net.add("flatten", flatten())
    net.add("relu", L.ReLU())
    net.add("conv2", conv(4, 3, padding=1))
    before = net.build()
    first = infer(before)
    after = infer(edits.rename(before, "flatten", "row"), first)
    assert "remove row" in [repair.text for repair in _error(after.errors).repairs]
    renamed = edits.set_name(before, "other")
    assert "conv2" not in changed((before, first), (renamed, infer(renamed, first))).changed


def _error(errors: tuple[Issue, ...]) -> Issue:
    (issue,) = errors
    return issue
