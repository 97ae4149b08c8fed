"""Feature maps as pictures: one traced pass, one uint8 atlas a layer made on the device, one copy to the host."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs import Atlas
from explorer.runtime.modules import Network

_LARGEST_SIDE = 64
"""Pixels; larger maps are averaged down, since a tile on screen is hardly larger."""
_MOST_CHANNELS = 1024
_MOST_FEATURES = 256 * 256
"""Values of a vector that are shown, one pixel each."""


def capture_feature_maps(
    network: Network,
    probe: Tensor,
    node_ids: Iterable[str],
    *,
    per_channel: bool = False,
    most_channels: int = _MOST_CHANNELS,
    largest_side: int = _LARGEST_SIDE,
) -> dict[str, Atlas]:
    """The nodes' feature maps of one image in evaluation mode; the network is afterwards as it was.

    A tile is a channel, averaged down to `largest_side` if larger; a vector shows each feature as one pixel. Infinite
    values take the end of the scale on their side, NaN its low end.

    Args:
        network: on the probe's device, in any mode.
        probe: `(1, C, H, W)`.
        node_ids: the nodes to show.
        per_channel: stretch each channel over all grey levels; `Atlas.minimum` and `maximum` stay the layer's.
        most_channels: tiles of one atlas; later channels are left out.
        largest_side: pixels of a tile's longer side.
    """
    with torch.inference_mode(), evaluating(network):
        outputs = network.trace(probe, dict.fromkeys(node_ids))
        pictures = [_picture(value[0], per_channel, most_channels, largest_side) for value in outputs.values()]
        if not pictures:
            return {}
        ranges = torch.stack([picture.range for picture in pictures])
        parts = [ranges.view(torch.uint8).flatten(), *(picture.grey.flatten() for picture in pictures)]
        # The one wait for the device: all pictures and their ranges come over together.
        packed = torch.cat(parts).cpu().numpy()
    head = ranges.numel() * ranges.element_size()
    limits = packed[:head].view(np.float32).reshape(-1, 2)
    atlases = {}
    for node_id, picture, (low, high) in zip(outputs, pictures, limits, strict=True):
        height, width = picture.grey.shape
        atlases[node_id] = Atlas(
            image=packed[head : head + height * width].reshape(height, width),
            num_channels=picture.num_channels,
            columns=picture.columns,
            tile_height=picture.tile_height,
            tile_width=picture.tile_width,
            gap=picture.gap,
            minimum=float(low),
            maximum=float(high),
        )
        head += height * width
    return atlases


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards each module is in its own mode again."""
    training = [module for module in network.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


class _Picture(NamedTuple):
    grey: Tensor
    range: Tensor
    """`(2,)` float32: the smallest and the largest finite value."""
    num_channels: int
    columns: int
    tile_height: int
    tile_width: int
    gap: int


def _picture(values: Tensor, per_channel: bool, most_channels: int, largest_side: int) -> _Picture:
    """One node's output without the batch, as its atlas on the device."""
    is_vector = values.dim() == 1
    maps_CHW = values.float().reshape(values.shape[0], *_tile_shape(tuple(values.shape)))
    finite = torch.isfinite(maps_CHW)
    low, high = _limits(maps_CHW, finite, (0, 1, 2))
    shown = maps_CHW[: _MOST_FEATURES if is_vector else most_channels]
    if per_channel and not is_vector:
        start, end = _limits(shown, finite[: len(shown)], (1, 2))
    else:
        start, end = low, high
    shown = torch.where(torch.isnan(shown), start, shown).clamp(start, end)
    factor = math.ceil(max(shown.shape[1:]) / largest_side)
    if factor > 1:
        size = (math.ceil(shown.shape[1] / factor), math.ceil(shown.shape[2] / factor))
        shown = F.adaptive_avg_pool2d(shown[None], size)[0]
    scale = torch.where(end > start, 255 / (end - start), 0)
    grey = ((shown - start) * scale).round().clamp(0, 255).nan_to_num(0).to(torch.uint8)
    limits = torch.stack([low.reshape(()), high.reshape(())])
    return _tiled(grey, 0 if is_vector else 1, limits)


def _tile_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of a channel: one pixel for `(F,)`, a row for `(A, B)`."""
    if len(shape) == 1:
        return (1, 1)
    return (math.prod(shape[1:-1]), shape[-1])


def _limits(maps_CHW: Tensor, finite: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The smallest and largest finite values, 0 where there is none."""
    low = torch.where(finite, maps_CHW, math.inf).amin(dims, keepdim=True)
    high = torch.where(finite, maps_CHW, -math.inf).amax(dims, keepdim=True)
    none_finite = low > high
    return low.masked_fill(none_finite, 0), high.masked_fill(none_finite, 0)


def _tiled(grey_CHW: Tensor, gap: int, limits: Tensor) -> _Picture:
    count, height, width = grey_CHW.shape
    columns = near_square_columns(count, height + gap, width + gap)
    rows = -(-count // columns)
    tiles = grey_CHW.new_zeros(rows * columns, height + gap, width + gap)
    tiles[:count, :height, :width] = grey_CHW
    image = tiles.view(rows, columns, height + gap, width + gap).permute(0, 2, 1, 3)
    image = image.reshape(rows * (height + gap), columns * (width + gap))
    image = image[: image.shape[0] - gap, : image.shape[1] - gap]
    return _Picture(image, limits, count, columns, height, width, gap)


def near_square_columns(count: int, tile_height: int, tile_width: int) -> int:
    """Columns with which `count` tiles make a picture about as wide as high, without an empty column."""
    columns = min(count, max(1, math.ceil(math.sqrt(count * tile_height / tile_width))))
    rows = -(-count // columns)
    return -(-count // rows)
