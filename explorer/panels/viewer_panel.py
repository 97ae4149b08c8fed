"""What the panels that show something captured have in common: unseen they want nothing, shown they draw themselves.

What a viewer is, says `app.looking.Viewer`; what arrives is each panel's own to take.
"""

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from explorer.panels.dock_panel import DockPanel
from explorer.runs import Look


class ViewerPanel(DockPanel):
    """A panel that is drawn from what was captured for it.

    Signals:
        wanted_changed(): `wanted()` is another.
    """

    wanted_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = Look()

    def wanted(self) -> Look:
        """What is on screen; nothing while nobody sees the panel."""
        return self._look() if self.is_seen else Look()

    def _look(self) -> Look:
        """What the panel needs while it is seen, without the probes."""
        raise NotImplementedError

    def _show(self) -> None:
        """Draw what there is, unless the panel is hidden."""
        raise NotImplementedError

    def _report_wanted(self) -> None:
        wanted = self.wanted()
        if not wanted.same_as(self._wanted):
            self._wanted = wanted
            self.wanted_changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def _follow_seen(self, is_seen: bool) -> None:
        self._report_wanted()
