"""The line over the layer table in which one types which rows to see, in the query language of Find on the canvas.

What matches is the table's to find out.
"""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.key_line import KeyLine
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.query import EXAMPLES
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font

_FIELD_WIDTH = 44 * GRID
_HEIGHT = 4 * GRID


class FilterLine(QWidget):
    """A field, how many rows it leaves, and what of it is not understood.

    Signals:
        edited(str): another query is typed.
        left(): the user is done typing, and wants to go on in the rows.
    """

    edited = Signal(str)
    left = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.setFixedHeight(_HEIGHT)
        self._picture = QLabel(self)
        self._picture.setFixedSize(2 * GRID, 2 * GRID)
        self.field = _Field(self)
        self.field.setFont(body_font())
        self.field.setPlaceholderText(self.tr("Filter: name, type, shape or {}").format(EXAMPLES[0]))
        self.field.setToolTip(self.tr("Which layers to list (Ctrl+F), for example\n{}").format("   ".join(EXAMPLES)))
        self.field.setAccessibleName(self.tr("Filter layers"))
        self.field.setClearButtonEnabled(True)
        self.field.setMaximumWidth(_FIELD_WIDTH)
        self.field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.field.textChanged.connect(self.edited)
        self.field.left.connect(self.left)
        self.count = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.problem = ElidedLabel(themes, role="warning", font=small_font(), parent=self)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(self._picture)
        row.addWidget(self.field, 2)
        row.addWidget(self.count)
        row.addWidget(self.problem, 3)
        self._set_icons()

    def open(self) -> None:
        """Let the user type; what is there is selected."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def show_count(self, shown: int | None, count: int) -> None:
        """Say how many rows of how many are shown; None: nothing is looked for."""
        of = self.tr("{} of {}").format(numbers.exact_count(shown or 0), numbers.exact_count(count))
        self.count.show_text("" if shown is None else of)
        self.count.setVisible(shown is not None)
        self.problem.show_text("")

    def show_problem(self, text: str) -> None:
        """Say what of the query is not understood."""
        self.count.setVisible(False)
        self.problem.show_text(text)

    def sizeHint(self) -> QSize:
        return QSize(_FIELD_WIDTH, _HEIGHT)

    def _set_icons(self) -> None:
        self._themes.changed.connect(self._show_icon)
        self._show_icon(self._themes.theme)

    def _show_icon(self, theme: Theme) -> None:
        self._picture.setPixmap(icon("search", theme, theme.muted).pixmap(QSize(2 * GRID, 2 * GRID)))


class _Field(KeyLine):
    """A line that Escape clears, or leaves where it is empty, before the window's shortcuts; Enter and Down leave it.

    Signals:
        left(): it was left by a key.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in {Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down}:
            self.left.emit()
        else:
            super().keyPressEvent(event)
