"""What freezing means while a network trains; torch's own batch norm in evaluation mode is the oracle."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.architecture import Architecture, edits, freezing
from explorer.layers import BatchNorm2d, Dropout, InstanceNorm2d, ReLU
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network, build_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear


def small() -> Architecture:
    net = Builder("small", 3, 6, 6)
    net.add("conv", conv(4, 3, bias=False))
    net.add("instance", InstanceNorm2d(track_running_stats=True))
    net.add("relu", ReLU())
    net.add("plain", BatchNorm2d(affine=False))
    net.add("drop", Dropout(p=0.5))
    net.add("norm", BatchNorm2d())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", linear(2))
    return net.build()


FROZEN = ("conv", "norm", "instance", "plain", "drop")


def snapshot(network: Network) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in network.state_dict().items()}


def trained_steps(network: Network, count: int = 3) -> None:
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        optimizer.zero_grad()
        x = torch.randn(8, 3, 6, 6, generator=generator) * 5 + 3
        torch.autograd.backward(F.cross_entropy(network(x), torch.arange(8) % 2))
        optimizer.step()


@pytest.fixture
def frozen() -> Architecture:
    return edits.set_frozen(small(), FROZEN, True)


def test_training_leaves_frozen_layers_and_their_statistics_alone(frozen: Architecture) -> None:
    network = build_module(frozen, seed=0).train()
    before = snapshot(network)
    trained_steps(network)
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"fc.weight", "fc.bias"}


def test_what_is_not_frozen_follows_the_data() -> None:
    network = build_module(small(), seed=0)
    before = snapshot(network)
    trained_steps(network)
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == set(before) - {"instance.num_batches_tracked"}  # torch itself never counts those


def test_a_frozen_norm_computes_as_in_evaluation(frozen: Architecture) -> None:
    network = build_module(frozen, seed=0)
    module = network.node_module("norm")
    assert isinstance(module, nn.BatchNorm2d)
    assert module.running_mean is not None
    module.running_mean.fill_(0.25)
    arrived, left = network.train().trace(torch.randn(1, 3, 6, 6), ["drop", "norm"]).values()
    by_hand = F.batch_norm(arrived, torch.full((4,), 0.25), torch.ones(4), torch.ones(4), torch.zeros(4))
    assert torch.equal(left, by_hand)


def test_modes(frozen: Architecture) -> None:
    network = build_module(frozen, seed=0)
    modes = {name: module.training for name, module in network.named_modules() if name in frozen}
    assert {name for name, training in modes.items() if not training} == {"norm", "instance", "plain"}
    with evaluating(network):
        assert not any(module.training for module in network.modules())
    assert {name: module.training for name, module in network.named_modules() if name in frozen} == modes
    assert network.eval() is network
    assert not any(module.training for module in network.modules())
    network.train()
    assert {name: module.training for name, module in network.named_modules() if name in frozen} == modes


def test_a_thawed_norm_trains_again(frozen: Architecture) -> None:
    old = build_module(frozen, seed=0)
    thawed = build_module(freezing.freeze(frozen, ()), seed=0, reuse=old)
    assert thawed.node_module("norm") is old.node_module("norm")
    assert all(module.training for module in thawed.modules())
