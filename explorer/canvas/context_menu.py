"""The context menu of a place on the canvas: which entries it has, and what of the view they act on."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from explorer.canvas import fold_menu, menus, targets
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.hands import Hands
from explorer.canvas.scene import GraphScene
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection

if TYPE_CHECKING:
    from explorer.canvas.view import GraphView


class ContextMenu(QObject):
    """Puts a view's menus together; `menus` and `fold_menu` know the entries."""

    def __init__(
        self,
        view: "GraphView",
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        graph: GraphScene,
        editing: Editing,
        folding: FoldControl,
        hands: Hands,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._document = document
        self._selection = selection
        self._themes = themes
        self._graph = graph
        self._hands = hands
        self._pointer = hands.pointer
        self._editing = editing
        self._folding = folding

    def at(self, position: QPoint) -> QMenu:
        """What can be done at a position of the viewport."""
        key = self._pointer.spot(position).key
        wire = self._graph.wire_at(self._view.mapToScene(position))
        if key is not None:
            menu = self._item_menu(key)
            menus.add_clipboard_actions(menu, self._hands.copying, partial(self._hands.in_place.type_name, key))
        elif wire is not None:
            where = targets.on_wire_item(self._document.architecture, wire).where
            menu = menus.wire_menu(self._view, self._themes.theme, where, self._editing)
            ask = partial(self._hands.adding.ask_at, position)
            menus.add_action(menu, self.tr("Add by typing…"), ask, shortcut=QKeySequence(Qt.Key.Key_A))
            return menu
        else:
            menu = self._canvas_menu(position)
        fold_menu.add(menu, self._folding, self._graph, self._document.architecture, key, position)
        return menu

    def _item_menu(self, key: str) -> QMenu:
        nodes = self._graph.nodes_of(key)
        if not set(self._selection.ids).issuperset(nodes):
            self._selection.set(nodes)
        architecture, theme, selected = self._document.architecture, self._themes.theme, self._selection.ids
        if key in self._graph.nodes:
            return menus.node_menu(self._view, theme, architecture, key, selected, self._editing)
        where = targets.behind_key(architecture, key)
        return menus.block_menu(self._view, theme, architecture, key, where, selected, self._editing)

    def _canvas_menu(self, position: QPoint) -> QMenu:
        view, architecture = self._view, self._document.architecture
        menu = menus.canvas_menu(view, self._themes.theme, architecture, self._editing)
        for text, keys, done in (
            (self.tr("Add by typing…"), Qt.Key.Key_A, partial(self._hands.adding.ask_at, position)),
            (self.tr("Paste"), QKeySequence.StandardKey.Paste, self._hands.copying.paste),
            (self.tr("Select all"), QKeySequence.StandardKey.SelectAll, self._select_all),
            (self.tr("Tidy"), Qt.Key.Key_T, view.tidy),
            (self.tr("Fit"), Qt.Key.Key_F, view.fit),
            (self.tr("Zoom to 100 %"), Qt.Key.Key_0, lambda: view.zoom_by(1 / view.zoom)),
        ):
            menus.add_action(menu, text, done, shortcut=QKeySequence(keys))
        menu.addSeparator()
        menus.add_action(menu, self.tr("Copy picture"), view.copy_picture)
        return menu

    def _select_all(self) -> None:
        self._selection.set(node.id for node in self._document.architecture)
