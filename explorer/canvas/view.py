"""The canvas: a network as a graph, to look at and to work in. Gestures and keys become edits of the document here.

How things are drawn is `scene`'s, `node_item`'s and `wire_item`'s business; where the camera is, `camera`'s.

The mouse, as the best node editors have it: the wheel zooms at the pointer, over a stepper's value it steps that value
(Shift: by ten); a trackpad pans with two fingers and zooms with a pinch; Ctrl and either zooms. Space or the middle
button drags the canvas, the left button over empty canvas draws a rubber band. A turn of the wheel keeps the meaning
that it began with, so that a zoom never starts to edit because a value slid under the pointer.
"""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QInputDevice,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QMenu, QToolTip, QWidget

from explorer.canvas import card as cards
from explorer.canvas import menus
from explorer.canvas.camera import Camera
from explorer.canvas.card import Detail, Part
from explorer.canvas.editing import Editing
from explorer.canvas.gestures import IDLE_MS, Gesture, Pan, RubberBand, Stepping, step_edit
from explorer.canvas.layer_drop import LayerDrop
from explorer.canvas.navigation import Direction, neighbour
from explorer.canvas.scene import GraphScene
from explorer.look.theme import GRID, Theme, ThemeSource
from explorer.runs import Atlas
from explorer.session import Document, Selection, Snapshot

_ZOOM_STEP = 1.2
_NOTCH = 120
"""Eighths of a degree of one notch of a wheel (Qt, QWheelEvent.angleDelta)."""
_MAPS_ZOOM = 0.3
"""Below this, maps on a card are smaller than 16 pixels and not worth capturing."""
_SETTLE_MS = 100

_DIRECTIONS = {
    Qt.Key.Key_Up: Direction.UP,
    Qt.Key.Key_Down: Direction.DOWN,
    Qt.Key.Key_Left: Direction.LEFT,
    Qt.Key.Key_Right: Direction.RIGHT,
}


class GraphView(QGraphicsView):
    """The layer graph.

    Signals:
        edit_requested(str): a node was double-clicked, or Enter pressed on it; its id.
        message(str): why something could not be done.
        map_nodes_changed(tuple[str, ...]): other nodes than before are large enough on screen to show maps.
        zoom_changed(float): screen pixels a scene pixel.
    """

    edit_requested = Signal(str)
    message = Signal(str)
    map_nodes_changed = Signal(object)
    zoom_changed = Signal(float)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._graph = GraphScene(themes.theme, self)
        self.setScene(self._graph)
        self._camera = Camera(self)
        self._stepping = Stepping(document, self)
        self._editing = Editing(document, selection, self)
        self._gesture: Gesture | None = None
        self._space_held = False
        self._wheel_target: tuple[str, str] | None = None
        self._wheel_rest = 0.0
        self._wheel_idle = _single_shot(self, IDLE_MS)
        self._previewing: tuple[str, Part] | None = None
        self._map_nodes: tuple[str, ...] = ()
        self._settled = _single_shot(self, _SETTLE_MS)
        self._settled.timeout.connect(self._settle)

        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        self.setAccessibleName(self.tr("Layer graph"))
        self.setMinimumSize(20 * GRID, 20 * GRID)
        self._show_theme(themes.theme)

        document.changed.connect(self._show_document)
        document.previewed.connect(self._show_preview)
        selection.changed.connect(self._graph.select)
        themes.changed.connect(self._show_theme)
        self._graph.laid_out.connect(self._show_bounds)
        self._editing.refused.connect(self.message)
        self._editing.inserted.connect(self.reveal)
        self._layer_drop = LayerDrop(self, self._graph, self._editing)
        self._camera.moved.connect(self._show_camera)
        if document.is_open:
            self._show_document(None, document.snapshot)
            self._graph.select(selection.ids)

    # For the window

    @property
    def zoom(self) -> float:
        """Screen pixels a scene pixel."""
        return self._camera.zoom

    def fit(self, *, animated: bool = True) -> None:
        """Show the whole network."""
        self._camera.fit(animated=animated)

    def zoom_by(self, factor: float) -> None:
        """Zoom around the middle."""
        self._camera.zoom_at(self.viewport().rect().center(), factor)

    def reveal(self, node_id: str) -> None:
        """Bring a node into sight."""
        item = self._graph.nodes.get(node_id)
        if item is not None:
            self._camera.reveal(item.sceneBoundingRect())

    def set_maps(self, atlases: Mapping[str, Atlas]) -> None:
        """Show these feature maps on their nodes; other nodes keep theirs."""
        self._graph.set_maps(atlases)

    def clear_maps(self) -> None:
        """Show no feature maps."""
        self._graph.clear_maps()

    def visible_map_nodes(self) -> tuple[str, ...]:
        """The nodes on screen that are large enough for maps, from top to bottom."""
        if not self.isVisible() or self._camera.zoom < _MAPS_ZOOM:
            return ()
        return self._nodes_in(self.viewport().rect())

    def to_image(self, scale: float) -> QImage:
        """The whole network as a picture of `scale` pixels a scene pixel, without selection."""
        rect = self._graph.itemsBoundingRect().adjusted(-GRID, -GRID, GRID, GRID)
        image = QImage(
            max(1, round(rect.width() * scale)), max(1, round(rect.height() * scale)), QImage.Format.Format_ARGB32
        )
        image.fill(self._themes.theme.canvas)
        self._graph.select(())
        painter = QPainter(image)
        painter.setRenderHints(self.renderHints())
        self._graph.render(painter, QRectF(image.rect()), rect)
        painter.end()
        self._graph.select(self._selection.ids)
        return image

    # Following the document

    def _show_document(self, old: Snapshot | None, new: Snapshot) -> None:
        self._previewing = None
        if old is None:
            self._cancel_gesture()
            self._stepping.finish()
        self._graph.apply(old, new)
        if old is None:
            self._camera.open()

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._graph.show_preview(self._document.snapshot, preview)

    def _show_theme(self, theme: Theme) -> None:
        self.setBackgroundBrush(QColor(theme.canvas))
        self._graph.show_theme(theme)

    def _show_bounds(self) -> None:
        placement = self._graph.placement
        assert placement is not None
        self._camera.set_bounds(QRectF(*placement.bounds))

    def _show_camera(self) -> None:
        self._settled.start()
        self.zoom_changed.emit(self._camera.zoom)

    def _settle(self) -> None:
        nodes = self.visible_map_nodes()
        if nodes != self._map_nodes:
            self._map_nodes = nodes
            self.map_nodes_changed.emit(nodes)

    # Pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        if self._gesture is not None or not self._document.is_open:
            return
        drag = event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and self._space_held
        )
        if drag:
            self._gesture = Pan(position, self._camera.pan)
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._press(position, event.modifiers())

    def _press(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        extend = bool(modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        node_id, part = self._under(position)
        if node_id is None:
            self._gesture = RubberBand(position, self.viewport(), self._selection, self._nodes_in, extend=extend)
        elif part is not None and part.steps:
            self._selection.set((node_id,))
            factor = 10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            self._end_preview()
            self._stepping.press(node_id, part.name, part.steps * factor)
        elif extend:
            kept = tuple(i for i in self._selection.ids if i != node_id)
            self._selection.set(kept if node_id in self._selection.ids else (*kept, node_id))
        else:
            self._selection.set((node_id,))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        if self._gesture is not None:
            self._gesture.move(position)
        elif event.buttons() == Qt.MouseButton.NoButton:
            self._hover(position, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._stepping.finish()
        if self._gesture is not None:
            self._gesture.finish()
            self._gesture = None
            self._show_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        node_id, part = self._under(event.position().toPoint())
        if node_id is None or (part is not None and part.steps) or event.button() != Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)  # the second of two quick clicks on an arrow is a step too
        else:
            self.edit_requested.emit(node_id)

    def leaveEvent(self, event: QEvent) -> None:
        self._end_preview()
        self._graph.hover(None, None, None)
        super().leaveEvent(event)

    def _hover(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        node_id, part = self._under(position)
        wire = self._graph.wire_at(self.mapToScene(position)) if node_id is None else None
        self._graph.hover(node_id, part, wire)
        self._show_cursor(part)
        if node_id is None or part is None or not part.steps:
            self._end_preview()
            return
        count = part.steps * (10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1)
        wanted = (node_id, Part(part.name, count))
        if wanted != self._previewing:
            self._document.preview(partial(step_edit, node_id=node_id, name=part.name, count=count))
            self._previewing = wanted

    def _end_preview(self) -> None:
        if self._previewing is not None:
            self._previewing = None
            self._document.preview(None)

    def _under(self, position: QPoint) -> tuple[str | None, Part | None]:
        """The node at a position of the viewport, and the stepper part where steppers are drawn."""
        place = self.mapToScene(position)
        item = self._graph.node_at(place)
        if item is None:
            return None, None
        if cards.detail(self._camera.zoom) is not Detail.CARD:
            return item.node_id, None
        return item.node_id, item.card.part_at(item.mapFromScene(place))

    def _nodes_in(self, rect: QRect) -> tuple[str, ...]:
        """The nodes that a rectangle of the viewport touches, from top to bottom."""
        area = self.mapToScene(rect).boundingRect()
        return tuple(i for i, n in self._graph.nodes.items() if n.card.rect.translated(n.pos()).intersects(area))

    def _show_cursor(self, part: Part | None = None) -> None:
        if self._space_held:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif part is not None:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if part.steps else Qt.CursorShape.SizeVerCursor)
        else:
            self.viewport().unsetCursor()

    # Wheel and touch

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        if not self._document.is_open:
            return
        position, turned = event.position().toPoint(), event.angleDelta()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        # With Shift, or Alt, some systems turn the wheel sideways.
        along = turned.y() or turned.x()
        is_start = not self._wheel_idle.isActive()
        self._wheel_idle.start()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._camera.zoom_at(position, _ZOOM_STEP ** (along / _NOTCH))
            return
        if is_start:
            node_id, part = self._under(position)
            self._wheel_target = None if node_id is None or part is None else (node_id, part.name)
            self._wheel_rest = 0.0
        if self._wheel_target is not None:
            self._turn(along, 10 if shift else 1)
        elif _is_touch(event):
            self._camera.pan(event.pixelDelta() if not event.pixelDelta().isNull() else turned / 2)
        else:
            self._camera.zoom_at(position, _ZOOM_STEP ** (along / _NOTCH))

    def _turn(self, along: int, factor: int) -> None:
        """Step the value that the wheel began on; finer wheels than a notch add up."""
        assert self._wheel_target is not None
        node_id, name = self._wheel_target
        self._wheel_rest += along / _NOTCH
        count = int(self._wheel_rest)
        self._wheel_rest -= count
        if count and node_id in self._document.architecture:
            self._end_preview()
            self._stepping.turn(node_id, name, count * factor)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            node_id, part = self._under(event.pos())
            # On an arrow the preview speaks; a tip would cover the nodes that it changes.
            is_arrow = part is not None and part.steps != 0
            text = self._graph.nodes[node_id].tool_tip() if node_id is not None and not is_arrow else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._camera.zoom_at(event.position().toPoint(), 1.0 + event.value())
            return True
        return super().viewportEvent(event)

    # Keys

    def event(self, event: QEvent) -> bool:
        """Escape is the canvas's own, before the window's shortcut, while there is something to take back."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and (self._gesture is not None or self._selection.ids)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._document.is_open or not self._handle_key(event):
            event.ignore()  # the window's shortcuts come next

    def _handle_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
            return True
        if modifiers & ~Qt.KeyboardModifier.ShiftModifier:
            return False
        if key == Qt.Key.Key_Escape:
            return self._escape()
        if key in _DIRECTIONS:
            self._move_selection(_DIRECTIONS[key], extend=bool(modifiers))
            return True
        actions: dict[Qt.Key, Callable[[], None]] = {
            Qt.Key.Key_F: self.fit,
            Qt.Key.Key_Plus: partial(self.zoom_by, _ZOOM_STEP),
            Qt.Key.Key_Equal: partial(self.zoom_by, _ZOOM_STEP),
            Qt.Key.Key_Minus: partial(self.zoom_by, 1 / _ZOOM_STEP),
            Qt.Key.Key_0: self._zoom_to_actual_size,
            Qt.Key.Key_Home: partial(self._select_at, 0),
            Qt.Key.Key_End: partial(self._select_at, -1),
            Qt.Key.Key_Delete: partial(self._editing.remove, self._selection.ids),
            Qt.Key.Key_Backspace: partial(self._editing.remove, self._selection.ids),
            Qt.Key.Key_Return: self._request_edit,
            Qt.Key.Key_Enter: self._request_edit,
            Qt.Key.Key_Space: self._hold_space,
        }
        action = actions.get(key)
        if action is None:
            return False
        action()
        return True

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space_held = False
            if self._gesture is None:
                self._show_cursor()
        else:
            super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from node to node and, after the last, on to the next widget."""
        if self._document.is_open:
            ids = [node.id for node in self._document.architecture]
            here = self._selection.current
            place = (ids.index(here) if here is not None else -1 if forward else len(ids)) + (1 if forward else -1)
            if 0 <= place < len(ids):
                self._selection.set((ids[place],))
                self._reveal_current()
                return True
        return super().focusNextPrevChild(forward)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space_held = False
        self._show_cursor()
        super().focusOutEvent(event)

    def _move_selection(self, direction: Direction, *, extend: bool) -> None:
        here, placement = self._selection.current, self._graph.placement
        if here is None or placement is None:
            self._select_at(0)
            return
        there = neighbour(self._document.architecture, placement, here, direction)
        if there is not None:
            kept = tuple(i for i in self._selection.ids if i != there) if extend else ()
            self._selection.set((*kept, there))
            self._reveal_current()

    def _select_at(self, place: int) -> None:
        self._selection.set((self._document.architecture.nodes[place].id,))
        self._reveal_current()

    def _select_all(self) -> None:
        self._selection.set(node.id for node in self._document.architecture)

    def _reveal_current(self) -> None:
        if self._selection.current is not None:
            self.reveal(self._selection.current)

    def _zoom_to_actual_size(self) -> None:
        self.zoom_by(1 / self._camera.zoom)

    def _request_edit(self) -> None:
        if self._selection.current is not None:
            self.edit_requested.emit(self._selection.current)

    def _hold_space(self) -> None:
        self._space_held = True
        if self._gesture is None:
            self._show_cursor()

    def _escape(self) -> bool:
        """Take back what was begun, or the selection; False where there is neither and the key is the window's."""
        if self._gesture is not None:
            self._cancel_gesture()
        elif self._selection.ids:
            self._selection.set(())
        else:
            return False
        return True

    def _cancel_gesture(self) -> None:
        if self._gesture is not None:
            self._gesture.cancel()
            self._gesture = None
            self._show_cursor()

    # Menus

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._document.is_open and self._gesture is None:
            menu = self.menu_at(event.pos())
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(event.globalPos())

    def menu_at(self, position: QPoint) -> QMenu:
        """What can be done at a position of the viewport."""
        self._end_preview()
        architecture, theme = self._document.architecture, self._themes.theme
        node_id, _part = self._under(position)
        wire = self._graph.wire_at(self.mapToScene(position))
        if node_id is not None:
            if node_id not in self._selection.ids:
                self._selection.set((node_id,))
            return menus.node_menu(self, theme, architecture, node_id, self._selection.ids, self._editing)
        if wire is not None:
            return menus.wire_menu(self, theme, wire.wire, self._editing)
        menu = menus.canvas_menu(self, theme, architecture, self._editing)
        all_keys = QKeySequence(QKeySequence.StandardKey.SelectAll)
        menus.add_action(menu, self.tr("Select all"), self._select_all, shortcut=all_keys)
        menus.add_action(menu, self.tr("Fit"), self.fit, shortcut=QKeySequence(Qt.Key.Key_F))
        menus.add_action(menu, self.tr("Zoom to 100 %"), self._zoom_to_actual_size, shortcut=QKeySequence(Qt.Key.Key_0))
        menu.addSeparator()
        menus.add_action(menu, self.tr("Copy picture"), self._copy_picture)
        return menu

    def _copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(self.to_image(2.0))

    # Size

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._camera.resized()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settled.start()


def _single_shot(parent: QWidget, interval_ms: int) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    return timer


def _is_touch(event: QWheelEvent) -> bool:
    """Whether fingers on a trackpad or a magic mouse turned it: those give phases, or come from such a device."""
    return event.phase() != Qt.ScrollPhase.NoScrollPhase or event.deviceType() == QInputDevice.DeviceType.TouchPad
