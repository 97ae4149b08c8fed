"""The view scrolls while something is dragged near its edge, faster the nearer; whoever drags moves along."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QRect, QTimer

from explorer.canvas.camera import Camera
from explorer.look.theme import GRID

EDGE = 4 * GRID
"""So near to the edge it begins, in pixels of the screen."""
_EVERY_MS = 16
_FASTEST = 14
"""Pixels of the screen a step, at the edge itself."""


def speed(position: QPoint, viewport: QRect) -> QPoint:
    """How far the drawing moves a step: away from the edge that the position is near to; nothing in the middle."""
    return QPoint(
        _share(position.x(), viewport.left(), viewport.right()), _share(position.y(), viewport.top(), viewport.bottom())
    )


def _share(at: int, low: int, high: int) -> int:
    if at - low < EDGE:
        return round(_FASTEST * min(1.0, (EDGE - (at - low)) / EDGE))
    if high - at < EDGE:
        return -round(_FASTEST * min(1.0, (EDGE - (high - at)) / EDGE))
    return 0


class EdgeScroll(QObject):
    """Scrolls for one drag at a time."""

    def __init__(self, camera: Camera, viewport: Callable[[], QRect]) -> None:
        super().__init__(camera)
        self._camera = camera
        self._viewport = viewport
        self._by = QPoint()
        self._again: Callable[[], None] = _nothing
        self._waits = False
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._step)

    @property
    def is_running(self) -> bool:
        """Whether it scrolls."""
        return self._timer.isActive()

    def follow(self, position: QPoint, again: Callable[[], None]) -> None:
        """The drag is at a position of the viewport; `again` moves it there once more, over what has come in sight."""
        self._by = speed(position, self._viewport())
        self._again = again
        if self._by.isNull():
            self._waits = False
            self._timer.stop()
        elif self._waits:
            return
        elif not self._timer.isActive():
            self._timer.start()

    def enter(self) -> None:
        """A drag comes in across an edge, where it only passes: it scrolls once the drag has been in the middle."""
        self._waits = True

    def stop(self) -> None:
        """The drag is over, or elsewhere."""
        self._waits = False
        self._timer.stop()
        # It holds the gesture, and that the items that it was about.
        self._again = _nothing

    def _step(self) -> None:
        self._camera.pan(self._by)
        self._again()


def _nothing() -> None:
    """No drag is under way."""
