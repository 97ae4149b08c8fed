"""What a panel scrolls: as high as its texts are at the width that there is."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget


class ScrollBody(QWidget):
    """The widget of a scroll area, on the window's ground.

    By itself a widget asks for the height that its texts need at their narrowest, and scrolls where nothing has to.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setBackgroundRole(QPalette.ColorRole.Window)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), 0)
