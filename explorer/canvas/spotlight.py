"""Some nodes lit and all else dimmed: what was found, and what a trace reaches. Which those are is others' to say."""

from collections.abc import Iterable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QGraphicsItem

from explorer.canvas.scene import GraphScene

DIMMED = 0.22
"""Opacity of what is not meant: there, but no longer read."""
READABLE = 0.62
"""Opacity of what is not meant but worked on: told from what is lit, and still read."""


class Spotlight(QObject):
    """Dims the items of a scene; a folded block is lit where any of its nodes is."""

    def __init__(self, graph: GraphScene) -> None:
        super().__init__(graph)
        self._graph = graph
        self._ids: frozenset[str] | None = None
        self._with_wires = False
        self._readable: frozenset[str] = frozenset()
        graph.laid_out.connect(self._follow)

    @property
    def node_ids(self) -> frozenset[str] | None:
        """The nodes that are lit; None where nothing is dimmed."""
        return self._ids

    def show(self, node_ids: Iterable[str] | None, *, with_wires: bool = False, readable: Iterable[str] = ()) -> None:
        """Light these nodes, and, if wanted, the wires between them; None lights everything.

        Args:
            node_ids: those to light.
            with_wires: light the wires between them too.
            readable: the selected nodes: what consists of them alone stays readable where it is not lit.
        """
        wanted = (None if node_ids is None else frozenset(node_ids), with_wires, frozenset(readable))
        if wanted != (self._ids, self._with_wires, self._readable):
            self._ids, self._with_wires, self._readable = wanted
            self._show()

    def _follow(self) -> None:
        """Items that have just come are lit; nothing else differs."""
        if self._ids is not None:
            self._show()

    def _show(self) -> None:
        graph, ids = self._graph, self._ids
        for key in (*graph.nodes, *graph.blocks, *graph.frames):
            item: QGraphicsItem = graph.card(key) or graph.frames[key]
            nodes = graph.nodes_of(key)
            is_lit = ids is None or not ids.isdisjoint(nodes)
            item.setOpacity(1.0 if is_lit else READABLE if self._readable.issuperset(nodes) else DIMMED)
        for wire in graph.wires.values():
            lit = ids is None or (
                self._with_wires and any(c.source in ids and c.target in ids for c in wire.connections)
            )
            wire.setOpacity(1.0 if lit else DIMMED)
