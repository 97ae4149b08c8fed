"""Folding and unfolding: what stays where on the screen, what is revealed, which block is open alone.

The state itself is a value of `folds`; keys, menus and the pointer call this.
"""

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView

from explorer.architecture.folding import blocks_around, foldable
from explorer.architecture.paths import parent
from explorer.canvas.camera import Camera
from explorer.canvas.folds import Folds
from explorer.canvas.motion import Motion
from explorer.canvas.scene import GraphScene
from explorer.session import Document, Selection


class FoldControl(QObject):
    """Changes what is folded.

    Signals:
        scope_changed(str): another block is open alone; empty where the whole network is shown.
    """

    scope_changed = Signal(str)

    def __init__(
        self, view: QGraphicsView, document: Document, selection: Selection, graph: GraphScene, camera: Camera
    ) -> None:
        super().__init__(view)
        self._view = view
        self._document = document
        self._selection = selection
        self._graph = graph
        self._camera = camera
        self.motion = Motion(self)
        self._late: tuple[str, QPointF, dict[QGraphicsItem, QPointF]] | None = None
        graph.about_to_move.connect(self._hold_for_late)
        graph.laid_out.connect(self._show_late)

    def toggle(self, key: str, at: QPoint | None = None) -> None:
        """Open a folded block, or fold an open one, so that it stays under a position of the viewport.

        A block that stands beside the one that is open alone is opened alone instead.
        """
        if key in self._graph.frames:
            self.fold(key, at)
        elif not self._is_in_scope(key):
            self.open_alone(key)
        else:
            self.unfold(key, at)

    def fold(self, path: str, at: QPoint | None = None) -> None:
        """Draw an open block as one; the block that is open alone is left instead."""
        if path == self._graph.folds.scope:
            self.leave()
        else:
            self._change(self._graph.folds.folded((path,), folded=True), path, at)

    def unfold(self, path: str, at: QPoint | None = None) -> None:
        """Draw what a folded block holds."""
        self._change(self._graph.folds.folded((path,), folded=False), path, at)

    def fold_all(self) -> None:
        """Fold all blocks, inner ones too, and show the whole."""
        paths = {path for path in foldable(self._document.architecture) if path != self._graph.folds.scope}
        self._graph.show_folds(self._graph.folds.folded(paths, folded=True))
        self.motion.finish()
        self._camera.open()
        self._select_whole()

    def unfold_all(self) -> None:
        """Open all blocks."""
        paths = [block.path for block in self._document.architecture.blocks]
        self._change(self._graph.folds.folded(paths, folded=False), self._central(), None)

    def open_alone(self, path: str) -> None:
        """Show one block with what it reads and what reads it; an empty path shows the whole network again."""
        left = self._graph.folds.scope
        self._graph.show_folds(self._graph.folds.alone(self._document.architecture, path))
        self.motion.finish()
        self.scope_changed.emit(path)
        self._camera.open()
        place = self._graph.place_of(left)
        if place is not None and not path:
            self._camera.reveal(place)

    def leave(self) -> bool:
        """From a block that is open alone to the one around it; False where the whole network is shown."""
        scope = self._graph.folds.scope
        if not scope:
            return False
        around = blocks_around(self._document.architecture, scope)
        self.open_alone(around[-1] if around else "")
        return True

    def reveal(self, node_id: str) -> None:
        """Open what hides a node."""
        scope = self._graph.folds.scope
        folds = self._graph.folds.revealing(self._document.architecture, node_id)
        if folds == self._graph.folds:
            return
        shown = self._graph.shown
        assert shown is not None
        holder = shown.holders.get(node_id)
        if folds.scope == scope and holder is not None:
            self._change(folds, holder, None)
        else:
            self._graph.show_folds(folds)
            self.motion.finish()
        if folds.scope != scope:
            self.scope_changed.emit(folds.scope)

    def follow_selection(self, ids: tuple[str, ...]) -> None:
        """Open what hides the current node, unless its block is selected as a whole."""
        shown = self._graph.shown
        current = ids[-1] if ids else None
        # A node that the drawing does not know yet arrives with the document's next change.
        if shown is None or current is None or current not in self._document.architecture:
            return
        holder = shown.holders.get(current)
        if holder is None:
            if shown.scope:
                self.reveal(current)
            return
        if holder == current:
            return
        selected = set(ids)
        nodes = [node_id for node_id in shown.folded[holder] if node_id in self._document.architecture]
        if any(node_id not in selected for node_id in nodes):
            self.reveal(current)

    def around_selection(self) -> str | None:
        """The innermost open block around all that is selected, or else around the current node."""
        shown, current = self._graph.shown, self._selection.current
        if shown is None or current is None or current not in shown.holders:
            return None
        innermost = path = shown.inside.get(shown.holders[current])
        while path is not None:
            if all(node_id.startswith(f"{path}.") for node_id in self._selection.ids):
                return path
            path = shown.inside.get(path)
        return innermost

    def selected_blocks(self) -> tuple[str, ...]:
        """The folded blocks of which something is selected."""
        shown = self._graph.shown
        if shown is None:
            return ()
        holders = dict.fromkeys(shown.holders[i] for i in self._selection.ids if i in shown.holders)
        return tuple(key for key in holders if key in shown.folded)

    def fold_selection(self) -> None:
        """Fold the block around what is selected, and select it."""
        path = self.around_selection()
        if path is not None:
            self.fold(path)
            if path in self._graph.blocks:
                self._selection.set(self._graph.nodes_of(path))

    def unfold_selection(self) -> None:
        """Open all folded blocks of which something is selected."""
        paths = self.selected_blocks()
        if paths:
            self._change(self._graph.folds.folded(paths, folded=False), paths[-1], None)

    def open_selection_alone(self) -> None:
        """Open the selected block, or the one around the current node, alone."""
        blocks = self.selected_blocks()
        path = blocks[-1] if blocks else self.around_selection()
        if path is not None and path != self._graph.folds.scope:
            self.open_alone(path)

    # Inside

    def _change(self, folds: Folds, key: str | None, at: QPoint | None) -> None:
        """Fold or unfold; the item or open block `key`, or what shows it then, stays in place."""
        self.motion.finish()
        graph = self._graph
        before = None if key is None else graph.place_of(key)
        placement = graph.placement
        if before is None or key is None or placement is None:
            graph.show_folds(folds)
            return
        if at is None:
            at = self._view.mapFromScene(QPointF(before.center().x(), before.top()))
        point = self._view.mapToScene(at)
        share = (point.x() - before.left()) / before.width()
        down = point.y() - before.top()
        positions: dict[QGraphicsItem, QPointF] = {item: item.pos() for item in self._items()}
        graph.show_folds(folds)
        after = self._place_then(key)
        if after is None:
            return
        there = QPointF(after.left() + share * after.width(), after.top() + min(down, after.height() - 1))
        seen = set(graph.items(self._in_sight()))
        self._camera.hold(at, there)
        seen.update(graph.items(self._in_sight()))
        self.motion.start(positions, seen, there - point)

    def _in_sight(self) -> QRectF:
        """What of the scene the viewport shows."""
        return self._view.mapToScene(self._view.viewport().rect()).boundingRect()

    def _hold_for_late(self) -> None:
        """Before a layout that took its time is shown: what is in the middle stays there."""
        self.motion.finish()
        key = self._central()
        place = None if key is None else self._graph.place_of(key)
        if key is not None and place is not None:
            self._late = (key, place.topLeft(), {item: item.pos() for item in self._items() if item.isVisible()})

    def _show_late(self) -> None:
        if self._late is None:
            return
        (key, before, positions), self._late = self._late, None
        place = self._place_then(key)
        if place is None:
            return
        at, seen = self._view.mapFromScene(before), set(self._graph.items(self._in_sight()))
        self._camera.hold(at, place.topLeft())
        seen.update(self._graph.items(self._in_sight()))
        self.motion.start(positions, seen, place.topLeft() - before)

    def _place_then(self, key: str) -> QRectF | None:
        """Where an item is, or the block that shows it now."""
        while key:
            place = self._graph.place_of(key)
            if place is not None:
                return place
            key = parent(key)
        return None

    def _items(self) -> tuple[QGraphicsItem, ...]:
        return (*self._graph.cards(), *self._graph.frames.values())

    def _central(self) -> str | None:
        """The item nearest to the middle of what is in sight."""
        if self._graph.placement is None:
            return None
        middle = self._view.mapToScene(self._view.viewport().rect().center())
        boxes = self._graph.placement.nodes.items()
        return min(boxes, key=lambda item: abs(item[1].centre.y - middle.y()) + abs(item[1].centre.x - middle.x()))[0]

    def _is_in_scope(self, key: str) -> bool:
        scope = self._graph.folds.scope
        return not scope or f"{key}.".startswith(f"{scope}.")

    def _select_whole(self) -> None:
        """Blocks of which the current node is one are selected as a whole, so that they stay folded."""
        current = self._selection.current
        if current is not None and self._graph.shown is not None and current in self._graph.shown.holders:
            self._selection.set(self._graph.nodes_of(self._graph.shown.holders[current]))
