"""All that works on a network by hand, put together: pointer, ports and wires, moved cards, typing, the quick-add box.

Each has its own file; here they get to know each other, so that the view need not know how they depend.
"""

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView

from explorer.canvas.adding import Adding
from explorer.canvas.camera import Camera
from explorer.canvas.copying import Copying
from explorer.canvas.drop_hint import DropHint
from explorer.canvas.edge_scroll import EdgeScroll
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.in_place import InPlace
from explorer.canvas.menus import ask_group
from explorer.canvas.overlay import Overlay
from explorer.canvas.pinning import Pinning
from explorer.canvas.pointer import Pointer
from explorer.canvas.scene import GraphScene
from explorer.canvas.wiring_gesture import Stage
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.session.arrangement import Arrangement


class Hands(QObject):
    """The hands of one view.

    Attributes:
        pointer: what the mouse does.
        arrangement: where cards were put by hand.
        in_place: what is typed on the canvas.
        adding: the quick-add box and its places.
        pinning: puts in what stays where the pointer let it go.
        copying: cut, copy, paste, duplicate.
        edge_scroll: scrolls while something is dragged.

    Signals:
        refused(str): why something could not be done.
    """

    refused = Signal(str)

    def __init__(
        self,
        view: QGraphicsView,
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        graph: GraphScene,
        camera: Camera,
        folding: FoldControl,
        editing: Editing,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._document = document
        self._selection = selection
        self._graph = graph
        self._camera = camera
        self._folding = folding
        self._editing = editing
        self.arrangement = Arrangement(document, self)
        self.edge_scroll = EdgeScroll(camera, lambda: view.viewport().rect())
        self.in_place = InPlace(view, graph, camera, document, selection, editing, themes)
        self.copying = Copying(document, selection, editing, self._whole)
        self.pinning = Pinning(view, graph, editing, self.arrangement)
        self.adding = Adding(view, graph, camera, document, selection, self.pinning, themes)
        self.hint = DropHint(themes, view.viewport())
        self._overlay = Overlay(view, themes)
        stage = Stage(
            view=view,
            graph=graph,
            document=document,
            overlay=self._overlay,
            hint=self.hint,
            zoom=lambda: camera.zoom,
            refused=self.refused.emit,
            add_behind=self.adding.ask_behind,
        )
        self.pointer = Pointer(
            view,
            document,
            selection,
            graph,
            camera,
            folding,
            editing,
            self.arrangement,
            self._overlay,
            self.in_place,
            self.edge_scroll,
            stage,
            themes,
        )
        self.pointer.add_requested.connect(self.adding.ask_at)
        self.arrangement.changed.connect(self._show_arrangement)
        graph.moved = self.arrangement.positions
        graph.laid_out.connect(self._overlay.clear)
        self.refused.connect(editing.refused)

    def paint(self, painter: QPainter) -> None:
        """Draw what gestures draw over the network."""
        self._overlay.paint(painter, self._camera.zoom)

    def tidy(self) -> None:
        """Let the layout place all again, as one step of the history; the cards glide there."""
        self.arrangement.move(self.tr("Tidy"), {})

    def add(self) -> None:
        """Ask what to add, by key."""
        self.adding.ask_by_key(self.pointer.last)

    def group(self) -> None:
        """Ask for the name of a new block of all that is selected."""
        selected = self._selection.ids
        if selected:
            ask_group(self._view, self._document.architecture, selected, self._editing)

    def _whole(self, node_id: str) -> tuple[str, ...]:
        """The nodes of the item that shows a node."""
        shown = self._graph.shown
        return (node_id,) if shown is None else self._graph.nodes_of(shown.holders.get(node_id, node_id))

    def _show_arrangement(self, animated: bool) -> None:
        graph, motion = self._graph, self._folding.motion
        positions = self.arrangement.positions
        if graph.shown is None or not animated:
            graph.show_moved(positions)
            return
        motion.finish()
        items: tuple[QGraphicsItem, ...] = (*graph.cards(), *graph.frames.values())
        before = {item: item.pos() for item in items}
        graph.show_moved(positions)
        motion.start(before, (*items, *graph.wires.values()), QPointF())
