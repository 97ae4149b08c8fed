"""Histograms against numpy's, to the last count, as the CPU and as a queued device count them."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from explorer.runs import Histogram
from explorer.runtime.statistics_histograms import (
    DeviceHistograms,
    count_bins,
    count_bins_queued,
    spread_sample,
    spread_stride,
    to_histogram,
)
from tests.runtime.statistics_cases import assert_numpys

Counting = Callable[[Sequence[Tensor]], DeviceHistograms]


def counted(*parts: list[float] | npt.NDArray[np.float32], how: Counting = count_bins) -> list[Histogram]:
    found = how([torch.tensor(values, dtype=torch.float32) for values in parts])
    return [to_histogram(*each) for each in zip(found.ends.numpy(), found.counts.numpy(), strict=True)]


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_histograms_equal_numpys_to_the_last_count(how: Counting) -> None:
    random = np.random.default_rng(0)
    parts: list[npt.NDArray[np.float32]] = []
    for scale in (1.0, 1e-6, 1e-20, 3e4):
        for shift in (0.0, 0.3, -7.0):
            for size in (1, 2, 65, 5000):
                parts.append((random.standard_normal(size) * scale + shift * scale).astype(np.float32))
    # On the bins' ends, where rounding decides.
    for low, high in ((0, 64), (-1, 1), (0.1, 0.7)):
        values = np.linspace(low, high, 65).astype(np.float32)
        parts.append(
            np.concatenate([values, np.nextafter(values, np.float32(9)), np.nextafter(values, np.float32(-9))])
        )
    parts += [np.full(9, 0.25, np.float32), np.zeros(9, np.float32)]
    for values, found in zip(parts, counted(*parts, how=how), strict=True):
        assert_numpys(found, values)
        assert_numpys(counted(values, how=how)[0], values)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_what_is_not_finite_is_counted_apart(how: Counting) -> None:
    values = np.array([1, math.nan, 2, math.inf, -math.inf, 3, 2], np.float32)
    one, other, nothing = counted(values, [5.0, 6.0, 5.5], [math.nan, math.inf], how=how)
    assert_numpys(one, values)
    assert_numpys(other, np.array([5, 6, 5.5], np.float32))
    assert (nothing.counts.sum(), nothing.num_not_finite) == (0, 2)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
@pytest.mark.parametrize(
    "values",
    [
        [1.0, 1.0, 0.99999994, 1.0000001],
        [-3e38, 3e38, 1.0],
        [1e20, 1e20],
        [1e-45, 3e-45, 0.0],
    ],
    ids=["bins below rounding", "range beyond float32", "all equal and large", "denormal"],
)
def test_what_numpy_refuses_is_counted_all_the_same(values: list[float], how: Counting) -> None:
    (found,) = counted(values, how=how)
    assert found.counts.sum() == len(values)
    assert found.num_not_finite == 0
    assert (found.low, found.high) == pytest.approx((min(values), max(values)), rel=1e-6)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_values_too_far_apart_for_float32_are_in_their_bins(how: Counting) -> None:
    random = np.random.default_rng(0)
    far = (random.uniform(-1, 1, 500) * 3.4e38).astype(np.float32)
    near = random.standard_normal(70).astype(np.float32)
    for values, found in zip((far, near), counted(far, near, how=how), strict=True):
        counts, edges = np.histogram(values.astype(np.float64), bins=64)
        assert found.counts.tolist() == counts.tolist()
        assert (found.low, found.high) == (edges[0], edges[-1])


def test_of_many_values_a_spread_part_is_counted() -> None:
    values = torch.arange(3 * 8 * 16 * 16, dtype=torch.float32).reshape(3, 8, 16, 16)
    stride = spread_stride(values.numel(), 5)
    assert stride == 5
    assert spread_stride(values.numel(), 6) == 7
    part = spread_sample([values], 1400)
    assert part.tolist() == values.reshape(-1)[::5].tolist()
    images, channels, rows, columns = np.unravel_index(part.long().numpy(), values.shape)
    for axis, size in zip((images, channels, rows, columns), values.shape, strict=True):
        assert np.bincount(axis, minlength=size).min() > 0.9 * len(part) / size
    # Of what lies in memory pixel by pixel as well.
    last = values.to(memory_format=torch.channels_last)
    assert sorted(spread_sample([last], 10**6).tolist()) == values.reshape(-1).tolist()
    assert len(spread_sample([last], 1400)) == len(part)
