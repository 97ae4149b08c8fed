"""The quick-add box's places: at the pointer, behind the selection, or where a wire was let go."""

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF
from PySide6.QtWidgets import QGraphicsView

from explorer.canvas import targets
from explorer.canvas.camera import Camera
from explorer.canvas.pinning import Pinning
from explorer.canvas.quick_add import QuickAdd
from explorer.canvas.scene import GraphScene
from explorer.canvas.targets import Target
from explorer.look.theme import GRID, ThemeSource
from explorer.session import Document, Selection
from explorer.session.placing import Place, Placed


class Adding(QObject):
    """Opens the box, and puts in what it was told."""

    def __init__(
        self,
        view: QGraphicsView,
        graph: GraphScene,
        camera: Camera,
        document: Document,
        selection: Selection,
        pinning: Pinning,
        themes: ThemeSource,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._graph = graph
        self._camera = camera
        self._document = document
        self._selection = selection
        self.box = QuickAdd(document, themes, view.viewport())
        self._pinning = pinning
        self._at: QPointF | None = None
        """Where in the scene what is added is to stand; None leaves it to the layout."""
        self.box.chosen.connect(self._put)
        self.box.more_asked.connect(lambda: self.ask_by_key(QPoint(-1, -1)))
        self.box.closed.connect(view.setFocus)

    def ask_by_key(self, pointer: QPoint) -> None:
        """Ask what to add: on the wire under the pointer, else behind what is selected, else where the network ends.

        Args:
            pointer: in the viewport; (−1, −1) where it is elsewhere.
        """
        if not self._document.is_open or self._graph.shown is None:
            return
        architecture = self._document.architecture
        wire = None if pointer.x() < 0 else self._graph.wire_at(self._view.mapToScene(pointer))
        if wire is not None:
            self._ask(targets.on_wire_item(architecture, wire), pointer)
            return
        current = self._selection.current or architecture.outputs[0]
        key = self._graph.shown.holders.get(current)
        item = None if key is None else self._graph.card(key)
        if item is None:
            return
        others = tuple(i for i in self._selection.ids if i not in self._graph.nodes_of(item.key))
        rect = item.card.rect.translated(item.pos())
        self._make_room_below(rect)
        below = self._view.mapFromScene(rect.bottomLeft())
        self._ask(targets.behind_item(architecture, item), below + QPoint(0, GRID), joined=others)

    def _make_room_below(self, rect: QRectF) -> None:
        """Scroll until the box stands where the new card will, and covers none that it goes behind."""
        wanted = rect.adjusted(0, 0, 0, (self.box.tallest + 2 * GRID) / self._camera.zoom)
        if wanted.height() * self._camera.zoom < self._view.viewport().height():
            self._camera.reveal(wanted)

    def ask_at(self, position: QPoint) -> None:
        """Ask what to add at a position of the viewport."""
        if not self._document.is_open or self._graph.shown is None:
            return
        place = self._view.mapToScene(position)
        target = targets.target_at(self._graph, self._document.architecture, place)
        self._ask(target, position, at=place if target.is_near else None)

    def ask_behind(self, key: str, position: QPoint) -> None:
        """Ask at a position what to add as a branch of an item, whose wire was let go there."""
        item = self._graph.card(key)
        if item is None:
            return
        target = targets.behind_item(self._document.architecture, item)
        where = target.where
        if isinstance(where, Place) and self._document.architecture.consumers(where.node_id):
            words = self.tr("as a new branch of {node}").format(node=key)
            target = target._replace(where=where._replace(branch=True), words=words)
        self._ask(target, position, at=self._view.mapToScene(position))

    def _ask(self, target: Target, position: QPoint, joined: tuple[str, ...] = (), at: QPointF | None = None) -> None:
        self._at = at
        self.box.ask(target, position, joined)

    def _put(self, placed: Placed) -> None:
        self._pinning.put(placed, self._at)
