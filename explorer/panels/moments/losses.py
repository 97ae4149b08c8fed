"""Where a run's loss leapt, and what of its curve fits behind a scrubber. Numpy only."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WINDOW = 50
"""Steps before a step that it is compared with."""
_FEWEST = 8
_LEAST_FACTOR, _LEAST_SHARE = 3.0, 1 / 7


class Leap(NamedTuple):
    """A step whose loss rose out of those before it."""

    step: int
    height: float
    """Its loss less the usual one before it."""


def largest_leaps(losses: npt.NDArray[np.float32], first_step: int, count: int = 3) -> tuple[Leap, ...]:
    """The steps whose loss most exceeds the mean of up to `WINDOW` steps before them, the largest first.

    Only losses of three times that mean or more are leaps, if they rise by a seventh of the largest such mean, which is
    seen in the curve; of neighbours within `WINDOW` the largest alone. The first
    steps of a run have nothing to be compared with. A loss that is no number is one of no leap.

    Args:
        losses: of consecutive steps.
        first_step: whose the first one is.
        count: at most so many.
    """
    values = np.asarray(losses, np.float64)
    usual = _means_before(values)
    least = _LEAST_SHARE * float(np.nanmax(usual, initial=0.0))
    with np.errstate(invalid="ignore"):
        is_leap = (values >= _LEAST_FACTOR * usual) & (values - usual >= least)
        heights = np.where(is_leap, values - usual, -np.inf)
    heights[~np.isfinite(heights)] = -np.inf
    found: list[Leap] = []
    while len(found) < count and heights.size:
        place = int(heights.argmax())
        if heights[place] <= 0:
            break
        found.append(Leap(first_step + place, float(heights[place])))
        heights[max(0, place - WINDOW) : place + WINDOW + 1] = -np.inf
    return tuple(found)


def _means_before(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`(n,)`: the mean of up to `WINDOW` finite values before each; NaN where there are fewer than `_FEWEST`."""
    is_finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(is_finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(is_finite)])
    places = np.arange(len(values))
    starts = np.maximum(0, places - WINDOW)
    num_before = counts[places] - counts[starts]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums[places] - sums[starts]) / num_before
    return np.where(num_before >= _FEWEST, means, np.nan)
