"""Layers dragged onto the canvas: onto a wire, where they are inserted, or onto a node, behind which they come."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QDragMoveEvent, QDropEvent

from explorer.canvas.editing import Editing
from explorer.canvas.node_item import NodeItem
from explorer.canvas.scene import GraphScene
from explorer.canvas.wire_item import WireItem
from explorer.layers import Layer, layer_type
from explorer.session.dragging import LAYER_MIME_TYPE

if TYPE_CHECKING:
    from explorer.canvas.view import GraphView


class LayerDrop(QObject):
    """Takes the drag events of a view's viewport; whatever is no layer goes on to the window."""

    def __init__(self, view: "GraphView", graph: GraphScene, editing: Editing) -> None:
        super().__init__(view)
        self._view = view
        self._graph = graph
        self._editing = editing
        view.viewport().setAcceptDrops(True)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent):
            return self._handle(event)
        if event.type() == QEvent.Type.DragLeave:
            self._graph.hover(None, None, None)
            return True
        return False

    def _handle(self, event: QDropEvent) -> bool:
        dropped = _layer_type(event)
        if dropped is None:
            # The scene would accept it and do nothing; ignored, it reaches the window, which opens projects.
            event.ignore()
            return True
        target = self._target(event.position().toPoint())
        is_drop = event.type() == QEvent.Type.Drop
        if is_drop or target is None:
            self._graph.hover(None, None, None)
        elif isinstance(target, NodeItem):
            self._graph.hover(target.node_id, None, None)
        else:
            self._graph.hover(None, None, target)
        if event.type() == QEvent.Type.DragEnter or target is not None:
            event.acceptProposedAction()
        else:
            event.ignore()
        if is_drop and isinstance(target, WireItem):
            self._editing.insert_before(target.wire.target, target.wire.port, dropped)
        elif is_drop and isinstance(target, NodeItem):
            self._editing.insert_after(target.node_id, dropped)
        return True

    def _target(self, position: QPoint) -> NodeItem | WireItem | None:
        place = self._view.mapToScene(position)
        return self._graph.node_at(place) or self._graph.wire_at(place)


def _layer_type(event: QDropEvent | QDragMoveEvent) -> type[Layer] | None:
    data = event.mimeData()
    if not data.hasFormat(LAYER_MIME_TYPE):
        return None
    try:
        return layer_type(bytes(data.data(LAYER_MIME_TYPE).data()).decode())
    except (ValueError, UnicodeDecodeError):
        return None
