"""What every card on the canvas has, a node's and a folded block's: its body, light, badge, maps and states.

The words and numbers on it are `node_item`'s and `block_item`'s.
"""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from explorer.canvas import card as cards
from explorer.canvas import ramp
from explorer.canvas.card import STRIPE, Card, Detail, Part
from explorer.canvas.card_shape import Outline, fill_end, fill_outline
from explorer.canvas.card_text import (
    SQUEEZED,
    advance,
    draw_line,
    fitting_id,
    mixed,
    name_within,
    readable_name,
    sized,
    squeezed,
)
from explorer.canvas.maps_strip import Strip, spread
from explorer.canvas.story import NOTHING_AROUND, Whole
from explorer.layers import Input, Shape
from explorer.look.theme import GRID, Theme

_HALO = 4
"""Room around the card for the border of a selected one, in pixels."""
ROUND_ZOOM = 0.4
"""Further away a card's corners would be less than three pixels of the screen round."""
_TITLE_PX = 12
"""Height of the text on a card that shows only its title, in pixels of the screen."""
_LARGEST = 0.8
"""Of the lowest card's height, at most, are those letters."""
LYING = 1.0
"""Of a card that lies on the canvas: over frames and wires."""
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Light:
    """How brightly the cards that an edit has changed are lit up, 1 to 0: one value for all of them."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0


class CardItem(QGraphicsItem):
    """A card. What the scene says of many cards at once (`set_lit`) is drawn when the scene next updates them.

    Attributes:
        key: what the scene knows it by: a node's id, or a folded block's path.
        card: its geometry.
    """

    def __init__(self, key: str, card: Card, theme: Theme, light: Light) -> None:
        super().__init__()
        self.key = key
        self.card = card
        self._bounds = self._with_halo()
        self._fonts = cards.fonts(QGuiApplication.font().key())
        self._plain_theme = self._theme = theme
        self._strip: Strip | None = None
        self._has_places = True
        """Whether places are marked for maps that are not there yet."""
        self._light = light
        self._lit = False
        self._selected = False
        self._hovered = False
        self._part: Part | None = None
        self._tint: QColor | None = None
        self._told: str | None = None
        """What it says in place of its shape."""
        self._name = key
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(LYING)

    @property
    def strip(self) -> Strip | None:
        """The live picture on the card."""
        return self._strip

    @property
    def glow(self) -> float:
        """How brightly the card is lit up, 0 to 1."""
        return self._light.value if self._lit else 0.0

    @property
    def is_selected(self) -> bool:
        """Whether the card has the border of a selected one."""
        return self._selected

    def show_frame(self, path: str) -> None:
        """Lie in an open block, or, where the path is empty, in none: the card's name leaves that out."""
        self._name = name_within(self.key, path)

    def show_strip(self, strip: Strip | None) -> None:
        """Show a live picture; None takes it away."""
        if strip is self._strip:
            return
        # Words take the room of maps that are not there: with the first maps they move.
        words_move = strip is None or self._strip is None
        self._strip = strip
        self.update(self.card.rect if words_move else self.card.maps)

    def show_places(self, has_places: bool) -> None:
        """Mark the places of maps that are not there yet, or none, when the scene next updates it."""
        self._has_places = has_places

    def show_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._plain_theme = theme
        self._theme = theme if self._tint is None else ramp.readable(theme)
        self.update()

    def show_state(self, *, selected: bool, hovered: bool, part: Part | None) -> None:
        """Show whether it is selected, and what of it the pointer is on."""
        if (selected, hovered, part) != (self._selected, self._hovered, self._part):
            self._selected, self._hovered, self._part = selected, hovered, part
            self.update()

    def show_tint(self, tint: QColor | None, told: str | None = None) -> bool:
        """Take the colour of a number, when the scene next updates it; None: of the category. Whether it differs.

        Args:
            tint: the colour.
            told: what the card says in place of its shape; None: its shape.
        """
        differs = tint is not self._tint or told != self._told
        self._tint, self._told = tint, told
        self._theme = self._plain_theme if tint is None else ramp.readable(self._plain_theme)
        return differs

    @property
    def colours(self) -> tuple[tuple[QColor, float], ...]:
        """What it is drawn in, each colour with its share; the shares sum to 1."""
        return self._colours() if self._tint is None else ((self._tint, 1.0),)

    def set_lit(self, lit: bool) -> None:
        """Take part in the scene's light after a change, or no longer."""
        self._lit = lit

    def tool_tip(self, whole: Whole = NOTHING_AROUND) -> str:
        """The whole story: exact numbers, what part of `whole` they are, and what is wrong."""
        raise NotImplementedError

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.card.rect)
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        zoom = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
        match cards.detail(zoom):
            case Detail.CARD:
                self._paint_body(painter, zoom)
                self._paint_lines(painter)
                self._paint_maps(painter)
            case Detail.TITLE:
                self._paint_body(painter, zoom)
                # One size for all cards, also the lowest.
                lowest = cards.card(Input, QGuiApplication.font().key()).rect.height()
                self._paint_large(painter, min(_TITLE_PX / zoom, _LARGEST * lowest))
                if self._has_maps:
                    self._paint_maps(painter)
            case Detail.BLOCK:
                self._paint_colour(painter)

    # For the kinds of cards

    def _paint_lines(self, painter: QPainter) -> None:
        """All lines of the card, at their own size."""
        raise NotImplementedError

    def _paint_large(self, painter: QPainter, size: float) -> None:
        """What matters most, in letters `size` pixels high."""
        raise NotImplementedError

    def _colours(self) -> tuple[tuple[QColor, float], ...]:
        """The colours of the layers' categories, each with its share of the card; the shares sum to 1."""
        raise NotImplementedError

    def _output_shape(self) -> Shape | None:
        """What leaves it, as far as it is known."""
        raise NotImplementedError

    @property
    def _is_faulty(self) -> bool:
        raise NotImplementedError

    @property
    def _is_terminal(self) -> bool:
        """Whether values enter or leave the network here: such a card is round."""
        return False

    @property
    def _has_maps(self) -> bool:
        return self._strip is not None and self._output_shape() is not None

    @property
    def _large_end(self) -> float:
        """How far to the right large words go: where no maps are shown, they have their room too."""
        return (self.card.maps.left() if self._has_maps else self.card.rect.right()) - GRID

    def _badge_colour(self) -> QColor | None:
        """The colour of the mark of the worst issue, or None."""
        raise NotImplementedError

    def _paint_large_name(self, painter: QPainter, rect: QRectF, font: QFont) -> float:
        """The name, as large as there is room for; of a long one as much as can be read."""
        # A size smaller is better than a letter less.
        font = squeezed(font, fitting_id(self._name, font, rect.width()), rect.width())
        return draw_line(painter, rect, readable_name(self._name, font, rect.width()), font, self._theme.text, LEFT)

    def _leaves_name(self, font: QFont, width: float) -> bool:
        """Whether in that width the shortest name for the card can be read, beside whatever takes the rest."""
        return advance(self._name.rpartition(".")[2], font) * SQUEEZED <= width

    def _set_card(self, card: Card) -> None:
        self.prepareGeometryChange()
        self.card = card
        self._bounds = self._with_halo()

    def _with_halo(self) -> QRectF:
        return self.card.rect.adjusted(-_HALO, -_HALO, _HALO, _HALO)

    # The body

    def _paint_body(self, painter: QPainter, zoom: float) -> None:
        theme = self._theme
        radius = min(self.card.rect.height() / 2, 2 * GRID) if self._is_terminal else GRID * 0.75
        ground = theme.card if self._tint is None else ramp.body(theme, self._tint)
        body = ground if not self.glow else mixed(ground, theme.pulse, 0.35 * self.glow)
        border, width = self._border(zoom)
        inset = width / 2
        rect = self.card.rect.adjusted(inset, inset, -inset, -inset)
        stripe = STRIPE if self._tint is None else 2 * STRIPE
        if zoom < ROUND_ZOOM:
            self._fill_body(painter, rect, radius, QPen(border, width), body, stripe)
            return
        outline = Outline(self.card.rect.width(), self.card.rect.height(), radius, width)
        fill_outline(painter, outline, border, body)
        colours, top = self.colours, 0.0
        for number, (colour, share) in enumerate(colours):
            height = share * self.card.rect.height()
            if 0 < number < len(colours) - 1:
                painter.fillRect(QRectF(rect.left(), top, stripe, height), colour)
            else:
                fill_end(painter, outline, QRectF(0, top, stripe + inset, height), colour)
            top += height

    def _fill_body(
        self, painter: QPainter, rect: QRectF, radius: float, pen: QPen, body: QColor, stripe: float
    ) -> None:
        """The body further away: filled rectangles, which take a tenth of the time of round ones."""
        if self._is_terminal:
            painter.setPen(pen)
            painter.setBrush(body)
            painter.drawRoundedRect(rect, radius, radius)
        else:
            width = pen.widthF()
            painter.fillRect(self.card.rect, pen.color())
            painter.fillRect(self.card.rect.adjusted(width, width, -width, -width), body)
        top = rect.top()
        for colour, share in self.colours:
            height = share * rect.height()
            painter.fillRect(QRectF(rect.left(), top, stripe, height), colour)
            top += height

    def _paint_colour(self, painter: QPainter) -> None:
        """Far away: nothing but colour."""
        left, card = 0.0, self.card.rect
        for colour, share in ((self._theme.error, 1.0),) if self._is_faulty else self.colours:
            width = share * card.width()
            painter.fillRect(QRectF(left, 0, width, card.height()), mixed(colour, self._theme.pulse, self.glow))
            left += width
        if self._selected:
            pen = QPen(self._theme.accent, 2)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(card)

    def _border(self, zoom: float) -> tuple[QColor, float]:
        """The colour and the width, which is never less than a pixel of the screen."""
        theme = self._theme
        pixel = max(1.0, 1.0 / zoom)
        if self._selected:
            return theme.accent, 2 * pixel
        if self._is_faulty:
            return theme.error, 2 * pixel
        if self.glow:
            return mixed(theme.border, theme.pulse, self.glow), pixel
        if self._tint is not None and not self._hovered:
            return self._tint, pixel
        return (theme.wire if self._hovered else theme.border), pixel

    # Marks

    def _paint_badge(self, painter: QPainter, rect: QRectF) -> None:
        colour = self._badge_colour()
        assert colour is not None
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(rect)
        font = sized(self._fonts.bold, rect.height() * 0.8)
        draw_line(painter, rect, "!", font, self._theme.card, Qt.AlignmentFlag.AlignCenter)

    def _paint_maps(self, painter: QPainter) -> None:
        room = self.card.maps
        if self._strip is None or not self._has_maps:
            self._paint_places(painter, room)
            return
        size = self._strip.size
        place = QRectF(room.right() - size.width(), room.center().y() - size.height() / 2, size.width(), size.height())
        # Enlarged, pixels stay squares; filtering is for making them smaller.
        enlarged = painter.deviceTransform().m11() * size.width() >= self._strip.image.width()
        zoom = QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not enlarged)
        image, source = self._strip.image, QRectF(self._strip.image.rect())
        if cards.detail(zoom) is not Detail.CARD:
            source.setHeight(source.height() * (1 - self._strip.figures))
        painter.drawImage(place, image, source)

    def _paint_places(self, painter: QPainter, room: QRectF) -> None:
        """Faint squares where the maps will stand, so that a card without maps does not look broken."""
        shape = self._output_shape()
        if shape is None or len(shape) != 3 or not self._has_places:
            return
        side = room.height()
        count, gap = spread(side, room.width(), shape[0])
        painter.setPen(QPen(self._theme.grid, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for position in range(count):
            right = room.right() - (count - 1 - position) * (side + gap)
            painter.drawRect(QRectF(right - side, room.top(), side, side).adjusted(0.5, 0.5, -0.5, -0.5))
