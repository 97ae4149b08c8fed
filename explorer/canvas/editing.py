"""What keys and menus of the canvas do to the network: each one named edit, and what is selected after it."""

from collections.abc import Callable
from functools import partial, reduce

from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture, Edit, edits, grouping
from explorer.architecture.paths import joined, parent
from explorer.canvas import steps
from explorer.layers import Layer
from explorer.session import Document, Selection
from explorer.session.placing import Place, Placed, place


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

    def insert(self, where: Place, layer_type: type[Layer]) -> None:
        """Put a new layer at a place, with values that fit what arrives there."""
        answer = place(self._document.snapshot, layer_type, where)
        if isinstance(answer, Placed):
            self.put(answer)
        else:
            self.refused.emit(answer.text)

    def put(self, placed: Placed, arrange: Callable[[tuple[str, ...]], object] | None = None) -> None:
        """Make an insertion that has been worked out; what is new is selected.

        Args:
            arrange: gives the new nodes their place, before they are brought into sight.
        """
        self._document.finish_merge()
        self._document.apply(placed.text, placed.architecture)
        self._selection.set(placed.added)
        if arrange is not None:
            arrange(placed.added)
        self.inserted.emit(placed.added[-1])

    def remove(self, node_ids: tuple[str, ...], text: str = "") -> None:
        """Remove nodes and heal the wires; what fed the first of them is selected next, so that work can go on."""
        if not node_ids:
            return
        if not text:
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

    def make(self, text: str, edit: Edit) -> None:
        """Make an edit that adds nodes, which are selected then."""
        before = self._document.architecture
        if self._edit(text, edit):
            self.inserted.emit(self._select_new(before)[-1])

    def repeat(self, path: str, count: int) -> None:
        """Put so many more of a block behind it; the new ones are selected."""
        text = self.tr("Repeat {block} ×{count}").format(block=path, count=count)
        self.make(text, partial(grouping.repeat, path=path, count=count))

    def preview_repeat(self, path: str, count: int) -> None:
        """Show what so many more of a block would make of the network."""
        try:
            self._document.preview(partial(grouping.repeat, path=path, count=count))
        except ValueError:  # EditRefused: choosing it says why
            self._document.preview(None)

    def end_preview(self) -> None:
        """Show the network as it is."""
        self._document.preview(None)

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

    def ungroup_selection(self, paths: tuple[str, ...]) -> None:
        """Take blocks apart, in one step; what they held is selected."""
        if len(paths) == 1:
            self.ungroup(paths[0])
        elif paths:
            before = self._document.architecture
            text = self.tr("Ungroup {} blocks").format(len(paths))
            if self._edit(text, lambda old: reduce(grouping.ungroup, paths, old)):
                self._select_new(before)

    # Names and values

    def renamed(self, key: str, name: str, *, is_node: bool) -> Architecture:
        """The network with a node or block called otherwise, where it lies.

        Raises:
            EditRefused: the name is taken, or is none.
        """
        architecture = self._document.architecture
        if not is_node:
            return grouping.rename_block(architecture, key, name)
        if "." in name:
            raise edits.EditRefused(f"{name!r} holds a dot, which parts a layer from its block; use a name without")
        return edits.rename(architecture, key, joined(parent(key), name))

    def rename(self, key: str, name: str, *, is_node: bool) -> None:
        """Call a node or block otherwise, where it lies; it stays selected."""
        text = self.tr("Rename {old} to {new}").format(old=key.rpartition(".")[2], new=name)
        before = self._document.architecture
        selected = [node.id in self._selection.ids for node in before]
        if self._edit(text, lambda _old: self.renamed(key, name, is_node=is_node)):
            after = self._document.architecture
            self._selection.set(node.id for node, was_selected in zip(after, selected, strict=True) if was_selected)

    def alike(self, node_id: str) -> tuple[str, ...]:
        """The nodes that get a value together with this one: all selected ones, if it is one and they are of a type."""
        ids, architecture = self._selection.ids, self._document.architecture
        layer_type = type(architecture[node_id].layer)
        if node_id in ids and all(type(architecture[i].layer) is layer_type for i in ids):
            return (node_id, *(i for i in ids if i != node_id))
        return (node_id,)

    def with_value(self, node_ids: tuple[str, ...], name: str, value: object) -> Architecture:
        """The network with a value of some nodes changed.

        Raises:
            ValueError: a value out of its range.
        """
        result = self._document.architecture
        for node_id in node_ids:
            result = edits.set_value(result, node_id, name, value)
        return result

    def set_value(self, node_ids: tuple[str, ...], name: str, value: object) -> None:
        """Change a value of some nodes, in one step."""
        new = self.with_value(node_ids, name, value)
        written = steps.written(new[node_ids[0]].layer, name)
        text = self.tr("Set {node} {name} to {value}").format(node=node_ids[0], name=name, value=written)
        if len(node_ids) > 1:
            text = self.tr("Set {name} of {count} layers to {value}").format(
                name=name, count=len(node_ids), value=written
            )
        self._document.finish_merge()
        self._document.apply(text, new)

    # Inside

    def _select_new(self, before: Architecture) -> tuple[str, ...]:
        added = tuple(node.id for node in self._document.architecture if node.id not in before)
        self._selection.set(added)
        return added

    def _edit(self, text: str, edit: Edit) -> bool:
        """Make an edit that may be refused; the reason becomes a signal."""
        try:
            self._document.edit(text, edit)
        except ValueError as error:  # EditRefused, or a value out of its range
            self.refused.emit(str(error))
            return False
        return True
