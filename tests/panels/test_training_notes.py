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


def test_a_warning_is_whole_and_leaves_the_notes_what_room_there_is(line: NotesLine) -> None:
    line.show_notes(_SHORT[:1], "Left out: fc1.")
    assert line.lines.text() == _SHORT[0]
    assert line.urgent.isVisible()
    height = line.height()
    line.show_notes(_SHORT[:1], f"{_LONG} {_LONG} {_LONG}", "error")
    assert line.height() > height
    assert line.urgent.height() >= line.urgent.heightForWidth(line.urgent.width())
    assert line.lines.isHidden()
    assert line.more_button.text() == "1 more"
    line.show_notes(_SHORT[:1])
    assert line.height() == height
    assert line.urgent.isHidden()
