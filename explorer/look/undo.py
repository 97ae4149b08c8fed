"""Ctrl+Z in a number box takes back the last edit of the network, not the last keystroke in the box."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox

_TAKEN_BACK = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class _UndoToWindow(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and any(event.matches(key) for key in _TAKEN_BACK)
        ):
            # A box would claim the key for its own line of text; refused here, it reaches the window's action.
            event.ignore()
            return True
        return False


def leave_undo_to_window(box: QAbstractSpinBox) -> None:
    """Let the window's Undo and Redo work while `box` has the focus."""
    box.installEventFilter(_UndoToWindow(box))
