"""The layers and blocks to add, in one list, with a search over all.

Enter or a double-click inserts one at the selection, a drag takes it to a wire or a node of the canvas. The lines and
what inserting does are `layers`' and `blocks`', the list is `tree`'s; which types a search
finds, `look.catalogue`'s.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QTreeWidgetItem, QVBoxLayout, QWidget

from explorer.look import catalogue
from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.palette.blocks import PaletteBlocks
from explorer.panels.palette.layers import PaletteLayers
from explorer.panels.palette.tree import BLOCK_ROLE, PaletteTree
from explorer.session import Document, Selection


class LayerPalette(QWidget):
    """The catalogue of layer types and blocks, with a search field above it.

    Signals:
        inserted(str): id of the node that was added; of a block, its last.
        refused(str): why a block could not be added.
    """

    inserted = Signal(str)
    refused = Signal(str)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._icons_shown = False

        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search layers and blocks"))
        self.search.setAccessibleName(self.tr("Search layers and blocks"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._insert_first)
        self.search.installEventFilter(self)
        self._search_icon = QAction(self)
        self.search.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)

        self.tree = PaletteTree(themes.theme, self)
        self.tree.search_requested.connect(lambda: self.search.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self.tree.itemExpanded.connect(lambda _item: self._show_folding())
        self.tree.itemCollapsed.connect(lambda _item: self._show_folding())
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self.layers = PaletteLayers(document, selection, themes, self.tree, self)
        self.tree.chosen.connect(self.layers.insert)
        self.layers.inserted.connect(self.inserted)
        # Behind the most used, where what is larger than a layer is looked for.
        group = self.tree.add_group(self.tr("Blocks"), 1)
        self.blocks = PaletteBlocks(document, selection, themes, group, self)
        group.setText(1, str(group.childCount()))
        self.tree.block_chosen.connect(self.blocks.insert)
        self.blocks.inserted.connect(self.inserted)
        self.blocks.refused.connect(self.refused)
        self._found: tuple[QTreeWidgetItem, ...] = ()
        self._open_before: list[bool] | None = None
        self.nothing = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.search)
        column.addWidget(self.nothing)
        column.addWidget(self.tree, 1)

        document.changed.connect(lambda _old, _new: self._enable())
        selection.changed.connect(lambda _ids: self._enable())
        themes.changed.connect(self._recolour)
        self._recolour()
        self._enable()

    def insert(self, type_name: str) -> None:
        """Add a layer of that type at the selection as one undoable edit, and select it; nothing where it cannot be."""
        self.layers.insert(type_name)

    def is_enabled(self, type_name: str) -> bool:
        """Whether a layer of that type could be inserted now."""
        return self.layers.why_not(type_name) is None

    def sizeHint(self) -> QSize:
        return QSize(30 * GRID, 60 * GRID)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self.tree.setFocus(Qt.FocusReason.TabFocusReason)
                if first := self._first():
                    self.tree.setCurrentItem(first)
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._icons_shown:
            # Not before, since they are made for the pixels of the screen that it is on.
            self._show_icons()

    def _show_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is not None and isinstance(block_id := item.data(0, BLOCK_ROLE), str):
            menu = self.blocks.menu(block_id)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def _enable(self) -> None:
        self.layers.enable()
        self.blocks.enable()

    def _filter(self, text: str) -> None:
        """Show what is searched for, with all groups open; an empty search shows the groups as they were."""
        searches = bool(text.strip())
        groups = self.tree.groups()
        if searches and self._open_before is None:
            self._open_before = [group.isExpanded() for group in groups]
        wanted = {cls.__name__: place for place, cls in enumerate(catalogue.found(text))} if searches else {}
        # While searching, each type is shown once: in its category.
        for name, items in self.layers.items.items():
            for item in items:
                is_repeated = item is not items[-1]
                item.setHidden(searches and (is_repeated or name not in wanted))
        blocks = self.blocks.find(text) if searches else []
        for block_id, item in self.blocks.items.items():
            item.setHidden(searches and block_id not in blocks)
        for place, group in enumerate(groups):
            children = [group.child(k) for k in range(group.childCount())]
            num_shown = sum(child is not None and not child.isHidden() for child in children)
            group.setHidden(num_shown == 0)
            group.setText(1, str(num_shown) if place else "")
            if searches:
                group.setExpanded(True)
            elif self._open_before is not None:
                group.setExpanded(self._open_before[place])
        if not searches:
            self._open_before = None
        self._found = (*(self.layers.items[name][-1] for name in wanted), *(self.blocks.items[b] for b in blocks))
        self.nothing.setVisible(searches and not self._found)
        if searches and not self._found:
            self.nothing.show_text(self.tr("No layer or block is called or does \u201c%s\u201d.") % text.strip())
        first = self._first()
        if searches and first is not None:
            self.tree.setCurrentItem(first)
            self.tree.scrollToItem(first)
        else:
            self.tree.setCurrentIndex(QModelIndex())
        self._show_folding()

    def _first(self) -> QTreeWidgetItem | None:
        """What Enter in the search field inserts: the best match, else the first of the list."""
        shown: Sequence[QTreeWidgetItem] = self._found or [items[0] for items in self.layers.items.values()]
        return next(
            (i for i in shown if not i.isHidden() and i.flags() & Qt.ItemFlag.ItemIsEnabled),
            None,
        )

    def _insert_first(self) -> None:
        if first := self._first():
            self.tree.choose(first)

    def _show_icons(self) -> None:
        self._icons_shown = True
        self._recolour()

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.tree.show_theme(theme)
        self.blocks.enable()
        if self._icons_shown:
            self._search_icon.setIcon(icon("search", theme, theme.muted))
            self.layers.show_icons(self.tree.iconSize(), self.devicePixelRatioF())
            self.blocks.show_icons(self.tree.iconSize(), self.devicePixelRatioF())
        self._show_folding()

    def _show_folding(self) -> None:
        if self._icons_shown:
            self.tree.show_folding(self._themes.theme)
