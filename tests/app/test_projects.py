"""Networks of the catalogue as the window opens them, with the options that the gallery asked for."""

import pytest
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
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
