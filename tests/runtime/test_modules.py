"""The built module against one written by hand, its keys, its trace, and where its weights come from."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.architecture import Architecture, EditRefused, edits
from explorer.inference.logits import logits_node
from explorer.layers import Conv2d, ConvTranspose2d, Flatten, Linear, LogSoftmax, Opaque, PartialConv2d, Softmax
from explorer.layers.opaque import Measurement
from explorer.runtime.modules import NotRunnable, build_module, node_seed
from explorer.zoo.builder import Builder, conv
from tests.export.every_layer import every_layer
from tests.networks import branching


def lenet5() -> Architecture:
    return zoo.entry("lenet5").build()


def test_lenet_computes_what_the_same_layers_in_sequence_do() -> None:
    network = build_module(lenet5(), seed=3)
    by_hand = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    by_hand.load_state_dict(dict(zip(by_hand.state_dict(), network.state_dict().values(), strict=True)))
    x = torch.rand(5, 1, 32, 32)
    assert torch.equal(network(x), by_hand(x))


def test_keys_are_node_ids() -> None:
    keys = set(build_module(branching()).state_dict())
    assert {"stem.conv.weight", "layer1.0.norm1.running_mean", "mixed.left.bias", "aux.fc.bias"} <= keys
    assert not any(key.startswith("mixed.right") for key in keys)


def test_several_outputs_come_in_order_and_trace_equals_hooks() -> None:
    architecture = branching()
    network = build_module(architecture, seed=0).eval()
    seen: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if name in architecture:
            module.register_forward_hook(lambda _m, _i, output, name=name: seen.__setitem__(name, output))
    x = torch.rand(2, 3, 16, 16)
    outputs = network(x)
    hooked = dict(seen)
    assert isinstance(outputs, tuple)
    assert [torch.equal(o, hooked[i]) for o, i in zip(outputs, architecture.outputs, strict=True)] == [True, True]
    traced = network.trace(x, [node.id for node in architecture])
    assert all(torch.equal(traced[name], value) for name, value in hooked.items())
    assert torch.equal(traced["layer1.0.add"], traced["layer1.0.relu"] + traced["stem.relu"])
    assert torch.equal(traced["mixed.cat"], torch.cat([traced["mixed.left"], traced["mixed.right"]], 1))
    with pytest.raises(KeyError):
        network.trace(x, ["nowhere"])


def test_forward_leaves_out_what_no_output_needs() -> None:
    network = build_module(replace(branching(), outputs=("fc",)))
    calls: list[str] = []
    for name in ("aux.conv", "fc"):
        network.get_submodule(name).register_forward_hook(lambda *_, name=name: calls.append(name))
    network(torch.rand(2, 3, 16, 16))
    assert calls == ["fc"]
    assert "aux.conv.weight" in network.state_dict()


def test_a_seeded_build_leaves_torchs_random_state() -> None:
    state = torch.get_rng_state()
    build_module(branching(), seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_layers_weights_follow_from_the_seed() -> None:
    state = torch.get_rng_state()
    first, again, other = (build_module(every_layer(), seed=seed).state_dict() for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    for node in every_layer():
        if isinstance(node.layer, (Conv2d, ConvTranspose2d, PartialConv2d, Linear)):
            assert not torch.equal(first[f"{node.id}.weight"], other[f"{node.id}.weight"])


def test_an_opaque_layers_weights_follow_from_the_seed_too() -> None:
    net = Builder("attention", 4, 3, 3)
    net.add("rows", Flatten(start_dim=2))
    attention = "d_model=9, nhead=3, dim_feedforward=5, batch_first=True"
    measured = (Measurement(inputs=((4, 9),), output=(4, 9)),)
    net.add("opaque", Opaque(module="TransformerEncoderLayer", arguments=attention, measured=measured))
    state = torch.get_rng_state()
    first, again, other = (build_module(net.build(), seed=seed).state_dict() for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    for key in ("self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.bias"):
        assert not torch.equal(first[f"opaque.{key}"], other[f"opaque.{key}"])


def test_frozen_nodes_are_left_alone_by_training() -> None:
    architecture = edits.set_frozen(lenet5(), ["conv1"], True)
    network = build_module(architecture, seed=0)
    assert not any(parameter.requires_grad for parameter in network.get_submodule("conv1").parameters())
    assert all(parameter.requires_grad for parameter in network.get_submodule("conv2").parameters())
    thawed = build_module(lenet5(), seed=0, reuse=network)
    assert thawed.node_module("conv1") is network.node_module("conv1")
    assert all(parameter.requires_grad for parameter in thawed.parameters())


def test_a_nodes_weights_follow_from_seed_and_id_alone() -> None:
    architecture = lenet5()
    first = build_module(architecture, seed=7).state_dict()
    with torch.random.fork_rng():
        torch.manual_seed(node_seed(7, "conv2"))
        assert torch.equal(first["conv2.weight"], nn.Conv2d(6, 16, 5).weight)
    edited = build_module(edits.set_value(architecture, "conv1", "kernel_size", 3), seed=7).state_dict()
    assert torch.equal(edited["conv2.weight"], first["conv2.weight"])
    assert not torch.equal(build_module(architecture, seed=8).state_dict()["conv2.weight"], first["conv2.weight"])


def test_unchanged_nodes_are_taken_over() -> None:
    architecture = lenet5()
    old = build_module(architecture, seed=0)
    new = build_module(edits.set_value(architecture, "conv1", "kernel_size", 3), seed=0, reuse=old)
    assert new.node_module("conv2") is old.node_module("conv2")
    assert new.node_module("conv1") is not old.node_module("conv1")


def test_a_fault_is_named() -> None:
    broken = edits.set_value(lenet5(), "conv2", "kernel_size", 99)
    with pytest.raises(NotRunnable, match="conv2: kernel_size 99"):
        build_module(broken)


def test_ids_may_be_names_that_torch_uses_but_one() -> None:
    net = Builder("names", 1, 8, 8)
    net.add("type", conv(2, 3))
    net.add("0.half", conv(2, 3))
    network = build_module(net.build())
    assert network(torch.rand(1, 1, 8, 8)).shape == (1, 2, 4, 4)
    assert "type.weight" in network.state_dict()
    with pytest.raises(EditRefused, match="'training'"):
        build_module(edits.add_node(net.build(), conv(2, 1), ["0.half"], "block.training"))


def test_logits_are_what_arrives_at_a_softmax() -> None:
    assert logits_node(lenet5()) == ("fc3", None)
    node_id, note = logits_node(zoo.entry("lenet5-tanh84").build())
    assert node_id == "fc2"
    assert note is not None
    assert "softmax" in note
    net = Builder("logarithm", 1, 4, 4)
    net.add("scores", conv(2, 4))
    net.add("flatten", Flatten())
    net.add("log", LogSoftmax())
    assert logits_node(net.build()) == (
        "flatten",
        "Training reads the logits of flatten, since the loss applies the log-softmax of log itself.",
    )
    net = Builder("other dimension", 1, 4, 4)
    net.add("conv", Conv2d(out_channels=2, kernel_size=(1, 1)))
    net.add("softmax", Softmax(dim=2))
    assert logits_node(net.build())[0] == "softmax"
