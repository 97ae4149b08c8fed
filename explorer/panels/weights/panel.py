"""Weights and gradients: of one layer as pictures, over time as histograms, and all layers' learning side by side.

The panel captures nothing: it says what its visible page needs (`wanted`), and is given it (`show_observed`). How it is
drawn is `pictures`', `over_time`'s and `curves`'; what is kept of a run `history`'s.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from explorer.layers import Category
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Segments, level
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.viewer_panel import ViewerPanel
from explorer.panels.weights.curves import CurvesPage
from explorer.panels.weights.export import ExportButton
from explorer.panels.weights.history import History, histogram_of
from explorer.panels.weights.kernels import folded_shape
from explorer.panels.weights.over_time import OverTimePage
from explorer.panels.weights.pictures import PicturesPage
from explorer.runs import Event, LayersMeasured, Look, WeightPictures, WeightsCaptured
from explorer.runs.observed import MOST_PARAMETERS
from explorer.session import Document, Selection, Snapshot
from explorer.session.sources import Source

_MOST_LAYERS = 8
"""Whose weights stay when those of another arrive."""
_ONE_LINE = 128 * GRID
"""Width from which a page's tools stand beside the title."""


class _Captured(NamedTuple):
    pictures: WeightPictures
    source: str


class WeightsPanel(ViewerPanel):
    """Three pages: the layer's pictures, its histograms over time, and the curves of all layers.

    The layer is the selected one, or the network's first with weights where none is.

    Signals:
        failed(str): why a picture could not be written.
    """

    failed = Signal(str)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._captured: dict[str, _Captured] = {}
        self._history = History()
        self._marked: int | None = None
        self._problem = ""

        self.tabs = Segments(
            (
                (self.tr("Pictures"), self.tr("The layer's weights, their change and their gradients as pictures")),
                (self.tr("Histograms"), self.tr("How values were distributed at every step, of one layer or of all")),
                (self.tr("Curves"), self.tr("Gradients and updates of every layer, compared")),
            ),
            themes,
            self,
        )
        self._title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self._facts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.pictures = PicturesPage(themes, self)
        self.over_time = OverTimePage(themes, self)
        self.curves = CurvesPage(themes, self)
        self.export_button = ExportButton(self._history, self)
        self.export_button.failed.connect(self.failed)
        self.pages = QStackedWidget(self)
        self._lay_out()

        self.tabs.chosen.connect(self.open_page)
        self.pictures.failed.connect(self.failed)
        for page in (self.over_time, self.curves):
            page.layer_chosen.connect(self._select)
        document.changed.connect(self._apply)
        selection.changed.connect(lambda _ids: self._follow())
        self._follow()

    @property
    def layer(self) -> str | None:
        """The node that is shown: the selected one, else the first with weights; None where there is none."""
        if not self._document.is_open:
            return None
        current = self._selection.current
        # A selection may outlive its network for a moment: the document changes first.
        if current is not None and current in self._document.architecture:
            return current
        reports = self._document.snapshot.inference.nodes
        return next((n.id for n in self._document.architecture.nodes if reports[n.id].num_parameters), None)

    @property
    def history(self) -> History:
        """What is kept of the run's measurements."""
        return self._history

    @property
    def marked_step(self) -> int | None:
        """The step of before that is looked at; None for the present."""
        return self._marked

    # What it is given

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take weights of some nodes, and measurements of all; what there is of other nodes stays."""
        has_pictures = has_measured = False
        for event in events:
            if isinstance(event, WeightsCaptured):
                found = {node_id: _Captured(pictures, source.text) for node_id, pictures in event.layers.items()}
                # The newest last, and not all layers of a large network that somebody walks through.
                rest = {node_id: known for node_id, known in self._captured.items() if node_id not in found}
                self._captured = {**dict(list(rest.items())[-_MOST_LAYERS:]), **found}
                has_pictures = True
            elif isinstance(event, LayersMeasured):
                self._history.put(event)
                # The newest step itself comes again when somebody returns from a look back.
                is_past = bool(event.run_id) and event.step < self._history.last_step
                self._marked = event.step if is_past else None
                has_measured = True
        if has_pictures or has_measured:
            self._problem = ""
        if has_pictures if self.pages.currentWidget() is self.pictures else has_measured:
            self._show()

    def show_history(self, events: Sequence[LayersMeasured]) -> None:
        """Take what was kept of a run: of the one on screen beside what there is, else in its place."""
        if events and events[0].run_id != self._history.run_id:
            self._marked = None
        self._history.fill(events)
        self._show()

    def clear_observed(self) -> None:
        """Forget everything, as another network or run makes it wrong."""
        self._captured.clear()
        self._history.clear()
        self._marked = None
        self._problem = ""
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there is nothing; what is captured next takes it back."""
        self._problem = text
        self._show()

    def _look(self) -> Look:
        """What the page in front needs."""
        if self.pages.currentWidget() is not self.pictures:
            return Look(measures=True)
        layer = self.layer
        return Look(weighed=(layer,) if layer is not None and self._num_weights(layer) else ())

    def open_page(self, place: int) -> None:
        """Show pictures (0), histograms over time (1) or curves of all layers (2)."""
        self.tabs.choose(place)
        self.pages.setCurrentIndex(place)
        self.pictures.tools.setVisible(place == 0)
        self.over_time.tools.setVisible(place == 1 and self.over_time.is_overview)
        self.curves.norms_button.setVisible(place == 2)
        self.export_button.setVisible(place > 0)
        page: QWidget = self.over_time if place == 1 else self.curves
        self.export_button.offer(page, "histograms" if place == 1 else "curves")
        self._report_wanted()
        self._show()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 34 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_wide = self.width() >= _ONE_LINE
        directions = QBoxLayout.Direction
        self._head.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)

    def _lay_out(self) -> None:
        tabs = QHBoxLayout()
        tabs.addWidget(self.tabs)
        tabs.addSpacing(GRID)
        tabs.addWidget(self._title)
        tabs.addSpacing(GRID)
        tabs.addWidget(self._facts, 1)
        tools = QHBoxLayout()
        tools.addStretch(1)
        tools.addWidget(self.pictures.tools)
        tools.addWidget(self.over_time.tools)
        self.over_time.tools.hide()
        tools.addWidget(self.curves.norms_button)
        self.curves.norms_button.hide()
        tools.addWidget(self.export_button)
        level(self.export_button)
        self.export_button.hide()
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setSpacing(4)
        self._head.addLayout(tabs, 1)
        self._head.addLayout(tools)
        for page in (self.pictures, self.over_time, self.curves):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addLayout(self._head)
        column.addWidget(self.pages, 1)

    # What changes

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None:
            self._captured.clear()
        else:
            # A node of another shape or input has other weights; those on screen would be of a network that is gone.
            self._captured = {i: captured for i, captured in self._captured.items() if new.keeps(i, old)}
        self._follow()

    def _follow(self) -> None:
        self._report_wanted()
        self._show()

    def _select(self, node_id: str) -> None:
        if node_id in self._document.architecture:
            self._selection.set([node_id])

    # What is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        layer, page = self.layer, self.pages.currentWidget()
        self._show_heading(layer)
        if page is self.pictures:
            self._show_pictures(layer)
        elif page is self.over_time:
            self._show_over_time()
        else:
            norms = self._norms()
            self.curves.norms_button.setVisible(bool(norms))
            self.curves.show_history(self._history, self._selection.current, self._marked, norms)

    def _show_over_time(self) -> None:
        current = self._selection.current
        if current is not None and current == self.layer:
            has_weights = bool(self._num_weights(current))
            self.over_time.show_layer(self._history, current, has_weights, self._marked)
        else:
            # Normalisations have two numbers a channel: their histograms say little, and would stand between others.
            names = tuple(name for name in self._history.names if self._num_weights(name) and name not in self._norms())
            self.over_time.show_layers(self._history, names)
        self.over_time.tools.setVisible(self.over_time.is_overview)

    def _show_pictures(self, layer: str | None) -> None:
        # What there is may be of the present, while a moment that does not hold it is looked at.
        known = None if layer is None or self._problem else self._captured.get(layer)
        if layer is None or known is None:
            self.pictures.show_nothing(self._what_to_do(layer))
            return
        snapshot = self._document.snapshot
        folded = folded_shape(snapshot, layer)
        self.pictures.show_layer(layer, snapshot.inference.nodes[layer].layer, folded, known.pictures)

    def _show_heading(self, layer: str | None) -> None:
        if layer is None:
            self._title.show_text("")
            self._facts.show_text("")
            return
        page = self.pages.currentWidget()
        if page is self.curves:
            self._title.show_text("")
            self._facts.show_text(self.tr("point at a line to read it, click it to select its layer"))
            return
        report = self._document.snapshot.inference.nodes[layer]
        is_overview = page is self.over_time and self._selection.current is None
        self._title.show_text(self.tr("All layers") if is_overview else layer)
        facts = [self.tr("select one to see it alone") if is_overview else report.layer.type_name]
        known = self._captured.get(layer)
        if page is self.pictures and known is not None:
            shape = "×".join(str(size) for size in known.pictures.weight.shape)
            facts.append(self.tr("{0} = {1} weights").format(shape, numbers.exact_count(known.pictures.weight.size)))
            facts.append(known.source)
        elif page is self.over_time and self._history.newest is not None:
            if self._history.newest.run_id:
                facts.append(self.tr("step {0}").format(f"{self._history.newest.step:,}"))
            facts.append(self._sampled(self._history.newest, None if is_overview else layer))
            facts.append(self.tr("the darker, the more values"))
        self._facts.show_text(" · ".join(facts))

    def _sampled(self, measured: LayersMeasured, layer: str | None) -> str:
        """What histograms are of: of a layer, or of all for None. Of a large layer not every value is counted."""
        names = measured.layers if layer is None else (layer,)
        outputs = {name: self._num_counted(measured, name, "activations") for name in names}
        weights = {name: self._num_counted(measured, name, "weights") for name in names}
        images = self.tr("activations of {0} images").format(f"{measured.num_images:,}")
        if layer is None:
            is_whole = not any(outputs.values()) and not any(weights.values())
            return images if is_whole else self.tr("{0}, of large layers a sample of the values").format(images)
        if outputs[layer]:
            images = self.tr("{0}, a sample of {1} values").format(images, f"{outputs[layer]:,}")
        if weights[layer]:
            images = self.tr("a sample of {0} weights · {1}").format(f"{weights[layer]:,}", images)
        return images

    def _num_counted(self, measured: LayersMeasured, name: str, kind: Literal["weights", "activations"]) -> int | None:
        """How many of a layer's values are in its histogram; None for all, or where there is none."""
        reports = self._document.snapshot.inference.nodes
        report = reports.get(name)
        found = histogram_of(measured.layers[name], kind) if name in measured.layers else None
        if report is None or found is None:
            return None
        total = report.num_parameters
        if kind == "activations":
            total = None if report.output_shape is None else measured.num_images * math.prod(report.output_shape)
        count = int(found.counts.sum()) + found.num_not_finite
        return count if total is not None and count < total else None

    def _what_to_do(self, layer: str | None) -> str:
        if not self._document.is_open:
            return self.tr("Open a network to see its weights.")
        if layer is None:
            return self.tr("This network has no weights.")
        count = self._num_weights(layer)
        if count is None:
            return self.tr("{0} has no known shape yet: mend the fault that the Issues panel names.").format(layer)
        if not count:
            return self.tr("{0} has no weights: select a convolution or a linear layer.").format(layer)
        if count > MOST_PARAMETERS:
            text = self.tr("{0} has {1} weights, too many to look at each; the other pages show their statistics.")
            return text.format(layer, numbers.short_count(count))
        if self._problem:
            return self._problem
        return self.tr("Waiting for the weights of {0}…").format(layer)

    def _norms(self) -> frozenset[str]:
        if not self._document.is_open:
            return frozenset()
        nodes = self._document.architecture.nodes
        return frozenset(node.id for node in nodes if node.layer.category == Category.NORMALIZATION)

    def _num_weights(self, layer: str) -> int | None:
        reports = self._document.snapshot.inference.nodes
        return reports[layer].num_parameters if layer in reports else None
