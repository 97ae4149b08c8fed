"""The colours of a scale, from little to much in the theme's direction, or from too little to too much.

ColorBrewer's YlGnBu (Harrower and Brewer 2003, "ColorBrewer.org", colour-blind safe): its lightness alone tells the
order. Little is close to the ground and much stands out, so that the dark theme takes it the other way round.
"""

from dataclasses import replace
from functools import lru_cache

from PySide6.QtGui import QColor

from explorer.canvas.card_text import mixed
from explorer.look import ramps
from explorer.look.theme import DARK, LIGHT, Theme

LEVELS = 48
_LIGHT = ("#e3f1c0", "#b5deb7", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#172a7a")
_DARK = ("#25406e", "#225ea8", "#1d91c0", "#41b6c4", "#7fcdbb", "#c7e9b4", "#f5fbc4")


@lru_cache(maxsize=2)
def _ramp(is_dark: bool) -> tuple[QColor, ...]:
    stops = [QColor(name) for name in (_DARK if is_dark else _LIGHT)]
    found = []
    for level in range(LEVELS):
        place = level / (LEVELS - 1) * (len(stops) - 1)
        first = min(int(place), len(stops) - 2)
        found.append(mixed(stops[first], stops[first + 1], place - first))
    return tuple(found)


def ramp(theme: Theme) -> tuple[QColor, ...]:
    """All colours, from little to much; the same objects each time."""
    return _ramp(theme.is_dark)


def around_middle(theme: Theme) -> tuple[QColor, ...]:
    """All colours from too little, blue, through what is wanted, hardly any colour, to too much, orange; the same
    objects each time."""
    return _around_middle(theme.is_dark)


@lru_cache(maxsize=2)
def _around_middle(is_dark: bool) -> tuple[QColor, ...]:
    colours = ramps.diverging(DARK if is_dark else LIGHT)
    places = [round(level / (LEVELS - 1) * (len(colours) - 1)) for level in range(LEVELS)]
    return tuple(QColor.fromRgb(int(colours[place])) for place in places)


def colour(theme: Theme, share: float, *, is_around_middle: bool = False) -> QColor:
    """The colour of a share of the scale, 0 to 1."""
    colours = around_middle(theme) if is_around_middle else ramp(theme)
    return colours[min(LEVELS - 1, int(share * LEVELS))]


def nothing(theme: Theme) -> QColor:
    """The colour of no value, or of none at all."""
    return _NOTHING[theme.is_dark]


def readable(theme: Theme) -> Theme:
    """The theme with secondary words that stay legible on a body in the colour of a number; the same each time."""
    return _READABLE[theme.is_dark]


def body(theme: Theme, tint: QColor) -> QColor:
    """A card's body in the colour of a number: no more of it than words on it bear."""
    return mixed(theme.card, tint, _IN_BODY[theme.is_dark])


_IN_BODY = {False: 0.3, True: 0.22}
_READABLE = {t.is_dark: replace(t, muted=mixed(t.muted, t.text, 0.75)) for t in (LIGHT, DARK)}
_NOTHING = {False: mixed(LIGHT.card, LIGHT.border, 0.7), True: mixed(DARK.card, DARK.border, 0.7)}
