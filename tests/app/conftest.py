"""What the tests of the window share: one with LeNet-5. Tests of other windows make their own."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """The window with LeNet-5 while a test looks at it, and the end of its time machine."""
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    yield window
    assert window.time_machine.close()
