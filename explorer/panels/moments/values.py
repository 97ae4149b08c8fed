"""Values out of moments: a layer's maps and weights as plain arrays, side by side as one picture's, and in colours."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from explorer.look import ramps
from explorer.look.theme import Theme
from explorer.runs import Atlas, FeatureMapsCaptured, WeightsCaptured
from explorer.runs.moments_packing import Moment

Floats = npt.NDArray[np.float32]
What = Literal["maps", "weights"]


def atlas_values(atlas: Atlas) -> Floats:
    """`(channels, height, width)`, to within half a grey level."""
    levels = np.stack([atlas.tile(channel) for channel in range(atlas.num_channels)]).astype(np.float32)
    return np.float32(atlas.minimum) + np.float32(atlas.maximum - atlas.minimum) * levels / np.float32(255)


def values_of(events: Sequence[Moment], node_id: str, what: What) -> Floats | None:
    """A layer's maps `(channels, height, width)`, or its weights as `(kernels, height, width)`: those of a convolution
    by output channel and then input channel, those of a linear layer as one. None where the moment has none."""
    for event in events:
        if what == "maps" and isinstance(event, FeatureMapsCaptured) and node_id in event.atlases:
            return atlas_values(event.atlases[node_id])
        if what == "weights" and isinstance(event, WeightsCaptured) and node_id in event.layers:
            weight = event.layers[node_id].weight
            if weight.ndim >= 3:
                return weight.reshape(-1, math.prod(weight.shape[2:-1]), weight.shape[-1])
            return weight.reshape(1, -1, weight.shape[-1])
    return None


def nodes_with(events: Sequence[Moment], what: What) -> tuple[str, ...]:
    """The layers that a moment has maps or weights of."""
    found: list[str] = []
    for event in events:
        if what == "maps" and isinstance(event, FeatureMapsCaptured):
            found += event.atlases
        elif what == "weights" and isinstance(event, WeightsCaptured):
            found += event.layers
    return tuple(dict.fromkeys(found))


def probe_of(events: Sequence[Moment]) -> str:
    """The label of the image that maps are of; empty where there are none, or it was the trainer's choice."""
    return next((event.probe for event in events if isinstance(event, FeatureMapsCaptured)), "")


def side_by_side(values: Floats, width_per_height: float = 1.0) -> Floats:
    """All tiles `(count, height, width)` as one array, NaN between and behind them, in the number of columns with which
    they are largest in a place of that form."""
    count, height, width = values.shape
    gap = 0 if height == width == 1 else 1
    every = np.arange(1, count + 1)
    heights, widths = -(-count // every) * (height + gap), every * (width + gap)
    columns = int(every[np.maximum(heights * width_per_height, widths).argmin()])
    rows = -(-count // columns)
    whole = np.full((rows, height + gap, columns, width + gap), np.nan, np.float32)
    row, column = np.divmod(np.arange(count), columns)
    whole[row, :height, column, :width] = values
    flat = whole.reshape(rows * (height + gap), columns * (width + gap))
    return flat[: flat.shape[0] - gap, : flat.shape[1] - gap]


def coloured(flat: Floats, low: float, high: float, theme: Theme) -> QImage:
    """Values as colours, NaN as the ground: from `low` to `high` where none is negative, else with zero in the middle.

    Args:
        flat: `(height, width)`.
        low: the least of all that are to be compared.
        high: the greatest of them.
    """
    if low < 0:
        colours = ramps.diverging(theme)[ramps.signed_levels(flat, max(-low, high))]
    else:
        shares = (np.nan_to_num(flat) - low) / ((high - low) or 1.0)
        colours = ramps.grey(255)[ramps.shares_levels(shares)]
    return ramps.picture(np.where(np.isnan(flat), ramps.rgb(theme.panel), colours))
