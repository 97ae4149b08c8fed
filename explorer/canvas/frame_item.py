"""An open block: a titled frame around its nodes. What lies in it are items of their own."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from explorer.architecture.likeness import Likeness
from explorer.architecture.placement import FRAME_HEADER, Box
from explorer.canvas import card as cards
from explorer.canvas.block_facts import Sums
from explorer.canvas.block_item import paint_chevron, paint_mark
from explorer.canvas.card_item import LEFT, RIGHT
from explorer.canvas.card_text import draw_line, fitting_id, mixed, name_within, sized
from explorer.look import numbers
from explorer.look.theme import GRID, Theme

_TITLE_PX = 12
"""Height of the title where the canvas is far away, in pixels of the screen."""
_CHEVRON_PX = 12
"""Pixels of the screen that the chevron takes at least, however far away the canvas is."""
_BEHIND = 1000
"""Frames lie behind wires and cards, deeper ones over those around them."""
_LARGEST = 0.85
"""Of the header's height, at most, are letters."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("FrameItem", text)


class FrameItem(QGraphicsItem):
    """The frame of an open block; the pointer finds its header alone."""

    def __init__(self, path: str, theme: Theme) -> None:
        super().__init__()
        self.key = path
        self._name = path
        self._kind = ""
        self._depth = 0
        self._likeness: Likeness | None = None
        self._rect = QRectF()
        self._title = QRectF()
        self._theme = theme
        self._fonts = cards.fonts(QGuiApplication.font().key())
        self._sums: Sums | None = None
        self._preview: Sums | None = None
        self._free_end = 0.0
        self._is_equal = False
        self._hovered = False
        self._selected = False
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def header(self) -> QRectF:
        """The line at the top, in the item's coordinates."""
        return QRectF(0, 0, self._rect.width(), FRAME_HEADER)

    @property
    def sums(self) -> Sums | None:
        """What it says that it holds."""
        return self._sums

    @property
    def preview(self) -> Sums | None:
        """What it says that it would hold, after what it holds."""
        return self._preview

    @property
    def is_highlighted(self) -> bool:
        """Whether a block made alike is under the pointer."""
        return self._is_equal

    @property
    def rect(self) -> QRectF:
        """The frame, in the item's coordinates."""
        return self._rect

    def show_block(self, kind: str, around: str, depth: int, likeness: Likeness | None) -> None:
        """Show another version of the block, `depth` frames deep, in the open block `around`."""
        self._name = name_within(self.key, around)
        self._kind, self._depth = kind, depth
        self.setZValue(depth - _BEHIND)
        self.show_likeness(likeness)

    def show_likeness(self, likeness: Likeness | None) -> None:
        """Show which blocks it is made like."""
        if likeness != self._likeness:
            self._likeness = likeness
            self.update()

    def show_box(self, box: Box, title: Box) -> None:
        """Stand around other nodes; words keep to `title`, where no wire runs."""
        self.prepareGeometryChange()
        self.setPos(box.x, box.y)
        self._rect = QRectF(0, 0, box.width, box.height)
        self._title = QRectF(*title).translated(-box.x, -box.y)

    def has_chevron_at(self, place: QPointF, zoom: float) -> bool:
        """Whether a press there is on the chevron, which stands before the name and is drawn with it."""
        left = self._title.left()
        return zoom >= cards.TITLE_ZOOM and left <= place.x() < left + max(4 * GRID, _CHEVRON_PX / zoom)

    def show_free_end(self, x: float) -> None:
        """Have no wire in the header from this x of the scene on."""
        self._free_end = x - self.pos().x()

    def show_sums(self, sums: Sums) -> None:
        """Say how much it holds."""
        if sums != self._sums:
            self._sums = sums
            self.update()

    def show_preview(self, sums: Sums | None) -> None:
        """Say how much it would hold; None ends that."""
        if sums != self._preview:
            self._preview = sums
            self.update()

    def show_equal(self, is_equal: bool) -> None:
        """Show that a block made alike is under the pointer."""
        if is_equal != self._is_equal:
            self._is_equal = is_equal
            self.update()

    def show_state(self, *, selected: bool, hovered: bool) -> None:
        """Show whether all in it is selected, and whether the pointer is on its header."""
        if (selected, hovered) != (self._selected, self._hovered):
            self._selected, self._hovered = selected, hovered
            self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-2, -2, 2, 2)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.header)
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        zoom = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
        theme = self._theme
        is_marked = self._selected or self._is_equal
        colour = theme.accent if is_marked else theme.wire if self._hovered else theme.border
        painter.setPen(QPen(colour, max(1.0, 1.0 / zoom)))
        painter.setBrush(mixed(theme.canvas, theme.border, 0.18 if self._depth % 2 else 0.32))
        painter.drawRoundedRect(self._rect.adjusted(0.5, 0.5, -0.5, -0.5), GRID, GRID)
        size: float = self._fonts.bold.pixelSize()
        if zoom < cards.CARD_ZOOM:
            size = max(size, min(_TITLE_PX / zoom, _LARGEST * FRAME_HEADER))
        if zoom >= cards.TITLE_ZOOM and size * zoom >= cards.READABLE_PX:
            self._paint_header(painter, round(size))

    def _paint_header(self, painter: QPainter, size: int) -> None:
        """Name, mark and kind where no wire crosses, and at the end, where there is room, what it holds."""
        theme = self._theme
        rect = self._title.adjusted(GRID / 2, 0, -GRID, 0)
        chevron = QRectF(rect.left(), rect.top(), 3 * GRID, rect.height())
        bold, small = sized(self._fonts.bold, size), sized(self._fonts.small, size * 0.9)
        colour = theme.accent if self._hovered else theme.muted
        paint_chevron(painter, chevron, colour, is_open=True, arm=4.0 * size / self._fonts.bold.pixelSize())
        rect.setLeft(chevron.right())
        name = fitting_id(self._name, bold, rect.width())
        rect.setLeft(rect.left() + draw_line(painter, rect, name, bold, theme.text, LEFT) + size * 0.6)
        rect.setLeft(rect.left() + paint_mark(painter, rect, self._likeness, small, theme, is_lit=self._is_equal))
        if self._kind != self._name and QFontMetricsF(small).horizontalAdvance(self._kind) <= rect.width():
            rect.setLeft(rect.left() + draw_line(painter, rect, self._kind, small, theme.muted, LEFT))
        room = self.header.adjusted(max(self._free_end, rect.left()) + size, 0, -GRID, 0)
        ways = (sums_text(self._sums, self._preview, in_full=full) for full in (True, False))
        sums = next((text for text in ways if QFontMetricsF(small).horizontalAdvance(text) <= room.width()), "")
        draw_line(painter, room, sums, small, theme.muted if self._preview is None else theme.accent, RIGHT)


def sums_text(now: Sums | None, after: Sums | None, *, in_full: bool) -> str:
    """What a block holds, as a folded one says it, and what it would hold: "416 k → 832 k MACs  156 params".

    Args:
        after: None where nothing is previewed.
        in_full: whether what changes is said with what it was; else only what it would be.
    """
    if now is None:
        return ""
    then = now if after is None else after
    told = []
    for text, before, count in (
        (_tr("{} MACs"), now.macs, then.macs),
        (_tr("{} params"), now.num_parameters, then.num_parameters),
    ):
        change = f"{numbers.ARROW} {numbers.short_count(count)}"
        if in_full:
            change = f"{numbers.short_count(before)} {change}"
        if before or count:
            told.append(text.format(numbers.short_count(count) if before == count else change))
    return "  ".join(told)
