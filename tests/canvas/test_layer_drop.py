"""Layers dropped on the canvas, as the palette drags them."""

import warnings

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent

from explorer.session.dragging import LAYER_MIME_TYPE
from tests.canvas.conftest import Canvas


def _drop(canvas: Canvas, place: QPoint, data: QMimeData) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        event = QDropEvent(
            QPointF(place),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    event.ignore()
    # Qt delivers a drop only within a drag of its own, which a test has none of; this is where it would arrive.
    viewport = canvas.view.viewport()
    assert canvas.view._layer_drop.eventFilter(viewport, event)
    return event.isAccepted()


def _layer(name: str) -> QMimeData:
    data = QMimeData()
    data.setData(LAYER_MIME_TYPE, QByteArray(name.encode()))
    return data


def test_a_layer_dropped_on_a_node_comes_behind_it_in_one_step(canvas: Canvas) -> None:
    before = canvas.architecture
    assert _drop(canvas, canvas.at("conv1"), _layer("BatchNorm2d"))
    assert canvas.architecture["norm1"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("norm1",)
    assert canvas.selection.ids == ("norm1",)
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_layer_dropped_on_a_wire_is_inserted_there(canvas: Canvas) -> None:
    wire = next(w for w in canvas.scene.wires.values() if w.wire.source == "conv1")
    place = canvas.view.mapFromScene(wire.mapToScene(wire.shape().boundingRect().center()))
    assert _drop(canvas, place, _layer("ReLU"))
    assert canvas.architecture["relu1"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("relu1",)


def test_anything_else_is_left_to_the_window(canvas: Canvas) -> None:
    before = canvas.architecture
    data = QMimeData()
    data.setText("a project, perhaps")
    assert not _drop(canvas, canvas.at("conv1"), data)
    assert not _drop(canvas, canvas.at("conv1"), _layer("Conv9d"))
    assert not _drop(canvas, QPoint(5, 5), _layer("ReLU"))
    assert canvas.architecture is before
