"""What keys and menus of the canvas do to the network: each one named edit, and what is selected after it."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture, Edit, edits, folding, grouping
from explorer.architecture.placement import Wire
from explorer.layers import Layer
from explorer.session import Document, Selection


class Editing(QObject):
    """Edits of the structure, each one step of the history.

    Signals:
        refused(str): why an edit could not be made.
        inserted(str): the id of a new node, which is selected now.
    """

    refused = Signal(str)
    inserted = Signal(str)

    def __init__(
        self,
        document: Document,
        selection: Selection,
        parent: QObject,
        whole: Callable[[str], tuple[str, ...]] = lambda node_id: (node_id,),
    ) -> None:
        """Edit a document.

        Args:
            whole: the nodes that are selected with one: all of a folded block.
        """
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._whole = whole

    def insert_behind_block(self, path: str, node_id: str, layer_type: type[Layer]) -> None:
        """Put a new layer behind what leaves a folded block, beside the block."""
        layer = self._new(layer_type, node_id)
        text = self.tr("Insert {layer} after {node}").format(layer=layer_type.__name__, node=path)

        def edit(architecture: Architecture) -> Architecture:
            result = edits.insert_after(architecture, node_id, layer)
            (added,) = (node.id for node in result if node.id not in architecture)
            return folding.moved_beside(result, added, path)

        self._insert(text, edit)

    def insert_on_link(self, link: Wire, connections: tuple[Wire, ...], layer_type: type[Layer]) -> None:
        """Put a new layer on a wire that leads from or to a folded block."""
        layer = self._new(layer_type, connections[0].source)
        text = self.tr("Insert {layer} after {node}").format(layer=layer_type.__name__, node=link.source)
        edit = partial(folding.insert_on_link, connections=connections, layer=layer, item=link.source)
        self._insert(text, edit)

    def insert_after(self, node_id: str, layer_type: type[Layer]) -> None:
        """Put a new layer behind a node."""
        layer = self._new(layer_type, node_id)
        text = self.tr("Insert {layer} after {node}").format(layer=layer_type.__name__, node=node_id)
        self._insert(text, partial(edits.insert_after, node_id=node_id, layer=layer))

    def insert_before(self, node_id: str, port: int, layer_type: type[Layer]) -> None:
        """Put a new layer on the wire into a node's input `port`."""
        layer = self._new(layer_type, self._document.architecture[node_id].inputs[port])
        text = self.tr("Insert {layer} before {node}").format(layer=layer_type.__name__, node=node_id)
        self._insert(text, partial(edits.insert_before, node_id=node_id, layer=layer, port=port))

    def remove(self, node_ids: tuple[str, ...]) -> None:
        """Remove nodes and heal the wires; what fed the first of them is selected next, so that work can go on."""
        if not node_ids:
            return
        text = self.tr("Remove {}").format(node_ids[0])
        if len(node_ids) > 1:
            text = self.tr("Remove {} layers").format(len(node_ids))
        source = self._document.architecture[node_ids[0]].inputs[:1]
        if self._edit(text, partial(edits.remove, node_ids=node_ids)):
            left = [node_id for node_id in source if node_id in self._document.architecture]
            self._selection.set(node_id for found in left for node_id in self._whole(found))

    def toggle_output(self, node_id: str) -> None:
        """Let the network return a node's value, or no longer."""
        outputs = self._document.architecture.outputs
        if node_id in outputs:
            text, wanted = self.tr("Make {} no output"), tuple(o for o in outputs if o != node_id)
        else:
            text, wanted = self.tr("Make {} an output"), (*outputs, node_id)
        self._edit(text.format(node_id), partial(edits.set_outputs, outputs=wanted))

    def repeat(self, path: str, count: int) -> None:
        """Put so many more of a block behind it; the new ones are selected."""
        text = self.tr("Repeat {block} ×{count}").format(block=path, count=count)
        before = self._document.architecture
        if self._edit(text, partial(grouping.repeat, path=path, count=count)):
            added = self._select_new(before)
            self.inserted.emit(added[-1])

    def ungroup(self, path: str) -> None:
        """Take a block apart; what it held is selected."""
        before = self._document.architecture
        if self._edit(self.tr("Ungroup {}").format(path), partial(grouping.ungroup, path=path)):
            self._select_new(before)

    def group(self, node_ids: tuple[str, ...], name: str, kind: str) -> None:
        """Put nodes into a block of their own, which is selected."""
        before = self._document.architecture
        text = self.tr("Group {count} layers into {block}").format(count=len(node_ids), block=name)
        if self._edit(text, partial(grouping.group, node_ids=node_ids, name=name, kind=kind)):
            self._select_new(before)

    def _select_new(self, before: Architecture) -> tuple[str, ...]:
        added = tuple(node.id for node in self._document.architecture if node.id not in before)
        self._selection.set(added)
        return added

    def _new(self, layer_type: type[Layer], source: str) -> Layer:
        return layer_type.suggested(self._document.snapshot.inference.nodes[source].output_shape)

    def _insert(self, text: str, edit: Edit) -> None:
        before = self._document.architecture
        if self._edit(text, edit):
            added = next(node.id for node in self._document.architecture if node.id not in before)
            self._selection.set((added,))
            self.inserted.emit(added)

    def _edit(self, text: str, edit: Edit) -> bool:
        """Make an edit that may be refused; the reason becomes a signal."""
        try:
            self._document.edit(text, edit)
        except ValueError as error:  # EditRefused, or a value out of its range
            self.refused.emit(str(error))
            return False
        return True
