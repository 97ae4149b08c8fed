"""The layers to add: the most used, blocks, then all by category, in groups that fold, with a search over all.

Enter or a double-click inserts one at the selection, a drag takes it elsewhere. Which values a new layer gets, and
where it goes, is `explorer.inference.insertion`' to say; what a search finds, `look.catalogue`'s; blocks are
`palette_blocks`'.
"""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QModelIndex, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QBrush, QIcon, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from explorer.architecture import EditRefused
from explorer.inference.insertion import insertion, refusal
from explorer.layers import Category, Layer, layer_types
from explorer.look import catalogue
from explorer.look.icons import category_icon, icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.help_text import type_tooltip
from explorer.panels.palette_blocks import BLOCK_ROLE, PaletteBlocks
from explorer.session import Document, Selection
from explorer.session.dragging import LAYER_MIME_TYPE

_TYPE_ROLE = Qt.ItemDataRole.UserRole
_GROUP_ROLE = Qt.ItemDataRole.UserRole + 1


class LayerPalette(QWidget):
    """The catalogue of layer types, with a search field above it.

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
        self._document = document
        self._selection = selection
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

        self.tree = _LayerTree(self)
        self.tree.chosen.connect(self.insert)
        self.tree.itemExpanded.connect(lambda _item: self._show_folding())
        self.tree.itemCollapsed.connect(lambda _item: self._show_folding())
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self._items = self._fill()
        # Behind the most used, where what is larger than a layer is looked for.
        group = self._add_group(self.tr("Blocks"), 1)
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
        if self._why_not(type_name):
            return
        snapshot = self._document.snapshot
        try:
            new = insertion(snapshot.architecture, snapshot.inference, type_name, self._selection.ids)
        except EditRefused:
            return
        if new.layer.min_inputs > 1:
            text = self.tr("Join {count} nodes with {layer}").format(count=len(self._selection.ids), layer=type_name)
        elif new.where == "after":
            text = self.tr("Insert {layer} after {node}").format(layer=type_name, node=new.anchor)
        else:
            text = self.tr("Insert {layer} before {node}").format(layer=type_name, node=new.anchor)
        self._document.apply(text, new.architecture)
        self._selection.set((new.node_id,))
        self.inserted.emit(new.node_id)

    def is_enabled(self, type_name: str) -> bool:
        """Whether a layer of that type could be inserted now."""
        return self._why_not(type_name) is None

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
            # The icon font costs 0.2 s, so it is asked for after the first paint.
            QTimer.singleShot(0, self, self._show_icons)

    def _fill(self) -> dict[str, list[QTreeWidgetItem]]:
        items: dict[str, list[QTreeWidgetItem]] = {}
        groups = [(self.tr("Most used"), catalogue.most_used())]
        groups += [(catalogue.category_name(category), types) for category, types in catalogue.by_category().items()]
        for title, types in groups:
            group = self._add_group(title, self.tree.topLevelItemCount())
            group.setText(1, str(len(types)) if items else "")
            # Most networks are made of the first group; all categories stay in sight below it.
            group.setExpanded(not items)
            for layer_type in types:
                name = layer_type.__name__
                item = QTreeWidgetItem(group, [name])
                item.setFirstColumnSpanned(True)
                item.setData(0, _TYPE_ROLE, name)
                item.setFont(0, body_font())
                item.setSizeHint(0, QSize(0, 3 * GRID))
                items.setdefault(name, []).append(item)
        return items

    def _add_group(self, title: str, place: int) -> QTreeWidgetItem:
        group = QTreeWidgetItem([title, ""])
        self.tree.insertTopLevelItem(place, group)
        group.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        group.setData(0, _GROUP_ROLE, title)
        group.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column in range(2):
            group.setFont(column, small_font())
            group.setSizeHint(column, QSize(0, 3 * GRID + 4))
        return group

    def _show_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is not None and isinstance(block_id := item.data(0, BLOCK_ROLE), str):
            menu = self.blocks.menu(block_id)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def _why_not(self, type_name: str) -> str | None:
        if not self._document.is_open:
            return self.tr("Open a network first.")
        if refusal(type_name, len(self._selection.ids)) == "two":
            return self.tr("Joins branches: select two nodes or more (Ctrl+click), then add it.")
        return None

    def _place(self) -> str:
        if self._selection.current is not None:
            return self.tr("Double-click inserts it after {node}.").format(node=self._selection.current)
        return self.tr("Double-click inserts it before the output; select a node to insert it after that one.")

    def _enable(self) -> None:
        types: dict[str, type[Layer]] = {cls.__name__: cls for cls in layer_types()}
        for name, items in self._items.items():
            why = self._why_not(name)
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
            if why or types[name].min_inputs > 1:
                rest = why or self.tr("Double-click joins the selected nodes.")
            else:
                rest = self._place()
            for item in items:
                item.setFlags(flags if why else flags | Qt.ItemFlag.ItemIsEnabled)
                item.setToolTip(0, f"{type_tooltip(types[name])}<p>{escape(rest)}</p>")
        self.blocks.enable()

    def _filter(self, text: str) -> None:
        """Show what is searched for, with all groups open; an empty search shows the groups as they were."""
        searches = bool(text.strip())
        if searches and self._open_before is None:
            self._open_before = [group.isExpanded() for group in self._groups()]
        wanted = {cls.__name__: place for place, cls in enumerate(catalogue.found(text))} if searches else {}
        # While searching, each type is shown once: in its category.
        for name, items in self._items.items():
            for item in items:
                is_repeated = item is not items[-1]
                item.setHidden(searches and (is_repeated or name not in wanted))
        blocks = self.blocks.find(text) if searches else []
        for block_id, item in self.blocks.items.items():
            item.setHidden(searches and block_id not in blocks)
        for place, group in enumerate(self._groups()):
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
        self._found = (*(self._items[name][-1] for name in wanted), *(self.blocks.items[b] for b in blocks))
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
        shown: Sequence[QTreeWidgetItem] = self._found or [items[0] for items in self._items.values()]
        return next(
            (i for i in shown if not i.isHidden() and i.flags() & Qt.ItemFlag.ItemIsEnabled),
            None,
        )

    def _groups(self) -> list[QTreeWidgetItem]:
        groups = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        return [group for group in groups if group is not None]

    def _insert_first(self) -> None:
        if first := self._first():
            self.tree.choose(first)

    def _show_icons(self) -> None:
        self._icons_shown = True
        self._recolour()

    def _recolour(self) -> None:
        theme = self._themes.theme
        for group in self._groups():
            for column in range(2):
                group.setForeground(column, QBrush(theme.muted))
        if self._icons_shown:
            self._search_icon.setIcon(icon("search", theme, theme.muted))
            pictures = {category: self._item_icon(category) for category in catalogue.by_category()}
            for cls in layer_types():
                for item in self._items.get(cls.__name__, ()):
                    item.setIcon(0, pictures[cls.category])
            self.blocks.show_icons(self.tree.iconSize(), self.devicePixelRatioF())
        self._show_folding()

    def _show_folding(self) -> None:
        if not self._icons_shown:
            return
        theme = self._themes.theme
        for group in self._groups():
            group.setIcon(0, icon("choose" if group.isExpanded() else "closed", theme, theme.muted))

    def _item_icon(self, category: Category) -> QIcon:
        theme, size, ratio = self._themes.theme, self.tree.iconSize(), self.devicePixelRatioF()
        own = category_icon(category, theme)
        # On the highlighted line the category's colour would drown in the accent. An icon made of pictures, because
        # QtAwesome's own takes no further ones.
        result = QIcon()
        result.addPixmap(own.pixmap(size, ratio), QIcon.Mode.Normal)
        result.addPixmap(own.pixmap(size, ratio, QIcon.Mode.Disabled), QIcon.Mode.Disabled)
        result.addPixmap(icon(category, theme, theme.accent_text).pixmap(size, ratio), QIcon.Mode.Selected)
        return result


class _LayerTree(QTreeWidget):
    """The list itself, dragged from, never dropped on; a click on a group, Enter, Left and Right fold it.

    Signals:
        chosen(str): Enter or a double-click on a layer type.
        block_chosen(str): the same on a block.
    """

    chosen = Signal(str)
    block_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and item is not None:
            self._fold(item)
            if event.key() != Qt.Key.Key_Space:
                self.choose(item)
        elif event.matches(QKeySequence.StandardKey.Find):
            parent = self.parentWidget()
            assert isinstance(parent, LayerPalette)
            parent.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super().keyPressEvent(event)

    def mimeTypes(self) -> list[str]:
        return [LAYER_MIME_TYPE]

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        data = QMimeData()
        if items and isinstance(name := items[0].data(0, _TYPE_ROLE), str):
            data.setData(LAYER_MIME_TYPE, QByteArray(name.encode()))
            data.setText(name)
        return data

    def choose(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        """Tell which layer or block the item stands for, if it can be had."""
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            if isinstance(name := item.data(0, _TYPE_ROLE), str):
                self.chosen.emit(name)
            elif isinstance(block_id := item.data(0, BLOCK_ROLE), str):
                self.block_chosen.emit(block_id)

    def _fold(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        if item.data(0, _GROUP_ROLE) is not None:
            item.setExpanded(not item.isExpanded())
