"""Adaptive pooling: windows chosen so that the output has a given size, whatever arrives."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from explorer.layers.geometry import AXES, both_axes, expects_maps, pair_text
from explorer.layers.hyper_parameter import Pair, pair
from explorer.layers.layer import (
    Arithmetic,
    Category,
    Fault,
    Kept,
    Layer,
    Ratio,
    Remark,
    SetValue,
    Shape,
    Window,
    format_shape,
)
from explorer.layers.registry import register

_INDEX_BYTES = 8
"""torch keeps the place of each maximum as an int64."""


class AdaptivePool(Layer):
    """What adaptive pooling layers share.

    Output i of m reads pixels `⌊i·n / m⌋` up to, without, `⌈(i + 1)·n / m⌉` of n (`torch.nn.AdaptiveAvgPool2d`).
    """

    __slots__ = ()

    category: ClassVar[Category] = Category.POOLING
    output_size: Pair

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        return expects_maps(self.type_name, inputs[0])

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        (shape,) = inputs
        if self.output_size[0] <= shape[1] and self.output_size[1] <= shape[2]:
            return ()
        fitting = (min(self.output_size[0], shape[1]), min(self.output_size[1], shape[2]))
        arrives, made = format_shape(shape[1:]), format_shape(self.output_size)
        message = f"{made} is made of {arrives}: pixels are repeated, which adds no information"
        return (Remark("note", message, (SetValue(f"output_size {pair_text(fitting)}", "output_size", fitting),)),)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][0], *self.output_size)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        _, height, width = inputs[0]
        rows, columns = _window(height, self.output_size[0]), _window(width, self.output_size[1])
        return Window(
            (rows[0], columns[0]), (rows[1], columns[1]), (rows[2], columns[2]), (1, 1), (rows[3], columns[3])
        )

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        source = f"torch.nn.{self.type_name}"
        sizes = inputs[0][1:]
        windows = [_widest(n, m) for n, m in zip(sizes, self.output_size, strict=True)]
        return (
            *(
                Arithmetic(f"output {name}", "output_size", f"{output[a + 1]} from {sizes[a]}", output[a + 1], source)
                for a, name in enumerate(AXES)
            ),
            *both_axes(
                "widest window along the {}",
                ["⌊size / output_size⌋, and up to 2 where it does not divide"] * 2,
                [f"⌊{n} / {m}⌋ + {window[1]}" for n, m, window in zip(sizes, self.output_size, windows, strict=True)],
                [sum(window) for window in windows],
                source,
            ),
        )


def _widest(n: int, m: int) -> tuple[int, int]:
    """The most pixels that any of m outputs reads of n, as a sum: whole pixels, and parts of pixels at the ends."""
    common = math.gcd(n, m)
    whole, rest = divmod(n // common, m // common)
    # Windows begin at every multiple of common / m of a pixel, so that the worst touches one pixel more, or two.
    return whole, min(rest, 2)


def _window(n: int, m: int) -> tuple[int, Ratio, Ratio, bool]:
    """(kernel size, stride, padding, whether whole) along one axis: the widest window, at the mean distance.

    Where m does not divide n the windows differ by a pixel; laid symmetrically, these hold them all.
    """
    if m == 1 or n == 1:
        return n, n, 0, True
    widest, stride = sum(_widest(n, m)), Fraction((m - 1) * n // m, m - 1)
    padding = (stride * (m - 1) + widest - n) / 2
    return widest, _ratio(stride), _ratio(padding), False


def _ratio(value: Fraction) -> Ratio:
    return value.numerator if value.denominator == 1 else value


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveAvgPool2d(AdaptivePool):
    """`torch.nn.AdaptiveAvgPool2d`: `(C, H, W)` to `(C, *output_size)`, whatever H and W."""

    summary: ClassVar[str] = "Averages over windows chosen so that the output has a given size."
    keywords: ClassVar[str] = "global average pooling gap"

    output_size: Pair = pair(help="Height and width of the output, in pixels.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Reduces each map to one value."""
        return cls(output_size=(1, 1))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # To one pixel it is a mean, whose backward pass needs the shape alone.
        return Kept() if self.output_size == (1, 1) else Kept(inputs=(0,))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveMaxPool2d(AdaptivePool):
    """`torch.nn.AdaptiveMaxPool2d`: `(C, H, W)` to `(C, *output_size)`, whatever H and W."""

    summary: ClassVar[str] = "Keeps the largest value of windows chosen so that the output has a given size."
    keywords: ClassVar[str] = "global maximum pooling"

    output_size: Pair = pair(help="Height and width of the output, in pixels.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Reduces each map to one value."""
        return cls(output_size=(1, 1))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), num_bytes=math.prod(output) * _INDEX_BYTES)
