"""Pooling: fewer pixels, same channels, nothing learned."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.geometry import AXES, expects_maps, output_size, size_arithmetic, window_fault
from explorer.layers.layer import (
    Arithmetic,
    Category,
    Fault,
    Layer,
    Pair,
    SetValue,
    Shape,
    Window,
    flag,
    pair,
)
from explorer.layers.registry import register


class _WindowPool(Layer):
    """What max and average pooling share: a window that slides over each channel on its own."""

    __slots__ = ()

    category: ClassVar[Category] = Category.POOLING
    kernel_size: Pair
    stride: Pair
    padding: Pair
    ceil_mode: bool

    @property
    @abstractmethod
    def taps(self) -> Pair:
        """The distance between the window's taps, in pixels."""

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if wrong := expects_maps(self.type_name, shape):
            return wrong
        for axis, name in enumerate(AXES):
            # torch: "pad should be smaller than or equal to half of kernel size", whatever the dilation.
            most = self.kernel_size[axis] // 2
            if self.padding[axis] > most:
                fitting = tuple(min(self.padding[a], self.kernel_size[a] // 2) for a in range(2))
                return Fault(
                    f"padding {self.padding[axis]} along the {name} exceeds half of the kernel; use at most {most}",
                    (SetValue(f"padding {most}", "padding", fitting),),
                )
        if self.ceil_mode:
            return None if min(self.output_shape(inputs)) > 0 else self._too_large(shape)
        return self._too_large(shape)

    def _too_large(self, shape: Shape) -> Fault | None:
        return window_fault(shape, self.kernel_size, self.padding, self.taps, fixed_padding=True)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, height, width = inputs[0]
        k, s, p, d = self.kernel_size, self.stride, self.padding, self.taps
        return (
            channels,
            output_size(height, k[0], s[0], p[0], d[0], self.ceil_mode),
            output_size(width, k[1], s[1], p[1], d[1], self.ceil_mode),
        )

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return Window(self.kernel_size, self.stride, self.padding, self.taps)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        return size_arithmetic(
            inputs[0],
            output,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.taps,
            ceil_mode=self.ceil_mode,
            source=f"torch.nn.{self.type_name}",
        )


def _halving(shape: Shape | None) -> Pair:
    """A window, also the stride, that halves each side; a side of one pixel has no room for a window of two."""
    return (2, 2) if shape is None or len(shape) != 3 else (min(2, shape[1]), min(2, shape[2]))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2d(_WindowPool):
    """`torch.nn.MaxPool2d`: `(C, H, W)` to `(C, H', W')`."""

    summary: ClassVar[str] = "Keeps the largest value of each window."

    kernel_size: Pair = pair(help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair(help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Minus infinities added on each side, in pixels.", on_node=True)
    dilation: Pair = pair((1, 1), help="Distance between the window's taps, in pixels.")
    ceil_mode: bool = flag(False, help="Rounds the output size up, so that a last part of a window counts.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size."""
        return cls(kernel_size=_halving(shape), stride=_halving(shape))

    @property
    def taps(self) -> Pair:
        return self.dilation


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AvgPool2d(_WindowPool):
    """`torch.nn.AvgPool2d`: `(C, H, W)` to `(C, H', W')`."""

    summary: ClassVar[str] = "Averages each window."

    kernel_size: Pair = pair(help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair(help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Zeros added on each side, in pixels.", on_node=True)
    ceil_mode: bool = flag(False, help="Rounds the output size up, so that a last part of a window counts.")
    count_include_pad: bool = flag(True, help="Counts the added zeros in the average.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size."""
        return cls(kernel_size=_halving(shape), stride=_halving(shape))

    @property
    def taps(self) -> Pair:
        return (1, 1)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveAvgPool2d(Layer):
    """`torch.nn.AdaptiveAvgPool2d`: `(C, H, W)` to `(C, *output_size)`, whatever H and W."""

    category: ClassVar[Category] = Category.POOLING
    summary: ClassVar[str] = "Averages over windows chosen so that the output has a given size."

    output_size: Pair = pair(help="Height and width of the output, in pixels.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Averages each map to one value."""
        return cls(output_size=(1, 1))

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        return expects_maps(self.type_name, inputs[0])

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][0], *self.output_size)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        # Output i averages [floor(i·n/m), ceil((i+1)·n/m)); the widest of these windows bounds every output's.
        def widest(n: int, m: int) -> int:
            return max(-(-(i + 1) * n // m) - i * n // m for i in range(m))

        _, height, width = inputs[0]
        rows, columns = self.output_size
        return Window(
            (widest(height, rows), widest(width, columns)),
            (max(1, height // rows), max(1, width // columns)),
            (0, 0),
            (1, 1),
        )

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        _, height, width = inputs[0]
        source = "torch.nn.AdaptiveAvgPool2d"
        return (
            Arithmetic("output height", "output_size", f"{output[1]} from {height}", output[1], source),
            Arithmetic("output width", "output_size", f"{output[2]} from {width}", output[2], source),
        )
