"""Colours for values: from low to high, from negative through zero to positive, and from the first to the last.

All are told apart by colour-blind readers: the two ends of the diverging one are blue and orange, whose lightness grows
or falls evenly from its zero, the order of layers is viridis', and heat is inferno (Smith and van der Walt 2015,
matplotlib).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from explorer.look.theme import Theme

Levels = npt.NDArray[np.uint32]
"""Opaque colours as `QImage.Format.Format_RGB32` has them; of 255 levels, the middle one is the 127th. Not to be
written to: they are the same each time."""

_LAST = 254
_DIVERGING = {
    False: ("#0a437f", "#3f83c2", "#a3c6e6", "#f4f4f3", "#f3bd8a", "#d9772b", "#963a00"),
    True: ("#9ad3ff", "#4b9be4", "#27609c", "#343a42", "#96541c", "#e0812f", "#ffc78f"),
}
_SEQUENTIAL = {
    False: ("#ffffff", "#cfe2f5", "#86b8e6", "#3a80c8", "#08386f"),
    True: ("#22262c", "#21456b", "#2f74b5", "#6bb0f2", "#e2f1ff"),
}
_HEAT = ("#000004", "#280b54", "#65156e", "#9f2a63", "#d44842", "#f57d15", "#fac127", "#fcffa4")
_VIRIDIS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
_ORDER = {False: (0.0, 0.7), True: (0.3, 1.0)}
"""What of it stands out from the theme's ground."""


def diverging(theme: Theme, count: int = _LAST + 1) -> Levels:
    """From the most negative, blue, through zero, the ground's grey, to the most positive, orange."""
    return _ramp(_DIVERGING[theme.is_dark], count)


def sequential(theme: Theme) -> Levels:
    """From nothing, the ground's own colour, to the most."""
    return _ramp(_SEQUENTIAL[theme.is_dark], _LAST + 1)


def grey(count: int) -> Levels:
    """From black to white in either theme: for values that are a picture."""
    return _ramp(("#000000", "#ffffff"), count)


def heat(count: int) -> Levels:
    """From black through red to yellow in either theme: for what is laid over a picture."""
    return _ramp(_HEAT, count)


def in_order(theme: Theme, count: int) -> list[QColor]:
    """So many colours from the first of a row to its last."""
    places = np.linspace(*_ORDER[theme.is_dark], max(count, 2))[:count]
    return [QColor.fromRgb(int(colour)) for colour in _between(_VIRIDIS, places)]


def signed_levels(values: npt.NDArray[np.floating], largest: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """The place of each value in `diverging`: `largest` is at an end, zero exactly in the middle, as are NaN.

    Args:
        values: of any shape.
        largest: positive, or 0 for values that are all 0; broadcast against `values`.
    """
    whole = np.asarray(largest, np.float32)
    scaled = np.nan_to_num(values / np.where(whole > 0, whole, 1), nan=0.0, posinf=1.0, neginf=-1.0)
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(scaled, -1, 1) * (_LAST // 2) + _LAST // 2).astype(np.uint8)
    return levels


def shares_levels(shares: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """The place of each share, 0 to 1, in `sequential`."""
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(shares, 0, 1) * _LAST).astype(np.uint8)
    return levels


def opaque(red: npt.NDArray[np.uint32], green: npt.NDArray[np.uint32], blue: npt.NDArray[np.uint32]) -> Levels:
    """Colours of their parts, 0 to 255."""
    joined: Levels = (np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue).astype(np.uint32)
    return joined


def picture(colours: npt.NDArray[np.uint32]) -> QImage:
    """An image of `(H, W)` opaque colours."""
    rows = np.ascontiguousarray(colours)
    height, width = rows.shape
    return QImage(rows.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def rgb(theme_colour: QColor) -> np.uint32:
    """A colour as `Levels` has them."""
    return np.uint32(theme_colour.rgb())


@lru_cache(maxsize=32)
def _ramp(anchors: tuple[str, ...], count: int) -> Levels:
    colours = _between(anchors, np.linspace(0, 1, count))
    colours.setflags(write=False)
    return colours


def _between(anchors: tuple[str, ...], places: npt.NDArray[np.float64]) -> Levels:
    named = [QColor(anchor) for anchor in anchors]
    colours = np.array([(colour.red(), colour.green(), colour.blue()) for colour in named], np.float64)
    at = np.linspace(0, 1, len(anchors))
    red, green, blue = (np.rint(np.interp(places, at, colours[:, part])).astype(np.uint32) for part in range(3))
    return opaque(red, green, blue)
