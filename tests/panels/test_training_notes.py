"""The room for what is said of a run: what stands there, what is behind the button, and what is never cut."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.training.notes import NotesLine
from tests.panels.stage import press, shown

_SHORT = ("Compiled.", "Images are padded.", "Grey images are repeated.")
_LONG = "Convolutions multiply in bfloat16 from here on: 178 ms a step instead of 251 ms; weights stay in float32."


@pytest.fixture
def line(qtbot: QtBot) -> Iterator[NotesLine]:
    page = QWidget()
    line = NotesLine(ThemeSource(), page)
    column = QVBoxLayout(page)
    column.addWidget(line)
    column.addStretch(1)
    shown(qtbot, page, 460, 300)
    yield line
    page.close()


def test_its_height_stays_however_much_is_noted(line: NotesLine) -> None:
    height = line.height()
    for notes in ((), _SHORT[:1], _SHORT[:2], _SHORT, (_LONG,), (_LONG, *_SHORT)):
        line.show_notes(notes)
        QApplication.processEvents()
        assert line.height() == height
        assert len(line.lines.text().splitlines()) <= 2
        assert line.text() == "\n".join(notes)


def test_what_has_no_room_is_counted_and_pops_up_by_key(line: NotesLine) -> None:
    line.show_notes(_SHORT[:2])
    assert line.more_button.isHidden()
    assert not line.toolTip()
    line.show_notes(_SHORT)
    assert line.lines.text().splitlines()[0] == _SHORT[0]
    assert line.more_button.text() == "1 more"
    assert line.toolTip() == "\n".join(_SHORT)
    assert line.lines.accessibleName() == "\n".join(_SHORT)
    assert line.more_button.focusPolicy() & Qt.FocusPolicy.TabFocus
    line.more_button.setFocus()
    press(line.more_button, Qt.Key.Key_Space)
    assert line.popup.isVisible()
    assert line.popup.label.text().split("\n\n") == list(_SHORT)
    press(line.popup, Qt.Key.Key_Escape)
    assert not line.popup.isVisible()


def test_a_note_that_is_cut_off_says_that_it_goes_on(line: NotesLine) -> None:
    line.show_notes([f"{_LONG} {_LONG} {_LONG}"])
    assert line.lines.text().endswith("…")
    assert line.more_button.text() == "more"


def test_a_warning_has_the_room_first_and_leaves_the_notes_the_rest(line: NotesLine) -> None:
    line.show_notes(_SHORT[:1], "Left out: fc1.")
    assert (line.urgent.text(), line.lines.text()) == ("Left out: fc1.", _SHORT[0])
    assert line.urgent.isVisible()
    line.show_notes(_SHORT[:1], _LONG, "error")
    assert line.urgent.text().replace("\n", " ") == _LONG
    assert line.lines.isHidden()
    assert line.more_button.text() == "1 more"
    line.show_notes(_SHORT[:1])
    assert line.urgent.isHidden()


def test_a_warning_of_any_length_moves_nothing_and_begins_with_what_it_is_about(line: NotesLine) -> None:
    height = line.height()
    for warning in ("Left out: fc1.", _LONG, f"{_LONG} {_LONG} {_LONG}", f"{_LONG}\n{_LONG}"):
        line.show_notes(_SHORT, warning)
        QApplication.processEvents()
        assert line.height() == height
        shown = line.urgent.text().splitlines()
        assert len(shown) <= 2
        assert warning.startswith(shown[0])
        assert line.urgent.fontMetrics().lineSpacing() * len(shown) <= line.urgent.height()
        assert line.text() == "\n".join((warning, *_SHORT))


def test_a_warning_that_is_cut_says_that_it_goes_on_and_pops_up_whole(line: NotesLine) -> None:
    long = f"{_LONG} {_LONG} {_LONG}"
    line.show_notes((), long)
    assert line.urgent.text().endswith("…")
    assert line.more_button.text() == "more"
    assert line.urgent.accessibleName() == long
    line.more_button.click()
    assert line.popup.label.text() == long
    line.popup.close()


def test_where_words_cannot_be_read_they_are_counted(line: NotesLine) -> None:
    line.window().resize(150, 300)
    line.show_notes(_SHORT)
    QApplication.processEvents()
    assert line.lines.isHidden()
    assert line.more_button.text() == "3 more"
    assert line.more_button.geometry().right() < line.width()
