"""Buttons that stay down: that rows of them and single ones look alike, and say what was pressed and where one is."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox, QHBoxLayout, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from explorer.look.segments import Segments, Toggle, level
from explorer.look.theme import ThemeSource, contrast
from tests.panels.stage import click, shown


@pytest.fixture
def both(qtbot: QtBot) -> Iterator[tuple[Segments, Toggle, ThemeSource]]:
    """A row of two and one of its own, with the keyboard elsewhere; the pointer is nowhere."""
    themes, page = ThemeSource(), QWidget()
    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    segments, toggle = Segments((("Cards", ""), ("Plot", "")), themes, page), Toggle(themes, page)
    toggle.setText("Newest")
    toggle.setChecked(True)
    toggle.move(0, 40)
    shown(qtbot, page, 200, 80)
    for button in (segments.button(0), segments.button(1), toggle):
        QApplication.sendEvent(button, QEvent(QEvent.Type.Leave))
    page.setFocus()
    yield segments, toggle, themes
    page.close()


def ground(button: QToolButton) -> QColor:
    return button.grab().toImage().pixelColor(4, 4)


def edge(button: QToolButton) -> list[QColor]:
    """The three outermost pixels, from the left."""
    picture = button.grab().toImage()
    return [picture.pixelColor(x, button.height() // 2) for x in range(3)]


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


def test_none_of_a_row_may_be_down(qtbot: QtBot) -> None:
    segments = Segments((("Forward", ""), ("Backward", "")), ThemeSource())
    qtbot.addWidget(segments)
    segments.choose(None)
    assert segments.current == -1
    segments.choose(None)
    segments.button(0).click()
    segments.button(1).click()
    assert segments.current == 1
    assert not segments.button(0).isChecked()


def test_whatever_is_down_has_the_ground_of_the_accent(both: tuple[Segments, Toggle, ThemeSource]) -> None:
    segments, toggle, themes = both
    for choice in ("light", "dark"):
        themes.choose(choice)
        accent = themes.theme.accent
        for button in (segments.button(0), toggle):
            assert ground(button) == accent
        assert ground(segments.button(1)) == themes.theme.panel


def test_the_keyboard_is_seen_up_and_down(both: tuple[Segments, Toggle, ThemeSource]) -> None:
    segments, toggle, themes = both
    for choice in ("light", "dark"):
        themes.choose(choice)
        for button in (segments.button(0), segments.button(1), toggle):
            before, size = edge(button), button.sizeHint()
            button.setFocus()
            assert max(contrast(one, other) for one, other in zip(before, edge(button), strict=True)) >= 3
            assert button.sizeHint() == size


def test_what_can_not_be_pressed_still_shows_whether_it_is_down(both: tuple[Segments, Toggle, ThemeSource]) -> None:
    _, toggle, themes = both
    toggle.setEnabled(False)
    down = ground(toggle)
    toggle.setChecked(False)
    assert len({down.name(), ground(toggle).name(), themes.theme.accent.name()}) == 3


def test_what_stands_in_one_row_is_equally_high(qtbot: QtBot) -> None:
    page = QWidget()
    row = QHBoxLayout(page)
    segments, menu, button = Segments((("Cards", ""),), ThemeSource()), QComboBox(), QToolButton()
    level(menu, button)
    for widget in (segments, menu, button):
        row.addWidget(widget)
    shown(qtbot, page, 300, page.sizeHint().height())
    assert segments.height() == menu.height() == button.height() == segments.sizeHint().height()


def test_an_icon_has_the_colour_of_the_text(qtbot: QtBot) -> None:
    themes = ThemeSource()
    toggle = Toggle(themes, is_small=True)
    qtbot.addWidget(toggle)
    toggle.show_icon("pin")
    assert toggle.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    toggle.setText("Pin")
    assert toggle.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon

    def colour() -> QColor:
        """Of the icon's most opaque pixel."""
        image = toggle.icon().pixmap(32, 32).toImage()
        pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        return max(pixels, key=lambda pixel: pixel.alpha())

    assert colour() == themes.theme.muted
    toggle.setChecked(True)
    assert colour() == themes.theme.accent_text
    themes.choose("dark")
    assert colour() == themes.theme.accent_text
