"""Activation functions: one value in, one value out, shapes unchanged."""

from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.layer import Call, Category, Fault, Layer, ModuleCall, Shape, integer
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ReLU(Layer):
    """`torch.nn.ReLU`."""

    category: ClassVar[Category] = Category.ACTIVATION
    summary: ClassVar[str] = "Passes positive values and sets negative ones to zero."


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Tanh(Layer):
    """`torch.nn.Tanh`."""

    category: ClassVar[Category] = Category.ACTIVATION
    summary: ClassVar[str] = "Squashes values into −1 to 1."


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Sigmoid(Layer):
    """`torch.nn.Sigmoid`."""

    category: ClassVar[Category] = Category.ACTIVATION
    summary: ClassVar[str] = "Squashes values into 0 to 1."


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(Layer):
    """`torch.nn.Softmax`, over the channels or features unless `dim` says otherwise."""

    category: ClassVar[Category] = Category.ACTIVATION
    summary: ClassVar[str] = "Turns scores into probabilities that sum to one."

    dim: int = integer(1, minimum=1, maximum=3, help="Dimension that sums to one; 1 is the channels or features.")

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        if self.dim <= len(inputs[0]):
            return None
        return Fault(f"dim {self.dim} is not there: dimensions 1 to {len(inputs[0])} arrive; use 1")

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("Softmax", {"dim": self.dim})
