"""One line of several parts, of which the least important go where there is no room: no part is cut in two."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, ThemeSource, body_font

_SEPARATOR = " · "
_SLACK = 3 * GRID
"""Pixels to spare before a part comes back, lest it come and go with the digits of a number."""


class Part(NamedTuple):
    """What stands between two dots."""

    text: str
    rank: int
    """The highest goes first."""


class PartsLabel(ElidedLabel):
    """Shows as many parts as there is room for; all of them are the tooltip then. The last one left is elided."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, font=body_font(), parent=parent)
        self._parts: tuple[Part, ...] = ()
        self._left_out = 0
        """How many parts are not shown."""

    def show_parts(self, parts: Sequence[Part]) -> None:
        """Show these, in their order."""
        if tuple(part.rank for part in parts) != tuple(part.rank for part in self._parts):
            self._left_out = 0
        self._parts = tuple(parts)
        super().show_text(_joined(self._parts))

    def show_text(self, text: str) -> None:
        self.show_parts([Part(text, 0)])

    def resizeEvent(self, event: object) -> None:
        self._left_out = 0
        super().resizeEvent(event)

    def _fit(self) -> None:
        most = max(0, len(self._parts) - 1)
        left_out = next((count for count in range(most) if self._has_room(count)), most)
        self._left_out = left_out
        shown = self.fontMetrics().elidedText(
            self._without(left_out), Qt.TextElideMode.ElideRight, max(0, self.width())
        )
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self.whole if shown != self.whole else "")

    def _has_room(self, left_out: int) -> bool:
        slack = _SLACK if left_out < self._left_out else 0
        return self.fontMetrics().horizontalAdvance(self._without(left_out)) + slack <= self.width()

    def _without(self, count: int) -> str:
        """The text of all but the `count` least important parts."""
        kept = sorted(self._parts, key=lambda part: part.rank)[: len(self._parts) - count]
        return _joined([part for part in self._parts if part in kept])


def _joined(parts: Sequence[Part]) -> str:
    return _SEPARATOR.join(part.text for part in parts)
