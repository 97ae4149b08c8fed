"""torchinfo's summary in a dialog, from a text that the test gives; the real one is the command line's test."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.torchinfo_dialog import TorchinfoDialog
from explorer.architecture import Architecture
from explorer.zoo.lenet import lenet5


def test_it_shows_copies_and_saves_the_text(qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def make(architecture: Architecture, batch_size: int) -> str:
        asked.append((architecture.name, batch_size))
        return "=====\nTotal params: 61,706"

    dialog = TorchinfoDialog(lenet5(), 10, make)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.copy_button.isEnabled()
    qtbot.waitUntil(dialog.copy_button.isEnabled)
    assert asked == [("LeNet-5", 10)]
    assert dialog.text.toPlainText() == "=====\nTotal params: 61,706"
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == dialog.text.toPlainText()
    dialog.save(tmp_path / "summary.txt")
    assert (tmp_path / "summary.txt").read_text() == "=====\nTotal params: 61,706\n"
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_network_with_a_fault_says_why(qtbot: QtBot) -> None:
    def make(architecture: Architecture, batch_size: int) -> str:
        raise ValueError("conv2: kernel_size 7 does not fit")

    dialog = TorchinfoDialog(lenet5(), 1, make)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: "kernel_size 7 does not fit" in dialog.text.toPlainText())
    assert not dialog.save_button.isEnabled()
    dialog.close()
