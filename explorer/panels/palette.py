"""The layers to add, by category: Enter or a double-click inserts one at the selection, a drag takes it elsewhere.

Which values a new layer gets, and where it goes, is `explorer.inference.insertion`' to say.
"""

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QBrush, QIcon, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from explorer.architecture import EditRefused
from explorer.inference.insertion import insertion, refusal
from explorer.layers import Category, Layer, layer_types
from explorer.look.icons import category_icon, icon
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.session import Document, Selection
from explorer.session.dragging import LAYER_MIME_TYPE

_TYPE_ROLE = Qt.ItemDataRole.UserRole


class LayerPalette(QWidget):
    """The catalogue of layer types, with a search field above it.

    Signals:
        inserted(str): id of the node that was added.
    """

    inserted = Signal(str)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._icons_shown = False

        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search layers"))
        self.search.setAccessibleName(self.tr("Search layers"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._insert_first)
        self.search.installEventFilter(self)
        self._search_icon = QAction(self)
        self.search.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)

        self.tree = _LayerTree(self)
        self.tree.chosen.connect(self.insert)
        self._items = self._fill()
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.search)
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

    def _fill(self) -> dict[str, QTreeWidgetItem]:
        groups: dict[Category, QTreeWidgetItem] = {}
        items: dict[str, QTreeWidgetItem] = {}
        order = list(Category)
        for cls in sorted(layer_types(), key=lambda cls: order.index(cls.category)):
            if refusal(cls.__name__, 0) == "input":
                continue
            if cls.category not in groups:
                group = QTreeWidgetItem(self.tree, [self._category_title(cls.category)])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                group.setFont(0, small_font())
                group.setSizeHint(0, QSize(0, 3 * GRID + 4))
                group.setExpanded(True)
                groups[cls.category] = group
            item = QTreeWidgetItem(groups[cls.category], [cls.__name__])
            item.setData(0, _TYPE_ROLE, cls.__name__)
            item.setFont(0, body_font())
            item.setSizeHint(0, QSize(0, 3 * GRID))
            items[cls.__name__] = item
        return items

    def _category_title(self, category: Category) -> str:
        return {
            Category.INPUT: self.tr("Input"),
            Category.CONVOLUTION: self.tr("Convolution"),
            Category.POOLING: self.tr("Pooling"),
            Category.ACTIVATION: self.tr("Activation"),
            Category.NORMALIZATION: self.tr("Normalisation"),
            Category.REGULARIZATION: self.tr("Regularisation"),
            Category.LINEAR: self.tr("Fully connected"),
            Category.RESHAPE: self.tr("Reshaping"),
            Category.MERGE: self.tr("Joining branches"),
        }[category]

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
        for name, item in self._items.items():
            why = self._why_not(name)
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
            item.setFlags(flags if why else flags | Qt.ItemFlag.ItemIsEnabled)
            if why or types[name].min_inputs > 1:
                rest = why or self.tr("Double-click joins the selected nodes.")
            else:
                rest = self._place()
            item.setToolTip(0, f"{types[name].summary}\n{rest}")

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        types = {cls.__name__: cls for cls in layer_types()}
        for name, item in self._items.items():
            facts = f"{name} {types[name].category} {types[name].summary}".casefold()
            item.setHidden(not all(word in facts for word in words))
        for i in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(i)
            assert group is not None
            children = [group.child(k) for k in range(group.childCount())]
            group.setHidden(all(child is None or child.isHidden() for child in children))

    def _first(self) -> QTreeWidgetItem | None:
        shown: Sequence[QTreeWidgetItem] = [item for item in self._items.values() if not item.isHidden()]
        return next((item for item in shown if item.flags() & Qt.ItemFlag.ItemIsEnabled), None)

    def _insert_first(self) -> None:
        if first := self._first():
            self.insert(first.data(0, _TYPE_ROLE))

    def _show_icons(self) -> None:
        self._icons_shown = True
        self._recolour()

    def _recolour(self) -> None:
        theme = self._themes.theme
        for i in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(i)
            assert group is not None
            group.setForeground(0, QBrush(theme.muted))
        if self._icons_shown:
            self._search_icon.setIcon(icon("search", theme, theme.muted))
            for cls in layer_types():
                if cls.__name__ in self._items:
                    self._items[cls.__name__].setIcon(0, self._item_icon(cls.category))

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
    """The list itself: always open, dragged from, never dropped on.

    Signals:
        chosen(str): Enter or a double-click on a layer type.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(0)
        self.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemDoubleClicked.connect(self._choose)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and item is not None:
            self._choose(item)
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

    def _choose(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        name = item.data(0, _TYPE_ROLE)
        if isinstance(name, str) and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen.emit(name)
