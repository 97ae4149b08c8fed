"""Find: the query in the bar, the layers that match it in the network as it is now, and going from one to the next."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from explorer.canvas.find_bar import FindBar
from explorer.look.query import Query, QueryError, matching, parse
from explorer.look.theme import ThemeSource
from explorer.session import Document

KeptBytes = Callable[[], Mapping[str, int]]
"""What training keeps of each node for one image; asked only where a query needs it."""


class Finding(QObject):
    """What is looked for.

    Attributes:
        bar: where it is typed.

    Signals:
        changed(): other layers match, or the bar came or went.
        reached(str): a match to show.
        left(): the bar is about to go; the focus belongs elsewhere.
    """

    changed = Signal()
    reached = Signal(str)
    left = Signal()

    def __init__(self, document: Document, themes: ThemeSource, kept_bytes: KeptBytes, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._kept_bytes = kept_bytes
        self._query: Query | None = None
        self._found: tuple[str, ...] = ()
        self._current: str | None = None
        self.bar = FindBar(themes, parent)
        self.bar.edited.connect(self._look)
        self.bar.stepped.connect(self.step)
        self.bar.closed.connect(self.close)

    @property
    def is_open(self) -> bool:
        """Whether the bar is there."""
        return not self.bar.isHidden()

    @property
    def found(self) -> tuple[str, ...] | None:
        """The layers that match, in the network's order; None where nothing is looked for."""
        return self._found if self.is_open and self._query is not None and self._query.terms else None

    def open(self) -> None:
        """Let the user type."""
        self.bar.open()
        self._look(self.bar.field.text())

    def close(self) -> None:
        """Look for nothing any more; what was typed is there the next time."""
        if self.is_open:
            # Before the bar goes: Qt would pass the focus on as Tab does, which selects the next item.
            self.left.emit()
            self.bar.hide()
            self._current = None
            self.changed.emit()

    def follow(self) -> None:
        """The network is another."""
        if self.is_open:
            self._look(self.bar.field.text())

    def step(self, by: int) -> None:
        """Go to the next match, or the one before; round and round."""
        if not self._found:
            return
        at = self._at()
        at = (at + by) % len(self._found) if at is not None else 0 if by > 0 else len(self._found) - 1
        self._current = self._found[at]
        self.bar.show_found(at, len(self._found))
        self.reached.emit(self._current)

    def _look(self, text: str) -> None:
        if not self._document.is_open:
            return
        try:
            self._query = parse(text)
        except QueryError as error:
            self._query, self._found = None, ()
            self.bar.show_problem(str(error))
        else:
            kept = self._kept_bytes() if self._query.needs_memory else None
            self._found = matching(self._query, self._document.snapshot.inference, kept)
            self.bar.show_found(self._at(), len(self._found))
        self.changed.emit()

    def _at(self) -> int | None:
        return self._found.index(self._current) if self._current in self._found else None
