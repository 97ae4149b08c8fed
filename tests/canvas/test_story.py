"""What hovering tells of nodes, blocks and wires, and that the tool tip shows it."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference.memory import memory
from explorer.look import numbers
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


@pytest.fixture
def resnet(canvas: Canvas) -> Canvas:
    canvas.document.open(entry("resnet50").build())
    return canvas


def _story(canvas: Canvas, key: str) -> str:
    place = canvas.scene.place_of(key)
    assert place is not None
    return canvas.view.reading.tool_tip(canvas.view.mapFromScene(place.center()), key)


def _wire_story(canvas: Canvas, target: str) -> str:
    placement = canvas.scene.placement
    assert placement is not None
    (points,) = (points for wire, points in placement.wires.items() if wire.target == target)
    middle = QPointF((points[0].x + points[1].x) / 2, (points[0].y + points[1].y) / 2)
    return canvas.view.reading.tool_tip(canvas.view.mapFromScene(middle), None)


def test_a_node_tells_what_differs_shapes_counts_memory_and_field(resnet: Canvas) -> None:
    story = _story(resnet, "conv1")
    kept = memory(resnet.architecture, resnet.document.snapshot.inference, batch_size=1).nodes["conv1"]
    share = numbers.share(9408, resnet.document.snapshot.inference.totals.num_parameters)
    told = ("Conv2d", "7×7", "3×224×224 → 64×112×112", f"9,408  ({share})".replace("<", "&lt;"), "118,013,952")
    for text in (*told, numbers.short_bytes(kept), "7×7, every 2 px"):
        assert text in story
    assert "bias" in story, "torch's convolutions have one unless told otherwise"
    assert "padding_mode" not in story
    assert "dilation" not in story


def test_a_wrong_node_tells_why_and_no_share_of_half_a_sum(canvas: Canvas) -> None:
    canvas.document.apply("Break", edits.set_value(canvas.architecture, "conv2", "kernel_size", 99))
    story = _story(canvas, "conv2")
    fault = canvas.item("conv2").report.fault
    assert fault is not None
    assert fault.message in story
    assert canvas.themes.theme.error.name() in story
    assert "%" not in _story(canvas, "conv1")


def test_blocks_tell_sums_folded_and_open(resnet: Canvas) -> None:
    folded = _story(resnet, "layer3")
    facts = resnet.scene.blocks["layer3"].facts
    kept = memory(resnet.architecture, resnet.document.snapshot.inference, batch_size=1).nodes
    inside = sum(count for node_id, count in kept.items() if node_id.startswith("layer3."))
    told = ("stage", "6 × bottleneck", "512×28×28 → 1024×14×14", f"{facts.num_parameters:,}", f"{facts.macs:,}")
    for text in (*told, numbers.short_bytes(inside)):
        assert text in folded
    resnet.view._folding.unfold("layer3")
    resnet.view._folding.motion.finish()
    assert _story(resnet, "layer3") == folded
    assert "made alike" in _story(resnet, "layer3.1")
    assert "differs" in _story(resnet, "layer3.0")


def test_a_wire_tells_what_passes_and_its_bytes(canvas: Canvas) -> None:
    story = _wire_story(canvas, "pool1")
    shape = canvas.document.snapshot.inference.nodes[canvas.architecture["pool1"].inputs[0]].output_shape
    assert shape == (6, 28, 28)
    assert "6×28×28" in story
    assert numbers.short_bytes(6 * 28 * 28 * 4) in story
    canvas.document.apply("Break", edits.set_value(canvas.architecture, "conv2", "kernel_size", 99))
    fault = canvas.item("conv2").report.fault
    assert fault is not None
    assert fault.message in _wire_story(canvas, "conv2")
    canvas.document.undo_stack.undo()
    assert canvas.themes.theme.error.name() not in _wire_story(canvas, "conv2")


def test_hovering_shows_the_story(canvas: Canvas, qtbot: QtBot) -> None:
    def hover(place: QPoint) -> None:
        viewport = canvas.view.viewport()
        QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, place, viewport.mapToGlobal(place)))

    hover(canvas.at("conv1"))
    qtbot.waitUntil(QToolTip.isVisible)
    assert "kept for training" in QToolTip.text()
    hover(QPoint(5, 5))
    assert canvas.view.reading.tool_tip(QPoint(5, 5), None) == ""
    QToolTip.hideText()


def test_the_menu_traces_and_finds(canvas: Canvas) -> None:
    menu = canvas.view.menu_at(canvas.at("pool1"))
    (up,) = (action for action in menu.actions() if action.text().startswith("Light up what leads here"))
    up.trigger()
    assert canvas.scene.nodes["fc1"].opacity() < 1.0
    assert canvas.scene.nodes["conv1"].opacity() == 1.0
    menu = canvas.view.menu_at(QPoint(5, 5))
    (find,) = (action for action in menu.actions() if action.text().startswith("Find"))
    find.trigger()
    assert canvas.view.reading.finding.bar.isVisible()
