"""A layer's feature maps as numbers: all channels, their statistics and order, and the levels that they are drawn with.

Pure numpy. The colours of the levels are `colours`', where they lie on screen `tiles`'.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs import Atlas

_Floats = npt.NDArray[np.float32]

LAST_LEVEL = 252
"""Levels of the scale are 0 to this; of a diverging one zero is the middle."""
NOT_A_NUMBER, GAP = 253, 255
"""Levels beside the scale."""
ORDERS = ("index", "mean", "variance", "last", "first")
"""By what channels stand in order; the last two by their change since the last capture, and since the first."""


class Maps(NamedTuple):
    """What is shown of one layer."""

    values: _Floats
    """`(channels, height, width)`; a vector's values are channels of one pixel."""
    is_exact: bool
    """Whether they are the layer's own values; else they are as near as 256 levels come, and may be averaged down."""
    minimum: float
    """The smallest finite value of the layer, 0 where there is none."""
    maximum: float

    @property
    def num_channels(self) -> int:
        """Channels."""
        return len(self.values)

    @property
    def is_vector(self) -> bool:
        """Whether every channel is one value."""
        return self.values.shape[1:] == (1, 1)


def maps_of_output(output: _Floats) -> Maps:
    """A layer's output, `(C, H, W)`, `(F,)` or of any other shape, whose dimensions in between are rows."""
    shape = output.shape
    if len(shape) == 1:
        values = output.reshape(-1, 1, 1)
    else:
        values = output.reshape(shape[0], math.prod(shape[1:-1]), shape[-1])
    if values.shape[0] == 1 and 1 in values.shape[1:]:
        values = values.reshape(-1, 1, 1)
    minimum, maximum = float(values.min(initial=math.inf)), float(values.max(initial=-math.inf))
    if not (math.isfinite(minimum) and math.isfinite(maximum)):
        finite = values[np.isfinite(values)]
        minimum, maximum = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return Maps(values, True, minimum, maximum)


def maps_of_atlas(atlas: Atlas) -> Maps:
    """What a picture of a layer tells of its values: to within half a level, and averaged down where it is large."""
    levels = tiles_of(atlas).astype(np.float32)
    values = np.float32(atlas.minimum) + levels * np.float32((atlas.maximum - atlas.minimum) / 255)
    if values.shape[0] == 1 and 1 in values.shape[1:]:
        values = values.reshape(-1, 1, 1)
    return Maps(values, False, atlas.minimum, atlas.maximum)


def tiles_of(atlas: Atlas) -> npt.NDArray[np.uint8]:
    """All channels of a picture, `(channels, height, width)`."""
    h, w, gap = atlas.tile_height, atlas.tile_width, atlas.gap
    height, width = atlas.rows * (h + gap), atlas.columns * (w + gap)
    image = np.pad(atlas.image, ((0, height - atlas.image.shape[0]), (0, width - atlas.image.shape[1])))
    grid = image.reshape(atlas.rows, h + gap, atlas.columns, w + gap).transpose(0, 2, 1, 3)[:, :, :h, :w]
    return grid.reshape(-1, h, w)[: atlas.num_channels]


def dead_channels(maps: Maps) -> npt.NDArray[np.bool_]:
    """`(channels,)`: which are zero everywhere."""
    alive: npt.NDArray[np.bool_] = np.any(maps.values, axis=(1, 2))
    return ~alive


def ordered(maps: Maps, order: str, before: _Floats | None = None) -> npt.NDArray[np.intp]:
    """The channels in an order of `ORDERS`, the largest first; equal ones by their number, NaN last.

    Args:
        before: what change is measured from, of the same shape; None for no change anywhere.
    """
    match order:
        case "mean":
            key = maps.values.mean(axis=(1, 2), dtype=np.float64)
        case "variance":
            key = maps.values.var(axis=(1, 2), dtype=np.float64)
        case "last" | "first" if before is not None and before.shape == maps.values.shape:
            key = np.abs(maps.values - before).mean(axis=(1, 2), dtype=np.float64)
        case _:
            return np.arange(maps.num_channels)
    return np.argsort(-key, kind="stable")


class Scale(NamedTuple):
    """What the ends of the levels stand for."""

    low: _Floats
    """`(channels,)`, or `(1,)` for one scale for all."""
    high: _Floats
    is_diverging: bool
    """Whether zero is the middle."""

    def of(self, channel: int) -> tuple[float, float]:
        """The ends for a channel."""
        place = channel if len(self.low) > 1 else 0
        return float(self.low[place]), float(self.high[place])


def scale_of(maps: Maps, *, per_channel: bool, diverging: bool | None = None) -> Scale:
    """From the smallest to the largest value; of a diverging scale, as far above zero as below.

    Args:
        per_channel: a scale for each channel.
        diverging: None for where the layer has values of both signs.
    """
    if diverging is None:
        diverging = maps.minimum < 0 < maps.maximum
    if per_channel and not maps.is_vector:
        low, high = maps.values.min(axis=(1, 2)), maps.values.max(axis=(1, 2))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            finite = np.isfinite(maps.values)
            low = np.where(finite, maps.values, np.inf).min(axis=(1, 2))
            high = np.where(finite, maps.values, -np.inf).max(axis=(1, 2))
            low, high = np.where(low > high, 0, low), np.where(low > high, 0, high)
    else:
        low, high = np.array([maps.minimum], np.float32), np.array([maps.maximum], np.float32)
    if diverging:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    return Scale(low.astype(np.float32), high.astype(np.float32), diverging)


def levels_of(maps: Maps, scale: Scale) -> npt.NDArray[np.uint8]:
    """The values as levels, `(channels, height, width)`. What is infinite takes the end on its side.

    A channel all of whose values are equal is at the low end; at the middle where the scale diverges.
    """
    span = scale.high - scale.low
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        factor = np.where(span > 0, np.float32(LAST_LEVEL) / span, np.float32(0)).astype(np.float32)
        shown = maps.values - scale.low[:, None, None]
        shown *= factor[:, None, None]
        if scale.is_diverging:
            shown[np.broadcast_to((span <= 0)[:, None, None], shown.shape)] = LAST_LEVEL / 2
        shown += np.float32(0.5)
        np.clip(shown, 0, LAST_LEVEL, out=shown)
        levels: npt.NDArray[np.uint8] = shown.astype(np.uint8)
    broken = np.isnan(shown)
    if broken.any():
        levels[broken] = NOT_A_NUMBER
    return levels


class Reference(NamedTuple):
    """What a layer's change is measured from."""

    first: _Floats
    first_text: str
    """Where the first comes from, as the screen says it."""
    last: _Floats | None
    newest: _Floats


_MOST_REFERENCES = 12
_MOST_BYTES = 2**27


class References:
    """The first and the last picture of each layer that was looked at, as far as they fit into memory."""

    def __init__(self) -> None:
        self._run_id = ""
        self._kept: dict[tuple[str, str], Reference] = {}

    def take(self, key: tuple[str, str], values: _Floats, text: str, run_id: str) -> None:
        """Count a picture of a (node, probe); with another run's first one, everything before is forgotten."""
        if run_id and run_id != self._run_id:
            self._kept.clear()
            self._run_id = run_id
        before = self._kept.pop(key, None)
        if before is None or before.first.shape != values.shape:
            self._kept[key] = Reference(values, text, None, values)
        else:
            # Another view's look at the same weights is no change.
            is_same = before.newest is values or np.array_equal(before.newest, values)
            self._kept[key] = before if is_same else before._replace(last=before.newest, newest=values)
        while len(self._kept) > 1 and (len(self._kept) > _MOST_REFERENCES or _size(self._kept) > _MOST_BYTES):
            del self._kept[next(iter(self._kept))]

    def of(self, key: tuple[str, str]) -> Reference | None:
        """What is known of a (node, probe)."""
        return self._kept.get(key)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


def _size(kept: Mapping[tuple[str, str], Reference]) -> int:
    return sum(array.nbytes for one in kept.values() for array in {id(a): a for a in _arrays(one)}.values())


def _arrays(reference: Reference) -> list[_Floats]:
    found = (reference.first, reference.last, reference.newest)
    return [array for array in found if array is not None]
