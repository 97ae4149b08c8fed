"""What one output pixel really sees of the image: the support of its gradient, exact with borders, gaps and branches.

It is found by walking back from the pixel, with the very rows and columns that each layer reads there. That takes
milliseconds in a deep network, so it is for the pixel that somebody points at; what holds for all of a node's pixels is
`receptive_field`. A layer that mixes rows with columns (a transpose, a reshape, an opaque one) counts as reading all.
"""

import functools
import math
import operator
from collections.abc import Sequence
from fractions import Fraction

from explorer.architecture import Architecture
from explorer.inference.inference import Inference
from explorer.inference.receptive_field import Box
from explorer.layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Layer,
    Pad,
    PixelShuffle,
    Shape,
    Upsample,
    Window,
)

_Places = int
"""A set of rows or columns: bit i stands for the place i."""
_Patch = tuple[_Places, _Places]
"""Rows and columns: all pixels where they cross."""
_MOST_PATCHES = 32
"""Branches rarely leave more than two side by side; where they do, the rest counts as one."""


def support(
    architecture: Architecture, inference: Inference, node_id: str, row: int = 0, column: int = 0
) -> Box | None:
    """The smallest box of image pixels that holds all on which the output at (row, column) depends.

    A vector's values are taken together, since a flatten before them read all of the maps. Normalisations count as they
    compute in evaluation mode.

    Args:
        inference: of this architecture.
        row: from 0; any for a vector, and so is the column.

    Returns:
        None if the node's output is unknown, or depends on padding alone.

    Raises:
        KeyError: no such node.
        IndexError: the output has no such row or column.
    """
    index = architecture.structure.index
    target = index[node_id]
    reports = list(inference.nodes.values())
    shape = reports[target].output_shape
    if shape is None:
        return None
    if len(shape) == 3 and not (0 <= row < shape[1] and 0 <= column < shape[2]):
        raise IndexError(f"{node_id}: no pixel ({row}, {column}) in {shape[1]}×{shape[2]}")
    seen: list[list[_Patch]] = [[] for _ in range(target + 1)]
    seen[target] = [(1 << row, 1 << column) if len(shape) == 3 else (1, 1)]
    # Networks repeat their blocks: what a layer reads is worked out once for equal sizes.
    tables: dict[tuple[int, tuple[Shape, ...], int], tuple[list[_Places], list[_Places]]] = {}
    for position in range(target, 0, -1):
        if not seen[position]:
            continue
        report = reports[position]
        shapes: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # what leaves is known
        assert report.output_shape is not None
        for port, source in enumerate(architecture.structure.sources[position]):
            key = (id(report.layer), shapes, port)
            table = tables.get(key)
            if table is None:
                table = tables[key] = _table(report.layer, shapes, report.output_shape, port)
            for rows, columns in seen[position]:
                _include(seen[source], (_union(rows, table[0]), _union(columns, table[1])))
    if not seen[0]:
        return None
    rows = functools.reduce(operator.or_, [patch[0] for patch in seen[0]])
    columns = functools.reduce(operator.or_, [patch[1] for patch in seen[0]])
    top, left = _first(rows), _first(columns)
    return Box(top, left, rows.bit_length() - top, columns.bit_length() - left)


def _include(patches: list[_Patch], new: _Patch) -> None:
    """Add a patch unless it is in the padding, along one axis at least, or in another."""
    rows, columns = new
    if not (rows and columns):
        return
    for other_rows, other_columns in patches:
        if rows | other_rows == other_rows and columns | other_columns == other_columns:
            return
    patches[:] = [patch for patch in patches if patch[0] | rows != rows or patch[1] | columns != columns]
    if len(patches) == _MOST_PATCHES:
        last = patches.pop()
        new = (rows | last[0], columns | last[1])
    patches.append(new)


def _first(places: _Places) -> int:
    return (places & -places).bit_length() - 1


def _union(places: _Places, table: Sequence[_Places]) -> _Places:
    """What all of the places read."""
    read = 0
    while places:
        lowest = places & -places
        read |= table[lowest.bit_length() - 1]
        places ^= lowest
    return read


def _table(layer: Layer, shapes: tuple[Shape, ...], output: Shape, port: int) -> tuple[list[_Places], list[_Places]]:
    """The rows of input `port` that each output row reads, and the same for columns."""
    shape = shapes[port]
    if len(shape) != 3:
        # A vector's one place.
        return ([1] * (output[1] if len(output) == 3 else 1), [1] * (output[2] if len(output) == 3 else 1))
    everything = [(1 << shape[1]) - 1], [(1 << shape[2]) - 1]
    if len(output) != 3:
        return everything
    window = layer.window(shapes)
    rows, columns = (
        everything[axis] * output[axis + 1]
        if window.is_whole[axis] and not isinstance(layer, Concat)
        else [_mask(places, shape[axis + 1]) for places in _reads(layer, window, shapes, port, axis, output[axis + 1])]
        for axis in (0, 1)
    )
    return rows, columns


def _mask(places: Sequence[int], size: int) -> _Places:
    mask = 0
    for place in places:
        if 0 <= place < size:
            mask |= 1 << place
    return mask


def _reads(
    layer: Layer, window: Window, shapes: tuple[Shape, ...], port: int, axis: int, count: int
) -> list[Sequence[int]]:
    """The places that each of `count` outputs reads along an axis; those outside of the map are padding."""
    size = shapes[port][axis + 1]
    match layer:
        case Concat(dim=dim) if dim == axis + 2:
            before = sum(shape[axis + 1] for shape in shapes[:port])
            return [(place - before,) for place in range(count)]
        case AdaptiveAvgPool2d() | AdaptiveMaxPool2d():
            return [range(place * size // count, -(-(place + 1) * size // count)) for place in range(count)]
        case ConvTranspose2d(kernel_size=k, stride=s, padding=p, dilation=d):
            return [_painted(place + p[axis], k[axis], s[axis], d[axis]) for place in range(count)]
        case Upsample():
            return _interpolated(layer, axis, size, count)
        case PixelShuffle(upscale_factor=factor):
            return [(place // factor,) for place in range(count)]
    if len(shapes) > 1 and size == 1:
        return [(0,)] * count
    mode, sides = "zeros", (0, 0, 0, 0)
    if isinstance(layer, Conv2d):
        mode, sides = layer.padding_mode, layer.sides(shapes[port])
    elif isinstance(layer, Pad):
        mode, sides = layer.mode, (layer.top, layer.bottom, layer.left, layer.right)
    stride, padding, dilation = int(window.stride[axis]), int(window.padding[axis]), window.dilation[axis]
    extent = (window.kernel_size[axis] - 1) * dilation + 1
    starts = [place * stride - padding for place in range(count)]
    if mode in {"zeros", "constant"}:
        return [range(start, start + extent, dilation) for start in starts]
    crops = max(0, -sides[2 * axis]), max(0, -sides[2 * axis + 1])
    return [[_copied(tap, size, mode, crops) for tap in range(start, start + extent, dilation)] for start in starts]


def _painted(place: int, kernel_size: int, stride: int, dilation: int) -> list[int]:
    """The pixels whose kernels fall onto a place of the uncut output (`torch.nn.ConvTranspose2d`)."""
    reached = [place - tap * dilation for tap in range(kernel_size)]
    return [at // stride for at in reached if at % stride == 0]


def _copied(place: int, size: int, mode: str, crops: tuple[int, int]) -> int:
    """The pixel that padding copies to a place (`torch.nn.functional.pad`)."""
    match mode:
        case "reflect":
            return -place if place < 0 else 2 * (size - 1) - place if place >= size else place
        case "replicate":
            return min(max(place, 0), size - 1)
        case _:
            # What is cut off at one end does not come round at the other.
            return crops[0] + (place - crops[0]) % (size - sum(crops))


def _interpolated(layer: Upsample, axis: int, size: int, count: int) -> list[Sequence[int]]:
    """The pixels that count in each output of `torch.nn.functional.interpolate`, those with weight 0 left out."""
    scale = layer.scale_height if axis == 0 else layer.scale_width
    fixed = layer.height is not None or layer.width is not None
    step = Fraction(size, count) if fixed else 1 / Fraction(repr(scale))
    if layer.mode == "nearest":
        return [(min(math.floor(place * step), size - 1),) for place in range(count)]
    if layer.align_corners:
        step = Fraction(size - 1, count - 1) if count > 1 else Fraction(0)
    reads: list[Sequence[int]] = []
    for place in range(count):
        at = place * step if layer.align_corners else (place + Fraction(1, 2)) * step - Fraction(1, 2)
        if layer.mode == "bilinear":
            at = max(at, Fraction(0))
        low = math.floor(at)
        if at == low:
            taps: Sequence[int] = (low,)
        elif layer.mode == "bilinear":
            taps = (low, low + 1)
        else:
            taps = range(low - 1, low + 3)
        reads.append([min(max(tap, 0), size - 1) for tap in taps])
    return reads
