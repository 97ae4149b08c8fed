"""Padding by real keys and clicks, in each of its forms."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.layers import Conv2d
from explorer.panels.values.editors import Mixed, PaddingEditor
from explorer.panels.values.number import NumberBox
from explorer.panels.values.padding import Way
from tests.panels.editors import gestures, made, recorded
from tests.panels.stage import press, wheel, write

SAME = (1, 2, 1, 2)


def padding(qtbot: QtBot, value: object) -> PaddingEditor:
    editor = made(qtbot, Conv2d, "padding", value, SAME, height=100)
    assert isinstance(editor, PaddingEditor)
    return editor


def boxes(editor: PaddingEditor) -> list[NumberBox]:
    return [box for box in (*editor.boxes, *editor.sides) if box.isVisible()]


@pytest.mark.parametrize(
    ("value", "numbers"),
    [((2, 2), [2]), ((3, 1), [3, 1]), ((0, 1, 2, -3), [0, 1, 2, -3]), ("same", []), ("valid", [])],
)
def test_it_shows_as_many_boxes_as_there_are_numbers(qtbot: QtBot, value: object, numbers: list[int]) -> None:
    editor = padding(qtbot, value)
    assert [box.value() for box in boxes(editor)] == numbers
    assert editor.word.isVisible() == (not numbers)
    assert all(editor.rect().contains(box.geometry()) for box in boxes(editor))


def test_words_say_what_they_come_to(qtbot: QtBot) -> None:
    editor = padding(qtbot, "same")
    assert editor.word.whole == "same: 1 before, 2 after"
    for same, text in (((1, 1, 1, 1), "same: 1"), ((2, 2, 1, 1), "same: 2×1"), ((0, 1, 2, 2), "same: 0, 1, 2, 2")):
        editor.show_value("same", same)
        assert editor.word.whole == text
    editor.show_value("same", None)
    assert editor.word.whole == "same"
    editor.show_value("valid", SAME)
    assert editor.word.whole == "valid: none"


def test_one_number_stands_for_all_sides_and_is_never_negative(qtbot: QtBot) -> None:
    editor = padding(qtbot, (1, 1))
    received = recorded(editor)
    (box,) = boxes(editor)
    box.setFocus()
    press(box, Qt.Key.Key_Up)
    wheel(box, 1)
    box.selectAll()
    write(box, "0")
    press(box, Qt.Key.Key_Return)
    press(box, Qt.Key.Key_Down)
    assert received == [(2, 2), (3, 3), (0, 0)]


def test_sides_stand_where_they_are_and_may_crop(qtbot: QtBot) -> None:
    editor = padding(qtbot, (0, 1, 0, 1))
    received = recorded(editor)
    top, bottom, left, right = editor.sides
    assert top.y() < left.y() == right.y() < bottom.y()
    assert left.x() < top.x() == bottom.x() < right.x()
    top.setFocus()
    press(top, Qt.Key.Key_Down)
    assert received == [(-1, 1, 0, 1)]
    order: list[QWidget | None] = [top]
    for _ in range(3):
        widget = editor.window().focusWidget()
        assert widget is not None
        press(widget, Qt.Key.Key_Tab)
        order.append(editor.window().focusWidget())
    assert order == [top, left, right, bottom]


def test_sides_that_agree_are_written_as_two_numbers_and_stay_open(qtbot: QtBot) -> None:
    editor = padding(qtbot, (0, 1, 1, 1))
    received = recorded(editor)
    top = editor.sides[0]
    top.setFocus()
    press(top, Qt.Key.Key_Up)
    assert received == [(1, 1)]
    editor.show_value((1, 1), SAME)
    assert editor.way == Way.SIDES
    assert top.hasFocus()
    editor.restart()
    editor.show_value((1, 1), SAME)
    assert boxes(editor) == editor.boxes[:1]


@pytest.mark.parametrize(
    ("value", "way", "after"),
    [
        ((2, 2), Way.SAME, "same"),
        ("same", Way.ONE, (1, 1)),
        ("same", Way.TWO, (1, 1)),
        ("same", Way.SIDES, (1, 2, 1, 2)),
        ("valid", Way.SIDES, (0, 0)),
        ("same", Way.VALID, "valid"),
        ((-1, 1, 0, 1), Way.ONE, (0, 0)),
        ((3, 1), Way.ONE, (3, 3)),
    ],
)
def test_another_form_keeps_what_it_can_hold(qtbot: QtBot, value: object, way: Way, after: object) -> None:
    editor = padding(qtbot, value)
    said = gestures(editor)
    editor._actions[way].trigger()
    assert [entry for entry in said if entry != "left"] == [after]
    assert said[-1] == "left"
    assert editor.way is way
    assert editor._actions[way].isChecked()


def test_a_form_that_says_the_same_is_no_edit(qtbot: QtBot) -> None:
    editor = padding(qtbot, (2, 2))
    received = recorded(editor)
    editor._actions[Way.SIDES].trigger()
    assert received == []
    assert [box.value() for box in boxes(editor)] == [2, 2, 2, 2]
    assert editor.sides[0].hasFocus()


def test_the_menu_opens_by_key_and_previews_what_is_pointed_at(qtbot: QtBot) -> None:
    editor = padding(qtbot, (2, 2))
    said = gestures(editor)
    menu = editor.choose.menu()
    menu.popup(editor.mapToGlobal(QPoint(0, 0)))
    qtbot.waitUntil(menu.isVisible)
    for _ in range(4):
        press(menu, Qt.Key.Key_Down)
    assert said == [("preview", (2, 2)), ("preview", (2, 2)), ("preview", (2, 2)), ("preview", "same")]
    press(menu, Qt.Key.Key_Escape)
    assert said[-1] == "preview ended"
    assert editor.way is Way.ONE


def test_padding_that_differs_is_blank_and_steps_from_the_first(qtbot: QtBot) -> None:
    editor = padding(qtbot, Mixed((1, 2)))
    received = recorded(editor)
    (box,) = boxes(editor)
    assert box.text() == ""
    box.setFocus()
    press(box, Qt.Key.Key_Up)
    assert received == [(2, 2)]
    editor.show_value(Mixed("same"), SAME)
    editor._actions[Way.SAME].trigger()
    assert received[-1] == "same"
