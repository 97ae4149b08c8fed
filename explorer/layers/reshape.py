"""Layers that arrange values anew: other dimensions, another order. `pieces` holds those that take or add values.

Dimensions count the batch as 0, as torch's do; the batch itself stays where it is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from explorer.layers.checked import MOST_DIMS, Checked, listed, nearest_divisors, not_maps
from explorer.layers.convolution import Conv2d
from explorer.layers.hyper_parameter import LARGEST, integer, integers
from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    InsertBefore,
    Layer,
    OperatorCall,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
    whole,
)
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape(Checked):
    """`torch.reshape` of each image: the same values, in the same order, in other dimensions."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Lays the same values out in other dimensions."
    keywords: ClassVar[str] = "view unflatten"

    sizes: tuple[int, ...] = integers(minimum=-1, help="Sizes without the batch; one may be −1, which takes the rest.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """One row."""
        return cls(sizes=(-1,))

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        count = math.prod(shape)
        given = math.prod(size for size in self.sizes if size != -1)
        arriving = f"{format_shape(shape)} = {count:,} values arrive"
        if 0 in self.sizes:
            return f"sizes {listed(self.sizes)} hold a 0, but {arriving}; use sizes of at least 1"
        match self.sizes.count(-1):
            case 0:
                fits = given == count
            case 1:
                fits = count % given == 0
            case _:
                return f"sizes {listed(self.sizes)} hold −1 more than once; use it once at most"
        if fits:
            return None
        held = f"hold {given:,}" if -1 not in self.sizes else f"hold a multiple of {given:,}"
        return f"sizes {listed(self.sizes)} {held}, but {arriving}; use sizes whose product is {count:,}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        (shape,) = inputs
        for i, size in enumerate(self.sizes):
            others = math.prod(other for other in self.sizes[:i] + self.sizes[i + 1 :] if other > 0)
            if size != -1 and math.prod(shape) % others == 0:
                yield self._with(i, math.prod(shape) // others)
        if self.sizes.count(-1) > 1:
            for i in (i for i, size in enumerate(self.sizes) if size == -1):
                yield self._with(i, 1)
        yield SetValue(f"sizes {listed(shape)}", "sizes", shape)
        yield SetValue("sizes −1 (one row)", "sizes", (-1,))

    def _with(self, position: int, size: int) -> SetValue:
        sizes = (*self.sizes[:position], size, *self.sizes[position + 1 :])
        return SetValue(f"sizes {listed(sizes)}", "sizes", sizes)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        given = math.prod(size for size in self.sizes if size != -1)
        return tuple(math.prod(inputs[0]) // given if size == -1 else size for size in self.sizes)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        (shape,) = inputs
        # Channels parted into groups, or joined again, leave each pixel where it is.
        return POINTWISE if shape[-2:] == self.output_shape(inputs)[-2:] and len(shape) > 2 else whole(shape)

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return True

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("reshape", {"shape": self.output_shape(inputs)})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        if -1 not in self.sizes:
            return ()
        (shape,) = inputs
        place = self.sizes.index(-1)
        given = "·".join(str(size) for size in self.sizes if size != -1) or "1"
        values = f"{'·'.join(str(size) for size in shape)} / ({given})"
        return (Arithmetic(f"dimension {place + 1}", "values / other sizes", values, output[place], "torch.reshape"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Permute(Checked):
    """`torch.permute`: the dimensions of each image in another order."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Puts the dimensions into another order."
    keywords: ClassVar[str] = "transpose channels last"

    dims: tuple[int, ...] = integers(
        minimum=1, maximum=MOST_DIMS, help="Dimension that comes first, second, and so on; 1 is the channels."
    )

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Channels last."""
        count = 3 if shape is None else len(shape)
        return cls(dims=(*range(2, count + 1), 1))

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        count = len(shape)
        if sorted(self.dims) == list(range(1, count + 1)):
            return None
        needed = ", ".join(str(dim) for dim in range(1, count + 1))
        return (
            f"dims {listed(self.dims)} must hold each dimension of {format_shape(shape)} once; use {needed} in an order"
        )

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        count = len(inputs[0])
        named = [dim for dim in dict.fromkeys(self.dims) if dim <= count]
        dims = (*named, *(dim for dim in range(1, count + 1) if dim not in named))
        yield SetValue(f"dims {listed(dims)}", "dims", dims)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(inputs[0][dim - 1] for dim in self.dims)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        if len(self.dims) == 3 and self.dims.index(2) > self.dims.index(3):
            # Rows become columns, which a window of one axis each cannot say; all of the map bounds it.
            return whole(inputs[0])
        return POINTWISE

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return True

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("permute", {"dims": (0, *self.dims)})


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelShuffle(Checked):
    """`torch.nn.ChannelShuffle`: channel `i` of each group in turn (Zhang et al. 2018, figure 1)."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Mixes the channels of groups, so that the next grouped layer reads from all."
    keywords: ClassVar[str] = "shufflenet"

    groups: int = integer(help="Groups whose channels take turns.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Two groups, or the fewest that divide the channels."""
        return cls(groups=2 if shape is None else next((g for g in range(2, shape[0] + 1) if shape[0] % g == 0), 1))

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if len(shape) < 2:
            return f"ChannelShuffle works on channels of pixels; received {format_shape(shape)}"
        if shape[0] % self.groups == 0:
            return None
        fitting = ", ".join(str(d) for d in sorted(nearest_divisors(shape[0], self.groups)))
        return f"groups {self.groups} must divide the {shape[0]} channels that arrive; use {fitting}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        for groups in nearest_divisors(inputs[0][0], self.groups):
            yield SetValue(f"groups {groups}", "groups", groups)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class PixelShuffle(Checked):
    """`torch.nn.PixelShuffle`: `(C·r², H, W)` to `(C, H·r, W·r)` (Shi et al. 2016, section 2.2)."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Turns channels into pixels: larger maps, fewer of them."
    keywords: ClassVar[str] = "depth to space sub-pixel upsampling super-resolution"

    upscale_factor: int = integer(maximum=1_000, help="Factor of height and width, r.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Doubles the size where the channels allow it."""
        return cls(upscale_factor=2 if shape is None or shape[0] % 4 == 0 else 1)

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if reason := not_maps(self.type_name, shape):
            return reason
        square = self.upscale_factor**2
        if shape[0] % square == 0:
            return None
        return (
            f"upscale_factor {self.upscale_factor} takes channels by {square}, which do not divide the {shape[0]} that "
            f"arrive; use {' or '.join(str(r) for r in self._fitting(shape[0]))}, or a multiple of {square} channels"
        )

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        channels, square = inputs[0][0], self.upscale_factor**2
        for factor in self._fitting(channels):
            yield SetValue(f"upscale_factor {factor}", "upscale_factor", factor)
        rounded = max(1, round(channels / square)) * square
        if rounded <= LARGEST:
            yield InsertBefore(
                f"1×1 convolution to {rounded} channels", Conv2d(out_channels=rounded, kernel_size=(1, 1))
            )

    def _fitting(self, channels: int) -> list[int]:
        factors = [r for r in range(1, math.isqrt(channels) + 1) if channels % r**2 == 0]
        return sorted(factors, key=lambda r: (abs(r - self.upscale_factor), r))[:3]

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (channels, height, width), r = inputs[0], self.upscale_factor
        return (channels // r**2, height * r, width * r)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        step = Fraction(1, self.upscale_factor)
        return Window((1, 1), (step, step), (0, 0), (1, 1)) if self.upscale_factor > 1 else POINTWISE

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (channels, height, width), r = inputs[0], self.upscale_factor
        source = "torch.nn.PixelShuffle"
        return (
            Arithmetic("channels", "C / r²", f"{channels} / {r}²", output[0], source),
            Arithmetic("output height", "H·r", f"{height}·{r}", output[1], source),
            Arithmetic("output width", "W·r", f"{width}·{r}", output[2], source),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Layer):
    """`torch.nn.Identity`: what arrives, leaves."""

    category: ClassVar[Category] = Category.OTHER
    summary: ClassVar[str] = "Passes its input on as it is."
    keywords: ClassVar[str] = "nothing skip placeholder"

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return True
