"""Layers that join branches."""

from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.layer import Arithmetic, Call, Category, Fault, Layer, OperatorCall, Shape, format_shape, integer
from explorer.layers.registry import register


def _listed(inputs: tuple[Shape, ...]) -> str:
    return " and ".join(format_shape(shape) for shape in inputs)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Layer):
    """The sum of its inputs, broadcast as torch does: sizes agree or are 1."""

    category: ClassVar[Category] = Category.MERGE
    summary: ClassVar[str] = "Adds its inputs value by value, as a residual block does."
    min_inputs: ClassVar[int] = 2
    max_inputs: ClassVar[int | None] = None

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        if len({len(shape) for shape in inputs}) > 1:
            return Fault(f"cannot add {_listed(inputs)}: they have unlike dimensions; flatten or pool one of them")
        for sizes in zip(*inputs, strict=True):
            if len(set(sizes) - {1}) > 1:
                return Fault(f"cannot add {_listed(inputs)}: sizes must agree; use inputs of one shape")
        return None

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        if all(shape == inputs[0] for shape in inputs):
            return inputs[0]
        return tuple(max(sizes) for sizes in zip(*inputs, strict=True))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("add", {})


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Concat(Layer):
    """`torch.cat` of its inputs, over the channels or features unless `dim` says otherwise."""

    category: ClassVar[Category] = Category.MERGE
    summary: ClassVar[str] = "Stacks its inputs' channels, as an Inception block does."
    min_inputs: ClassVar[int] = 2
    max_inputs: ClassVar[int | None] = None

    dim: int = integer(1, minimum=1, maximum=3, help="Dimension to stack along; 1 is the channels or features.")

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        if len({len(shape) for shape in inputs}) > 1:
            return Fault(f"cannot concatenate {_listed(inputs)}: they have unlike dimensions; flatten or pool one")
        if self.dim > len(inputs[0]):
            return Fault(f"dim {self.dim} is not there: dimensions 1 to {len(inputs[0])} arrive; use 1")
        rest = {shape[: self.dim - 1] + shape[self.dim :] for shape in inputs}
        if len(rest) > 1:
            return Fault(f"cannot concatenate {_listed(inputs)}: all sizes but dimension {self.dim}'s must agree")
        return None

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first, axis = inputs[0], self.dim - 1
        return (*first[:axis], sum(shape[axis] for shape in inputs), *first[axis + 1 :])

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("cat", {"dim": self.dim})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        axis = self.dim - 1
        values = " + ".join(str(shape[axis]) for shape in inputs)
        return (Arithmetic(f"dimension {self.dim}", "sum over the inputs", values, output[axis], "torch.cat"),)
