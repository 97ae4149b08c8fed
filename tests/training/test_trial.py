"""Whether another way of making steps is seen to do the same, and all is put back."""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor

from explorer.architecture import Architecture, Node
from explorer.layers import BatchNorm2d, Conv2d, Flatten, Input, Linear
from explorer.runs import RunConfig
from explorer.runtime.modules import build_module
from explorer.training.guard import Guard
from explorer.training.optimization import Optimization
from explorer.training.step import Step
from explorer.training.trial import Trial, TrialState, difference

CPU = torch.device("cpu")


class Tried:
    """A network whose convolution has a bias in front of a norm, which takes it out again."""

    def __init__(self, config: RunConfig | None = None, num_steps: int = 1) -> None:
        layers = (
            ("x", Input(channels=1, height=6, width=6)),
            ("conv", Conv2d(out_channels=4, kernel_size=(3, 3))),
            ("bn", BatchNorm2d()),
            ("flat", Flatten()),
            ("fc", Linear(out_features=5)),
        )
        before = [(), *((name,) for name, _ in layers)]
        nodes = [
            Node(id=name, layer=layer, inputs=inputs) for (name, layer), inputs in zip(layers, before, strict=False)
        ]
        self.network = build_module(Architecture(name="n", nodes=tuple(nodes), outputs=("fc",)), seed=0)
        config = config or RunConfig(learning_rate=0.1, momentum=0.9)
        self.optimization = Optimization(self.network, config, CPU, 10)
        self.step = Step(self.network, self.optimization, config)
        random = torch.Generator().manual_seed(1)
        self.batch = torch.randn(8, 1, 6, 6, generator=random), torch.randint(5, (8,), generator=random)
        for _ in range(num_steps):
            self.step(*self.batch)
        guard = Guard(self.network, self.optimization.optimizer, CPU)
        self.before = TrialState(self.network, self.optimization, guard.flag, CPU)

    def parameter(self, name: str) -> Tensor:
        return self.network.get_parameter(name)

    def difference(self, after: Callable[[], None]) -> str | None:
        """To a way that does the same, and then something else."""

        def other(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
            result = self.step(x, target)
            with torch.no_grad():
                after()
            return result

        return difference(self.step, other, self.optimization, self.before, self.batch)

    def put_back(self, names: Iterable[str]) -> Callable[[], None]:
        """What undoes the change of some parameters."""
        kept = {name: self.parameter(name).detach().clone() for name in names}

        def undo() -> None:
            for name, value in kept.items():
                self.parameter(name).copy_(value)

        return undo


@pytest.fixture
def tried() -> Tried:
    return Tried()


def test_the_same_is_the_same(tried: Tried) -> None:
    assert tried.difference(lambda: None) is None


@pytest.mark.parametrize("name", ["conv.weight", "bn.weight", "bn.bias", "fc.bias"])
def test_what_is_left_out_is_seen(tried: Tried, name: str) -> None:
    told = tried.difference(tried.put_back([name]))
    assert told is not None
    assert told.startswith(("changed the weights otherwise", "came to a loss of "))


@pytest.mark.parametrize("name", ["conv.weight", "bn.weight"])
def test_a_gradient_that_is_left_out_is_seen_behind_what_the_optimizer_remembers(name: str) -> None:
    tried = Tried(RunConfig(learning_rate=0.001, optimizer="adam"), num_steps=100)
    is_left_out = [False]

    def leave_out(gradient: Tensor) -> Tensor:
        return torch.zeros_like(gradient) if is_left_out[0] else gradient

    tried.parameter(name).register_hook(leave_out)  # type: ignore[no-untyped-call]

    def other(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        is_left_out[0] = True
        return tried.step(x, target)

    told = difference(tried.step, other, tried.optimization, tried.before, tried.batch)
    assert told == "came to other gradients than the usual one"


def test_the_last_steps_gradients_come_back(tried: Tried) -> None:
    kept = [parameter.grad for parameter in tried.network.parameters()]
    values = [None if gradient is None else gradient.clone() for gradient in kept]
    assert tried.difference(lambda: None) is None
    tried.before.put_back()
    for parameter, gradient, value in zip(tried.network.parameters(), kept, values, strict=True):
        assert parameter.grad is gradient
        assert gradient is not None
        assert value is not None
        assert torch.equal(gradient, value)


def test_statistics_are_compared_too(tried: Tried) -> None:
    def forget() -> None:
        tried.network.get_buffer("bn.running_mean").zero_()

    assert tried.difference(forget) == "changed the statistics otherwise than the usual one"


def test_the_rounding_of_a_bias_that_does_nothing_is_no_difference(tried: Tried) -> None:
    # It is 1e-8 of what the others change, and another order of the same sums may leave nothing of it.
    tried.before.restore()
    tried.step(*tried.batch)
    weights, _ = tried.before.changes()
    assert float(weights[1].norm()) < 1e-6 * max(float(change.norm()) for change in weights)

    def nudge() -> None:
        tried.parameter("conv.bias").mul_(1 + 2.0**-22)

    assert tried.difference(nudge) is None
    tried.before.restore()
    assert tried.difference(tried.put_back(["conv.bias"])) is None


def test_the_shortest_of_several_steps_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Tried()
    others = iter([0.3, 0.1, 0.5, 0.4, 0.2, 0.6, 0.7])
    usual = iter([0.2, 0.9, 0.8, 0.3, 0.4, 0.5, 0.6])
    monkeypatch.setattr(Trial, "_seconds", lambda _, make, __: next(usual if make is tried.step else others))
    guard = Guard(tried.network, tried.optimization.optimizer, CPU)
    trial = Trial(tried.network, tried.optimization, guard, CPU)
    found = trial.of(tried.step, lambda _: tried.step.through(tried.network), lambda: tried.batch, lambda: False)
    assert found is not None
    verdict = found[1]
    assert (verdict.difference, verdict.usual_s, verdict.other_s) == (None, 0.2, 0.1)
    assert verdict.times == "100 ms a step instead of 200 ms"


def test_a_stop_is_obeyed_after_each_step() -> None:
    tried = Tried()
    made = []

    def other(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        made.append(x)
        return tried.step(x, target)

    guard = Guard(tried.network, tried.optimization.optimizer, CPU)
    before = [parameter.clone() for parameter in tried.network.parameters()]
    trial = Trial(tried.network, tried.optimization, guard, CPU)
    # Stopped in the other way's first step of two.
    assert trial.of(tried.step, lambda _: other, lambda: tried.batch, lambda: bool(made)) is None
    assert len(made) == 1
    assert all(torch.equal(one, now) for one, now in zip(before, tried.network.parameters(), strict=True))
