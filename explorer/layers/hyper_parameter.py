"""Hyper-parameters: their kinds, their checks, and the fields with which a layer's class declares them."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
"""(top, bottom, left, right)."""
Padding = Pair | Sides | str
"""(height, width) where opposite sides agree, else one a side; or "valid" (none), or "same" (as TensorFlow pads)."""


class Kind(StrEnum):
    """The type of a hyper-parameter, which decides its editor, its check and its form in a file."""

    INTEGER = "integer"
    PAIR = "pair"
    """Two integers, height first; edited together unless the user splits them."""
    FOLLOWS = "follows"
    """An integer, or None to follow the input."""
    REAL = "real"
    FLAG = "flag"
    CHOICE = "choice"
    """One of a few words."""
    PADDING = "padding"
    """Two integers, four (top, bottom, left, right; negative ones crop), "valid" or "same"."""
    INTEGERS = "integers"
    """A row of integers: dimensions, sizes."""
    CONNECTIONS = "connections"
    """For each output channel, the input channels that it reads, counted from 0."""
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperParameter:
    """One argument of a layer, as forms, checks and files need it."""

    name: str
    kind: Kind
    default: object
    minimum: float | None
    maximum: float | None
    step: float
    help: str
    on_node: bool
    """Whether the canvas shows a stepper for it on the node itself."""
    options: tuple[str, ...] = ()
    """The words of a CHOICE."""

    @property
    def required(self) -> bool:
        """Whether a layer cannot be made without a value for it."""
        return self.default is None and self.kind is not Kind.FOLLOWS

    def check(self, value: object, owner: str) -> object:
        """The value in its canonical form (lists become pairs, whole floats of REAL stay floats).

        Raises:
            ValueError: of the wrong type or out of range; says who, what was received and what would fit.
        """
        match self.kind:
            case Kind.FLAG:
                if isinstance(value, bool):
                    return value
            case Kind.INTEGER | Kind.FOLLOWS:
                if value is None and self.kind is Kind.FOLLOWS:
                    return None
                if self._is_whole(value):
                    return value
            case Kind.REAL:
                if isinstance(value, (int, float)) and not isinstance(value, bool) and self._in_range(value):
                    return float(value)
            case Kind.PAIR:
                if self._is_whole(value):
                    return (value, value)
                if isinstance(value, (list, tuple)) and len(value) == 2 and all(self._is_whole(v) for v in value):
                    return tuple(value)
            case Kind.CHOICE:
                if value in self.options:
                    return value
            case Kind.TEXT:
                if isinstance(value, str):
                    return value
            case Kind.INTEGERS:
                if isinstance(value, (list, tuple)) and value and all(self._is_whole(v) for v in value):
                    return tuple(value)
            case Kind.PADDING:
                if (padding := _padding(value)) is not None:
                    return padding
            case Kind.CONNECTIONS:
                if (connections := _connections(value)) is not None:
                    return connections
        raise ValueError(f"{owner}: {self.name} received {value!r}; use {self.range_text()}")

    def range_text(self) -> str:
        """What would fit, in words: "a whole number from 1 to 4,096"."""
        what = {
            Kind.FLAG: "true or false",
            Kind.INTEGER: "a whole number",
            Kind.FOLLOWS: "a whole number (null follows the input)",
            Kind.REAL: "a number",
            Kind.PAIR: "a whole number, or two for height and width,",
            Kind.CHOICE: " or ".join(self.options),
            Kind.TEXT: "text",
            Kind.INTEGERS: "whole numbers, each",
            Kind.PADDING: "a whole number, two (height, width), four (top, bottom, left, right), same or valid",
            Kind.CONNECTIONS: "for each output channel the input channels that it reads, counted from 0",
        }[self.kind]
        if self.kind in {Kind.PADDING, Kind.CONNECTIONS}:
            return what
        if self.minimum is not None and self.maximum is not None:
            return f"{what} from {self.minimum:,} to {self.maximum:,}"
        if self.minimum is not None:
            return f"{what} of at least {self.minimum:,}"
        return what

    def _is_whole(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)

    def _in_range(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def _padding(value: object) -> Padding | None:
    """The canonical form: two numbers where opposite sides agree and none is negative, else four; or None."""
    if value in ("same", "valid"):
        return str(value)
    sides: tuple[object, ...]
    if isinstance(value, (list, tuple)):
        sides = (value[0], value[0], value[1], value[1]) if len(value) == 2 else tuple(value)
    else:
        sides = (value,) * 4
    if len(sides) != 4 or not all(
        isinstance(side, int) and not isinstance(side, bool) and abs(side) <= LARGEST for side in sides
    ):
        return None
    top, bottom, left, right = (int(str(side)) for side in sides)
    if top == bottom >= 0 and left == right >= 0:
        return (top, left)
    return (top, bottom, left, right)


def _connections(value: object) -> tuple[tuple[int, ...], ...] | None:
    """Sorted rows of distinct, whole, non-negative numbers; None if it is something else."""
    if not isinstance(value, (list, tuple)) or not value:
        return None
    rows = []
    for row in value:
        if not isinstance(row, (list, tuple)) or not row or len(set(row)) < len(row):
            return None
        if not all(isinstance(i, int) and not isinstance(i, bool) and 0 <= i <= LARGEST for i in row):
            return None
        rows.append(tuple(sorted(row)))
    return tuple(rows)


LARGEST = 1_000_000
"""No size or count of one layer exceeds this; a slip of the keyboard stays an answerable question."""


def _field(kind: Kind, default: Any, minimum: float | None, maximum: float | None, **more: Any) -> Any:
    details = {"kind": kind, "minimum": minimum, "maximum": maximum, "step": 1, "on_node": False, **more}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=details)
    return dataclasses.field(default=default, metadata=details)


def integer(
    default: Any = dataclasses.MISSING,
    *,
    minimum: int = 1,
    maximum: int = LARGEST,
    help: str,
    on_node: bool = False,
) -> Any:
    """A whole number."""
    return _field(Kind.INTEGER, default, minimum, maximum, help=help, on_node=on_node)


def pair(
    default: Any = dataclasses.MISSING,
    *,
    minimum: int = 1,
    maximum: int = LARGEST,
    help: str,
    on_node: bool = False,
) -> Any:
    """A (height, width) pair of whole numbers."""
    return _field(Kind.PAIR, default, minimum, maximum, help=help, on_node=on_node)


def follows(default: int | None = None, *, minimum: int = 1, help: str) -> Any:
    """A size that follows the input (None) unless the user fixes it."""
    return _field(Kind.FOLLOWS, default, minimum, LARGEST, help=help)


def real(
    default: float,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float,
    help: str,
) -> Any:
    """A real number."""
    return _field(Kind.REAL, default, minimum, maximum, step=step, help=help)


def flag(default: bool, *, help: str) -> Any:
    """Yes or no."""
    return _field(Kind.FLAG, default, None, None, help=help)


def choice(default: str, options: tuple[str, ...], *, help: str) -> Any:
    """One of a few words."""
    return _field(Kind.CHOICE, default, None, None, options=options, help=help)


def text(default: Any = dataclasses.MISSING, *, help: str) -> Any:
    """A line of text."""
    return _field(Kind.TEXT, default, None, None, help=help)


def integers(default: Any = dataclasses.MISSING, *, minimum: int = -LARGEST, maximum: int = LARGEST, help: str) -> Any:
    """A row of whole numbers, at least one."""
    return _field(Kind.INTEGERS, default, minimum, maximum, help=help)


def padding(default: Padding = (0, 0), *, help: str, on_node: bool = False) -> Any:
    """What is added around the maps."""
    return _field(Kind.PADDING, default, 0, LARGEST, help=help, on_node=on_node)


def connections(*, help: str) -> Any:
    """Which input channels each output channel reads."""
    return _field(Kind.CONNECTIONS, dataclasses.MISSING, None, None, help=help)
