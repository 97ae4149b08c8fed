"""What output pixels see of the image, as one affine box for all of a node's outputs: size, spacing and place.

It is exact where branches agree in their spacing, as they do in the networks that are drawn; elsewhere, and behind
layers whose windows vary with the place (adaptive pooling, interpolation), it is the smallest such box that holds what
every output sees. It is not cut at the borders. What one output sees exactly, borders and gaps included, is `support`.

Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", with branches joined
by the union of what they see.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from explorer.layers import Ratio, Shape, Window
from explorer.layers.layer import POINTWISE


class Box(NamedTuple):
    """Pixels of the image; parts may lie outside of it, in the padding."""

    top: int
    left: int
    height: int
    width: int


class ReceptiveField(NamedTuple):
    """The input pixels that one output pixel can see, per axis (height, width)."""

    height: Ratio
    width: Ratio
    stride: tuple[Ratio, Ratio]
    """Input pixels between neighbouring outputs: the output stride."""
    start: tuple[Ratio, Ratio]
    """First input row and column that output (0, 0) sees; negative inside the padding."""
    is_whole: tuple[bool, bool] = (False, False)
    """Whether every output sees the same pixels along the axis, wherever it stands."""

    @property
    def size(self) -> tuple[Ratio, Ratio]:
        """(height, width), in input pixels."""
        return (self.height, self.width)

    @property
    def center(self) -> tuple[Ratio, Ratio]:
        """The middle of what output (0, 0) sees, as (row, column); 0 is the middle of the first pixel."""
        return (_centre(self.start[0], self.height), _centre(self.start[1], self.width))

    def box(self, row: int, column: int) -> Box:
        """What the output at (row, column) can see, in whole pixels."""
        top, height = self._extent(0, row)
        left, width = self._extent(1, column)
        return Box(top, left, height, width)

    def _extent(self, axis: int, place: int) -> tuple[int, int]:
        first = self.start[axis] if self.is_whole[axis] else self.start[axis] + place * self.stride[axis]
        low, high = math.floor(first), math.ceil(first + self.size[axis])
        return low, high - low


IMAGE_FIELD = ReceptiveField(1, 1, (1, 1), (0, 0))
"""An image's pixel sees itself."""


def behind(
    window: Window, fields: Sequence[ReceptiveField | None], shapes: Sequence[Shape] = ()
) -> ReceptiveField | None:
    """The field behind `window` over the union of what arrives; None where a branch's is unknown.

    Args:
        shapes: of what arrives, in the order of the fields; with them, branches whose outputs lie unlike far apart, or
            are repeated, are bounded at every output.
    """
    first = fields[0]
    if first is None:
        return None
    for number in range(1, len(fields)):
        other = fields[number]
        if other is None:
            return None
        if other is not first and other != first:
            first = _union(fields, shapes)
            break
    if window is POINTWISE or first is None:
        return first
    (kh, kw), (sh, sw), (ph, pw), (dh, dw), (whole_h, whole_w) = window
    if type(sh) is Fraction or type(sw) is Fraction:
        first = _rounded(first, window)
    jump_h, jump_w = first.stride
    was_h, was_w = first.is_whole
    # Where all outputs before see the same, neighbours add nothing.
    return ReceptiveField(
        first.height if was_h else first.height + (kh - 1) * dh * jump_h,
        first.width if was_w else first.width + (kw - 1) * dw * jump_w,
        (jump_h * sh, jump_w * sw),
        (
            first.start[0] if was_h else first.start[0] - ph * jump_h,
            first.start[1] if was_w else first.start[1] - pw * jump_w,
        ),
        (was_h or whole_h, was_w or whole_w),
    )


def rounding(field: ReceptiveField, window: Window, axis: int) -> Ratio:
    """How far, in the image's pixels, windows that lie between a field's pixels may read beside it.

    They read whole pixels. Where those lie as close as the image's, or several in each of them, nothing is beside it
    once the field itself is rounded to the image's.
    """
    jump, parts = field.stride[axis], window.stride[axis].denominator
    return 0 if jump.numerator == 1 or parts == 1 or field.is_whole[axis] else jump * (1 - Fraction(1, parts))


def _rounded(field: ReceptiveField, window: Window) -> ReceptiveField:
    rows, columns = rounding(field, window, 0), rounding(field, window, 1)
    if not (rows or columns):
        return field
    start = (field.start[0] - rows, field.start[1] - columns)
    return ReceptiveField(field.height + 2 * rows, field.width + 2 * columns, field.stride, start, field.is_whole)


def _union(fields: Sequence[ReceptiveField | None], shapes: Sequence[Shape]) -> ReceptiveField | None:
    known = [field for field in fields if field is not None]
    if len(known) < len(fields):
        return None
    if len(known) == 2 and len(shapes) == 2 and shapes[0] == shapes[1]:
        for one, other in (known, reversed(known)):
            if _holds(one, other):
                return one
    top, height, step_h, whole_h = _joined(known, shapes, 0)
    left, width, step_w, whole_w = _joined(known, shapes, 1)
    return ReceptiveField(height, width, (step_h, step_w), (top, left), (whole_h, whole_w))


def _holds(field: ReceptiveField, other: ReceptiveField) -> bool:
    """Whether one sees at every output all that the other sees, as a residual branch does of its shortcut."""
    if field.stride != other.stride or field.is_whole != other.is_whole:
        return False
    (top, left), (other_top, other_left) = field.start, other.start
    if top > other_top or left > other_left:
        return False
    return top + field.height >= other_top + other.height and left + field.width >= other_left + other.width


def _joined(fields: Sequence[ReceptiveField], shapes: Sequence[Shape], axis: int) -> tuple[Ratio, Ratio, Ratio, bool]:
    """(first, size, stride, whether whole) along one axis."""
    counts = [shape[axis + 1] if len(shape) == 3 else 1 for shape in shapes] or [1] * len(fields)
    count = max(counts)
    # One pixel that meets many is repeated for each: all see what it sees.
    fixed = [field.is_whole[axis] or own < count for field, own in zip(fields, counts, strict=True)]
    moving = [field for field, is_fixed in zip(fields, fixed, strict=True) if not is_fixed]
    # Where all see the same, the map keeps its own spacing, not that of the value that is repeated over it.
    spaced = moving or [field for field, own in zip(fields, counts, strict=True) if own == count]
    stride = max([field.stride[axis] for field in spaced])
    is_whole = any(fixed)
    low: Ratio | None = None
    high: Ratio | None = None
    for field, is_fixed in zip(fields, fixed, strict=True):
        start, size = field.start[axis], field.size[axis]
        end = start + size
        if not is_fixed:
            # What lags behind the union's spacing at the last output, or all of the way where the union stands still.
            drift = (count - 1) * (field.stride[axis] if is_whole else field.stride[axis] - stride)
            start, end = start + min(drift, 0), end + max(drift, 0)
        low = start if low is None else min(low, start)
        high = end if high is None else max(high, end)
    assert low is not None
    assert high is not None
    return low, high - low, stride, is_whole


def _centre(start: Ratio, size: Ratio) -> Ratio:
    middle = start + Fraction(size - 1) / 2
    return middle.numerator if middle.denominator == 1 else middle
