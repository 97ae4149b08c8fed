"""Where the window of a layer lies for each of its output pixels, and what each of its taps reads. No values, no Qt.

Rows and columns are independent of each other in all layers that slide a window, so that each axis is a table of its
own. What the taps' values come to is `layer_arithmetic`'s.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.layers import Layer, Shape
from explorer.layers.adaptive import AdaptivePool
from explorer.layers.convolution import Conv2d
from explorer.layers.geometry import Axis
from explorer.layers.lenet import PartialConv2d, Subsampling
from explorer.layers.linear import Linear
from explorer.layers.pooling import WindowPool
from explorer.layers.transposed import ConvTranspose2d

PADDED = -1
"""A tap in the padding that reads no pixel: zero for sums, minus infinity for a maximum."""
BEYOND = -2
"""A tap of a last window that hangs over the end (`ceil_mode`): it reads nothing and counts in no average."""
BETWEEN = -3
"""A tap of a transposed convolution that lies between two pixels, or outside the map: it reads nothing."""
ABSENT = -4
"""No tap: the windows of adaptive pooling differ in size."""

Fill = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]


class Reading(NamedTuple):
    """What each output pixel reads along one axis."""

    size: int
    """Pixels of the input."""
    before: int
    """Padding before the first pixel; negative where pixels are cropped."""
    after: int
    """Padding after the last one."""
    places: npt.NDArray[np.float64]
    """`(outputs, taps)`: where each tap lies, in pixels from the first; those of a transposed convolution may lie
    between two."""
    sources: npt.NDArray[np.int64]
    """`(outputs, taps)`: the pixel that each tap reads, or why it reads none."""
    step: int = 1
    """Pixels from one window to the next, where that is a whole number."""

    @property
    def outputs(self) -> int:
        """Output pixels along the axis."""
        return int(self.places.shape[0])

    @property
    def taps(self) -> int:
        """Taps of the widest window."""
        return int(self.places.shape[1])

    @property
    def span(self) -> tuple[int, int]:
        """The first place and the one after the last that any of map, padding and windows takes."""
        there = (self.sources != ABSENT) & (self.sources != BETWEEN)
        # A transposed convolution may have outputs that meet no pixel at all.
        first = self.places.min(where=there, initial=0)
        last = self.places.max(where=there, initial=0)
        low = min(-self.before, int(first), 0)
        return low, max(self.size + self.after, int(last) + 1, self.size)

    @property
    def is_outside(self) -> npt.NDArray[np.bool_]:
        """`(outputs, taps)`: whether a tap lies outside the map, whatever it reads there."""
        there = (self.sources != ABSENT) & (self.sources != BETWEEN)
        outside: npt.NDArray[np.bool_] = there & ((self.places < 0) | (self.places >= self.size))
        return outside

    @property
    def is_read(self) -> npt.NDArray[np.bool_]:
        """`(size,)`: whether any output reads a pixel."""
        found = np.zeros(self.size, bool)
        found[self.sources[self.sources >= 0]] = True
        return found

    def sources_at(self, first: int, end: int) -> npt.NDArray[np.int64]:
        """`(end - first,)`: what a tap at each of these places would read."""
        places = np.arange(first, end)
        found = np.where(places < self.size + self.after, PADDED, BEYOND)
        inside = (places >= 0) & (places < self.size)
        found[inside] = places[inside]
        # What padding copies is told by the taps that lie there.
        there = (self.places >= first) & (self.places < end) & (self.sources >= 0)
        found[self.places[there].astype(np.int64) - first] = self.sources[there]
        return found

    def extent(self, output: int) -> tuple[float, float]:
        """The first place of an output's window and the end of its last."""
        there = self.places[output][self.sources[output] != ABSENT]
        return float(there.min()), float(there.max()) + 1


class Slide(NamedTuple):
    """A window that slides over a map."""

    rows: Reading
    columns: Reading

    @property
    def padding_share(self) -> npt.NDArray[np.float64]:
        """`(outputs high, outputs wide)`: the share of each output's taps that lie outside the map, 0 to 1."""
        inside, counted = [], []
        for axis in self:
            counts = (axis.sources != ABSENT) & (axis.sources != BETWEEN)
            counted.append(counts.sum(1))
            inside.append((counts & ~axis.is_outside).sum(1))
        total = np.multiply.outer(*counted)
        within = np.multiply.outer(*inside)
        share: npt.NDArray[np.float64] = 1.0 - np.divide(within, total, out=np.ones(total.shape), where=total > 0)
        return share

    @property
    def is_unread(self) -> npt.NDArray[np.bool_]:
        """`(height, width)`: the pixels that no output reads."""
        unread: npt.NDArray[np.bool_] = ~np.logical_and.outer(self.rows.is_read, self.columns.is_read)
        return unread

    def readers(self, row: int, column: int) -> npt.NDArray[np.bool_]:
        """`(outputs high, outputs wide)`: the outputs that read a pixel, directly or as a copy in the padding."""
        down, across = (self.rows.sources == row).any(1), (self.columns.sources == column).any(1)
        found: npt.NDArray[np.bool_] = np.logical_and.outer(down, across)
        return found


def can_slide(layer: Layer) -> bool:
    """Whether `slide` knows a layer's window."""
    return isinstance(layer, Conv2d | PartialConv2d | ConvTranspose2d | WindowPool | Subsampling | AdaptivePool)


def slide(layer: Layer, shape: Shape) -> Slide:
    """The windows of a convolution or pooling over maps of `(C, H, W)`, which must fit it.

    Raises:
        ValueError: the layer has no window that slides.
    """
    if isinstance(layer, Conv2d):
        fills = [_fill(layer.padding_mode, axis) for axis in layer.axes(shape)]
        return Slide(*(_sliding(axis, fill) for axis, fill in zip(layer.axes(shape), fills, strict=True)))
    if isinstance(layer, PartialConv2d | WindowPool | Subsampling):
        return Slide(*(_sliding(axis, _nothing(axis)) for axis in layer.axes(shape)))
    if isinstance(layer, ConvTranspose2d):
        _, *outputs = layer.output_shape((shape,))
        return Slide(*(_transposed(axis, size) for axis, size in zip(layer.axes(shape), outputs, strict=True)))
    if isinstance(layer, AdaptivePool):
        return Slide(*(_adaptive(n, m) for n, m in zip(shape[1:], layer.output_size, strict=True)))
    raise ValueError(f"{layer.type_name} has no window that slides; only convolutions and poolings have")


def slide_whole(shape: tuple[int, int], outputs: tuple[int, int]) -> Slide:
    """The windows of a linear layer whose features are laid out as a map: each output reads all of it."""
    return Slide(*(_whole(size, count) for size, count in zip(shape, outputs, strict=True)))


def padding(mode: str, size: int, before: int, after: int) -> Reading:
    """What padding alone copies along an axis (`torch.nn.functional.pad`): a window of one tap; negative sides crop."""
    axis = Axis(size, 1, 1, before, after)
    return _sliding(axis, _fill(mode, axis))


def grid(count: int) -> tuple[int, int]:
    """Rows and columns that hold `count` values without a gap, as near to a square as that goes; never higher."""
    rows = next(rows for rows in range(max(1, int(count**0.5)), 0, -1) if count % rows == 0)
    return rows, count // rows


def is_whole(layer: Layer) -> bool:
    """Whether each output of a layer reads all inputs, with weights of its own."""
    return isinstance(layer, Linear)


def _sliding(axis: Axis, fill: Fill) -> Reading:
    starts = np.arange(axis.outputs) * axis.stride - axis.before
    places = starts[:, None] + np.arange(axis.kernel_size) * axis.dilation
    inside = (places >= 0) & (places < axis.size)
    sources = np.where(inside, places, fill(places))
    return Reading(axis.size, axis.before, axis.after, places.astype(np.float64), sources, axis.stride)


def _nothing(axis: Axis) -> Fill:
    """Padding that is no pixel."""
    return lambda places: np.where(places >= axis.size + axis.after, BEYOND, PADDED)


def _fill(mode: str, axis: Axis) -> Fill:
    """What padding copies; `torch.nn.functional.pad` for the modes."""
    last = axis.size - 1
    if mode == "reflect":
        # torch mirrors at the middle of the outermost pixel, cropped or not.
        return lambda places: np.clip(np.where(places < 0, -places, 2 * last - places), 0, last)
    if mode == "replicate":
        return lambda places: np.clip(places, 0, last)
    if mode == "circular":
        low, high = max(-axis.before, 0), axis.size - max(-axis.after, 0)
        return lambda places: (places - low) % max(1, high - low) + low
    return _nothing(axis)


def _transposed(axis: Axis, outputs: int) -> Reading:
    """Output o sums the input pixels i and taps j with `i·stride + j·dilation = o + padding`."""
    reach = np.arange(outputs)[:, None] + axis.before - np.arange(axis.kernel_size) * axis.dilation
    whole = reach // axis.stride
    meets = (reach % axis.stride == 0) & (whole >= 0) & (whole < axis.size)
    # What torch cuts off or adds belongs to the output; the input has no rim.
    return Reading(axis.size, 0, 0, reach / axis.stride, np.where(meets, whole, BETWEEN), 0)


def _adaptive(n: int, m: int) -> Reading:
    index = np.arange(m)
    starts, ends = index * n // m, -((index + 1) * n // -m)
    places = starts[:, None] + np.arange((ends - starts).max())
    sources = np.where(places < ends[:, None], places, ABSENT)
    step = n // m if n % m == 0 else 0
    return Reading(n, 0, 0, places.astype(np.float64), sources, step)


def _whole(size: int, outputs: int) -> Reading:
    places = np.tile(np.arange(size), (outputs, 1))
    return Reading(size, 0, 0, places.astype(np.float64), places, 0)
