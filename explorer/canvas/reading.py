"""What helps to read a network: find, trace, colours, map and stories. Here they meet; each is a module of its own.

Find and trace share one light: what is looked for comes before what is traced.
"""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QGraphicsView, QMenu

from explorer.canvas import statistics
from explorer.canvas.block_facts import block_facts
from explorer.canvas.camera import Camera
from explorer.canvas.colouring import Colouring
from explorer.canvas.find_bar import WIDTH as FIND_WIDTH
from explorer.canvas.finding import Finding
from explorer.canvas.legend import Legend, Switch, pictures_menu
from explorer.canvas.measures import NodeValues, kept_bytes
from explorer.canvas.menus import add_action
from explorer.canvas.minimap import Minimap
from explorer.canvas.pictures import Pictures
from explorer.canvas.scene import GraphScene
from explorer.canvas.spotlight import Spotlight
from explorer.canvas.story import Whole, block_story, wire_story
from explorer.canvas.tracing import Trace, traced
from explorer.canvas.wire_item import WireItem
from explorer.look.theme import GRID, ThemeSource
from explorer.session import Document, Selection, Snapshot
from explorer.session.layer_statistics import KEYS, KnownStatistics
from explorer.session.places import settings
from explorer.session.profile_session import Measured

HOLD_MS = 400
"""A key that is down for longer was held: letting go ends what it began."""
_TRACE_KEYS = {Qt.Key.Key_U: Trace.UPSTREAM, Qt.Key.Key_D: Trace.DOWNSTREAM}
_WIRES_KEY, _MAP_KEY, _LEGEND_KEY = "canvas/wires_by_size", "canvas/map", "canvas/legend"


class Reading(QObject):
    """The aids of one view.

    Attributes:
        finding: what is looked for.
        colouring: what colours the cards.
        pictures: what pictures the cards carry.
        legend: the corner that says so.
        minimap: the whole drawing in another corner.

    Signals:
        reached(str): a node to select and bring into sight.
    """

    reached = Signal(str)

    def __init__(
        self,
        view: QGraphicsView,
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        graph: GraphScene,
        camera: Camera,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._document = document
        self._selection = selection
        self._themes = themes
        self._graph = graph
        self._camera = camera
        self._trace = Trace.NONE
        self._pressed: tuple[Trace, int] | None = None
        self._measured: Measured | None = None
        self._statistics: KnownStatistics | None = None
        self._kept: tuple[Snapshot, Mapping[str, int]] | None = None
        self._wires_by_size = _remembered(_WIRES_KEY)
        self._spotlight = Spotlight(graph)
        self.finding = Finding(document, themes, self._kept_bytes, view)
        self.colouring = Colouring(document, themes, graph, self)
        self.minimap = Minimap(view, graph, camera, themes)
        self.pictures = Pictures(document, themes, graph, self)
        self.legend = Legend(self.colouring, self.pictures, themes, view)
        self.legend.set_switches(
            (
                Switch(self.tr("Wires by size"), lambda: self._wires_by_size, self.show_wires_by_size),
                Switch(self.tr("Map"), lambda: self.minimap.is_wanted, self.show_map),
                Switch(self.tr("Legend"), lambda: self.legend.is_open, self.show_legend),
            )
        )
        self.legend.show_open(_remembered(_LEGEND_KEY))
        self.minimap.show_wanted(_remembered(_MAP_KEY))
        graph.laid_out.connect(self._show_new_items)
        document.previewed.connect(self.colouring.show_preview)
        selection.changed.connect(self._follow_selection)
        self.finding.changed.connect(self._show_light)
        self.finding.reached.connect(self.reached)
        self.finding.left.connect(view.setFocus)
        self.colouring.changed.connect(self.minimap.redraw)
        self.legend.resized.connect(self.place)
        self.legend.zoom_asked.connect(self._show_pictures)
        self.legend.setVisible(document.is_open)

    # Following

    def show_document(self, old: Snapshot | None, new: Snapshot) -> None:
        """The network is another; the scene shows it already."""
        self.legend.show()
        if old is None:
            self._trace = Trace.NONE
        self.legend.show_categories({node.layer.category for node in new.architecture})
        self.colouring.show_edit()
        self.pictures.follow_edit(old, new)
        self.finding.follow()
        self._show_light()

    def place(self) -> None:
        """The view, or what lies over it, has another size."""
        view, top = self._view, self._view.viewport().y()
        bar = self.finding.bar
        width = min(FIND_WIDTH, view.width() - 2 * GRID)
        bar.setGeometry(view.width() - width - GRID, top + GRID, width, bar.height())
        bar.adjust()
        self.legend.show_view_size(view.size())
        self.legend.move(GRID, view.height() - self.legend.height() - GRID)
        self.minimap.view_resized()

    def covers(self) -> tuple[QRect, ...]:
        """What of the viewport lies under something."""
        over = (self.finding.bar, self.legend, self.minimap)
        origin = self._view.viewport().pos()
        return tuple(QRect(w.mapTo(self._view, QPoint()) - origin, w.size()) for w in over if w.isVisible())

    # Keys

    def press(self, event: QKeyEvent) -> bool:
        """A key went down; False where it means nothing here."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.open_find()
            return True
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        key = Qt.Key(event.key())
        if key in _TRACE_KEYS and self._selection.ids:
            if not event.isAutoRepeat():
                self.toggle_trace(_TRACE_KEYS[key])
                self._pressed = (_TRACE_KEYS[key], event.timestamp())
            return True
        if key == Qt.Key.Key_Escape:
            return self._escape()
        return False

    def release(self, event: QKeyEvent) -> None:
        """A key came up: what was held ends."""
        if event.isAutoRepeat() or self._pressed is None:
            return
        trace, since = self._pressed
        if _TRACE_KEYS.get(Qt.Key(event.key())) is trace:
            self._pressed = None
            if event.timestamp() - since >= HOLD_MS and trace in self._trace:
                self.toggle_trace(trace)

    def wants_escape(self) -> bool:
        """Whether there is something that Escape would end."""
        return self.finding.is_open or bool(self._trace)

    def _escape(self) -> bool:
        if self.finding.is_open:
            self.finding.close()
        elif self._trace:
            self._trace = Trace.NONE
            self._show_light()
        else:
            return False
        return True

    # Find and trace

    def open_find(self) -> None:
        """Let the user type what to find."""
        if self._document.is_open:
            self.place()
            self.finding.open()

    @property
    def trace(self) -> Trace:
        """What of a trace is lit."""
        return self._trace

    def toggle_trace(self, trace: Trace) -> None:
        """Light what leads to the selected nodes, or follows from them, or no longer."""
        self._trace ^= trace
        self._show_light()

    def _follow_selection(self) -> None:
        if self._trace:
            if not self._selection.ids:
                self._trace = Trace.NONE
            self._show_light()
        elif self.finding.is_open:
            self._show_light()

    def show_light(self, shown: bool) -> None:
        """Dim what is not found or traced, or, for a picture of the whole, nothing."""
        if shown:
            self._show_light()
        else:
            self._spotlight.show(None)

    def _show_light(self) -> None:
        found = self.finding.found
        if found is not None:
            self._spotlight.show(found, readable=self._selection.ids)
        elif self._trace and self._document.is_open:
            selected = [i for i in self._selection.ids if i in self._document.architecture]
            self._spotlight.show(traced(self._document.architecture, selected, self._trace), with_wires=True)
        else:
            self._spotlight.show(None)
        self._show_marks()

    def add_actions(self, menu: QMenu, *, on_item: bool) -> None:
        """Put at the end of a context menu what helps to read.

        Args:
            on_item: whether it is the menu of a node or block, which is selected then.
        """
        menu.addSeparator()
        if not on_item:
            add_action(menu, self.tr("Find…"), self.open_find, shortcut=QKeySequence(QKeySequence.StandardKey.Find))
            menu.addMenu(pictures_menu(menu, self.pictures))
            return
        texts = {
            Trace.UPSTREAM: self.tr("Light up what leads here"),
            Trace.DOWNSTREAM: self.tr("Light up what follows"),
        }
        for key, trace in _TRACE_KEYS.items():
            action = add_action(menu, texts[trace], partial(self.toggle_trace, trace), shortcut=QKeySequence(key))
            action.setCheckable(True)
            action.setChecked(trace in self._trace)

    # Colours, wires, map, legend

    def give(self, key: str, values: NodeValues | None) -> None:
        """Take in what was measured of nodes; None takes it away.

        Args:
            key: "forward", "backward", "kept", "rate", or one of `layer_statistics.KEYS`.
            values: for the nodes of which it is known.

        Raises:
            ValueError: nothing of that name is measured.
        """
        self.colouring.give(key, values)

    def show_statistics(self, known: KnownStatistics | None) -> None:
        """Let colours and stories tell what was measured of the layers; None takes it away."""
        self._statistics = known if self._document.is_open else None
        for key in KEYS:
            is_there = self._statistics is not None
            snapshot = self._document.snapshot if is_there else None
            self.give(key, None if snapshot is None else statistics.statistics_values(key, known, snapshot))
        self.pictures.show_statistics(self._statistics)

    @property
    def wants_statistics(self) -> bool:
        """Whether what is chosen to colour by is a statistic of the layers."""
        return self._document.is_open and self.colouring.asks

    def show_measured(self, measured: Measured | None) -> None:
        """Let stories tell what a profile measured; None where there is none."""
        self._measured = measured

    def show_wires_by_size(self, by_size: bool) -> None:
        """Draw wires as thick as what passes is large, or all alike; remembered."""
        self._wires_by_size = by_size
        settings().setValue(_WIRES_KEY, by_size)
        self._show_wires()

    def show_map(self, shown: bool) -> None:
        """Have a map where it helps, or never; remembered."""
        settings().setValue(_MAP_KEY, shown)
        self.minimap.show_wanted(shown)

    def show_legend(self, shown: bool) -> None:
        """Say what the colours mean, or only what they are of; remembered."""
        settings().setValue(_LEGEND_KEY, shown)
        self.legend.show_open(shown)

    def _show_pictures(self) -> None:
        """Zoom to where cards carry pictures: at the selected node, else at the card next to the view's middle."""
        graph, view = self._graph, self._view
        if graph.shown is None or graph.placement is None or not graph.placement.nodes:
            return
        # The words that were pressed go.
        view.setFocus()
        place = graph.place_of(graph.shown.holders.get(self._selection.current or "", ""))
        if place is None:
            middle = view.mapToScene(view.viewport().rect().center())
            boxes = (QRectF(*box) for box in graph.placement.nodes.values())
            place = min(boxes, key=lambda box: (box.center() - middle).manhattanLength())
        self._camera.approach(place.center())

    def _show_new_items(self) -> None:
        if not self._wires_by_size:
            self._show_wires()
        self._show_marks()

    def _show_wires(self) -> None:
        for wire in self._graph.wires.values():
            wire.show_by_size(self._wires_by_size)

    def _show_marks(self) -> None:
        shown = self._graph.shown
        if shown is None or not self._document.is_open:
            return
        architecture, inference = self._document.snapshot
        faulty = (architecture.nodes[position].id for position in inference.nodes.faults)
        held = shown.holders
        self.minimap.show_marks(
            faulty=[held[i] for i in faulty if i in held],
            found=[held[i] for i in self.finding.found or () if i in held],
        )

    # Stories

    def tool_tip(self, position: QPoint, key: str | None) -> str:
        """The story of what is at a position of the viewport.

        Args:
            key: the node or block there, or None.
        """
        if not self._document.is_open:
            return ""
        card = None if key is None else self._graph.card(key)
        if card is not None:
            return card.tool_tip(self._whole()._replace(pictures=tuple(self.pictures.told(card.key))))
        if key is not None:
            return self._frame_story(key)
        wire = self._graph.wire_at(self._view.mapToScene(position))
        return "" if wire is None else self._wire_story(wire)

    def _frame_story(self, path: str) -> str:
        architecture, inference = self._document.snapshot
        nodes = self._graph.nodes_of(path)
        facts = block_facts(architecture, inference.nodes, path, nodes)
        return block_story(path, facts, self._graph.likenesses.get(path), self._themes.theme, nodes, self._whole())

    def _wire_story(self, wire: WireItem) -> str:
        reports = self._document.snapshot.inference.nodes
        shapes = {source: reports[source].output_shape for source in wire.sources}
        faults = (reports[target].fault for target in wire.targets)
        fault = next((fault for fault in faults if fault is not None), None) if wire.is_fault else None
        return wire_story(wire.wire, wire.connections, shapes, self._themes.theme, fault)

    def _whole(self) -> Whole:
        totals = self._document.snapshot.inference.totals
        # Sums that reach up to a fault are no whole.
        known = self._statistics
        shown = {} if known is None else {key: self.colouring.given(key) for key in KEYS}
        return Whole(
            totals if totals.complete else None,
            self._kept_bytes(),
            self._measured,
            {key: values for key, values in shown.items() if values is not None},
            0 if known is None else known.num_images,
        )

    def _kept_bytes(self) -> Mapping[str, int]:
        now = self._document.snapshot
        if self._kept is None or self._kept[0] is not now:
            self._kept = (now, kept_bytes(now))
        return self._kept[1]


def _remembered(key: str) -> bool:
    return settings().value(key, True, type=bool) is True
