"""Typing on the canvas itself: a value on a card, or the name of a node, a folded block or an open one.

What is typed is previewed at once; Enter and leaving keep it, Esc takes it back. From a value, Tab goes to the next one
and after the last to the next card, the arrow keys step it. With several layers of one type selected, all get it. The
line itself is `in_place_field`'s.
"""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtWidgets import QGraphicsView

from explorer.architecture import Architecture
from explorer.canvas import steps
from explorer.canvas.camera import Camera
from explorer.canvas.card import CARD_ZOOM, Stepper
from explorer.canvas.drop_hint import DropHint, Hint
from explorer.canvas.editing import Editing
from explorer.canvas.in_place_field import Field
from explorer.canvas.scene import GraphScene
from explorer.look.theme import GRID, ThemeSource
from explorer.look.typed import typed
from explorer.session import Document, Selection, Snapshot

_NARROWEST = 7 * GRID


class Cell(NamedTuple):
    """A value on a card."""

    node_id: str
    name: str


class _Typing(NamedTuple):
    """What is being typed."""

    key: str
    """Of the item that it is about."""
    cell: Cell | None
    """None where it is a name."""
    edit: Callable[[str], Architecture]
    """What a text makes of the network; raises ValueError with what would fit."""
    keep: Callable[[str], object]
    before: str


class InPlace(QObject):
    """One field at a time over the canvas."""

    def __init__(
        self,
        view: QGraphicsView,
        graph: GraphScene,
        camera: Camera,
        document: Document,
        selection: Selection,
        editing: Editing,
        themes: ThemeSource,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._graph = graph
        self._camera = camera
        self._document = document
        self._selection = selection
        self._editing = editing
        self._themes = themes
        self._typing: _Typing | None = None
        self._is_closing = False
        self.hint = DropHint(themes, view.viewport())
        self.field = Field(themes, view.viewport())
        self.field.textEdited.connect(self._follow_text)
        self.field.kept.connect(self._keep_and_close)
        self.field.taken_back.connect(self.close)
        self.field.moved.connect(self._move)
        self.field.stepped.connect(self._step)
        self.field.left.connect(self._leave)
        camera.moved.connect(self._place)
        document.changed.connect(self._follow_document)

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return self._typing is not None

    # What can be typed

    def type_value(self, cell: Cell) -> None:
        """Type one of a node's values, on its card."""
        item = self._graph.nodes.get(cell.node_id)
        if item is None or self._stepper(cell) is None:
            return
        if self._camera.zoom < CARD_ZOOM:
            middle = item.sceneBoundingRect().center()
            self._camera.zoom_at(self._view.mapFromScene(middle), 1.0 / self._camera.zoom)
        self._camera.reveal(item.sceneBoundingRect())
        layer = self._document.architecture[cell.node_id].layer
        ids = self._editing.alike(cell.node_id)
        parameter = next(p for p in layer.hyper_parameters if p.name == cell.name)

        def edit(text: str) -> Architecture:
            return self._editing.with_value(ids, cell.name, typed(parameter, text, cell.node_id))

        def keep(text: str) -> None:
            self._editing.set_value(ids, cell.name, typed(parameter, text, cell.node_id))

        self._open(_Typing(cell.node_id, cell, edit, keep, steps.text(layer, cell.name)))

    def type_first_value(self) -> bool:
        """Type the first value of the current node; False where it has none on its card."""
        current = self._selection.current
        cells = () if current is None else self._cells(current)
        if cells:
            self.type_value(cells[0])
        return bool(cells)

    def type_name(self, key: str) -> None:
        """Type another name of a node or block; what it lies in stays."""
        if self._graph.place_of(key) is None:
            return
        is_node = key in self._document.architecture

        def edit(text: str) -> Architecture:
            return self._editing.renamed(key, text.strip(), is_node=is_node)

        def keep(text: str) -> None:
            self._editing.rename(key, text.strip(), is_node=is_node)

        place = self._graph.place_of(key)
        if place is not None:
            self._camera.reveal(place)
        self._open(_Typing(key, None, edit, keep, key.rpartition(".")[2]))

    def close(self) -> None:
        """What is being typed is taken back."""
        if self._typing is None:
            return
        self._typing = None
        # Before it hides: what hides with the focus hands it on, which the canvas would take for a Tab.
        if self.field.hasFocus():
            self._view.setFocus()
        self.field.hide()
        self.hint.hide_all()
        self._document.preview(None)

    # Inside

    def _open(self, typing: _Typing) -> None:
        self.close()
        self._typing = typing
        self.field.show_text(typing.before)
        self._place()
        self.field.show()
        self.field.raise_()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.field.selectAll()

    def _follow_text(self, text: str) -> None:
        typing = self._typing
        if typing is None:
            return
        try:
            new = typing.edit(text)
        except ValueError as error:
            self._document.preview(None)
            self._refuse(str(error))
            return
        self.field.set_refused(False)
        self.hint.hide_all()
        self._document.preview(lambda _architecture: new)

    def _refuse(self, why: str) -> None:
        self.field.set_refused(True)
        below = self.field.geometry().bottomLeft() - QPoint(GRID, GRID)
        self.hint.show_at(below, Hint(why, "", is_refusal=True))

    def _keep(self) -> bool:
        """Make the edit; False where it cannot be, and typing goes on."""
        typing, text = self._typing, self.field.text()
        if typing is None:
            return True
        if text != typing.before:
            try:
                typing.edit(text)
            except ValueError as error:
                self._refuse(str(error))
                return False
            self._is_closing = True  # the edit changes the document, at which a field that stays open would close
            typing.keep(text)
            self._is_closing = False
        return True

    def _keep_and_close(self) -> None:
        if self._keep():
            self.close()

    def _leave(self) -> None:
        """The focus went elsewhere: what is no value is taken back."""
        typing = self._typing
        if typing is not None and self._is_valid(typing):
            self._keep()
        self.close()

    def _is_valid(self, typing: _Typing) -> bool:
        try:
            typing.edit(self.field.text())
        except ValueError:
            return False
        return True

    def _move(self, by: int) -> None:
        """Keep this and go on to the next value, or the one before; among names to the next item's."""
        typing = self._typing
        if typing is None or not self._keep():
            return
        self.close()
        shown = self._graph.shown
        if shown is None:
            return
        if typing.cell is None:
            return
        cells = [cell for key in shown.items for cell in self._cells(key)]
        place = cells.index(typing.cell) + by if typing.cell in cells else -1
        if 0 <= place < len(cells):
            following = cells[place]
            if following.node_id not in self._selection.ids:
                self._selection.set((following.node_id,))
            self.type_value(following)

    def _step(self, count: int) -> None:
        """The arrow keys: the typed value, some steps on."""
        typing = self._typing
        if typing is None or typing.cell is None:
            return
        try:
            layer = typing.edit(self.field.text())[typing.cell.node_id].layer
        except ValueError:
            return
        after = steps.text(steps.stepped(layer, typing.cell.name, count), typing.cell.name)
        self.field.show_text(after)
        self._follow_text(after)

    def _cells(self, key: str) -> tuple[Cell, ...]:
        item = self._graph.nodes.get(key)
        return () if item is None else tuple(Cell(key, stepper.name) for stepper in item.card.steppers)

    def _stepper(self, cell: Cell) -> Stepper | None:
        item = self._graph.nodes.get(cell.node_id)
        return None if item is None else next((s for s in item.card.steppers if s.name == cell.name), None)

    def _place(self) -> None:
        """Lie over what is edited, wherever the canvas shows it."""
        typing = self._typing
        if typing is None:
            return
        rect = self._rect(typing)
        if rect is None:
            self.close()
            return
        shown = self._view.mapFromScene(rect).boundingRect()
        height = max(self.field.sizeHint().height(), min(shown.height(), 5 * GRID))
        width = max(_NARROWEST, shown.width())
        self.field.show_size(min(1.0, self._camera.zoom) if typing.cell is None else self._camera.zoom)
        self.field.setGeometry(QRect(shown.left(), shown.center().y() - height // 2, width, height))

    def _rect(self, typing: _Typing) -> QRectF | None:
        item = self._graph.card(typing.key)
        if item is None:
            place = self._graph.place_of(typing.key)
            return None if place is None else place.adjusted(3 * GRID, 2, -max(0.0, place.width() - 30 * GRID), -2)
        if typing.cell is None:
            return item.card.title.adjusted(-GRID / 2, 0, -item.card.title.width() / 3, 0).translated(item.pos())
        stepper = self._stepper(typing.cell)
        assert stepper is not None
        return stepper.rect.translated(item.pos())

    def _follow_document(self, _old: Snapshot | None, _new: Snapshot) -> None:
        if not self._is_closing:
            self.close()
