"""What the line of arithmetic is put together from: its numbers as text, and the value with how exact it is.

Layer by layer it is written in `field_windows`, `field_pointwise`, `field_norms` and `field_places`. Pure numpy.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs import OpenedLayer

Values = npt.NDArray[np.float64]
Index = tuple[int, ...]

MINUS = "\u2212"
_FLOAT32_STEP = 2.0**-23


class WorkedOut(NamedTuple):
    """An output value with how it comes about."""

    text: str
    """Formula and numbers, without the result: "Σ 25 products + bias = 1.103 + 0.131"; empty for a bare copy."""
    value: float
    """The result in float64."""
    tolerance: float
    """How far float32 may lie from it, whatever the order that its terms were added up in."""

    def agrees(self, shown: float) -> bool:
        """Whether a value on screen is this one."""
        if math.isnan(shown) or math.isnan(self.value):
            return math.isnan(shown) and math.isnan(self.value)
        return shown == self.value or abs(shown - self.value) <= self.tolerance


def written(value: float, digits: int = 4) -> str:
    """A value as arithmetic shows it: "1.234", "−0.05", "2.1e−05"."""
    return f"{value:.{digits}g}".replace("-", MINUS)


def result(text: str, value: float, terms: Values | float = 0.0, count: int = 1) -> WorkedOut:
    """With the bound of Higham 2002, "Accuracy and stability of numerical algorithms", section 4.2, on float32 sums.

    Args:
        terms: what was added up.
        count: how many terms there were, where `terms` says it no more.
    """
    size = max(count, np.size(terms))
    magnitude = float(np.abs(terms).sum()) + abs(value)
    return WorkedOut(text, float(value), (size + 8) * _FLOAT32_STEP * magnitude + 1e-37)


def weights_of(opened: OpenedLayer, name: str = "weight") -> npt.NDArray[np.float32]:
    return opened.parameters[name]


def plus(value: float) -> str:
    return f"{MINUS} {written(-value)}" if value < 0 else f"+ {written(value)}"


def bracketed(value: float) -> str:
    return f"({written(value)})" if value < 0 else written(value)
