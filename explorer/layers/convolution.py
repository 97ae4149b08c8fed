"""Convolutions."""

from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.geometry import expects_maps, output_size, size_arithmetic, window_fault
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    Layer,
    ModuleCall,
    Pair,
    SetValue,
    Shape,
    Suggestion,
    Window,
    flag,
    follows,
    integer,
    pair,
)
from explorer.layers.registry import register

_TORCH = "torch.nn.Conv2d"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2d(Layer):
    """`torch.nn.Conv2d`: `(C, H, W)` to `(out_channels, H', W')`."""

    category: ClassVar[Category] = Category.CONVOLUTION
    summary: ClassVar[str] = "Slides learned kernels over the maps; each output channel is one kernel's response."

    in_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    out_channels: int = integer(help="Kernels, each of which makes one output channel.", on_node=True)
    kernel_size: Pair = pair(help="Height and width of the kernel, in pixels.", on_node=True)
    stride: Pair = pair((1, 1), help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Zeros added on each side, in pixels.", on_node=True)
    dilation: Pair = pair((1, 1), help="Distance between the kernel's taps, in pixels.")
    groups: int = integer(1, help="Parts that the channels are split into, each convolved on its own.")
    bias: bool = flag(True, help="Adds one learned value to each output channel.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Keeps channels and size: 3×3, padding 1."""
        channels = shape[0] if shape is not None and len(shape) == 3 else 16
        return cls(out_channels=channels, kernel_size=(3, 3), padding=(1, 1))

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if wrong := expects_maps(self.type_name, shape):
            return wrong
        channels = shape[0]
        if self.in_channels is not None and self.in_channels != channels:
            return Fault(
                f"in_channels is fixed at {self.in_channels}, but {channels} channels arrive; use {channels}",
                (
                    SetValue("in_channels follows the input", "in_channels", None),
                    SetValue(f"in_channels {channels}", "in_channels", channels),
                ),
            )
        if channels % self.groups or self.out_channels % self.groups:
            return self._groups_fault(channels)
        return window_fault(shape, self.kernel_size, self.padding, self.dilation)

    def _groups_fault(self, channels: int) -> Fault:
        most = min(channels, self.out_channels)
        dividing = [g for g in range(1, most + 1) if channels % g == 0 and self.out_channels % g == 0]
        nearest = sorted(dividing, key=lambda g: (abs(g - self.groups), g))[:3]
        suggestions: list[Suggestion] = [SetValue(f"groups {g}", "groups", g) for g in nearest]
        if channels % self.groups == 0:
            rounded = max(1, round(self.out_channels / self.groups)) * self.groups
            suggestions.append(SetValue(f"out_channels {rounded}", "out_channels", rounded))
        fits = ", ".join(str(g) for g in sorted(nearest))
        return Fault(
            f"groups {self.groups} must divide the {channels} channels that arrive and out_channels "
            f"{self.out_channels}; use {fits}",
            tuple(suggestions),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        _, height, width = inputs[0]
        k, s, p, d = self.kernel_size, self.stride, self.padding, self.dilation
        return (
            self.out_channels,
            output_size(height, k[0], s[0], p[0], d[0]),
            output_size(width, k[1], s[1], p[1], d[1]),
        )

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        k = self.kernel_size
        weights = k[0] * k[1] * (inputs[0][0] // self.groups) * self.out_channels
        return weights + self.out_channels if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        k = self.kernel_size
        return k[0] * k[1] * (inputs[0][0] // self.groups) * output[0] * output[1] * output[2]

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return Window(self.kernel_size, self.stride, self.padding, self.dilation)

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("Conv2d", {**self.values(), "in_channels": inputs[0][0]})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        k, channels = self.kernel_size, shape[0] // self.groups
        grouped = " / groups" if self.groups > 1 else ""
        bias, added = (" + out", f" + {self.out_channels}") if self.bias else ("", "")
        return (
            *size_arithmetic(
                shape,
                output,
                kernel_size=k,
                stride=self.stride,
                padding=self.padding,
                dilation=self.dilation,
                ceil_mode=False,
                source=_TORCH,
            ),
            Arithmetic(
                "parameters",
                f"k·k·in{grouped}·out{bias}",
                f"{k[0]}·{k[1]}·{channels}·{self.out_channels}{added}",
                self.num_parameters(inputs),
                _TORCH,
            ),
            Arithmetic(
                "multiply-accumulates",
                f"k·k·in{grouped}·out·H·W",
                f"{k[0]}·{k[1]}·{channels}·{output[0]}·{output[1]}·{output[2]}",
                self.macs(inputs, output),
                _TORCH,
            ),
        )
