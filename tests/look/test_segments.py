"""Buttons that stay down: that rows of them and single ones look alike, and say what was pressed."""

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.look.segments import Segments, Toggle
from explorer.look.theme import ThemeSource
from tests.panels.stage import click, shown


def test_one_of_a_row_is_down_and_says_so_when_pressed(qtbot: QtBot) -> None:
    segments = Segments((("Cards", ""), ("Plot", "")), ThemeSource())
    shown(qtbot, segments, 200, 30)
    pressed: list[int] = []
    segments.chosen.connect(pressed.append)
    assert segments.current == 0
    click(segments.button(1))
    assert (segments.current, pressed) == (1, [1])
    segments.choose(0)
    assert (segments.current, pressed) == (0, [1])


def test_whatever_is_down_has_the_ground_of_the_accent(qtbot: QtBot) -> None:
    themes = ThemeSource()
    both = QWidget()
    segments, toggle = Segments((("Cards", ""), ("Plot", "")), themes, both), Toggle(themes, both)
    toggle.setText("Newest")
    toggle.setChecked(True)
    segments.move(0, 0)
    toggle.move(0, 40)
    shown(qtbot, both, 200, 80)
    for choice in ("light", "dark"):
        themes.choose(choice)
        accent = themes.theme.accent
        for button in (segments.button(0), toggle):
            assert button.grab().toImage().pixelColor(4, 4) == accent
        assert segments.button(1).grab().toImage().pixelColor(4, 4) != accent
