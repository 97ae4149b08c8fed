"""What the keys do on the canvas: go from item to item, fold, add, edit, copy, zoom; the window's come after these."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from explorer.canvas.camera import Camera
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.hands import Hands
from explorer.canvas.navigation import Direction, neighbour
from explorer.canvas.scene import GraphScene
from explorer.canvas.wheel import ZOOM_STEP
from explorer.session import Document, Selection

_DIRECTIONS = {
    Qt.Key.Key_Up: Direction.UP,
    Qt.Key.Key_Down: Direction.DOWN,
    Qt.Key.Key_Left: Direction.LEFT,
    Qt.Key.Key_Right: Direction.RIGHT,
}
_CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Keys(QObject):
    """The keys of a view.

    Signals:
        edit_requested(str): Enter was pressed on a node; its id.
        zoom_requested(float): by this factor around the middle; 0 for 100 %.
        reached(str): the key of an item that is selected now and should be in sight.
    """

    edit_requested = Signal(str)
    zoom_requested = Signal(float)
    reached = Signal(str)

    def __init__(
        self,
        document: Document,
        selection: Selection,
        graph: GraphScene,
        camera: Camera,
        editing: Editing,
        folding: FoldControl,
        hands: Hands,
    ) -> None:
        super().__init__(hands)
        pointer = hands.pointer
        self._in_place = hands.in_place
        self._document = document
        self._selection = selection
        self._graph = graph
        self._pointer = pointer
        self._editing = editing
        self._folding = folding
        zoom = self.zoom_requested.emit
        self._actions: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_F: partial(camera.fit, animated=True),
            Qt.Key.Key_Plus: partial(zoom, ZOOM_STEP),
            Qt.Key.Key_Equal: partial(zoom, ZOOM_STEP),
            Qt.Key.Key_Minus: partial(zoom, 1 / ZOOM_STEP),
            Qt.Key.Key_0: partial(zoom, 0.0),
            Qt.Key.Key_Home: partial(self._select_at, 0),
            Qt.Key.Key_End: partial(self._select_at, -1),
            Qt.Key.Key_Delete: self._remove,
            Qt.Key.Key_Backspace: self._remove_or_leave,
            Qt.Key.Key_Return: self._enter,
            Qt.Key.Key_Enter: self._enter,
            Qt.Key.Key_Space: partial(pointer.hold_space, True),
            Qt.Key.Key_BracketLeft: folding.fold_selection,
            Qt.Key.Key_BracketRight: folding.unfold_selection,
            # With Shift, as most keyboards have it.
            Qt.Key.Key_BraceLeft: folding.fold_all,
            Qt.Key.Key_BraceRight: folding.unfold_all,
            Qt.Key.Key_O: folding.open_selection_alone,
            Qt.Key.Key_A: hands.add,
            Qt.Key.Key_E: hands.in_place.type_first_value,
            Qt.Key.Key_F2: self._rename,
            Qt.Key.Key_T: hands.tidy,
        }
        self._with_ctrl: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_C: hands.copying.copy,
            Qt.Key.Key_X: hands.copying.cut,
            Qt.Key.Key_V: hands.copying.paste,
            Qt.Key.Key_D: hands.copying.duplicate,
            Qt.Key.Key_G: hands.group,
            Qt.Key.Key_R: self._repeat,
        }
        self._with_shift: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_BracketLeft: folding.fold_all,
            Qt.Key.Key_BracketRight: folding.unfold_all,
        }

    def wants_escape(self) -> bool:
        """Whether there is something that Escape would take back."""
        return self._pointer.is_busy or bool(self._selection.ids) or bool(self._graph.folds.scope)

    def press(self, event: QKeyEvent) -> bool:
        """A key went down; False where it is the window's."""
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self._selection.set(node.id for node in self._document.architecture)
            return True
        if modifiers == Qt.KeyboardModifier.ControlModifier and key in self._with_ctrl:
            self._with_ctrl[key]()
            return True
        if modifiers == _CTRL_SHIFT and key == Qt.Key.Key_G:
            self._editing.ungroup_selection(self._selected_paths())
            return True
        if modifiers & ~Qt.KeyboardModifier.ShiftModifier:
            return False
        if key == Qt.Key.Key_Escape:
            return self._escape()
        if key in _DIRECTIONS:
            self._move(_DIRECTIONS[key], extend=bool(modifiers))
            return True
        action = self._with_shift.get(key) if modifiers else None
        action = action or self._actions.get(key)
        if action is None:
            return False
        action()
        return True

    def tab(self, *, forward: bool) -> bool:
        """Tab goes from item to item; False after the last, where it goes on to the next widget."""
        items = self._items()
        if not items:
            return False
        here = self._here()
        start = items.index(here) if here is not None else -1 if forward else len(items)
        place = start + (1 if forward else -1)
        if not 0 <= place < len(items):
            return False
        self._reach(items[place])
        return True

    def _items(self) -> tuple[str, ...]:
        return () if self._graph.shown is None else self._graph.shown.items

    def _here(self) -> str | None:
        """The item that shows the current node."""
        current = self._selection.current
        return None if current is None or self._graph.shown is None else self._graph.shown.holders.get(current)

    def _reach(self, key: str, kept: tuple[str, ...] = ()) -> None:
        nodes = self._graph.nodes_of(key)
        self._selection.set((*(i for i in kept if i not in nodes), *nodes))
        self.reached.emit(key)

    def _move(self, direction: Direction, *, extend: bool) -> None:
        here, placement = self._here(), self._graph.placement
        if here is None or placement is None:
            self._select_at(0)
            return
        there = neighbour(placement, here, direction)
        if there is not None:
            self._reach(there, self._selection.ids if extend else ())

    def _select_at(self, place: int) -> None:
        items = self._items()
        if items:
            self._reach(items[place])

    def _rename(self) -> None:
        """The name of the item, or of the open block that is selected as a whole."""
        whole = self._selected_paths()
        here = self._here()
        if len(whole) == 1 and len(self._selection.ids) > 1:
            self._in_place.type_name(whole[0])
        elif here is not None:
            self._in_place.type_name(here)

    def _selected_paths(self) -> tuple[str, ...]:
        """The blocks, folded or open, that are selected as a whole; the outermost only, else the one around."""
        selected = set(self._selection.ids)
        drawn = (*self._graph.blocks, *self._graph.frames)
        whole = [path for path in drawn if selected and selected.issuperset(self._graph.nodes_of(path))]
        outermost = tuple(p for p in whole if not any(p.startswith(f"{other}.") for other in whole))
        around = self._folding.around_selection()
        return outermost or (() if around is None else (around,))

    def _repeat(self) -> None:
        """One more of the block that is selected, or that the current node is in."""
        for path in self._selected_paths()[:1]:
            self._editing.repeat(path, 1)

    def _remove(self) -> None:
        self._editing.remove(self._selection.ids)

    def _remove_or_leave(self) -> None:
        if self._selection.ids:
            self._remove()
        else:
            self._folding.leave()

    def _enter(self) -> None:
        here = self._here()
        if here is None or self._selection.current is None:
            return
        if here in self._graph.blocks:
            self._folding.toggle(here)
        else:
            self.edit_requested.emit(self._selection.current)

    def _escape(self) -> bool:
        """Take back what was begun, or the selection, or leave a block open alone; else the key is the window's."""
        if self._pointer.is_busy:
            self._pointer.cancel()
        elif self._selection.ids:
            self._selection.set(())
        else:
            return self._folding.leave()
        return True
