"""A view in a dock, which wants nothing while the dock's tab is behind another."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDockWidget

from explorer.app.looking import Viewer
from explorer.runs import Event, Look
from explorer.session.sources import Source


class InFront(QObject):
    """A `Viewer` for another one. To Qt a widget in a dock behind others is visible, and so it is to itself."""

    wanted_changed = Signal()

    def __init__(self, viewer: Viewer, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._is_in_front = True
        viewer.wanted_changed.connect(self.wanted_changed)
        dock.visibilityChanged.connect(self._follow)

    def wanted(self) -> Look:
        """What the view wants, if anybody sees it."""
        return self._viewer.wanted() if self._is_in_front else Look()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Also for a view behind others: it may keep a history."""
        self._viewer.show_observed(events, source)

    def clear_observed(self) -> None:
        """Pass it on."""
        self._viewer.clear_observed()

    def show_problem(self, text: str) -> None:
        """Pass it on."""
        self._viewer.show_problem(text)

    def _follow(self, is_in_front: bool) -> None:
        if is_in_front != self._is_in_front:
            self._is_in_front = is_in_front
            self.wanted_changed.emit()
