"""What the tests of a run's ways of making steps share: a small network and all that a run hands to them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from explorer.architecture import Architecture, Node
from explorer.layers import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Input, Linear, ReLU
from explorer.runs import Event, RunConfig, StepsRecorded
from explorer.runtime.modules import Network, build_module
from explorer.training.guard import Guard
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan, plan_run
from explorer.training.step import Step
from explorer.training.trial import Trial

CPU = torch.device("cpu")
CONFIG = RunConfig(epochs=2, batch_size=16, learning_rate=0.05, momentum=0.9, device="cpu")
Forward = Callable[[Tensor], Any]


def normed() -> Architecture:
    """With a norm, and dropout, which has to draw the same numbers compiled."""
    chain = (
        ("x", Input(channels=1, height=12, width=12)),
        ("conv", Conv2d(out_channels=6, kernel_size=(3, 3))),
        ("bn", BatchNorm2d()),
        ("relu", ReLU()),
        ("pool", AdaptiveAvgPool2d(output_size=(2, 2))),
        ("flat", Flatten()),
        ("drop", Dropout(p=0.25)),
        ("fc", Linear(out_features=10)),
    )
    before = [(), *((name,) for name, _ in chain)]
    nodes = [Node(id=name, layer=layer, inputs=inputs) for (name, layer), inputs in zip(chain, before, strict=False)]
    return Architecture(name="normed", nodes=tuple(nodes), outputs=("fc",))


class Parts(NamedTuple):
    """What a run hands to its choice of a step."""

    plan: RunPlan
    network: Network
    optimization: Optimization
    guard: Guard
    step: Step
    batch: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, config: RunConfig = CONFIG) -> "Parts":
        """Of `normed` on the CPU; asks for the data set `few_digits`."""
        plan = plan_run(normed(), config)
        network = build_module(plan.architecture, seed=0)
        optimization = Optimization(network, plan.config, CPU, plan.steps_per_epoch)
        random = torch.Generator().manual_seed(3)
        x = torch.randn(16, 1, 12, 12, generator=random)
        target = torch.randint(10, (16,), generator=random)
        guard = Guard(network, optimization.optimizer, CPU)
        return cls(plan, network, optimization, guard, Step(network, optimization, plan.config), (x, target))

    @property
    def trial(self) -> Trial:
        """Where other ways are tried."""
        return Trial(self.network, self.optimization, self.guard, CPU)

    def everything(self) -> list[Tensor]:
        """All that a step may change, as it is."""
        states = self.optimization.optimizer.state.values()
        kept = [value for state in states for value in state.values() if isinstance(value, Tensor)]
        values = [*self.network.state_dict().values(), self.guard.flag, *kept, torch.get_rng_state()]
        return [value.clone() for value in values]

    def is_as(self, before: Sequence[Tensor]) -> bool:
        """Whether `everything` is what it was, to the bit."""
        return all(torch.equal(one, other) for one, other in zip(before, self.everything(), strict=True))


class Working:
    """What compiles beside a run, as far as the run sees it."""

    def __init__(self, answers: Sequence[bool | None]) -> None:
        self.jobs: list[Mapping[str, Any]] = []
        self.num_closed = 0
        self._answers = list(answers)

    def begin(self, job: Mapping[str, Any]) -> "Working":
        self.jobs.append(job)
        return self

    def poll(self) -> bool | None:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        self.num_closed += 1


def losses(events: Sequence[Event]) -> list[float]:
    return [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]
