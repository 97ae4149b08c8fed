"""Layers whose faults come with repairs that were tried: a suggestion that leaves the fault is never made."""

import re
from abc import abstractmethod
from collections.abc import Iterable

from explorer.layers.layer import POINTWISE, Fault, Layer, SetValue, Shape, Suggestion, Window, format_shape

MOST_DIMS = 5
"""Dimensions that a value may have, the batch aside: maps, and what splits their channels into groups."""
_MOST = 4  # a menu of repairs stays readable


class Checked(Layer):
    """A layer that says what is wrong and what might mend it apart, so that the second can be held against the first.

    Subclasses give `wrong` and `candidates` instead of `fault`.
    """

    __slots__ = ()

    @abstractmethod
    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        """Why torch would refuse these inputs and what would fit, or None."""

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        """What might mend it, best first; may assume that `wrong` returned a reason."""
        return ()

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        message = self.wrong(inputs)
        if message is None:
            return None
        candidates = dict.fromkeys(self.candidates(inputs))
        then = {candidate: self._then_wrong(inputs, candidate) for candidate in candidates}
        mending = [candidate for candidate in candidates if then[candidate] is None]
        # Where two things are wrong at once, what mends the one that is told still leads on.
        mending = mending or [c for c in candidates if _without_numbers(then[c]) != _without_numbers(message)]
        return Fault(message, tuple(mending[:_MOST]))

    def _then_wrong(self, inputs: tuple[Shape, ...], suggestion: Suggestion) -> str | None:
        """What would still be wrong behind a suggestion."""
        if isinstance(suggestion, SetValue):
            try:
                return self.with_value(suggestion.name, suggestion.value).wrong(inputs)
            except ValueError:  # out of the hyper-parameter's range
                return self.wrong(inputs)
        arriving = inputs[suggestion.port]
        if suggestion.layer.fault((arriving,)) is not None:
            return self.wrong(inputs)
        between = suggestion.layer.output_shape((arriving,))
        return self.wrong((*inputs[: suggestion.port], between, *inputs[suggestion.port + 1 :]))


def _without_numbers(message: str | None) -> str:
    return re.sub(r"[\d,×−]+", "", message or "")


def missing_dim(dim: int, shape: Shape, name: str = "dim") -> str | None:
    """A reason where `shape`, whose first dimension counts as 1, has no dimension `dim`."""
    if dim <= len(shape):
        return None
    there = "only dimension 1" if len(shape) == 1 else f"dimensions 1 to {len(shape)}"
    return f"{name} {dim} is not there: {format_shape(shape)} arrives, which has {there}; use at most {len(shape)}"


def not_maps(type_name: str, shape: Shape) -> str | None:
    """A reason unless `shape` is (C, H, W)."""
    if len(shape) == 3:
        return None
    return f"{type_name} works on feature maps C×H×W; received {format_shape(shape)}"


def nearest_divisors(number: int, wanted: int, count: int = 3) -> list[int]:
    """Numbers that divide `number`, nearest to `wanted` first."""
    dividing = {d for i in range(1, int(number**0.5) + 1) if number % i == 0 for d in (i, number // i)}
    return sorted(dividing, key=lambda d: (abs(d - wanted), d))[:count]


def along(shape: Shape, dims: tuple[int, ...]) -> Window:
    """The window of an output that reads all of `dims` of a `shape` whose first dimension counts as 1."""
    if len(shape) != 3 or not {2, 3} & set(dims):
        return POINTWISE
    rows, columns = 2 in dims, 3 in dims
    size = (shape[1] if rows else 1, shape[2] if columns else 1)
    return Window(size, (1, 1), (0, 0), (1, 1), (rows, columns))


def listed(sizes: tuple[int, ...]) -> str:
    """Numbers in a row: "16, −1"."""
    return ", ".join(str(size).replace("-", "−") for size in sizes)
