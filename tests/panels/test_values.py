"""Each editor against real keys, wheel and clicks; what it shows and emits, never what a document makes of it."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.layers import BatchNorm2d, Conv2d, Kind
from explorer.panels.values.editors import FlagEditor, FollowsEditor, Mixed, NumberEditor, PairEditor
from tests.panels.editors import made, recorded
from tests.panels.stage import click, press, wheel, write


def test_every_kind_has_an_editor() -> None:
    from explorer.panels.values.editors import _EDITORS

    assert set(_EDITORS) == set(Kind)


def test_arrow_keys_step_at_once(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "out_channels", 6)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    press(editor.box, Qt.Key.Key_Up)
    press(editor.box, Qt.Key.Key_Up)
    press(editor.box, Qt.Key.Key_Down)
    assert received == [7, 8, 7]
    assert all(type(value) is int for value in received)


def test_typing_waits_for_enter(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "out_channels", 6)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    editor.box.selectAll()
    write(editor.box, "128")
    assert received == []
    press(editor.box, Qt.Key.Key_Return)
    assert received == [128]


def test_typing_takes_effect_after_a_rest_with_the_cursor_where_it_was(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "out_channels", 6)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    editor.box.selectAll()
    write(editor.box, "12")
    press(editor.box, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: received == [12])
    assert editor.box.lineEdit().cursorPosition() == 1


def test_leaving_the_box_commits_and_says_so(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "kernel_size", (5, 3))
    assert isinstance(editor, PairEditor)
    received = recorded(editor)
    left: list[bool] = []
    editor.left.connect(lambda: left.append(True))
    editor.height_box.setFocus()
    editor.height_box.selectAll()
    write(editor.height_box, "9")
    editor.width_box.setFocus()
    assert received == [(9, 3)]
    assert left == [True]


@pytest.mark.parametrize(("typed", "taken"), [("0", 1), ("5000000", 1_000_000), ("9,216", 9216)])
def test_out_of_range_goes_to_the_nearest_that_is_in(qtbot: QtBot, typed: str, taken: int) -> None:
    editor = made(qtbot, Conv2d, "out_channels", 6)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    editor.box.selectAll()
    write(editor.box, typed)
    press(editor.box, Qt.Key.Key_Return)
    assert received == [taken]


def test_the_wheel_needs_the_focus(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "kernel_size", (5, 5))
    assert isinstance(editor, PairEditor)
    received = recorded(editor)
    editor.link.setFocus()
    assert not wheel(editor.height_box, 1)
    assert not wheel(editor.height_box.lineEdit(), 1)
    assert received == []
    editor.height_box.setFocus()
    assert wheel(editor.height_box, 1)
    assert received == [(6, 6)]


def test_equal_pairs_are_linked_until_the_user_opens_the_link(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "kernel_size", (5, 5))
    assert isinstance(editor, PairEditor)
    received = recorded(editor)
    assert editor.link.isChecked()
    click(editor.link)
    editor.width_box.setFocus()
    press(editor.width_box, Qt.Key.Key_Down)
    assert received == [(5, 4)]
    click(editor.link)
    assert received == [(5, 4), (5, 5)]
    editor.show_value((5, 5), None)
    assert editor.link.isChecked()


def test_an_open_link_stays_open_for_its_node_and_no_other(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "kernel_size", (5, 5))
    assert isinstance(editor, PairEditor)
    click(editor.link)
    editor.show_value((6, 6), None)
    assert not editor.link.isChecked()
    editor.restart()
    editor.show_value((3, 3), None)
    assert editor.link.isChecked()
    editor.show_value((3, 1), None)
    assert not editor.link.isChecked()


def test_following_shows_what_arrives_and_fixes_it(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "in_channels", None, 6)
    assert isinstance(editor, FollowsEditor)
    received = recorded(editor)
    assert editor.text.whole == "follows input (6)"
    assert editor.box.isHidden()
    click(editor.link)
    assert received == [6]
    editor.show_value(6, 6)
    assert editor.text.isHidden()
    editor.box.setFocus()
    press(editor.box, Qt.Key.Key_Up)
    click(editor.link)
    assert received == [6, 7, None]


def test_what_is_not_known_cannot_be_fixed_and_says_why(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "in_channels", None, None)
    assert isinstance(editor, FollowsEditor)
    assert not editor.link.isEnabled()
    assert "not known" in editor.link.toolTip()


@pytest.mark.parametrize(("value", "text"), [(1e-5, "1e-05"), (0.1, "0.1"), (1.0, "1"), (0.0, "0")])
def test_real_numbers_read_as_python_writes_them(qtbot: QtBot, value: float, text: str) -> None:
    editor = made(qtbot, BatchNorm2d, "eps", value)
    assert isinstance(editor, NumberEditor)
    assert editor.box.text() == text


def test_real_numbers_take_exponents_and_step_without_dust(qtbot: QtBot) -> None:
    editor = made(qtbot, BatchNorm2d, "momentum", 0.1)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    for _ in range(3):
        press(editor.box, Qt.Key.Key_Up)
    assert received == [0.11, 0.12, 0.13]
    editor.box.selectAll()
    write(editor.box, "1e-3")
    press(editor.box, Qt.Key.Key_Return)
    assert received[-1] == 0.001


def test_magnitudes_step_through_one_two_five(qtbot: QtBot) -> None:
    editor = made(qtbot, BatchNorm2d, "eps", 1e-5)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    for _ in range(3):
        press(editor.box, Qt.Key.Key_Up)
    wheel(editor.box, -1)
    assert received == [2e-5, 5e-5, 1e-4, 5e-5]
    editor.box.selectAll()
    write(editor.box, "3e-6")
    press(editor.box, Qt.Key.Key_Return)
    press(editor.box, Qt.Key.Key_Down)
    assert received[-2:] == [3e-6, 2e-6]
    assert editor.box.text() == "2e-06"


def test_a_flag_toggles(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "bias", True)
    assert isinstance(editor, FlagEditor)
    received = recorded(editor)
    editor.box.setFocus()
    press(editor.box, Qt.Key.Key_Space)
    assert received == [False]


def test_values_that_differ_are_blank_and_any_number_counts_as_an_edit(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "out_channels", Mixed(6))
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    assert editor.box.text() == ""
    editor.box.setFocus()
    write(editor.box, "6")
    press(editor.box, Qt.Key.Key_Return)
    assert received == [6]
    editor.show_value(Mixed(6), None)
    assert editor.box.text() == ""
    press(editor.box, Qt.Key.Key_Up)
    assert received == [6, 7]


def test_showing_a_value_emits_nothing_and_leaves_half_typed_text_alone(qtbot: QtBot) -> None:
    editor = made(qtbot, Conv2d, "out_channels", 6)
    assert isinstance(editor, NumberEditor)
    received = recorded(editor)
    editor.box.setFocus()
    editor.box.selectAll()
    write(editor.box, "1")
    editor.show_value(6, None)
    assert editor.box.text() == "1"
    editor.show_value(8, None)
    assert editor.box.text() == "8"
    assert received == []
