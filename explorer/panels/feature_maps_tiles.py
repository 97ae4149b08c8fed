"""How many columns and which scale show all channels of a layer largest; and the one picture of them in that form."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs import Atlas

SCALES = (
    1 / 8,
    1 / 6,
    1 / 4,
    1 / 3,
    1 / 2,
    1.0,
    2.0,
    3.0,
    4.0,
    5.0,
    6.0,
    7.0,
    8.0,
    10.0,
    12.0,
    16.0,
    20.0,
    24.0,
    32.0,
    48.0,
)
"""Device pixels for a pixel of a map: whole numbers keep pixels crisp, their inverses keep large maps whole."""


class Tiling(NamedTuple):
    """A form of the picture: its columns, and its scale in device pixels."""

    columns: int
    scale: float


def gap_of(atlas: Atlas) -> int:
    """Map pixels between tiles on screen, whatever the atlas came with; none between single pixels."""
    return 0 if atlas.tile_height == atlas.tile_width == 1 else 1


def grid_size(atlas: Atlas, columns: int) -> tuple[int, int]:
    """`(height, width)` of the picture in map pixels."""
    rows, gap = -(-atlas.num_channels // columns), gap_of(atlas)
    return rows * (atlas.tile_height + gap) - gap, columns * (atlas.tile_width + gap) - gap


def fitting(atlas: Atlas, height: float, width: float) -> Tiling:
    """The largest scale at which all channels are seen at once in `(height, width)` device pixels."""
    for scale in reversed(SCALES):
        columns = columns_within(atlas, width, scale)
        if columns is not None and grid_size(atlas, columns)[0] * scale <= height:
            return Tiling(_even(atlas.num_channels, columns), scale)
    return Tiling(columns_within(atlas, width, SCALES[0]) or 1, SCALES[0])


def columns_within(atlas: Atlas, width: float, scale: float) -> int | None:
    """How many tiles lie side by side in `width` device pixels; None if not even one."""
    columns = int((width / scale + gap_of(atlas)) // (atlas.tile_width + gap_of(atlas)))
    return min(columns, atlas.num_channels) if columns >= 1 else None


def reflowed(atlas: Atlas, columns: int) -> npt.NDArray[np.uint8]:
    """The atlas' picture with another number of columns and gaps of `gap_of`; both and unused places are 0."""
    rows, gap = -(-atlas.num_channels // columns), gap_of(atlas)
    h, w = atlas.tile_height, atlas.tile_width
    result = np.zeros((rows * (h + gap), columns * (w + gap)), np.uint8)
    places = result.reshape(rows, h + gap, columns, w + gap).transpose(0, 2, 1, 3)[:, :, :h, :w]
    row, column = np.divmod(np.arange(atlas.num_channels), columns)
    places[row, column] = tiles(atlas)
    return result[: rows * (h + gap) - gap, : columns * (w + gap) - gap]


def tiles(atlas: Atlas) -> npt.NDArray[np.uint8]:
    """All channels, `(channels, height, width)`."""
    h, w, gap = atlas.tile_height, atlas.tile_width, atlas.gap
    height, width = atlas.rows * (h + gap), atlas.columns * (w + gap)
    image = np.pad(atlas.image, ((0, height - atlas.image.shape[0]), (0, width - atlas.image.shape[1])))
    grid = image.reshape(atlas.rows, h + gap, atlas.columns, w + gap).transpose(0, 2, 1, 3)[:, :, :h, :w]
    return grid.reshape(-1, h, w)[: atlas.num_channels]


def level_value(atlas: Atlas, level: int) -> float:
    """The value that a grey level stands for, to within half a level."""
    return atlas.minimum + (atlas.maximum - atlas.minimum) * level / 255


def vector(atlas: Atlas) -> npt.NDArray[np.float64] | None:
    """The values of a layer without maps (a flatten, a linear layer), or of maps of one pixel; None for real maps."""
    single = atlas.num_channels == 1 and 1 in (atlas.tile_height, atlas.tile_width)
    if not single and (atlas.tile_height, atlas.tile_width) != (1, 1):
        return None
    levels = tiles(atlas).reshape(-1).astype(np.float64)
    return atlas.minimum + (atlas.maximum - atlas.minimum) * levels / 255


def as_pixels(atlas: Atlas) -> Atlas:
    """The same vector with one tile a value, so that it is shown as a grid of pixels."""
    if (atlas.tile_height, atlas.tile_width) == (1, 1) and atlas.gap == 0:
        return atlas
    levels = tiles(atlas).reshape(1, -1)
    return Atlas(
        image=np.ascontiguousarray(levels),
        num_channels=levels.size,
        columns=levels.size,
        tile_height=1,
        tile_width=1,
        gap=0,
        minimum=atlas.minimum,
        maximum=atlas.maximum,
    )


def _even(num_channels: int, columns: int) -> int:
    # The same number of rows, filled as evenly as can be: 16 channels stand 8 + 8, not 15 + 1.
    rows = -(-num_channels // columns)
    return -(-num_channels // rows)
