"""The choice of threads on simulated machines: idle, busy, and changing; and that a run makes it."""

from collections.abc import Callable, Iterator

import pytest
import torch

from explorer import zoo
from explorer.runs import Event, RunConfig, RunControl, RunFinished, StepsRecorded
from explorer.training import train
from explorer.training.thread_choice import ThreadChoice

Rates = Callable[[int, float], float]
"""Images a second with so many threads at that time."""


class Machine:
    """Makes steps of 128 images and reports at least every 0.04 s, as a run does."""

    def __init__(self, rates: Rates, most: int = 2) -> None:
        self.rates = rates
        self.now_s = 0.0
        self.num_images = 0
        self.changes: list[tuple[float, int]] = []
        self.choice = ThreadChoice(most, lambda count: self.changes.append((self.now_s, count)))

    def run(self, seconds: float) -> float:
        """Images a second over that time."""
        start_s, before = self.now_s, self.num_images
        while self.now_s < start_s + seconds:
            spent_s, images = 0.0, 0
            while spent_s < 0.04:
                spent_s += 128 / self.rates(self.choice.count, self.now_s)
                images += 128
            self.now_s += spent_s
            self.num_images += images
            self.choice.measured(images, spent_s)
        return (self.num_images - before) / (self.now_s - start_s)


def idle(count: int, _now_s: float) -> float:
    return 14_000 if count > 1 else 8_000


def busy(count: int, _now_s: float) -> float:
    return 900 if count > 1 else 6_000


def test_two_idle_cores_are_used() -> None:
    machine = Machine(idle)

    assert machine.run(120) > 0.97 * 14_000
    assert machine.choice.count == 2


def test_a_window_that_draws_its_first_pictures_decides_nothing() -> None:
    machine = Machine(lambda count, now_s: (busy if now_s < 0.25 else idle)(count, now_s))

    machine.run(1)
    assert machine.choice.count == 2
    assert machine.run(9) > 0.97 * 14_000


def test_beside_busy_programs_one_thread_is_used() -> None:
    machine = Machine(busy)

    assert machine.run(120) > 0.93 * 6_000
    assert machine.choice.count == 1


def test_a_machine_that_gets_busy_is_noticed_within_seconds_and_one_that_is_idle_again_within_a_minute() -> None:
    machine = Machine(lambda count, now_s: (busy if 60 <= now_s < 180 else idle)(count, now_s))

    machine.run(60)
    assert machine.choice.count == 2
    machine.run(6)
    assert machine.choice.count == 1
    machine.run(120)
    machine.run(60)
    assert machine.choice.count == 2


def test_a_slow_network_that_collapses_is_tried_rarely() -> None:
    # AlexNet for 28x28 on a machine with eight other busy programs: a step takes 3 s with two threads, 0.4 with one.
    machine = Machine(lambda count, _now_s: 128 / 3.0 if count > 1 else 128 / 0.4)

    machine.run(60)
    assert machine.run(600) > 0.95 * 320


def test_equal_speed_leaves_the_second_core_to_others() -> None:
    machine = Machine(lambda _count, _now_s: 5_000.0)

    machine.run(2)

    assert machine.choice.count == 1


@pytest.mark.parametrize("most", [2, 8])
def test_steady_machines_are_not_disturbed(most: int) -> None:
    machine = Machine(idle, most)

    machine.run(600)

    trials = [count for _, count in machine.changes if count == 1]
    assert len(trials) <= 14


def test_one_thread_leaves_nothing_to_choose() -> None:
    machine = Machine(idle, most=1)

    machine.run(10)

    assert machine.changes == []


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """torch computes with two threads, and nobody has said that it should."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def counts_of_run(config: RunConfig) -> list[int | None]:
    """Threads of each report of a run of some fifty steps."""
    counts = []

    def emit(event: Event) -> None:
        if isinstance(event, StepsRecorded):
            counts.append(event.num_threads)

    result = train(zoo.entry("lenet5").build(), config, emit, RunControl(), run_id="r")
    assert isinstance(result, RunFinished)
    return counts


@pytest.mark.usefixtures("two_threads")
def test_a_run_tries_both_and_leaves_torch_as_it_was() -> None:
    counts = counts_of_run(RunConfig(epochs=1, batch_size=64, device="cpu"))

    assert set(counts) == {1, 2}
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_given_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig(epochs=1, batch_size=500, device="cpu")

    assert set(counts_of_run(RunConfig(epochs=1, batch_size=500, device="cpu", threads=1))) == {1}
    assert torch.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert set(counts_of_run(config)) == {2}


def test_steps_that_are_made_otherwise_are_tried_with_both_counts() -> None:
    choice = ThreadChoice(2, lambda _: None)
    counts = []
    for seconds in ({2: 0.1, 1: 0.2}, {2: 0.2, 1: 0.1}):
        while choice.is_trying:
            choice.measured(100, seconds[choice.count])
        counts.append(choice.count)
        choice.restart()
    assert counts == [2, 1]


def test_where_there_is_one_count_nothing_is_tried_anew() -> None:
    choice = ThreadChoice(1, lambda _: None)
    choice.restart()
    assert not choice.is_trying
