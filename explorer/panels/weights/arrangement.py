"""Where tiles of values lie in a room, and the picture of them: device pixels and colours, without a widget."""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize

from explorer.look.ramps import opaque, signed_levels
from explorer.panels.weights.kernels import Floats, Tiles

_LARGEST_SCALE = 40
_LEAST_TILE = 14
"""Pixels of a tile's longer side below which the view scrolls instead."""
_LEAST_KERNEL = 2
"""Pixels a weight where kernels stand in a matrix."""
_SMALL = 5
"""Pixels a weight below which kernels in a matrix stand close together."""


class Arrangement:
    """Where tiles lie, in device pixels."""

    def __init__(self, tiles: Tiles, width: float, height: float, gap: int) -> None:
        """Fit tiles into a room.

        Args:
            tiles: at least one.
            width: of the room, in device pixels, as `height`.
            height: beyond it tiles that would become too small go on.
            gap: between tiles.
        """
        count = len(tiles.values)
        self.tile_height, self.tile_width = int(tiles.values.shape[1]), int(tiles.values.shape[2])
        self.gap = 0 if tiles.is_matrix else gap
        self.block: int = 1
        """So many outputs and inputs share a pixel."""
        rows = count if tiles.columns is None else count // tiles.columns
        if tiles.columns is None:
            self.scale = max(1, -(-_LEAST_TILE // max(self.tile_height, self.tile_width)))
            for scale in range(_LARGEST_SCALE, self.scale, -1):
                columns = self._columns_within(width, scale, count)
                if columns and self._extent(-(-count // columns), self.tile_height, scale) <= height:
                    self.scale = scale
                    break
            columns = max(1, self._columns_within(width, self.scale, count))
            rows = -(-count // columns)
            self.columns = -(-count // rows)
        else:
            self.columns = tiles.columns
            fits = self._fitting(width, height, rows)
            if self.gap > 1 and fits < _SMALL:
                # Between small kernels wide gaps would take the room that they need.
                self.gap = 1
                fits = self._fitting(width, height, rows)
            self.scale = int(max(1 if tiles.is_matrix else _LEAST_KERNEL, min(_LARGEST_SCALE, fits)))
            if tiles.is_matrix and fits < 1:
                self.block = max(math.ceil(self.columns / max(1, width)), math.ceil(rows / max(1, height)))
        self.rows = rows

    @property
    def step_x(self) -> int:
        """From one tile to the next."""
        return self.tile_width * self.scale + self.gap

    @property
    def step_y(self) -> int:
        return self.tile_height * self.scale + self.gap

    @property
    def size(self) -> QSize:
        """Of all tiles."""
        if self.block > 1:
            return QSize(-(-self.columns // self.block), -(-self.rows // self.block))
        return QSize(self.columns * self.step_x - self.gap, self.rows * self.step_y - self.gap)

    def rect(self, tile: int) -> QRectF:
        """Where a tile lies."""
        row, column = divmod(tile, self.columns)
        if self.block > 1:
            return QRectF(column // self.block, row // self.block, 1, 1)
        width, height = self.step_x - self.gap, self.step_y - self.gap
        return QRectF(column * self.step_x, row * self.step_y, width, height)

    def under(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The tile, row and column of the value at a place; None between tiles."""
        if self.block > 1:
            column, row = math.floor(x) * self.block, math.floor(y) * self.block
            inside = 0 <= column < self.columns and 0 <= row < self.rows
            return (row * self.columns + column, 0, 0) if inside else None
        column, left = divmod(math.floor(x), self.step_x)
        row, top = divmod(math.floor(y), self.step_y)
        is_outside = not 0 <= column < self.columns or row < 0
        if is_outside or left >= self.step_x - self.gap or top >= self.step_y - self.gap:
            return None
        return row * self.columns + column, top // self.scale, left // self.scale

    def _fitting(self, width: float, height: float, rows: int) -> float:
        """The scale at which so many rows fit, less than one if none does."""
        across = ((width + self.gap) / self.columns - self.gap) / self.tile_width
        down = ((height + self.gap) / rows - self.gap) / self.tile_height
        fits = min(across, down)
        return math.floor(fits) if fits >= 1 else fits

    def _columns_within(self, width: float, scale: int, count: int) -> int:
        return min(count, int((width + self.gap) // (self.tile_width * scale + self.gap)))

    def _extent(self, rows: int, side: int, scale: int) -> int:
        return rows * (side * scale + self.gap) - self.gap


def colours(tiles: Floats, limits: Floats, ramp: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Each value's colour, `(tiles, height, width)`.

    Args:
        tiles: `(tiles, height, width)`, or with 3 colours behind, which then are red, green and blue around a grey 0.
        limits: `(tiles,)`: the magnitude at the end of the scale.
        ramp: of `ramps.diverging`.
    """
    levels = signed_levels(tiles, limits.reshape(-1, *(1,) * (tiles.ndim - 1)))
    if tiles.ndim == 3:
        found: npt.NDArray[np.uint32] = ramp[levels]
        return found
    red, green, blue = (levels[..., part].astype(np.uint32) for part in range(3))
    return opaque(red, green, blue)


def enlarged(values: npt.NDArray[np.uint32], at: Arrangement, ground: np.uint32) -> npt.NDArray[np.uint32]:
    """The picture of tiles `(tiles, height, width)` as they are arranged, a device pixel for a pixel."""
    large = values.repeat(at.scale, 1).repeat(at.scale, 2)
    whole = np.full((at.rows * at.columns, at.step_y, at.step_x), ground, np.uint32)
    whole[: len(large), : large.shape[1], : large.shape[2]] = large
    by_rows = whole.reshape(at.rows, at.columns, at.step_y, at.step_x).transpose(0, 2, 1, 3)
    joined = by_rows.reshape(at.rows * at.step_y, at.columns * at.step_x)
    return joined[: at.size.height(), : at.size.width()]
