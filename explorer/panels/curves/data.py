"""Every measurement of a run, kept; and the few points of them that a plot of so many pixels can show. Numpy only."""

import bisect
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.runs import EpochFinished, StepsRecorded

Floats = npt.NDArray[np.floating[Any]]


_BLOCK = 64
"""So many steps share one least and one greatest value, which is a 32nd more memory and a 64th of the reading."""

_FEWEST_BLOCKS = 32
"""Pixels of fewer blocks are read value by value: numpy is through them before the blocks that are cut are gathered."""
_HAIR = 1e-6
"""In steps; plots are not zoomed to so few that it shows, nor runs so long that it is less than a float's rounding."""


class Measurements:
    """One value a step, in a buffer that doubles when it is full, so that a point costs the same at any length.

    Beside the values lie the extremes of every block of them, so that a plot of a million points reads few. They are
    worked out where a plot asks for them: values come in small parts, and a short run has no plot that does.
    """

    def __init__(self) -> None:
        self._buffer = np.full(16 * _BLOCK, np.nan, np.float32)
        self._least = np.full(16, np.nan, np.float32)
        self._greatest = np.full(16, np.nan, np.float32)
        self._count = 0
        self._num_reduced = 0
        """So many blocks, from the first on, have the extremes of their values."""
        self.first_step = 1
        """The step of the first value; a resumed run does not start at 1."""

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """All values, a view; NaN where a step was never reported."""
        return self._buffer[: self._count]

    @property
    def last_step(self) -> int:
        """The step of the last value; 0 before the first."""
        return self.first_step + self._count - 1 if self._count else 0

    @property
    def num_bytes(self) -> int:
        """What the values and their extremes take."""
        return self._buffer.nbytes + self._least.nbytes + self._greatest.nbytes

    def put(self, first_step: int, values: npt.NDArray[np.float32]) -> None:
        """Add the values of consecutive steps; steps that are known already take the newer value."""
        if not self._count:
            self.first_step = first_step
        start = first_step - self.first_step
        if start < 0 or not len(values):
            return
        end = start + len(values)
        if end >= len(self._buffer):
            self._grow(max(end + 1, 2 * len(self._buffer)))
        self._buffer[start:end] = values
        self._count = max(self._count, end)
        self._num_reduced = min(self._num_reduced, start // _BLOCK)

    def at(self, step: int) -> float | None:
        """The value of a step; None where there is none."""
        index = step - self.first_step
        if not 0 <= index < self._count or np.isnan(self._buffer[index]):
            return None
        return float(self._buffer[index])

    def envelope(self, first: float, last: float, num_columns: int) -> tuple[Floats, Floats]:
        """What a plot of `num_columns` pixels shows of the steps `first` to `last`: steps and values.

        Every value where they fit, and one more at either side, so that the line leaves the plot; else the least and
        the greatest of each pixel, both in its middle: a pixel holds the steps from its left edge up to its right one.
        Beyond either side there is one more pixel. They take turns in which comes first, so that the strokes from
        pixel to pixel follow the outline.
        """
        begin = max(0, math.ceil(first) - self.first_step - 1)
        stop = min(self._count, math.floor(last) - self.first_step + 2)
        if stop <= begin:
            return np.empty(0), np.empty(0)
        if stop - begin <= 2 * num_columns:
            return np.arange(begin, stop, dtype=np.float64) + self.first_step, self._buffer[begin:stop]
        width = (last - first) / num_columns
        pixels = np.arange(-1, num_columns + 2)
        # A step at an edge belongs to the right, also where rounding has put the edge a hair behind it.
        edges = np.ceil(first + pixels * width - self.first_step - _HAIR).clip(0, self._count).astype(np.int64)
        is_filled = np.flatnonzero(edges[1:] > edges[:-1])
        # The data have no holes, so the filled pixels lie side by side.
        edges = edges[is_filled[0] : is_filled[-1] + 2]
        least, greatest = self._extremes(edges, width)
        middles = first + (pixels[is_filled] + 0.5) * width
        pairs = np.stack([least, greatest], axis=1)
        turned = (is_filled + round(first / width)) % 2 == 1
        pairs[turned] = pairs[turned, ::-1]
        return np.repeat(middles, 2), pairs.reshape(-1)

    def _extremes(self, edges: npt.NDArray[np.int64], width: float) -> tuple[Floats, Floats]:
        """The least and the greatest value between each two edges, which rise."""
        if width < _FEWEST_BLOCKS * _BLOCK:
            values, starts = self._buffer[: edges[-1]], edges[:-1]
            return np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        self._reduce()
        # Whole blocks say theirs; of those that an edge cuts, both parts are looked at.
        cut = edges // _BLOCK
        places = cut[:, None] * _BLOCK + np.arange(_BLOCK)
        values = self._buffer.reshape(-1, _BLOCK)[cut]
        after = np.where((places >= edges[:, None])[:-1] & (places[:-1] < edges[1:, None]), values[:-1], np.nan)
        before = np.where((places < edges[:, None])[1:] & (places[1:] >= edges[:-1, None]), values[1:], np.nan)
        bounds = np.stack([cut[:-1] + 1, cut[1:]], axis=1)
        has_whole = bounds[:, 0] < bounds[:, 1]
        bounds = bounds.clip(0, len(self._least) - 1).reshape(-1)
        found = []
        for extreme, blocks in ((np.fmin, self._least), (np.fmax, self._greatest)):
            whole = np.where(has_whole, extreme.reduceat(blocks, bounds)[::2], np.nan)
            cut_off = extreme(extreme.reduce(after, axis=1), extreme.reduce(before, axis=1))
            found.append(extreme(whole, cut_off))
        return found[0], found[1]

    def _reduce(self) -> None:
        """Bring the extremes up to date with the values."""
        stale = slice(self._num_reduced, -(-self._count // _BLOCK))
        blocks = self._buffer.reshape(-1, _BLOCK)[stale]
        self._least[stale] = np.fmin.reduce(blocks, axis=1)
        self._greatest[stale] = np.fmax.reduce(blocks, axis=1)
        self._num_reduced = stale.stop

    def _grow(self, num_steps: int) -> None:
        num_blocks = -(-num_steps // _BLOCK)
        self._buffer = _enlarged(self._buffer, num_blocks * _BLOCK)
        self._least = _enlarged(self._least, num_blocks)
        self._greatest = _enlarged(self._greatest, num_blocks)


def _enlarged(values: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    larger = np.full(length, np.nan, np.float32)
    larger[: len(values)] = values
    return larger


EPOCH_MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


def envelope_at(steps: Floats, values: Floats, first: float, last: float, num_columns: int) -> tuple[Floats, Floats]:
    """As `Measurements.envelope`, of values at any rising steps."""
    begin = max(0, int(np.searchsorted(steps, first)) - 1)
    stop = min(len(steps), int(np.searchsorted(steps, last, "right")) + 1)
    if stop - begin <= 2 * num_columns:
        return steps[begin:stop], values[begin:stop]
    width = (last - first) / num_columns
    edges = np.searchsorted(steps, first + np.arange(-1, num_columns + 2) * width - _HAIR)
    is_filled = np.flatnonzero(edges[1:] > edges[:-1])
    starts, end = edges[is_filled], edges[is_filled[-1] + 1]
    pairs = np.stack([extreme.reduceat(values[:end], starts) for extreme in (np.fmin, np.fmax)], axis=1)
    return np.repeat(first + (is_filled - 0.5) * width, 2), pairs.reshape(-1)


class RunCurves:
    """The curves of one run: loss and accuracy of every step, and the means and tests of every epoch."""

    def __init__(self, steps_per_epoch: int = 0) -> None:
        self.steps_per_epoch = steps_per_epoch
        """0 where it is not known."""
        self.losses = Measurements()
        self.accuracies = Measurements()
        self.epochs: list[EpochFinished] = []
        self.num_steps_total = 0
        self._epoch_rows = np.empty((64, 1 + len(EPOCH_MEASURES)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured yet."""
        return not len(self.losses) and not self.epochs

    @property
    def last_step(self) -> int:
        """The last step that anything is known of."""
        return max(self.losses.last_step, self.epochs[-1].step if self.epochs else 0)

    def put(self, event: StepsRecorded | EpochFinished) -> None:
        """Add what an event says."""
        if isinstance(event, EpochFinished):
            self._put_epoch(event)
            return
        self.losses.put(event.first_step, event.losses)
        self.accuracies.put(event.first_step, event.accuracies)
        self.num_steps_total = event.num_steps_total

    def _put_epoch(self, epoch: EpochFinished) -> None:
        if len(self.epochs) == len(self._epoch_rows):
            self._epoch_rows = np.concatenate([self._epoch_rows, np.empty_like(self._epoch_rows)])
        values = [getattr(epoch, name) for name in EPOCH_MEASURES]
        self._epoch_rows[len(self.epochs)] = [epoch.step, *values]
        self.epochs.append(epoch)

    def epoch_values(self, name: str) -> tuple[Floats, Floats]:
        """The last steps of the epochs, and what one of `EPOCH_MEASURES` was then; views."""
        rows = self._epoch_rows[: len(self.epochs)]
        return rows[:, 0], rows[:, 1 + EPOCH_MEASURES.index(name)]

    def highest_epoch_loss(self, first: float, last: float) -> float:
        """The greatest finite mean, trained or tested, of the epochs that ended in these steps; 0 without one."""
        steps, _ = self.epoch_values("train_loss")
        losses = self._epoch_rows[slice(*np.searchsorted(steps, (first, last + 1))), 1:3]
        return float(losses.max(initial=0.0, where=np.isfinite(losses)))

    def epoch_of(self, step: int) -> int | None:
        """The epoch that a step belongs to, from 1; None where it is not known."""
        return -(-step // self.steps_per_epoch) if self.steps_per_epoch > 0 and step > 0 else None

    def epoch_at(self, step: int) -> EpochFinished | None:
        """The last epoch that was finished at a step."""
        number = bisect.bisect_right(self.epochs, step, key=lambda epoch: epoch.step)
        return self.epochs[number - 1] if number else None

    def csv(self) -> str:
        """Every point as a table; an epoch's columns stand in the row of the step that ended it."""
        ends = {epoch.step: epoch for epoch in self.epochs}
        steps = range(self.losses.first_step, self.losses.last_step + 1) if len(self.losses) else sorted(ends)
        lines = ["step,epoch,batch_loss,batch_accuracy,train_loss,train_accuracy,test_loss,test_accuracy"]
        losses, accuracies = self.losses.values.tolist(), self.accuracies.values.tolist()
        for number, step in enumerate(steps):
            epoch = self.epoch_of(step)
            place = f"{step},{'' if epoch is None else epoch}"
            batch = f"{_written(losses, number)},{_written(accuracies, number)}"
            end = ends.get(step)
            measured = "" if end is None else ",".join(f"{value:.7g}" for value in _measured(end))
            lines.append(f"{place},{batch},{measured or ',,,'}")
        return "\n".join(lines) + "\n"


def _measured(epoch: EpochFinished) -> Iterable[float]:
    return (epoch.train_loss, epoch.train_accuracy, epoch.test_loss, epoch.test_accuracy)


def _written(values: list[float], number: int) -> str:
    if number >= len(values) or math.isnan(values[number]):
        return ""
    return f"{values[number]:.7g}"


def nice_limit(value: float) -> float:
    """The next round number at or above a value, so that an axis grows in few jumps: 2.31 gives 2.5."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    scale = 10.0 ** np.floor(np.log10(value))
    for factor in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if value <= factor * scale * (1 + 1e-9):
            return float(factor * scale)
    return float(10 * scale)
