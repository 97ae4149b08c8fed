"""Signed numbers in the colours of `look.ramps`, blue below zero and orange above, and as short text."""

from functools import lru_cache
from math import isfinite

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QBrush, QColor, Qt

from explorer.look import ramps
from explorer.look.numbers import MINUS
from explorer.look.theme import DARK, LIGHT, Theme

_MIDDLE = 127
"""The level of zero in `ramps.diverging`."""


def colours(values: npt.NDArray[np.floating], scale: float, theme: Theme) -> ramps.Levels:
    """Values of any shape as 0xFFRRGGBB; `scale` and beyond have the strongest colour, what is not finite zero's."""
    found: ramps.Levels = ramps.diverging(theme)[ramps.signed_levels(np.where(np.isfinite(values), values, 0.0), scale)]
    return found


def colour(value: float, scale: float, theme: Theme) -> QColor:
    """One value's colour; not to be changed."""
    return _palette(theme.is_dark)[_level(value, scale)]


def ink_on(value: float, scale: float, theme: Theme) -> QColor:
    """Text that is legible on a value's colour; not to be changed."""
    return _inks(theme.is_dark)[_level(value, scale)]


def _level(value: float, scale: float) -> int:
    """The place in the table; that of zero for what is no finite number."""
    share = value / (scale or 1.0) if isfinite(value) else 0.0
    return round(max(-1.0, min(1.0, share)) * _MIDDLE) + _MIDDLE


@lru_cache(maxsize=2)
def _palette(is_dark: bool) -> tuple[QColor, ...]:
    return tuple(QColor(int(level)) for level in ramps.diverging(DARK if is_dark else LIGHT))


@lru_cache(maxsize=2)
def _inks(is_dark: bool) -> tuple[QColor, ...]:
    dark, light = (QColor("#101418"), DARK.text) if is_dark else (LIGHT.text, QColor("#ffffff"))
    return tuple(dark if _lightness(ground) > 0.5 else light for ground in _palette(is_dark))


def _lightness(ground: QColor) -> float:
    return 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()


def hatch(colour: QColor, alpha: int, pattern: Qt.BrushStyle = Qt.BrushStyle.BDiagPattern) -> QBrush:
    """Lines across what is no pixel, or is never read."""
    lines = QColor(colour)
    lines.setAlpha(alpha)
    return QBrush(lines, pattern)


def reach(values: npt.NDArray[np.floating]) -> float:
    """The largest magnitude among finite values; 1 where all are 0."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0)) or 1.0


def decimals_of(scale: float) -> int:
    """Decimals with which numbers up to `scale` are told apart in a small cell."""
    return 0 if scale >= 1000 else 1 if scale >= 10 else 2 if scale >= 0.1 else 3 if scale >= 0.01 else 4


def short(value: float, decimals: int) -> str:
    """A number for a cell: "−0.42", "−∞", "0"."""
    if np.isinf(value):
        return f"{MINUS}∞" if value < 0 else "∞"
    text = "0" if value == 0 else f"{value:z.{decimals}f}"
    return text.replace("-", MINUS)


def full(value: float) -> str:
    """A number in a sum: "0.4213", "−12.35"; four digits that count."""
    if not np.isfinite(value):
        return short(value, 0) if np.isinf(value) else "NaN"
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude < 5e-4 or magnitude >= 1e5:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    decimals = 4 if magnitude < 10 else 3 if magnitude < 100 else 2 if magnitude < 1000 else 1
    return f"{value:.{decimals}f}".replace("-", MINUS)
