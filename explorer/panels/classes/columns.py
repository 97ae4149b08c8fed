"""The three columns of the tab side by side: each as wide as it needs, the images' as wide as is left.

Who moves a border has it where it was put.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from explorer.look.theme import GRID


class Needs(NamedTuple):
    """Pixels."""

    matrix: Callable[[int], int]
    """Which the matrix makes use of, of so many that it may have."""
    least_matrix: int
    """Which it should have, however few its classes are."""
    table: int
    """Of all the table's columns."""
    least_images: int
    """Which images should have, however large the matrix can be."""


class Columns(QSplitter):
    """The columns with the borders between them."""

    def __init__(self, columns: Sequence[QWidget], needs: Callable[[], Needs], parent: QWidget | None = None) -> None:
        """Put the matrix, the table and the images side by side.

        Args:
            columns: these three.
            needs: asked whenever the width is shared anew.
        """
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._needs = needs
        self._is_by_hand = False
        for column, stretch in zip(columns, (0, 0, 1), strict=True):
            self.addWidget(column)
            self.setStretchFactor(self.count() - 1, stretch)
        self.setHandleWidth(2 * GRID)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._take_hand)

    def share(self) -> None:
        """Share the width as it is needed now."""
        if not self._is_by_hand:
            self.setSizes(shared(self.width() - 2 * self.handleWidth(), self._needs()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.share()

    def _take_hand(self) -> None:
        self._is_by_hand = True


def shared(width: int, needs: Needs) -> list[int]:
    """How wide the matrix, the table and the images are.

    The table comes first, since what is cut off of it is not seen; where there is little room, the least of the others
    shrinks in proportion.
    """
    least = needs.least_matrix + needs.least_images
    table = min(needs.table, max(0, width - least // 2))
    left = max(0, width - table)
    if left <= least:
        matrix = left * needs.least_matrix // max(1, least)
    else:
        matrix = max(needs.least_matrix, needs.matrix(left - needs.least_images))
    return [matrix, table, left - matrix]
