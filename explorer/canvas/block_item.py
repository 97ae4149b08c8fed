"""A folded block's card: its kind, what goes in and comes out, and the sums over what it holds."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter, QPen, QPolygonF

from explorer.architecture.likeness import Likeness
from explorer.canvas import card as cards
from explorer.canvas.block_facts import BlockFacts
from explorer.canvas.card_item import LEFT, RIGHT, ROUND_ZOOM, CardItem, Light
from explorer.canvas.card_shape import Outline, fill_outline
from explorer.canvas.card_text import advance, draw_line, fitting_id, issue_colour, mixed, shape_change, sized
from explorer.canvas.story import NOTHING_AROUND, Whole, block_story
from explorer.layers import Shape
from explorer.look import numbers
from explorer.look.theme import GRID, Theme

_STACK = 4
"""How far the second sheet shows behind the card, in pixels: there is more inside."""

_SMALLEST = 0.75
"""Of their size, letters are left at least."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("BlockItem", text)


class BlockItem(CardItem):
    """A folded block. `show_block` is drawn when the scene next updates the item."""

    def __init__(self, path: str, facts: BlockFacts, theme: Theme, light: Light) -> None:
        super().__init__(path, cards.block_card(QGuiApplication.font().key()), theme, light)
        self._facts = facts
        self._preview: BlockFacts | None = None
        self._likeness: Likeness | None = None
        self._is_partly_selected = False
        self._is_equal = False

    @property
    def facts(self) -> BlockFacts:
        """What the card shows."""
        return self._facts

    @property
    def preview(self) -> BlockFacts | None:
        """What the card shows beside it, as what would be."""
        return self._preview

    @property
    def likeness(self) -> Likeness | None:
        """The blocks that it is marked as equal to."""
        return self._likeness

    @property
    def is_highlighted(self) -> bool:
        """Whether a block made alike is under the pointer."""
        return self._is_equal

    def show_block(self, facts: BlockFacts, likeness: Likeness | None) -> None:
        """Show another version of the block."""
        self._facts, self._likeness = facts, likeness

    def show_preview(self, facts: BlockFacts | None) -> None:
        """Show what would be; None ends that."""
        if facts != self._preview:
            self._preview = facts
            self.update()

    def show_partly_selected(self, partly: bool) -> None:
        """Show that some of its nodes are selected, not all."""
        if partly != self._is_partly_selected:
            self._is_partly_selected = partly
            self.update()

    def show_equal(self, is_equal: bool) -> None:
        """Show that a block made alike is under the pointer."""
        if is_equal != self._is_equal:
            self._is_equal = is_equal
            self.update()

    def tool_tip(self, whole: Whole = NOTHING_AROUND) -> str:
        return block_story(self.key, self._facts, self._likeness, self._theme, self._facts.node_ids, whole)

    def boundingRect(self) -> QRectF:
        return self._bounds.adjusted(0, 0, _STACK, _STACK)

    # Drawing

    def _paint_body(self, painter: QPainter, zoom: float) -> None:
        border, width = self._border(zoom)
        inset = width / 2
        rect = self.card.rect.adjusted(inset, inset, -inset, -inset)
        sheet = mixed(self._theme.card, self._theme.border, 0.35)
        if zoom < ROUND_ZOOM:
            painter.fillRect(self.card.rect.translated(_STACK, _STACK), border)
            painter.fillRect(rect.translated(_STACK - inset, _STACK - inset), sheet)
        else:
            painter.translate(_STACK, _STACK)
            outline = Outline(self.card.rect.width(), self.card.rect.height(), GRID * 0.75, width)
            fill_outline(painter, outline, border, sheet)
            painter.translate(-_STACK, -_STACK)
        super()._paint_body(painter, zoom)

    def _border(self, zoom: float) -> tuple[QColor, float]:
        colour, width = super()._border(zoom)
        if self._is_equal or (self._is_partly_selected and not self._selected):
            return self._theme.accent, width
        return colour, width

    def _paint_lines(self, painter: QPainter) -> None:
        theme, small, card = self._theme, self._fonts.small, self.card
        assert card.chevron is not None
        assert card.values is not None
        paint_chevron(painter, card.chevron, theme.accent if self._part is not None else theme.muted, is_open=False)
        rect = QRectF(card.title)
        if self._badge_colour() is not None:
            self._paint_badge(painter, QRectF(rect.right() - 14, rect.center().y() - 7, 14, 14))
            rect.setRight(rect.right() - 14 - GRID / 2)
        flow, colour = self._flow_text(rect.width() * 0.55, small)
        used = draw_line(painter, rect, flow, small, colour or theme.text, RIGHT)
        rect.setRight(rect.right() - used - GRID)
        name = fitting_id(self._name, self._fonts.bold, rect.width())
        rect.setLeft(rect.left() + draw_line(painter, rect, name, self._fonts.bold, theme.text, LEFT) + GRID)
        mark = paint_mark(painter, rect, self._likeness, small, theme, is_lit=self._is_equal)
        rect.setLeft(rect.left() + mark)
        if rect.width() > 3 * GRID:
            draw_line(painter, rect, self._facts.kind, small, theme.muted, LEFT)
        rect = QRectF(card.values)
        if self._facts.fault is not None:
            draw_line(painter, rect, self._facts.fault.text, small, theme.error, LEFT)
            return
        counts, is_preview = self._counts_text(rect.width() * 0.7, small)
        used = draw_line(painter, rect, counts, small, theme.accent if is_preview else theme.muted, RIGHT)
        rect.setRight(rect.right() - used - GRID)
        draw_line(painter, rect, self._contents(rect.width(), small), small, theme.muted, LEFT)

    def _paint_large(self, painter: QPainter, size: float) -> None:
        theme, card = self._theme, self.card
        bold, small = sized(self._fonts.bold, size), sized(self._fonts.small, size * 0.9)
        rect = QRectF(card.title.left(), 0, self._large_end - card.title.left(), card.rect.height())
        # The chevron's place is the name's here: far away, a double click folds as well.
        rect.setLeft(2 * GRID)
        line = size * 1.25
        if card.rect.height() >= 2.3 * line:
            middle = rect.center().y()
            below = QRectF(rect.left(), middle, rect.width(), line)
            if self._facts.fault is not None:
                draw_line(painter, below, self._facts.fault.text, small, theme.error, LEFT)
            else:
                counts, is_preview = self._counts_text(rect.width() * 0.5, small)
                used = draw_line(painter, below, counts, small, theme.accent if is_preview else theme.muted, RIGHT)
                below.setRight(below.right() - used - size / 2)
                draw_line(painter, below, self._contents(below.width(), small), small, theme.muted, LEFT)
            rect = QRectF(rect.left(), middle - line, rect.width(), line)
        if self._badge_colour() is not None:
            self._paint_badge(painter, QRectF(rect.right() - size, rect.center().y() - size / 2, size, size))
            rect.setRight(rect.right() - 1.3 * size)
        shape, colour = self._leaves_text()
        needed = self._name_width(bold) + advance(shape, small) + size
        needed += mark_width(self._likeness, small, with_count=False)
        if needed > rect.width():
            # A block's name tells it from its siblings, so all gets smaller before any of it is cut.
            share = max(_SMALLEST, rect.width() / needed)
            bold, small = sized(bold, bold.pixelSize() * share), sized(small, small.pixelSize() * share)
        taken = advance(shape, small)
        if taken < rect.width() * 0.6 and (
            colour is not None or self._leaves_name(bold, rect.width() - taken - size / 2)
        ):
            used = draw_line(painter, rect, shape, small, colour or theme.muted, RIGHT)
            rect.setRight(rect.right() - used - size / 2)
        # The mark first: it is short, and a long name gives way.
        mark = QRectF(rect.left() + min(self._name_width(bold) + size / 2, rect.width()), rect.top(), 0, rect.height())
        narrow = mark_width(self._likeness, small, with_count=False)
        mark.setLeft(min(mark.left(), rect.right() - narrow))
        mark.setRight(rect.right())
        paint_mark(painter, mark, self._likeness, small, theme, is_lit=self._is_equal)
        rect.setRight(mark.left() - (size / 4 if narrow else 0))
        self._paint_large_name(painter, rect, bold)

    # Words

    def _name_width(self, font: QFont) -> float:
        return advance(self._name, font)

    def _flow_text(self, width: float, font: QFont) -> tuple[str, QColor | None]:
        """What goes in and what comes out, or how the latter would change."""
        leaves, colour = self._leaves_text()
        if colour is not None:
            return leaves, colour
        flow = f"{_shapes(self._facts.arrives)} {numbers.ARROW} {leaves}"
        return (flow if advance(flow, font) <= width else leaves), None

    def _leaves_text(self) -> tuple[str, QColor | None]:
        now = self._facts.leaves
        if self._preview is None or self._preview.leaves == now:
            return (_shapes(now), None) if self._told is None else (self._told, self._theme.text)
        after = self._preview.leaves
        colour = self._theme.error if None in after else self._theme.accent
        if len(now) == len(after) == 1:
            return shape_change(now[0], after[0]), colour
        return f"{numbers.ARROW} {_shapes(after)}", colour

    def _counts_text(self, width: float, font: QFont) -> tuple[str, bool]:
        """Multiply-accumulates and parameters, or how they would change."""
        now, after = self._facts, self._preview
        macs, parameters = _tr("{} MACs"), _tr("{} params")
        if after is None or (after.macs, after.num_parameters) == (now.macs, now.num_parameters):
            parts = [
                text.format(numbers.short_count(count))
                for text, count in ((macs, now.macs), (parameters, now.num_parameters))
                if count
            ]
            return "  ".join(parts), False
        parts = [
            text.format(f"{numbers.short_count(old)} {numbers.ARROW} {numbers.short_count(new)}")
            for text, old, new in ((macs, now.macs, after.macs), (parameters, now.num_parameters, after.num_parameters))
            if old != new
        ]
        text = "  ".join(parts)
        while advance(text, font) > width and len(parts) > 1:
            text = parts.pop()
        return text, True

    def _contents(self, width: float, font: QFont) -> str:
        """What it is made of, as far as there is room: "36 × bottleneck, 362 layers", the first half, or the second."""
        layers = _tr("{} layers").format(numbers.exact_count(self._facts.num_layers))
        ways = [layers]
        if self._facts.parts is not None:
            parts = "{} × {}".format(*self._facts.parts)
            ways = [f"{parts}, {layers}", parts, layers]
        return next((text for text in ways if advance(text, font) <= width), "")

    # What the card is told

    def _colours(self) -> tuple[tuple[QColor, float], ...]:
        return tuple((self._theme.category(category), share) for category, share in self._facts.colours)

    def _output_shape(self) -> Shape | None:
        return self._facts.leaves[-1] if self._facts.leaves else None

    @property
    def _is_faulty(self) -> bool:
        return self._facts.fault is not None

    def _badge_colour(self) -> QColor | None:
        worst = self._facts.fault or self._facts.warning
        return None if worst is None else issue_colour(worst, self._theme)


def _shapes(shapes: tuple[Shape | None, ...]) -> str:
    """Shapes side by side, equal ones once: "64×56×56", "64×56×56 + 128×28×28", "4 values"."""
    distinct = list(dict.fromkeys(shapes))
    if len(distinct) > 2:
        return _tr("{} values").format(len(shapes))
    return " + ".join(numbers.shape(shape) for shape in distinct)


def paint_chevron(painter: QPainter, rect: QRectF, colour: QColor, *, is_open: bool, arm: float = 4.0) -> None:
    """The triangle that says whether a block is open, `arm` pixels to each side."""
    middle = rect.center()
    corners = [(-arm, -arm / 2), (arm, -arm / 2), (0.0, arm * 0.75)]
    turned = [QPointF(x, y) if is_open else QPointF(y, x) for x, y in corners]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([middle + corner for corner in turned]))


def paint_mark(
    painter: QPainter, room: QRectF, likeness: Likeness | None, font: QFont, theme: Theme, *, is_lit: bool
) -> float:
    """The mark of equal blocks, "A ×35" or "A", or of the odd one; returns the width used."""
    with_count = mark_width(likeness, font, with_count=True) <= room.width()
    width = mark_width(likeness, font, with_count=with_count)
    if likeness is None or width > room.width() + 0.5:
        return 0.0
    text = _mark_text(likeness, with_count=with_count)
    metrics = QFontMetricsF(font)
    height = metrics.height() + 2
    place = QRectF(room.left(), room.center().y() - height / 2, width, height)
    colour = theme.warning if likeness.is_odd else theme.accent if is_lit else theme.muted
    painter.setPen(QPen(colour if likeness.is_odd or is_lit else theme.border, max(1.0, height / 16)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(place, height / 4, height / 4)
    draw_line(painter, place, text, font, colour, Qt.AlignmentFlag.AlignCenter)
    return width + metrics.height() / 2


def mark_width(likeness: Likeness | None, font: QFont, *, with_count: bool) -> float:
    """The room that a mark takes, without what parts it from the next word."""
    if likeness is None:
        return 0.0
    return advance(_mark_text(likeness, with_count=with_count), font) + QFontMetricsF(font).height() * 0.8


def _mark_text(likeness: Likeness, *, with_count: bool) -> str:
    if likeness.is_odd:
        return "≠"
    return f"{likeness.letter} ×{len(likeness.equals)}" if with_count else likeness.letter
