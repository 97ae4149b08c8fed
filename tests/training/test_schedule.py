"""The factor on the learning rate, against the schedules' formulas written out."""

import json
import math
from typing import Any

import pytest

from explorer.runs import RunConfig
from explorer.training.schedule import Schedule

STEPS = 10
"""Per epoch."""


def factors(schedule: Schedule, epochs: int, test_losses: list[float] | None = None) -> list[float]:
    found = []
    for epoch in range(epochs):
        for _ in range(STEPS):
            found.append(schedule.factor)
            schedule.end_step()
        schedule.end_epoch(test_losses[epoch] if test_losses else 1.0)
    return found


def of(epochs: int = 4, **values: Any) -> list[float]:
    return factors(Schedule(RunConfig(epochs=epochs, **values), STEPS), epochs)


def test_constant() -> None:
    assert of() == [1.0] * 40


def test_warm_up_rises_in_equal_parts_to_the_full_rate() -> None:
    expected = [(step + 1) / 15 for step in range(15)] + [1.0] * 25
    assert of(warmup_epochs=1.5) == pytest.approx(expected)


def test_a_warm_up_longer_than_the_run_ends_with_it() -> None:
    assert of(warmup_epochs=50)[-1] == 1.0


def test_step_after_the_epochs_named() -> None:
    assert of(schedule="step", step_epochs="1,3", gamma=0.5) == [1.0] * 10 + [0.5] * 20 + [0.25] * 10
    assert of(schedule="step", step_epochs="every 2", gamma=0.1) == pytest.approx([1.0] * 20 + [0.1] * 20)


def test_step_counts_epochs_from_the_start_of_the_run_whatever_the_warm_up() -> None:
    found = of(schedule="step", step_epochs="1", gamma=0.5, warmup_epochs=2)
    assert found[9:11] == pytest.approx([10 / 20, 0.5 * 11 / 20])
    assert found[-1] == 0.5


def test_cosine_is_loshchilov_and_hutters_equation_5() -> None:
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 40)) / 2 for step in range(40)]
    assert of(schedule="cosine", final_share=0.1) == pytest.approx(expected)


def test_cosine_starts_when_the_warm_up_is_over() -> None:
    found = of(schedule="cosine", warmup_epochs=1)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert found[10] == pytest.approx(1.0)
    assert found[10:] == pytest.approx([(1 + math.cos(math.pi * step / 30)) / 2 for step in range(30)])


def test_one_cycle_rises_and_falls() -> None:
    found = of(schedule="onecycle", rise_share=0.25, warmup_epochs=3)
    assert found[0] == pytest.approx(1 / 25)
    assert found.index(max(found)) == 9
    assert max(found) == pytest.approx(1.0)
    assert found[-1] == pytest.approx(1 / 250_000)
    assert found[9:] == sorted(found[9:], reverse=True)


@pytest.mark.parametrize("schedule", ["step", "cosine", "onecycle", "plateau", "constant"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize("rise_share", [0.01, 0.5, 0.99])
def test_the_shortest_runs_have_a_factor_too(schedule: Any, epochs: int, rise_share: float) -> None:
    for warmup in (0.0, 0.5, 1.0, 9.0):
        config = RunConfig(epochs=epochs, schedule=schedule, rise_share=rise_share, warmup_epochs=warmup)
        made = Schedule(config, 1)
        for _ in range(epochs + 2):  # also beyond the planned end
            assert 0 <= made.factor <= 1.0 + 1e-12
            made.end_step()
            made.end_epoch(1.0)


def test_plateau_waits_and_has_a_floor() -> None:
    config = RunConfig(epochs=8, schedule="plateau", plateau_patience=1, gamma=0.5, final_share=0.3)
    found = factors(Schedule(config, STEPS), 8, [1.0, 0.9, 0.95, 0.95, 0.5, 0.6, 0.6, 0.6])
    # Lower twice, then two epochs that are not: one more than the patience.
    assert found[::STEPS] == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.3]


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "onecycle", "plateau"])
@pytest.mark.parametrize("made", [0, 1, 13, 20, 39])
def test_a_state_goes_on_to_the_last_bit(schedule: Any, made: int) -> None:
    config = RunConfig(epochs=4, schedule=schedule, plateau_patience=0, warmup_epochs=0.7, step_epochs="1,2")
    whole, cut = Schedule(config, STEPS), Schedule(config, STEPS)

    def go(schedule: Schedule, first: int, last: int) -> list[float]:
        found = []
        for step in range(first, last):
            found.append(schedule.factor)
            schedule.end_step()
            if (step + 1) % STEPS == 0:
                schedule.end_epoch(1.0)
        return found

    expected = go(whole, 0, 40)
    go(cut, 0, made)
    resumed = Schedule(config, STEPS)
    resumed.load_state_dict(json.loads(json.dumps(cut.state_dict(), allow_nan=False)))
    assert go(resumed, made, 40) == expected[made:]
