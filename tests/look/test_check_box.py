"""A box to tick: what it looks like ticked, in part, disabled and with the keyboard, and that it is clicked as any."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.look.check_box import CheckBox
from explorer.look.theme import DARK, LIGHT, Theme, contrast, palette
from tests.panels.stage import click, press, shown

_INSIDE = QPoint(3, 3)


@pytest.fixture
def box(qtbot: QtBot) -> Iterator[CheckBox]:
    page = QWidget()
    page.setPalette(palette(LIGHT))
    page.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box = CheckBox("Frozen", page)
    column = QVBoxLayout(page)
    column.addWidget(box)
    column.addStretch(1)
    shown(qtbot, page, 200, 120)
    QApplication.sendEvent(box, QEvent(QEvent.Type.Leave))
    page.setFocus()
    yield box
    page.close()


def pixel(box: CheckBox, place: QPoint = _INSIDE) -> QColor:
    """Counted from the corner of what is ticked."""
    option = QStyleOptionButton()
    box.initStyleOption(option)
    corner = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, box).topLeft()
    return box.grab().toImage().pixelColor(corner + place)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_ticked_has_the_ground_of_the_accent(box: CheckBox, theme: Theme) -> None:
    box.window().setPalette(palette(theme))
    assert pixel(box) == theme.panel
    box.setChecked(True)
    assert pixel(box) == theme.accent
    box.setTristate(True)
    box.setCheckState(Qt.CheckState.PartiallyChecked)
    assert pixel(box) == theme.accent


def test_its_edge_is_seen_while_it_is_empty(box: CheckBox) -> None:
    for theme in (LIGHT, DARK):
        box.window().setPalette(palette(theme))
        assert contrast(pixel(box, QPoint(0, 6)), theme.panel) >= 3


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("is_ticked", [False, True])
def test_the_keyboard_is_seen(box: CheckBox, is_ticked: bool, theme: Theme) -> None:
    box.window().setPalette(palette(theme))
    box.setChecked(is_ticked)
    before = pixel(box, QPoint(1, 6))
    press(box.window(), Qt.Key.Key_Tab)
    assert box.hasFocus()
    assert contrast(pixel(box, QPoint(1, 6)), before) >= 3


def test_what_cannot_be_ticked_still_shows_whether_it_is(box: CheckBox) -> None:
    box.setEnabled(False)
    empty = pixel(box)
    box.setChecked(True)
    assert len({empty.name(), pixel(box).name(), LIGHT.accent.name()}) == 3


def test_a_click_and_the_space_bar_tick_it(box: CheckBox) -> None:
    click(box, QPoint(8, box.height() // 2))
    assert box.isChecked()
    press(box, Qt.Key.Key_Space)
    assert not box.isChecked()
