"""F1 and the table's torchinfo summary in the window, as a person reaches them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.torchinfo_dialog import TorchinfoDialog
from explorer.app.window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    return window


def test_f1_explains_what_is_selected(window: MainWindow) -> None:
    window.selection.set(["conv1"])
    window.activateWindow()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_F1)
    assert window.help_page.isVisible()
    assert window.help_page.browser.toPlainText().startswith("Conv2d")
    assert "LeNet-5" in window.help_page.browser.toPlainText()


def test_the_type_is_explained_on_hover(window: MainWindow) -> None:
    window.selection.set(["conv1"])
    assert "workhorse" in window.inspector.node_page.summary.toolTip()


def test_the_table_asks_for_torchinfos_summary(window: MainWindow, qtbot: QtBot) -> None:
    window.table.torchinfo_action.trigger()
    (dialog,) = window.findChildren(TorchinfoDialog)
    qtbot.waitUntil(dialog.copy_button.isEnabled, timeout=30_000)
    text = dialog.text.toPlainText()
    assert "Total params: 61,706" in text
    assert f"[{window.training.config().batch_size}, 10]" in text
    dialog.close()
