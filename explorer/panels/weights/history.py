"""How every layer's numbers went on over the steps of a run, in bounded memory; and heat strips of it. Numpy only.

Where more was measured than is kept, every second, fourth, eighth ... measurement is, and always the newest one.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from explorer.runs import Histogram, LayersMeasured, LayerStatistics

Kind = Literal["weights", "gradients", "activations"]
KINDS: tuple[Kind, ...] = ("weights", "gradients", "activations")
Number = Literal["gradient_norm", "update_ratio"]
NUMBERS: tuple[Number, ...] = ("gradient_norm", "update_ratio")
MOST_COLUMNS = 512
"""Histograms of a layer that are kept."""
LEAST_COLUMNS = 64
MOST_BYTES = 64 * 2**20
"""Of all histograms; large networks keep fewer of each layer."""
MOST_POINTS = 4096
"""Of a curve."""
SHOWN = 0.998
"""What part of a step's values an axis holds at least."""
_FULL = 65535

Floats = npt.NDArray[np.float32]
_T = TypeVar("_T")


class Thinned(Generic[_T]):
    """A row of which at most so many are kept, evenly, and the newest."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._every = 1
        self._seen = 0
        self._kept: list[_T] = []
        self._newest: _T | None = None

    def put(self, item: _T) -> None:
        """Add the next one."""
        if self._seen % self._every == 0:
            self._kept.append(item)
            self._newest = None
        else:
            self._newest = item
        self._seen += 1
        self._thin()

    def insert(self, item: _T, order: Callable[[_T], int]) -> bool:
        """Add one that comes late, at its place in the order; False if one of its place is there."""
        place = bisect_left(self._kept, order(item), key=order)
        if any(order(known) == order(item) for known in self.items[place : place + 1]):
            return False
        self._kept.insert(place, item)
        self._thin()
        return True

    def _thin(self) -> None:
        while len(self._kept) > self.most:
            if len(self._kept) % 2 == 0 and self._newest is None:
                self._newest = self._kept[-1]
            self._kept = self._kept[::2]
            self._every *= 2

    @property
    def items(self) -> Sequence[_T]:
        """What is kept, in order."""
        return self._kept if self._newest is None else [*self._kept, self._newest]


class Columns(NamedTuple):
    """Histograms of one kind of one layer, one after the other."""

    steps: npt.NDArray[np.int64]
    """`(n,)`, ascending."""
    lows: Floats
    """`(n,)`: lower end of the first bin."""
    highs: Floats
    shares: Floats
    """`(n, bins)`: what part of the values lies in each bin."""


class _Packed(NamedTuple):
    step: int
    names: tuple[str, ...]
    counts: npt.NDArray[np.uint16]
    """`(layers, kinds, bins)`, against the fullest bin."""
    ranges: Floats
    """`(layers, kinds, 2)`; NaN where there is none."""


class _Point(NamedTuple):
    step: int
    names: tuple[str, ...]
    numbers: Floats
    """`(layers, NUMBERS)`; NaN where there is none."""


class History:
    """What was measured of a run."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.run_id = ""
        self.newest: LayersMeasured | None = None
        """The last measurement, whole; at rest or of a run."""
        self._last: LayersMeasured | None = None
        self._columns: Thinned[_Packed] = Thinned(MOST_COLUMNS)
        self._points: Thinned[_Point] = Thinned(MOST_POINTS)
        self._last_step = -1
        self._places: dict[tuple[str, ...], dict[str, int]] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        """One and the same tuple for all measurements that have the same layers."""

    @property
    def last_step(self) -> int:
        """The last one of the run that something is known of; -1 for none."""
        return self._last_step

    @property
    def names(self) -> tuple[str, ...]:
        """The layers, in the architecture's order."""
        return () if self.newest is None else tuple(self.newest.layers)

    def put(self, event: LayersMeasured) -> bool:
        """Add a measurement; whether it is the run's next one.

        One of another run begins anew. One of a step before takes its place, as when moments of the run are looked at
        again; one of a network at rest is only looked at.
        """
        if event.run_id and event.run_id != self.run_id:
            self.clear()
            self.run_id = event.run_id
        self.newest = event
        if event.run_id:
            self._last = event
        if not event.run_id:
            return False
        names = tuple(event.layers)
        if names not in self._places:
            self._places[names] = {name: place for place, name in enumerate(names)}
            self._names[names] = names
        names = self._names[names]
        packed = _pack(event, names)
        size = packed.counts.nbytes + packed.ranges.nbytes + 200
        self._columns.most = max(LEAST_COLUMNS, min(MOST_COLUMNS, MOST_BYTES // max(1, size)))
        numbers = [[_number(getattr(event.layers[name], number)) for number in NUMBERS] for name in names]
        point = _Point(event.step, names, np.array(numbers, np.float32).reshape(-1, len(NUMBERS)))
        if event.step <= self._last_step:
            self._columns.insert(packed, _step_of)
            self._points.insert(point, _step_of)
            return False
        self._last_step = event.step
        self._columns.put(packed)
        self._points.put(point)
        return True

    def fill(self, events: Iterable[LayersMeasured]) -> None:
        """Add measurements of a run that were kept elsewhere; what is newest of the same run stays so."""
        before = (self.run_id, self.newest, self._last)
        for event in events:
            self.put(event)
        if before[1] is not None and before[0] == self.run_id:
            _, self.newest, self._last = before

    def histogram(self, name: str, kind: Kind) -> Histogram | None:
        """The newest one; that of the run's last step where a network at rest has none, as of gradients."""
        for event in (self.newest, self._last):
            statistics = None if event is None else event.layers.get(name)
            found = None if statistics is None else histogram_of(statistics, kind)
            if found is not None:
                return found
        return None

    def columns(self, name: str, kind: Kind, most: int = MOST_COLUMNS) -> Columns:
        """The histograms of one layer; of many about `most`, evenly, with the newest."""
        place = KINDS.index(kind)
        kept = self._columns.items
        kept = [*kept[: -1 : -(-len(kept) // most)], kept[-1]] if kept else kept
        found = [
            (packed, layer)
            for packed in kept
            if (layer := self._places[packed.names].get(name)) is not None
            and not math.isnan(packed.ranges[layer, place, 0])
        ]
        if not found:
            return Columns(
                np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32), np.empty((0, 1), np.float32)
            )
        steps = np.array([packed.step for packed, _ in found], np.int64)
        ranges = np.array([packed.ranges[layer, place] for packed, layer in found])
        counts = np.array([packed.counts[layer, place] for packed, layer in found], np.float32)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        return Columns(steps, ranges[:, 0], ranges[:, 1], shares)

    def curves(self, number: Number) -> tuple[npt.NDArray[np.int64], dict[str, Floats]]:
        """Steps, and the number of each layer that ever had one, in the architecture's order; NaN where it had none."""
        points, place = self._points.items, NUMBERS.index(number)
        steps = np.array([point.step for point in points], np.int64)
        if not points:
            return steps, {}
        names = points[-1].names
        if all(point.names == names for point in points):
            values = np.array([point.numbers[:, place] for point in points])
        else:
            values = np.full((len(points), len(names)), np.nan, np.float32)
            for row, point in enumerate(points):
                known = self._places[point.names]
                values[row] = [point.numbers[known[n], place] if n in known else np.nan for n in names]
        # The last measurement of all comes without a step, which some numbers need.
        was_measured = np.isfinite(values).any(axis=1)
        steps, values = steps[was_measured], values[was_measured]
        has_any = np.isfinite(values).any(axis=0)
        return steps, {name: values[:, i] for i, name in enumerate(names) if has_any[i]}


def _step_of(kept: _Packed | _Point) -> int:
    return kept.step


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _pack(event: LayersMeasured, names: Iterable[str]) -> _Packed:
    statistics = [event.layers[name] for name in names]
    bins = max((len(h.counts) for layer in statistics for kind in KINDS if (h := getattr(layer, kind))), default=1)
    counts = np.zeros((len(statistics), len(KINDS), bins), np.uint16)
    ranges = np.full((len(statistics), len(KINDS), 2), np.nan, np.float32)
    for row, layer in enumerate(statistics):
        for column, kind in enumerate(KINDS):
            histogram = histogram_of(layer, kind)
            if histogram is None:
                continue
            shares = histogram.counts.astype(np.float64)
            if len(shares) != bins:
                edges = np.linspace(histogram.low, histogram.high, bins + 1)
                whole = strip(one_column(histogram), edges)[0] if histogram.high > histogram.low else np.eye(1, bins)[0]
                shares = whole
            counts[row, column] = np.rint(shares / shares.max() * _FULL)
            ranges[row, column] = histogram.low, histogram.high
    return _Packed(event.step, tuple(names), counts, ranges)


def histogram_of(statistics: LayerStatistics, kind: Kind) -> Histogram | None:
    """The histogram of a kind; None where there is none, or nothing in it is a finite number."""
    found: Histogram | None = getattr(statistics, kind)
    return found if found is not None and found.counts.any() and math.isfinite(found.high - found.low) else None


def one_column(histogram: Histogram) -> Columns:
    """A histogram as the only column, of step 0."""
    counts = histogram.counts.astype(np.float32)[None]
    low, high = np.array([histogram.low], np.float32), np.array([histogram.high], np.float32)
    return Columns(np.zeros(1, np.int64), low, high, counts / counts.sum())


def strip(columns: Columns, edges: npt.NDArray[np.floating]) -> Floats:
    """What part of each column's values lies between common edges, `(n, len(edges) - 1)`.

    Within a bin values are taken to lie evenly. What lies outside of the edges is left out. A column whose values are
    all equal is whole in the bin that holds them; the last bin has its upper edge, as numpy's.
    """
    count, bins = columns.shares.shape
    summed = np.zeros((count, bins + 1))
    np.cumsum(columns.shares, axis=1, out=summed[:, 1:])
    low, width = columns.lows[:, None].astype(np.float64), (columns.highs - columns.lows)[:, None].astype(np.float64)
    is_flat = width <= 0
    places = np.clip((edges[None] - low) / np.where(is_flat, 1, width), 0, 1) * bins
    whole = np.minimum(places.astype(np.int64), bins - 1)
    below = np.take_along_axis(summed, whole, 1)
    reached = below + (places - whole) * np.take_along_axis(summed, whole + 1, 1) - (places - whole) * below
    if is_flat.any():
        # All of a column lies below an edge, or none.
        last = np.arange(len(edges)) == len(edges) - 1
        flat = np.where(last[None], low <= edges[None], low < edges[None]).astype(np.float64)
        reached = np.where(is_flat, flat, reached)
    parts: Floats = np.maximum(np.diff(reached, axis=1), 0).astype(np.float32)
    return parts


def common_range(columns: Columns, newest: Histogram | None = None) -> tuple[float, float]:
    """The ends of the axis that strip and outline share; never equal.

    They hold `SHOWN` of the values of each column but the widest fiftieth: few large values, or one step that leaps,
    would press all others flat.
    """
    if not len(columns.steps) and newest is not None:
        columns = one_column(newest)
    if not len(columns.steps):
        return -1.0, 1.0
    lows, highs = _holding(columns, SHOWN)
    reach = np.maximum(np.abs(lows), np.abs(highs))
    kept = reach <= np.quantile(reach, 0.98, method="higher")
    low, high = float(lows[kept].min()), float(highs[kept].max())
    if low == high:
        half = abs(low) / 2 or 1.0
        return low - half, high + half
    return low, high


def _holding(columns: Columns, share: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The ends of the bins that hold at least so much of each column, as much left out below as above."""
    summed = np.cumsum(columns.shares, axis=1, dtype=np.float64)
    bins, tail = columns.shares.shape[1], (1 - share) / 2
    first = (summed <= tail).sum(1)
    last = np.minimum((summed < 1 - tail - 1e-9).sum(1) + 1, bins)
    width = (columns.highs - columns.lows).astype(np.float64) / bins
    return columns.lows + first * width, columns.lows + last * width


def mean_of(histogram: Histogram) -> float:
    """The mean of the values, to within half a bin."""
    bins = len(histogram.counts)
    centres = histogram.low + (np.arange(bins) + 0.5) * (histogram.high - histogram.low) / bins
    return float((centres * histogram.counts).sum() / histogram.counts.sum())
