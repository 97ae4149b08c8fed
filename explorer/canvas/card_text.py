"""The words on and about a card: lines cut to their room, ids by their last parts, shapes that change."""

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
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(text)
    if width > rect.width() + 0.5:
        text = metrics.elidedText(text, elide, max(0.0, rect.width()))
        width = metrics.horizontalAdvance(text)
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, _flags(alignment), text)
    return width


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
    metrics = QFontMetricsF(font)
    candidate, rest = node_id, node_id
    while metrics.horizontalAdvance(candidate) > width and "." in rest:
        rest = rest.partition(".")[2]
        candidate = f"…{rest}"
    return candidate if metrics.horizontalAdvance(candidate) <= width else rest


def name_within(path: str, frame: str) -> str:
    """What a node or block is called inside an open block: without that one's path, but never a number alone."""
    name = path.removeprefix(f"{frame}.") if frame else path
    return name if not name[:1].isdigit() else f"{frame.rpartition('.')[2]}.{name}"


def squeezed(font: QFont, text: str, width: float) -> QFont:
    """The font, or one as much smaller as the text needs, down to four fifths."""
    needed = QFontMetricsF(font).horizontalAdvance(text)
    return font if needed <= width else sized(font, font.pixelSize() * max(0.8, width / needed))


def sized(font: QFont, pixels: float) -> QFont:
    """The font at another size."""
    size = max(1, round(pixels))
    if size == font.pixelSize():
        return font
    result = QFont(font)
    result.setPixelSize(size)
    return result


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
