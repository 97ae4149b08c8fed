"""What changes the weights, against torch's optimizers used by hand; and the state that a run goes on from."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from explorer import zoo
from explorer.layers import BatchNorm2d, Linear, ReLU
from explorer.runs import RunConfig
from explorer.runtime.modules import Network, build_module
from explorer.training.optimization import Optimization
from explorer.training.step import Step
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten

CPU = torch.device("cpu")


def network(seed: int = 0) -> Network:
    net = Builder("small", 1, 8, 8)
    # A bias in front of a norm has no gradient but rounding, which Adam makes steps of.
    net.add("conv", conv(4, 3, bias=False))
    net.add("bn", BatchNorm2d())
    net.add("relu", ReLU())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=3))
    return build_module(net.build(), seed=seed)


def batches(count: int) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(6, 1, 8, 8, generator=generator), torch.randint(3, (6,), generator=generator))
        for _ in range(count)
    ]


def trained(config: RunConfig, count: int = 5) -> dict[str, Tensor]:
    net = network()
    optimization = Optimization(net, config, CPU, 5)
    step = Step(net, optimization, config)
    for x, target in batches(count):
        step(x, target)
        optimization.end_step()
    return net.state_dict()


def by_hand(
    make: Callable[[nn.Module], torch.optim.Optimizer], before: Callable[[nn.Module], object] | None = None
) -> dict[str, Tensor]:
    net = network()
    optimizer = make(net)
    for x, target in batches(5):
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(net(x), target))
        if before is not None:
            before(net)
        optimizer.step()
    return net.state_dict()


def assert_equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("values", "make"),
    [
        ({"momentum": 0.0}, lambda n: torch.optim.SGD(n.parameters(), 0.01)),
        ({}, lambda n: torch.optim.SGD(n.parameters(), 0.01, 0.9)),
        ({"nesterov": True}, lambda n: torch.optim.SGD(n.parameters(), 0.01, 0.9, nesterov=True)),
        ({"nesterov": True, "momentum": 0.0}, lambda n: torch.optim.SGD(n.parameters(), 0.01)),
        ({"optimizer": "adam"}, lambda n: torch.optim.Adam(n.parameters(), 0.01)),
        (
            {"optimizer": "adam", "weight_decay": 0.1, "decay_norms": True},
            lambda n: torch.optim.Adam(n.parameters(), 0.01, weight_decay=0.1),
        ),
        (
            {"optimizer": "adamw", "weight_decay": 0.1, "decay_norms": True},
            lambda n: torch.optim.AdamW(n.parameters(), 0.01, weight_decay=0.1),
        ),
        # torch's own default of AdamW is 0.01, ours is what the field says.
        ({"optimizer": "adamw"}, lambda n: torch.optim.AdamW(n.parameters(), 0.01, weight_decay=0.0)),
        ({"optimizer": "rmsprop"}, lambda n: torch.optim.RMSprop(n.parameters(), 0.01, momentum=0.9)),
    ],
)
def test_updates_are_torchs(values: dict[str, Any], make: Callable[[nn.Module], torch.optim.Optimizer]) -> None:
    assert_equal(trained(RunConfig(learning_rate=0.01, **values)), by_hand(make))


def test_weight_decay_leaves_biases_and_norms_out() -> None:
    def make(net: nn.Module) -> torch.optim.Optimizer:
        named = dict(net.named_parameters())
        decayed = ["conv.weight", "fc.weight"]
        groups: list[dict[str, Any]] = [
            {"params": [named[name] for name in decayed], "weight_decay": 0.3},
            {"params": [p for name, p in named.items() if name not in decayed]},
        ]
        return torch.optim.SGD(groups, 0.01, 0.9)

    assert_equal(trained(RunConfig(learning_rate=0.01, weight_decay=0.3)), by_hand(make))


@pytest.mark.parametrize("network_id", ["convnext-tiny", "resnet20", "lenet5-1998"])
def test_what_decays_has_more_than_one_number_a_channel(network_id: str) -> None:
    with torch.device("meta"):
        net = build_module(zoo.entry(network_id).build())
    optimization = Optimization(net, RunConfig(weight_decay=0.1), torch.device("meta"), 1)
    decayed = {id(p) for p in optimization.optimizer.param_groups[0]["params"]}
    assert [group["weight_decay"] for group in optimization.optimizer.param_groups] == [0.1, 0.0]
    for name, parameter in net.named_parameters():
        is_kernel = name.endswith("weight") and parameter.numel() > max(parameter.shape)
        assert (id(parameter) in decayed) == is_kernel, name


def test_gradients_are_clipped_over_all_weights() -> None:
    def clip(net: nn.Module) -> None:
        squares = torch.stack([p.grad.square().sum() for p in net.parameters() if p.grad is not None])
        norm = float(squares.sum().sqrt())
        assert norm > 0.05, "else nothing is tested"
        for parameter in net.parameters():
            assert parameter.grad is not None
            parameter.grad.mul_(min(1.0, 0.05 / norm))

    made = by_hand(lambda n: torch.optim.SGD(n.parameters(), 0.01, 0.9), clip)
    assert_equal(trained(RunConfig(learning_rate=0.01, clip_norm=0.05)), made)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_gradients_that_overflowed_are_told_with_their_scale(optimizer: Any) -> None:
    """Fused kernels take the scale out of the gradients only where they use them."""
    net, twin, (x, target) = network(), network(), batches(1)[0]
    optimization = Optimization(net, RunConfig(precision="float16", optimizer=optimizer), CPU, 5)
    for overflows in (True, False, True):
        before = net.get_parameter("fc.weight").detach().clone()
        optimization.begin_step()
        twin.load_state_dict(net.state_dict())
        twin.zero_grad()
        torch.autograd.backward(F.cross_entropy(twin(x), target))
        torch.autograd.backward(optimization.scaled(F.cross_entropy(net(x), target)))
        bias = net.get_parameter("fc.bias")
        assert bias.grad is not None
        if overflows:
            bias.grad[0] = torch.inf
        optimization.update()
        assert torch.equal(net.get_parameter("fc.weight"), before) == overflows
        for (name, found), wanted in zip(net.named_parameters(), twin.parameters(), strict=True):
            assert found.grad is not None
            assert wanted.grad is not None
            finite = torch.isfinite(found.grad)
            assert int((~finite).sum()) == (overflows and name == "fc.bias")
            told = found.grad / optimization.gradient_scale()
            torch.testing.assert_close(told[finite], wanted.grad[finite], rtol=1e-6, atol=1e-9)


def test_frozen_weights_are_left_alone() -> None:
    net = network()
    net.get_parameter("conv.weight").requires_grad_(False)
    before = net.get_parameter("conv.weight").clone()
    config = RunConfig(weight_decay=0.5, decay_norms=True)
    optimization = Optimization(net, config, CPU, 5)
    Step(net, optimization, config)(*batches(1)[0])
    assert torch.equal(net.get_parameter("conv.weight"), before)


def test_a_new_learning_rate_scales_what_is_left_of_the_schedule() -> None:
    config = RunConfig(epochs=2, learning_rate=0.1, schedule="cosine")
    net = network()
    optimization = Optimization(net, config, CPU, 5)
    step, rates = Step(net, optimization, config), []
    for index, (x, target) in enumerate(batches(10)):
        if index == 4:
            optimization.learning_rate = 0.01
        step(x, target)
        rates.append(optimization.step_learning_rate)
        optimization.end_step()
    plain = torch.optim.SGD([torch.zeros(())], 1.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(plain, 10)
    factors = []
    for _ in range(10):
        factors.append(cosine.get_last_lr()[0])
        plain.step()
        cosine.step()
    assert rates == pytest.approx([(0.1 if i < 4 else 0.01) * factor for i, factor in enumerate(factors)])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "plateau"])
def test_a_state_goes_on_to_the_last_bit(optimizer: Any, schedule: Any) -> None:
    config = RunConfig(
        epochs=4, optimizer=optimizer, schedule=schedule, weight_decay=0.01, warmup_epochs=1.5, plateau_patience=0
    )
    data = batches(20)

    def go(net: Network, optimization: Optimization, first: int, last: int) -> list[float]:
        step, losses = Step(net, optimization, config), []
        for index in range(first, last):
            losses.append(float(step(*data[index])[0]))
            optimization.end_step()
            if (index + 1) % 5 == 0:
                optimization.end_epoch(1.0)
        return losses

    net = network()
    optimization = Optimization(net, config, CPU, 5)
    go(net, optimization, 0, 7)
    optimization.learning_rate = 0.003
    weights, state = copy.deepcopy(net.state_dict()), copy.deepcopy(optimization.state_dict())
    expected = go(net, optimization, 7, 20)

    other = network(seed=5)
    other.load_state_dict(weights)
    resumed = Optimization(other, config, CPU, 5)
    resumed.load_state_dict(state)
    assert go(other, resumed, 7, 20) == expected
    for name, value in other.state_dict().items():
        assert torch.equal(value, net.state_dict()[name])
