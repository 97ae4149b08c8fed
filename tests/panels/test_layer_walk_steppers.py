"""The steppers of the Layer tab: edits of the layer that it shows."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.panels.layer_walk.panel import LayerWalkPanel
from explorer.panels.values.editors import NumberEditor, PairEditor
from tests.panels.stage import press
from tests.panels.walk_panel import feed, walk_panel


def _kernel(panel: LayerWalkPanel) -> PairEditor:
    assert panel.steppers.form is not None
    editor = panel.steppers.form.editors["kernel_size"]
    assert isinstance(editor, PairEditor)
    return editor


@pytest.mark.parametrize(
    ("node_id", "names"),
    [
        ("conv1", ["kernel_size", "stride", "padding", "dilation", "groups", "padding_mode", "out_channels", "bias"]),
        ("pool1", ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]),
        ("fc1", ["out_features", "bias"]),
    ],
)
def test_what_shapes_the_window_has_a_stepper(qtbot: QtBot, node_id: str, names: list[str]) -> None:
    panel, _ = walk_panel(qtbot, node_id)
    assert panel.steppers.form is not None
    assert list(panel.steppers.form.editors) == names
    assert all(editor.isVisible() for editor in panel.steppers.form.editors.values())


def test_a_stepper_edits_the_layer_and_undo_takes_it_back(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
    press(_kernel(panel).height_box, Qt.Key.Key_Up)
    press(_kernel(panel).height_box, Qt.Key.Key_Up)
    assert at.value("conv1", "kernel_size") == (7, 7)
    assert at.steps == ["Set conv1 kernel_size to 7×7"]  # a row of quick ones is one step
    assert panel._size.text() == "size = ⌊(32 + 2·0 − 7) / 1⌋ + 1 = 26"
    # Until the new layer's values are there, the old ones stay with the layer that they are of.
    assert panel.board.walk is not None
    assert panel.board.walk.slide.rows.taps == 5
    feed(panel, at, "conv1")
    assert panel.board.walk.slide.rows.taps == 7
    at.document.undo_stack.undo()
    assert at.value("conv1", "kernel_size") == (5, 5)
    assert _kernel(panel).height_box.number == 5


def _groups(panel: LayerWalkPanel) -> NumberEditor:
    assert panel.steppers.form is not None
    editor = panel.steppers.form.editors["groups"]
    assert isinstance(editor, NumberEditor)
    return editor


def test_a_value_that_does_not_fit_is_said_beside_it(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, "conv2")
    press(_groups(panel).box, Qt.Key.Key_Up)
    press(_groups(panel).box, Qt.Key.Key_Up)
    press(_groups(panel).box, Qt.Key.Key_Up)
    assert at.value("conv2", "groups") == 4
    assert panel.steppers.fault.isVisible()
    assert "groups 4 must divide the 6 channels" in panel.steppers.fault.text()
    assert "mend the fault" in panel.empty.text()
    assert panel._size.text() == ""
    at.document.undo_stack.undo()
    assert panel.board.isVisible()
