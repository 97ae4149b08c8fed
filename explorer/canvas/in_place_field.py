"""The line that lies over the canvas while something is typed there: its looks, and what its keys mean.

What is typed, and what becomes of it, is `in_place`'s.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer.look.theme import ThemeSource, body_font


class Field(QLineEdit):
    """The line that is typed into.

    Signals:
        kept(): Enter.
        taken_back(): Esc.
        moved(int): Tab, 1; with Shift, −1.
        stepped(int): the arrow keys, up 1, down −1; with Shift ten times as far.
        left(): the focus went elsewhere.
    """

    kept = Signal()
    taken_back = Signal()
    moved = Signal(int)
    stepped = Signal(int)
    left = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._is_refused = False
        self._font = body_font()
        self.setFont(self._font)
        self.setTextMargins(0, 0, 0, 0)
        self.setAccessibleName(self.tr("Value on the canvas"))
        themes.changed.connect(lambda _theme: self._recolour())
        self._recolour()
        self.hide()
        keys = Qt.Key
        self._actions: dict[Qt.Key, Callable[[], object]] = {
            keys.Key_Return: self.kept.emit,
            keys.Key_Enter: self.kept.emit,
            keys.Key_Escape: self.taken_back.emit,
            keys.Key_Up: partial(self.stepped.emit, 1),
            keys.Key_Down: partial(self.stepped.emit, -1),
        }

    def show_text(self, text: str) -> None:
        """Show a text that is none of the user's own."""
        self.setText(text)
        self.set_refused(False)

    def show_size(self, zoom: float) -> None:
        """Write as large as the canvas does, within what is legible."""
        font = QFont(self._font)
        font.setPointSizeF(max(0.9, min(1.6, zoom)) * self._font.pointSizeF())
        self.setFont(font)

    def set_refused(self, refused: bool) -> None:
        """Show in the error's colour that this cannot be."""
        if refused != self._is_refused:
            self._is_refused = refused
            self._recolour()

    def _recolour(self) -> None:
        theme = self._themes.theme
        text = theme.error if self._is_refused else theme.text
        edge = theme.error if self._is_refused else theme.accent
        self.setStyleSheet(
            f"QLineEdit {{ border: 2px solid {edge.name()}; border-radius: 3px; padding: 0 3px;"
            f" background: {theme.card.name()}; color: {text.name()}; }}"
        )

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down} and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.stepped.emit(10 if key == Qt.Key.Key_Up else -10)
        elif key in self._actions:
            self._actions[key]()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes on to the next value."""
        self.moved.emit(1 if forward else -1)
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}:
            self.left.emit()
