"""The words on and about a card: lines cut to their room, ids by their last parts, shapes that change."""

import math
from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from explorer.inference import Issue
from explorer.layers import Shape
from explorer.look import numbers
from explorer.look.theme import Theme


def draw_line(
    painter: QPainter,
    rect: QRectF,
    text: str,
    font: QFont,
    colour: QColor,
    alignment: Qt.AlignmentFlag,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> float:
    """Draw on one line, cut to the room there is; returns the width used."""
    width = advance(text, font)
    if width > rect.width() + 0.5:
        text = QFontMetricsF(font).elidedText(text, elide, max(0.0, rect.width()))
        width = advance(text, font)
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, _flags(alignment), text)
    return width


_widths: dict[tuple[int, str], tuple[float, QFont]] = {}
"""By the font's identity, which lives as long as it stands here: a font's own key costs more than the measurement."""
_MOST_WIDTHS = 8192


def advance(text: str, font: QFont) -> float:
    """How wide a text is, in the font's pixels; measured once for a font that is kept, as those of cards are."""
    key = (id(font), text)
    known = _widths.get(key)
    if known is None:
        if len(_widths) >= _MOST_WIDTHS:
            _widths.clear()
        known = _widths[key] = (QFontMetricsF(font).horizontalAdvance(text), font)
    return known[0]


@lru_cache(maxsize=16)
def _flags(alignment: Qt.AlignmentFlag) -> int:
    """How one line is drawn; Python's flags are slow to combine, and this happens thousands of times a frame."""
    return int(alignment | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip)


def shape_change(old: Shape | None, new: Shape | None) -> str:
    """Two shapes with an arrow between; the channels are left out where they agree: "28×28 → 26×26"."""
    if old is not None and new is not None and len(old) == len(new) == 3 and old[0] == new[0]:
        old, new = old[1:], new[1:]
    return f"{numbers.shape(old)} {numbers.ARROW} {numbers.shape(new)}"


def fitting_id(node_id: str, font: QFont, width: float) -> str:
    """The id, or as many of its last parts as fit: "layer1.0.conv1", "…0.conv1", "conv1"."""
    candidate, rest = node_id, node_id
    while advance(candidate, font) > width and "." in rest:
        rest = rest.partition(".")[2]
        candidate = f"…{rest}"
    return candidate if advance(candidate, font) <= width else rest


_FEWEST = 3
"""Letters that are left of a name at each end where it is cut, at least: fewer are no name."""


def readable_name(node_id: str, font: QFont, width: float) -> str:
    """The id or its last parts as `fitting_id`; of one that is longer both ends, its beginning, or nothing."""
    name = fitting_id(node_id, font, width)
    if advance(name, font) <= width:
        return name
    metrics = QFontMetricsF(font)
    for mode, ends in ((Qt.TextElideMode.ElideMiddle, 2), (Qt.TextElideMode.ElideRight, 1)):
        cut = metrics.elidedText(name, mode, width)
        if all(len(part) >= _FEWEST for part in cut.split("…")[:ends]):
            return cut
    return ""


def name_within(path: str, frame: str) -> str:
    """What a node or block is called inside an open block: without that one's path, but never a number alone."""
    name = path.removeprefix(f"{frame}.") if frame else path
    return name if not name[:1].isdigit() else f"{frame.rpartition('.')[2]}.{name}"


SQUEEZED = 0.8
"""Of its size, a name is left at least before it is cut."""


def squeezed(font: QFont, text: str, width: float) -> QFont:
    """The font, or one as much smaller as the text needs, down to four fifths."""
    needed = advance(text, font)
    return font if needed <= width else sized(font, math.floor(font.pixelSize() * max(SQUEEZED, width / needed)))


_sized: dict[tuple[int, int], tuple[QFont, QFont]] = {}
_MOST_FONTS = 512


def sized(font: QFont, pixels: float) -> QFont:
    """The font at another size; the same object again for the same font."""
    size = max(1, round(pixels))
    key = (id(font), size)
    known = _sized.get(key)
    if known is None:
        if len(_sized) >= _MOST_FONTS:
            _sized.clear()
        result = font
        if size != font.pixelSize():
            result = QFont(font)
            result.setPixelSize(size)
        known = _sized[key] = (result, font)
    return known[0]


def mixed(a: QColor, b: QColor, share: float) -> QColor:
    """`share` of `b` in `a`."""
    return QColor.fromRgbF(
        a.redF() + (b.redF() - a.redF()) * share,
        a.greenF() + (b.greenF() - a.greenF()) * share,
        a.blueF() + (b.blueF() - a.blueF()) * share,
    )


def issue_colour(issue: Issue, theme: Theme) -> QColor:
    """The colour of an issue, by how bad it is."""
    return {"error": theme.error, "warning": theme.warning, "note": theme.muted}[issue.severity]
