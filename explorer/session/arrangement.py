"""Where nodes and folded blocks stand that a hand has moved: part of the project's file, and of the history.

A move is a step of the history like any edit, so that Undo takes back what was done last, whatever it was. It changes
no architecture: views that show no positions need not know of it.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from explorer.architecture import Architecture
from explorer.architecture.placement import Point
from explorer.session.document import Document, Snapshot

SECTION = "canvas"
"""Of the project's file: {"positions": {"conv1": [x, y]}}, in pixels of the drawing."""

Positions = Mapping[str, Point]


class Arrangement(QObject):
    """The positions of one document.

    Signals:
        changed(bool): other positions; whether it is worth showing how things get there.
    """

    changed = Signal(bool)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._positions: Positions = MappingProxyType({})
        document.changed.connect(self._follow)
        if document.is_open:
            self._follow(None, document.snapshot)

    @property
    def positions(self) -> Positions:
        """The top left corners of what was moved, by node id or block path."""
        return self._positions

    def move(self, text: str, positions: Positions) -> None:
        """Put items elsewhere, as one step of the history; an empty mapping lets the layout place all."""
        if dict(positions) != dict(self._positions):
            self._document.finish_merge()
            self._document.undo_stack.push(_Move(self, text, self._positions, MappingProxyType(dict(positions))))

    def move_along(self, positions: Positions) -> None:
        """Put items elsewhere as part of the edit that was just made, so that one Undo takes both back."""
        if dict(positions) != dict(self._positions):
            self._document.carry(_Along(self, self._positions, MappingProxyType(dict(positions))))

    def _show(self, positions: Positions, *, animated: bool) -> None:
        self._positions = positions
        plain = {"positions": {key: [place.x, place.y] for key, place in positions.items()}}
        self._document.set_section(SECTION, plain if positions else None)
        self.changed.emit(animated)

    def _follow(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None:
            self._positions = MappingProxyType(positions_in(self._document.sections.get(SECTION)))
            self.changed.emit(False)
        elif self._positions:
            self._follow_names(old, new)

    def _follow_names(self, old: Snapshot, new: Snapshot) -> None:
        """Nodes and blocks that are called otherwise now keep their place.

        What was remembered under the new name, of something that was removed, goes to the old one: so taking the name
        back gives both again.
        """
        before, after = old.architecture, new.architecture
        if len(before) != len(after) or before.structure is after.structure:
            return
        nodes = zip(before, after, strict=True)
        renamed = {a.id: b.id for a, b in nodes if a.id != b.id and a.layer is b.layer}
        if len(before.blocks) == len(after.blocks):
            renamed |= {a.path: b.path for a, b in zip(before.blocks, after.blocks, strict=True) if a.kind == b.kind}
        known, left = _names(before), _names(after)
        to = {name: other for name, other in renamed.items() if name not in left}
        if to and known.isdisjoint(to.values()):
            to |= {other: name for name, other in to.items()}
            now = {to.get(key, key): place for key, place in self._positions.items()}
            if now != dict(self._positions):
                self._show(MappingProxyType(now), animated=False)


def _names(architecture: Architecture) -> set[str]:
    """Of all that may have been moved."""
    return {*(node.id for node in architecture), *(block.path for block in architecture.blocks)}


class _Move(QUndoCommand):
    """Positions before and after."""

    def __init__(self, arrangement: Arrangement, text: str, old: Positions, new: Positions) -> None:
        super().__init__(text)
        self._arrangement = arrangement
        self._old = old
        self._new = new
        self._is_done = False

    def undo(self) -> None:
        self._arrangement._show(self._old, animated=True)

    def redo(self) -> None:
        # What a drag has put there is there already; a layout that is asked for anew glides.
        self._arrangement._show(self._new, animated=self._is_done or not self._new)
        self._is_done = True


class _Along:
    """Positions before and after an edit that puts in what stands there; nothing glides, as the network changes."""

    def __init__(self, arrangement: Arrangement, old: Positions, new: Positions) -> None:
        self._arrangement = arrangement
        self._old = old
        self._new = new

    def undo(self) -> None:
        self._arrangement._show(self._old, animated=False)

    def redo(self) -> None:
        self._arrangement._show(self._new, animated=False)


def positions_in(section: Any) -> dict[str, Point]:
    """The positions that a file holds; what is none is passed over, as the network opens without."""
    found: dict[str, Point] = {}
    plain = section.get("positions") if isinstance(section, dict) else None
    for key, place in plain.items() if isinstance(plain, dict) else ():
        if isinstance(key, str) and isinstance(place, list) and len(place) == 2:
            numbers = [float(n) for n in place if isinstance(n, (int, float)) and not isinstance(n, bool)]
            if len(numbers) == 2 and all(math.isfinite(n) and abs(n) < 1e7 for n in numbers):
                found[key] = Point(*numbers)
    return found
