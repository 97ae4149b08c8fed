"""Normalisation within one image, pixel or neighbourhood of channels; and the learned scale of a branch."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import MOST_DIMS, Checked, along, not_maps
from explorer.layers.hyper_parameter import flag, follows, integer, real
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Kept,
    ModuleCall,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.normalization import STATISTICS_BYTES, FixedChannels, eps_field, one_value
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm(Checked):
    """`torch.nn.LayerNorm`: the values of the last dimensions normalised within each image (Ba et al. 2016)."""

    category: ClassVar[Category] = Category.NORMALIZATION
    summary: ClassVar[str] = "Brings the values of the last dimensions to zero mean and unit variance in each image."
    keywords: ClassVar[str] = "layer normalization normalisation ln"

    num_dims: int = integer(1, maximum=MOST_DIMS, help="How many of the last dimensions are normalised together.")
    eps: float = eps_field()
    elementwise_affine: bool = flag(True, help="Learns a scale for each value that is normalised.")
    bias: bool = flag(True, help="Learns a shift too, where a scale is learned.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """All values of an image together."""
        return cls(num_dims=1 if shape is None else len(shape))

    def normalized_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """torch's argument: the last sizes that arrive."""
        return inputs[0][-self.num_dims :]

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if self.num_dims <= len(shape):
            return None
        return (
            f"num_dims {self.num_dims} exceeds the dimensions of {format_shape(shape)}, which arrives; "
            f"use at most {len(shape)}"
        )

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        for count in range(len(inputs[0]), 0, -1):
            yield SetValue(f"num_dims {count}", "num_dims", count)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        (shape,) = inputs
        if math.prod(self.normalized_shape(inputs)) > 1:
            return ()
        more = range(self.num_dims + 1, len(shape) + 1)
        wider = (SetValue(f"num_dims {n}", "num_dims", n) for n in more if math.prod(shape[-n:]) > 1)
        return (one_value(tuple(wider)),)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return (int(self.elementwise_affine) * (1 + self.bias)) * math.prod(self.normalized_shape(inputs))

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        count = len(inputs[0])
        return along(inputs[0], tuple(range(count - self.num_dims + 1, count + 1)))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), num_bytes=STATISTICS_BYTES * math.prod(inputs[0][: -self.num_dims]))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        arguments = {
            "normalized_shape": self.normalized_shape(inputs),
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
            "bias": self.bias,
        }
        return ModuleCall("LayerNorm", arguments)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        if not self.elementwise_affine:
            return ()
        sizes = "·".join(str(size) for size in self.normalized_shape(inputs))
        count = self.num_parameters(inputs)
        source = "torch.nn.LayerNorm"
        if self.bias:
            return (Arithmetic("parameters", "2·values (scale, shift)", f"2·{sizes}", count, source),)
        return (Arithmetic("parameters", "values (scale)", sizes, count, source),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm2d(FixedChannels):
    """`torch.nn.LayerNorm` of the channels of each pixel, as in ConvNeXt (Liu et al. 2022, section 2.6)."""

    summary: ClassVar[str] = "Brings the channels of each pixel to zero mean and unit variance."
    keywords: ClassVar[str] = "layer normalization normalisation convnext channels"

    num_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    eps: float = eps_field(1e-6)
    elementwise_affine: bool = flag(True, help="Learns a scale and a shift for each channel.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        return not_maps(self.type_name, inputs[0]) or FixedChannels.wrong(self, inputs)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        return (one_value(()),) if inputs[0][0] == 1 else ()

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * inputs[0][0] if self.elementwise_affine else 0

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), num_bytes=STATISTICS_BYTES * math.prod(inputs[0][1:]))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        arguments = {
            "normalized_shape": inputs[0][0],
            "eps": self.eps,
            "elementwise_affine": self.elementwise_affine,
        }
        return ModuleCall("LayerNorm2d", arguments, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        if not self.elementwise_affine:
            return ()
        channels = inputs[0][0]
        return (Arithmetic("parameters", "2·C (scale, shift)", f"2·{channels}", 2 * channels, "torch.nn.LayerNorm"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerScale(FixedChannels):
    """Each channel times a learned factor that is small at first (Touvron et al. 2021, section 2)."""

    summary: ClassVar[str] = "Multiplies each channel by a learned factor, small at first."
    keywords: ClassVar[str] = "convnext cait gamma residual"

    num_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    init_value: float = real(1e-6, minimum=-1e6, maximum=1e6, step=1e-3, help="Factor before training.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        return not_maps(self.type_name, inputs[0]) or FixedChannels.wrong(self, inputs)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return inputs[0][0]

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("LayerScale", {**self.values(), "num_channels": inputs[0][0]}, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        channels = inputs[0][0]
        source = "Touvron et al. 2021, section 2"
        return (Arithmetic("parameters", "C", f"{channels}", channels, source),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResponseNorm(Checked):
    """`torch.nn.LocalResponseNorm`: `x / (k + alpha/size · Σ x²)^beta` (Krizhevsky et al. 2012, section 3.3)."""

    category: ClassVar[Category] = Category.NORMALIZATION
    summary: ClassVar[str] = "Divides each value by the activity of its neighbouring channels, as in AlexNet."
    keywords: ClassVar[str] = "lrn alexnet cross-channel"
    menu_place: ClassVar[int] = 2

    size: int = integer(5, maximum=10_000, help="Neighbouring channels that count.")
    alpha: float = real(1e-4, minimum=-1e6, maximum=1e6, step=1e-4, help="Weight of their squares; divided by size.")
    beta: float = real(0.75, minimum=-100.0, maximum=100.0, step=0.05, help="Exponent of the sum.")
    k: float = real(1.0, minimum=-1e6, maximum=1e6, step=0.5, help="Added to the sum; the paper has 2.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        if len(inputs[0]) > 1:
            return None
        return (
            f"LocalResponseNorm works on feature maps C×H×W; received {format_shape(inputs[0])}; put it before Flatten"
        )

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # Four operations of torch's: the input, its squares padded, the sum, and its power.
        channels, pixels = inputs[0][0], math.prod(inputs[0][1:])
        return Kept(inputs=(0,), values=(channels + self.size - 1 + 2 * channels) * pixels)
