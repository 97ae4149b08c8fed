"""Connections painted with real mouse and keys."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.layers.hyper_parameter import HyperParameter
from explorer.layers.registry import layer_type
from explorer.panels.values.editors import ConnectionsEditor, Mixed
from explorer.panels.values.grid import Cell, Rows
from tests.panels.editors import gestures, made, parameter, recorded
from tests.panels.stage import press

ROWS: Rows = ((0, 1), (1, 2), (2, 3), (0, 3))


def connections(qtbot: QtBot, value: object = ROWS, arriving: int | None = 4) -> ConnectionsEditor:
    editor = made(qtbot, layer_type("PartialConv2d"), "connections", value, arriving, height=300)
    assert isinstance(editor, ConnectionsEditor)
    return editor


def _move(editor: ConnectionsEditor, place: QPoint) -> None:
    viewport = editor.grid.viewport()
    where, on_screen = QPointF(place), QPointF(viewport.mapToGlobal(place))
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, where, on_screen, none, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(viewport, event)


def press_at(editor: ConnectionsEditor, cell: Cell) -> None:
    place = editor.grid.place(cell).center()
    QTest.mousePress(editor.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)


def release(editor: ConnectionsEditor) -> None:
    QTest.mouseRelease(editor.grid.viewport(), Qt.MouseButton.LeftButton)


def test_a_click_sets_and_clears_one_connection(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    received = recorded(editor)
    assert editor.count.text() == "8 of 16"
    press_at(editor, Cell(0, 3))
    release(editor)
    assert received == [((0, 1, 3), (1, 2), (2, 3), (0, 3))]
    assert editor.count.text() == "9 of 16"
    press_at(editor, Cell(0, 3))
    release(editor)
    assert received[-1] == ROWS


def test_a_drag_paints_all_that_it_passes_and_edits_once(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    editor.grid.setFocus()
    said = gestures(editor)
    press_at(editor, Cell(0, 2))
    _move(editor, editor.grid.place(Cell(3, 2)).center())
    painted = ((0, 1, 2), (1, 2), (2, 3), (0, 2, 3))
    assert said[-1] == ("preview", painted)
    editor.show_value(ROWS, 4)  # the document, which has not changed, while the preview is drawn
    assert editor.grid.rows == painted
    assert editor.count.text() == "10 of 16"
    release(editor)
    assert [value for value in said if not (isinstance(value, tuple) and value[0] == "preview")] == [painted]


def test_escape_takes_a_drag_back(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    said = gestures(editor)
    editor.grid.setFocus()
    press_at(editor, Cell(0, 2))
    press(editor.grid, Qt.Key.Key_Escape)
    assert editor.grid.rows == ROWS
    assert editor.count.text() == "8 of 16"
    release(editor)
    assert said[-1] == "preview ended"
    assert ROWS not in said


def test_an_output_keeps_its_last_input_and_says_so(qtbot: QtBot) -> None:
    editor = connections(qtbot, ((0,), (1,)), 2)
    editor.grid.setFocus()
    said = gestures(editor)
    press_at(editor, Cell(0, 0))
    release(editor)
    assert editor.grid.rows == ((0,), (1,))
    assert editor.message.isVisible()
    assert said == ["preview ended"]


def test_the_keyboard_moves_sets_and_paints(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    received: list[object] = recorded(editor)
    editor.grid.setFocus()
    press(editor.grid, Qt.Key.Key_PageDown)
    press(editor.grid, Qt.Key.Key_Space)
    assert received == [((0, 1, 3), (1, 2), (2, 3), (0, 3))]
    press(editor.grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    press(editor.grid, Qt.Key.Key_End)
    press(editor.grid, Qt.Key.Key_Up)
    press(editor.grid, Qt.Key.Key_Space)
    assert received[1:] == [((0, 1, 3), (1, 2, 3), (2, 3), (0, 3)), ((0, 1, 3), (1, 2, 3), (2, 3), (0, 2, 3))]


def test_outputs_are_added_reading_everything_and_taken_from_the_end(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    received = recorded(editor)
    editor.outputs.setFocus()
    press(editor.outputs, Qt.Key.Key_Up)
    assert received == [(*ROWS, (0, 1, 2, 3))]
    editor.show_value(received[-1], 4)
    press(editor.outputs, Qt.Key.Key_Down)
    press(editor.outputs, Qt.Key.Key_Down)
    assert received[-1] == ROWS[:3]


def test_all_at_once_by_the_menu_which_previews(qtbot: QtBot) -> None:
    editor = connections(qtbot)
    said = gestures(editor)
    every, each = editor.choose.menu().actions()
    every.hover()
    assert said == [("preview", ((0, 1, 2, 3),) * 4)]
    every.trigger()
    assert said[-2:] == [((0, 1, 2, 3),) * 4, "left"]
    each.trigger()
    assert said[-2] == ((0,), (1,), (2,), (3,))


def test_inputs_that_do_not_arrive_are_still_there_to_be_cleared(qtbot: QtBot) -> None:
    editor = connections(qtbot, ROWS, 2)
    received = recorded(editor)
    assert editor.count.text() == "8 of 8"
    press_at(editor, Cell(3, 3))
    release(editor)
    assert received == [((0, 1), (1, 2), (2, 3), (0,))]


@pytest.mark.parametrize(("outputs", "inputs"), [(16, 6), (10, 84), (300, 4), (1, 1)])
def test_it_fits_a_narrow_dock_and_scrolls_to_the_rest(qtbot: QtBot, outputs: int, inputs: int) -> None:
    editor = connections(qtbot, tuple((i % inputs,) for i in range(outputs)), inputs)
    editor.resize(258, 320)
    QApplication.processEvents()
    grid = editor.grid
    assert grid.width() <= 258
    assert 12 <= grid.cell_size <= 20
    grid.setFocus()
    press(grid, Qt.Key.Key_End)
    press(grid, Qt.Key.Key_PageDown)
    last = grid.place(Cell(outputs - 1, inputs - 1))
    assert grid.viewport().rect().adjusted(0, 0, 1, 1).contains(last)
    if (outputs, inputs) == (16, 6):
        assert grid.horizontalScrollBar().maximum() == grid.verticalScrollBar().maximum() == 0


def test_connections_that_differ_say_so_and_start_at_the_first(qtbot: QtBot) -> None:
    editor = connections(qtbot, Mixed(ROWS), 4)
    received = recorded(editor)
    assert editor.count.text() == "mixed; shown: 8 of 16"
    press_at(editor, Cell(0, 3))
    release(editor)
    assert received == [((0, 1, 3), (1, 2), (2, 3), (0, 3))]


def test_the_patterns_of_lenet_are_connections_too() -> None:
    patterns: HyperParameter = parameter(layer_type("RadialBasis"), "patterns")
    assert patterns.kind == parameter(layer_type("PartialConv2d"), "connections").kind
