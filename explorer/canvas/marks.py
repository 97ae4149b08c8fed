"""What of the drawing is selected, under the pointer, or made like what is: marks that no edit has a part in."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from explorer.canvas.block_item import BlockItem
from explorer.canvas.card import Part
from explorer.canvas.wire_item import WireItem

if TYPE_CHECKING:
    from explorer.canvas.scene import GraphScene


class Marks:
    """The marks on a scene's items."""

    def __init__(self, graph: "GraphScene") -> None:
        self._graph = graph
        self._selected: frozenset[str] = frozenset()
        self._hovered: tuple[str, Part | None] | None = None
        self._hovered_wire: WireItem | None = None

    def select(self, node_ids: Iterable[str]) -> None:
        """Show these nodes as selected, and the blocks of which all are."""
        before, self._selected = self._selected, frozenset(node_ids)
        holders = {} if self._graph.shown is None else self._graph.shown.holders
        keys = {holders[node_id] for node_id in before ^ self._selected if node_id in holders}
        for key in keys:
            self._show_card(key)
        if keys:
            self._show_frames()

    def hover(self, key: str | None, part: Part | None, wire: WireItem | None) -> None:
        """Show what the pointer is on: an item or an open block by its key, or a wire."""
        before, self._hovered = self._hovered, None if key is None else (key, part)
        for hovered in {before, self._hovered} - {None}:
            assert hovered is not None
            self._show_card(hovered[0])
        if (None if before is None else before[0]) != key:
            self._show_equals(key)
            self._show_frames()
        if wire is not self._hovered_wire:
            if self._hovered_wire is not None:
                self._hovered_wire.show_hovered(False)
            self._hovered_wire = wire
            if wire is not None:
                wire.show_hovered(True)

    def show_all(self) -> None:
        """Mark items that have just come."""
        for item in self._graph.cards():
            self._show_card(item.key)
        self._show_frames()

    def forget(self, wire: WireItem) -> None:
        """A wire is gone."""
        if wire is self._hovered_wire:
            self._hovered_wire = None

    def clear(self) -> None:
        """Nothing is under the pointer: another document comes."""
        self._hovered = None

    def _show_card(self, key: str) -> None:
        item = self._graph.card(key)
        if item is None:
            return
        hovered = self._hovered is not None and self._hovered[0] == key
        part = self._hovered[1] if self._hovered is not None and hovered else None
        selected = key in self._selected
        if isinstance(item, BlockItem):
            count = sum(node_id in self._selected for node_id in self._graph.nodes_of(key))
            selected = count == item.facts.num_layers
            item.show_partly_selected(bool(count) and not selected)
        item.show_state(selected=selected, hovered=hovered, part=part)

    def _show_frames(self) -> None:
        hovered = None if self._hovered is None else self._hovered[0]
        for path, frame in self._graph.frames.items():
            selected = bool(self._selected) and self._selected.issuperset(self._graph.nodes_of(path))
            frame.show_state(selected=selected, hovered=path == hovered)

    def _show_equals(self, key: str | None) -> None:
        likeness = None if key is None else self._graph.likenesses.get(key)
        equals = () if likeness is None or likeness.is_odd else likeness.equals
        for path, block in self._graph.blocks.items():
            block.show_equal(path in equals)
        for path, frame in self._graph.frames.items():
            frame.show_equal(path in equals)
