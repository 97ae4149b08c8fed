"""Icons against QtAwesome, which draws the same letters with all that it takes to load."""

import subprocess
import sys

import pytest
import qtawesome
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from pytestqt.qtbot import QtBot

from explorer.look import icons
from explorer.look.theme import DARK, LIGHT

Mode = QIcon.Mode


@pytest.mark.parametrize("name", icons._NAMES, ids=str)
def test_each_icon_is_qtawesomes(name: str, qtbot: QtBot) -> None:
    letter = qtawesome.icon(f"mdi6.{icons._NAMES[name]}", color=LIGHT.text.name())
    for size in (12, 16, 24, 37):
        ours = icons.icon(name, LIGHT).pixmap(QSize(size, size), 1.0).toImage()
        assert ours == letter.pixmap(QSize(size, size), 1.0).toImage()
        assert any(ours.pixelColor(x, y).alpha() for x in range(size) for y in range(size))


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        (Mode.Normal, DARK.accent),
        (Mode.Disabled, DARK.border),
        (Mode.Active, DARK.accent_text),
        (Mode.Selected, DARK.accent_text),
    ],
)
def test_each_mode_has_its_colour(mode: Mode, colour: QColor, qtbot: QtBot) -> None:
    made = icons.icon("stop", DARK, DARK.accent, highlighted=DARK.accent_text)
    assert made.pixmap(QSize(16, 16), 1.0, mode).toImage().pixelColor(8, 8) == colour


def test_an_icon_is_sharp_on_a_screen_of_twice_the_pixels(qtbot: QtBot) -> None:
    picture = icons.icon("stop", LIGHT).pixmap(QSize(16, 16), 2.0)
    assert picture.size() == QSize(32, 32)
    assert picture.devicePixelRatio() == 2.0


def test_icons_do_without_the_import_of_qtawesome() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; application = QApplication([])\n"
        "from explorer.look import icons, theme\n"
        "assert not icons.icon('start', theme.LIGHT).pixmap(16, 16).isNull()\n"
        "assert 'qtawesome' not in sys.modules and 'qtpy' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_font_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    """Before anything is painted with it."""
    icons._family.cache_clear()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(icons, "_FONT", "no-such-*.ttf")
            with pytest.raises(RuntimeError, match=r"no no-such-\*.ttf; QtAwesome 1.4 has it"):
                icons.icon("stop", LIGHT)
    finally:
        icons._family.cache_clear()
    assert icons.icon("stop", LIGHT).pixmap(QSize(0, 0)).isNull()
