"""The window's share of a run's time, on a simulated clock."""

import pytest

from explorer.session.painting import CPU_SHARES, LONGEST_S, SHORTEST_S, UNSEEN_S, PaintingBudget

_TICK_S = 1 / 1000


def simulate(budget: PaintingBudget, cost_s: float, seconds: float) -> list[float]:
    """When updates came that cost so much each."""
    times = []
    for tick in range(int(seconds / _TICK_S)):
        now_s = tick * _TICK_S
        if budget.is_due(now_s):
            budget.shown(now_s)
            budget.spent(cost_s)
            times.append(now_s)
    return times


@pytest.mark.parametrize("share", [0.015, 0.05, 0.25])
@pytest.mark.parametrize("cost_s", [0.0005, 0.004, 0.02])
def test_updates_take_their_share_at_most(cost_s: float, share: float) -> None:
    times = simulate(PaintingBudget(share), cost_s, 20)

    spacing_s = (times[-1] - times[0]) / (len(times) - 1)
    assert cost_s / spacing_s <= share * 1.001
    # No slower than it has to be: at the share, or as often as a screen shows it.
    assert spacing_s <= max(cost_s / share, SHORTEST_S) + _TICK_S


def test_a_window_full_of_views_still_shows_the_run() -> None:
    times = simulate(PaintingBudget(CPU_SHARES.pictures), 1.0, 20)

    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(LONGEST_S, abs=2 * _TICK_S)


@pytest.mark.parametrize(("cost_s", "spacing_s"), [(0.0005, UNSEEN_S), (0.02, 0.02 / 0.015), (1.0, LONGEST_S)])
def test_what_nobody_sees_comes_less_often_however_little_it_takes(cost_s: float, spacing_s: float) -> None:
    budget = PaintingBudget(0.015)
    budget.shortest_s = UNSEEN_S
    times = simulate(budget, cost_s, 20)

    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(spacing_s, abs=2 * _TICK_S)


def test_what_an_update_takes_adds_up() -> None:
    budget = PaintingBudget(0.05)
    budget.shown(0)
    budget.spent(0.02)
    budget.spent(0.03)

    assert not budget.is_due(0.99)
    assert budget.is_due(1.0)

    budget.shown(1.0)
    budget.spent(0.01)
    assert budget.total_s == pytest.approx(0.06)


def test_an_answer_comes_at_once() -> None:
    budget = PaintingBudget(0.05)
    budget.shown(0)
    budget.spent(0.02)

    assert not budget.is_due(0.1)
    budget.hurry()
    assert budget.is_due(0.1)
