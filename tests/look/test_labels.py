"""Labels in the theme's roles: that a theme which came before they were shown is theirs."""

from PySide6.QtGui import QPalette
from pytestqt.qtbot import QtBot

from explorer.look.labels import RoleLabel, role_colour
from explorer.look.theme import LIGHT, ThemeSource, palette
from tests.panels.stage import shown


def test_a_label_is_shown_in_its_role_whatever_became_of_its_palette(qtbot: QtBot) -> None:
    themes = ThemeSource()
    themes.choose("dark")
    label = RoleLabel(themes, role="muted")
    # As a window's style sheet does with what was made before another theme was chosen.
    label.setPalette(palette(LIGHT))
    shown(qtbot, label)
    assert label.palette().color(QPalette.ColorRole.WindowText) == role_colour("muted", themes.theme)
