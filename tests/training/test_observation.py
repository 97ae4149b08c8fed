"""When instruments are asked: right around a step where they need one, and never at the cost of the run."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersMeasured,
    LayersOpened,
    Look,
    Probe,
    ProbesExplained,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    StateChanged,
    StepsRecorded,
    WeightsCaptured,
)
from explorer.runs.looks import Pixel
from explorer.runs.observed import ChannelCompared, FieldMeasured
from explorer.runtime.instruments import Instrument, MapsInstrument, Subject, make_instruments
from explorer.runtime.modules import build_module
from explorer.runtime.statistics import StatisticsInstrument
from explorer.training import train, watching
from explorer.training.moments import MomentRecorder
from explorer.training.observation import CPU_SHARE, Observation
from explorer.training.plan import plan_run
from explorer.training.watching import Watching

_RATE = 0.0078125
"""A power of two: multiplying by it does not round."""
CONFIG = RunConfig(epochs=2, batch_size=16, learning_rate=_RATE, momentum=0.0, device="cpu")
"""Each step changes a weight by the rate times its gradient and nothing else."""


pytestmark = pytest.mark.usefixtures("few_digits")


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
            control.watch(
                Look(
                    probes=probes,
                    current=event.last_step % 3,
                    maps=every,
                    opened=every,
                    weighed=every,
                    first_kernels=every,
                    measures=True,
                    explained=True,
                    explained_class=event.last_step % 10,
                    pointed=Pixel("conv2", event.last_step % 16, 2, 3),
                    compared=("conv1", event.last_step % 6),
                )
            )

    def make(subject: Subject) -> Sequence[Instrument]:
        return (*make_instruments(subject), Around(subject))

    plain = losses(run(monkeypatch)[1])
    result, events = run(monkeypatch, make, reaction=look_around)
    assert losses(events) == plain
    assert isinstance(result, RunFinished)
    assert {
        FeatureMapsCaptured,
        LayersOpened,
        LayersMeasured,
        ProbesExplained,
        FieldMeasured,
        ChannelCompared,
    } <= {type(event) for event in events}
    # `Around` says some without layers.
    weighed = [event for event in events if isinstance(event, WeightsCaptured) and event.layers]
    assert {"conv1", "fc3"} <= weighed[-1].layers.keys()
    assert weighed[-1].first_kernels.keys() == weighed[-1].layers.keys()


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
    # The image as the network takes it, by hand: black around it, then normalised.
    (mean,), (std,) = plan.normalization.mean, plan.normalization.std
    x = (nn.functional.pad(torch.full((1, 1, 28, 28), 90 / 255), (2, 2, 2, 2)) - mean) / std
    seen: list[Tensor] = []
    network.get_submodule("conv1").register_forward_hook(lambda _module, _given, output: seen.append(output[0]))
    with torch.no_grad():
        network(x)
    np.testing.assert_allclose(event.layers["conv1"].inputs[0], x[0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(event.layers["conv1"].output, seen[0], rtol=1e-5, atol=1e-6)


# What captures may cost, with times that are given.

_COST_S = 0.05


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class CostlyMaps(MapsInstrument):
    """Feature maps that take their time."""

    def __init__(self, subject: Subject, clock: Clock) -> None:
        super().__init__(subject)
        self._clock = clock
        self.captured: list[int] = []
        self.aiming_s = self.aimed_s = 0.0
        """What each aiming takes, and took together."""

    def aim(self, look: Look) -> bool:
        self._clock.now_s += self.aiming_s
        self.aimed_s += self.aiming_s
        return super().aim(look)

    def capture(self, step: int) -> FeatureMapsCaptured:
        self._clock.now_s += _COST_S
        self.captured.append(step)
        return FeatureMapsCaptured(run_id="r", step=step, probe="", atlases={})


class CostlyStatistics(StatisticsInstrument):
    """Statistics that take a fifth of their time before the step."""

    def __init__(self, subject: Subject, clock: Clock) -> None:
        super().__init__(subject)
        self._clock = clock
        self.captured: list[int] = []

    def prepare(self) -> None:
        self._clock.now_s += 0.2 * _COST_S

    def capture(self, step: int) -> LayersMeasured:
        self._clock.now_s += 0.8 * _COST_S
        self.captured.append(step)
        return LayersMeasured(run_id="r", step=step, num_images=0, layers={})


class Costly(NamedTuple):
    """A run of steps of 10 ms with two costly instruments."""

    clock: Clock
    control: RunControl
    observation: Observation
    maps: CostlyMaps
    statistics: CostlyStatistics

    @property
    def cost_s(self) -> float:
        return _COST_S * (len(self.maps.captured) + len(self.statistics.captured))

    def serve(self, step: int = 0) -> tuple[bool, bool]:
        """Whether maps were captured, and statistics, with the step that follows."""
        before = len(self.maps.captured), len(self.statistics.captured)
        self.observation.serve(self.control, step)
        self.step(step + 1)
        return len(self.maps.captured) > before[0], len(self.statistics.captured) > before[1]

    def step(self, step: int) -> None:
        self.observation.before_step()
        self.clock.now_s += 0.01
        self.observation.after_step(step)

    def settle(self, look: Look) -> None:
        """Until maps were captured just now, and statistics too if they were about to be."""
        self.run(20.0, lambda _now_s: look)
        while not self.serve()[0]:
            pass
        self.run(0.1, lambda _now_s: look)

    def run(self, seconds: float, look: Callable[[float], Look]) -> None:
        until_s, step = self.clock.now_s + seconds, 0
        while self.clock.now_s < until_s:
            self.control.watch(look(self.clock.now_s))
            self.serve(step)
            step += 1


@pytest.fixture
def costly() -> Costly:
    clock, network = Clock(), build_module(zoo.entry("lenet5").build(), seed=5)
    subject = Subject(run_id="r", network=network, to_input=lambda _probe: torch.zeros(1, 1, 32, 32), is_trained=True)
    maps, statistics = CostlyMaps(subject, clock), CostlyStatistics(subject, clock)
    plan = plan_run(network.architecture, CONFIG)
    observation = Observation("r", plan, network, lambda _event: None, lambda _subject: (maps, statistics), clock=clock)
    return Costly(clock, RunControl(), observation, maps, statistics)


def alternating(first: Look, second: Look) -> Callable[[float], Look]:
    """Another look every 150 ms."""
    return lambda now_s: (first, second)[int(now_s / 0.15) % 2]


@pytest.mark.parametrize(
    "look",
    [
        lambda _now_s: Look(maps=("conv1",), measures=True),
        lambda now_s: Look(maps=("conv1",), measures=True, pointed=Pixel("conv2", int(now_s / 0.15) % 16)),
    ],
    ids=["at one thing", "pointing around"],
)
def test_captures_keep_to_their_share_whatever_else_is_looked_at(costly: Costly, look: Callable[[float], Look]) -> None:
    costly.run(120.0, look)
    # The first of each pays for warming up, and the last of each is not paid off yet.
    assert 0.9 * CPU_SHARE * costly.clock.now_s < costly.cost_s <= CPU_SHARE * costly.clock.now_s + 4 * _COST_S
    assert abs(len(costly.maps.captured) - len(costly.statistics.captured)) <= 2, "equal parts"
    assert costly.observation.spent_s == pytest.approx(costly.cost_s)


@pytest.mark.parametrize(
    "look",
    [
        alternating(Look(maps=("conv1",), measures=True), Look(maps=("conv2",), measures=True)),
        alternating(Look(maps=("conv1",)), Look(measures=True)),
    ],
    ids=["through the layers", "through the views"],
)
def test_looking_elsewhere_all_the_time_slows_no_run(costly: Costly, look: Callable[[float], Look]) -> None:
    costly.run(120.0, look)
    # As above, and two captures of each that were overdrawn.
    assert 0.9 * CPU_SHARE * costly.clock.now_s < costly.cost_s <= CPU_SHARE * costly.clock.now_s + 8 * _COST_S


def test_taking_what_is_looked_at_is_paid_like_a_capture(costly: Costly) -> None:
    costly.maps.aiming_s = _COST_S
    looks = (Look(maps=("conv1",)), Look(maps=("conv2",)))
    costly.run(120.0, lambda now_s: looks[int(now_s / 2.0) % 2])
    assert costly.maps.aimed_s >= 55 * _COST_S
    cost_s = costly.cost_s + costly.maps.aimed_s
    assert 0.9 * CPU_SHARE * costly.clock.now_s < cost_s <= CPU_SHARE * costly.clock.now_s + 16 * _COST_S
    assert costly.observation.spent_s == pytest.approx(cost_s)


def test_a_click_is_answered_at_once_and_the_third_one_soon(costly: Costly) -> None:
    layers = iter(("conv2", "pool2", "fc1"))
    costly.settle(Look(maps=("conv1",), measures=True))
    for _ in range(2):
        costly.control.watch(Look(maps=(next(layers),), measures=True))
        assert costly.serve() == (True, False), "the maps, and no statistics"
    costly.control.watch(Look(maps=(next(layers),), measures=True))
    asked_s = costly.clock.now_s
    assert not costly.serve()[0]
    while not costly.serve()[0]:
        pass
    # By then one of the three is paid off, at half the budget; the routine comes only after all are.
    assert costly.clock.now_s - asked_s <= 2 * _COST_S / CPU_SHARE + 0.1
    answered_s = costly.clock.now_s
    while not costly.serve()[0]:
        pass
    assert costly.clock.now_s - answered_s >= 2 * 2 * _COST_S / CPU_SHARE


def test_a_click_is_answered_though_no_picture_is_awaited(costly: Costly) -> None:
    costly.control.ask_for_pictures()
    costly.control.watch(Look(maps=("conv1",)))
    assert costly.serve()[0]
    costly.run(20.0, lambda _now_s: Look(maps=("conv1",)))
    assert len(costly.maps.captured) == 1
    costly.control.watch(Look(maps=("conv2",)))
    assert costly.serve()[0]
    assert not costly.serve()[0]
    costly.control.watch(Look())
    assert not costly.serve()[0]


def test_another_probe_is_a_new_part_of_what_is_seen_with_it(costly: Costly) -> None:
    probes = tuple(Probe(label=str(i), image=np.full((28, 28), 50 * i, np.uint8)) for i in range(3))
    costly.settle(Look(probes=probes[:2], maps=("conv1",), measures=True))
    costly.control.watch(Look(probes=probes[:2], current=1, maps=("conv1",), measures=True))
    assert costly.serve() == (True, False)
    costly.control.watch(Look(probes=probes[1:], maps=("conv1",), measures=True))
    assert costly.serve() == (True, False)


def test_what_is_captured_at_rest_is_not_paid_by_the_run(costly: Costly) -> None:
    costly.control.watch(Look(maps=("conv1",), measures=True))
    for step in range(30):
        costly.observation.serve(costly.control, step, now=True)
        costly.step(step + 1)
    # Maps, statistics without their preparation, and statistics over the single step.
    assert costly.observation.spent_s == pytest.approx(30 * (1.0 + 0.8 + 1.0) * _COST_S)
    assert costly.serve(30) == (True, True)


def test_the_control_is_told_what_all_captures_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, control, made = Clock(), RunControl(), list[CostlyMaps | CostlyStatistics]()

    def make(subject: Subject) -> Sequence[Instrument]:
        own = (CostlyMaps(subject, clock), CostlyStatistics(subject, clock))
        made.extend(own)
        return own

    monkeypatch.setattr(watching, "Observation", partial(Observation, make=make, clock=clock))
    monkeypatch.setattr(watching, "MomentRecorder", partial(MomentRecorder, make=make, clock=clock, busy_clock=clock))
    network = build_module(zoo.entry("lenet5").build(), seed=5)
    plan = plan_run(network.architecture, CONFIG)
    looking = Watching("r", plan, network, lambda _event: None, control, beginning=None, gradient_scale=lambda: 1.0)
    looking.keep_moments(tmp_path, 1 << 20)
    control.watch(Look(maps=("conv1",), measures=True))
    looking.begin(0)
    begun_s = control.pictures_seconds
    for step in range(100):
        looking.serve(step)
        looking.before_step(step + 1)
        looking.after_step(step + 1)
    looking.finish(100)
    looking.close()
    of_moments = [instrument for instrument in made[2:] if instrument.captured]
    assert of_moments
    assert 0 < begun_s < control.pictures_seconds
    # No step takes any time here, so that the clock shows what the captures took and nothing else.
    assert control.pictures_seconds == pytest.approx(clock.now_s)


def test_first_kernels_that_nobody_looked_at_before_are_asked_for_at_once() -> None:
    plan = plan_run(zoo.entry("lenet5").build(), CONFIG)
    said: list[Event] = []
    network = build_module(zoo.entry("lenet5").build(), seed=5)
    control = RunControl()
    observation = Observation("r", plan, network, said.append)
    # A mailbox that awaits nothing: only what is new is captured.
    for look, expected in ((("conv1",), ["conv1"]), (("conv1",), []), (("conv2", "conv1"), ["conv2", "conv1"])):
        said.clear()
        control.watch(Look(first_kernels=look))
        observation.serve(control, 0)
        assert [i for event in said if isinstance(event, WeightsCaptured) for i in event.first_kernels] == expected
