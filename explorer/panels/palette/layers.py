"""The layers of the palette: the most used and all by category, where each would go now, and what inserting one does.

Which values a new layer gets, and where it goes, is `explorer.inference.insertion`'s to say; the list around them is
`tree`'s.
"""

from html import escape

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QTreeWidgetItem

from explorer.architecture import EditRefused
from explorer.inference.insertion import insertion, refusal
from explorer.layers import Category, Layer, layer_types
from explorer.look import catalogue
from explorer.look.icons import category_icon, icon
from explorer.look.theme import ThemeSource
from explorer.panels.help.text import type_tooltip
from explorer.panels.palette.tree import TYPE_ROLE, PaletteTree, add_line
from explorer.session import Document, Selection


class PaletteLayers(QObject):
    """The items of all groups of layers; a type that is one of the most used has two, the last in its category.

    Signals:
        inserted(str): id of the node that was added.
    """

    inserted = Signal(str)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, tree: PaletteTree, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self.items: dict[str, list[QTreeWidgetItem]] = {}
        groups = [(self.tr("Most used"), catalogue.most_used())]
        groups += [(catalogue.category_name(category), types) for category, types in catalogue.by_category().items()]
        for title, types in groups:
            group = tree.add_group(title, tree.topLevelItemCount())
            group.setText(1, str(len(types)) if self.items else "")
            # Most networks are made of the first group; all categories stay in sight below it.
            group.setExpanded(not self.items)
            for layer_type in types:
                item = add_line(group, layer_type.__name__)
                item.setData(0, TYPE_ROLE, layer_type.__name__)
                self.items.setdefault(layer_type.__name__, []).append(item)

    def insert(self, type_name: str) -> None:
        """Add a layer of that type at the selection as one undoable edit, and select it; nothing where it cannot be."""
        if self.why_not(type_name):
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

    def why_not(self, type_name: str) -> str | None:
        """Why no layer of that type could be inserted now."""
        if not self._document.is_open:
            return self.tr("Open a network first.")
        if refusal(type_name, len(self._selection.ids)) == "two":
            return self.tr("Joins branches: select two nodes or more (Ctrl+click), then add it.")
        return None

    def enable(self) -> None:
        """Follow the document and the selection: which items can be had, and where they would go."""
        types: dict[str, type[Layer]] = {cls.__name__: cls for cls in layer_types()}
        for name, items in self.items.items():
            why = self.why_not(name)
            flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
            if why or types[name].min_inputs > 1:
                rest = why or self.tr("Double-click joins the selected nodes.")
            else:
                rest = self._place()
            for item in items:
                item.setFlags(flags if why else flags | Qt.ItemFlag.ItemIsEnabled)
                item.setToolTip(0, f"{type_tooltip(types[name])}<p>{escape(rest)}</p>")

    def show_icons(self, size: QSize, ratio: float) -> None:
        """Draw the icons in the theme's colours, for lines of that icon size."""
        pictures = {category: self._icon(category, size, ratio) for category in catalogue.by_category()}
        for cls in layer_types():
            for item in self.items.get(cls.__name__, ()):
                item.setIcon(0, pictures[cls.category])

    def _place(self) -> str:
        if self._selection.current is not None:
            return self.tr("Double-click inserts it after {node}.").format(node=self._selection.current)
        return self.tr("Double-click inserts it before the output; select a node to insert it after that one.")

    def _icon(self, category: Category, size: QSize, ratio: float) -> QIcon:
        theme = self._themes.theme
        own = category_icon(category, theme)
        # On the highlighted line the category's colour would drown in the accent. An icon made of pictures, because
        # one that is drawn takes no further ones.
        result = QIcon()
        result.addPixmap(own.pixmap(size, ratio), QIcon.Mode.Normal)
        result.addPixmap(own.pixmap(size, ratio, QIcon.Mode.Disabled), QIcon.Mode.Disabled)
        result.addPixmap(icon(category, theme, theme.accent_text).pixmap(size, ratio), QIcon.Mode.Selected)
        return result
