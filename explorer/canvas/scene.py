"""The drawing of a network: one item a node and a wire, kept in step with the document by `apply(old, new)` alone."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QAbstractAnimation, QObject, QPointF, QVariantAnimation, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from explorer.architecture import Architecture
from explorer.architecture.placement import Placement, Wire, place
from explorer.architecture.placement import wires as wires_of
from explorer.canvas import card as cards
from explorer.canvas.card import Part
from explorer.canvas.labels import place_labels
from explorer.canvas.maps_strip import strip
from explorer.canvas.node_item import Light, NodeItem
from explorer.canvas.wire_item import WireItem
from explorer.inference import NodeReport, changed
from explorer.look.theme import Theme
from explorer.runs import Atlas
from explorer.session import Snapshot
from explorer.session.measuring import is_waiting

PULSE_MS = 400
_LABEL_HEIGHT = 16
_MANY = 32
"""From so many items on, drawing all that is in sight costs less than finding out what of it has changed."""


class GraphScene(QGraphicsScene):
    """The items of a network.

    Signals:
        laid_out(): nodes stand elsewhere than before.
    """

    laid_out = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.placement: Placement | None = None
        self._theme = theme
        self._wires_at: defaultdict[str, list[WireItem]] = defaultdict(list)
        self._selected: frozenset[str] = frozenset()
        self._hovered: tuple[str, Part | None] | None = None
        self._hovered_wire: WireItem | None = None
        self._previewed: set[str] = set()
        self._lit: set[str] = set()
        self._light = Light()
        self._fade = QVariantAnimation(self)
        self._fade.setStartValue(1.0)
        self._fade.setEndValue(0.0)
        self._fade.setDuration(PULSE_MS)
        self._fade.valueChanged.connect(self._show_glow)
        self._fade.finished.connect(self._end_pulse)

    # What the document says

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Get from the drawing of `old` (None: another document) to that of `new`."""
        self._end_preview()
        if old is None:
            self._clear()
        change = changed(old, new)
        for node_id in change.removed:
            self._drop(self.nodes.pop(node_id))
            self._lit.discard(node_id)
        nodes, reports, index = new.architecture.nodes, new.inference.nodes, new.architecture.structure.index
        outputs = {node_id: place for place, node_id in enumerate(new.architecture.outputs)}
        touched = new.inference.nodes.keys() if change.structure else change.changed
        sizes_differ = False
        for node_id in touched:
            node, report = nodes[index[node_id]], reports[node_id]
            item = self.nodes.get(node_id)
            if item is None:
                item = self.nodes[node_id] = NodeItem(node, report, self._theme, self._light)
                self.addItem(item)
            before = item.card
            item.show_node(node, report, outputs.get(node_id))
            sizes_differ = sizes_differ or item.card is not before
        if change.structure or sizes_differ:
            self._lay_out(new.architecture)
        wires = self._show_shapes(touched, new)
        if old is not None:
            before_reports = old.inference.nodes
            seen = {i for i in change.changed if _looks_different(before_reports[i], reports[i])}
            self._pulse(seen | change.added)
        self._redraw([self.nodes[node_id] for node_id in touched], wires)

    def show_preview(self, now: Snapshot, preview: Snapshot | None) -> None:
        """Show beside what is what would be after an edit under the pointer; None ends that."""
        self._end_preview()
        if preview is None:
            return
        difference = changed(now, preview)
        for node_id in difference.changed & self.nodes.keys():
            report = preview.inference.nodes[node_id]
            self.nodes[node_id].show_preview(report)
            self._previewed.add(node_id)
            for item in self._wires_at[node_id]:
                if item.wire.source == node_id and report.output_shape != now.inference.nodes[node_id].output_shape:
                    item.show_preview(True, report.output_shape)

    # What the window says

    def select(self, node_ids: Iterable[str]) -> None:
        """Show these nodes as selected."""
        before, self._selected = self._selected, frozenset(node_ids)
        for node_id in before ^ self._selected:
            self._show_state(node_id)

    def hover(self, node_id: str | None, part: Part | None, wire: WireItem | None) -> None:
        """Show what the pointer is on."""
        before, self._hovered = self._hovered, None if node_id is None else (node_id, part)
        for hovered in {before, self._hovered} - {None}:
            assert hovered is not None
            self._show_state(hovered[0])
        if wire is not self._hovered_wire:
            if self._hovered_wire is not None:
                self._hovered_wire.show_hovered(False)
            self._hovered_wire = wire
            if wire is not None:
                wire.show_hovered(True)

    def show_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        for node in self.nodes.values():
            node.show_theme(theme)
        for wire in self.wires.values():
            wire.show_theme(theme)

    def set_maps(self, atlases: Mapping[str, Atlas]) -> None:
        """Show these maps; nodes without one keep what they show."""
        for node_id, atlas in atlases.items():
            item = self.nodes.get(node_id)
            if item is not None:
                item.show_strip(strip(atlas, item.card.maps.width(), item.card.maps.height()))

    def clear_maps(self) -> None:
        """Show no maps."""
        for item in self.nodes.values():
            item.show_strip(None)

    # What is where

    def node_at(self, position: QPointF) -> NodeItem | None:
        """The node at a place in the scene."""
        return next((item for item in self.items(position) if isinstance(item, NodeItem)), None)

    def wire_at(self, position: QPointF) -> WireItem | None:
        """The wire at a place in the scene, unless a node covers it."""
        first = next(iter(self.items(position)), None)
        return first if isinstance(first, WireItem) else None

    # Inside

    def _lay_out(self, architecture: Architecture) -> None:
        sizes = {i: (item.card.rect.width(), item.card.rect.height()) for i, item in self.nodes.items()}
        self.placement = place(architecture, sizes)
        for node_id, box in self.placement.nodes.items():
            self.nodes[node_id].setPos(box.x, box.y)
        current = set(wires_of(architecture))
        for wire in self.wires.keys() - current:
            self._drop(self.wires.pop(wire))
        labels = place_labels(self.placement, cards.shape_width(QGuiApplication.font().key()), _LABEL_HEIGHT)
        self._wires_at.clear()
        for wire, points in self.placement.wires.items():
            item = self.wires.get(wire)
            if item is None:
                item = self.wires[wire] = WireItem(wire, self._theme)
                self.addItem(item)
            item.show_route(points, labels.get(wire))
            self._wires_at[wire.source].append(item)
            self._wires_at[wire.target].append(item)
        self.laid_out.emit()

    def _show_shapes(self, node_ids: Iterable[str], snapshot: Snapshot) -> list[WireItem]:
        """Show what passes the wires at these nodes; returns the wires."""
        reports = snapshot.inference.nodes
        items = list(dict.fromkeys([item for node_id in node_ids for item in self._wires_at[node_id]]))
        for item in items:
            target = reports[item.wire.target]
            # An unknown output is the sign of a fault here or upstream; only then is it worth looking for.
            faulty = target.output_shape is None and target.fault is not None
            faulty = faulty and not is_waiting(target.layer, target.input_shapes)
            item.show_shape(reports[item.wire.source].output_shape, is_fault=faulty)
        return items

    def _redraw(self, *groups: Sequence[QGraphicsItem]) -> None:
        if sum(map(len, groups)) > _MANY:
            self.update()
            return
        for item in itertools.chain(*groups):
            item.update()

    def _end_preview(self) -> None:
        for node_id in self._previewed:
            self.nodes[node_id].show_preview(None)
            for item in self._wires_at[node_id]:
                item.show_preview(False, None)
        self._previewed.clear()

    def _show_state(self, node_id: str) -> None:
        item = self.nodes.get(node_id)
        if item is not None:
            hovered = self._hovered is not None and self._hovered[0] == node_id
            part = self._hovered[1] if self._hovered is not None and hovered else None
            item.show_state(selected=node_id in self._selected, hovered=hovered, part=part)

    def _pulse(self, node_ids: set[str]) -> None:
        """Light up; further changes keep it lit, so that nothing flickers while a value is typed or dragged."""
        if not node_ids:
            return
        self._fade.stop()
        before, self._lit = self._lit, node_ids
        for node_id in before - node_ids:
            self.nodes[node_id].set_lit(False)
        for node_id in node_ids - before:
            self.nodes[node_id].set_lit(True)
        self._redraw([self.nodes[node_id] for node_id in before - node_ids])
        self._show_glow(1.0)  # the animation reports its first value only if it differs from its last
        self._fade.start(QAbstractAnimation.DeletionPolicy.KeepWhenStopped)

    def _end_pulse(self) -> None:
        for node_id in self._lit:
            self.nodes[node_id].set_lit(False)
        self._lit = set()

    def _show_glow(self, glow: float) -> None:
        self._light.value = glow
        self._redraw([self.nodes[node_id] for node_id in self._lit])

    def _drop(self, item: QGraphicsItem) -> None:
        if item is self._hovered_wire:
            self._hovered_wire = None
        self.removeItem(item)

    def _clear(self) -> None:
        self._fade.stop()
        self._lit = set()
        self._hovered = None
        for item in (*self.nodes.values(), *self.wires.values()):
            self._drop(item)
        self.nodes.clear()
        self.wires.clear()
        self._wires_at.clear()
        self.placement = None


def _looks_different(old: NodeReport, new: NodeReport) -> bool:
    """Whether a card shows two reports differently; a receptive field alone lights nothing up."""
    if old.layer is not new.layer or old.output_shape != new.output_shape or old.num_parameters != new.num_parameters:
        return True
    return old.issues is not new.issues and [i.text for i in old.issues] != [i.text for i in new.issues]
