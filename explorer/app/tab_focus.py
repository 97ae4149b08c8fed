"""A click on a dock's tab goes into the dock: the keys that are pressed next are meant for what it shows.

Qt leaves the focus where it was, say on the canvas, so that Ctrl+F over a table would look there. Docks that do not say
by a focus proxy where their keys go leave it so too: a form must not take a digit that was meant for the canvas.
"""

from PySide6.QtCore import QChildEvent, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar

from explorer.look.island import Island


class TabFocus(QObject):
    """Watches the tab bars of a window's docks, which Qt makes as they are needed."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._known: set[QTabBar] = set()
        window.installEventFilter(self)
        for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            self._watch(bar)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ChildPolished and isinstance(event, QChildEvent):
            child = event.child()
            if isinstance(child, QTabBar):
                self._watch(child)
        return False

    def _watch(self, bar: QTabBar) -> None:
        if bar not in self._known:
            self._known.add(bar)
            bar.destroyed.connect(lambda: self._known.discard(bar))
            # The dock comes to the front after the click.
            bar.tabBarClicked.connect(lambda index: QTimer.singleShot(0, self, lambda: self._enter(bar, index)))

    def _enter(self, bar: QTabBar, index: int) -> None:
        if index < 0 or index != bar.currentIndex():
            return
        for dock in self._window.findChildren(QDockWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if dock.windowTitle() == bar.tabText(index) and not dock.visibleRegion().isEmpty():
                self._focus(dock)

    def _focus(self, dock: QDockWidget) -> None:
        island = dock.widget()
        panel = island.content if isinstance(island, Island) else island
        target = None if panel is None else panel.focusProxy()
        focused = self._window.focusWidget()
        if panel is not None and target is not None and not (focused is not None and panel.isAncestorOf(focused)):
            target.setFocus(Qt.FocusReason.MouseFocusReason)
