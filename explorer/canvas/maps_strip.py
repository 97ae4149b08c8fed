"""From an atlas to the one picture that a node carries: the first channels side by side, pixels kept as pixels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSizeF
from PySide6.QtGui import QImage

from explorer.runs import Atlas

_GAPS = (4, 8)
"""The least and the most between neighbouring maps, in pixels of the card."""
_OVERSAMPLING = 1.5
"""Picture pixels a card pixel: maps stay sharp at 150 % and need little filtering at 100 %."""
_SMALLEST_CELL = 4


class Strip(NamedTuple):
    """A picture and the size at which the card shows it."""

    image: QImage
    size: QSizeF
    figures: float = 0.0
    """Share of its height, at the lower edge, that is words; left out where they could not be read."""


def strip(atlas: Atlas, width: float, height: float) -> Strip:
    """The first channels, as many as fit into `width` by `height` pixels of a card.

    Values without a place (a classifier's features) become the cells of a grid, in reading order.
    """
    if atlas.tile_height == atlas.tile_width == 1:
        return _cells(atlas, int(width), int(height))
    scale = min(height / atlas.tile_height, width / atlas.tile_width)
    shown = QSizeF(atlas.tile_width * scale, atlas.tile_height * scale)
    count, between = spread(shown.width(), width, atlas.num_channels)
    tiles = [_resampled(atlas.tile(channel), shown.height()) for channel in range(count)]
    tile_height, tile_width = tiles[0].shape
    gap = max(1, round(between * tile_width / shown.width()))
    picture = np.zeros((tile_height, count * (tile_width + gap) - gap), np.uint32)
    for position, tile in enumerate(tiles):
        left = position * (tile_width + gap)
        picture[:, left : left + tile_width] = _opaque(tile)
    return Strip(to_image(picture), QSizeF(picture.shape[1] * shown.width() / tile_width, shown.height()))


def spread(tile: float, width: float, num_channels: int) -> tuple[int, float]:
    """How many maps of a width fit, and the gap between them that fills the room."""
    fitting = max(1, int((width + _GAPS[0]) // (tile + _GAPS[0])))
    gap = min(_GAPS[1], (width - fitting * tile) / (fitting - 1)) if fitting > 1 else _GAPS[0]
    return min(num_channels, fitting), gap


def _resampled(tile: npt.NDArray[np.uint8], shown_height: float) -> npt.NDArray[np.uint8]:
    """The map at about the size it is shown: each pixel repeated, or, of a large map, neighbours averaged."""
    wanted = shown_height * _OVERSAMPLING
    factor = round(wanted / tile.shape[0])
    if factor >= 1:
        return tile.repeat(factor, axis=0).repeat(factor, axis=1)
    step = max(1, min(int(tile.shape[0] // wanted), *tile.shape))
    rows, columns = tile.shape[0] // step, tile.shape[1] // step
    blocks = tile[: rows * step, : columns * step].reshape(rows, step, columns, step)
    averaged: npt.NDArray[np.uint8] = blocks.mean(axis=(1, 3)).astype(np.uint8)
    return averaged


def _cells(atlas: Atlas, width: int, height: int) -> Strip:
    pitch = 1 + atlas.gap
    values = atlas.image[::pitch, ::pitch].reshape(-1)[: atlas.num_channels]
    size = height
    while size > _SMALLEST_CELL and (width // size) * (height // size) < len(values):
        size -= 1
    most_columns = max(1, width // size)
    rows = max(1, min(height // size, -(-len(values) // most_columns)))
    columns = min(most_columns, -(-len(values) // rows))
    values = values[: rows * columns]
    picture = np.zeros(rows * columns, np.uint32)
    picture[: len(values)] = _opaque(values)
    # Twice the size, with the last line of each cell left clear, so that cells stand apart.
    cells = picture.reshape(rows, columns).repeat(2 * size, axis=0).repeat(2 * size, axis=1)
    cells[2 * size - 1 :: 2 * size] = 0
    cells[:, 2 * size - 1 :: 2 * size] = 0
    return Strip(to_image(cells), QSizeF(columns * size, rows * size))


def _opaque(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    return grey.astype(np.uint32) * np.uint32(0x010101) | np.uint32(0xFF000000)


def to_image(argb: npt.NDArray[np.uint32]) -> QImage:
    """A picture of `(H, W)` premultiplied colours."""
    argb = np.ascontiguousarray(argb)
    height, width = argb.shape
    # copy: a QImage over foreign memory must not outlive it.
    return QImage(argb.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
