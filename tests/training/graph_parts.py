"""What tests of captured steps share: a graph on the CPU that makes the recorded call again, and what it is made of."""

from typing import Literal

import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import EpochFinished, Event, RunConfig, RunControl, RunFinished, StepsRecorded
from explorer.runtime.modules import build_module
from explorer.training import step_choice
from explorer.training.graphed import (
    Call,
    Chosen,
    GraphedStep,
    choose_step,
)
from explorer.training.guard import Guard
from explorer.training.loop import train
from explorer.training.optimization import Optimization
from explorer.training.precision import Precision
from explorer.training.step import Step

CPU = torch.device("cpu")
Rule = Literal["sgd", "adam", "adamw", "rmsprop"]
USUAL_S, GRAPHED_S = 0.004, 0.001
RATE = 2.0**-6
"""Equal in float32, as a graph reads it, and in float64."""


class Replayed:
    """A graph whose replay makes the call again, with the learning rate read where it was when it was recorded."""

    def __init__(
        self,
        usual_s: float = USUAL_S,
        graphed_s: float = GRAPHED_S,
        tf32_s: float = GRAPHED_S,
        host_share: float = 0.9,
    ) -> None:
        """Let steps take so long; the host's share is of the usual one."""
        self.usual_s, self.graphed_s, self.tf32_s, self.host_share = usual_s, graphed_s, tf32_s, host_share
        self.is_tf32 = False
        """Whether what was recorded last multiplies in it."""
        self.optimization: Optimization | None = None
        self.num_replays = 0
        self.num_calls = 0

    def warm_up(self, call: Call) -> None:
        call()

    def record(self, call: Call) -> Call:
        assert self.optimization is not None
        groups = self.optimization.optimizer.param_groups
        (rate,) = {id(group["lr"]): group["lr"] for group in groups}.values()
        assert isinstance(rate, Tensor)
        assert all(group.get("capturable", True) for group in groups)
        call()
        step = getattr(call, "__self__", None)
        self.is_tf32 = isinstance(step, GraphedStep) and step._step.precision.name == "tf32"
        return lambda: self.replay(call, rate)

    def replay(self, call: Call, rate: Tensor) -> None:
        assert self.optimization is not None
        self.num_replays += 1
        with self.optimization.reading_rate(rate):
            call()

    def seconds(self, call: Call, count: int) -> float:
        self.num_calls += count
        replays = self.num_replays
        for _ in range(count):
            call()
        graphed_s = self.tf32_s if self.is_tf32 else self.graphed_s
        return graphed_s if self.num_replays > replays else self.usual_s

    def host_seconds(self, call: Call) -> float:
        call()
        return self.host_share * self.usual_s


class Parts:
    """A network, its optimizer, guard and step, with a batch of eight."""

    def __init__(self, config: RunConfig, capture: Replayed) -> None:
        self.network = build_module(lenet(), seed=0)
        self.optimization = Optimization(self.network, config, CPU, 10)
        self.guard = Guard(self.network, self.optimization.optimizer, CPU)
        self.step = Step(self.network, self.optimization, config)
        self.capture = capture
        capture.optimization = self.optimization
        random = torch.Generator().manual_seed(3)
        self.x = torch.randn(8, *self.network.architecture.input_shape, generator=random)
        self.target = torch.randint(10, (8,), generator=random)

    def choose(self, *others: Step) -> Chosen:
        batch = (self.x, self.target)
        return choose_step(self.step, self.network, self.optimization, self.guard.flag, batch, self.capture, others)

    def tf32(self) -> Step:
        return self.step.in_precision(Precision("tf32", CPU))


def lenet() -> Architecture:
    """With dropout."""
    return zoo.entry("lenet5-relu-dropout").build()


def numbers(events: list[Event]) -> tuple[list[float], list[float]]:
    steps = [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]
    return steps, [event.test_loss for event in events if isinstance(event, EpochFinished)]


def run(config: RunConfig) -> list[Event]:
    events: list[Event] = []
    assert isinstance(train(lenet(), config, events.append, RunControl(), run_id="r"), RunFinished)
    return events


def run_captured(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Event], Replayed]:
    capture = Replayed()
    made = Optimization.__init__

    def remember(self: Optimization, *values: object, **named: object) -> None:
        made(self, *values, **named)  # type: ignore[arg-type]
        capture.optimization = self

    with monkeypatch.context() as patch:
        patch.setattr(Optimization, "__init__", remember)
        patch.setattr(step_choice, "capture_of", lambda *_: capture)
        return run(config), capture
