"""A button that stands for an edit: pointed at or focused by the keyboard it previews it, pressed it makes it."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QFocusEvent, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from explorer.architecture import Architecture, ArchitectureError, Edit
from explorer.look.theme import GRID, small_font
from explorer.session import Document

_KEYBOARD = frozenset(
    {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason}
)


class PreviewButton(QPushButton):
    """One click, one step of the history. The preview lasts while pointer or keyboard are on it."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._edit: Edit | None = None
        self._step = ""
        self._is_previewing = False
        self.setFont(small_font())
        self.setFixedHeight(3 * GRID)
        self.setAutoDefault(False)
        self.clicked.connect(self._apply)

    @property
    def is_previewing(self) -> bool:
        """Whether the views show what it would do."""
        return self._is_previewing

    def show_edit(self, text: str, step: str, edit: Edit) -> None:
        """Offer this edit.

        Args:
            text: what stands on the button.
            step: what the Undo menu will say.
        """
        self._edit, self._step = edit, step
        if self.text() != text:
            self.setText(text)
            self.setToolTip(self.tr("Point to preview, click to apply: %s") % text)
        self.setAccessibleName(step)

    def _apply(self) -> None:
        edit = self._edit
        if edit is None:
            return
        self._is_previewing = False
        new = _tried(edit, self._document.architecture)
        if new is None:
            self._document.preview(None)
        else:
            self._document.finish_merge()
            self._document.apply(self._step, new)

    def _preview(self) -> None:
        if self._edit is not None and _tried(self._edit, self._document.architecture) is not None:
            self._is_previewing = True
            self._document.preview(self._edit)

    def _end_preview(self) -> None:
        if self._is_previewing:
            self._is_previewing = False
            self._document.preview(None)

    # Qt

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._preview()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._end_preview()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in _KEYBOARD:
            self._preview()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.underMouse():
            self._end_preview()

    def hideEvent(self, event: QHideEvent) -> None:
        self._end_preview()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        elif event.key() == Qt.Key.Key_Escape and self._is_previewing:
            self._end_preview()
        else:
            super().keyPressEvent(event)


def _tried(edit: Edit, architecture: Architecture) -> Architecture | None:
    """The edit's result; None where the network has changed so much that the edit makes none."""
    try:
        return edit(architecture)
    except (ArchitectureError, ValueError):
        return None
