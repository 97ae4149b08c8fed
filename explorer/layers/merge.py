"""Layers that join branches.

What would bring unlike branches together needs their names and places: `explorer.inference.branches` offers it.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.hyper_parameter import integer
from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    Fault,
    Kept,
    Layer,
    OperatorCall,
    SetValue,
    Shape,
    Window,
    format_shape,
)
from explorer.layers.registry import register

_BROADCASTING = "torch: broadcasting semantics"


class _Elementwise(Layer):
    """What Add, Sub and Mul share: values meet at the same place, and a size of 1 is repeated.

    torch lines up dimensions from the last one, so that branches with unlike numbers of them would meet across the
    batch; that is refused here even where the sizes happen to fit.
    """

    __slots__ = ()

    category: ClassVar[Category] = Category.MERGE
    min_inputs: ClassVar[int] = 2
    max_inputs: ClassVar[int | None] = None

    operator: ClassVar[str]
    """The name of its `OperatorCall`."""
    verb: ClassVar[str]
    """What it does to its inputs, for messages."""

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        if len({len(shape) for shape in inputs}) > 1:
            return Fault(
                f"cannot {self.verb} {_listed(inputs)}: they have unlike dimensions; flatten or pool one of them"
            )
        for sizes in zip(*inputs, strict=True):
            if len(set(sizes) - {1}) > 1:
                return Fault(f"cannot {self.verb} {_listed(inputs)}: each size must agree or be 1; use one shape")
        return None

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first = inputs[0]
        if all(shape == first for shape in inputs):
            return first
        return tuple(max(sizes) for sizes in zip(*inputs, strict=True))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall(self.operator, {})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        lines = []
        for dim, sizes in enumerate(zip(*inputs, strict=True), start=1):
            if len(set(sizes)) > 1:
                values = f"max({', '.join(str(size) for size in sizes)})"
                lines.append(Arithmetic(f"dimension {dim}", "max over the inputs", values, max(sizes), _BROADCASTING))
        return tuple(lines)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Add(_Elementwise):
    """The sum of its inputs, broadcast as torch does: sizes agree or are 1."""

    summary: ClassVar[str] = "Adds its inputs value by value, as a residual block does."
    operator: ClassVar[str] = "add"
    verb: ClassVar[str] = "add"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sub(_Elementwise):
    """Its first input minus all others, broadcast as torch does: sizes agree or are 1."""

    summary: ClassVar[str] = "Subtracts all further inputs from the first, value by value."
    operator: ClassVar[str] = "sub"
    verb: ClassVar[str] = "subtract"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Mul(_Elementwise):
    """The product of its inputs, broadcast as torch does: sizes agree or are 1.

    `(C, H, W)` times `(C, 1, 1)` scales each channel, as squeeze-and-excitation does (Hu, Shen and Sun 2018, 3.2).
    """

    summary: ClassVar[str] = "Multiplies its inputs value by value, as squeeze-and-excitation scales channels."
    operator: ClassVar[str] = "mul"
    verb: ClassVar[str] = "multiply"

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # Each factor's gradient is the other factor: all inputs stay, and the products on the way to the last one.
        values, product = 0, inputs[0]
        for shape in inputs[1:-1]:
            product = tuple(max(sizes) for sizes in zip(product, shape, strict=True))
            values += math.prod(product)
        return Kept(inputs=tuple(range(len(inputs))), values=values)


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
        counts = {len(shape) for shape in inputs}
        if len(counts) > 1:
            return Fault(f"cannot concatenate {_listed(inputs)}: they have unlike dimensions; flatten or pool one")
        fitting = [dim for dim in range(1, len(inputs[0]) + 1) if _agree_but(inputs, dim)]
        suggestions = tuple(SetValue(f"dim {dim}", "dim", dim) for dim in fitting)
        if self.dim > len(inputs[0]):
            there = f"dimensions 1 to {len(inputs[0])} arrive" if len(inputs[0]) > 1 else "dimension 1 alone arrives"
            return Fault(f"dim {self.dim} is not there: {there}; use {fitting[0] if fitting else 1}", suggestions)
        if self.dim in fitting:
            return None
        use = f"; use dim {fitting[0]}" if fitting else ""
        return Fault(
            f"cannot concatenate {_listed(inputs)}: all sizes but dimension {self.dim}'s must agree{use}", suggestions
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        first, axis = inputs[0], self.dim - 1
        return (*first[:axis], sum(shape[axis] for shape in inputs), *first[axis + 1 :])

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        if len(inputs[0]) != 3 or self.dim == 1:
            return POINTWISE
        # From the second input on places are shifted, which one window cannot say: all of the axis bounds it.
        size = max(shape[self.dim - 1] for shape in inputs)
        if self.dim == 2:
            return Window((size, 1), (1, 1), (0, 0), (1, 1), (True, False))
        return Window((1, size), (1, 1), (0, 0), (1, 1), (False, True))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("cat", {"dim": self.dim})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        axis = self.dim - 1
        values = " + ".join(str(shape[axis]) for shape in inputs)
        return (Arithmetic(f"dimension {self.dim}", "sum over the inputs", values, output[axis], "torch.cat"),)


def _agree_but(shapes: tuple[Shape, ...], dim: int) -> bool:
    """Whether all sizes but those of one dimension (the batch is 0) are alike."""
    first = shapes[0]
    return all(shape[: dim - 1] == first[: dim - 1] and shape[dim:] == first[dim:] for shape in shapes[1:])


def _listed(inputs: tuple[Shape, ...]) -> str:
    return " and ".join(format_shape(shape) for shape in inputs)
