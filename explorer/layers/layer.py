"""What a layer is: shape, counts, window and torch call, each said once by one class.

How its hyper-parameters are declared and checked is `hyper_parameter`'s.

The window's forms, inference, the built `nn.Module`, the exported source and the file format all read what is declared
here. A layer knows its own inputs' shapes only; what follows from the whole graph lives in `explorer.inference`.
Shapes are tuples without the batch dimension: `(C, H, W)` for feature maps, `(features,)` after a flatten.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar, Literal, NamedTuple, Self

from explorer.layers.hyper_parameter import HyperParameter, Pair

Shape = tuple[int, ...]
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
