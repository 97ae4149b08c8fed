"""The window's toolbar: the network's name, its input and batch, what it costs, and the buttons of a run.

The editors in it are `toolbar`'s, the costs `totals`'s.
"""

from collections.abc import Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMainWindow, QToolBar, QWidget

from explorer.app.toolbar import BatchEditor, InputEditor
from explorer.app.totals import TotalsBar
from explorer.look import theme
from explorer.look.theme import ThemeSource
from explorer.panels.estimates import Estimates
from explorer.session import Document


class WindowBar(QToolBar):
    """It and what it shows."""

    def __init__(
        self,
        window: QMainWindow,
        document: Document,
        estimates: Estimates,
        themes: ThemeSource,
        first: QAction,
        of_run: Sequence[QAction],
        last: QAction,
    ) -> None:
        """Add it to the window.

        Args:
            window: gets it.
            document: the network.
            estimates: what it costs.
            themes: its colours.
            first: action before all else.
            of_run: actions of a run.
            last: action behind them.
        """
        super().__init__(window.tr("Network"))
        self.setObjectName("toolbar-network")
        self.setMovable(False)
        self.setIconSize(self.iconSize() * 0.8)
        window.addToolBar(self)
        self.addAction(first)
        self.name = QLabel()
        """The network's."""
        self.name.setFont(theme.body_font(bold=True))
        self.input_editor = InputEditor(document)
        self.batch_editor = BatchEditor()
        self.totals = TotalsBar(document, estimates, themes)
        for widget in (self.name, _label(self.tr("Input")), self.input_editor, _label(self.tr("Batch"))):
            self.addWidget(_padded(widget))
        self.addWidget(self.batch_editor)
        self.addWidget(self.totals)
        self.addSeparator()
        for action in of_run:
            self.addAction(action)
        self.addSeparator()
        self.addAction(last)


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setForegroundRole(label.foregroundRole())
    label.setObjectName("muted")
    return label


def _padded(widget: QWidget) -> QWidget:
    widget.setContentsMargins(theme.GRID, 0, theme.GRID // 2, 0)
    return widget
