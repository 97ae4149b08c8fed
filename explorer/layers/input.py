"""The network's input: the one layer without inputs of its own."""

from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.hyper_parameter import integer
from explorer.layers.layer import Call, Category, Layer, OperatorCall, Shape
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Input(Layer):
    """The images that the network takes, `(channels, height, width)` each."""

    category: ClassVar[Category] = Category.INPUT
    summary: ClassVar[str] = "The images that the network takes."
    min_inputs: ClassVar[int] = 0
    max_inputs: ClassVar[int | None] = 0

    channels: int = integer(3, maximum=4096, help="Channels of an image: 1 for grey, 3 for colour.")
    height: int = integer(224, maximum=16384, help="Height of an image, in pixels.")
    width: int = integer(224, maximum=16384, help="Width of an image, in pixels.")

    @property
    def shape(self) -> Shape:
        """`(channels, height, width)`."""
        return (self.channels, self.height, self.width)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return self.shape

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return OperatorCall("input", {})
