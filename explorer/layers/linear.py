"""Fully connected layers, and the flatten before them."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    Fault,
    InsertBefore,
    Layer,
    ModuleCall,
    SetValue,
    Shape,
    Suggestion,
    Window,
    flag,
    follows,
    format_shape,
    integer,
    whole,
)
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten(Layer):
    """`torch.nn.Flatten`: dimensions `start_dim` to `end_dim` become one; `(C, H, W)` to `(C·H·W,)` by default."""

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Lays the maps out as one row of features."

    start_dim: int = integer(1, minimum=1, maximum=3, help="First dimension to join; 1 is the channels.")
    end_dim: int = integer(-1, minimum=-3, maximum=3, help="Last dimension to join; −1 is the last one.")

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        count = len(inputs[0]) + 1
        end = self.end_dim % count if -count <= self.end_dim < count else None
        if self.start_dim < count and end is not None and end >= self.start_dim:
            return None
        return Fault(
            f"start_dim {self.start_dim} to end_dim {self.end_dim} is no range of the dimensions 1 to {count - 1} "
            "that arrive; use 1 to −1",
            (SetValue("start_dim 1", "start_dim", 1), SetValue("end_dim −1", "end_dim", -1)),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        start, end = self.start_dim - 1, (self.end_dim % (len(shape) + 1)) - 1
        return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return whole(inputs[0])

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        if len(output) != 1 or len(shape) != 3:
            return ()
        values = "·".join(str(size) for size in shape)
        return (Arithmetic("features", "C·H·W", values, output[0], "torch.nn.Flatten"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Layer):
    """`torch.nn.Linear`: `(..., in_features)` to `(..., out_features)`."""

    category: ClassVar[Category] = Category.LINEAR
    summary: ClassVar[str] = "Every output is a weighted sum of all inputs."

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
            suggestions.append(InsertBefore("flatten before", Flatten()))
        suggestions += [
            SetValue("in_features follows the input", "in_features", None),
            SetValue(f"in_features {shape[-1]:,}", "in_features", shape[-1]),
        ]
        return Fault(
            f"in_features is fixed at {self.in_features:,}, but {format_shape(shape)} arrives; use {shape[-1]:,}",
            tuple(suggestions),
        )

    def warning(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if len(shape) == 1:
            return None
        return Fault(
            f"{format_shape(shape)} arrives unflattened: the layer acts on the last dimension ({shape[-1]}) alone, "
            f"not on all {math.prod(shape):,} values",
            (InsertBefore("flatten before", Flatten()),),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:-1], self.out_features)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        weights = inputs[0][-1] * self.out_features
        return weights + self.out_features if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return math.prod(inputs[0]) * self.out_features

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        # On (C, H, W) the layer mixes one row; the bound by the whole map stays true and simple.
        return whole(inputs[0]) if len(inputs[0]) > 1 else POINTWISE

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
