"""Choices, rows of numbers and texts, by real keys."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.layers import Conv2d, Opaque, Permute
from explorer.panels.values.editors import ChoiceEditor, IntegersEditor, Mixed, TextEditor
from explorer.panels.values.text import _words, offer_words, parsed
from tests.panels.editors import gestures, made, parameter, recorded
from tests.panels.stage import press, wheel, write


def choice(qtbot: QtBot, value: object) -> ChoiceEditor:
    editor = made(qtbot, Conv2d, "padding_mode", value)
    assert isinstance(editor, ChoiceEditor)
    return editor


def integers(qtbot: QtBot, value: object) -> IntegersEditor:
    editor = made(qtbot, Permute, "dims", value, height=80)
    assert isinstance(editor, IntegersEditor)
    return editor


def module(qtbot: QtBot, value: object) -> TextEditor:
    editor = made(qtbot, Opaque, "module", value, height=80)
    assert isinstance(editor, TextEditor)
    return editor


# Choices


def test_arrow_keys_choose_at_once(qtbot: QtBot) -> None:
    editor = choice(qtbot, "zeros")
    received = recorded(editor)
    editor.box.setFocus()
    press(editor.box, Qt.Key.Key_Down)
    press(editor.box, Qt.Key.Key_Down)
    press(editor.box, Qt.Key.Key_Up)
    assert received == ["reflect", "replicate", "reflect"]


def test_a_list_leaves_the_wheel_to_the_form_without_the_focus(qtbot: QtBot) -> None:
    editor = choice(qtbot, "zeros")
    received = recorded(editor)
    editor.box.clearFocus()
    assert not wheel(editor.box, -1)
    editor.box.setFocus()
    wheel(editor.box, -1)
    assert received == ["reflect"]


def test_the_word_pointed_at_is_previewed_until_the_list_closes(qtbot: QtBot) -> None:
    editor = choice(qtbot, "zeros")
    said = gestures(editor)
    editor.box.setFocus()
    editor.box.showPopup()
    qtbot.waitUntil(editor.box.view().isVisible)
    press(editor.box.view(), Qt.Key.Key_Down)
    assert said[-1] == ("preview", "reflect")
    press(editor.box.view(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: said[-1] == "preview ended")
    assert editor.box.currentText() == "zeros"
    editor.box.showPopup()
    qtbot.waitUntil(editor.box.view().isVisible)
    press(editor.box.view(), Qt.Key.Key_Down)
    _, pointed_at = said[-1]
    press(editor.box.view(), Qt.Key.Key_Return)
    assert said[-2:] == ["preview ended", pointed_at]
    assert editor.box.currentText() == pointed_at


def test_choices_that_differ_show_none_until_one_is_chosen(qtbot: QtBot) -> None:
    editor = choice(qtbot, Mixed("zeros"))
    received = recorded(editor)
    assert editor.box.currentIndex() == -1
    editor.box.setFocus()
    press(editor.box, Qt.Key.Key_Down)
    assert received == ["zeros"]


# Rows of numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1, -1", (1, -1)),
        ("0 2 3", (0, 2, 3)),
        ("(1,2)", (1, 2)),
        ("[ 3 ]", (3,)),
        ("256×6×6", (256, 6, 6)),
        ("−1", (-1,)),
        ("+2,", (2,)),
        ("", None),
        ("1.5", None),
        ("1, x", None),
        ("1 - 1", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: tuple[int, ...] | None) -> None:
    assert parsed(text) == numbers


def test_typed_numbers_take_effect_on_enter_and_after_a_rest(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    received = recorded(editor)
    assert editor.field.text() == "2, 3, 1"
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "3 2 1")
    assert received == []
    press(editor.field, Qt.Key.Key_Return)
    assert received == [(3, 2, 1)]
    editor.field.selectAll()
    write(editor.field, "1,2,3")
    qtbot.waitUntil(lambda: received == [(3, 2, 1), (1, 2, 3)])
    editor.show_value((1, 2, 3), None)
    assert editor.field.text() == "1,2,3", "half typed text stays as it is under the cursor"


def test_what_are_no_numbers_is_said_in_place_and_does_not_stay(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    said = gestures(editor)
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "2, x")
    press(editor.field, Qt.Key.Key_Return)
    assert "whole numbers" in editor.message.text()
    assert editor.message.isVisible()
    write(editor.field, "\b3")
    assert editor.message.isHidden()
    write(editor.field, "!")
    editor.field.clearFocus()
    assert editor.field.text() == "2, 3, 1"
    assert editor.message.isHidden()
    assert said == ["left"]


def test_out_of_range_numbers_are_refused_with_the_range(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    received = recorded(editor)
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "99999999")
    press(editor.field, Qt.Key.Key_Return)
    assert parameter(Permute, "dims").range_text() in editor.message.text()
    assert received == []


def test_keys_and_wheel_step_the_number_at_the_cursor(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    received = recorded(editor)
    editor.field.setFocus()
    editor.field.setCursorPosition(4)
    press(editor.field, Qt.Key.Key_Down)
    wheel(editor.field, -1)
    press(editor.field, Qt.Key.Key_PageUp)
    assert received == [(2, 2, 1), (2, 1, 1), (2, 5, 1)]
    assert editor.field.cursorPosition() == 4
    editor.field.clearFocus()
    assert not wheel(editor.field, 1)


def test_numbers_that_the_layer_refuses_are_marked_and_do_not_stay(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    editor.edited.connect(lambda _value: editor.refuse("dims received 2 twice"))
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "2 2 1")
    press(editor.field, Qt.Key.Key_Return)
    assert editor.message.isVisible()
    editor.field.clearFocus()
    assert editor.field.text() == "2, 3, 1"
    assert editor.message.isHidden()


def test_escape_takes_typed_numbers_back(qtbot: QtBot) -> None:
    editor = integers(qtbot, (2, 3, 1))
    received = recorded(editor)
    editor.field.setFocus()
    write(editor.field, "7")
    press(editor.field, Qt.Key.Key_Escape)
    assert editor.field.text() == "2, 3, 1"
    editor.field.clearFocus()
    assert received == []


# Texts


def test_a_text_waits_for_enter_or_for_leaving(qtbot: QtBot) -> None:
    editor = module(qtbot, "GLU")
    said = gestures(editor)
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "Softplus")
    assert said == []
    press(editor.field, Qt.Key.Key_Return)
    assert said == ["Softplus"]
    editor.show_value("Softplus", None)
    write(editor.field, "2")
    editor.field.clearFocus()
    # The list of completions closes by itself, sooner or later, and takes its preview along.
    assert [gesture for gesture in said if gesture != "preview ended"] == ["Softplus", "Softplus2", "left"]


def test_a_refused_text_is_marked_until_it_is_mended(qtbot: QtBot) -> None:
    editor = module(qtbot, "GLU")
    editor.field.setFocus()
    editor.field.end(False)
    write(editor.field, "!")
    editor.refuse("no such name")
    assert editor.message.isVisible()
    editor.show_value("GLU", None)
    assert editor.field.text() == "GLU!", "what is being mended is not taken away"
    assert editor.message.isVisible()
    write(editor.field, "\b")
    assert editor.message.isHidden()
    write(editor.field, "!")
    editor.refuse("no such name")
    press(editor.field, Qt.Key.Key_Escape)
    assert editor.field.text() == "GLU"
    assert editor.message.isHidden()


def test_names_on_offer_complete_what_is_typed(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    name = parameter(Opaque, "module")
    monkeypatch.delitem(_words, name, raising=False)
    editor = module(qtbot, "GLU")
    said = gestures(editor)
    editor.field.setFocus()
    editor.field.selectAll()
    write(editor.field, "soft")
    completer = editor.field.completer()
    assert completer.completionCount() == 0
    offer_words(name, ("LogSoftplus", "Softplus", "Softshrink", "Threshold"))
    write(editor.field, "p")
    assert completer.completionCount() == 2
    popup = completer.popup()
    assert popup is not None
    qtbot.waitUntil(popup.isVisible)
    press(popup, Qt.Key.Key_Down)
    assert said[-1] == ("preview", "Softplus")
    press(popup, Qt.Key.Key_Return)
    assert [value for value in said if isinstance(value, str)] == ["Softplus", "preview ended"]
    monkeypatch.delitem(_words, name)


def test_texts_that_differ_are_blank(qtbot: QtBot) -> None:
    editor = module(qtbot, Mixed("GLU"))
    received = recorded(editor)
    assert editor.field.text() == ""
    editor.field.setFocus()
    editor.field.clearFocus()
    assert received == []
