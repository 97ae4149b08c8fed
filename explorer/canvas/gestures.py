"""The gestures with a beginning and an end: stepping a value, panning, a press that may become a move.

Each can be cancelled. Moving cards is `moving`'s, wires `wiring_gesture`'s, selecting by a rectangle `rubber_band`'s.

Clicks and keys that act at once are the view's own. Only `finish` (or, for stepping, each step of one merged edit)
leaves something behind.
"""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QPoint, Qt, QTimer

from explorer.architecture import Architecture, edits
from explorer.canvas import steps
from explorer.canvas.moving import MovingGesture
from explorer.canvas.rubber_band import RubberBand
from explorer.canvas.wiring_gesture import WiringGesture
from explorer.session import Document

IDLE_MS = 600
"""A pause this long ends a wheel's gesture."""
REPEAT_AFTER_MS = 400
REPEAT_EVERY_MS = 80


def step_edit(architecture: Architecture, node_ids: tuple[str, ...], name: str, count: int) -> Architecture:
    """The edit behind a stepper: `count` steps on, clamped, each from its own value."""
    for node_id in node_ids:
        layer = steps.stepped(architecture[node_id].layer, name, count)
        architecture = edits.set_layer(architecture, node_id, layer)
    return architecture


class Stepping(QObject):
    """Steps of one value that are one step of the history, until the wheel rests or the button is released."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._active: tuple[tuple[str, ...], str] | None = None
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self.finish)
        self._repeat = QTimer(self)
        self._repeat.timeout.connect(self._again)
        self._held = 0

    @property
    def is_active(self) -> bool:
        """Whether the next step of the same value would merge with the last."""
        return self._active is not None

    def turn(self, node_ids: tuple[str, ...], name: str, count: int) -> None:
        """The wheel moved `count` steps over a value of these nodes."""
        self._step(node_ids, name, count)
        self._idle.start()

    def press(self, node_ids: tuple[str, ...], name: str, count: int) -> None:
        """An arrow was pressed: one step, and more while it is held."""
        self.finish()
        self._step(node_ids, name, count)
        self._held = count
        self._repeat.start(REPEAT_AFTER_MS)

    def finish(self) -> None:
        """End the gesture: the next step stands alone in the history."""
        self._idle.stop()
        self._repeat.stop()
        if self._active is not None:
            self._active = None
            self._document.finish_merge()

    def _step(self, node_ids: tuple[str, ...], name: str, count: int) -> None:
        if self._active != (node_ids, name):
            self.finish()
            self._document.finish_merge()
            self._active = (node_ids, name)
        new = step_edit(self._document.architecture, node_ids, name, count)
        value = steps.written(new[node_ids[0]].layer, name)
        text = QCoreApplication.translate("Stepping", "Set {node} {name} to {value}")
        if len(node_ids) > 1:
            text = QCoreApplication.translate("Stepping", "Step {name} of {number} layers")
        told = text.format(node=node_ids[0], name=name, value=value, number=len(node_ids))
        self._document.apply(told, new, merge=f"step {' '.join(node_ids)} {name}")

    def _again(self) -> None:
        self._repeat.setInterval(REPEAT_EVERY_MS)
        if self._active is None or any(i not in self._document.architecture for i in self._active[0]):
            self.finish()
        else:
            self._step(*self._active, self._held)


class Pan:
    """The drawing follows the pointer."""

    def __init__(self, start: QPoint, scroll: Callable[[QPoint], None]) -> None:
        self._last = start
        self._start = start
        self._scroll = scroll

    def move(self, position: QPoint, _modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """The pointer moved."""
        self._scroll(position - self._last)
        self._last = position

    def finish(self) -> None:
        """Stay here."""

    def cancel(self) -> None:
        """Go back to where it began."""
        self.move(self._start)


class Press:
    """A press on one of several selected items: without a movement, that one alone is selected when it ends."""

    def __init__(self, moving: MovingGesture, clicked: Callable[[], None]) -> None:
        self._moving = moving
        self._clicked = clicked

    @property
    def has_begun(self) -> bool:
        """Whether something moves."""
        return self._moving.has_begun

    def move(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer moved."""
        self._moving.move(position, modifiers)

    def finish(self) -> None:
        """Put down what was moved, or select."""
        if not self._moving.has_begun:
            self._clicked()
        self._moving.finish()

    def cancel(self) -> None:
        """Let the cards go back."""
        self._moving.cancel()


Gesture = Pan | RubberBand | MovingGesture | WiringGesture | Press
