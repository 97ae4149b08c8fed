"""The page of probe images: what the network says of each, and what that rests on, live while it trains.

The cards are drawn in `cards`, the heat in `heat`. The panel computes no explanation: it says
which it wants (`wanted`), and is given them (`show_observed`).
"""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QStackedLayout, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.fields import ElidedComboBox
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.explanations.card import Card
from explorer.panels.explanations.cards import CardsArea, CardsView
from explorer.panels.explanations.heat import as_qimage, given, heat_colours
from explorer.panels.explanations.history import AnswerHistory
from explorer.panels.probes.bar import ProbeBar
from explorer.panels.viewer_panel import ViewerPanel
from explorer.runs import Event, Look, Probe, ProbesExplained
from explorer.runs.explained_layers import explainable_layers, has_scores
from explorer.session import Document, Snapshot
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source

_MOST_NAMED = 1000
_OPACITY = 70
_NARROWEST_MENU = 8 * GRID
"""What is chosen can be told from its ends; its tooltip and its list say the rest."""
_WIDEST_MENU = 30 * GRID


class ExplanationsPanel(ViewerPanel):
    """Probe bar, what to explain, and one card a probe.

    Signals:
        failed(str): why a picture could not be used.
    """

    failed = Signal(str)

    def __init__(
        self, document: Document, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.themes = themes
        self._document = document
        self._probes = probes
        self._history = AnswerHistory()
        self._event: ProbesExplained | None = None
        self._source = ""
        self._problem = ""
        self._layers: tuple[str, ...] = ()

        self.probe_bar = ProbeBar(probes, themes, self)
        self.probe_bar.failed.connect(self.failed)
        self.cards = CardsView(themes, self)
        self.area = CardsArea(self.cards, self)
        self._words = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self._left_out = RoleLabel(themes, role="warning", font=small_font(), wraps=True, parent=self)
        self._left_out.hide()
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.tools = self._make_tools(themes)
        self._lay_out()

        self.layer_menu.currentIndexChanged.connect(lambda _place: self._choose())
        self.class_menu.currentIndexChanged.connect(lambda _place: self._choose())
        self.opacity_slider.valueChanged.connect(lambda value: self.cards.set_opacity(value / 100))
        self.words_button.toggled.connect(self._words.setVisible)
        self.cards.chosen.connect(self._choose_probe)
        probes.changed.connect(self._follow_probes)
        document.changed.connect(self._apply)
        if document.is_open:
            self._show_layers()

    # Viewer

    def _look(self) -> Look:
        """Explanations of all probes, or nothing where there are no scores to explain."""
        if not self._can_explain():
            return Look()
        return Look(
            explained=True,
            explained_layer=self.layer_menu.currentData(),
            explained_class=self.class_menu.currentData(),
        )

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take what the network says of the probes."""
        arrived = [event for event in events if isinstance(event, ProbesExplained)]
        if not arrived:
            return
        for event in arrived:
            self._history.add(event)
        self._event, self._source, self._problem = arrived[-1], source.text, ""
        self._show()

    def clear_observed(self) -> None:
        """Forget all answers, as another network or run makes them wrong."""
        self._history.clear()
        self._event = None
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there are no answers; what comes next takes it back."""
        self._problem = text
        self._show()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 32 * GRID)

    # Building

    def _make_tools(self, themes: ThemeSource) -> QWidget:
        """What belongs beside the switch between the pages; the window places it there."""
        tools = QWidget(self)
        self.class_menu = ElidedComboBox(tools)
        self.class_menu.setAccessibleName(self.tr("Class that is explained"))
        self.class_menu.setToolTip(
            self.tr("Which class's score saliency and Grad-CAM explain: what each image is taken for, or one for all")
        )
        self.class_menu.addItem(self.tr("prediction"), None)
        self.class_menu.setMinimumContentsLength(9)
        self.layer_menu = ElidedComboBox(tools)
        self.layer_menu.setAccessibleName(self.tr("Layer that Grad-CAM looks at"))
        self.layer_menu.setToolTip(
            self.tr("Whose channels Grad-CAM weighs: later ones know more, earlier ones see finer")
        )
        # As wide as its longest entry where there is room for it.
        self.layer_menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.layer_menu.setMaximumWidth(_WIDEST_MENU)
        self.class_menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.opacity_slider = QSlider(Qt.Orientation.Horizontal, tools)
        self.opacity_slider.setRange(0, 100)
        self.opacity_slider.setValue(_OPACITY)
        self.opacity_slider.setMinimumWidth(4 * GRID)
        self.opacity_slider.setMaximumWidth(9 * GRID)
        self.opacity_slider.setAccessibleName(self.tr("Opacity of the heat"))
        self.opacity_slider.setToolTip(
            self.tr("How much the heat covers of the image; at the left end the image alone")
        )
        self.words_button = Toggle(themes, tools)
        self.words_button.setText(self.tr("What is this?"))
        self.words_button.setChecked(True)
        self._where = ElidedLabel(themes, role="muted", font=small_font(), parent=tools)
        for menu in (self.class_menu, self.layer_menu):
            menu.setMinimumWidth(_NARROWEST_MENU)
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._where, 1)
        for text, widget in (
            (self.tr("Explain"), self.class_menu),
            (self.tr("Grad-CAM at"), self.layer_menu),
            (self.tr("Heat"), self.opacity_slider),
        ):
            label = RoleLabel(themes, role="muted", font=small_font(), parent=tools)
            label.setText(text)
            row.addWidget(label)
            row.addWidget(widget)
        row.addWidget(HeatLegend(themes, tools))
        row.addWidget(self.words_button)
        return tools

    def _lay_out(self) -> None:
        body = QWidget(self)
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.area)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, 0, GRID, GRID)
        column.setSpacing(GRID // 2)
        # Side by side, since the dock is wide and low.
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.probe_bar, 5)
        row.addWidget(self._words, 4)
        column.addLayout(row)
        column.addWidget(self._left_out)
        column.addWidget(body, 1)

    # Following

    def _apply(self, old: Snapshot | None, _new: Snapshot) -> None:
        if old is None:
            self._history.clear()
        if old is None or not self._can_explain():
            # What was said is of a network that is gone; a run that began with it may go on to say more.
            self._event = None
        self._show_layers()
        self._report_wanted()
        self._show()

    def _show_layers(self) -> None:
        """The layers to choose from; the chosen one stays while it is there."""
        snapshot = self._document.snapshot
        inference = snapshot.inference
        layers = () if inference.errors else explainable_layers(snapshot.architecture, inference)
        if layers == self._layers:
            return
        self._layers = layers
        chosen = self.layer_menu.currentData()
        with QSignalBlocker(self.layer_menu):
            self.layer_menu.clear()
            last = layers[-1] if layers else numbers.UNKNOWN
            self.layer_menu.addItem(self.tr("{0} (the last)").format(last), None)
            for layer in reversed(layers):
                self.layer_menu.addItem(f"{layer} · {numbers.shape(inference.nodes[layer].output_shape)}", layer)
            self.layer_menu.setCurrentIndex(max(0, self.layer_menu.findData(chosen)) if chosen else 0)
        self.layer_menu.view().setMinimumWidth(28 * GRID)
        self._show_words()

    def _show_classes(self, names: tuple[str, ...]) -> None:
        shown = tuple(self.class_menu.itemText(place) for place in range(1, self.class_menu.count()))
        if shown == names[:_MOST_NAMED]:
            return
        chosen = self.class_menu.currentData()
        with QSignalBlocker(self.class_menu):
            while self.class_menu.count() > 1:
                self.class_menu.removeItem(1)
            for place, name in enumerate(names[:_MOST_NAMED]):
                self.class_menu.addItem(name, place)
            if chosen is not None and chosen < len(names):
                self.class_menu.setCurrentIndex(chosen + 1)

    def _choose(self) -> None:
        self._show_words()
        self._report_wanted()

    def _choose_probe(self, label: str) -> None:
        for place, probe in enumerate(self._probes.probes):
            if probe.label == label:
                self._probes.choose(place)

    def _follow_probes(self) -> None:
        self._show()

    def _can_explain(self) -> bool:
        if not self._document.is_open:
            return False
        snapshot = self._document.snapshot
        return not snapshot.inference.errors and has_scores(snapshot.architecture, snapshot.inference)

    # What is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        cards = self._cards()
        if not cards:
            self._empty.show_text(self._what_to_do())
            self._stack.setCurrentWidget(self._empty)
            self._where.show_text("")
            self._left_out.hide()
            return
        assert self._event is not None
        self._show_classes(self._event.class_names)
        current = self._probes.current
        self.cards.show_cards(cards, "" if current is None else current.label)
        self.area.fit()
        self.area.follow()
        self._stack.setCurrentWidget(self.area)
        self._where.show_text(self._source)
        self._show_left_out({card.answer.probe for card in cards})

    def _cards(self) -> list[Card]:
        if self._event is None:
            return []
        order = {probe.label: (place, probe) for place, probe in enumerate(self._probes.probes)}
        found = []
        for answer in self._event.answers:
            place, probe = order.get(answer.probe, (len(order), None))
            card = Card(
                answer=answer,
                target=None if probe is None else self._target(probe),
                class_names=self._event.class_names,
                layer=self._event.layer,
                course=self._history.course(answer.probe),
                step=self._event.step if self._event.run_id else None,
                picture=None
                if probe is None or len(answer.image) != 3
                else given(probe.image, *answer.image.shape[1:]),
            )
            found.append((place, card))
        # Of a moment of before there may be probes that are none any more; but of now, those that were taken out go.
        known = [pair for pair in found if pair[0] < len(order)]
        return [card for _, card in sorted(known or found, key=lambda pair: pair[0])]

    def _target(self, probe: Probe) -> int | None:
        """Its class, unless that is one of another data set than the network's answers are about."""
        assert self._event is not None
        offer = self._probes.offer
        is_other = offer is not None and offer.class_names != self._event.class_names
        return None if is_other else probe.target

    def _show_left_out(self, answered: set[str]) -> None:
        assert self._event is not None
        asked = {answer.probe for answer in self._event.answers}
        missing = [probe.label for probe in self._probes.probes if probe.label not in asked | answered]
        text = self.tr("No answer for {0} yet: it is new, or the network cannot take it.").format(", ".join(missing))
        self._left_out.show_text(text)
        self._left_out.setVisible(bool(missing) and len(missing) < len(self._probes.probes))

    def _what_to_do(self) -> str:
        if not self._document.is_open:
            return self.tr("Open a network to see what it says of your images.")
        snapshot = self._document.snapshot
        if snapshot.inference.errors:
            return self.tr("Mend the faults that the Issues panel names to see what the network says.")
        if not has_scores(snapshot.architecture, snapshot.inference):
            return self.tr("The network's first output is no row of scores, so it says of no image what it shows.")
        if self._problem:
            return self._problem
        if self._probes.current is None:
            return self.tr("Choose a probe image above.")
        return self.tr("Waiting for the network's answers…")

    def _show_words(self) -> None:
        layer = self.layer_menu.currentData() or (self._layers[-1] if self._layers else None)
        saliency = self.tr(
            "Saliency: the pixels that the score reacts to most. It does not say whether they speak for or against it."
        )
        if layer is None:
            self._words.show_text(saliency)
            return
        shape = self._document.snapshot.inference.nodes[layer].output_shape if self._document.is_open else None
        size = "" if shape is None else f"{shape[2]}×{shape[1]}"
        cam = self.tr(
            "Grad-CAM: where {0} speaks for the class. As coarse as its {1}, and silent on what speaks against."
        )
        self._words.show_text(f"{saliency}\n{cam.format(layer, size)}")


class HeatLegend(QWidget):
    """The colours of the heat, from none to most of each picture."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._ramp: QImage = as_qimage(heat_colours()[None])
        self.setFont(small_font())
        self._ends = (self.tr("none"), self.tr("most"))
        metrics = self.fontMetrics()
        self._widths = tuple(metrics.horizontalAdvance(end) + 4 for end in self._ends)
        self.setFixedHeight(metrics.height())
        self.setMinimumWidth(sum(self._widths) + 3 * GRID)
        self.setMaximumWidth(sum(self._widths) + 8 * GRID)
        self.setToolTip(self.tr("Each picture has a scale of its own, so that early and late steps can be read alike"))
        themes.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return self.maximumSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._themes.theme.muted)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._ends[0])
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._ends[1])
        bar = QRectF(self._widths[0], self.height() / 2 - 4, self.width() - sum(self._widths), 8)
        painter.drawImage(bar, self._ramp)
        painter.setPen(self._themes.theme.border)
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
