"""One output pixel of a layer, written out with the values that were captured: patch, weights, products and their sum.

Sums are taken in float64, so that they may differ from torch's float32 in the last digits; `Sum.difference` says so.
Where the window lies is `layer_window`'s. No Qt.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from explorer.layers import Layer, Shape
from explorer.layers.adaptive import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from explorer.layers.convolution import Conv2d
from explorer.layers.lenet import PartialConv2d, Subsampling
from explorer.layers.pooling import AvgPool2d, LPPool2d, MaxPool2d
from explorer.layers.transposed import ConvTranspose2d
from explorer.runs import OpenedLayer
from explorer.runs.observed import MOST_PARAMETERS
from explorer.session.layer_window import (
    ABSENT,
    BETWEEN,
    BEYOND,
    PADDED,
    can_slide,
    grid,
    is_whole,
    slide,
    slide_whole,
)

Floats = npt.NDArray[np.float64]
Kind = Literal["weighted", "maximum", "mean", "norm", "scaled"]
"""How a window's values become one: a sum of products, the largest, the average, the p-norm, a sum times a factor."""

_TOLERANCE = 0.02
"""Of the sum of the products' magnitudes: half precision rounds by less, another layer's values differ by more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sum:
    """How one output value comes about. `C` are the input channels that it reads, `(k, l)` the window's taps."""

    kind: Kind
    is_whole: bool
    """Whether the output reads the whole input, with weights of its own: a linear layer's."""
    channel: int
    row: int
    column: int
    reads: tuple[int, ...]
    """The input channels."""
    state: npt.NDArray[np.int64]
    """`(k, l)`: 0 for a tap that reads a pixel, else why it does not (`layer_window`)."""
    is_padding: npt.NDArray[np.bool_]
    """`(k, l)`: whether a tap lies outside the map, whatever is read there."""
    patch: Floats
    """`(C, k, l)`: what the taps read; 0, or minus infinity for a maximum, where they read nothing."""
    weights: Floats | None
    """`(C, k, l)`; None where nothing is learned for each tap."""
    products: Floats
    """`(C, k, l)`: patch times weights, or what else is added up."""
    channel_sums: Floats
    """`(C,)`: the sum of each channel's products."""
    divisor: int
    """What a mean divides by."""
    factor: float | None
    """What a sum is multiplied with; None for nothing."""
    bias: float | None
    """None where none is added."""
    power: float
    """Of a norm."""
    best: tuple[int, int] | None
    """The tap that a maximum is read from."""
    total: float
    """The output as it follows from all of the above."""
    output: float
    """torch's."""

    @property
    def difference(self) -> float:
        """By how much `total`, rounded as torch rounds, differs from torch's output; 0 where it does not."""
        if not np.isfinite(self.output) or not np.isfinite(self.total):
            return 0.0 if np.array_equal(self.total, self.output, equal_nan=True) else float("nan")
        return float(np.float32(self.total)) - self.output

    @property
    def agrees(self) -> bool:
        """Whether it is torch's output but for rounding."""
        difference = abs(self.difference)
        finite = self.products[np.isfinite(self.products)]
        reach = float(np.abs(finite).sum()) if self.kind in {"weighted", "scaled"} else abs(self.total)
        return difference == 0 or difference <= _TOLERANCE * reach + 1e-4


class Walk:
    """A layer with its captured values, to be gone through output by output.

    A linear layer is laid out as maps: its inputs as the maps that were flattened, else as one map, and its outputs as
    one, so that "channel" is 0 and the row and column say which output it is.
    """

    def __init__(self, layer: Layer, opened: OpenedLayer, flattened: Shape | None = None) -> None:
        """
        Args:
            flattened: the `(C, H, W)` that a linear layer's inputs were before they were laid out as a row.

        Raises:
            ValueError: the layer is of another kind, or the values are not of this layer.
        """
        self.layer = layer
        self.opened = opened
        self._check()
        (self._input,) = opened.inputs
        self.is_whole = is_whole(layer)
        self._outputs = opened.output
        if self.is_whole:
            size = self._input.shape[0]
            shape: Shape = flattened if flattened is not None and math.prod(flattened) == size else (1, *grid(size))
            self._input = self._input.reshape(shape)
            self._outputs = self._outputs.reshape((1, *grid(self._outputs.shape[0])))
            self.slide = slide_whole((shape[1], shape[2]), grid(self._outputs.size))
        else:
            self.slide = slide(layer, self._input.shape)
        expected = (self.slide.rows.outputs, self.slide.columns.outputs)
        if self._outputs.shape[1:] != expected:
            raise ValueError(f"{layer.type_name}: outputs {self._outputs.shape} do not fit {expected} windows")
        self._check_weights()

    @property
    def input_shape(self) -> Shape:
        """`(C, H, W)`."""
        return tuple(int(size) for size in self._input.shape)

    @property
    def output_shape(self) -> Shape:
        """`(C, H, W)`."""
        return tuple(int(size) for size in self._outputs.shape)

    @property
    def has_weights(self) -> bool:
        """Whether each tap is multiplied by a weight."""
        return self.is_whole or isinstance(self.layer, Conv2d | ConvTranspose2d | PartialConv2d)

    def input_map(self, channel: int) -> npt.NDArray[np.float32]:
        """`(H, W)`."""
        chosen: npt.NDArray[np.float32] = self._input[channel]
        return chosen

    def output_map(self, channel: int) -> npt.NDArray[np.float32]:
        """`(H, W)`."""
        chosen: npt.NDArray[np.float32] = self._outputs[channel]
        return chosen

    def reads(self, channel: int) -> tuple[int, ...]:
        """The input channels that an output channel is made of."""
        layer, count = self.layer, self.input_shape[0]
        if isinstance(layer, PartialConv2d):
            return tuple(layer.connections[channel])
        if isinstance(layer, Conv2d | ConvTranspose2d):
            each = count // layer.groups
            group = channel // (layer.out_channels // layer.groups)
            return tuple(range(group * each, (group + 1) * each))
        return tuple(range(count)) if self.is_whole else (channel,)

    def weights(self, channel: int, row: int = 0, column: int = 0) -> Floats | None:
        """`(C, k, l)` of what an output channel reads; None where there are none. The place counts in linear layers."""
        if not self.has_weights:
            return None
        weight, layer = self.opened.parameters["weight"], self.layer
        if self.is_whole:
            chosen = weight[row * self.output_shape[2] + column].reshape(self.input_shape)
        elif isinstance(layer, PartialConv2d):
            chosen = weight[self._partial_places[channel]]
        elif isinstance(layer, ConvTranspose2d):
            chosen = weight[list(self.reads(channel)), channel % (layer.out_channels // layer.groups)]
        else:
            chosen = weight[channel]
        taken: Floats = chosen.astype(np.float64)
        return taken

    def at(self, channel: int, row: int, column: int) -> Sum:
        """How the output at a channel and place comes about."""
        rows, columns = self.slide
        down, across = rows.sources[row][:, None], columns.sources[column][None, :]
        # Why a tap reads nothing: the stronger of both axes' reasons.
        state = np.minimum(np.minimum(down, across), 0)
        reads = self.reads(channel)
        patch = self._input[np.ix_(reads, np.maximum(down[:, 0], 0), np.maximum(across[0], 0))].astype(np.float64)
        is_maximum = isinstance(self.layer, MaxPool2d | AdaptiveMaxPool2d)
        patch[:, state < 0] = -np.inf if is_maximum else 0.0
        weights = self.weights(channel, row, column)
        outside = rows.is_outside[row][:, None] | columns.is_outside[column][None, :]
        is_padding = outside & (state != ABSENT) & (state != BETWEEN)
        parts = self._parts(patch, weights, state, is_padding, channel, row, column)
        output = float(self._outputs[channel, row, column])
        return Sum(
            is_whole=self.is_whole,
            channel=channel,
            row=row,
            column=column,
            reads=reads,
            state=state,
            is_padding=is_padding,
            patch=patch,
            weights=weights,
            output=output,
            **parts,
        )

    def agrees(self) -> bool:
        """Whether the values are this layer's at some places, corners among them; another layer's would differ."""
        channels, height, width = self.output_shape
        places = {(0, 0, 0), (channels - 1, height - 1, width - 1), (channels // 2, height // 2, width // 2)}
        places |= {(0, height // 2, width - 1), (channels - 1, height - 1, width // 3), (channels // 3, 0, width // 2)}
        return all(self.at(*place).agrees for place in places)

    @cached_property
    def _partial_places(self) -> list[slice]:
        assert isinstance(self.layer, PartialConv2d)
        ends = np.cumsum([len(row) for row in self.layer.connections])
        return [slice(int(end) - len(row), int(end)) for end, row in zip(ends, self.layer.connections, strict=True)]

    def _parts(
        self,
        patch: Floats,
        weights: Floats | None,
        state: npt.NDArray[np.int64],
        is_padding: npt.NDArray[np.bool_],
        channel: int,
        row: int,
        column: int,
    ) -> dict[str, Any]:
        """What `Sum` holds beyond the taps."""
        layer, parameters = self.layer, self.opened.parameters
        found: dict[str, Any] = {"divisor": 1, "factor": None, "bias": None, "power": 1.0, "best": None}
        if isinstance(layer, MaxPool2d | AdaptiveMaxPool2d):
            best = np.unravel_index(int(np.argmax(patch[0])), state.shape)
            largest = float(patch[0].max())
            found |= {"kind": "maximum", "products": patch, "channel_sums": np.array([largest]), "total": largest}
            return found | {"best": (int(best[0]), int(best[1]))}
        products = patch if weights is None else patch * weights
        if isinstance(layer, LPPool2d):
            # torch takes it as an average times the window, and so counts taps beyond the end as the mean of the rest.
            taps, there = state.size, int((state != BEYOND).sum())
            found |= {"kind": "norm", "power": layer.norm_type, "divisor": there, "factor": taps / there}
            with np.errstate(invalid="ignore"):  # Roots of negative values are NaN, as torch's are.
                products = np.power(patch, layer.norm_type, out=np.zeros_like(patch), where=state != BEYOND)
                total = float(np.power(products.sum() / there * taps, 1 / layer.norm_type))
            return found | {"products": products, "channel_sums": products.sum((1, 2)), "total": total}
        sums = products.sum((1, 2))
        total = float(sums.sum())
        if isinstance(layer, AvgPool2d | AdaptiveAvgPool2d):
            counts = (state == 0) | (state == PADDED)
            if isinstance(layer, AvgPool2d) and not layer.count_include_pad:
                counts &= state == 0
            divisor = int(counts.sum())
            found |= {"kind": "mean", "divisor": divisor, "total": total / divisor if divisor else float("nan")}
        elif isinstance(layer, Subsampling):
            factor, bias = float(parameters["weight"][channel]), float(parameters["bias"][channel])
            found |= {"kind": "scaled", "factor": factor, "bias": bias, "total": total * factor + bias}
        else:
            if "bias" in parameters:
                place = row * self.output_shape[2] + column if self.is_whole else channel
                found["bias"] = float(parameters["bias"][place])
                total += float(parameters["bias"][place])
            found |= {"kind": "weighted", "total": total}
        return found | {"products": products, "channel_sums": sums}

    def _check(self) -> None:
        if not (can_slide(self.layer) or is_whole(self.layer)):
            raise ValueError(f"{self.layer.type_name} has no window; use a convolution, a pooling or a linear layer")
        if len(self.opened.inputs) != 1 or self.opened.inputs[0].ndim != (1 if is_whole(self.layer) else 3):
            shapes = ", ".join(str(array.shape) for array in self.opened.inputs)
            raise ValueError(f"{self.layer.type_name}: inputs of shape {shapes} cannot be walked through")

    def _check_weights(self) -> None:
        if not self.has_weights:
            return
        weight = self.opened.parameters.get("weight")
        if weight is None:
            most = f"{MOST_PARAMETERS:,}"
            raise ValueError(f"{self.layer.type_name}: it has more than the {most} weights that are brought here")
        (outputs, height, width), layer = self.output_shape, self.layer
        kernel = (self.slide.rows.taps, self.slide.columns.taps)
        if self.is_whole:
            expected: tuple[int, ...] = (outputs * height * width, math.prod(self.input_shape))
        elif isinstance(layer, PartialConv2d):
            expected = (layer.num_connections, *kernel)
        elif isinstance(layer, ConvTranspose2d):
            expected = (self.input_shape[0], outputs // layer.groups, *kernel)
        else:
            assert isinstance(layer, Conv2d)
            expected = (outputs, self.input_shape[0] // layer.groups, *kernel)
        if tuple(weight.shape) != expected:
            raise ValueError(f"{layer.type_name}: weights {weight.shape} are not of this layer, which has {expected}")
