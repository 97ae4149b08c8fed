"""The quick-add box: a line such as "conv 64 3" or "residual 64" typed at the pointer becomes a layer or a block.

While one types, the list says how the line may go on, the document previews what it would make, and a line below says
that in numbers or why it cannot be. Enter, or a click on a layer of the list, puts it in, Shift+Enter asks at once for
the next one behind it, Esc closes. What the line means is `look.quick_text`'s to say, how it may go on
`look.quick_completions`'.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from explorer.canvas import steps, targets
from explorer.canvas.quick_line import CompletionDelegate
from explorer.canvas.targets import Target
from explorer.layers import Shape
from explorer.look import quick_completions, quick_text
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.session import Document, Snapshot
from explorer.session.dragging import ChosenLayer
from explorer.session.placing import Place, Placed, Refused, arriving, place

_WIDTH = 52 * GRID
_MOST_LINES = 8


class QuickAdd(QWidget):
    """The box; hidden until it is asked for.

    Signals:
        chosen(Placed): what to put in.
        more_asked(): what was chosen is in, and the next is to go behind it.
        closed(): the canvas has the keys again.
    """

    chosen = Signal(object)
    more_asked = Signal()
    closed = Signal()

    def __init__(self, document: Document, themes: ThemeSource, viewport: QWidget) -> None:
        # Beside the viewport, not in it: that scrolls what it holds, and lies below minimap and legend.
        super().__init__(viewport.parentWidget())
        self._viewport = viewport
        self._document = document
        self._themes = themes
        self._target: Target | None = None
        self._joined: tuple[str, ...] = ()
        self._arriving: tuple[Shape | None, ...] = ()
        self._answer: Placed | Refused | None = None
        self.title = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.line = _Line(self)
        self.line.setFont(body_font())
        self.line.setAccessibleName(self.tr("Layer or block to add"))
        self.list = QListWidget(self)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(CompletionDelegate(themes, self.list))
        self.list.setMouseTracking(True)
        self.facts = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        # Two lines are kept, so that nothing jumps while one types.
        self.facts.setFixedHeight(2 * self.facts.fontMetrics().lineSpacing() + 2)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID + 4, GRID, GRID + 4, GRID)
        column.setSpacing(GRID // 2)
        # The list last: it is as long as what it offers, and nothing above it moves with that.
        for widget in (self.title, self.line, self.facts, self.list):
            column.addWidget(widget)
        self.setFixedWidth(_WIDTH)
        # A click anywhere on the box is for its line, or else the canvas behind it would take the keys.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self.line)
        self.line.textChanged.connect(self._follow_text)
        self.line.left.connect(self.close_box)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._click)
        document.changed.connect(self._follow_document)
        themes.changed.connect(lambda _theme: self._recolour())
        self._recolour()
        self.hide()

    def ask(self, target: Target, position: QPoint, joined: tuple[str, ...] = ()) -> None:
        """Ask what to add at a place.

        Args:
            position: in the viewport, where the box opens.
            joined: further nodes, for a layer that joins.
        """
        self._target, self._joined = target, joined
        self.title.show_text(self.tr("Add {place}").format(place=target.words))
        where = target.where
        self._arriving = ()
        if isinstance(where, Place):
            self._arriving = arriving(self._document.snapshot, where._replace(joined=joined or where.joined))
        self.line.setPlaceholderText(quick_completions.example(self._arriving))
        self.line.clear()
        self._follow_text("")
        self._show_lines(_MOST_LINES)  # the most that it will be, for which it takes its place
        room = self._viewport.rect().adjusted(GRID, GRID, -GRID, -GRID)
        left = max(room.left(), min(position.x(), room.right() - self.width()))
        top = max(room.top(), min(position.y(), room.bottom() - self.height()))
        self.move(QPoint(left, top) + self._viewport.pos())
        self._show_lines(self.list.count())
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def tallest(self) -> int:
        """Its height with as many lines as its list ever has, in pixels."""
        self._show_lines(_MOST_LINES)
        height = self.height()
        self._show_lines(self.list.count())
        return height

    @property
    def _line_height(self) -> int:
        return self.list.fontMetrics().lineSpacing() + GRID // 2 + 2

    def close_box(self) -> None:
        """Nothing is added."""
        if self._target is None:
            return
        self._target = None
        # Before it hides: what hides with the focus hands it on, which the canvas would take for a Tab.
        if self.line.hasFocus():
            self.closed.emit()
        self.hide()
        self._document.preview(None)

    # What is typed

    def _follow_text(self, text: str) -> None:
        if self._target is None:
            return
        nodes = [node.id for node in self._document.architecture]
        self.list.clear()
        for completion in quick_completions.completions(text, nodes, self._arriving)[:_MOST_LINES]:
            item = QListWidgetItem(completion.title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, completion)
        self._show_lines(self.list.count())
        self._answer = self._ask(text)
        self._show_answer()

    def _show_lines(self, count: int) -> None:
        """Have room for so many lines of the list."""
        self.list.setVisible(count > 0)
        self.list.setFixedHeight(count * self._line_height)
        self.adjustSize()

    def _ask(self, text: str) -> Placed | Refused | None:
        assert self._target is not None
        where = self._target.where
        if not text.strip():
            return None
        if isinstance(where, Refused):
            return where
        try:
            parsed = quick_text.parsed(text, [node.id for node in self._document.architecture])
        except ValueError as error:
            return Refused(str(error), "")
        if isinstance(parsed.what, ChosenLayer) and parsed.what.layer_type.min_inputs > 1:
            where = where._replace(joined=parsed.names or self._joined)
        return place(self._document.snapshot, parsed.what, where)

    def _show_answer(self) -> None:
        answer = self._answer
        if isinstance(answer, Placed):
            self._document.preview(lambda _architecture: answer.architecture)
            self.facts.set_role("error" if answer.issue else "text")
            told = targets.facts(self._document.snapshot, answer)
            self.facts.show_text(answer.issue or f"{_described(answer)}\n{told}")
            return
        self._document.preview(None)
        self.facts.set_role("error" if isinstance(answer, Refused) else "muted")
        self.facts.show_text(
            answer.text
            if isinstance(answer, Refused)
            else self.tr("Tab completes, Enter adds, Shift+Enter adds and asks for the next, Esc closes")
        )

    def _enter(self, *, asks_again: bool = False) -> None:
        if self.list.currentRow() >= 0:
            self._complete(self.list.currentRow())
        elif isinstance(self._answer, Placed):
            answer = self._answer
            self.close_box()
            self.chosen.emit(answer)
            if asks_again:
                self.more_asked.emit()

    def _complete(self, row: int) -> None:
        item = self.list.item(row)
        if item is not None:
            completion = item.data(Qt.ItemDataRole.UserRole)
            self.line.setText(completion.text)
            self.line.setFocus()

    def _click(self, item: QListWidgetItem) -> None:
        """A layer or block that is clicked goes in as it fits; a value of one is written into the line."""
        is_first_word = len(self.line.text().split()) <= 1 and not self.line.text()[-1:].isspace()
        self._complete(self.list.row(item))
        if is_first_word:
            self._enter()

    def _step(self, by: int) -> None:
        count = self.list.count()
        if count:
            row = self.list.currentRow() + by
            self.list.setCurrentRow(-1 if row < 0 else min(row, count - 1))

    def _follow_document(self, _old: Snapshot | None, _new: Snapshot) -> None:
        # The place may be gone; the line would speak of a network that is not there.
        self.close_box()

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self.line or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        enter = partial(self._enter, asks_again=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        actions: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Escape: self.close_box,
            Qt.Key.Key_Return: enter,
            Qt.Key.Key_Enter: enter,
            Qt.Key.Key_Down: partial(self._step, 1),
            Qt.Key.Key_Up: partial(self._step, -1),
            Qt.Key.Key_Tab: lambda: self._complete(max(0, self.list.currentRow())),
        }
        action = actions.get(Qt.Key(event.key()))
        if action is None:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # the window's Escape is not meant
            return True
        if event.type() == QEvent.Type.KeyPress:
            action()
            return True
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # the canvas below is not meant

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.accent, 1.0))
        painter.setBrush(theme.card)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), GRID // 2, GRID // 2)

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.list.setStyleSheet(f"QListWidget {{ background: {theme.card.name()}; }}")
        self.update()


class _Line(QLineEdit):
    """The line that is typed.

    Signals:
        left(): the focus went elsewhere.
    """

    left = Signal()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab completes, which the box sees to."""
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        # The line's own menu, and another window in front, are no leaving.
        if event.reason() not in {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}:
            self.left.emit()


def _described(placed: Placed) -> str:
    """The new layer with all that its card shows; of a block, how many layers it has."""
    if len(placed.added) > 1:
        return f"{placed.text}: {len(placed.added)} layers"
    layer = placed.architecture[placed.added[0]].layer
    shown = [f"{steps.label(p.name)} {steps.text(layer, p.name)}" for p in steps.on_node(type(layer))]
    return "  ".join([layer.type_name, *shown, steps.summary(layer)]).rstrip()
