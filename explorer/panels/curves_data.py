"""Every measurement of a run, kept; and the few points of them that a plot of so many pixels can show. Numpy only."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.runs import EpochFinished, StepsRecorded

Floats = npt.NDArray[np.floating[Any]]


class Measurements:
    """One value a step, in a buffer that doubles when it is full, so that a point costs the same at any length."""

    def __init__(self) -> None:
        self._buffer = np.empty(1024, np.float32)
        self._count = 0
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

    def put(self, first_step: int, values: npt.NDArray[np.float32]) -> None:
        """Add the values of consecutive steps; steps that are known already take the newer value."""
        if not self._count:
            self.first_step = first_step
        start = first_step - self.first_step
        if start < 0:
            return
        end = start + len(values)
        if end > len(self._buffer):
            larger = np.empty(max(end, 2 * len(self._buffer)), np.float32)
            larger[: self._count] = self.values
            self._buffer = larger
        if start > self._count:
            self._buffer[self._count : start] = np.nan
        self._buffer[start:end] = values
        self._count = max(self._count, end)

    def at(self, step: int) -> float | None:
        """The value of a step; None where there is none."""
        index = step - self.first_step
        if not 0 <= index < self._count or np.isnan(self._buffer[index]):
            return None
        return float(self._buffer[index])

    def envelope(self, first: float, last: float, num_columns: int) -> tuple[Floats, Floats]:
        """What a plot of `num_columns` pixels shows of the steps `first` to `last`: steps and values.

        Every value where they fit; else the least and the greatest of each group of steps, so that no peak is lost.
        Groups hold a power of two of steps and lie at fixed places, so that they stand still while the plot moves.
        """
        start = max(0, int(first) - self.first_step - 1)
        stop = min(self._count, int(last) - self.first_step + 3)
        count = stop - start
        if count <= 0:
            return np.empty(0), np.empty(0)
        if count <= 2 * num_columns:
            return np.arange(start, stop, dtype=np.float64) + self.first_step, self._buffer[start:stop]
        group = 1 << int(np.ceil(np.log2(count / max(1, num_columns))))
        start -= start % group
        whole = (stop - start) // group * group
        blocks = self._buffer[start : start + whole].reshape(-1, group)
        least, greatest = np.fmin.reduce(blocks, axis=1), np.fmax.reduce(blocks, axis=1)
        places = start + np.arange(len(blocks)) * group
        if start + whole < stop:
            rest = self._buffer[start + whole : stop]
            least = np.append(least, np.fmin.reduce(rest))
            greatest = np.append(greatest, np.fmax.reduce(rest))
            places = np.append(places, start + whole)
        steps = np.repeat(places.astype(np.float64), 2) + self.first_step
        steps[1::2] += group / 2
        return steps, np.stack([least, greatest], axis=1).reshape(-1)


class RunCurves:
    """The curves of one run: loss and accuracy of every step, and the means and tests of every epoch."""

    def __init__(self, steps_per_epoch: int = 0) -> None:
        self.steps_per_epoch = steps_per_epoch
        """0 where it is not known."""
        self.losses = Measurements()
        self.accuracies = Measurements()
        self.epochs: list[EpochFinished] = []
        self.num_steps_total = 0

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
            self.epochs.append(event)
            return
        self.losses.put(event.first_step, event.losses)
        self.accuracies.put(event.first_step, event.accuracies)
        self.num_steps_total = event.num_steps_total

    def epoch_of(self, step: int) -> int | None:
        """The epoch that a step belongs to, from 1; None where it is not known."""
        return -(-step // self.steps_per_epoch) if self.steps_per_epoch > 0 and step > 0 else None

    def epoch_at(self, step: int) -> EpochFinished | None:
        """The last epoch that was finished at a step."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.step <= step), None)

    def csv(self) -> str:
        """Every point as a table; an epoch's columns stand in the row of the step that ended it."""
        ends = {epoch.step: epoch for epoch in self.epochs}
        steps = range(self.losses.first_step, self.losses.last_step + 1) if len(self.losses) else sorted(ends)
        lines = ["step,epoch,batch_loss,batch_accuracy,train_loss,train_accuracy,test_loss,test_accuracy"]
        for step in steps:
            row: list[object] = [step, self.epoch_of(step), self.losses.at(step), self.accuracies.at(step)]
            end = ends.get(step)
            row += [None] * 4 if end is None else _measured(end)
            lines.append(",".join(_written(cell) for cell in row))
        return "\n".join(lines) + "\n"


def _measured(epoch: EpochFinished) -> Iterable[float]:
    return (epoch.train_loss, epoch.train_accuracy, epoch.test_loss, epoch.test_accuracy)


def _written(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.7g}" if isinstance(cell, float) else str(cell)


def nice_limit(value: float) -> float:
    """The next round number at or above a value, so that an axis grows in few jumps: 2.31 gives 2.5."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    scale = 10.0 ** np.floor(np.log10(value))
    for factor in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        if value <= factor * scale * (1 + 1e-9):
            return float(factor * scale)
    return float(10 * scale)
