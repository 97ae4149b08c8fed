"""Where you are when a block is open alone: "ResNet-152 › layer3 › 0" above the canvas; a click goes there."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from explorer.look.theme import GRID

HEIGHT = 4 * GRID


class Breadcrumbs(QFrame):
    """The bar.

    Signals:
        chosen(str): the block to go to; empty for the whole network.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setFixedHeight(HEIGHT)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(GRID, 0, GRID, 0)
        self._row.setSpacing(GRID // 2)
        self.hide()

    def show_path(self, network: str, paths: Sequence[str]) -> None:
        """Show the network and the blocks in it, the outermost first; the last is where you are."""
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        around = ""
        self._add_step(network, "")
        for path in paths:
            self._row.addWidget(QLabel("›", self))
            name = path.removeprefix(f"{around}.") if around else path
            if path == paths[-1]:
                self._row.addWidget(QLabel(f"<b>{name}</b>", self))
            else:
                self._add_step(name, path)
            around = path
        self._row.addStretch(1)

    def steps(self) -> tuple[QToolButton, ...]:
        """The buttons, from the network on."""
        widgets = (item.widget() for i in range(self._row.count()) if (item := self._row.itemAt(i)) is not None)
        return tuple(widget for widget in widgets if isinstance(widget, QToolButton))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEIGHT)

    def _add_step(self, name: str, path: str) -> None:
        button = QToolButton(self)
        button.setText(name)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setToolTip(self.tr("Show {}").format(path or self.tr("the whole network")))
        button.clicked.connect(lambda _checked=False: self.chosen.emit(path))
        self._row.addWidget(button)
