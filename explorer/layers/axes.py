"""Means and sums over whole dimensions of an image. Pooling over windows is `pooling`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import MOST_DIMS, Checked, along, listed
from explorer.layers.hyper_parameter import flag, integers
from explorer.layers.layer import Call, Category, OperatorCall, SetValue, Shape, Suggestion, Window, format_shape
from explorer.layers.registry import register


class _OverDims(Checked):
    """What mean and sum share."""

    __slots__ = ()

    category: ClassVar[Category] = Category.POOLING
    dims: tuple[int, ...]
    keepdim: bool

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Over height and width, or the last dimension."""
        if shape is None or len(shape) == 3:
            return cls()
        return cls().with_value("dims", (len(shape),)).with_value("keepdim", len(shape) == 1)

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        there = f"{format_shape(shape)} arrives, with " + (
            "dimension 1 only" if len(shape) == 1 else f"dimensions 1 to {len(shape)}"
        )
        if len(set(self.dims)) < len(self.dims):
            return f"dims {listed(self.dims)} name a dimension twice; use each once"
        if max(self.dims) > len(shape):
            return f"dims {listed(self.dims)} are not all there: {there}"
        if not self.keepdim and len(self.dims) == len(shape):
            # torch yields one number an image, a value without dimensions, which no layer reads.
            return f"dims {listed(self.dims)} leave no dimension: {there}; keep the dimensions, or name fewer"
        return None

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        count = len(inputs[0])
        yield SetValue("keepdim", "keepdim", True)
        there = tuple(dim for dim in dict.fromkeys(self.dims) if dim <= count)
        for dims in (there, tuple(range(2, count + 1)), (count,)):
            if dims:
                yield SetValue(f"dims {listed(dims)}", "dims", dims)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        sizes = enumerate(inputs[0], 1)
        if self.keepdim:
            return tuple(1 if dim in self.dims else size for dim, size in sizes)
        return tuple(size for dim, size in sizes if dim not in self.dims)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return along(inputs[0], self.dims)

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall(self.type_name.lower(), {"dim": self.dims, "keepdim": self.keepdim})


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(_OverDims):
    """`torch.mean` over `dims` of each image."""

    summary: ClassVar[str] = "Averages over whole dimensions; over height and width, one value a channel is left."
    menu_place: ClassVar[int] = 2
    keywords: ClassVar[str] = "global average pooling gap reduce squeeze"

    dims: tuple[int, ...] = integers(
        (2, 3), minimum=1, maximum=MOST_DIMS, help="Dimensions to average over; 2 and 3 are height and width."
    )
    keepdim: bool = flag(False, help="Keeps each of them, with size 1.")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(_OverDims):
    """`torch.sum` over `dims` of each image."""

    summary: ClassVar[str] = "Adds up over whole dimensions; over height and width, one value a channel is left."
    menu_place: ClassVar[int] = 2
    keywords: ClassVar[str] = "global sum pooling reduce"

    dims: tuple[int, ...] = integers(
        (2, 3), minimum=1, maximum=MOST_DIMS, help="Dimensions to add up over; 2 and 3 are height and width."
    )
    keepdim: bool = flag(False, help="Keeps each of them, with size 1.")
