"""When instruments are asked: right around a step where they need one, and never at the cost of the run."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    Probe,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    StateChanged,
    StepsRecorded,
    WeightsCaptured,
)
from explorer.runtime.instruments import Instrument, Subject, make_instruments
from explorer.runtime.modules import build_module
from explorer.runtime.opened import open_layers
from explorer.training import load_data, train, watching
from explorer.training.data import loading
from explorer.training.observation import Observation
from explorer.training.plan import plan_run

_RATE = 0.0078125
"""A power of two: multiplying by it does not round."""
CONFIG = RunConfig(epochs=2, batch_size=16, learning_rate=_RATE, momentum=0.0, device="cpu")
"""Each step changes a weight by the rate times its gradient and nothing else."""


@pytest.fixture(autouse=True)
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """90 training and 40 test images: 6 steps an epoch."""
    full = load_data("digits")
    few = dataclasses.replace(
        full,
        train_images=full.train_images[:90],
        train_labels=full.train_labels[:90],
        test_images=full.test_images[:40],
        test_labels=full.test_labels[:40],
    )
    monkeypatch.setitem(loading._kept, ("digits", None), few)


class Around:
    """Needs a step; keeps a weight before and after, and the order in which it was asked."""

    needs_step = True

    def __init__(self, subject: Subject, fails_in: str = "") -> None:
        self._weight = next(subject.network.parameters())
        self._fails_in = fails_in
        self.asked: list[str] = []
        self.before: Tensor | None = None
        self.updates: list[tuple[int, Tensor, Tensor]] = []
        """Step, and the change of the weight beside what its gradient says."""

    def aim(self, look: Look) -> bool:
        self._say("aim")
        return look.measures

    def prepare(self) -> None:
        self._say("prepare")
        self.before = self._weight.detach().clone()

    def capture(self, step: int) -> WeightsCaptured:
        self._say(f"capture {step}")
        if self.before is not None and self._weight.grad is not None:
            after = self._weight.detach().clone()
            self.updates.append((step, after, self.before - _RATE * self._weight.grad))
        self.before = None
        return WeightsCaptured(run_id="r", step=step, layers={})

    def _say(self, what: str) -> None:
        self.asked.append(what)
        if what.split(maxsplit=1)[0] == self._fails_in:
            raise RuntimeError(f"{what} is out of order")


def run(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Subject], Sequence[Instrument]] = make_instruments,
    look: Look | None = None,
    reaction: Callable[[Event, RunControl], None] = lambda event, control: None,
) -> tuple[RunFinished | RunFailed, list[Event]]:
    monkeypatch.setattr(watching, "Observation", partial(Observation, make=make))
    events: list[Event] = []
    control = RunControl()
    control.watch(look or Look())

    def hear(event: Event) -> None:
        events.append(event)
        reaction(event, control)

    return train(zoo.entry("lenet5").build(), CONFIG, hear, control, run_id="r"), events


def losses(events: list[Event]) -> list[float]:
    return [float(loss) for event in events if isinstance(event, StepsRecorded) for loss in event.losses]


def test_what_needs_a_step_is_asked_right_before_and_right_after_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Around] = []

    def make(subject: Subject) -> Sequence[Instrument]:
        made.append(Around(subject))
        return made

    result, events = run(monkeypatch, make, Look(measures=True))
    assert isinstance(result, RunFinished)
    (around,) = made
    captured = [event.step for event in events if isinstance(event, WeightsCaptured)]
    assert around.asked[0] == "aim"
    assert len(captured) >= 2
    # The last one is of the run at its end, which no step follows.
    assert captured[-1] == result.step
    asked = around.asked[1:-1]
    assert asked == [what for step in captured[:-1] for what in ("prepare", f"capture {step}")]
    assert [step for step, _, _ in around.updates] == captured[:-1]
    for _, after, wanted in around.updates:
        # One update lies between, of the gradient that is still there: another step would have replaced both.
        torch.testing.assert_close(after, wanted, rtol=1e-6, atol=1e-8)


def test_at_rest_it_is_asked_without_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Around] = []

    def make(subject: Subject) -> Sequence[Instrument]:
        made.append(Around(subject))
        return made

    at_rest: list[list[str]] = []

    def pause(event: Event, control: RunControl) -> None:
        if isinstance(event, StepsRecorded) and event.first_step == 1:
            control.pause()
        elif isinstance(event, StateChanged) and event.state == "paused":
            at_rest.append(list(made[0].asked))
        elif isinstance(event, WeightsCaptured) and at_rest and control.is_paused:
            at_rest.append(list(made[0].asked))
            control.resume()

    result, events = run(monkeypatch, make, Look(measures=True), pause)
    assert isinstance(result, RunFinished)
    before, after = at_rest
    last_step = next(event.last_step for event in events if isinstance(event, StepsRecorded))
    assert after[len(before) :] == [f"capture {last_step}"]


@pytest.mark.parametrize("fails_in", ["aim", "prepare", "capture"])
def test_an_instrument_that_fails_is_given_up_and_costs_neither_run_nor_the_others(
    fails_in: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain = losses(run(monkeypatch)[1])
    made: list[Around] = []

    def make(subject: Subject) -> Sequence[Instrument]:
        made.append(Around(subject, fails_in))
        return (made[0], *make_instruments(subject))

    result, events = run(monkeypatch, make, Look(measures=True, maps=("conv1",)))
    assert isinstance(result, RunFinished)
    assert losses(events) == plain
    assert [what.split()[0] for what in made[0].asked].count(fails_in) == 1
    assert made[0].asked[-1].split()[0] == fails_in
    assert not [event for event in events if isinstance(event, WeightsCaptured)]
    assert [event for event in events if isinstance(event, FeatureMapsCaptured)]
    assert "is out of order" in caplog.text


def test_one_that_was_given_up_is_tried_again_for_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Around] = []

    def make(subject: Subject) -> Sequence[Instrument]:
        made.append(Around(subject, "prepare"))
        return made

    def look_elsewhere(event: Event, control: RunControl) -> None:
        if isinstance(event, StepsRecorded) and "prepare" in made[0].asked:
            control.watch(Look(measures=True, maps=("conv1",)))

    assert isinstance(run(monkeypatch, make, Look(measures=True), look_elsewhere)[0], RunFinished)
    assert made[0].asked == ["aim", "prepare", "aim", "prepare"]


def test_losses_are_bit_equal_whatever_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    every = tuple(node.id for node in zoo.entry("lenet5").build().nodes)
    probes = tuple(Probe(label=str(i), image=np.full((28, 28), 50 * i, np.uint8)) for i in range(3))

    def look_around(event: Event, control: RunControl) -> None:
        if isinstance(event, StepsRecorded):
            control.watch(Look(maps=every, opened=every, probes=probes, current=event.last_step % 3, measures=True))

    def make(subject: Subject) -> Sequence[Instrument]:
        return (*make_instruments(subject), Around(subject))

    plain = losses(run(monkeypatch)[1])
    result, events = run(monkeypatch, make, reaction=look_around)
    assert losses(events) == plain
    assert isinstance(result, RunFinished)
    kinds = {type(event) for event in events}
    assert {FeatureMapsCaptured, LayersOpened, WeightsCaptured} <= kinds


def test_opened_layers_are_the_networks_at_that_step() -> None:
    plan = plan_run(zoo.entry("lenet5").build(), CONFIG)
    probe = Probe(label="grey", image=np.full((28, 28), 90, np.uint8))
    said: list[Event] = []
    network = build_module(zoo.entry("lenet5").build(), seed=5)
    control = RunControl()
    observation = Observation("r", plan, network, said.append)
    observation.serve(control, 0, now=True)
    assert said == []
    control.watch(Look(opened=("conv1", "of another network"), probes=(probe,)))
    assert observation.is_stale(control)
    observation.serve(control, 7)
    assert not observation.is_stale(control)
    (event,) = said
    assert isinstance(event, LayersOpened)
    assert (event.run_id, event.step, event.probe, list(event.layers)) == ("r", 7, "grey", ["conv1"])
    x = torch.as_tensor(event.layers["conv1"].inputs[0])[None]
    assert x.shape == (1, 1, 32, 32)
    wanted = open_layers(network, x, ["conv1"])["conv1"]
    np.testing.assert_array_equal(event.layers["conv1"].output, wanted.output)
