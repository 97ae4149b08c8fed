"""What the buttons of the mouse do on the canvas: select, move, connect, step values, fold, pan.

As the best node editors have it: space or the middle button drags the canvas, the left button over empty canvas draws a
rubber band, on a card it moves that, from a port or the end of a wire it draws one. A double click folds and unfolds,
types a value, or asks what to add. The wheel and the trackpad are `wheel`'s.
"""

from functools import partial

from PySide6.QtCore import QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGraphicsView

from explorer.canvas import card as cards
from explorer.canvas.camera import Camera
from explorer.canvas.card import CHEVRON, Detail, Part
from explorer.canvas.edge_scroll import EdgeScroll
from explorer.canvas.editing import Editing
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.gestures import Gesture, Pan, Press, Stepping, step_edit
from explorer.canvas.in_place import Cell, InPlace
from explorer.canvas.moving import MovingGesture
from explorer.canvas.overlay import Overlay
from explorer.canvas.ports import Port, WireEnd, port_at, ports_of, wire_end_at
from explorer.canvas.rubber_band import RubberBand
from explorer.canvas.scene import GraphScene
from explorer.canvas.spot import Spot
from explorer.canvas.wheel import Wheel
from explorer.canvas.wiring_gesture import Stage, WiringGesture
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.session.arrangement import Arrangement


class Pointer(QObject):
    """The gestures of the pointer over a view.

    Attributes:
        wheel: what the wheel and the trackpad do.

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
        themes: ThemeSource,
    ) -> None:
        super().__init__(view)
        self._themes = themes
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
        self._previewing: tuple[str, Part] | None = None
        self.wheel = Wheel(document, camera, editing, self._stepping, self)

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
            viewport = self._view.viewport()
            self._gesture = RubberBand(position, viewport, self._themes, self._selection, self._nodes_in, extend=extend)
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
