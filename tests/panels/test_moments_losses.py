"""Leaps of a loss, against their definition by hand."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.panels.moments import losses as leaps_of
from explorer.panels.moments.losses import WINDOW, Leap, LeapSearch


def largest_leaps(losses: npt.NDArray[np.float32], first_step: int) -> tuple[Leap, ...]:
    return LeapSearch().look(losses, first_step)


def test_a_leap_is_found_with_its_height() -> None:
    losses = np.full(400, 0.5, np.float32)
    losses[250], losses[100] = 4.0, 2.5
    first, second = largest_leaps(losses, first_step=1)
    assert (first.step, second.step) == (251, 101)
    assert abs(first.height - 3.5) < 1e-6
    assert abs(second.height - 2.0) < 1e-6


def test_a_falling_or_noisy_loss_leaps_nowhere() -> None:
    falling = np.geomspace(2.3, 0.01, 1000).astype(np.float32)
    assert largest_leaps(falling, 1) == ()
    noisy = falling * np.random.default_rng(0).uniform(0.6, 1.4, 1000).astype(np.float32)
    assert largest_leaps(noisy, 1) == ()


def test_no_number_is_no_leap() -> None:
    losses = np.full(200, 0.5, np.float32)
    losses[60:70] = np.nan
    losses[90] = np.inf
    assert largest_leaps(losses, 1) == ()
    assert largest_leaps(np.empty(0, np.float32), 1) == ()


@given(st.lists(st.floats(0, 100, width=32), min_size=0, max_size=200))
def test_each_leap_is_one_by_the_definition(values: list[float]) -> None:
    losses = np.array(values, np.float32)
    leaps = largest_leaps(losses, 1)
    assert list(leaps) == sorted(leaps, key=lambda leap: -leap.height)
    for leap in leaps:
        place = leap.step - 1
        before = losses[max(0, place - WINDOW) : place].astype(np.float64)
        assert len(before) >= 8
        assert losses[place] >= 3 * before.mean() - 1e-4
        np.testing.assert_allclose(leap.height, losses[place] - before.mean(), atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(0, 900), st.integers(50, 400))
def test_losses_that_come_bit_by_bit_leap_where_they_do_together(seed: int, count: int, chunk: int) -> None:
    random = np.random.default_rng(seed)
    losses = random.uniform(0.1, 2, count).astype(np.float32) * np.where(random.random(count) < 0.05, 9, 1)
    losses = losses.astype(np.float32)
    losses[random.random(count) < 0.02] = np.nan
    search, known = LeapSearch(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaps_of, "_CHUNK", chunk)
        while known < count:
            known = min(count, known + int(random.integers(1, 200)))
            search.look(losses[:known], 7)
        found = search.look(losses, 7)
    expected = _by_definition(losses, 7)
    assert [leap.step for leap in found] == [leap.step for leap in expected]
    np.testing.assert_allclose([leap.height for leap in found], [leap.height for leap in expected], rtol=1e-6)


def _by_definition(losses: npt.NDArray[np.float32], first_step: int) -> list[Leap]:
    means = {}
    for place in range(len(losses)):
        before = losses[max(0, place - WINDOW) : place].astype(np.float64)
        if np.isfinite(before).sum() >= 8:
            means[place] = float(before[np.isfinite(before)].mean())
    least = max(means.values(), default=0.0) / 7
    rises = [
        Leap(first_step + place, float(losses[place]) - mean)
        for place, mean in means.items()
        if np.isfinite(losses[place]) and losses[place] >= 3 * mean and losses[place] - mean >= max(least, 1e-12)
    ]
    found: list[Leap] = []
    for rise in sorted(rises, key=lambda leap: (-leap.height, leap.step)):
        if len(found) < 3 and all(abs(leap.step - rise.step) > WINDOW for leap in found):
            found.append(rise)
    return found
