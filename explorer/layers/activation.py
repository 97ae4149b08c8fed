"""Activation functions: one value in, one value out, shapes unchanged; and softmax over a dimension.

What each keeps for the backward pass is what `torch.autograd` keeps: its input, or its output where the derivative can
be told from that.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.checked import MOST_DIMS, Checked, along, missing_dim
from explorer.layers.hyper_parameter import choice, follows, integer, real
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Kept,
    Layer,
    ModuleCall,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.registry import register

_INPUT, _OUTPUT = Kept(inputs=(0,)), Kept(output=True)
_STEEPEST = 1e6  # no slope or height of a function on screen exceeds this, and each stays a finite number in a file


class _Activation(Layer):
    """What all share: the category, and what they keep."""

    __slots__ = ()

    category: ClassVar[Category] = Category.ACTIVATION
    keeps: ClassVar[Kept] = _INPUT

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return self.keeps


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ReLU(_Activation):
    """`torch.nn.ReLU`: `max(0, x)`."""

    summary: ClassVar[str] = "Passes positive values and sets negative ones to zero."
    keywords: ClassVar[str] = "rectified linear unit rectifier"
    keeps: ClassVar[Kept] = _OUTPUT


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class GELU(_Activation):
    """`torch.nn.GELU`: `x · Φ(x)` (Hendrycks and Gimpel 2016)."""

    summary: ClassVar[str] = "Weighs each value by the chance that a normal variable lies below it."
    keywords: ClassVar[str] = "gaussian error linear unit"

    approximate: str = choice("none", ("none", "tanh"), help="none is exact; tanh is the faster approximation.")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SiLU(_Activation):
    """`torch.nn.SiLU`: `x · sigmoid(x)` (Ramachandran et al. 2017)."""

    summary: ClassVar[str] = "Multiplies each value by its own sigmoid."
    keywords: ClassVar[str] = "swish sigmoid linear unit"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyReLU(_Activation):
    """`torch.nn.LeakyReLU`: `x` above zero, `negative_slope · x` below (Maas et al. 2013)."""

    summary: ClassVar[str] = "Passes positive values and a small share of negative ones."

    negative_slope: float = real(
        0.01, minimum=-_STEEPEST, maximum=_STEEPEST, step=0.01, help="Share of a negative value that passes."
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sigmoid(_Activation):
    """`torch.nn.Sigmoid`: `1 / (1 + e^−x)`."""

    summary: ClassVar[str] = "Squashes values into 0 to 1."
    keywords: ClassVar[str] = "logistic gate"
    keeps: ClassVar[Kept] = _OUTPUT


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Tanh(_Activation):
    """`torch.nn.Tanh`."""

    summary: ClassVar[str] = "Squashes values into −1 to 1."
    keywords: ClassVar[str] = "hyperbolic tangent"
    keeps: ClassVar[Kept] = _OUTPUT


class _OverDimension(Checked):
    """What softmax and its logarithm share: values along one dimension that depend on each other."""

    __slots__ = ()

    category: ClassVar[Category] = Category.ACTIVATION
    dim: int

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        return missing_dim(self.dim, inputs[0])

    def candidates(self, inputs: tuple[Shape, ...]) -> tuple[Suggestion, ...]:
        return tuple(SetValue(f"dim {dim}", "dim", dim) for dim in range(1, len(inputs[0]) + 1))

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        (shape,) = inputs
        size = shape[self.dim - 1]
        if size == 1:
            constant = "1" if self.type_name == "Softmax" else "0"
            message = (
                f"dimension {self.dim} of {format_shape(shape)} holds one value, so the output is always {constant}"
            )
            return (Remark("warning", message, self._other_dims(shape)),)
        if len(shape) == 3 and self.dim > 1:
            line = "column" if self.dim == 2 else "row"
            message = f"dim {self.dim} compares the {size} values of each {line}, not the {shape[0]} channels"
            return (Remark("warning", message, (SetValue("dim 1", "dim", 1),) if shape[0] > 1 else ()),)
        return ()

    def _other_dims(self, shape: Shape) -> tuple[SetValue, ...]:
        if len(shape) == 3:
            return (SetValue("dim 1", "dim", 1),) if shape[0] > 1 else ()
        return tuple(SetValue(f"dim {i}", "dim", i) for i, size in enumerate(shape, 1) if size > 1)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return along(inputs[0], (self.dim,))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return _OUTPUT


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(_OverDimension):
    """`torch.nn.Softmax`, over the channels or features unless `dim` says otherwise."""

    summary: ClassVar[str] = "Turns scores into probabilities that sum to one."
    keywords: ClassVar[str] = "probabilities classes"

    dim: int = integer(
        1, minimum=1, maximum=MOST_DIMS, help="Dimension that sums to one; 1 is the channels or features."
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class LogSoftmax(_OverDimension):
    """`torch.nn.LogSoftmax`, over the channels or features unless `dim` says otherwise."""

    summary: ClassVar[str] = "Turns scores into logarithms of probabilities that sum to one."
    keywords: ClassVar[str] = "log probabilities classes"

    dim: int = integer(
        1, minimum=1, maximum=MOST_DIMS, help="Dimension whose probabilities sum to one; 1 is the channels."
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ReLU6(_Activation):
    """`torch.nn.ReLU6`: `min(max(0, x), 6)` (MobileNet; Howard et al. 2017)."""

    summary: ClassVar[str] = "Passes values from 0 to 6, and holds the rest to these bounds."
    keywords: ClassVar[str] = "clipped rectifier mobilenet"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Hardswish(_Activation):
    """`torch.nn.Hardswish`: `x · min(max(0, x + 3), 6) / 6` (MobileNetV3; Howard et al. 2019)."""

    summary: ClassVar[str] = "Approximates SiLU by a parabola between straight lines."
    keywords: ClassVar[str] = "hard swish mobilenet"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Hardsigmoid(_Activation):
    """`torch.nn.Hardsigmoid`: `min(max(0, x + 3), 6) / 6`."""

    summary: ClassVar[str] = "Approximates a sigmoid with straight lines."
    keywords: ClassVar[str] = "hard gate mobilenet"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class PReLU(Checked):
    """`torch.nn.PReLU`: a learned slope below zero, one for all channels or one for each (He et al. 2015)."""

    category: ClassVar[Category] = Category.ACTIVATION
    summary: ClassVar[str] = "Passes positive values and a learned share of negative ones."
    keywords: ClassVar[str] = "parametric learned leaky"

    # torch's `num_parameters`; every layer here has a method of that name.
    num_slopes: int | None = follows(1, help="Learned slopes: 1 for all channels; following, one for each.")
    init: float = real(0.25, minimum=-_STEEPEST, maximum=_STEEPEST, step=0.05, help="Slope before training.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        channels = inputs[0][0]
        if self.num_slopes in {None, 1, channels}:
            return None
        return f"num_slopes is fixed at {self.num_slopes:,}, but {channels:,} channels arrive; use 1 or {channels:,}"

    def candidates(self, inputs: tuple[Shape, ...]) -> tuple[Suggestion, ...]:
        return (
            SetValue("num_slopes follows the input", "num_slopes", None),
            SetValue("num_slopes 1", "num_slopes", 1),
            SetValue(f"num_slopes {inputs[0][0]:,}", "num_slopes", inputs[0][0]),
        )

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return inputs[0][0] if self.num_slopes is None else self.num_slopes

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return _INPUT

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("PReLU", {"num_parameters": self.num_parameters(inputs), "init": self.init})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        count = self.num_parameters(inputs)
        formula = "1 for all channels" if self.num_slopes == 1 else "C"
        return (Arithmetic("parameters", formula, f"{count}", count, "torch.nn.PReLU"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ELU(_Activation):
    """`torch.nn.ELU`: `x` above zero, `alpha · (e^x − 1)` below (Clevert et al. 2015)."""

    summary: ClassVar[str] = "Passes positive values; negative ones level off at −alpha."
    keywords: ClassVar[str] = "exponential linear unit"

    alpha: float = real(
        1.0, minimum=-_STEEPEST, maximum=_STEEPEST, step=0.1, help="Depth at which negative values level off."
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SELU(_Activation):
    """`torch.nn.SELU` (Klambauer et al. 2017)."""

    summary: ClassVar[str] = "An ELU scaled so that values keep zero mean and unit variance."
    keywords: ClassVar[str] = "self-normalizing self-normalising"


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Mish(_Activation):
    """`torch.nn.Mish`: `x · tanh(ln(1 + e^x))` (Misra 2019)."""

    summary: ClassVar[str] = "A smooth curve like SiLU, a little steeper."


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledTanh(_Activation):
    """`amplitude · tanh(slope · x)`, LeNet-5's activation (LeCun et al. 1998, appendix A)."""

    summary: ClassVar[str] = "Squashes values into −amplitude to amplitude, as in LeNet-5."
    keywords: ClassVar[str] = "lenet hyperbolic tangent"
    menu_place: ClassVar[int] = 2

    amplitude: float = real(1.7159, minimum=-_STEEPEST, maximum=_STEEPEST, step=0.1, help="Largest value that leaves.")
    slope: float = real(2 / 3, minimum=-_STEEPEST, maximum=_STEEPEST, step=0.1, help="Factor of the values first.")

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # The tangent keeps its own result, which the amplitude then turns into the output.
        return Kept(values=math.prod(output))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("ScaledTanh", self.values(), is_own=True)
