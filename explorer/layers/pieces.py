"""Layers that take a part of their input: `Slice`, `Chunk`, `Split`. `pad` holds the one that adds to it.

Dimensions count the batch as 0. Each layer yields one piece: of all that `chunk` and `split` make, the one at `index`.
"""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import MOST_DIMS, Checked, listed, missing_dim
from explorer.layers.hyper_parameter import LARGEST, follows, integer, integers
from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    OperatorCall,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
)
from explorer.layers.registry import register

_DIM_HELP = "Dimension that is parted; 1 is the channels or features."


class _Piece(Checked):
    """What all share: a dimension of which a part is left, which is a view of the input."""

    __slots__ = ()

    category: ClassVar[Category] = Category.RESHAPE
    dim: int

    @abstractmethod
    def places(self, size: int) -> range:
        """Where the values that are left stood, on a dimension of `size`; may assume that nothing is wrong."""

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        (shape,) = inputs
        axis = self.dim - 1
        return (*shape[:axis], len(self.places(shape[axis])), *shape[axis + 1 :])

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        (shape,) = inputs
        if len(shape) != 3 or self.dim == 1:
            return POINTWISE
        places = self.places(shape[self.dim - 1])
        if self.dim == 2:
            return Window((1, 1), (places.step, 1), (-places.start, 0), (1, 1))
        return Window((1, 1), (1, places.step), (0, -places.start), (1, 1))

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return True

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall(self.type_name.lower(), self.values())

    def _other_dims(self, shape: Shape) -> Iterable[SetValue]:
        for dim in range(1, len(shape) + 1):
            yield SetValue(f"dim {dim}", "dim", dim)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(_Piece):
    """`x[:, start:stop:step]` along `dim`, with Python's rules: negative places count from the end."""

    summary: ClassVar[str] = "Takes a range of one dimension: some channels, every second row, a crop."
    keywords: ClassVar[str] = "index crop subsample narrow select"

    dim: int = integer(1, maximum=MOST_DIMS, help="Dimension that is cut; 1 is the channels or features.")
    start: int = integer(0, minimum=-LARGEST, help="First place that is taken; negative ones count from the end.")
    stop: int | None = follows(
        minimum=-LARGEST, help="First place that is no longer taken; following the input, the end."
    )
    step: int = integer(1, help="Places from one that is taken to the next.")

    def places(self, size: int) -> range:
        return range(size)[self.start : self.stop : self.step]

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if reason := missing_dim(self.dim, shape):
            return reason
        size = shape[self.dim - 1]
        if self.places(size):
            return None
        # torch returns a tensor without values, which every other layer refuses or ignores.
        stop = "the end" if self.stop is None else str(self.stop)
        return f"{self.start} to {stop} holds none of the {size} places of dimension {self.dim}, 0 to {size - 1}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        (shape,) = inputs
        if self.dim > len(shape):
            yield from self._other_dims(shape)
            return
        size = shape[self.dim - 1]
        yield SetValue("stop at the end", "stop", None)
        yield SetValue("start 0", "start", 0)
        yield SetValue(f"start {size - 1}", "start", size - 1)
        first = max(0, self.start + size if self.start < 0 else self.start)
        yield SetValue(f"stop {first + 1}", "stop", first + 1)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        size = inputs[0][self.dim - 1]
        start, stop, step = slice(self.start, self.stop, self.step).indices(size)
        values = f"⌈({stop} − {start}) / {step}⌉"
        result = output[self.dim - 1]
        source = "Python's slices"
        return (Arithmetic(f"dimension {self.dim}", "⌈(stop − start) / step⌉", values, result, source),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(_Piece):
    """One piece of `torch.chunk`: pieces of one size, the last maybe smaller, maybe fewer than asked for."""

    summary: ClassVar[str] = "Parts a dimension into equal pieces and takes one."
    keywords: ClassVar[str] = "part divide branch"

    chunks: int = integer(2, help="Pieces to part it into.")
    index: int = integer(0, minimum=0, help="Piece that is taken, counted from 0.")
    dim: int = integer(1, maximum=MOST_DIMS, help=_DIM_HELP)

    def count(self, size: int) -> int:
        """The pieces that torch makes of a dimension of `size`."""
        return -(-size // -(-size // self.chunks))

    def places(self, size: int) -> range:
        each = -(-size // self.chunks)
        return range(size)[self.index * each : (self.index + 1) * each]

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if reason := missing_dim(self.dim, shape):
            return reason
        size = shape[self.dim - 1]
        count = self.count(size)
        if self.index < count:
            return None
        made = f"the {size} places of dimension {self.dim} make {count} of {-(-size // self.chunks)}"
        return f"index {self.index} is not among the chunks: {made}; use at most {count - 1}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        (shape,) = inputs
        if self.dim > len(shape):
            yield from self._other_dims(shape)
            yield SetValue("index 0", "index", 0)
            return
        size = shape[self.dim - 1]
        last = self.count(size) - 1
        yield SetValue(f"index {last}", "index", last)
        if self.index < size:
            enough = next(
                chunks for chunks in range(self.index + 1, size + 1) if -(-size // -(-size // chunks)) > self.index
            )
            yield SetValue(f"chunks {enough}", "chunks", enough)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        size = inputs[0][self.dim - 1]
        count = self.count(size)
        if count == self.chunks:
            return ()
        message = f"torch makes {count} chunks of the {size} places, not {self.chunks}"
        return (Remark("note", message, (SetValue(f"chunks {count}", "chunks", count),)),)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        size, result = inputs[0][self.dim - 1], output[self.dim - 1]
        each, source = -(-size // self.chunks), "torch.chunk"
        if result == each:
            return (
                Arithmetic(f"dimension {self.dim}", "⌈size / chunks⌉", f"⌈{size} / {self.chunks}⌉", result, source),
            )
        values = f"{size} − {self.index}·⌈{size} / {self.chunks}⌉"
        return (Arithmetic(f"dimension {self.dim}", "size − index·⌈size / chunks⌉", values, result, source),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Split(_Piece):
    """One piece of `torch.split`: pieces of the given sizes, or all of one size."""

    summary: ClassVar[str] = "Parts a dimension into pieces of given sizes and takes one."
    keywords: ClassVar[str] = "part divide branch"

    sizes: tuple[int, ...] = integers(minimum=1, help="Size of each piece; one number is the size of all.")
    index: int = integer(0, minimum=0, help="Piece that is taken, counted from 0.")
    dim: int = integer(1, maximum=MOST_DIMS, help=_DIM_HELP)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """The first half."""
        return cls(sizes=(1 if shape is None else -(-shape[0] // 2),))

    def _pieces(self, size: int) -> int:
        return len(self.sizes) if len(self.sizes) > 1 else -(-size // self.sizes[0])

    def places(self, size: int) -> range:
        if len(self.sizes) > 1:
            start = sum(self.sizes[: self.index])
            return range(size)[start : start + self.sizes[self.index]]
        return range(size)[self.index * self.sizes[0] : (self.index + 1) * self.sizes[0]]

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if reason := missing_dim(self.dim, shape):
            return reason
        size = shape[self.dim - 1]
        if len(self.sizes) > 1 and sum(self.sizes) != size:
            return f"sizes {listed(self.sizes)} add up to {sum(self.sizes)}, but dimension {self.dim} has {size} places"
        count = self._pieces(size)
        if self.index < count:
            return None
        return f"index {self.index} is not among the pieces: there are {count}; use at most {count - 1}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        (shape,) = inputs
        if self.dim > len(shape):
            yield from self._other_dims(shape)
            yield SetValue("index 0", "index", 0)
            return
        size = shape[self.dim - 1]
        last = self._pieces(size) - 1
        yield SetValue(f"index {last}", "index", last)
        if len(self.sizes) > 1:
            rest = self.sizes[:-1]
            fitted = (*rest, size - sum(rest))
            yield SetValue(f"sizes {listed(fitted)}", "sizes", fitted)
            for i in range(len(rest)):
                others = sum(self.sizes) - self.sizes[i]
                fitted = (*self.sizes[:i], size - others, *self.sizes[i + 1 :])
                yield SetValue(f"sizes {listed(fitted)}", "sizes", fitted)
        for count in (len(self.sizes), self.index + 1):
            each = -(-size // count)
            yield SetValue(f"pieces of {each}", "sizes", (each,))
        if size > self.index:
            yield SetValue("pieces of 1", "sizes", (1,))
        yield SetValue(f"one piece of {size}", "sizes", (size,))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        sizes = self.sizes if len(self.sizes) > 1 else self.sizes[0]
        return OperatorCall("split", {"split_size_or_sections": sizes, "dim": self.dim, "index": self.index})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        size, result = inputs[0][self.dim - 1], output[self.dim - 1]
        if len(self.sizes) > 1:
            formula, values = "size of the piece", str(result)
        else:
            formula = "min(piece, size − index·piece)"
            values = f"min({self.sizes[0]}, {size} − {self.index}·{self.sizes[0]})"
        return (Arithmetic(f"dimension {self.dim}", formula, values, result, "torch.split"),)
