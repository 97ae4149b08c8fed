"""The capture budget, the report's pace and the speed, with an invented clock."""

import itertools

import pytest

from explorer.training.pacing import CaptureBudget, ReportPacing, Speed


def test_captures_take_their_share() -> None:
    budget, now_s, spent_s = CaptureBudget(0.03), 0.0, 0.0
    for _ in range(60_000):
        if budget.is_due(now_s):
            budget.spent(now_s, now_s + 0.004)
            now_s, spent_s = now_s + 0.004, spent_s + 0.004
        now_s += 0.001  # a step
    assert 0.028 < spent_s / now_s <= 0.03


def test_cheap_captures_come_at_the_screens_pace() -> None:
    budget = CaptureBudget(0.03, shortest_s=0.033)
    budget.spent(0.0, 0.000_01)
    assert not budget.is_due(0.03)
    assert budget.is_due(0.033)


def test_the_first_capture_is_due_at_once_and_measured_again_soon() -> None:
    budget = CaptureBudget(0.03, trial_s=0.5)
    assert budget.is_due(0.0)
    budget.spent(0.0, 2.0)
    assert budget.is_due(0.5)
    budget.spent(2.0, 2.03)
    assert not budget.is_due(2.9)
    assert budget.is_due(3.01)


def test_a_pause_is_no_run_time() -> None:
    budget = CaptureBudget(0.5)
    budget.spent(0.0, 0.1)
    budget.suspended(100.0)
    assert not budget.is_due(100.1)
    assert budget.is_due(100.21)


def test_what_came_before_it_was_due_delays_the_next() -> None:
    budget = CaptureBudget(0.5)
    for start_s in (0.0, 0.1, 0.2):
        budget.spent(start_s, start_s + 0.1)
    # 0.3 s at half of the time.
    assert budget.owes(0.59)
    assert not budget.is_due(0.59)
    assert budget.is_due(0.61)
    assert not budget.owes(0.61)


def test_what_is_owed_is_paid_off_at_the_share_of_now() -> None:
    budget = CaptureBudget(0.5)
    budget.spent(0.0, 0.2)
    budget.set_share(0.1, 0.2)
    # Half of it is paid; the rest takes a second.
    assert not budget.is_due(1.19)
    assert budget.is_due(1.21)
    budget.set_share(0.5, 10.0)
    budget.spent(10.0, 10.2)
    assert not budget.is_due(10.39)
    assert budget.is_due(10.41)


@pytest.mark.parametrize(("cost_s", "wanted"), [(0.001, 11), (0.1, 3)])
def test_an_overdraft_is_bounded(cost_s: float, wanted: int) -> None:
    """A second's worth of cheap captures, and two of what costs more than that, beside the one that crosses it."""
    budget, now_s, made = CaptureBudget(0.01), 0.0, 0
    budget.spent(now_s, now_s)
    while budget.may_overdraw(now_s):
        budget.spent(now_s, now_s + cost_s)
        made += 1
        assert made < 100
    assert made == wanted


@pytest.mark.parametrize(("step_s", "wanted"), [(0.001, 40), (0.1, 1), (0.01, 4)])
def test_reports_come_at_the_interval(step_s: float, wanted: int) -> None:
    pacing = ReportPacing(0.04)
    assert pacing.num_steps == 1
    counts = []
    for _ in range(8):
        counts.append(pacing.num_steps)
        pacing.reported(pacing.num_steps, pacing.num_steps * step_s * 1.0001)
    assert all(b <= 2 * a for a, b in itertools.pairwise(counts))
    assert wanted - 1 <= pacing.num_steps <= wanted


def test_speed_is_recent_and_overall() -> None:
    speed = Speed(1.0)
    assert (speed.recent, speed.overall) == (0.0, 0.0)
    for _ in range(10):
        speed.add(100, 1.0)
    for _ in range(12):
        speed.add(20, 0.1)
    assert speed.recent == pytest.approx(200)
    assert speed.overall == pytest.approx(1240 / 11.2)
