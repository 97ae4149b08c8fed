"""The value that somebody points at, or holds; and what is said of it: number, arithmetic, and what it can see."""

import math

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from explorer.architecture import Architecture
from explorer.inference import Inference
from explorer.inference.receptive_field import Box
from explorer.inference.support import support
from explorer.layers import Layer
from explorer.panels.feature_maps.values import Maps
from explorer.runs import OpenedLayer
from explorer.runs.looks import Pixel
from explorer.session.field_arithmetic import place_in, worked_out
from explorer.session.field_terms import WorkedOut

REST_MS = 150
"""After the pointer has come to rest, before what is under it is measured."""


class Pointing(QObject):
    """Where the pointer is; where it is nowhere, the value that is held.

    Signals:
        changed(): `current` is another.
        rested(): `asked` is another.
    """

    changed = Signal()
    rested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hovered: Pixel | None = None
        self._held: Pixel | None = None
        self._asked: Pixel | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._rest)

    @property
    def current(self) -> Pixel | None:
        """What something is said of."""
        return self._hovered or self._held

    @property
    def held(self) -> Pixel | None:
        """What stays when the pointer leaves."""
        return self._held

    @property
    def asked(self) -> Pixel | None:
        """What is to be measured: the current one, once the pointer rests."""
        return self._asked

    def hover(self, pixel: Pixel | None) -> None:
        """The pointer is there now; None for nowhere."""
        before = self.current
        self._hovered = pixel
        self._follow(before)

    def hold(self, pixel: Pixel | None) -> None:
        """Stay with a value; with the same again, let it go."""
        before = self.current
        self._held = None if pixel == self._held else pixel
        self._follow(before)
        if self.current == before:
            self.changed.emit()

    def clear(self) -> None:
        """Point at nothing."""
        before = self.current
        self._hovered = self._held = None
        self._follow(before)

    def _follow(self, before: Pixel | None) -> None:
        if self.current != before:
            self._timer.start()
            self.changed.emit()

    def _rest(self) -> None:
        if self._asked != self.current:
            self._asked = self.current
            self.rested.emit()


def pixel_of(node_id: str, maps: Maps, shape: tuple[int, ...], channel: int, row: int, column: int) -> Pixel | None:
    """The value that is shown at (row, column) of a channel's tile; in a picture that is averaged down, the middle one.

    Args:
        shape: of the layer's output, without the batch.
    """
    if maps.is_vector:
        if len(shape) == 1:
            return Pixel(node_id, channel)
        whole = (shape[0], math.prod(shape[1:-1]), shape[-1])
        if channel >= math.prod(whole):
            return None
        return Pixel(node_id, *(int(i) for i in np.unravel_index(channel, whole)))
    if len(shape) < 2:
        return None
    height, width = math.prod(shape[1:-1]), shape[-1]
    row, column = _scaled(row, maps.values.shape[1], height), _scaled(column, maps.values.shape[2], width)
    return Pixel(node_id, channel, row, column)


def is_there(pixel: Pixel, shape: tuple[int, ...] | None) -> bool:
    """Whether a layer's output of that shape, without the batch, has such a value."""
    if shape is None:
        return False
    try:
        place_in(shape, pixel.channel, pixel.row, pixel.column)
    except IndexError:
        return False
    return True


def _scaled(place: int, size: int, whole: int) -> int:
    return place if size == whole else min(whole - 1, int((place + 0.5) * whole / size))


def field_of(architecture: Architecture, inference: Inference, pixel: Pixel) -> Box | None:
    """The pixels of the image that a value can see, those in the padding included; None where that is not known."""
    if pixel.node_id not in architecture:
        return None
    report = inference.nodes[pixel.node_id]
    shape = report.output_shape
    if shape is None:
        return None
    try:
        if report.receptive_field is not None:
            return report.receptive_field.box(pixel.row, pixel.column)
        return support(architecture, inference, pixel.node_id, pixel.row, pixel.column)
    except IndexError:
        return None


def arithmetic_of(layer: Layer, opened: OpenedLayer, pixel: Pixel) -> WorkedOut | None:
    """How the value comes about; None where that is no line, or the layer is not the one that computed it."""
    try:
        return worked_out(layer, opened, pixel.channel, pixel.row, pixel.column)
    except (IndexError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        return None  # An edit while the run goes on with what was there before.


def exact_value(opened: OpenedLayer, pixel: Pixel) -> float | None:
    """The value itself; None where the layer has no such place."""
    try:
        return float(opened.output[place_in(opened.output.shape, pixel.channel, pixel.row, pixel.column)])
    except IndexError:
        return None
