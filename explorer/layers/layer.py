"""What a layer is: hyper-parameters, shape, counts, window and torch call, each said once by one class.

The window's forms, inference, the built `nn.Module`, the exported source and the file format all read what is declared
here. A layer knows its own inputs' shapes only; what follows from the whole graph lives in `explorer.inference`.
Shapes are tuples without the batch dimension: `(C, H, W)` for feature maps, `(features,)` after a flatten.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Self

Shape = tuple[int, ...]
Pair = tuple[int, int]


class Category(StrEnum):
    """The kinds of layers; each has one colour everywhere on screen."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    POOLING = "pooling"
    ACTIVATION = "activation"
    NORMALIZATION = "normalization"
    REGULARIZATION = "regularization"
    LINEAR = "linear"
    RESHAPE = "reshape"
    MERGE = "merge"


class Kind(StrEnum):
    """The type of a hyper-parameter, which decides its editor, its check and its form in a file."""

    INTEGER = "integer"
    PAIR = "pair"
    """Two integers, height first; edited together unless the user splits them."""
    FOLLOWS = "follows"
    """An integer, or None to follow the input."""
    REAL = "real"
    FLAG = "flag"


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
        raise ValueError(f"{owner}: {self.name} received {value!r}; use {self.range_text()}")

    def range_text(self) -> str:
        """What would fit, in words: "a whole number from 1 to 4,096"."""
        what = {
            Kind.FLAG: "true or false",
            Kind.INTEGER: "a whole number",
            Kind.FOLLOWS: "a whole number (null follows the input)",
            Kind.REAL: "a number",
            Kind.PAIR: "a whole number, or two for height and width,",
        }[self.kind]
        if self.minimum is not None and self.maximum is not None:
            return f"{what} from {self.minimum:,} to {self.maximum:,}"
        if self.minimum is not None:
            return f"{what} of at least {self.minimum:,}"
        return what

    def _is_whole(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self._in_range(value)

    def _in_range(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


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


def follows(*, help: str) -> Any:
    """A size that follows the input (None) unless the user fixes it."""
    return _field(Kind.FOLLOWS, None, 1, LARGEST, help=help)


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


class ModuleCall(NamedTuple):
    """A torch call as plain data: `torch.nn.<name>(**arguments)`, whose module takes the node's inputs."""

    name: str
    arguments: Mapping[str, object]


class OperatorCall(NamedTuple):
    """A torch operation without state on the node's inputs: "add" or "cat" with its keyword arguments."""

    name: str
    arguments: Mapping[str, object]


Call = ModuleCall | OperatorCall


class Window(NamedTuple):
    """What one output pixel reads, on (height, width): the receptive field follows from it."""

    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


POINTWISE = Window((1, 1), (1, 1), (0, 0), (1, 1))
"""Each output pixel reads the pixel at its own place."""


def whole(shape: Shape) -> Window:
    """The window of an output that reads all of an input of `shape`."""
    return Window((shape[1], shape[2]), (1, 1), (0, 0), (1, 1)) if len(shape) == 3 else POINTWISE


class SetValue(NamedTuple):
    """A suggestion: give this layer's hyper-parameter another value."""

    text: str
    name: str
    value: object


class InsertBefore(NamedTuple):
    """A suggestion: put a layer before this one, on input `port`."""

    text: str
    layer: "Layer"
    port: int = 0


Suggestion = SetValue | InsertBefore


class Fault(NamedTuple):
    """Why a layer cannot take its inputs (or, as a warning, takes them but not as meant), and what would fit."""

    message: str
    suggestions: tuple[Suggestion, ...] = ()


class Arithmetic(NamedTuple):
    """A number of a layer with its calculation written out, values filled in."""

    what: str
    """What the number is: "output height", "parameters"."""
    formula: str
    """The general form: "⌊(H + 2p − d(k − 1) − 1) / s⌋ + 1"."""
    values: str
    """The same with the actual values: "⌊(32 + 2·0 − 1·(5 − 1) − 1) / 1⌋ + 1"."""
    result: int
    source: str
    """Where the formula comes from: torch's documentation, or a paper and section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer's hyper-parameters, and everything that follows from them and the inputs' shapes.

    Subclasses declare their hyper-parameters as dataclass fields (`pair`, `integer`, `follows`, ...) and override the
    methods that differ from "pointwise, no parameters". All methods but `fault` may assume that `fault` returned None.
    """

    category: ClassVar[Category]
    summary: ClassVar[str]
    """One sentence on what the layer does."""
    min_inputs: ClassVar[int] = 1
    max_inputs: ClassVar[int | None] = 1
    """None where any number of inputs may arrive."""
    hyper_parameters: ClassVar[tuple[HyperParameter, ...]] = ()
    """Filled in by `registry.register` from the fields."""

    def __post_init__(self) -> None:
        for parameter in self.hyper_parameters:
            received = getattr(self, parameter.name)
            value = parameter.check(received, type(self).__name__)
            if value is not received:
                object.__setattr__(self, parameter.name, value)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """A layer of this type that fits an input of `shape` (None: unknown), for one that is just being added."""
        return cls()

    @property
    def type_name(self) -> str:
        """The layer's name in menus, files and, where torch has it, in torch."""
        return type(self).__name__

    def with_value(self, name: str, value: object) -> Self:
        """The same layer with one hyper-parameter changed.

        Raises:
            ValueError: no such hyper-parameter, or a value out of its range.
        """
        if name not in {parameter.name for parameter in self.hyper_parameters}:
            known = ", ".join(parameter.name for parameter in self.hyper_parameters) or "none"
            raise ValueError(f"{self.type_name} has no hyper-parameter {name!r}; it has {known}")
        return dataclasses.replace(self, **{name: value})

    def values(self) -> dict[str, object]:
        """The hyper-parameters by name, in declaration order."""
        return {parameter.name: getattr(self, parameter.name) for parameter in self.hyper_parameters}

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        """Why torch would refuse these inputs, or None."""
        return None

    def warning(self, inputs: tuple[Shape, ...]) -> Fault | None:
        """What torch accepts but the user hardly means, or None."""
        return None

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The output's shape, without the batch."""
        return inputs[0]

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        """Trainable values."""
        return 0

    def num_buffers(self, inputs: tuple[Shape, ...]) -> int:
        """Stored values that are not trained (running statistics; torch's batch counter is not counted)."""
        return 0

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiply-accumulates of convolution and linear weights for one image."""
        return 0

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        """What one output pixel reads."""
        return POINTWISE

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        """The torch call that computes this layer, with what follows the input filled in."""
        return ModuleCall(self.type_name, self.values())

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        """The layer's numbers written out."""
        return ()


def format_shape(shape: Shape) -> str:
    """A shape as the screen shows it: "6×28×28"."""
    return "×".join(str(size) for size in shape)
