"""What of a layer's weights is shown as which picture: kernels of a convolution, units of a linear layer.

Every weight becomes `(outputs, inputs, height, width)`; a picture of it is a row of tiles. Numpy only; drawing is
`mosaic`'s.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.layers import Category, Layer, Shape
from explorer.layers.linear import Flatten, Linear
from explorer.session import Snapshot

Floats = npt.NDArray[np.float32]
Form = Literal["colour", "channel", "kernels", "matrix"]
"""In colour, one input channel, all kernels with a column for each output, or numbers with a row or column for each."""

MOST_TILES = 2**17
"""Of kernels that are shown all at once."""
_TRANSPARENT = (Category.ACTIVATION, Category.REGULARIZATION)
"""What leaves each value at its place."""


class Weights(NamedTuple):
    """The weights of a layer as kernels."""

    values: Floats
    """`(outputs, inputs, height, width)`; inputs are those that one output reads."""
    groups: int
    """Parts that outputs and inputs are split into."""
    is_folded: bool
    """Whether rows of a matrix were laid out as the map that they read."""
    is_vector: bool = False
    """Whether it is one number a channel, which stand side by side as inputs of one output."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """What it can be shown as; the best first."""
        outputs, inputs, height, width = self.values.shape
        if height * width == 1:
            return ("matrix",)
        forms: list[Form] = ["channel"]
        if inputs == 3 and self.groups == 1:
            forms.insert(0, "colour")
        if inputs > 1 and outputs * inputs <= MOST_TILES:
            forms.append("kernels")
        return tuple(forms)

    def channel(self, output: int, place: int) -> int:
        """Which of the layer's input channels the `place`-th one that an output reads is."""
        per_group = max(1, len(self.values) // self.groups)
        return output // per_group * int(self.values.shape[1]) + place


def kernels_of(weight: Floats, layer: Layer, folded: Shape | None = None) -> Weights:
    """Bring a weight as torch holds it into the form of kernels.

    Args:
        weight: of up to five dimensions.
        layer: whose it is.
        folded: `(C, H, W)` of the map that a linear layer reads flattened, to show its rows as such maps; None for
            rows of numbers.
    """
    groups = int(getattr(layer, "groups", 1))
    name = str(getattr(layer, "module", layer.type_name))
    if weight.ndim <= 1 or (math.prod(weight.shape[1:]) == 1 == weight.shape[-1] and weight.ndim == 3):
        return Weights(weight.reshape(1, -1, 1, 1), 1, False, True)
    if weight.ndim == 2:
        if folded is not None and math.prod(folded) == weight.shape[1]:
            return Weights(weight.reshape(len(weight), *folded), 1, True)
        return Weights(weight[:, :, None, None], 1, False)
    if name.startswith("ConvTranspose"):
        # torch keeps (inputs, outputs of a group, ...) there; all else here is by outputs.
        parts = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
        weight = parts.swapaxes(1, 2).reshape(-1, parts.shape[1], *weight.shape[2:])
    kernel = weight.shape[2:] if weight.ndim > 3 else (1, *weight.shape[2:])
    return Weights(weight.reshape(len(weight), -1, *kernel[-2:]), groups, False)


def folded_shape(snapshot: Snapshot, node_id: str) -> Shape | None:
    """The map `(C, H, W)` that a linear layer reads flattened, through layers that leave each value where it is."""
    architecture, reports = snapshot.architecture, snapshot.inference.nodes
    node = architecture[node_id]
    if not isinstance(node.layer, Linear):
        return None
    while len(node.inputs) == 1:
        node = architecture[node.inputs[0]]
        report = reports[node.id]
        if isinstance(node.layer, Flatten):
            arriving = report.input_shapes[0]
            is_map = arriving is not None and len(arriving) == 3 and arriving[1] * arriving[2] > 1
            return arriving if is_map and report.output_shape == (math.prod(arriving or ()),) else None
        if node.layer.category not in _TRANSPARENT or report.output_shape != report.input_shapes[0]:
            return None
    return None


class Tiles(NamedTuple):
    """A picture's parts."""

    values: Floats
    """`(tiles, height, width)`, or `(tiles, height, width, 3)` in colour."""
    columns: int | None
    """How many stand in a row; None for as many as there is room for."""
    is_upright: bool = False
    """Whether the tiles of an output stand in a column; else they are a row."""

    @property
    def is_colour(self) -> bool:
        return self.values.ndim == 4

    @property
    def is_matrix(self) -> bool:
        """Whether each tile is one number, so that nothing lies between them."""
        return self.values.shape[1:] == (1, 1)

    def output(self, tile: int) -> int:
        """The output that a tile belongs to."""
        if self.columns is None:
            return tile
        return tile % self.columns if self.is_upright else tile // self.columns

    def place(self, tile: int) -> int:
        """Which of the inputs of its output a tile belongs to, where all are there."""
        if self.columns is None:
            return 0
        return tile // self.columns if self.is_upright else tile % self.columns

    @property
    def num_outputs(self) -> int:
        """How many outputs there are."""
        if self.columns is None:
            return len(self.values)
        return self.columns if self.is_upright else len(self.values) // self.columns


def tiles_of(weights: Weights, form: Form, channel: int = 0) -> Tiles:
    """The tiles of a form.

    Args:
        weights: of the layer.
        form: one of its `forms`.
        channel: for "channel" the place among those that an output reads.
    """
    values = weights.values
    inputs, height, width = values.shape[1:]
    if form == "colour":
        return Tiles(values.transpose(0, 2, 3, 1), None)
    if form == "channel":
        return Tiles(values[:, min(channel, inputs - 1)], None)
    # A dock is wide: of a matrix its longer side lies along it.
    if form == "kernels" or len(values) > inputs:
        return Tiles(values.swapaxes(0, 1).reshape(-1, height, width), len(values), True)
    return Tiles(values.reshape(-1, height, width), inputs)


def largest(weights: Weights, *, each: bool) -> Floats:
    """The largest magnitude of each output, `(outputs,)`, or of all for each; 0 where nothing is a finite number."""
    sizes = np.abs(weights.values).reshape(len(weights.values), -1)
    found: Floats = np.where(np.isfinite(sizes), sizes, 0).max(axis=1, initial=0)
    return found if each else np.full_like(found, found.max(initial=0))


def averaged(matrix: Floats, block: int) -> Floats:
    """Means of blocks of `(rows, columns)`; those at the end may be smaller."""
    if block <= 1:
        return matrix
    rows, columns = matrix.shape
    row_starts, column_starts = np.arange(0, rows, block), np.arange(0, columns, block)
    sums = np.add.reduceat(np.add.reduceat(matrix.astype(np.float64), row_starts, 0), column_starts, 1)
    heights, widths = np.diff([*row_starts, rows]), np.diff([*column_starts, columns])
    means: Floats = (sums / np.outer(heights, widths)).astype(np.float32)
    return means
