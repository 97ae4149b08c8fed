"""Layouts that are done before their widgets are painted, so that nothing is seen to jump into its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

_ROUNDS = 8
"""Each lets the layouts above answer what those below have just asked for; one with nothing to do takes no time."""


class SettledLayouts(QObject):
    """Finishes all layouts before each of a window's frames.

    What asks for a layout while layouts are done is served after the frame that waits already: a panel that arranges
    itself by its size would be painted once with its parts lying over each other.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            _settle()
        return False


@contextmanager
def rearranged(window: QMainWindow) -> Iterator[None]:
    """Paint nothing of a window until what happens inside is done, and laid out.

    Parts are told meanwhile that they are on screen, and some of Qt's, as a progress bar with a new value, paint the
    whole window at once, whose docks and tab bars are halfway.
    """
    window.setUpdatesEnabled(False)
    try:
        yield
        _settle()
    finally:
        window.setUpdatesEnabled(True)
        # One that has begun to float is no part of the window any more.
        for dock in window.findChildren(QDockWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            dock.setUpdatesEnabled(True)


def _settle() -> None:
    for _ in range(_ROUNDS):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
