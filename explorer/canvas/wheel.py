"""What the wheel and the trackpad do on the canvas: zoom, pan, step the value under the pointer.

The wheel zooms at the pointer, over a stepper's value it steps that value (Shift: by ten); a trackpad pans with two
fingers and zooms with a pinch; Ctrl and either zooms. A turn of the wheel keeps the meaning that it began with, so that
a zoom never starts to edit because a value slid under the pointer.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QInputDevice, QNativeGestureEvent, QWheelEvent

from explorer.canvas.camera import Camera
from explorer.canvas.card import CHEVRON
from explorer.canvas.editing import Editing
from explorer.canvas.gestures import IDLE_MS, Stepping
from explorer.session import Document

if TYPE_CHECKING:
    from explorer.canvas.pointer import Pointer

ZOOM_STEP = 1.2
_NOTCH = 120
"""Eighths of a degree of one notch of a wheel (Qt, QWheelEvent.angleDelta)."""


class Wheel(QObject):
    """The wheel over a view."""

    def __init__(
        self, document: Document, camera: Camera, editing: Editing, stepping: Stepping, pointer: "Pointer"
    ) -> None:
        super().__init__(pointer)
        self._document = document
        self._camera = camera
        self._editing = editing
        self._stepping = stepping
        self._pointer = pointer
        self._target: tuple[str, str] | None = None
        self._rest = 0.0
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)

    def turn(self, event: QWheelEvent) -> None:
        """A turn of the wheel, or two fingers."""
        position, turned = event.position().toPoint(), event.angleDelta()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        # With Shift, or Alt, some systems turn the wheel sideways.
        along = turned.y() or turned.x()
        is_start = not self._idle.isActive()
        self._idle.start()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._camera.zoom_at(position, ZOOM_STEP ** (along / _NOTCH))
            return
        if is_start:
            spot = self._pointer.spot(position)
            is_value = spot.key is not None and spot.part is not None and spot.part is not CHEVRON
            self._target = (spot.key or "", spot.part.name) if is_value and spot.part is not None else None
            self._rest = 0.0
        if self._target is not None:
            self._step(along, 10 if shift else 1)
        elif _is_touch(event):
            self._camera.pan(event.pixelDelta() if not event.pixelDelta().isNull() else turned / 2)
        else:
            self._camera.zoom_at(position, ZOOM_STEP ** (along / _NOTCH))

    def pinch(self, event: QNativeGestureEvent) -> None:
        """Two fingers move apart or together."""
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._camera.zoom_at(event.position().toPoint(), 1.0 + event.value())

    def _step(self, along: int, factor: int) -> None:
        """Step the value that the wheel began on; finer wheels than a notch add up."""
        assert self._target is not None
        node_id, name = self._target
        self._rest += along / _NOTCH
        count = int(self._rest)
        self._rest -= count
        if count and node_id in self._document.architecture:
            self._pointer.end_preview()
            self._stepping.turn(self._editing.alike(node_id), name, count * factor)


def _is_touch(event: QWheelEvent) -> bool:
    """Whether fingers on a trackpad or a magic mouse turned it: those give phases, or come from such a device."""
    return event.phase() != Qt.ScrollPhase.NoScrollPhase or event.deviceType() == QInputDevice.DeviceType.TouchPad
