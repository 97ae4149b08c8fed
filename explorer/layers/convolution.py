"""Convolution. The transposed one is in `transposed`, LeNet-5's partially connected one in `lenet`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.geometry import Axis, axes_of, both_axes, same_padding, sides_of, size_arithmetic
from explorer.layers.hyper_parameter import Padding, Pair, Sides, choice, flag, follows, integer, padding, pair
from explorer.layers.layer import Arithmetic, Call, Category, Kept, ModuleCall, SetValue, Shape, Window
from explorer.layers.registry import register
from explorer.layers.windows import (
    Finding,
    Problem,
    Windowed,
    blank_finding,
    kernel_mending,
    kernel_problem,
    set_padding,
    set_pair,
    sliding_findings,
    sliding_improvements,
)

_TORCH = "torch.nn.Conv2d"
_TENSORFLOW = "tf.nn, padding 'SAME'"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2d(Windowed):
    """`torch.nn.Conv2d`: `(C, H, W)` to `(out_channels, H', W')`; "same" padding fits every stride, as TensorFlow's."""

    category: ClassVar[Category] = Category.CONVOLUTION
    summary: ClassVar[str] = "Slides learned kernels over the maps; each output channel is one kernel's response."
    keywords: ClassVar[str] = "convolution kernel filter depthwise pointwise grouped"
    menu_place: ClassVar[int] = 0

    in_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    out_channels: int = integer(help="Kernels, each of which makes one output channel.", on_node=True)
    kernel_size: Pair = pair(help="Height and width of the kernel, in pixels.", on_node=True)
    stride: Pair = pair((1, 1), help="Pixels from one window to the next.", on_node=True)
    padding: Padding = padding(help="Pixels added around the maps; same keeps the size at stride 1.", on_node=True)
    dilation: Pair = pair((1, 1), help="Distance between the kernel's taps, in pixels.")
    groups: int = integer(1, help="Parts that the channels are split into, each convolved on its own.")
    bias: bool = flag(True, help="Adds one learned value to each output channel.")
    padding_mode: str = choice(
        "zeros",
        ("zeros", "reflect", "replicate", "circular"),
        help="What is added: zeros, the mirrored map, its edge repeated, or its opposite side.",
    )

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Keeps channels and size: 3×3, padding 1."""
        channels = shape[0] if shape is not None and len(shape) == 3 else 16
        return cls(out_channels=channels, kernel_size=(3, 3), padding=(1, 1))

    def sides(self, shape: Shape) -> Sides:
        """The padding of a (C, H, W) input: (top, bottom, left, right), in pixels."""
        if isinstance(self.padding, tuple):
            return sides_of(self.padding) if len(self.padding) == 2 else self.padding
        if self.padding == "valid":
            return (0, 0, 0, 0)
        k, s, d = self.kernel_size, self.stride, self.dilation
        return (*same_padding(shape[1], k[0], s[0], d[0]), *same_padding(shape[2], k[1], s[1], d[1]))

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of(shape, self.kernel_size, self.stride, self.sides(shape), self.dilation)

    def problem(self, shape: Shape) -> Problem | None:
        return (
            channels_problem(self.in_channels, shape[0])
            or groups_problem(self.groups, shape[0], self.out_channels)
            or self._fill_problem(shape)
            or kernel_problem(self.axes(shape))
        )

    def _fill_problem(self, shape: Shape) -> Problem | None:
        """What is added must be there to be copied, and what is cropped must be there to be cropped (`F.pad`)."""
        for axis in self.axes(shape):
            most, size = max(axis.before, axis.after), axis.size
            left = size + min(axis.before, 0) + min(axis.after, 0)
            if self.padding_mode == "zeros" and left < 0 < axis.padded:
                crop = max(-axis.before, -axis.after)
                return Problem("fill", f"padding −{crop} crops more than the {size} pixels that arrive; crop less")
            if self.padding_mode == "reflect" and most >= size:
                why = f"reflects more than the {size} that arrive can give; use at most {size - 1}, or another mode"
                return Problem("fill", f"padding {most} {why}")
            if self.padding_mode == "circular" and most > 0 and most > left:
                why = f"wraps around more than the {left} pixels that are there; use at most {max(left, 0)}"
                return Problem("fill", f"padding {most} {why}, or another mode")
        return None

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        axes = self.axes(shape)
        if problem.kind == "in_channels":
            yield from channels_mending(shape[0])
        elif problem.kind == "groups":
            yield from groups_mending(self.groups, shape[0], self.out_channels)
        elif problem.kind == "window":
            yield from kernel_mending(axes)
        else:
            sides = self.sides(shape)
            if self.padding_mode == "zeros":
                yield set_padding(_limited(sides, [axis.size // 2 for axis in axes], cropped=True))
                return
            spare = 1 if self.padding_mode == "reflect" else 0
            crops = [min(axis.before, 0) + min(axis.after, 0) for axis in axes]
            room = [max(0, axis.size - spare + (0 if spare else crop)) for axis, crop in zip(axes, crops, strict=True)]
            yield set_padding(_limited(sides, room))
            yield set_pair(
                "kernel_size",
                tuple(
                    min(axis.kernel_size, 2 * most // axis.dilation + 1) for axis, most in zip(axes, room, strict=True)
                ),
            )
            yield SetValue("padding_mode replicate", "padding_mode", "replicate")
            yield SetValue("padding_mode zeros", "padding_mode", "zeros")
            yield set_padding((0, 0))

    def findings(self, shape: Shape) -> list[Finding]:
        axes = self.axes(shape)
        findings = sliding_findings(axes)
        if self.padding_mode == "zeros" and (blank := blank_finding(axes, _nothing_but(self.bias))):
            findings.append(blank)
        shifted = [axis.stride == 1 and axis.extent % 2 == 0 and axis.before + axis.after > 0 for axis in axes]
        if any(shifted):
            kernel = " and ".join(
                sorted({str(axis.kernel_size) for axis, is_shifted in zip(axes, shifted, strict=True) if is_shifted})
            )
            message = f"an even kernel ({kernel}) has no middle pixel: the maps shift by half a pixel"
            findings.append(Finding("even", "note", message))
        return findings

    def improving(self, finding: Finding, shape: Shape) -> Iterator[SetValue]:
        if finding.kind != "even":
            yield from sliding_improvements(finding.kind, self.axes(shape))
            return
        for step in (-1, 1):
            yield set_pair("kernel_size", tuple(k + step if k % 2 == 0 else k for k in self.kernel_size))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        height, width = self.axes(inputs[0])
        return (self.out_channels, height.outputs, width.outputs)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        k = self.kernel_size
        weights = k[0] * k[1] * (inputs[0][0] // self.groups) * self.out_channels
        return weights + self.out_channels if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        k = self.kernel_size
        return k[0] * k[1] * (inputs[0][0] // self.groups) * output[0] * output[1] * output[2]

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        top, _, left, _ = self.sides(inputs[0])
        return Window(self.kernel_size, self.stride, (top, left), self.dilation)

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # torch convolves a padded copy, and keeps that, where the convolution itself cannot pad.
        (shape,) = inputs
        height, width = self.axes(shape)
        if self.padding_mode == "zeros":
            if self._torch_padding(shape) is None:
                return Kept(values=shape[0] * height.padded * width.padded)
            if self.padding != "same" or (height.before == height.after and width.before == width.after):
                return Kept(inputs=(0,))
            rows, columns = height.after - height.before, width.after - width.before
            return Kept(values=shape[0] * (shape[1] + rows) * (shape[2] + columns))
        copied = () if self.padding_mode == "circular" else (0,)
        return Kept(inputs=copied, values=shape[0] * height.padded * width.padded)

    def _torch_padding(self, shape: Shape) -> Pair | str | None:
        """The padding as `torch.nn.Conv2d` takes it; None where it cannot."""
        if isinstance(self.padding, str) and (self.padding == "valid" or self.stride == (1, 1)):
            return self.padding
        top, bottom, left, right = self.sides(shape)
        return (top, left) if top == bottom >= 0 and left == right >= 0 else None

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        (shape,) = inputs
        values = {**self.values(), "in_channels": shape[0]}
        padding = self._torch_padding(shape)
        if padding is not None:
            return ModuleCall("Conv2d", {**values, "padding": padding})
        top, bottom, left, right = self.sides(shape)
        del values["padding"]
        return ModuleCall("PaddedConv2d", {**values, "pad": (left, right, top, bottom)}, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        k, channels = self.kernel_size, shape[0] // self.groups
        grouped = " / groups" if self.groups > 1 else ""
        arriving = f"{shape[0]} / {self.groups}" if self.groups > 1 else str(channels)
        bias, added = (" + out", f" + {self.out_channels}") if self.bias else ("", "")
        axes = self.axes(shape)
        return (
            *(_same_arithmetic(axes) if self.padding == "same" else size_arithmetic(axes, _TORCH)),
            Arithmetic(
                "parameters",
                f"k·k·in{grouped}·out{bias}",
                f"{k[0]}·{k[1]}·{arriving}·{self.out_channels}{added}",
                self.num_parameters(inputs),
                _TORCH,
            ),
            Arithmetic(
                "multiply-accumulates",
                f"k·k·in{grouped}·out·H·W",
                f"{k[0]}·{k[1]}·{arriving}·{output[0]}·{output[1]}·{output[2]}",
                self.macs(inputs, output),
                _TORCH,
            ),
        )


def channels_problem(in_channels: int | None, channels: int) -> Problem | None:
    """A fixed number of channels is not what arrives."""
    if in_channels is None or in_channels == channels:
        return None
    return Problem(
        "in_channels", f"in_channels is fixed at {in_channels}, but {channels} channels arrive; use {channels}"
    )


def channels_mending(channels: int) -> Iterator[SetValue]:
    """Follow what arrives, or take its number."""
    yield SetValue("in_channels follows the input", "in_channels", None)
    yield SetValue(f"in_channels {channels}", "in_channels", channels)


def groups_problem(groups: int, channels: int, out_channels: int) -> Problem | None:
    """The groups do not divide the channels, on one side or the other."""
    if channels % groups == 0 and out_channels % groups == 0:
        return None
    fits = ", ".join(str(g) for g in sorted(_nearest_groups(groups, channels, out_channels)))
    return Problem(
        "groups",
        f"groups {groups} must divide the {channels} channels that arrive and out_channels {out_channels}; use {fits}",
    )


def groups_mending(groups: int, channels: int, out_channels: int) -> Iterator[SetValue]:
    """The nearest groups that divide both, or the nearest out_channels that the groups divide."""
    for g in _nearest_groups(groups, channels, out_channels):
        yield SetValue(f"groups {g}", "groups", g)
    if channels % groups == 0:
        rounded = max(1, round(out_channels / groups)) * groups
        yield SetValue(f"out_channels {rounded}", "out_channels", rounded)


def _nearest_groups(groups: int, channels: int, out_channels: int) -> list[int]:
    common = math.gcd(channels, out_channels)
    small = [g for g in range(1, math.isqrt(common) + 1) if common % g == 0]
    dividing = {*small, *(common // g for g in small)}
    return sorted(dividing, key=lambda g: (abs(g - groups), g))[:3]


def _limited(sides: Sides, most: list[int], *, cropped: bool = False) -> Sides:
    """The sides with at most so much added, or with `cropped` taken away, at each end of an axis."""
    top, bottom, left, right = (
        max(side, -most[index // 2]) if cropped else min(side, most[index // 2]) for index, side in enumerate(sides)
    )
    return (top, bottom, left, right)


def _nothing_but(bias: bool) -> str:
    return "the bias alone" if bias else "zero"


def _same_arithmetic(axes: tuple[Axis, Axis]) -> tuple[Arithmetic, ...]:
    """The size first, which decides the padding."""
    totals = [axis.before + axis.after for axis in axes]
    return (
        *both_axes(
            "output {}",
            ["⌈size / s⌉", "⌈size / s⌉"],
            [f"⌈{axis.size} / {axis.stride}⌉" for axis in axes],
            [axis.outputs for axis in axes],
            _TENSORFLOW,
        ),
        *both_axes(
            "padding along the {}",
            ["max((out − 1)·s + d·(k − 1) + 1 − size, 0), the smaller half before"] * 2,
            [
                f"max(({axis.outputs} − 1)·{axis.stride} + {axis.dilation}·({axis.kernel_size} − 1) + 1"
                f" − {axis.size}, 0)"
                for axis in axes
            ],
            totals,
            _TENSORFLOW,
        ),
    )
