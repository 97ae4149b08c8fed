"""From a layer's first kernels to the one picture that a card carries: signed colours, zero in the ground's own.

A first layer of three input channels is shown in colour, around a grey zero; kernels of more channels stand in a row
for each of the first input channels and a column for each output; a matrix is a field of cells, outputs downwards.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSizeF

from explorer.canvas.maps_strip import Strip, to_image
from explorer.look.ramps import diverging, opaque, signed_levels
from explorer.look.theme import Theme

Floats = npt.NDArray[np.float32]

_GAP = 3.0
"""Between tiles, in pixels of the card."""
_LARGEST_SCALE, _LARGEST_TILE, _SMALLEST_CELL = 8.0, 24.0, 4.0
"""Pixels of the card: of a weight, of a tile's longer side where there are many, and of a matrix's weight."""
_OVERSAMPLING = 2


class KernelStrip(NamedTuple):
    """The picture, and what is on it."""

    strip: Strip
    num_outputs: int
    """Outputs of the layer that are shown; for a vector, its values."""
    num_inputs: int
    """Input channels that are shown of each."""
    is_colour: bool
    """Whether the three input channels are red, green and blue."""
    largest: float
    """The largest magnitude that is shown, which is at the colours' ends."""


def kernel_strip(kernels: Floats, theme: Theme, width: float, height: float, *, may_be_colour: bool) -> KernelStrip:
    """As many kernels as fit into `width` by `height` pixels of a card.

    Args:
        kernels: `(outputs, inputs, height, width)`, as `first_kernels` gives them.
        theme: whose ground is the colour of zero.
        width: of the room.
        height: of the room.
        may_be_colour: whether three inputs are the colours of an image.
    """
    num_outputs, num_inputs, kernel_height, kernel_width = kernels.shape
    if kernel_height * kernel_width == 1:
        return _cells(kernels[:, :, 0, 0], theme, width, height)
    is_colour = may_be_colour and num_inputs == 3
    is_row = is_colour or num_inputs == 1
    scale = _scale(kernel_height, kernel_width, height, num_outputs if is_row else 0, width)
    tile_height, tile_width = kernel_height * scale, kernel_width * scale
    most_rows = max(1, int((height + _GAP + 0.01) // (tile_height + _GAP)))
    most_columns = max(1, int((width + _GAP + 0.01) // (tile_width + _GAP)))
    if is_row:
        count = min(num_outputs, most_rows * most_columns)
        rows = -(-count // most_columns)
        columns = -(-count // rows)
        shown = kernels[:count].transpose(0, 2, 3, 1) if is_colour else kernels[:count, 0]
        inputs = num_inputs
    else:
        rows = inputs = min(num_inputs, most_rows)
        columns = min(num_outputs, most_columns)
        count = columns
        shown = kernels[:columns, :rows].swapaxes(0, 1).reshape(rows * columns, kernel_height, kernel_width)
    largest = _largest(shown)
    colours = _coloured(shown, largest, theme)
    repeat = max(1, round(scale * _OVERSAMPLING))
    large = colours.repeat(repeat, axis=1).repeat(repeat, axis=2)
    gap = max(1, round(_GAP * repeat / scale))
    whole = np.zeros((rows * columns, large.shape[1] + gap, large.shape[2] + gap), np.uint32)
    whole[: len(large), : large.shape[1], : large.shape[2]] = large
    by_rows = whole.reshape(rows, columns, *whole.shape[1:]).swapaxes(1, 2)
    picture = by_rows.reshape(rows * whole.shape[1], columns * whole.shape[2])[:-gap, :-gap]
    ratio = scale / repeat
    size = QSizeF(picture.shape[1] * ratio, picture.shape[0] * ratio)
    shrink = min(1.0, width / size.width(), height / size.height())
    return KernelStrip(Strip(to_image(picture), size * shrink), count, inputs, is_colour, largest)


def _scale(kernel_height: int, kernel_width: int, height: float, count: int, width: float) -> float:
    """Pixels of the card a weight: two rows of tiles, or one where they are large or there is room for all in it."""
    longest = max(kernel_height, kernel_width)
    alone = min(height / kernel_height, _LARGEST_SCALE)
    is_one_row = count and count * (kernel_width * alone + _GAP) - _GAP <= width
    if is_one_row or longest > _LARGEST_TILE:
        return min(alone, width / kernel_width)
    side = min(_LARGEST_TILE, (height - _GAP) / 2)
    return min(side / longest, _LARGEST_SCALE)


def _cells(values: Floats, theme: Theme, width: float, height: float) -> KernelStrip:
    """A matrix, or a vector in reading order, as cells that stand close."""
    num_outputs, num_inputs = values.shape
    if num_outputs == 1:
        count = num_inputs
        size = max(_SMALLEST_CELL, float(int(min(height, 2 * _LARGEST_SCALE))))
        while size > _SMALLEST_CELL and int(width // size) * int(height // size) < count:
            size -= 1
        columns = min(count, int(width // size))
        rows = min(-(-count // columns), int(height // size))
        count = min(count, rows * columns)
        shown = np.zeros(rows * columns, np.float32)
        shown[:count] = values[0, :count]
        values, outputs, inputs = shown.reshape(rows, columns), count, 1
    else:
        fitting = min(height / num_outputs, width / num_inputs, _LARGEST_SCALE)
        size = max(_SMALLEST_CELL, float(int(fitting)))
        values = values[: int(height // size), : int(width // size)]
        outputs, inputs = values.shape
        count = values.size
    largest = _largest(values)
    colours = _coloured(values[None], largest, theme)[0]
    colours.reshape(-1)[count:] = 0
    side = int(size) * _OVERSAMPLING
    large = colours.repeat(side, axis=0).repeat(side, axis=1)
    # The last line of each cell is left clear, so that cells stand apart.
    large[side - 1 :: side] = 0
    large[:, side - 1 :: side] = 0
    strip = Strip(to_image(large), QSizeF(colours.shape[1] * size, colours.shape[0] * size))
    return KernelStrip(strip, outputs, inputs, False, largest)


def _largest(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0))


def _coloured(tiles: Floats, largest: float, theme: Theme) -> npt.NDArray[np.uint32]:
    """Each value's colour, `(tiles, height, width)`, of `(tiles, height, width)` or with three colours behind."""
    levels = signed_levels(tiles, largest)
    if tiles.ndim == 3:
        found: npt.NDArray[np.uint32] = diverging(theme)[levels]
        return found
    red, green, blue = (levels[..., part].astype(np.uint32) for part in range(3))
    return opaque(red, green, blue)
