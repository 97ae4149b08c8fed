"""The open project: one snapshot, one undo stack, one way to change it. Views follow `changed` and `previewed`."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack
from shiboken6 import isValid

from explorer.architecture import Architecture, Edit, PackedArchitecture, Project, files
from explorer.architecture.files import Companion
from explorer.inference import Inference, infer
from explorer.session.past import Past


class Snapshot(NamedTuple):
    """An architecture with all that follows from it."""

    architecture: Architecture
    inference: Inference

    def keeps(self, node_id: str, old: "Snapshot") -> bool:
        """Whether a node is here with the layer and the input shapes that it had in another version, so that what was
        captured of its weights still holds."""
        before, after = old.inference.nodes, self.inference.nodes
        if node_id not in before or node_id not in after:
            return False
        was, now = before[node_id], after[node_id]
        return was.layer == now.layer and was.input_shapes == now.input_shapes


class Along(Protocol):
    """What else a step of the history does, beside putting another architecture in place."""

    def undo(self) -> None:
        """Take it back."""

    def redo(self) -> None:
        """Do it, for the first time or again."""


Complete = Callable[[Snapshot], Architecture]
"""Fills in what is known beside the edits; returns the very architecture where there is nothing to add."""


class Document(QObject):
    """The architecture on screen, its history and its file.

    Signals:
        changed(Snapshot | None, Snapshot): old and new, after every edit, undo, redo and opening (old is None then).
        previewed(Snapshot | None): what would be after the edit under the pointer; None when there is none.
        file_changed(): another path, or modified against not modified, or another section that counts.
    """

    changed = Signal(object, object)
    previewed = Signal(object)
    file_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._clean_changed)
        self._snapshot: Snapshot | None = None
        self._preview: Snapshot | None = None
        self._path: Path | None = None
        self._sections: Mapping[str, Any] = MappingProxyType({})
        self._unsaved_origin = False
        self._unsaved_sections: frozenset[str] = frozenset()
        """Those that count and say something else than the project's file."""
        self._saved_sections: Mapping[str, Any] = MappingProxyType({})
        self._gesture = 0
        self._complete: Complete | None = None

    def __del__(self) -> None:
        # Python's collector takes cycles apart in any order: it would free a command that the stack then frees again.
        # This runs before it does.
        stack: QUndoStack | None = getattr(self, "undo_stack", None)
        if stack is not None and isValid(stack):
            stack.blockSignals(True)
            stack.clear()

    @property
    def is_open(self) -> bool:
        """Whether there is an architecture at all."""
        return self._snapshot is not None

    @property
    def snapshot(self) -> Snapshot:
        """The architecture now, with its inference.

        Raises:
            RuntimeError: nothing is open.
        """
        if self._snapshot is None:
            raise RuntimeError("no architecture is open")
        return self._snapshot

    @property
    def architecture(self) -> Architecture:
        """The architecture now."""
        return self.snapshot.architecture

    @property
    def path(self) -> Path | None:
        """The project's file; None until it is saved."""
        return self._path

    @property
    def sections(self) -> Mapping[str, Any]:
        """What the project's file holds beside the architecture, as plain data."""
        return self._sections

    @property
    def is_modified(self) -> bool:
        """Whether closing would lose something."""
        if self._snapshot is None:
            return False
        return self._unsaved_origin or bool(self._unsaved_sections) or not self.undo_stack.isClean()

    def earlier(self, most: int = 20) -> Past:
        """Versions before the one now, the latest first, `most` at most; what is undone is none of them."""
        stack = self.undo_stack
        steps = (stack.command(index) for index in range(stack.index() - 1, -1, -1))
        return Past([step._old for step in islice(steps, most) if isinstance(step, _Replace)])

    def open(
        self,
        architecture: Architecture,
        *,
        path: Path | None = None,
        sections: Mapping[str, Any] | None = None,
        modified: bool = False,
    ) -> None:
        """Show another architecture, with an empty history.

        Args:
            modified: it exists nowhere else, so closing asks (a recovered project).
        """
        self._preview = None
        self._snapshot = self._completed(architecture, None)
        self._path = path
        self._sections = MappingProxyType(dict(sections or {}))
        self._saved_sections, self._unsaved_sections = self._sections, frozenset()
        self._unsaved_origin = modified
        self.undo_stack.clear()
        self.changed.emit(None, self._snapshot)
        self.file_changed.emit()

    def apply(self, text: str, new: Architecture, merge: str | None = None) -> None:
        """Make an edit: one step of the history, shown in the Undo menu as `text`.

        Args:
            merge: steps with the same key become one until `finish_merge`, as in a drag.
        """
        if new is self.architecture or new == self.architecture:
            self.preview(None)
            return
        self._preview = None
        key = None if merge is None else f"{self._gesture}:{merge}"
        self.undo_stack.push(_Replace(self, text, self.architecture, new, key))

    def carry(self, along: Along) -> None:
        """Let the edit that was just made do this too, now and with every redo, and take it back with every undo.

        Raises:
            RuntimeError: the last step of the history is no edit, or is undone.
        """
        stack = self.undo_stack
        step = stack.command(stack.index() - 1) if stack.index() else None
        if not isinstance(step, _Replace) or stack.canRedo():
            raise RuntimeError("no edit has just been made that could carry something along")
        self.finish_merge()
        step.along = along
        along.redo()

    def edit(self, text: str, edit: Edit, merge: str | None = None) -> None:
        """Make an edit given as a function of the architecture."""
        self.apply(text, edit(self.architecture), merge)

    def finish_merge(self) -> None:
        """End a gesture: the next step stands alone in the history."""
        self._gesture += 1

    def preview(self, edit: Edit | None) -> None:
        """Show what an edit would do without making it; None ends the preview."""
        if edit is None:
            if self._preview is not None:
                self._preview = None
                self.previewed.emit(None)
            return
        architecture = edit(self.architecture)
        self._preview = self._completed(architecture, self.snapshot.inference)
        self.previewed.emit(self._preview)

    def complete_with(self, complete: Complete | None) -> None:
        """Fill in what is known beside the edits in all that is shown from now on: edits, undo, redo and previews.

        It is knowledge and no edit: the history does not hold it, and it leaves nothing to save.
        """
        self._complete = complete
        self.amend()

    def amend(self) -> None:
        """More is known: fill it into what is open."""
        if self._snapshot is None:
            return
        old = self._snapshot
        new = self._completed(old.architecture, old.inference)
        if new.architecture is not old.architecture:
            self._preview = None
            self._snapshot = new
            self.changed.emit(old, new)

    def set_section(self, name: str, data: Any, *, counts: bool = False) -> None:
        """Keep another package's plain data with the project; saved with the next save.

        Args:
            data: None takes the section away.
            counts: closing without saving would lose it, so that the document is modified while it differs from the
                project's file.
        """
        others = {key: value for key, value in self._sections.items() if key != name}
        self._sections = MappingProxyType(others if data is None else {**others, name: data})
        if counts:
            is_saved = self._saved_sections.get(name) == data
            self._unsaved_sections = self._unsaved_sections - {name} if is_saved else self._unsaved_sections | {name}
            self.file_changed.emit()

    def save(self, path: Path, companion: Companion | None = None, *, leave_out: str | None = None) -> None:
        """Write the project; its file and modified state follow.

        Args:
            companion: a file that belongs beside it.
            leave_out: a section that is not written; it stays unsaved.

        Raises:
            OSError: unwritable target or full disk; existing files are untouched.
        """
        sections = {name: data for name, data in self._sections.items() if name != leave_out}
        files.save(Project(architecture=self.architecture, sections=sections), path, companion)
        self._path = path
        self._unsaved_origin = False
        self._saved_sections = MappingProxyType(sections)
        self._unsaved_sections = frozenset({leave_out or ""} & set(self._sections))
        self.undo_stack.setClean()
        self.file_changed.emit()

    @Slot(bool)
    def _clean_changed(self, _is_clean: bool) -> None:
        # A method, not a lambda: Qt drops the connection when the document goes before its stack.
        self.file_changed.emit()

    def _show(self, architecture: Architecture) -> None:
        old = self.snapshot
        self._snapshot = self._completed(architecture, old.inference)
        self.changed.emit(old, self._snapshot)

    def _completed(self, architecture: Architecture, previous: Inference | None) -> Snapshot:
        snapshot = Snapshot(architecture, infer(architecture, previous))
        # One answer may bring the next question: what stands behind a node is known only with the node.
        while self._complete is not None and (filled := self._complete(snapshot)) is not snapshot.architecture:
            snapshot = Snapshot(filled, infer(filled, snapshot.inference))
        return snapshot


class _Replace(QUndoCommand):
    """The one undo command: an old and a new architecture, which share all that was not touched."""

    def __init__(self, document: Document, text: str, old: Architecture, new: Architecture, merge: str | None) -> None:
        super().__init__(text)
        self._document = document
        # A thousand steps on a network of 500 nodes have to fit into the memory of one large feature map.
        self._old = PackedArchitecture.pack(old)
        self._new = PackedArchitecture.pack(new)
        self._merge = merge
        self.along: Along | None = None

    def undo(self) -> None:
        if self.along is not None:
            self.along.undo()
        self._document._show(self._old.unpack())

    def redo(self) -> None:
        if self.along is not None:
            self.along.redo()
        self._document._show(self._new.unpack())

    def id(self) -> int:
        return -1 if self._merge is None else 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Replace) or other._merge != self._merge:
            return False
        self._new = other._new
        self.setText(other.text())
        if self._new[:4] == self._old[:4]:
            self.setObsolete(True)
        return True
