"""How values were distributed at every step: one layer's weights, gradients and activations side by side, or one of
the three of every layer where none is selected."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedLayout, QWidget

from explorer.look.segments import Segments
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.weights.history import KINDS, History, Kind
from explorer.panels.weights.overview import Overview
from explorer.panels.weights.strip import StripView

_LEAST_WIDTH = 36 * GRID


class OverTimePage(QWidget):
    """Three strips of a layer, or a small one of every layer. `tools` belongs above the latter.

    Signals:
        layer_chosen(str): a small strip was clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = History()
        self._names: tuple[str, ...] = ()
        names: dict[Kind, str] = {
            "weights": self.tr("Weights"),
            "gradients": self.tr("Gradients"),
            "activations": self.tr("Activations"),
        }
        one = QWidget(self)
        self.strips = {kind: StripView(names[kind], themes, one) for kind in KINDS}
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, one)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2 * GRID)
        for view in self.strips.values():
            self._row.addWidget(view, 1)
            for other in self.strips.values():
                if other is not view:
                    view.step_hovered.connect(other.point_at)
        self.overview = Overview(themes, self)
        self.overview.layer_chosen.connect(self.layer_chosen)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(one)
        self._stack.addWidget(self.overview)
        self.tools = Segments([(names[kind], "") for kind in KINDS], themes, self)
        self.tools.chosen.connect(lambda _place: self._show_overview())

    @property
    def is_overview(self) -> bool:
        """Whether every layer is shown."""
        return self._stack.currentWidget() is self.overview

    def show_layer(self, history: History, name: str, has_weights: bool, marked: int | None) -> None:
        """Show one layer.

        Args:
            history: of the run.
            name: of the node.
            has_weights: whether it has parameters.
            marked: a step of before that is looked at.
        """
        self._stack.setCurrentIndex(0)
        for kind, view in self.strips.items():
            histogram = history.histogram(name, kind)
            view.show_values(history.columns(name, kind), histogram, self._why(kind, has_weights, history), marked)

    def show_layers(self, history: History, names: tuple[str, ...]) -> None:
        """Show every layer.

        Args:
            history: of the run.
            names: of the nodes with weights, in order.
        """
        self._history, self._names = history, names
        self._stack.setCurrentWidget(self.overview)
        self._show_overview()

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 24 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= 3 * _LEAST_WIDTH or self.width() > 2.5 * self.height()
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    def _show_overview(self) -> None:
        kind = KINDS[self.tools.current]
        for place, other in enumerate(KINDS):
            is_there = any(self._history.histogram(name, other) is not None for name in self._names)
            self.tools.button(place).setEnabled(is_there)
        self.overview.show_history(self._history, kind, self._names)

    def _why(self, kind: Kind, has_weights: bool, history: History) -> str:
        if kind != "activations" and not has_weights:
            return self.tr("This layer has no weights.")
        if history.newest is None:
            return self.tr("Waiting for the measurement…")
        if kind == "gradients":
            return self.tr("Train a step to see gradients.")
        return self.tr("Nothing was measured of this layer.")
