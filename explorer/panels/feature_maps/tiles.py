"""How many columns and which scale show all channels of a layer largest; and the one picture of them in that form."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.panels.feature_maps.values import GAP

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


class Tiles(NamedTuple):
    """So many equal channels."""

    number: int
    height: int
    """In the map's own pixels."""
    width: int

    @property
    def gap(self) -> int:
        """Map pixels between tiles; none between single pixels."""
        return 0 if self.height == self.width == 1 else 1

    def reduced(self, factor: int) -> "Tiles":
        """The same, each `factor` pixels of a side averaged to one."""
        return Tiles(self.number, -(-self.height // factor), -(-self.width // factor))


class Tiling(NamedTuple):
    """A form of the picture: its columns, and its scale in device pixels."""

    columns: int
    scale: float

    @property
    def factor(self) -> int:
        """Map pixels of a side that are averaged to one."""
        return max(1, round(1 / self.scale))

    @property
    def zoom(self) -> float:
        """Device pixels for a pixel that is left."""
        return max(1.0, self.scale)


def grid_size(tiles: Tiles, columns: int) -> tuple[int, int]:
    """`(height, width)` of the picture in map pixels."""
    rows, gap = -(-tiles.number // columns), tiles.gap
    return rows * (tiles.height + gap) - gap, columns * (tiles.width + gap) - gap


def device_size(tiles: Tiles, tiling: Tiling) -> tuple[float, float]:
    """`(height, width)` of the picture in device pixels."""
    height, width = grid_size(tiles.reduced(tiling.factor), tiling.columns)
    return height * tiling.zoom, width * tiling.zoom


def fitting(tiles: Tiles, height: float, width: float) -> Tiling:
    """The largest scale at which all channels are seen at once in `(height, width)` device pixels."""
    for scale in reversed(SCALES):
        columns = columns_within(tiles, width, scale)
        if columns is not None and device_size(tiles, Tiling(columns, scale))[0] <= height:
            return Tiling(_even(tiles.number, columns), scale)
    return Tiling(columns_within(tiles, width, SCALES[0]) or 1, SCALES[0])


def columns_within(tiles: Tiles, width: float, scale: float) -> int | None:
    """How many tiles lie side by side in `width` device pixels; None if not even one."""
    tiling = Tiling(1, scale)
    left = tiles.reduced(tiling.factor)
    columns = int((width / tiling.zoom + left.gap) // (left.width + left.gap))
    return min(columns, tiles.number) if columns >= 1 else None


def laid_out(
    levels: npt.NDArray[np.uint8], columns: int, order: Sequence[int] | npt.NDArray[np.intp] | None = None
) -> npt.NDArray[np.uint8]:
    """All channels in one picture, row by row; gaps and unused places are `GAP`.

    Args:
        levels: `(channels, height, width)`.
        order: the channel that stands at each place; None for each its own.
    """
    count, h, w = levels.shape
    rows, gap = -(-count // columns), Tiles(count, h, w).gap
    result = np.full((rows * (h + gap), columns * (w + gap)), GAP, np.uint8)
    places = result.reshape(rows, h + gap, columns, w + gap).transpose(0, 2, 1, 3)[:, :, :h, :w]
    row, column = np.divmod(np.arange(count), columns)
    places[row, column] = levels if order is None else levels[np.asarray(order)]
    return result[: rows * (h + gap) - gap, : columns * (w + gap) - gap]


def averaged(levels: npt.NDArray[np.uint8], factor: int) -> npt.NDArray[np.uint8]:
    """Each `factor` pixels of a side as their mean, those at the end of fewer."""
    if factor == 1:
        return levels
    count, height, width = levels.shape
    rows, columns = math.ceil(height / factor), math.ceil(width / factor)
    short = ((0, 0), (0, rows * factor - height), (0, columns * factor - width))
    whole = np.pad(levels, short, mode="edge") if any(after for _, after in short) else levels
    blocks = whole.reshape(count, rows, factor, columns, factor)
    means: npt.NDArray[np.uint8] = (blocks.sum(axis=(2, 4), dtype=np.uint32) // factor**2).astype(np.uint8)
    return means


def _even(count: int, columns: int) -> int:
    # The same number of rows, filled as evenly as can be: 16 channels stand 8 + 8, not 15 + 1.
    rows = -(-count // columns)
    return -(-count // rows)
