"""`Upsample`: maps of another size, by repeating or interpolating pixels."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from explorer.layers.checked import Checked, not_maps
from explorer.layers.hyper_parameter import choice, flag, follows, real
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    ModuleCall,
    Ratio,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.registry import register

_TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
_SMALLEST, _LARGEST = 1e-3, 1e3


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Upsample(Checked):
    """`torch.nn.Upsample`: `(C, H, W)` to `(C, ⌊H·scale⌋, ⌊W·scale⌋)`, or to the height and width that are fixed.

    torch takes a scale for both axes or a size for both: where one alone is fixed, the other's size is worked out.
    """

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Makes maps larger, or smaller, by repeating or interpolating pixels."
    keywords: ClassVar[str] = "interpolate resize upsampling nearest bilinear bicubic"

    height: int | None = follows(help="Rows of the output; following the input, by the scale.")
    width: int | None = follows(help="Columns of the output; following the input, by the scale.")
    scale_height: float = real(
        2.0, minimum=_SMALLEST, maximum=_LARGEST, step=0.5, help="Output rows for each input row, unless fixed."
    )
    scale_width: float = real(
        2.0, minimum=_SMALLEST, maximum=_LARGEST, step=0.5, help="Output columns for each input column, unless fixed."
    )
    mode: str = choice(
        "nearest", ("nearest", "bilinear", "bicubic"), help="How pixels between the given ones are made."
    )
    align_corners: bool = flag(False, help="Puts the outermost pixels of both maps onto each other; not for nearest.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Doubles the size."""
        return cls()

    def _sizes(self, shape: Shape) -> tuple[int, int]:
        height = math.floor(shape[1] * self.scale_height) if self.height is None else self.height
        width = math.floor(shape[2] * self.scale_width) if self.width is None else self.width
        return height, width

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if reason := not_maps(self.type_name, shape):
            return reason
        if self.mode == "nearest" and self.align_corners:
            return "align_corners means nothing to nearest; use no align_corners, or bilinear"
        if min(self._sizes(shape)) > 0:
            return None
        scales = format_shape((_ratio(self.scale_height), _ratio(self.scale_width)))
        return f"scale {scales} leaves no pixel of {format_shape(shape)}; use at least 1/size"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        yield SetValue("no align_corners", "align_corners", False)
        yield SetValue("mode bilinear", "mode", "bilinear")
        for axis in ("height", "width"):
            yield SetValue(f"scale_{axis} 1", f"scale_{axis}", 1.0)
            yield SetValue(f"{axis} 1", axis, 1)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][0], *self._sizes(inputs[0]))

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        (_, height, width), (rows, columns) = inputs[0], self._sizes(inputs[0])
        by_size = self.height is not None or self.width is not None
        k_h, s_h, p_h, whole_h = self._axis(height, rows, None if by_size else self.scale_height)
        k_w, s_w, p_w, whole_w = self._axis(width, columns, None if by_size else self.scale_width)
        return Window((k_h, k_w), (s_h, s_w), (p_h, p_w), (1, 1), (whole_h, whole_w))

    def _axis(self, size: int, made: int, scale: float | None) -> tuple[int, Ratio, int, bool]:
        """(kernel size, stride, padding, whether all read all), from torch's documentation of align_corners."""
        if size == 1:
            return 1, 1, 0, True
        if self.align_corners:
            step = Fraction(size - 1, made - 1) if made > 1 else Fraction(0)
            first = Fraction(0)
        else:
            step = Fraction(size, made) if scale is None else 1 / _ratio(scale)
            first = (step - 1) / 2
        if made == 1:
            step = Fraction(size)  # what one pixel stands for
        stride = step.numerator if step.denominator == 1 else step
        taps = _TAPS[self.mode]
        if taps == 1:
            return 1, stride, 0, False
        if step.denominator == first.denominator == 1:  # every output falls onto a pixel, which alone counts
            return 1, stride, -int(first), False
        return taps, stride, taps // 2 - 1 - math.floor(first), False

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        arguments: dict[str, object] = (
            {"scale_factor": (self.scale_height, self.scale_width)}
            if self.height is None and self.width is None
            else {"size": self._sizes(inputs[0])}
        )
        arguments["mode"] = self.mode
        if self.mode != "nearest":
            arguments["align_corners"] = self.align_corners
        return ModuleCall("Upsample", arguments)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        lines = []
        for axis, fixed, scale, size, made in (
            ("height", self.height, self.scale_height, inputs[0][1], output[1]),
            ("width", self.width, self.scale_width, inputs[0][2], output[2]),
        ):
            formula, values = ("fixed", str(made)) if fixed is not None else ("⌊size·scale⌋", f"⌊{size}·{scale:g}⌋")
            lines.append(Arithmetic(f"output {axis}", formula, values, made, "torch.nn.Upsample"))
        return tuple(lines)


def _ratio(scale: float) -> Fraction:
    """The scale as it is written: 1.3 is 13/10, not the nearest binary fraction."""
    return Fraction(repr(scale))
