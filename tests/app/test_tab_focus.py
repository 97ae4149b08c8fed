"""Where the keys go after a click on a dock's tab, by real clicks and keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    window.canvas.setFocus()
    return window


def _click(window: MainWindow, name: str) -> None:
    title = window.docks[name].windowTitle()
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        for index in range(bar.count()):
            if bar.tabText(index) == title:
                QTest.mouseClick(
                    bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, bar.tabRect(index).center()
                )
                QApplication.processEvents()


def test_find_filters_the_table_after_a_click_on_its_tab(window: MainWindow, qtbot: QtBot) -> None:
    _click(window, "table")
    qtbot.waitUntil(window.table.view.hasFocus)
    QTest.keyClick(window.table.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.table.filter.isVisible()
    assert not window.canvas.reading.finding.is_open
    # A click on the tab that is in front already leaves the field what it has.
    assert window.table.filter.field.hasFocus()
    _click(window, "table")
    assert window.table.filter.field.hasFocus()


def test_a_form_takes_no_keys_that_were_meant_for_the_canvas(window: MainWindow) -> None:
    _click(window, "table")
    window.canvas.setFocus()
    _click(window, "training")
    assert window.docks["training"].widget().isVisible()
    assert window.canvas.hasFocus()
