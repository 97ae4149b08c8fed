"""The test between two tests: what it says is torch's own, it goes round all images, and a run does not notice it."""

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Conv2d, Dropout, Linear
from explorer.runs import ClassesTested, Event, Look, RunConfig, RunControl, RunFinished, StateChanged, StepsRecorded
from explorer.runs.latest_answers import LatestAnswers
from explorer.runs.observed import ImagesEvaluated
from explorer.runtime.images import to_network_input
from explorer.runtime.modules import build_module
from explorer.training import plan_run, reports, train, watching
from explorer.training.feed import Feed
from explorer.training.live_test import CAPTURE_S, LiveTest
from explorer.training.observation import Observation
from explorer.training.pacing import ReportPacing
from explorer.training.plan import RunPlan
from explorer.zoo.builder import Builder, flatten

pytestmark = pytest.mark.usefixtures("few_digits")
CONFIG = RunConfig(epochs=6, batch_size=16, learning_rate=0.05, device="cpu", threads=1)


def noisy() -> Architecture:
    """A network in which a look could leave traces: statistics of batches, and dropout's random numbers."""
    net = Builder("noisy", 1, 28, 28)
    net.add("conv", Conv2d(out_channels=4, kernel_size=(5, 5), stride=(3, 3)))
    net.add("norm", BatchNorm2d())
    net.add("drop", Dropout(p=0.3))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=10))
    return net.build()


class Ticking:
    """A clock that goes on by so much for each image that was evaluated."""

    def __init__(self, seconds_per_image: float) -> None:
        self._seconds_per_image = seconds_per_image
        self.sizes: list[int] = []
        """Images of each batch."""

    def __call__(self) -> float:
        return sum(self.sizes) * self._seconds_per_image


def instrument(clock: Ticking, most_images: int = 64) -> tuple[LiveTest, RunPlan, nn.Module]:
    network, plan = build_module(noisy(), seed=3), plan_run(noisy(), CONFIG)
    data = plan.data
    feed = Feed(data.test_images, data.test_labels, (1, 28, 28), plan.normalization, plan.device)
    batch = feed.batch

    def counted(positions: Tensor) -> tuple[Tensor, Tensor]:
        clock.sizes.append(len(positions))
        return batch(positions)

    feed.batch = counted  # type: ignore[method-assign,assignment]
    live = LiveTest("r", network, data, feed, nullcontext, most_images, plan.device, clock)
    assert live.aim(Look(tested=True))
    assert not live.aim(Look(measures=True))
    return live, plan, network


def test_the_answers_are_torchs_own() -> None:
    live, plan, network = instrument(Ticking(1e-4))
    answers = LatestAnswers(None)
    for step in range(20):
        answers.take(live.capture(step))
    tested = answers.tested()
    assert tested.positions is None, "all were met"
    x = to_network_input(plan.data.test_images, (1, 28, 28), plan.normalization)
    with torch.no_grad():
        logits = network.eval()(x)
    probabilities, predicted = logits.softmax(1).max(1)
    assert tested.predicted.tolist() == predicted.tolist()
    assert tested.labels.tolist() == plan.data.test_labels.tolist()
    np.testing.assert_allclose(tested.probabilities, probabilities, atol=1e-3)


def test_it_goes_round_all_images_in_no_order_of_theirs() -> None:
    clock = Ticking(1.0)
    live, plan, _ = instrument(clock)
    count = len(plan.data.test_labels)
    met = [int(live.capture(step).positions[-1]) for step in range(2 * count)]
    assert set(clock.sizes) == {1}, "each takes far too long to have more"
    assert sorted(met[:count]) == list(range(count))
    assert met[count:] == met[:count]
    assert met[:count] != sorted(met[:count])


@pytest.mark.parametrize(("seconds", "expected"), [(1e-2, 1), (CAPTURE_S / 5, 4), (1e-9, 32)])
def test_a_capture_takes_as_many_as_are_short(seconds: float, expected: int) -> None:
    clock = Ticking(seconds)
    live, _, _ = instrument(clock, most_images=100)
    for step in range(6):
        before = len(clock.sizes)
        live.capture(step)
        sizes = clock.sizes[before:]
        assert sum(sizes) <= 40, "there are no more"
        assert sum(sizes) * seconds <= max(seconds, 1.5 * CAPTURE_S)
    assert clock.sizes[-1] == expected


def test_an_event_holds_the_last_few_captures_back_to_the_last_test() -> None:
    live, _, _ = instrument(Ticking(1.0))
    events = [live.capture(step) for step in range(12)]
    newest = [int(event.positions[-1]) for event in events]
    assert events[-1].positions.tolist() == newest[-8:]
    assert events[2].positions.tolist() == newest[:3]
    live.forget()
    assert live.capture(12).positions.shape == (1,)


def test_a_capture_leaves_no_trace() -> None:
    live, _, network = instrument(Ticking(1e-4))
    network.train()
    next(network.children()).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    state, numpys, pythons = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # type: ignore[index]
    for step in range(3):
        live.capture(step)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpys)  # type: ignore[index]
    assert random.getstate() == pythons
    assert [module.training for module in network.modules()] == modes
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.fixture
def at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run reports after each step, and captures cost it nothing, so that one follows each report."""
    ticks = itertools.count()
    now_s = [0.0]

    class Served(Observation):
        def serve(self, control: RunControl, step: int, *, now: bool = False) -> None:
            now_s[0] = float(next(ticks))
            super().serve(control, step, now=now)

    monkeypatch.setattr(watching, "Observation", partial(Served, clock=lambda: now_s[0]))
    monkeypatch.setattr(reports, "ReportPacing", partial(ReportPacing, interval_s=0.0))


def run(look: Look, reaction: Callable[[Event, RunControl], None] = lambda _event, _control: None) -> list[Event]:
    events: list[Event] = []
    control = RunControl()
    control.watch(look)

    def hear(event: Event) -> None:
        events.append(event)
        reaction(event, control)

    assert isinstance(train(noisy(), CONFIG, hear, control, run_id="r"), RunFinished)
    return events


def losses(events: list[Event]) -> list[float]:
    return [float(loss) for event in events if isinstance(event, StepsRecorded) for loss in event.losses]


def whole_tests(events: list[Event]) -> Iterator[ClassesTested]:
    return (event for event in events if isinstance(event, ClassesTested))


@pytest.mark.usefixtures("at_each_step")
def test_a_run_is_the_same_to_the_bit_whether_it_is_looked_at() -> None:
    looked = run(Look(tested=True))
    alone = run(Look())
    captured = [event for event in looked if isinstance(event, ImagesEvaluated)]
    assert len({event.step for event in captured}) > 20
    assert not any(isinstance(event, ImagesEvaluated) for event in alone)
    assert losses(looked) == losses(alone)
    for one, other in zip(whole_tests(looked), whole_tests(alone), strict=True):
        assert np.array_equal(one.tested.predicted, other.tested.predicted)
        assert np.array_equal(one.tested.probabilities, other.tested.probabilities)


@pytest.mark.usefixtures("at_each_step")
def test_what_was_answered_before_a_test_is_not_said_after_it() -> None:
    events = run(Look(tested=True))
    captured = [event for event in events if isinstance(event, ImagesEvaluated)]
    follows = {first: then for event in captured for first, then in itertools.pairwise(event.positions.tolist())}
    seen, is_first, num_compared = 0, False, 0
    before: ImagesEvaluated | None = None
    for event in events:
        if isinstance(event, ClassesTested):
            seen, is_first = event.step, True
        elif isinstance(event, ImagesEvaluated):
            assert event.step >= seen
            if before is not None and is_first:
                # It goes on where the one before the test ended, with nothing of that one.
                assert int(event.positions[0]) == follows[int(before.positions[-1])]
                num_compared, is_first = num_compared + 1, False
            before = event
    assert num_compared > 2
    # At its end the run stands still, and says once more what the last test said, of those images alone.
    last = next(event for event in reversed(events) if isinstance(event, ImagesEvaluated))
    whole = list(whole_tests(events))[-1]
    assert last.step == whole.step
    assert last.predicted.tolist() == whole.tested.predicted[last.positions].tolist()


def test_at_rest_it_answers_too() -> None:
    at_rest: list[int] = []

    def pause(event: Event, control: RunControl) -> None:
        if isinstance(event, StepsRecorded) and event.first_step == 1:
            control.pause()
        elif isinstance(event, StateChanged) and event.state == "paused":
            control.watch(Look(tested=True))
        elif isinstance(event, ImagesEvaluated) and control.is_paused:
            at_rest.append(event.step)
            control.resume()

    run(Look(), pause)
    assert len(at_rest) == 1


def test_a_catalogue_network_says_its_classes() -> None:
    network = zoo.entry("lenet5").build()
    plan = plan_run(network, CONFIG)
    data = plan.data
    feed = Feed(data.test_images, data.test_labels, network.input_shape, plan.normalization, plan.device)
    live = LiveTest("r", build_module(network, seed=1), data, feed, plan.precision.autocast, 32, plan.device)
    event = live.capture(5)
    assert event.class_names == tuple("0123456789")
    assert (event.run_id, event.step, event.num_images) == ("r", 5, len(data.test_labels))
