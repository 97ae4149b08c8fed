"""Where the cells of a confusion matrix lie, and what is in each: any number of classes at any size. No widgets."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs.class_figures import Confusion, Counts

LEAST_CELL = 1.5
"""Pixels; smaller cells are put together."""
LARGEST_CELL = 48.0


class Cell(NamedTuple):
    """A place in the matrix as it is shown."""

    row: int
    column: int


class Groups(NamedTuple):
    """A matrix in some order, with neighbouring classes put together."""

    rows: tuple[tuple[int, ...], ...]
    """The true classes of each row."""
    columns: tuple[tuple[int, ...], ...]
    """The predicted classes of each column, as columns of the matrix."""
    counts: Counts
    """Of each cell, `(rows, columns)`."""
    right: Counts
    """Of each cell, those that are right answers."""
    images: Counts
    """Of each row, `(rows,)`."""

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Of each row's images; 0 where a row has none."""
        whole = np.maximum(self.images, 1)[:, None]
        result: npt.NDArray[np.float64] = self.counts / whole
        return result

    @property
    def wrong(self) -> Counts:
        """Of each cell, those that are mistakes."""
        return self.counts - self.right


def grouped(found: Confusion, order: Sequence[int], size: int) -> Groups:
    """Bring classes into an order and put `size` neighbours together.

    Answers that are none of the classes stay in a column of their own.
    """
    classes = np.asarray(order, np.int64)
    columns = np.concatenate([classes, np.arange(found.num_classes, found.num_columns)])
    # Those of a thousand classes are worth not copying.
    is_own_order = bool((columns == np.arange(len(columns))).all())
    counts = found.counts if is_own_order else found.counts[np.ix_(classes, columns)]
    starts = np.arange(0, len(classes), size)
    column_starts = np.concatenate([starts, np.arange(len(classes), len(columns))])
    summed = np.add.reduceat(np.add.reduceat(counts, starts, axis=0), column_starts, axis=1)
    right = np.zeros_like(summed)
    np.fill_diagonal(right, np.add.reduceat(np.diagonal(counts), starts))
    rows = tuple(tuple(classes[start : start + size].tolist()) for start in starts.tolist())
    beyond = tuple((column,) for column in range(found.num_classes, found.num_columns))
    return Groups(rows, (*rows, *beyond), summed, right, summed.sum(1))


class Scale(NamedTuple):
    """How large cells are, and how many classes one holds."""

    cell: float
    """Pixels of a cell's height."""
    group: int
    """Classes a cell holds each way."""


def scale_of(pixels_per_class: float) -> Scale:
    """Put so many classes together that a cell can be seen."""
    group = max(1, math.ceil(LEAST_CELL / pixels_per_class - 1e-9))
    return Scale(min(LARGEST_CELL, pixels_per_class * group), group)


def edges(count: int, cell: float) -> npt.NDArray[np.int64]:
    """Where each of `count` cells begins and the last one ends, in whole pixels."""
    return np.round(np.arange(count + 1) * cell).astype(np.int64)


def depths(groups: Groups) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How deep the colour of right answers and of mistakes is in each cell, 0 to 1.

    Right answers by their share of the row. Mistakes by the square root of theirs against the largest one, so that a
    single one is seen beside many; and the largest is the paler, the rarer it is.
    """
    whole = np.maximum(groups.images, 1)[:, None]
    right = groups.right / whole
    wrong = groups.wrong / whole
    most = wrong.max(initial=0.0)
    scaled = np.sqrt(wrong / most) if most else wrong
    deepest = 0.3 + 0.6 * math.sqrt(most)
    return np.where(right > 0, 0.08 + 0.82 * right, 0.0), np.where(wrong > 0, 0.14 + deepest * scaled, 0.0)
