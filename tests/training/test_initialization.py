"""Initial weights follow their papers' distributions, by node and seed, and touch nothing else."""

import math

import pytest
import torch

from explorer import zoo
from explorer.architecture import edits
from explorer.runtime.modules import build_module
from explorer.training.initialization import initialize

# fan in and fan out of LeNet-5's conv2 (6 to 16 channels, 5 x 5) and fc1 (400 to 120)
FANS = {"conv2": (6 * 25, 16 * 25), "fc1": (400, 120)}


def bound(how: str, node_id: str) -> float:
    """Of the uniform distribution, or the standard deviation of the normal one."""
    fan_in, fan_out = FANS[node_id]
    std = math.sqrt(2 / (fan_in + fan_out)) if how.startswith("xavier") else math.sqrt(2 / fan_in)
    return std * math.sqrt(3) if how.endswith("uniform") else std


@pytest.mark.parametrize("how", ["xavier-uniform", "xavier-normal", "kaiming-uniform", "kaiming-normal"])
@pytest.mark.parametrize("node_id", ["conv2", "fc1"])
def test_distributions(how: str, node_id: str) -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    initialize(network, how, 0)
    weight = network.get_parameter(f"{node_id}.weight").detach().flatten()
    expected = bound(how, node_id)
    if how.endswith("uniform"):
        assert 0.98 * expected < float(weight.abs().max()) <= expected
        assert float(weight.std()) == pytest.approx(expected / math.sqrt(3), rel=0.05)
    else:
        assert float(weight.std()) == pytest.approx(expected, rel=0.05)
        assert float(weight.abs().max()) > 2.5 * expected
    assert float(weight.mean()) == pytest.approx(0, abs=0.1 * expected)


def test_default_and_biases_are_torchs() -> None:
    fresh, same, other = (build_module(zoo.entry("lenet5").build(), seed=3) for _ in range(3))
    initialize(same, "default", 3)
    initialize(other, "xavier-uniform", 3)
    for name, value in fresh.named_parameters():
        assert torch.equal(value, same.get_parameter(name))
        assert torch.equal(value, other.get_parameter(name)) == name.endswith("bias")


def test_norms_are_left_alone() -> None:
    network = build_module(zoo.entry("resnet20").build(), seed=0)
    initialize(network, "kaiming-normal", 0)
    for name, value in network.named_parameters():
        if ".bn" in name or name.startswith("bn"):
            assert torch.equal(value, torch.ones_like(value) if name.endswith("weight") else torch.zeros_like(value))


def test_equal_seeds_give_equal_weights_whatever_else_is_in_the_network() -> None:
    def weight(seed: int, kernel: int = 5) -> torch.Tensor:
        network = build_module(edits.set_value(zoo.entry("lenet5").build(), "conv1", "kernel_size", kernel), seed=seed)
        initialize(network, "xavier-uniform", seed)
        return network.get_parameter("conv2.weight").detach()

    assert torch.equal(weight(1), weight(1))
    assert torch.equal(weight(1), weight(1, kernel=3))
    assert not torch.equal(weight(1), weight(2))
    state = torch.random.get_rng_state()
    weight(4)
    assert torch.equal(torch.random.get_rng_state(), state)
