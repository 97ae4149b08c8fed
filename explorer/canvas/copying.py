"""Cut, copy, paste and duplicate on the canvas: each one step of the history, what is new selected after it."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from explorer.architecture.copying import Fragment, copied, paste
from explorer.architecture.paths import inside, parent, ports
from explorer.canvas.editing import Editing
from explorer.layers import Input
from explorer.session import Document, Selection, clipboard
from explorer.session.placing import Place, behind


class Copying(QObject):
    """The clipboard's gestures on one document."""

    def __init__(
        self,
        document: Document,
        selection: Selection,
        editing: Editing,
        whole: Callable[[str], tuple[str, ...]],
    ) -> None:
        """Copy in a document.

        Args:
            whole: the nodes of the item that shows a node: all of a folded block.
        """
        super().__init__(editing)
        self._document = document
        self._selection = selection
        self._editing = editing
        self._whole = whole

    def copy(self) -> bool:
        """Put the selected nodes on the clipboard."""
        fragment = self._fragment(self._selection.ids)
        if fragment is not None:
            QGuiApplication.clipboard().setMimeData(clipboard.nodes_data(fragment))
        return fragment is not None

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and remove them, which heals the wires."""
        ids = self._without_input(self._selection.ids)
        if self.copy():
            text = self.tr("Cut {}").format(ids[0])
            if len(ids) > 1:
                text = self.tr("Cut {} layers").format(len(ids))
            self._editing.remove(ids, text)

    def paste(self, where: Place | None = None) -> None:
        """Put what is on the clipboard behind the current node, or the last one; the new ones are selected."""
        fragment = clipboard.nodes(QGuiApplication.clipboard().mimeData())
        if fragment is None:
            self._editing.refused.emit(self.tr("The clipboard holds no layers; copy some first (Ctrl+C)."))
            return
        architecture = self._document.architecture
        if where is None:
            current = self._selection.current or architecture.outputs[0]
            where = behind(architecture, self._holder(current)) or Place(current)
        self._paste(self.tr("Paste {}"), fragment, where.node_id, where.beside or None)

    def duplicate(self) -> None:
        """Put a copy of the selected nodes behind them; the clipboard keeps what it has."""
        ids = self._without_input(self._selection.ids)
        fragment = self._fragment(ids)
        if fragment is None:
            return
        architecture = self._document.architecture
        chosen = [node for node in architecture if node.id in ids]
        exits = ports(architecture, chosen).exits
        end = exits[-1] if exits else chosen[-1].id
        holder = self._holder(end)
        beside = holder if holder != end and all(i.startswith(f"{holder}.") for i in ids) else None
        self._paste(self.tr("Duplicate {}"), fragment, end, beside)

    def _paste(self, text: str, fragment: Fragment, after: str, beside: str | None) -> None:
        what = fragment.nodes[0].id
        if len(fragment.nodes) > 1:
            what = self.tr("{} layers").format(len(fragment.nodes))
        edit = partial(paste, fragment=fragment, after=after, beside=beside)
        self._editing.make(text.format(what), edit)

    def _fragment(self, ids: tuple[str, ...]) -> Fragment | None:
        try:
            return copied(self._document.architecture, self._without_input(ids) or ids)
        except ValueError as error:  # EditRefused: nothing, or the input alone
            self._editing.refused.emit(str(error))
            return None

    def _without_input(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        architecture = self._document.architecture
        return tuple(i for i in ids if not isinstance(architecture[i].layer, Input))

    def _holder(self, node_id: str) -> str:
        """The folded block that shows a node, or the node."""
        whole = self._whole(node_id)
        if len(whole) == 1:
            return node_id
        path = parent(node_id)
        while path and len(inside(self._document.architecture, path)) < len(whole):
            path = parent(path)
        return path or node_id
