"""The palette's list as a widget: groups that fold, lines that are chosen by Enter or double-click, or dragged away.

What stands in it is `layers`' and `blocks`'; the search over it, `panel`'s.
"""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QDrag, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from explorer.layers import Category, layer_type
from explorer.look.icons import icon
from explorer.look.theme import GRID, Theme, body_font, small_font
from explorer.panels.drag_chip import Chip, chip
from explorer.session.dragging import BLOCK_MIME_TYPE, LAYER_MIME_TYPE, block_data, layer_data
from explorer.zoo import Value

TYPE_ROLE = Qt.ItemDataRole.UserRole
"""The name of an item's layer type."""
BLOCK_ROLE = Qt.ItemDataRole.UserRole + 2
"""The id of an item's block."""
VALUES_ROLE = Qt.ItemDataRole.UserRole + 3
"""What was chosen for the parameters of an item's block."""
_GROUP_ROLE = Qt.ItemDataRole.UserRole + 1


class PaletteTree(QTreeWidget):
    """The list itself, dragged from, never dropped on; a click on a group, Enter, Left and Right fold it.

    Signals:
        chosen(str): Enter or a double-click on a layer type.
        block_chosen(str): the same on a block.
        search_requested(): the key for it was pressed.
    """

    chosen = Signal(str)
    block_chosen = Signal(str)
    search_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(1)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(1, 5 * GRID)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(False)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(0)
        self.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemDoubleClicked.connect(self.choose)
        self.itemClicked.connect(self._fold)

    def add_group(self, title: str, place: int) -> QTreeWidgetItem:
        """A heading that folds what comes below it, as the group number `place`."""
        group = QTreeWidgetItem([title, ""])
        self.insertTopLevelItem(place, group)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        group.setData(0, _GROUP_ROLE, title)
        group.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column in range(2):
            group.setFont(column, small_font())
            group.setSizeHint(column, QSize(0, 3 * GRID + 4))
        return group

    def groups(self) -> list[QTreeWidgetItem]:
        """The headings, from top to bottom."""
        groups = [self.topLevelItem(i) for i in range(self.topLevelItemCount())]
        return [group for group in groups if group is not None]

    def choose(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        """Tell which layer or block the item stands for, if it can be had."""
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            if isinstance(name := item.data(0, TYPE_ROLE), str):
                self.chosen.emit(name)
            elif isinstance(block_id := item.data(0, BLOCK_ROLE), str):
                self.block_chosen.emit(block_id)

    def show_theme(self, theme: Theme) -> None:
        """Draw the headings, and what is dragged, in these colours."""
        self._theme = theme
        for group in self.groups():
            for column in range(2):
                group.setForeground(column, QBrush(theme.muted))

    def show_folding(self, theme: Theme) -> None:
        """Show by the headings' icons which groups are open."""
        for group in self.groups():
            group.setIcon(0, icon("choose" if group.isExpanded() else "closed", theme, theme.muted))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and item is not None:
            self._fold(item)
            if event.key() != Qt.Key.Key_Space:
                self.choose(item)
        elif event.matches(QKeySequence.StandardKey.Find):
            self.search_requested.emit()
        else:
            super().keyPressEvent(event)

    def startDrag(self, supported: Qt.DropAction) -> None:
        """Drag a chip of what a line stands for: the line itself, as wide as the list, would cover the place."""
        item = self.currentItem()
        data = self.mimeData([] if item is None else [item])
        if item is None or not data.formats():
            return
        drag = QDrag(self)
        drag.setMimeData(data)
        picture, hot_spot = self._chip(item)
        drag.setPixmap(picture)
        drag.setHotSpot(hot_spot)
        drag.exec(supported, Qt.DropAction.CopyAction)

    def _chip(self, item: QTreeWidgetItem) -> Chip:
        name = item.data(0, TYPE_ROLE)
        is_block = not isinstance(name, str)
        category = Category.OTHER if is_block else layer_type(name).category
        theme = self._theme
        symbol, ratio = item.icon(0), self.devicePixelRatioF()
        return chip(item.text(0), symbol, theme.category(category), theme, ratio, is_block=is_block)

    def mimeTypes(self) -> list[str]:
        return [LAYER_MIME_TYPE, BLOCK_MIME_TYPE]

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        for item in items:
            if isinstance(name := item.data(0, TYPE_ROLE), str):
                return layer_data(name)
            if isinstance(block_id := item.data(0, BLOCK_ROLE), str):
                return block_data(block_id, _values(item))
        return QMimeData()

    def _fold(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        if item.data(0, _GROUP_ROLE) is not None:
            item.setExpanded(not item.isExpanded())


def add_line(group: QTreeWidgetItem, text: str) -> QTreeWidgetItem:
    """A line of a group, over both columns."""
    item = QTreeWidgetItem(group, [text])
    item.setFirstColumnSpanned(True)
    item.setFont(0, body_font())
    item.setSizeHint(0, QSize(0, 3 * GRID))
    return item


def _values(item: QTreeWidgetItem) -> Mapping[str, Value]:
    values = item.data(0, VALUES_ROLE)
    return values if isinstance(values, dict) else {}
