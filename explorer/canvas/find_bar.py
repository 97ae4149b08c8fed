"""The bar in which one types what to find: a query, how many layers match, and what of it is not understood.

What matches, and what is shown of it, is `finding`'s.
"""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer.look.icons import icon
from explorer.look.key_line import KeyLine
from explorer.look.query import EXAMPLES
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font

WIDTH = 48 * GRID


class FindBar(QWidget):
    """A field, a count, two arrows and a cross.

    Signals:
        edited(str): another query is typed.
        stepped(int): go to the next match (1) or the one before (−1).
        closed(): the user is done.
    """

    edited = Signal(str)
    stepped = Signal(int)
    closed = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._is_problem = False
        # The canvas below must not take a click beside the field for its own.
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.field = _Field(self)
        self.field.setFont(body_font())
        self.field.setPlaceholderText(self.tr("Name, type, shape or {}").format(EXAMPLES[0]))
        self.field.setAccessibleName(self.tr("Find layers"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self.edited)
        self.field.stepped.connect(self.stepped)
        self.field.left.connect(self.closed)
        self.count = QLabel(self)
        self.count.setFont(small_font())
        # As wide as the longest count, so that nothing moves while one types.
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance("888 of 888") + GRID)
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.before = self._button(self.tr("Match before (Shift+Enter)"))
        self.after = self._button(self.tr("Next match (Enter)"))
        self.cross = self._button(self.tr("Close (Esc)"))
        self.before.clicked.connect(lambda: self.stepped.emit(-1))
        self.after.clicked.connect(lambda: self.stepped.emit(1))
        self.cross.clicked.connect(self.closed)
        self.note = QLabel(self)
        self.note.setFont(small_font())
        self.note.setForegroundRole(QPalette.ColorRole.WindowText)
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        for widget in (self.field, self.count, self.before, self.after, self.cross):
            row.addWidget(widget)
        row.setStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID // 2 + 2, GRID // 2, GRID // 2 + 2)
        column.setSpacing(GRID // 2)
        column.addLayout(row)
        column.addWidget(self.note)
        self.hide()
        themes.changed.connect(self._show_theme)
        self._show_theme(themes.theme)
        self._set_icons()

    def open(self) -> None:
        """Come up, ready to type; what was typed last is selected."""
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def show_found(self, at: int | None, count: int) -> None:
        """Say which match is current, from 0, and how many there are."""
        text = ""
        if self.field.text().strip():
            text = self.tr("{} of {}").format(at + 1, count) if at is not None else self.tr("{} found").format(count)
        self.count.setText(text)
        for button in (self.before, self.after):
            button.setEnabled(count > 0)
        self._show_note("", is_problem=False)

    def show_problem(self, text: str) -> None:
        """Say what of the query is not understood."""
        self.count.setText("")
        for button in (self.before, self.after):
            button.setEnabled(False)
        self._show_note(text, is_problem=True)

    def _show_note(self, text: str, *, is_problem: bool) -> None:
        self._is_problem = is_problem
        if not text and not self.field.text().strip():
            text = self.tr("for example {}").format("   ".join(EXAMPLES))
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self._show_theme(self._themes.theme)
        self.adjust()

    def adjust(self) -> None:
        """Take the height that the note needs."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        height = layout.heightForWidth(self.width()) if layout.hasHeightForWidth() else layout.sizeHint().height()
        self.resize(self.width(), height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._themes.theme.border, 1))
        painter.setBrush(self._themes.theme.panel)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), GRID / 2, GRID / 2)
        painter.end()

    def _button(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setIconSize(QSize(2 * GRID, 2 * GRID))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    def _show_theme(self, theme: Theme) -> None:
        colours = self.note.palette()
        colours.setColor(QPalette.ColorRole.WindowText, theme.warning if self._is_problem else theme.muted)
        self.note.setPalette(colours)

    def _set_icons(self) -> None:
        self._themes.changed.connect(self._show_icons)
        self._show_icons(self._themes.theme)

    def _show_icons(self, theme: Theme) -> None:
        self.before.setIcon(icon("before", theme))
        self.after.setIcon(icon("choose", theme))
        self.cross.setIcon(icon("close", theme))


class _Field(KeyLine):
    """A line whose Enter goes on and whose Escape leaves, before the window's shortcuts.

    Signals:
        stepped(int): Enter (1) or Shift+Enter (−1).
        left(): Escape.
    """

    stepped = Signal(int)
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.stepped.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
