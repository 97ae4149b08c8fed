"""A run that leaves the numbers: the step, the layer, and weights that are still those of that step."""

import dataclasses
from typing import Literal

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from explorer import zoo
from explorer.runs import RunConfig
from explorer.runtime.modules import Network, build_module
from explorer.training.guard import Guard, first_non_finite
from explorer.training.optimization import Optimization

CPU = torch.device("cpu")
Rule = Literal["sgd", "adam", "adamw", "rmsprop"]


def _step(network: Network, optimization: Optimization, x: torch.Tensor) -> torch.Tensor:
    optimization.begin_step()
    output = network(x)
    loss = F.cross_entropy(output[0] if isinstance(output, tuple) else output, torch.arange(len(x)) % 10)
    torch.autograd.backward(loss)
    optimization.update()
    return loss


def _says(guard: Guard) -> bool:
    return guard.is_bad


@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw", "rmsprop"])
def test_from_the_bad_step_on_nothing_is_updated(rule: Rule) -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    optimization = Optimization(network, RunConfig(optimizer=rule, weight_decay=0.01), CPU, 10)
    guard = Guard(network, optimization.optimizer, CPU)
    good, bad = torch.randn(4, 1, 32, 32), torch.full((4, 1, 32, 32), float("nan"))
    before = [value.clone() for value in network.parameters()]
    _step(network, optimization, good)
    assert _says(guard) is False
    after = [value.clone() for value in network.parameters()]
    assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    for x in (bad, good):
        _step(network, optimization, x)
        assert _says(guard) is True
        assert all(torch.equal(a, b) for a, b in zip(after, network.parameters(), strict=True))
    guard.close()


@pytest.mark.parametrize("size", [torch.float32, torch.bfloat16, torch.float16])
def test_large_numbers_are_numbers(size: torch.dtype) -> None:
    """Also where their sum would overflow."""
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    guard = Guard(network, Optimization(network, RunConfig(), CPU, 10).optimizer, CPU)
    logits = torch.full((128, 10), torch.finfo(size).max, dtype=size)
    guard.look(logits)
    assert _says(guard) is False
    logits[3, 4] = -torch.inf
    guard.look((logits, torch.zeros(128, 10)))
    assert _says(guard) is True
    guard.look(torch.zeros(128, 10))
    assert _says(guard) is True, "from there on"
    guard.close()


def test_a_look_in_evaluation_mode_does_not_count() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    guard = Guard(network, Optimization(network, RunConfig(), CPU, 10).optimizer, CPU)
    network.eval()
    network(torch.full((2, 1, 32, 32), float("nan")))
    assert not guard.is_bad
    guard.close()


@pytest.mark.parametrize("node_id", ["conv1", "conv2"])
def test_the_first_layer_is_named(node_id: str) -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    x = torch.randn(4, *network.architecture.input_shape)
    assert first_non_finite(network, x) is None
    module = network.node_module(node_id)
    assert module is not None
    weight = dict(module.named_parameters())["weight"]
    with torch.no_grad():
        weight.fill_(3e38)
    found = first_non_finite(network, x)
    assert found is not None
    assert (found.node_id, found.own_weights) == (node_id, False)
    with torch.no_grad():
        weight.fill_(float("nan"))
    found = first_non_finite(network, x)
    assert found is not None
    assert (found.node_id, found.own_weights) == (node_id, True)


def test_looking_for_it_leaves_the_statistics_alone() -> None:
    architecture = zoo.entry("resnet20").build()
    network = build_module(architecture, seed=0)
    before = {name: value.clone() for name, value in network.named_buffers()}
    first_non_finite(network, torch.full((2, *architecture.input_shape), float("inf")))
    assert all(torch.equal(before[name], value) for name, value in network.named_buffers())


def test_the_configuration_of_the_guarded_optimizers_is_torchs_own() -> None:
    """`found_inf` is what the fused kernels read; a torch without it would make this module pointless."""
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    for rule in ("sgd", "adam", "adamw"):
        config = dataclasses.replace(RunConfig(), optimizer=rule)
        assert Optimization(network, config, CPU, 1).optimizer._step_supports_amp_scaling  # type: ignore[attr-defined]
