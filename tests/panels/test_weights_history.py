"""Histograms over time against numpy's of the values themselves; what is kept of a long run, and in how much memory."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.panels.weights.curves_plot import envelope
from explorer.panels.weights.history import (
    LEAST_COLUMNS,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_POINTS,
    SHOWN,
    Columns,
    History,
    Thinned,
    common_range,
    mean_of,
    one_column,
    strip,
)
from explorer.runs import Histogram, LayersMeasured, LayerStatistics


def histogram(values: np.ndarray, bins: int = 64) -> Histogram:
    counts, edges = np.histogram(values, bins)
    return Histogram(float(edges[0]), float(edges[-1]), counts.astype(np.int64))


def measured(step: int, run_id: str = "r", **layers: LayerStatistics) -> LayersMeasured:
    return LayersMeasured(run_id=run_id, step=step, num_images=64, layers=layers)


def conv(step: int, spread: float = 1.0) -> LayerStatistics:
    values = np.random.default_rng(step).normal(scale=spread, size=2000)
    found = histogram(values)
    return LayerStatistics(gradient_norm=1 / (1 + step), update_ratio=1e-3, weights=found, gradients=found)


# What is kept


@given(st.integers(0, 3000), st.integers(4, 60))
def test_a_thinned_row_is_even_and_has_first_and_newest(count: int, most: int) -> None:
    row: Thinned[int] = Thinned(most)
    for item in range(count):
        row.put(item)
        assert row.items[-1] == item
    kept = list(row.items)
    assert len(kept) <= most + 1
    if count <= most:
        assert kept == list(range(count))
        return
    assert kept[0] == 0
    gaps = np.diff(kept)
    assert len(set(gaps[:-1].tolist())) == 1
    assert 0 < gaps[-1] <= gaps[0]
    assert gaps[0] <= 4 * count / most


def test_a_long_run_of_a_large_network_stays_within_its_memory() -> None:
    history = History()
    layers = {f"layer{i}.conv": conv(i) for i in range(600)}
    for step in range(1, 401):
        history.put(LayersMeasured(run_id="r", step=step, num_images=64, layers=layers))
    kept = history._columns.items
    size = sum(packed.counts.nbytes + packed.ranges.nbytes for packed in kept)
    assert size <= MOST_BYTES * 1.01
    assert LEAST_COLUMNS <= len(kept) < 300
    assert len({id(packed.names) for packed in kept}) == 1
    columns = history.columns("layer7.conv", "weights")
    assert columns.steps[0] == 1
    assert columns.steps[-1] == 400


def test_columns_and_points_of_a_long_run() -> None:
    history = History()
    statistics = conv(0)
    for step in range(1, 2 * MOST_POINTS + 2):
        history.put(measured(step, conv1=statistics._replace(gradient_norm=float(step))))
    assert len(history.columns("conv1", "weights").steps) <= MOST_COLUMNS + 1
    steps, curves = history.curves("gradient_norm")
    assert MOST_POINTS / 2 <= len(steps) <= MOST_POINTS + 1
    assert np.array_equal(curves["conv1"], steps.astype(np.float32))


def test_moments_of_before_take_their_place() -> None:
    history = History()
    for step in (50, 60, 10, 30, 20, 30, 60, 70):
        history.put(measured(step, conv1=conv(step)))
    columns = history.columns("conv1", "weights")
    assert columns.steps.tolist() == [10, 20, 30, 50, 60, 70]
    for step, low in zip(columns.steps.tolist(), columns.lows.tolist(), strict=True):
        expected = conv(step).weights
        assert expected is not None
        assert low == pytest.approx(expected.low)
    steps, norms = history.curves("gradient_norm")
    assert np.allclose(norms["conv1"], 1 / (1 + steps))
    for step in range(10_000, 0, -1):
        history.put(measured(step, conv1=LayerStatistics(gradient_norm=float(step))))
    steps, norms = history.curves("gradient_norm")
    assert len(steps) <= MOST_POINTS + 1
    assert np.all(np.diff(steps) > 0)
    assert steps[-1] == 10_000


def test_another_run_begins_anew_and_a_look_back_adds_nothing() -> None:
    history = History()
    assert history.put(measured(10, conv1=conv(10)))
    assert history.put(measured(20, conv1=conv(20)))
    assert not history.put(measured(10, conv1=conv(10)))
    assert history.newest is not None
    assert history.newest.step == 10
    assert history.columns("conv1", "weights").steps.tolist() == [10, 20]
    # A network at rest is no run: what it has is looked at, and the run's gradients stay the newest.
    assert not history.put(measured(0, "", conv1=LayerStatistics(weights=histogram(np.arange(9.0)))))
    assert history.columns("conv1", "weights").steps.tolist() == [10, 20]
    assert history.histogram("conv1", "weights") is history.newest.layers["conv1"].weights
    gradients = history.histogram("conv1", "gradients")
    expected = conv(10).gradients
    assert gradients is not None
    assert expected is not None
    assert gradients.low == expected.low
    assert history.put(measured(1, "other", fc=conv(1)))
    assert history.columns("fc", "weights").steps.tolist() == [1]
    assert not len(history.columns("conv1", "weights").steps)


def test_layers_without_a_number_have_no_curve() -> None:
    history = History()
    history.put(measured(1, conv1=conv(1), relu1=LayerStatistics(activations=histogram(np.arange(9.0)))))
    history.put(measured(2, conv1=conv(2)._replace(update_ratio=None), relu1=LayerStatistics()))
    steps, norms = history.curves("gradient_norm")
    assert list(norms) == ["conv1"]
    assert steps.tolist() == [1, 2]
    assert history.curves("update_ratio")[0].tolist() == [1]
    assert len(history.columns("relu1", "activations").steps) == 1


# The strip


@given(st.integers(0, 10_000), st.sampled_from(["normal", "exponential", "uniform"]))
@settings(max_examples=40)
def test_the_strip_is_numpys_histogram_on_common_edges(seed: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    history, values = History(), []
    for step in range(1, 6):
        drawn = getattr(generator, kind)(size=4000) * generator.uniform(0.2, 2)
        values.append(drawn)
        history.put(measured(step, conv1=LayerStatistics(weights=histogram(drawn))))
    columns = history.columns("conv1", "weights")
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    edges = np.linspace(low, high, 97)
    found = strip(columns, edges)
    assert found.shape == (5, 96)
    assert np.allclose(found.sum(1), 1, atol=1e-3)
    for row, drawn in zip(found, values, strict=True):
        exact = np.histogram(drawn, edges)[0] / len(drawn)
        # Edges that cut a bin share it evenly: no place is off by more than a bin holds.
        most = np.histogram(drawn, 64)[0].max() / len(drawn)
        assert np.abs(np.cumsum(row) - np.cumsum(exact)).max() <= most + 1e-3


@given(st.integers(1, 40))
def test_on_its_own_edges_a_histogram_stays_what_it_is(bins: int) -> None:
    found = histogram(np.random.default_rng(bins).normal(size=500), bins)
    edges = np.linspace(found.low, found.high, bins + 1)
    assert np.allclose(strip(one_column(found), edges)[0], found.counts / 500, atol=1e-4)


@pytest.mark.parametrize(("value", "place"), [(0.0, 0), (0.24, 0), (0.26, 1), (1.0, 3)])
def test_values_that_are_all_equal_lie_in_their_bin(value: float, place: int) -> None:
    column = Columns(
        np.array([1]), np.array([value], np.float32), np.array([value], np.float32), np.array([[5.0]], np.float32)
    )
    found = strip(column, np.linspace(0, 1, 5))[0]
    assert found.tolist() == np.eye(4)[place].tolist()


def test_the_axis_holds_what_it_says_and_one_leap_does_not_stretch_it() -> None:
    history = History()
    for step in range(1, 101):
        spread = 1000.0 if step == 50 else 1.0
        history.put(measured(step, conv1=conv(step, spread)))
    low, high = common_range(history.columns("conv1", "weights"))
    assert -6 < low < -2.5
    assert 2.5 < high < 6
    for step in (1, 49, 100):
        values = np.random.default_rng(step).normal(size=2000)
        assert np.mean((values >= low) & (values <= high)) >= SHOWN - 1e-3


def test_ranges_are_never_empty() -> None:
    nothing = Columns(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32), np.empty((0, 1)))  # type: ignore[arg-type]
    assert common_range(nothing) == (-1.0, 1.0)
    low, high = common_range(nothing, Histogram(2.0, 2.0, np.array([7])))
    assert low < 2 < high


def test_the_mean_is_that_of_the_values_to_half_a_bin() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=5000)
    found = histogram(values)
    assert mean_of(found) == pytest.approx(values.mean(), abs=(found.high - found.low) / 128)


def test_histograms_of_other_widths_stand_beside_each_other() -> None:
    history = History()
    values = np.random.default_rng(0).normal(size=3000)
    history.put(measured(1, conv1=LayerStatistics(weights=histogram(values, 64), gradients=histogram(values, 16))))
    for kind, bins in (("weights", 64), ("gradients", 16)):
        columns = history.columns("conv1", kind)  # type: ignore[arg-type]
        edges = np.linspace(values.min(), values.max(), bins + 1)
        assert np.allclose(strip(columns, edges)[0], np.histogram(values, bins)[0] / 3000, atol=1e-3)


# Curves


@given(st.integers(1, 3000), st.integers(10, 200))
def test_no_peak_of_a_curve_is_lost(count: int, most: int) -> None:
    values = np.random.default_rng(count).normal(size=(count, 3))
    values[0] = math.nan
    steps = np.arange(count, dtype=np.int64) * 7
    x, y = envelope(steps, values, most)
    assert len(x) == len(y)
    assert len(x) <= 2 * most + 2
    assert np.all(np.diff(x) >= 0)
    if count > 1:
        assert np.array_equal(np.nanmax(y, axis=0), np.nanmax(values, axis=0))
        assert np.array_equal(np.nanmin(y, axis=0), np.nanmin(values, axis=0))
