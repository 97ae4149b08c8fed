"""One node's card: what it looks like at each zoom and in each state. It decides nothing and edits nothing."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter, QPen, QPolygonF

from explorer.architecture import Node
from explorer.canvas import card as cards
from explorer.canvas import steps
from explorer.canvas.card import Part, Stepper
from explorer.canvas.card_item import LEFT, RIGHT, CardItem, Light
from explorer.canvas.card_text import advance, draw_line, fitting_id, issue_colour, shape_change, sized
from explorer.canvas.story import NOTHING_AROUND, Whole, node_story
from explorer.inference import NodeReport
from explorer.layers import Category, Shape
from explorer.look import numbers
from explorer.look.theme import GRID, Theme
from explorer.session.measuring import is_waiting


def _tr(text: str) -> str:
    return QCoreApplication.translate("NodeItem", text)


class Now:
    """What is known of all nodes: one value for all cards, each of which asks for its own when it is drawn."""

    __slots__ = ("reports",)

    def __init__(self) -> None:
        self.reports: Mapping[str, NodeReport] = {}


class NodeItem(CardItem):
    """A node's card.

    What the scene says of many cards at once (`show_node`, `Now`) is drawn when the scene next updates them.
    """

    def __init__(self, node: Node, now: Now, theme: Theme, light: Light) -> None:
        super().__init__(node.id, cards.card(type(node.layer), QGuiApplication.font().key()), theme, light)
        self.node_id = node.id
        self._node = node
        self._now = now
        self._preview: NodeReport | None = None
        self._output: int | None = None

    @property
    def report(self) -> NodeReport:
        """What the card shows."""
        return self._now.reports[self.node_id]

    @property
    def node(self) -> Node:
        """Whose card it is."""
        return self._node

    @property
    def output(self) -> int | None:
        """Its place among the network's outputs, or None."""
        return self._output

    @property
    def preview(self) -> NodeReport | None:
        """What the card shows beside it, as what would be."""
        return self._preview

    def show_node(self, node: Node, output: int | None) -> None:
        """Show another version of the node.

        Args:
            output: its place among the network's outputs, or None.
        """
        layer_type = type(node.layer)
        if layer_type is not type(self._node.layer):
            self._set_card(cards.card(layer_type, QGuiApplication.font().key()))
        self._node, self._output = node, output

    def show_preview(self, report: NodeReport | None) -> None:
        """Show what would be; None ends that."""
        if report is not self._preview:
            self._preview = report
            self.update()

    def tool_tip(self, whole: Whole = NOTHING_AROUND) -> str:
        return node_story(self._node, self.report, self._theme, whole)

    # Text

    def _paint_lines(self, painter: QPainter) -> None:
        self._paint_title(painter)
        if self.card.values is not None:
            self._paint_values(painter, self.card.values)

    def _paint_title(self, painter: QPainter) -> None:
        theme, rect = self._theme, QRectF(self.card.title)
        if self._badge_colour() is not None:
            self._paint_badge(painter, QRectF(rect.right() - 14, rect.center().y() - 7, 14, 14))
            rect.setRight(rect.right() - 14 - GRID / 2)
        shape, colour = self._shape_text()
        draw_line(painter, rect, shape, self._fonts.small, colour or theme.text, RIGHT)
        rect.setRight(rect.right() - advance(shape, self._fonts.small) - GRID)
        name = fitting_id(self._name, self._fonts.bold, rect.width())
        used = draw_line(painter, rect, name, self._fonts.bold, theme.text, LEFT)
        rect.setLeft(rect.left() + used + GRID)
        if self._output is not None:
            rect.setLeft(rect.left() + self._paint_pill(painter, rect) + GRID)
        if rect.width() > 3 * GRID:
            layer = self._node.layer
            caption = f"{layer.type_name}  {steps.summary(layer)}".rstrip()
            draw_line(painter, rect, caption, self._fonts.small, theme.muted, LEFT)

    def _paint_values(self, painter: QPainter, rect: QRectF) -> None:
        theme = self._theme
        shown = self._selected or self._hovered
        end = rect.left()
        for stepper in self.card.steppers:
            self._paint_stepper(painter, stepper, shown)
            end = stepper.rect.right()
        count, is_preview = self._count_text(rect.right() - end)
        colour = theme.accent if is_preview else theme.muted
        draw_line(painter, rect, count, self._fonts.small, colour, RIGHT)

    def _paint_stepper(self, painter: QPainter, stepper: Stepper, arrows: bool) -> None:
        theme, name = self._theme, stepper.name
        under = self._part is not None and self._part.name == name
        if under:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.grid)
            painter.drawRoundedRect(stepper.rect.adjusted(0, 1, 0, -1), GRID / 2, GRID / 2)
        rect = stepper.rect.adjusted(GRID / 2, 0, -cards.ARROWS_WIDTH, 0)
        used = draw_line(painter, rect, steps.label(name), self._fonts.small, theme.muted, LEFT)
        rect.setLeft(rect.left() + used + GRID / 2)
        text, colour = steps.text(self._node.layer, name), theme.text
        if self._preview is not None and isinstance(self._preview.layer, type(self._node.layer)):
            after = steps.text(self._preview.layer, name)
            if after != text:
                text, colour = after, theme.accent
        draw_line(painter, rect, text, self._fonts.body, colour, LEFT)
        if not arrows:
            return
        for up, count in ((True, 1), (False, -1)):
            movable = steps.stepped(self._node.layer, name, count) is not self._node.layer
            pressed = under and self._part == Part(name, count)
            colour = theme.border if not movable else theme.accent if pressed else theme.muted
            self._paint_arrow(painter, stepper.arrow(up), up, colour)

    def _paint_arrow(self, painter: QPainter, rect: QRectF, up: bool, colour: QColor) -> None:
        # Both triangles close to the middle of the cell, so that they read as one control.
        middle = QPointF(rect.center().x(), rect.bottom() - 5 if up else rect.top() + 5)
        tip = -2.5 if up else 2.5
        triangle = [QPointF(-3.5, -tip), QPointF(3.5, -tip), QPointF(0, tip)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([middle + corner for corner in triangle]))

    def _paint_large(self, painter: QPainter, size: float) -> None:
        """Name and shape, and the values below where the card is high enough."""
        theme, card = self._theme, self.card
        bold, small = sized(self._fonts.bold, size), sized(self._fonts.small, size * 0.9)
        rect = QRectF(card.title.left(), 0, self._large_end - card.title.left(), card.rect.height())
        line = size * 1.25
        if card.values is not None and card.rect.height() >= 2.3 * line:
            middle = rect.center().y()
            self._paint_summary(painter, QRectF(rect.left(), middle, rect.width(), line), small)
            rect = QRectF(rect.left(), middle - line, rect.width(), line)
        if self._badge_colour() is not None:
            self._paint_badge(painter, QRectF(rect.right() - size, rect.center().y() - size / 2, size, size))
            rect.setRight(rect.right() - 1.3 * size)
        shape, colour = self._shape_text()
        if self._preview is not None and colour is not None and advance(shape, small) > rect.width() * 0.6:
            shape = f"{numbers.ARROW} {numbers.shape(self._preview.output_shape)}"
        taken = advance(shape, small)
        # A change under the pointer is what one looks at; else the name comes first, and the wire says the shape.
        if taken < rect.width() * 0.7 and (
            colour is not None or self._leaves_name(bold, rect.width() - taken - size / 2)
        ):
            draw_line(painter, rect, shape, small, colour or theme.muted, RIGHT)
            rect.setRight(rect.right() - taken - size / 2)
        self._paint_large_name(painter, rect, bold)

    def _paint_summary(self, painter: QPainter, rect: QRectF, font: QFont) -> None:
        count, is_preview = self._count_text(rect.width() / 2)
        colour = self._theme.accent if is_preview else self._theme.muted
        used = draw_line(painter, rect, count, font, colour, RIGHT)
        rect.setRight(rect.right() - used - GRID)
        layer = self._node.layer
        values = [f"{steps.label(s.name)} {steps.text(layer, s.name)}" for s in self.card.steppers]
        text = "  ".join(values) or layer.type_name
        draw_line(painter, rect, text, font, self._theme.muted, LEFT)

    def _shape_text(self) -> tuple[str, QColor | None]:
        """The output's shape, or how it would change, or what is told instead; and a colour where it stands out."""
        now = self.report.output_shape
        if self._is_waiting:
            return _tr("measuring…"), self._theme.muted
        if self._preview is None or self._preview.output_shape == now:
            return (numbers.shape(now), None) if self._told is None else (self._told, self._theme.text)
        after = self._preview.output_shape
        return shape_change(now, after), self._theme.error if after is None else self._theme.accent

    def _count_text(self, width: float) -> tuple[str, bool]:
        now = self.report.num_parameters
        if self._preview is None or self._preview.num_parameters == now:
            return (numbers.short_count(now) if now != 0 else ""), False
        after = numbers.short_count(self._preview.num_parameters)
        text = f"{numbers.short_count(now)} {numbers.ARROW} {after}"
        if advance(text, self._fonts.small) > width:
            text = f"{numbers.ARROW} {after}"
        return text, True

    # Marks

    def _paint_pill(self, painter: QPainter, room: QRectF) -> float:
        assert self._output is not None
        text = _tr("output") if self._output == 0 else _tr("output {}").format(self._output + 1)
        metrics = QFontMetricsF(self._fonts.small)
        width = metrics.horizontalAdvance(text) + 2 * GRID
        if width > room.width():
            return 0.0
        height = metrics.height() + 2
        pill = QRectF(room.left(), room.center().y() - height / 2, width, height)
        painter.setPen(QPen(self._theme.border, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(pill, height / 2, height / 2)
        draw_line(painter, pill, text, self._fonts.small, self._theme.muted, Qt.AlignmentFlag.AlignCenter)
        return width

    # What the card is told

    def _colours(self) -> tuple[tuple[QColor, float], ...]:
        return ((self._theme.category(self._category), 1.0),)

    def _output_shape(self) -> Shape | None:
        return self.report.output_shape

    @property
    def _category(self) -> Category:
        return self._node.layer.category

    @property
    def _is_terminal(self) -> bool:
        return self._output is not None or self._category is Category.INPUT

    @property
    def _is_waiting(self) -> bool:
        """Whether torch is being asked about it: nothing is wrong yet."""
        return is_waiting(self.report.layer, self.report.input_shapes)

    @property
    def _is_faulty(self) -> bool:
        return self.report.fault is not None and not self._is_waiting

    def _badge_colour(self) -> QColor | None:
        if self._is_waiting:
            return None
        # A note is no fault: the inspector and the issues tell it, the graph stays calm.
        worst = next((issue for issue in self.report.issues if issue.severity != "note"), None)
        return None if worst is None else issue_colour(worst, self._theme)
