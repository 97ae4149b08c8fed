"""What a layer is: hyper-parameters, shape, counts, window and torch call, each said once by one class.

The window's forms, inference, the built `nn.Module`, the exported source and the file format all read what is declared
here. A layer knows its own inputs' shapes only; what follows from the whole graph lives in `explorer.inference`.
Shapes are tuples without the batch dimension: `(C, H, W)` for feature maps, `(features,)` after a flatten.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, Self

Shape = tuple[int, ...]
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
"""(top, bottom, left, right)."""
Padding = Pair | Sides | str
"""(height, width) where opposite sides agree, else one a side; or "valid" (none), or "same" (as TensorFlow pads)."""
Ratio = int | Fraction
"""A distance in pixels, which is a fraction behind layers that make more pixels than they read."""


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
    OTHER = "other"


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


class ModuleCall(NamedTuple):
    """A torch call as plain data: `torch.nn.<name>(**arguments)`, whose module takes the node's inputs."""

    name: str
    arguments: Mapping[str, object]
    is_own: bool = False
    """Whether it is one of `explorer.runtime.own_modules`, which exported source brings along."""


class OperatorCall(NamedTuple):
    """A torch operation without state on the node's inputs, with its keyword arguments.

    `runtime.operators` computes it and `export.calls` writes it down. Dimensions count the batch as 0, as torch's do.
    """

    name: str
    arguments: Mapping[str, object]


Call = ModuleCall | OperatorCall


class Window(NamedTuple):
    """What one output pixel reads, on (height, width): the receptive field follows from it."""

    kernel_size: Pair
    stride: tuple[Ratio, Ratio]
    """Input pixels from one output to the next; a fraction where the layer makes more pixels than it reads."""
    padding: tuple[Ratio, Ratio]
    """How far output (0, 0) begins before the first row and column; negative where those are skipped."""
    dilation: Pair
    is_whole: tuple[bool, bool] = (False, False)
    """Whether every output reads the whole axis, wherever it stands."""


POINTWISE = Window((1, 1), (1, 1), (0, 0), (1, 1))
"""Each output pixel reads the pixel at its own place."""


def whole(shape: Shape) -> Window:
    """The window of an output that reads all of an input of `shape`."""
    if len(shape) != 3:
        return POINTWISE
    size = (shape[1], shape[2])
    return Window(size, size, (0, 0), (1, 1), (True, True))


class Kept(NamedTuple):
    """What autograd keeps of a layer from its forward to its backward pass, besides the layer's own weights.

    Measured with `torch.autograd.graph.saved_tensors_hooks`; a tensor that several layers keep is kept once.
    """

    inputs: tuple[int, ...] = ()
    """Ports whose arriving tensors are kept."""
    output: bool = False
    values: int = 0
    """Further values of one image, in the precision of the computation."""
    num_bytes: int = 0
    """Further bytes of one image whatever the precision: indices, masks."""
    batch_bytes: int = 0
    """Further bytes of a batch whatever its size: statistics."""


KEEPS_NOTHING = Kept()


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
    """Why a layer cannot take its inputs, and what would fit."""

    message: str
    suggestions: tuple[Suggestion, ...] = ()


class Remark(NamedTuple):
    """What torch accepts, although the user may not mean it, and what would mend it."""

    severity: Literal["warning", "note"]
    """A warning hardly does what was meant; a note says what is easily overlooked."""
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
    result: int | float | Fraction
    source: str
    """Where the formula comes from: torch's documentation, or a paper and section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer's hyper-parameters, and everything that follows from them and the inputs' shapes.

    Subclasses declare their hyper-parameters as dataclass fields (`pair`, `integer`, `follows`, ...) and override the
    methods that differ from "pointwise, no parameters". All methods but `fault` may assume that `fault` returned None.
    They are pure, and called once for equal layers with equal inputs.
    """

    category: ClassVar[Category]
    summary: ClassVar[str]
    """One sentence on what the layer does."""
    keywords: ClassVar[str] = ""
    """Other words by which a search finds the layer: "swish", "global average"."""
    menu_place: ClassVar[int] = 1
    """Where menus list it in its category: 0 among the first, 2 among the last."""
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

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        """What torch accepts but the user may not mean."""
        return ()

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

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        """What autograd keeps for the backward pass, the layer's own weights aside."""
        return KEEPS_NOTHING

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        """Whether the output shares the memory of the first input."""
        return False

    def needs_several_images(self, inputs: tuple[Shape, ...]) -> bool:
        """Whether torch refuses to train it on a batch of one image."""
        return False

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        """The torch call that computes this layer, with what follows the input filled in."""
        return ModuleCall(self.type_name, self.values())

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        """The layer's numbers written out."""
        return ()


def format_shape(shape: tuple[Ratio, ...]) -> str:
    """A shape as the screen shows it: "6×28×28"."""
    return "×".join(str(size) for size in shape)
