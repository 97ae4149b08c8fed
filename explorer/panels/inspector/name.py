"""A name that can be edited where it stands. What renaming means is its owner's; refusals are shown beneath it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer.look.theme import ThemeSource, title_font


class NameField(QLineEdit):
    """A title that turns into a field under pointer and focus; Enter or leaving it commits, Escape takes it back.

    Signals:
        committed(str): the user entered another name.
        reverted(): the old name is back, so a refusal no longer holds.
    """

    committed = Signal(str)
    reverted = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._name = ""
        self._is_refused = False
        self.setFrame(False)
        self.setFont(title_font())
        # Qt's own margin of two pixels would stand out of the panel's left edge.
        self.setTextMargins(-2, 2, 0, 4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.editingFinished.connect(self._commit)
        # By palette the ground would stay white: the window's style sheet restores the palette that it found.
        self.setStyleSheet("background: transparent;")
        themes.changed.connect(self.update)

    def show_name(self, name: str) -> None:
        """Show a name; half-typed text stays where the name is the same."""
        if name == self._name:
            return
        self._name = name
        self._is_refused = False
        self.setText(name)
        self.setCursorPosition(0)
        self.update()

    def set_refused(self, refused: bool) -> None:
        """Mark the text as one that cannot be the name."""
        self._is_refused = refused
        self.update()

    def revert(self) -> None:
        """Show the name again in place of what was typed."""
        self.setText(self._name)
        self.set_refused(False)
        self.reverted.emit()

    def _commit(self) -> None:
        text = self.text().strip()
        if text == self._name:
            self.revert()
        else:
            self.committed.emit(text)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._themes.theme
        if self._is_refused:
            colour = theme.error
        elif self.hasFocus():
            colour = theme.accent
        elif self.underMouse():
            colour = theme.border
        else:
            return
        painter = QPainter(self)
        painter.setPen(QPen(colour, 2 if self.hasFocus() else 1))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text() != self._name:
            self.revert()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()
