"""A panel that lives in a dock, and knows whether anybody sees it.

To Qt a widget in a dock behind other tabs is visible, and so it is to itself: `app.docks` tells it.
"""

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget


class DockPanel(QWidget):
    """A widget that works for nobody while it is hidden or its dock's tab is behind another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_in_front = True

    @property
    def is_seen(self) -> bool:
        """Whether it is on screen, and its dock's tab is the one that is open."""
        return self._is_in_front and self.isVisible()

    def set_in_front(self, in_front: bool) -> None:
        """Whether its dock's tab is the one that is open."""
        if in_front != self._is_in_front:
            self._is_in_front = in_front
            self._follow_seen(self.is_seen)

    def _follow_seen(self, is_seen: bool) -> None:
        """Begin or end what is done for those who see it; also asked where nothing has changed."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow_seen(self._is_in_front)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._follow_seen(False)
