"""Layers that act in training only, against overfitting."""

import math
from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.hyper_parameter import choice, real
from explorer.layers.layer import Call, Category, Kept, Layer, ModuleCall, Remark, SetValue, Shape
from explorer.layers.registry import register

_SCALAR = Kept(batch_bytes=4)


class _Dropping(Layer):
    """What all share: a probability, which says little at its ends."""

    __slots__ = ()

    category: ClassVar[Category] = Category.REGULARIZATION
    p: float

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        if self.p == 0:
            return (Remark("note", "p 0 drops nothing: the layer has no effect", (SetValue("p 0.5", "p", 0.5),)),)
        if self.p == 1:
            message = "p 1 sets every value to zero while training: nothing can be learned through it"
            return (Remark("warning", message, (SetValue("p 0.5", "p", 0.5),)),)
        return ()

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return self.p == 0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(_Dropping):
    """`torch.nn.Dropout`: acts in training mode only (Srivastava et al. 2014)."""

    summary: ClassVar[str] = "Sets random values to zero while training, and scales the rest up."

    p: float = real(0.5, minimum=0.0, maximum=1.0, step=0.05, help="Probability that a value is set to zero.")

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # On CUDA a byte for each value; the CPU keeps the factors themselves.
        if self.p in {0, 1}:
            return _SCALAR if self.p else Kept()
        return Kept(num_bytes=math.prod(output))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout2d(_Dropping):
    """`torch.nn.Dropout2d`: whole channels at a time (Tompson et al. 2015)."""

    summary: ClassVar[str] = "Sets random channels to zero while training, and scales the rest up."
    keywords: ClassVar[str] = "spatial channel dropout"

    p: float = real(0.5, minimum=0.0, maximum=1.0, step=0.05, help="Probability that a channel is set to zero.")

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        remarks = _Dropping.remarks(self, inputs, output)
        if len(inputs[0]) == 3:
            return remarks
        message = (
            "Dropout2d drops whole maps, but no maps arrive; torch means to refuse this. Dropout drops single values"
        )
        return (*remarks, Remark("warning", message))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        if self.p in {0, 1}:
            return _SCALAR if self.p else Kept()
        return Kept(values=inputs[0][0])


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class StochasticDepth(_Dropping):
    """A branch dropped whole while training (Huang et al. 2016), as `torchvision.ops.StochasticDepth` does."""

    summary: ClassVar[str] = "Drops a whole branch at random while training, and scales it up otherwise."
    keywords: ClassVar[str] = "drop path droppath residual"

    p: float = real(0.1, minimum=0.0, maximum=1.0, step=0.05, help="Probability that the branch is dropped.")
    mode: str = choice("row", ("row", "batch"), help="row decides for each image, batch for all at once.")

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        if self.p == 0:
            return Kept()
        return Kept(values=1) if self.mode == "row" else _SCALAR

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("StochasticDepth", self.values(), is_own=True)
