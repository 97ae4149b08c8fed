"""Fully connected layers, and the flatten before them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import MOST_DIMS, Checked, along
from explorer.layers.hyper_parameter import flag, follows, integer
from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    Fault,
    InsertBefore,
    Kept,
    Layer,
    ModuleCall,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten(Checked):
    """`torch.nn.Flatten`: dimensions `start_dim` to `end_dim` become one; `(C, H, W)` to `(C·H·W,)` by default."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Lays the maps out as one row of features."
    keywords: ClassVar[str] = "view vector"

    start_dim: int = integer(1, minimum=1, maximum=MOST_DIMS, help="First dimension to join; 1 is the channels.")
    end_dim: int = integer(
        -1, minimum=-MOST_DIMS, maximum=MOST_DIMS, help="Last dimension to join; −1 is the last one."
    )

    def _end(self, shape: Shape) -> int | None:
        """The last dimension that is joined, counted from 1; None if there is none such."""
        count = len(shape) + 1
        return self.end_dim % count if -count <= self.end_dim < count else None

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        end = self._end(shape)
        if end is not None and self.start_dim <= end:
            return None
        return (
            f"start_dim {self.start_dim} to end_dim {self.end_dim} is no range of the dimensions 1 to {len(shape)} "
            "that arrive; use 1 to −1"
        )

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        last = len(inputs[0])
        yield SetValue("start_dim 1", "start_dim", 1)
        yield SetValue("end_dim −1", "end_dim", -1)
        yield SetValue(f"start_dim {last}", "start_dim", last)
        yield SetValue(f"end_dim {last}", "end_dim", last)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        if output != inputs[0] or len(output) > 1:
            return ()
        return (Remark("note", f"a flatten too many: {format_shape(output)} arrives flat already"),)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        start, end = self.start_dim - 1, self.end_dim % (len(shape) + 1)
        return (*shape[:start], math.prod(shape[start:end]), *shape[end:])

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        start, end = self.start_dim, self._end(inputs[0]) or 0
        return along(inputs[0], tuple(range(start, end + 1))) if end > start else POINTWISE

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return True

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        if len(output) != 1 or len(shape) != 3:
            return ()
        values = "·".join(str(size) for size in shape)
        return (Arithmetic("features", "C·H·W", values, output[0], "torch.nn.Flatten"),)


def flatten_before() -> InsertBefore:
    """The repair of a layer that wants a row of features."""
    return InsertBefore("flatten before", Flatten())


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Layer):
    """`torch.nn.Linear`: `(..., in_features)` to `(..., out_features)`."""

    category: ClassVar[Category] = Category.LINEAR
    summary: ClassVar[str] = "Every output is a weighted sum of all inputs."
    keywords: ClassVar[str] = "fully connected dense fc"

    in_features: int | None = follows(help="Features that arrive; follows the input unless fixed.")
    out_features: int = integer(help="Features that leave.", on_node=True)
    bias: bool = flag(True, help="Adds one learned value to each output.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Ten outputs, the classes of the smaller data sets."""
        return cls(out_features=10)

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if self.in_features is None or self.in_features == shape[-1]:
            return None
        suggestions: list[Suggestion] = []
        if len(shape) > 1 and math.prod(shape) == self.in_features:
            suggestions.append(flatten_before())
        suggestions += [
            SetValue("in_features follows the input", "in_features", None),
            SetValue(f"in_features {shape[-1]:,}", "in_features", shape[-1]),
        ]
        return Fault(
            f"in_features is fixed at {self.in_features:,}, but {format_shape(shape)} arrives; use {shape[-1]:,}",
            tuple(suggestions),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:-1], self.out_features)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        weights = inputs[0][-1] * self.out_features
        return weights + self.out_features if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return math.prod(inputs[0]) * self.out_features

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return along(inputs[0], (len(inputs[0]),))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("Linear", {**self.values(), "in_features": inputs[0][-1]})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        features, source = inputs[0][-1], "torch.nn.Linear"
        bias, added = (" + out", f" + {self.out_features}") if self.bias else ("", "")
        rows = "·".join(str(size) for size in inputs[0])
        return (
            Arithmetic(
                "parameters",
                f"in·out{bias}",
                f"{features}·{self.out_features}{added}",
                self.num_parameters(inputs),
                source,
            ),
            Arithmetic(
                "multiply-accumulates", "in·out", f"{rows}·{self.out_features}", self.macs(inputs, output), source
            ),
        )
