"""Networks of the catalogue as the window opens them, with the options that the gallery asked for."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.canvas.group_dialog import GroupDialog
from explorer.layers import Input
from explorer.zoo import entry


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    # Closing asks about unsaved changes, which no test is there to answer.
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.show()
    qtbot.waitExposed(window)
    return window


def test_a_network_opens_with_the_options_chosen_in_the_gallery(window: MainWindow) -> None:
    dialog = window.gallery.ask_options("resnet20")
    wanted = {**dialog.form.values(), "depth": 32, "classes": 100}
    dialog.chosen.emit(wanted)
    assert window.document.architecture == entry("resnet20").build(**wanted)
    assert window.pages.currentWidget() is not window.gallery


def test_a_click_opens_the_defaults(window: MainWindow) -> None:
    window.gallery.network_chosen.emit("resnet20")
    assert window.document.architecture == entry("resnet20").build()


def test_a_block_that_cannot_be_added_is_said_in_the_message_bar(window: MainWindow) -> None:
    window.projects.open_network("lenet5")
    window.selection.set(["pool2"])
    window.palette_panel.blocks.insert("fire", {"squeeze": 0})
    assert not window.bar.isHidden()
    assert window.document.architecture == entry("lenet5").build()


def test_a_new_network_is_built_and_grouped_by_keys_alone(window: MainWindow, qtbot: QtBot) -> None:
    """Ctrl+Shift+N, then A and a line for each layer; Ctrl+A and Ctrl+G make one block of all but the input."""
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    document, canvas = window.document, window.canvas
    assert [type(node.layer) for node in document.architecture] == [Input]
    assert not document.is_modified
    qtbot.waitUntil(canvas.hasFocus)
    box = canvas._hands.adding.box
    for line in ("conv 3 3", "bn", "relu", "add input"):
        QTest.keyClick(canvas, Qt.Key.Key_A)
        QTest.keyClicks(box.line, line)
        QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert set(document.architecture.nodes[-1].inputs) == {"relu1", "input"}
    assert document.snapshot.inference.errors == ()
    QTest.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(canvas, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = canvas.findChildren(GroupDialog)
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert [node.id for node in document.architecture if "." not in node.id] == ["input"]
    assert document.undo_stack.count() == 5
    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    assert len(document.architecture) == 1
