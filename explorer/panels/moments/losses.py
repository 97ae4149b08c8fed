"""Where a run's loss leapt, and what of its curve fits behind a scrubber. Numpy only."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WINDOW = 50
"""Steps before a step that it is compared with."""
MOST_LEAPS = 3
_FEWEST = 8
_CHUNK = 1 << 16
"""Losses that are looked at together."""
_LEAST_FACTOR, _LEAST_SHARE = 3.0, 1 / 7


class Leap(NamedTuple):
    """A step whose loss rose out of those before it."""

    step: int
    height: float
    """Its loss less the usual one before it."""


class LeapSearch:
    """The steps whose loss most exceeds the mean of up to `WINDOW` steps before them.

    Only losses of three times that mean or more are leaps, if they rise by a seventh of the largest such mean, which is
    seen in the curve; of neighbours within `WINDOW` the largest alone. The first steps of a run have nothing to be
    compared with. A loss that is no number is one of no leap.

    A run's losses only grow in number, so each is looked at once: a run of millions of steps takes no more time or
    memory for its newest ones than a short one.
    """

    def __init__(self) -> None:
        self._num_seen = 0
        self._largest_mean = 0.0
        self._places = np.empty(0, np.int64)
        self._heights = np.empty(0)

    def look(self, losses: npt.NDArray[np.float32], first_step: int) -> tuple[Leap, ...]:
        """Look at what is new; the largest leaps of all, at most `MOST_LEAPS`, the largest first.

        Args:
            losses: of consecutive steps: those of the last call, and what came since.
            first_step: whose the first one is.
        """
        for start in range(self._num_seen, len(losses), _CHUNK):
            self._look_at(losses, start, min(start + _CHUNK, len(losses)))
        self._num_seen = len(losses)
        found: list[Leap] = []
        for place, height in zip(self._places.tolist(), self._heights.tolist(), strict=True):
            if len(found) < MOST_LEAPS and all(abs(leap.step - first_step - place) > WINDOW for leap in found):
                found.append(Leap(first_step + place, height))
        return tuple(found)

    def _look_at(self, losses: npt.NDArray[np.float32], start: int, end: int) -> None:
        context = max(0, start - WINDOW)
        values = np.asarray(losses[context:end], np.float64)
        usual = _means_before(values)[start - context :]
        values = values[start - context :]
        self._largest_mean = float(np.nanmax(usual, initial=self._largest_mean))
        with np.errstate(invalid="ignore"):
            heights = values - usual
            is_leap = (values >= _LEAST_FACTOR * usual) & np.isfinite(heights)
        places = np.concatenate([self._places, start + np.flatnonzero(is_leap)])
        heights = np.concatenate([self._heights, heights[is_leap]])
        # Largest first; each that is chosen hides at most its neighbours.
        kept = np.lexsort((places, -heights))[: MOST_LEAPS * (2 * WINDOW + 1)]
        kept = kept[(heights[kept] > 0) & (heights[kept] >= _LEAST_SHARE * self._largest_mean)]
        self._places, self._heights = places[kept], heights[kept]


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
