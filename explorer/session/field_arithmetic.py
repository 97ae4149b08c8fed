"""One output value of a layer worked out again with numpy from what went in and the parameters: `worked_out`.

For whoever points at a pixel of a feature map: the sum or the formula with its real numbers, one line. The lines are
written by kind of layer, in `field_windows`, `field_pointwise`, `field_norms` and `field_places`. The layers are in
evaluation mode. Pure numpy, no Qt, no torch.
"""

import math
from collections.abc import Callable

import numpy as np

from explorer import layers as L  # noqa: N812
from explorer.runs import OpenedLayer
from explorer.session.field_norms import channel_norm, layer_norm, layer_norm_2d, layer_scale, local_response
from explorer.session.field_places import (
    concat,
    kept,
    merged,
    over_dims,
    padded,
    permuted,
    piece,
    pixel_shuffled,
    reshaped,
    shuffled,
)
from explorer.session.field_pointwise import FUNCTIONS, pointwise, prelu, softmax
from explorer.session.field_terms import Index, WorkedOut
from explorer.session.field_windows import linear, radial, windowed


def worked_out(layer: L.Layer, opened: OpenedLayer, channel: int, row: int = 0, column: int = 0) -> WorkedOut | None:
    """The output at (channel, row, column); None for layers whose formula is no line, or whose weights are not here.

    Args:
        layer: of the node.
        opened: its inputs and parameters.
        channel: the first index of the output.
        row: the second one; what lies between the first and the last where the output has more than three dimensions.
        column: the last one.

    Raises:
        IndexError: the output has no such place.
    """
    shape = opened.output.shape
    index = place_in(shape, channel, row, column)
    for kind, work in _WORKS:
        if isinstance(layer, kind):
            try:
                return work(layer, opened, index)
            except KeyError:
                return None  # Parameters beyond `MOST_PARAMETERS` do not come along.
    return None


def place_in(shape: tuple[int, ...], channel: int, row: int, column: int) -> Index:
    """The index of a value that is shown at (row, column) of a channel's tile.

    Raises:
        IndexError: there is no such place.
    """
    if len(shape) == 1:
        index: Index = (channel,)
    elif len(shape) == 2:
        index = (channel, column)
    else:
        if not 0 <= row < math.prod(shape[1:-1]):
            raise IndexError(f"no row {row} of {shape}")
        index = (channel, *(int(i) for i in np.unravel_index(row, shape[1:-1])), column)
    if not all(0 <= place < size for place, size in zip(index, shape, strict=True)):
        raise IndexError(f"no value at {index} of {shape}")
    return index


_WINDOWS = (
    L.Conv2d,
    L.PartialConv2d,
    L.ConvTranspose2d,
    L.MaxPool2d,
    L.AvgPool2d,
    L.LPPool2d,
    L.AdaptiveMaxPool2d,
    L.AdaptiveAvgPool2d,
    L.Subsampling,
)
_WORKS: tuple[tuple[type[L.Layer] | tuple[type[L.Layer], ...], Callable[..., WorkedOut | None]], ...] = (
    (_WINDOWS, windowed),
    (L.Linear, linear),
    (L.RadialBasis, radial),
    (tuple(FUNCTIONS), pointwise),
    (L.PReLU, prelu),
    ((L.Softmax, L.LogSoftmax), softmax),
    ((L.BatchNorm2d, L.BatchNorm1d, L.InstanceNorm2d, L.GroupNorm), channel_norm),
    (L.LayerNorm, layer_norm),
    (L.LayerNorm2d, layer_norm_2d),
    (L.LayerScale, layer_scale),
    (L.LocalResponseNorm, local_response),
    ((L.Add, L.Sub, L.Mul), merged),
    (L.Concat, concat),
    ((L.Dropout, L.Dropout2d, L.StochasticDepth, L.Identity), kept),
    ((L.Flatten, L.Reshape), reshaped),
    (L.Permute, permuted),
    (L.ChannelShuffle, shuffled),
    (L.PixelShuffle, pixel_shuffled),
    ((L.Slice, L.Chunk, L.Split), piece),
    (L.Pad, padded),
    ((L.Mean, L.Sum), over_dims),
)
