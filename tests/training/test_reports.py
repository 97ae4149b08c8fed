"""How long a run will still take, on simulated machines whose clock only steps, tests and pauses move."""

import pytest
import torch

from explorer import zoo
from explorer.runs import RunConfig, RunControl
from explorer.training import reports as module
from explorer.training import train
from explorer.training.reports import Reports

STEPS, EPOCHS = 100, 80
ONE = torch.zeros(())


class Machine:
    """Makes the steps of a run, whose epochs end with a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step_s: float, test_s: float, expected_steps: float) -> None:
        self.now_s = 0.0
        self.step_s, self.test_s = step_s, test_s
        self.num_made = 0
        monkeypatch.setattr(module, "time", self)
        self.reports = Reports(expected_steps)

    def perf_counter(self) -> float:
        return self.now_s

    def make(self, count: int) -> None:
        for _ in range(count):
            self.now_s += self.step_s
            self.num_made += 1
            self.reports.add(ONE, ONE, torch.zeros(128))
            if self.reports.is_due:
                self.reports.fetch()
            if self.num_made % STEPS == 0:
                self.reports.fetch()
                self.now_s += self.test_s
                self.reports.tested()

    def rest(self, seconds: float) -> None:
        self.reports.fetch()
        self.now_s += seconds
        self.reports.rested(seconds)

    @property
    def said_s(self) -> float | None:
        left = STEPS * EPOCHS - self.num_made
        return self.reports.seconds_left(self.num_made, left, EPOCHS - self.num_made // STEPS)

    @property
    def true_s(self) -> float:
        tests = EPOCHS - self.num_made // STEPS
        return (STEPS * EPOCHS - self.num_made) * self.step_s + tests * self.test_s


def test_a_few_steps_are_worth_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 0.1, 1.0, 10.0)
    machine.make(4)
    assert machine.said_s is None
    machine.make(1)
    assert machine.said_s == pytest.approx(machine.true_s)


def test_tests_to_come_are_counted_before_the_first_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is worth half an epoch."""
    machine = Machine(monkeypatch, 0.1, 5.0, 50.0)
    machine.make(90)
    assert machine.said_s == pytest.approx(machine.true_s)


@pytest.mark.parametrize("made", [100, 101, 150, 199, 1050, 1999])
def test_what_a_test_takes_is_known_from_the_first_on(made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in an epoch the run is, and whatever was expected."""
    machine = Machine(monkeypatch, 0.1, 60.0, 1.0)
    machine.make(made)
    assert machine.said_s == pytest.approx(machine.true_s, rel=0.01)


def test_a_pause_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 0.1, 3.0, 30.0)
    machine.make(130)
    for _ in range(3):
        machine.rest(1000.0)
        machine.make(1)
    assert machine.said_s == pytest.approx(machine.true_s)


def test_a_slow_start_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 10.0, 1.0, 10.0)
    machine.make(1)
    machine.step_s = 0.1
    machine.make(699)
    assert machine.said_s == pytest.approx(machine.true_s, rel=0.05)


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_another_speed_is_followed(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a minute or so, however long the run was as it was."""
    machine = Machine(monkeypatch, 0.1, 1.0, 10.0)
    machine.make(1000)
    assert machine.said_s == pytest.approx(machine.true_s, rel=0.01)
    machine.step_s *= factor
    machine.test_s *= factor
    changed_s = machine.now_s
    while machine.now_s < changed_s + 80.0:
        machine.make(10)
    assert machine.said_s == pytest.approx(machine.true_s, rel=0.1)


@pytest.mark.usefixtures("few_digits")
def test_a_run_knows_how_many_tests_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two epochs of six steps each; the time is told with the steps of a report."""
    told: list[tuple[int, int, int]] = []

    def seconds_left(_reports: Reports, num_made: int, num_left: int, tests_left: int) -> None:
        told.append((num_made, num_left, tests_left))

    monkeypatch.setattr(Reports, "seconds_left", seconds_left)
    train(
        zoo.entry("lenet5").build(), RunConfig(epochs=2, batch_size=16), lambda _event: None, RunControl(), run_id="r"
    )
    assert {made + left for made, left, _ in told} == {12}
    assert all(tests == (2 if made <= 6 else 1) for made, _, tests in told)
    assert {tests for _, _, tests in told} == {1, 2}
