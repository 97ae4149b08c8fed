"""Which nodes are selected, shared by canvas, table, inspector and feature maps."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from explorer.session.document import Document, Snapshot


class Selection(QObject):
    """The selected node ids; the last one is the current one. Nodes that vanish leave it.

    Signals:
        changed(tuple[str, ...]): the ids now selected, in the order of selection.
    """

    changed = Signal(object)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: tuple[str, ...] = ()
        document.changed.connect(self._follow)

    @property
    def ids(self) -> tuple[str, ...]:
        """The selected nodes."""
        return self._ids

    @property
    def current(self) -> str | None:
        """The node selected last."""
        return self._ids[-1] if self._ids else None

    def set(self, ids: Iterable[str]) -> None:
        """Select these nodes and no others."""
        wanted = tuple(dict.fromkeys(ids))
        if wanted != self._ids:
            self._ids = wanted
            self.changed.emit(wanted)

    def _follow(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None:
            self.set(())
        else:
            self.set(node_id for node_id in self._ids if node_id in new.architecture)
