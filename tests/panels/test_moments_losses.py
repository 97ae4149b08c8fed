"""Leaps of a loss, against their definition by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.panels.moments.losses import WINDOW, largest_leaps


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
