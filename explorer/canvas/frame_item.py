"""An open block: a titled frame around its nodes. What lies in it are items of their own."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from explorer.architecture.likeness import Likeness
from explorer.architecture.placement import FRAME_HEADER, Box
from explorer.canvas import card as cards
from explorer.canvas.block_item import paint_chevron, paint_mark
from explorer.canvas.card_item import LEFT
from explorer.canvas.card_text import draw_line, fitting_id, mixed, name_within, sized
from explorer.look.theme import GRID, Theme

_TITLE_PX = 12
"""Height of the title where the canvas is far away, in pixels of the screen."""
_BEHIND = 1000
"""Frames lie behind wires and cards, deeper ones over those around them."""
_LARGEST = 0.75
"""Of the header's height, at most, are letters."""


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
        self._theme = theme
        self._fonts = cards.fonts(QGuiApplication.font().key())
        self._hovered = False
        self._selected = False
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def header(self) -> QRectF:
        """The line at the top, in the item's coordinates."""
        return QRectF(0, 0, self._rect.width(), FRAME_HEADER)

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

    def show_box(self, box: Box) -> None:
        """Stand around other nodes."""
        self.prepareGeometryChange()
        self.setPos(box.x, box.y)
        self._rect = QRectF(0, 0, box.width, box.height)

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
        colour = theme.accent if self._selected else theme.wire if self._hovered else theme.border
        painter.setPen(QPen(colour, max(1.0, 1.0 / zoom)))
        painter.setBrush(mixed(theme.canvas, theme.border, 0.18 if self._depth % 2 else 0.32))
        painter.drawRoundedRect(self._rect.adjusted(0.5, 0.5, -0.5, -0.5), GRID, GRID)
        if zoom < cards.TITLE_ZOOM:
            return
        rect = self.header.adjusted(GRID / 2, 0, -2 * GRID, 0)
        chevron = QRectF(rect.left(), rect.top(), 3 * GRID, rect.height())
        largest = _LARGEST * FRAME_HEADER
        size = self._fonts.bold.pixelSize()
        size = round(max(size, min(_TITLE_PX / zoom, largest))) if zoom < cards.CARD_ZOOM else size
        bold, small = sized(self._fonts.bold, size), sized(self._fonts.small, size * 0.9)
        colour = theme.accent if self._hovered else theme.muted
        paint_chevron(painter, chevron, colour, is_open=True, arm=4.0 * size / self._fonts.bold.pixelSize())
        rect.setLeft(chevron.right())
        # Wires come in at the middle: words stay left of it where they can.
        name = fitting_id(self._name, bold, rect.width())
        rect.setLeft(rect.left() + draw_line(painter, rect, name, bold, theme.text, LEFT) + size * 0.6)
        rect.setLeft(rect.left() + paint_mark(painter, rect, self._likeness, small, theme, is_lit=False))
        if rect.width() > 3 * GRID and self._kind != self._name:
            draw_line(painter, rect, self._kind, small, theme.muted, LEFT)
