"""What the mouse and the trackpad do on the canvas: select, move, connect, step values, fold, pan, zoom.

The mouse, as the best node editors have it: the wheel zooms at the pointer, over a stepper's value it steps that value
(Shift: by ten); a trackpad pans with two fingers and zooms with a pinch; Ctrl and either zooms. Space or the middle
button drags the canvas, the left button over empty canvas draws a rubber band, on a card it moves that, from a port or
the end of a wire it draws one. A double click folds and unfolds, types a value, or asks what to add. A turn of the
wheel keeps the meaning that it began with, so that a zoom never starts to edit because a value slid under the pointer.
"""

from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView

from explorer.canvas import card as cards
from explorer.canvas.camera import Camera
from explorer.canvas.card import CHEVRON, Detail, Part
from explorer.canvas.edge_scroll import EdgeScroll
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.gestures import IDLE_MS, Gesture, Pan, Press, RubberBand, Stepping, step_edit
from explorer.canvas.in_place import Cell, InPlace
from explorer.canvas.moving import MovingGesture
from explorer.canvas.overlay import Overlay
from explorer.canvas.ports import Port, WireEnd, port_at, ports_of, wire_end_at
from explorer.canvas.scene import GraphScene
from explorer.canvas.wiring_gesture import Stage, WiringGesture
from explorer.session import Document, Selection
from explorer.session.arrangement import Arrangement

ZOOM_STEP = 1.2
_NOTCH = 120
"""Eighths of a degree of one notch of a wheel (Qt, QWheelEvent.angleDelta)."""


class Spot(NamedTuple):
    """What is under a position of the viewport."""

    key: str | None
    """A node's id or a block's path; None over empty canvas and over wires."""
    part: Part | None
    """The part of a stepper, or the chevron, where those are drawn."""
    is_frame: bool
    """Whether it is the header of an open block."""

    @property
    def arrow(self) -> Part | None:
        """The part, if it is a stepper's arrow."""
        return self.part if self.part is not None and self.part.steps else None


class Pointer(QObject):
    """The gestures of the pointer over a view.

    Signals:
        edit_requested(str): a node was double-clicked; its id.
        add_requested(QPoint): empty canvas was double-clicked, or a wire; where in the viewport.
    """

    edit_requested = Signal(str)
    add_requested = Signal(QPoint)

    def __init__(
        self,
        view: QGraphicsView,
        document: Document,
        selection: Selection,
        graph: GraphScene,
        camera: Camera,
        folding: FoldControl,
        editing: Editing,
        arrangement: Arrangement,
        overlay: Overlay,
        in_place: InPlace,
        edge_scroll: EdgeScroll,
        stage: Stage,
    ) -> None:
        super().__init__(view)
        self._editing = editing
        self._arrangement = arrangement
        self._overlay = overlay
        self._in_place = in_place
        self._edge_scroll = edge_scroll
        self._stage = stage
        self.last = QPoint(-1, -1)
        """Where the pointer was last, in the viewport; (−1, −1) where it is elsewhere."""
        self._view = view
        self._document = document
        self._selection = selection
        self._graph = graph
        self._camera = camera
        self._folding = folding
        self._stepping = Stepping(document, self)
        self._gesture: Gesture | None = None
        self._space_held = False
        self._wheel_target: tuple[str, str] | None = None
        self._wheel_rest = 0.0
        self._wheel_idle = QTimer(self)
        self._wheel_idle.setSingleShot(True)
        self._wheel_idle.setInterval(IDLE_MS)
        self._previewing: tuple[str, Part] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a gesture has begun."""
        return self._gesture is not None

    def reset(self) -> None:
        """Another document is open."""
        self._previewing = None
        self.cancel()
        self._stepping.finish()

    def forget_preview(self) -> None:
        """The document has changed, which ended the preview."""
        self._previewing = None

    def cancel(self) -> None:
        """Take back the gesture that has begun."""
        if self._gesture is not None:
            gesture, self._gesture = self._gesture, None
            self._edge_scroll.stop()
            gesture.cancel()
            self.show_cursor()

    def hold_space(self, held: bool) -> None:
        """The space bar, which lets the left button drag the canvas."""
        self._space_held = held
        if self._gesture is None:
            self.show_cursor()

    def end_preview(self) -> None:
        """Show no more what a step would do."""
        if self._previewing is not None:
            self._previewing = None
            self._document.preview(None)

    # What is where

    def spot(self, position: QPoint) -> Spot:
        """What is at a position of the viewport."""
        place = self._view.mapToScene(position)
        item = self._graph.card_at(place)
        if item is not None:
            has_parts = cards.detail(self._camera.zoom) is Detail.CARD
            return Spot(item.key, item.card.part_at(item.mapFromScene(place)) if has_parts else None, is_frame=False)
        frame = self._graph.frame_at(place)
        if frame is not None:
            is_chevron = frame.has_chevron_at(frame.mapFromScene(place), self._camera.zoom)
            return Spot(frame.key, CHEVRON if is_chevron else None, is_frame=True)
        return Spot(None, None, is_frame=False)

    def handle_at(self, position: QPoint) -> Port | WireEnd | None:
        """The port, or the end of a wire, at a position of the viewport."""
        if self._graph.shown is None or not self._document.is_open:
            return None
        place, zoom = self._view.mapToScene(position), self._camera.zoom
        port = port_at(self._graph, self._document.architecture, place, zoom)
        return port or wire_end_at(self._graph, place, zoom)

    def keys_in(self, rect: QRect) -> tuple[str, ...]:
        """The items that a rectangle of the viewport touches, in the network's order."""
        shown = self._graph.shown
        area = self._view.mapToScene(rect).boundingRect()
        touched = {item.key for item in self._graph.cards() if item.card.rect.translated(item.pos()).intersects(area)}
        return () if shown is None else tuple(key for key in shown.items if key in touched)

    def _nodes_in(self, rect: QRect) -> tuple[str, ...]:
        return tuple(node_id for key in self.keys_in(rect) for node_id in self._graph.nodes_of(key))

    # Buttons

    def press(self, event: QMouseEvent) -> None:
        """A button went down."""
        position = event.position().toPoint()
        if self._gesture is not None or not self._document.is_open:
            return
        drag = event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and self._space_held
        )
        if drag:
            self._gesture = Pan(position, self._camera.pan)
            self._view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._press(position, event.modifiers())

    def _press(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        extend = bool(modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
        self._folding.motion.finish()
        spot = self.spot(position)
        handle = self.handle_at(position)
        if handle is not None:
            self.end_preview()
            self._overlay.clear()
            self._gesture = WiringGesture(handle, position, self._stage)
        elif spot.key is None:
            self._gesture = RubberBand(position, self._view.viewport(), self._selection, self._nodes_in, extend=extend)
        elif spot.arrow is not None:
            if spot.key not in self._selection.ids:
                self._selection.set((spot.key,))
            factor = 10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            self.end_preview()
            self._stepping.press(self._editing.alike(spot.key), spot.arrow.name, spot.arrow.steps * factor)
        elif spot.part is CHEVRON:
            self._folding.toggle(spot.key, position)
        else:
            self._press_item(spot.key, position, extend=extend)

    def _press_item(self, key: str, position: QPoint, *, extend: bool) -> None:
        """Select an item, and move it, and all that is selected with it, once the pointer moves."""
        self._overlay.clear()
        was_selected = set(self._selection.ids).issuperset(self._graph.nodes_of(key))
        if extend or not was_selected:
            self._select(key, extend=extend)
        shown = self._graph.shown
        keys = self._moved_with(key)
        if shown is None or not keys:
            return
        moving = MovingGesture(position, keys, self._view, self._graph, self._arrangement, self._overlay)
        self._gesture = moving
        if was_selected and not extend:
            self._gesture = Press(moving, partial(self._select, key, extend=False))

    def _moved_with(self, key: str) -> tuple[str, ...]:
        """The items that a drag of this one moves: all selected ones; of an open block, what lies in it."""
        shown = self._graph.shown
        if shown is None:
            return ()
        selected = {shown.holders[node_id] for node_id in self._selection.ids if node_id in shown.holders}
        own = {shown.holders[node_id] for node_id in self._graph.nodes_of(key) if node_id in shown.holders}
        together = selected | own if own <= selected else own
        return tuple(item for item in shown.items if item in together)

    def _select(self, key: str, *, extend: bool) -> None:
        nodes = self._graph.nodes_of(key)
        if not extend:
            self._selection.set(nodes)
            return
        before = set(self._selection.ids)
        kept = tuple(i for i in self._selection.ids if i not in nodes)
        self._selection.set(kept if before.issuperset(nodes) else (*kept, *nodes))

    def double_click(self, event: QMouseEvent) -> None:
        """A block folds or unfolds, a node asks for its form."""
        if not self._document.is_open or event.button() != Qt.MouseButton.LeftButton or self._space_held:
            self.press(event)
            return
        position = event.position().toPoint()
        spot = self.spot(position)
        is_value = spot.part is not None and spot.part is not CHEVRON and not spot.part.steps
        if spot.key is None:
            self.cancel()
            self.add_requested.emit(position)
        elif is_value and spot.part is not None:
            self._in_place.type_value(Cell(spot.key, spot.part.name))
        elif spot.part is not None:
            # The second of two quick clicks on an arrow is a step too, and on a chevron folds again.
            self.press(event)
        elif spot.key in self._graph.nodes:
            self.edit_requested.emit(spot.key)
        else:
            self._folding.toggle(spot.key, position)

    def move(self, event: QMouseEvent) -> None:
        """The pointer moved."""
        position = self.last = event.position().toPoint()
        gesture, modifiers = self._gesture, event.modifiers()
        if gesture is not None:
            gesture.move(position, modifiers)
            if isinstance(gesture, WiringGesture) or (isinstance(gesture, MovingGesture | Press) and gesture.has_begun):
                self._edge_scroll.follow(position, lambda: gesture.move(position, modifiers))
        elif event.buttons() == Qt.MouseButton.NoButton:
            self._hover(position, event.modifiers())

    def release(self) -> None:
        """The button went up."""
        self._stepping.finish()
        if self._gesture is not None:
            # It ends before it edits: what the edit changes asks whether a gesture is under way.
            gesture, self._gesture = self._gesture, None
            self._edge_scroll.stop()
            gesture.finish()
            self.show_cursor()

    def leave(self) -> None:
        """The pointer is elsewhere."""
        self.last = QPoint(-1, -1)
        self.end_preview()
        if self._gesture is None:
            self._overlay.clear()
        self._graph.hover(None, None, None)

    def _hover(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        spot = self.spot(position)
        wire = self._graph.wire_at(self._view.mapToScene(position)) if spot.key is None else None
        self._graph.hover(spot.key, spot.part, wire)
        handle = self.handle_at(position)
        self._show_ports(spot, handle)
        self.show_cursor(spot.part, handle)
        if spot.key is None or spot.arrow is None:
            self.end_preview()
            return
        count = spot.arrow.steps * (10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1)
        wanted = (spot.key, Part(spot.arrow.name, count))
        if wanted != self._previewing:
            ids = self._editing.alike(spot.key)
            self._document.preview(partial(step_edit, node_ids=ids, name=spot.arrow.name, count=count))
            self._previewing = wanted

    def _show_ports(self, spot: Spot, handle: Port | WireEnd | None) -> None:
        """The ports of the card under the pointer, or the end of the wire."""
        key = handle.key if isinstance(handle, Port) else None if spot.is_frame else spot.key
        if key is None or cards.detail(self._camera.zoom) is Detail.BLOCK:
            ports: tuple[Port, ...] = ()
        else:
            ports = ports_of(self._graph, self._document.architecture, key)
        self._overlay.show_ports(ports, None if handle is None else handle.place)

    def show_cursor(self, part: Part | None = None, handle: Port | WireEnd | None = None) -> None:
        """The cursor says what a press would do."""
        viewport = self._view.viewport()
        if self._space_held:
            viewport.setCursor(Qt.CursorShape.OpenHandCursor)
        elif handle is not None:
            viewport.setCursor(Qt.CursorShape.CrossCursor)
        elif part is not None:
            is_button = part.steps or part is CHEVRON
            viewport.setCursor(Qt.CursorShape.PointingHandCursor if is_button else Qt.CursorShape.SizeVerCursor)
        else:
            viewport.unsetCursor()

    # Wheel and touch

    def wheel(self, event: QWheelEvent) -> None:
        """A turn of the wheel, or two fingers."""
        position, turned = event.position().toPoint(), event.angleDelta()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        # With Shift, or Alt, some systems turn the wheel sideways.
        along = turned.y() or turned.x()
        is_start = not self._wheel_idle.isActive()
        self._wheel_idle.start()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._camera.zoom_at(position, ZOOM_STEP ** (along / _NOTCH))
            return
        if is_start:
            spot = self.spot(position)
            is_value = spot.key is not None and spot.part is not None and spot.part is not CHEVRON
            self._wheel_target = (spot.key or "", spot.part.name) if is_value and spot.part is not None else None
            self._wheel_rest = 0.0
        if self._wheel_target is not None:
            self._turn(along, 10 if shift else 1)
        elif _is_touch(event):
            self._camera.pan(event.pixelDelta() if not event.pixelDelta().isNull() else turned / 2)
        else:
            self._camera.zoom_at(position, ZOOM_STEP ** (along / _NOTCH))

    def _turn(self, along: int, factor: int) -> None:
        """Step the value that the wheel began on; finer wheels than a notch add up."""
        assert self._wheel_target is not None
        node_id, name = self._wheel_target
        self._wheel_rest += along / _NOTCH
        count = int(self._wheel_rest)
        self._wheel_rest -= count
        if count and node_id in self._document.architecture:
            self.end_preview()
            self._stepping.turn(self._editing.alike(node_id), name, count * factor)

    def pinch(self, event: QNativeGestureEvent) -> None:
        """Two fingers move apart or together."""
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._camera.zoom_at(event.position().toPoint(), 1.0 + event.value())


def _is_touch(event: QWheelEvent) -> bool:
    """Whether fingers on a trackpad or a magic mouse turned it: those give phases, or come from such a device."""
    return event.phase() != Qt.ScrollPhase.NoScrollPhase or event.deviceType() == QInputDevice.DeviceType.TouchPad
