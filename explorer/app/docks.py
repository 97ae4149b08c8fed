"""The docks of the window's panels: made, arranged, hidden behind the gallery. What is in them is the panels' own."""

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QCoreApplication, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QToolBar, QWidget

from explorer.app.settled_layouts import SettledLayouts, rearranged
from explorer.app.tab_focus import TabFocus
from explorer.look.island import Island
from explorer.panels.dock_panel import DockPanel

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
_AREAS = {"layers": _LEFT, "inspector": _RIGHT, "ideas": _RIGHT, "training": _BOTTOM}
"""Where docks stand first; all others are tabs behind `training`."""
_STATE_VERSION = 2


class Docks:
    """A window's docks: one for each panel, and those that others add while it is open."""

    def __init__(self, window: QMainWindow, panels: Mapping[str, QWidget]) -> None:
        """Make and arrange them.

        Args:
            window: gets them.
            panels: by the names of `_titles`, in the order of the tabs; each `DockPanel` in them is told whether its
                dock is in front of those that share its place.
        """
        self._window = window
        self._hidden_state: QByteArray | None = None
        """How they stand, while they are hidden."""
        self.by_name: dict[str, QDockWidget] = {}
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        titles = _titles()
        for name, panel in panels.items():
            dock = QDockWidget(titles[name], window)
            dock.setObjectName(f"dock-{name}")
            dock.setWidget(Island(panel))
            window.addDockWidget(_AREAS.get(name, _BOTTOM), dock)
            self.by_name[name] = dock
        self._stack_bottom()
        for dock in self.by_name.values():
            for panel in dock.findChildren(DockPanel):
                dock.visibilityChanged.connect(panel.set_in_front)
        self._stack_ideas()
        self._arrange()
        TabFocus(window)
        SettledLayouts(window)
        # The bottom docks take the whole width: curves and tables are wide, the columns beside the canvas scroll.
        window.setCorner(Qt.Corner.BottomLeftCorner, _BOTTOM)
        window.setCorner(Qt.Corner.BottomRightCorner, _BOTTOM)

    def open(self, name: str) -> None:
        """Show a dock in front of those that share its place."""
        self.by_name[name].show()
        self.by_name[name].raise_()

    def set_shown(self, shown: bool, toolbar: QToolBar) -> None:
        """Docks and toolbar belong to the canvas; their own visibility is remembered while the gallery is up."""
        toolbar.setVisible(shown)
        if not shown:
            if self._hidden_state is None:
                self._hide()
        elif self._hidden_state is not None:
            state, self._hidden_state = self._hidden_state, None
            with rearranged(self._window):
                self.restore(state)
                toolbar.show()

    def state(self) -> QByteArray:
        """How they stand, or will when they are shown again; for `restore`."""
        return self._hidden_state or self._window.saveState(_STATE_VERSION)

    def restore(self, state: QByteArray) -> None:
        """Let them stand as they did; nothing happens where that was another version's."""
        self._window.restoreState(state, _STATE_VERSION)

    def reset(self) -> None:
        """All back to where they were first; behind the gallery, once they are shown again."""
        with rearranged(self._window):
            # From nowhere: side by side, even for a moment, they would push the window beyond the screen.
            for dock in self.by_name.values():
                dock.setFloating(False)
                self._window.removeDockWidget(dock)
            for name, area in _AREAS.items():
                self._window.addDockWidget(area, self.by_name[name])
            self._stack_bottom()
            for dock in self.by_name.values():
                dock.show()
            self.by_name["training"].raise_()
            self._stack_ideas()
            self._arrange()
            if self._hidden_state is not None:
                self._hide()

    def _hide(self) -> None:
        self._hidden_state = self._window.saveState(_STATE_VERSION)
        for dock in self.by_name.values():
            dock.hide()

    def _stack_bottom(self) -> None:
        for name in (name for name in self.by_name if name not in _AREAS):
            self._window.tabifyDockWidget(self.by_name["training"], self.by_name[name])
        self.by_name["training"].raise_()

    def _stack_ideas(self) -> None:
        """Behind the inspector: ideas are about the whole network, and need no column of their own."""
        self._window.tabifyDockWidget(self.by_name["inspector"], self.by_name["ideas"])
        self.by_name["inspector"].raise_()

    def _arrange(self) -> None:
        columns = [self.by_name["layers"], self.by_name["inspector"]]
        self._window.resizeDocks(columns, [200, 304], Qt.Orientation.Horizontal)
        self._window.resizeDocks([self.by_name["training"]], [264], Qt.Orientation.Vertical)


def _titles() -> dict[str, str]:
    return {
        "layers": _tr("Layers"),
        "inspector": _tr("Inspector"),
        "ideas": _tr("Ideas"),
        "training": _tr("Training"),
        "data": _tr("Data"),
        "feature-maps": _tr("Feature maps"),
        "layer": _tr("Layer"),
        "weights": _tr("Weights"),
        "classes": _tr("Classes"),
        "table": _tr("Table"),
        "source": _tr("Source"),
        "issues": _tr("Issues"),
        "runs": _tr("Runs"),
    }


def _tr(text: str) -> str:
    return QCoreApplication.translate("Docks", text)
