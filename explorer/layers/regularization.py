"""Layers that act in training only, against overfitting."""

from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.layer import Category, Layer, real
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(Layer):
    """`torch.nn.Dropout`: acts in training mode only (Srivastava et al. 2014)."""

    category: ClassVar[Category] = Category.REGULARIZATION
    summary: ClassVar[str] = "Sets random values to zero while training, and scales the rest up."

    p: float = real(0.5, minimum=0.0, maximum=1.0, step=0.05, help="Probability that a value is set to zero.")
