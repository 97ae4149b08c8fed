"""The header of a sorted table, whose right-aligned titles do not lie under the arrow of the order."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHeaderView, QStyleOptionHeader, QWidget

from explorer.look.theme import GRID, small_font

_ROOM_FOR_ARROW = "\u2002"
"""Behind a right-aligned title, over which the style would draw the arrow of the order."""


class ArrowHeader(QHeaderView):
    """A header whose right-aligned titles leave room for the arrow of the order."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFont(small_font())

    @staticmethod
    def width_of(title: str) -> int:
        """Pixels of a title with the arrow behind it."""
        return QFontMetrics(small_font()).horizontalAdvance(title + _ROOM_FOR_ARROW) + GRID

    def initStyleOptionForIndex(self, option: QStyleOptionHeader, logical_index: int) -> None:
        super().initStyleOptionForIndex(option, logical_index)
        is_sorted = self.isSortIndicatorShown() and self.sortIndicatorSection() == logical_index
        if is_sorted and option.textAlignment & Qt.AlignmentFlag.AlignRight:
            option.text += _ROOM_FOR_ARROW
