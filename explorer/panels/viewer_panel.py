"""What the panels that show something captured have in common: hidden they want nothing, shown they draw themselves.

What a viewer is, says `app.looking.Viewer`; what arrives is each panel's own to take.
"""

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from explorer.runs import Look


class ViewerPanel(QWidget):
    """A panel that is drawn from what was captured for it.

    Signals:
        wanted_changed(): `wanted()` is another.
    """

    wanted_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = Look()

    def wanted(self) -> Look:
        """What is on screen; nothing while the panel is hidden."""
        return self._look() if self.isVisible() else Look()

    def _look(self) -> Look:
        """What the panel needs while it is visible, without the probes."""
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
        self._report_wanted()
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._report_wanted()
