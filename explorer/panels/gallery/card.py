"""One card of the gallery: a button that paints a network in miniature, its name, its numbers and its idea."""

from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QWidget

from explorer.architecture import Architecture
from explorer.inference import Inference
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.miniature import miniature

_PADDING = 2 * GRID
_TALL = 24 * GRID
_SHORT = 9 * GRID
_ARROWS = frozenset(
    {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}
)


class CardText(NamedTuple):
    """What a card says."""

    title: str
    aside: str
    """At the right of the title: the year."""
    numbers: str
    """Empty until they are known."""
    text: str


class Card(QAbstractButton):
    """A network (tall) or a recent project (short, with the miniature at the left).

    Signals:
        arrow_pressed(int): the user leaves in the direction of this Qt.Key.
        typed(str): the user types, so means the search.
        focused(): reached by keyboard or mouse; scroll it into view.
        options_requested(): the user wants to choose parameters before it opens.
    """

    arrow_pressed = Signal(int)
    typed = Signal(str)
    focused = Signal()
    options_requested = Signal()

    def __init__(self, text: CardText, *, tall: bool, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._tall = tall
        self._themes = themes
        self._network: tuple[Architecture, Inference] | None = None
        self._picture: tuple[object, QPixmap] | None = None
        self._has_options = False
        self._options: QPushButton | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(_TALL if tall else _SHORT)
        self.setAccessibleName(text.title)
        self.setAccessibleDescription(text.text)
        themes.changed.connect(self.update)

    @property
    def card_text(self) -> CardText:
        """What the card says now."""
        return self._text

    def set_text(self, text: CardText) -> None:
        """Say something else, such as the numbers once they are known."""
        self._text = text
        self.setAccessibleDescription(f"{text.numbers}. {text.text}" if text.numbers else text.text)
        self.update()

    def set_network(self, architecture: Architecture, inference: Inference) -> None:
        """Show this network in miniature."""
        self._network = (architecture, inference)
        self._picture = None
        self.update()

    def offer_options(self) -> None:
        """The network has parameters: a button while the card is pointed at, O and the context menu ask for them."""
        self._has_options = True

    def menu(self) -> QMenu:
        """What can be done to the card."""
        menu = QMenu(self)
        menu.setDefaultAction(menu.addAction(self.tr("Open"), self.click))
        if self._has_options:
            # After a tab, a menu shows the key without claiming it.
            menu.addAction(self.tr("Options…") + "\tO", self.options_requested.emit)
        return menu

    def sizeHint(self) -> QSize:
        return QSize(36 * GRID, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if event.key() in _ARROWS:
            self.arrow_pressed.emit(event.key())
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        elif plain and self._has_options and event.key() == Qt.Key.Key_O:
            self.options_requested.emit()
        elif plain and event.text().isprintable() and event.text().strip():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()
        self._show_options()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_options()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._show_options()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._show_options()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_options()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.isEnabled():
            menu = self.menu()
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lit = self.isEnabled() and (self.underMouse() or self.hasFocus())
        width = 2.0 if self.hasFocus() else 1.0
        frame = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.setPen(QPen(theme.accent if lit else theme.border, width))
        painter.setBrush(theme.panel.darker(104) if self.isDown() else theme.panel)
        painter.drawRoundedRect(frame, GRID, GRID)
        if self._tall:
            self._paint_tall(painter)
        else:
            self._paint_short(painter)

    def _show_options(self) -> None:
        """The button stands over the miniature while the card is pointed at or focused; made when first needed."""
        is_wanted = self._has_options and (self.underMouse() or self.hasFocus())
        if is_wanted and self._options is None:
            self._options = QPushButton(self.tr("Options…"), self)
            self._options.setFont(small_font())
            self._options.setToolTip(self.tr("Choose depth, classes and the like, then open (O)"))
            # The card has the focus and listens for O.
            self._options.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._options.setCursor(Qt.CursorShape.ArrowCursor)
            self._options.clicked.connect(self.options_requested)
            self._place_options()
        if self._options is not None:
            self._options.setVisible(is_wanted)

    def _place_options(self) -> None:
        if self._options is not None:
            size = self._options.sizeHint()
            self._options.setGeometry(self.width() - size.width() - GRID, GRID, size.width(), size.height())

    def _paint_tall(self, painter: QPainter) -> None:
        theme = self._themes.theme
        inner = self.rect().adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        picture = QRect(inner.left(), inner.top(), inner.width(), 9 * GRID)
        self._paint_picture(painter, picture)
        top = picture.bottom() + 2 * GRID
        top = self._paint_title(painter, QRect(inner.left(), top, inner.width(), 2 * GRID + 4))
        painter.setFont(small_font())
        painter.setPen(theme.muted)
        line = QFontMetrics(painter.font()).height()
        painter.drawText(QRect(inner.left(), top, inner.width(), line), 0, self._text.numbers)
        top += line + GRID
        self._paint_paragraph(painter, QRect(inner.left(), top, inner.width(), inner.bottom() - top + GRID))

    def _paint_short(self, painter: QPainter) -> None:
        inner = self.rect().adjusted(_PADDING, GRID, -_PADDING, -GRID)
        picture = QRect(inner.left(), inner.top() + GRID, 9 * GRID, inner.height() - 2 * GRID)
        self._paint_picture(painter, picture)
        left = picture.right() + 2 * GRID
        text = QRect(left, inner.top() + GRID, inner.right() - left, inner.height())
        top = self._paint_title(painter, QRect(text.left(), text.top(), text.width(), 2 * GRID + 4))
        painter.setFont(small_font())
        painter.setPen(self._themes.theme.muted)
        metrics = QFontMetrics(painter.font())
        shown = metrics.elidedText(self._text.text, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(QRect(text.left(), top, text.width(), metrics.height()), 0, shown)

    def _paint_title(self, painter: QPainter, rect: QRect) -> int:
        theme = self._themes.theme
        painter.setFont(small_font())
        painter.setPen(theme.muted)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, right, self._text.aside)
        room = rect.width() - QFontMetrics(painter.font()).horizontalAdvance(self._text.aside) - GRID
        painter.setFont(body_font(bold=True))
        painter.setPen(theme.text if self.isEnabled() else theme.muted)
        shown = QFontMetrics(painter.font()).elidedText(self._text.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        return rect.bottom() + 5

    def _paint_paragraph(self, painter: QPainter, rect: QRect) -> None:
        painter.setFont(small_font())
        painter.setPen(self._themes.theme.text)
        metrics = QFontMetrics(painter.font())
        layout = QTextLayout(self._text.text, painter.font())
        layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
        layout.beginLayout()
        num_lines = max(1, rect.height() // metrics.lineSpacing())
        for number in range(num_lines):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(rect.width())
            baseline = rect.top() + number * metrics.lineSpacing() + metrics.ascent()
            rest = self._text.text[line.textStart() :]
            if number < num_lines - 1:
                rest = rest[: line.textLength()]
            shown = metrics.elidedText(rest.strip(), Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(QPointF(rect.left(), baseline), shown)
        layout.endLayout()

    def _paint_picture(self, painter: QPainter, rect: QRect) -> None:
        if self._network is None:
            return
        key = (rect.size().toTuple(), self.devicePixelRatioF(), self._themes.theme.is_dark)
        if self._picture is None or self._picture[0] != key:
            drawn = miniature(*self._network, rect.size(), self.devicePixelRatioF(), self._themes.theme)
            self._picture = (key, drawn)
        painter.drawPixmap(rect.topLeft(), self._picture[1])
