"""The transposed convolution, which makes more pixels than it reads."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from explorer.layers.convolution import channels_mending, channels_problem, groups_mending, groups_problem
from explorer.layers.geometry import AXES, Axis, axes_of, both_axes, sides_of
from explorer.layers.hyper_parameter import Pair, flag, follows, integer, pair
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Kept,
    ModuleCall,
    Ratio,
    SetValue,
    Shape,
    Window,
    format_shape,
)
from explorer.layers.registry import register
from explorer.layers.windows import Finding, Problem, Windowed, set_pair

_TORCH = "torch.nn.ConvTranspose2d"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose2d(Windowed):
    """`torch.nn.ConvTranspose2d`: `(C, H, W)` to `(out_channels, H', W')`, larger by the stride."""

    category: ClassVar[Category] = Category.CONVOLUTION
    summary: ClassVar[str] = "Paints a learned kernel for each pixel onto a larger map and adds up where they overlap."
    keywords: ClassVar[str] = "deconvolution transposed upsampling"

    in_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    out_channels: int = integer(help="Channels that leave.", on_node=True)
    kernel_size: Pair = pair(help="Height and width of the kernel, in pixels.", on_node=True)
    stride: Pair = pair((1, 1), help="Output pixels from one input pixel's kernel to the next's.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Pixels cut off on each side of the output.", on_node=True)
    output_padding: Pair = pair((0, 0), minimum=0, help="Pixels added to the output's bottom and right.")
    groups: int = integer(1, help="Parts that the channels are split into, each convolved on its own.")
    bias: bool = flag(True, help="Adds one learned value to each output channel.")
    dilation: Pair = pair((1, 1), help="Distance between the kernel's taps, in pixels.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Doubles the size: 2×2, stride 2."""
        channels = shape[0] if shape is not None and len(shape) == 3 else 16
        return cls(out_channels=channels, kernel_size=(2, 2), stride=(2, 2))

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of(shape, self.kernel_size, self.stride, sides_of(self.padding), self.dilation)

    def _size(self, axis: Axis, output_padding: int) -> int:
        return (axis.size - 1) * axis.stride - axis.before - axis.after + axis.extent + output_padding

    def _sizes(self, shape: Shape) -> tuple[int, int]:
        height, width = self.axes(shape)
        return (self._size(height, self.output_padding[0]), self._size(width, self.output_padding[1]))

    def problem(self, shape: Shape) -> Problem | None:
        wrong = channels_problem(self.in_channels, shape[0]) or groups_problem(self.groups, shape[0], self.out_channels)
        if wrong:
            return wrong
        for a, name in enumerate(AXES):
            added, most = self.output_padding[a], max(self.stride[a], self.dilation[a]) - 1
            if added > most:
                message = f"output_padding {added} along the {name} is not below stride or dilation; use at most {most}"
                return Problem("output_padding", message)
        sizes = self._sizes(shape)
        for a, name in enumerate(AXES):
            if sizes[a] < 1:
                least = self.kernel_size[a] + -(-(1 - sizes[a]) // self.dilation[a])
                most = (self.padding[a] * 2 - (1 - sizes[a])) // 2
                fits = f"kernel_size of at least {least}, or padding of at most {most}"
                if most < 0:
                    fits = f"kernel_size of at least {least}"
                return Problem("empty", f"padding {self.padding[a]} cuts off all of the output's {name}; use {fits}")
        return None

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        if problem.kind == "in_channels":
            yield from channels_mending(shape[0])
        elif problem.kind == "groups":
            yield from groups_mending(self.groups, shape[0], self.out_channels)
        elif problem.kind == "output_padding":
            most = tuple(max(s, d) - 1 for s, d in zip(self.stride, self.dilation, strict=True))
            yield set_pair(
                "output_padding", (min(self.output_padding[0], most[0]), min(self.output_padding[1], most[1]))
            )
            added = self.output_padding
            yield set_pair("stride", (max(self.stride[0], added[0] + 1), max(self.stride[1], added[1] + 1)))
        else:
            missing = [max(0, 1 - size) for size in self._sizes(shape)]
            yield set_pair("padding", tuple(max(0, p - -(-m // 2)) for p, m in zip(self.padding, missing, strict=True)))
            yield set_pair(
                "kernel_size",
                tuple(k - (-m // d) for k, m, d in zip(self.kernel_size, missing, self.dilation, strict=True)),
            )

    def findings(self, shape: Shape) -> list[Finding]:
        axes = self.axes(shape)
        # Of each `stride` neighbouring output pixels, how often the kernels' taps fall on each.
        hits = [_hits(axis) if axis.size > 1 else [1] for axis in axes]
        empty = [count.count(0) for count in hits]
        if any(empty):
            share = 1.0
            for count, none in zip(hits, empty, strict=True):
                share *= 1 - none / len(count)
            message = f"{100 * (1 - share):.0f} % of the output pixels are reached by no kernel and are constant"
            return [Finding("holes", "warning", message)]
        if any(len(set(count)) > 1 for count in hits):
            kernel, stride = format_shape(self.kernel_size), format_shape(self.stride)
            message = (
                f"the {kernel} kernel is no multiple of the stride {stride}: neighbouring pixels are sums of unlike "
            )
            return [Finding("checkerboard", "note", f"{message}numbers of kernels, which shows as a checkerboard")]
        return []

    def improving(self, finding: Finding, shape: Shape) -> Iterator[SetValue]:
        rounded = tuple(-(-k // s) * s for k, s in zip(self.kernel_size, self.stride, strict=True))
        yield set_pair("kernel_size", rounded)
        yield set_pair(
            "kernel_size", tuple(max(s, k // s * s) for k, s in zip(self.kernel_size, self.stride, strict=True))
        )
        yield set_pair("dilation", (1, 1))
        yield set_pair("stride", tuple(min(k, s) for k, s in zip(self.kernel_size, self.stride, strict=True)))
        yield set_pair("stride", (1, 1))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (self.out_channels, *self._sizes(inputs[0]))

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        k = self.kernel_size
        weights = k[0] * k[1] * inputs[0][0] * (self.out_channels // self.groups)
        return weights + self.out_channels if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        k, (channels, height, width) = self.kernel_size, inputs[0]
        return k[0] * k[1] * channels * (self.out_channels // self.groups) * height * width

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        height, width = (_reading(axis) for axis in self.axes(inputs[0]))
        return Window((height[0], width[0]), (height[1], width[1]), (height[2], width[2]), (height[3], width[3]))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("ConvTranspose2d", {**self.values(), "in_channels": inputs[0][0]})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        k, grouped, leaving = self.kernel_size, "", str(self.out_channels)
        if self.groups > 1:
            grouped, leaving = " / groups", f"{self.out_channels} / {self.groups}"
        bias, added = (" + out", f" + {self.out_channels}") if self.bias else ("", "")
        axes = self.axes(shape)
        return (
            *both_axes(
                "output {}",
                ["(size − 1)·s − 2·p + d·(k − 1) + o + 1"] * 2,
                [
                    f"({axis.size} − 1)·{axis.stride} − 2·{axis.before} + {axis.dilation}·({axis.kernel_size} − 1) + "
                    f"{self.output_padding[a]} + 1"
                    for a, axis in enumerate(axes)
                ],
                [output[1], output[2]],
                _TORCH,
            ),
            Arithmetic(
                "parameters",
                f"k·k·in·out{grouped}{bias}",
                f"{k[0]}·{k[1]}·{shape[0]}·{leaving}{added}",
                self.num_parameters(inputs),
                _TORCH,
            ),
            Arithmetic(
                "multiply-accumulates",
                f"k·k·in·out{grouped}·H·W of the input",
                f"{k[0]}·{k[1]}·{shape[0]}·{leaving}·{shape[1]}·{shape[2]}",
                self.macs(inputs, output),
                _TORCH,
            ),
        )


def _hits(axis: Axis) -> list[int]:
    """How many taps fall on each of `stride` neighbouring output pixels, away from the border."""
    counts = [0] * axis.stride
    for tap in range(axis.kernel_size):
        counts[tap * axis.dilation % axis.stride] += 1
    return counts


def _reading(axis: Axis) -> tuple[int, Ratio, Ratio, int]:
    """(kernel size, stride, padding, dilation) of what one output pixel reads of the input.

    Output o is the sum over input pixels i and taps j with `i·s + d·j = o + p`, so it reads every `d / gcd(d, s)`th
    input pixel between `(o + p − d·(k − 1)) / s` and `(o + p) / s`: how many depends on o, and the most are taken, laid
    symmetrically about the middle of that range.
    """
    common = math.gcd(axis.dilation, axis.stride)
    taps, dilation = -(-axis.kernel_size * common // axis.stride), axis.dilation // common
    extent = dilation * (taps - 1) + 1
    middle = Fraction(2 * axis.before - axis.extent + 1, 2 * axis.stride)
    return taps, _ratio(Fraction(1, axis.stride)), _ratio(Fraction(extent - 1, 2) - middle), dilation


def _ratio(value: Fraction) -> Ratio:
    return value.numerator if value.denominator == 1 else value
