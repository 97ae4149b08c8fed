"""A widget whose restlessness stays its own: a number that changes in it lays out nothing around it."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.look.theme import GRID

_SLACK = 3 * GRID
"""Pixels of a least size that come and go with the digits of a number."""


class Island(QWidget):
    """Holds one widget at its own size, and asks for another size only if the widget needs one.

    Qt lays out everything up to the window whenever a label's text changes, hidden or not, which in a window of docks
    takes longer than painting the text. Nothing around a panel depends on such a change.
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        """Take the widget in."""
        super().__init__(parent)
        self._content = content
        self._needed = QSize()
        content.setParent(self)
        self.setFocusProxy(content)
        self.setSizePolicy(content.sizePolicy())

    @property
    def content(self) -> QWidget:
        """What it holds."""
        return self._content

    def sizeHint(self) -> QSize:
        return self._content.sizeHint()

    def minimumSizeHint(self) -> QSize:
        self._needed = self._content.minimumSizeHint().expandedTo(self._content.minimumSize())
        return self._needed

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._content.setGeometry(self.rect())

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.LayoutRequest:
            return super().event(event)
        before, needed = self._needed, self._content.minimumSizeHint().expandedTo(self._content.minimumSize())
        has_room = needed.width() <= self.width() and needed.height() <= self.height()
        change = max(abs(needed.width() - before.width()), abs(needed.height() - before.height()))
        if change > _SLACK or (change and not has_room):
            self.updateGeometry()
        return True
