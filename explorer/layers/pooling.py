"""Pooling over a sliding window: fewer pixels, same channels, nothing learned. Adaptive pooling is in `adaptive`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.geometry import AXES, Axis, axes_of, sides_of, size_arithmetic
from explorer.layers.hyper_parameter import Pair, flag, pair, real
from explorer.layers.layer import Arithmetic, Category, Kept, SetValue, Shape, Window
from explorer.layers.registry import register
from explorer.layers.windows import (
    Finding,
    Problem,
    Windowed,
    blank_finding,
    kernel_mending,
    kernel_problem,
    set_pair,
    sliding_findings,
)

_INDEX_BYTES = 8
"""torch keeps the place of each maximum as an int64."""


class WindowPool(Windowed):
    """What pooling layers share: a window that slides over each channel on its own."""

    __slots__ = ()

    category: ClassVar[Category] = Category.POOLING
    ceil_mode: bool

    @property
    def border(self) -> Pair:
        """Padding on each side, in pixels."""
        return (0, 0)

    @property
    def most_border(self) -> Pair:
        """The largest padding that torch takes: half of the kernel, whatever the dilation."""
        return (self.kernel_size[0] // 2, self.kernel_size[1] // 2)

    @property
    def taps(self) -> Pair:
        """The distance between the window's taps, in pixels."""
        return (1, 1)

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of(shape, self.kernel_size, self.stride, sides_of(self.border), self.taps, self.ceil_mode)

    def problem(self, shape: Shape) -> Problem | None:
        for a, (name, most) in enumerate(zip(AXES, self.most_border, strict=True)):
            if self.border[a] > most:
                message = f"padding {self.border[a]} along the {name} exceeds half of the kernel; use at most {most}"
                return Problem("padding", message)
        axes = self.axes(shape)
        # With `ceil_mode` a window that is a little too large hangs over the end.
        return None if min(axes[0].outputs, axes[1].outputs) > 0 else kernel_problem(axes, self.most_border)

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        if problem.kind == "padding":
            k, p = self.kernel_size, self.border
            yield set_pair("padding", (min(p[0], self.most_border[0]), min(p[1], self.most_border[1])))
            yield set_pair("kernel_size", (max(k[0], 2 * p[0]), max(k[1], 2 * p[1])))
        else:
            yield from kernel_mending(self.axes(shape))
            yield SetValue("ceil_mode", "ceil_mode", True)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        height, width = self.axes(inputs[0])
        return (inputs[0][0], height.outputs, width.outputs)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return Window(self.kernel_size, self.stride, self.border, self.taps)

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,))

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        return size_arithmetic(self.axes(inputs[0]), f"torch.nn.{self.type_name}")


def halving(shape: Shape | None) -> Pair:
    """A window, also the stride, that halves each side; a side of one pixel has no room for a window of two."""
    return (2, 2) if shape is None or len(shape) != 3 else (min(2, shape[1]), min(2, shape[2]))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2d(WindowPool):
    """`torch.nn.MaxPool2d`: `(C, H, W)` to `(C, H', W')`."""

    summary: ClassVar[str] = "Keeps the largest value of each window."
    keywords: ClassVar[str] = "maximum downsample"
    menu_place: ClassVar[int] = 0

    kernel_size: Pair = pair(help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair(help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Minus infinities added on each side, in pixels.", on_node=True)
    dilation: Pair = pair((1, 1), help="Distance between the window's taps, in pixels.")
    ceil_mode: bool = flag(False, help="Rounds the output size up, so that a last part of a window counts.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size."""
        return cls(kernel_size=halving(shape), stride=halving(shape))

    @property
    def border(self) -> Pair:
        return self.padding

    @property
    def taps(self) -> Pair:
        return self.dilation

    def findings(self, shape: Shape) -> list[Finding]:
        axes = self.axes(shape)
        blank = blank_finding(axes, "minus infinity")
        return [*sliding_findings(axes), *([blank] if blank else [])]

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), num_bytes=math.prod(output) * _INDEX_BYTES)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AvgPool2d(WindowPool):
    """`torch.nn.AvgPool2d`: `(C, H, W)` to `(C, H', W')`."""

    summary: ClassVar[str] = "Averages each window."
    keywords: ClassVar[str] = "average mean downsample"
    menu_place: ClassVar[int] = 0

    kernel_size: Pair = pair(help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair(help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Zeros added on each side, in pixels.", on_node=True)
    ceil_mode: bool = flag(False, help="Rounds the output size up, so that a last part of a window counts.")
    count_include_pad: bool = flag(True, help="Counts the added zeros in the average.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size."""
        return cls(kernel_size=halving(shape), stride=halving(shape))

    @property
    def border(self) -> Pair:
        return self.padding


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LPPool2d(WindowPool):
    """`torch.nn.LPPool2d`: `(C, H, W)` to `(C, H', W')`, each the p-th root of a window's sum of p-th powers."""

    summary: ClassVar[str] = "Takes the p-norm of each window: 1 sums it, a large p nears its maximum."
    keywords: ClassVar[str] = "norm power"
    menu_place: ClassVar[int] = 2

    norm_type: float = real(2.0, minimum=1.0, maximum=100.0, step=1.0, help="The power p of the norm.")
    kernel_size: Pair = pair(help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair(help="Pixels from one window to the next.", on_node=True)
    ceil_mode: bool = flag(False, help="Rounds the output size up, so that a last part of a window counts.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size, with the Euclidean norm."""
        return cls(kernel_size=halving(shape), stride=halving(shape))

    @property
    def most_border(self) -> Pair:
        return (0, 0)

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # torch composes it: the powers, and for the root the mean, its sign, its size and the sum.
        return Kept(inputs=(0,), values=math.prod(inputs[0]) + 4 * math.prod(output))
