"""What is painted first of a panel is what it looks like afterwards."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow
from pytestqt.qtbot import QtBot

from explorer.app.settled_layouts import rearranged
from explorer.app.window import MainWindow


class Frames(QObject):
    """What is painted of the training panel."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._panel = window.training
        self.seen: list[tuple[QRect, QRect, bool]] = []
        self._panel.form.installEventFilter(self)

    @property
    def now(self) -> tuple[QRect, QRect, bool]:
        panel = self._panel
        start = QRect(panel._buttons[0].pos(), panel._buttons[0].size())
        return panel.form.geometry(), start, panel._area.verticalScrollBar().isVisible()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.seen.append(self.now)
        return False


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1440, 880)
    window.show()
    qtbot.waitExposed(window)
    return window


def test_the_training_form_does_not_move_after_its_first_frame(window: MainWindow, qtbot: QtBot) -> None:
    window.docks["runs"].show()
    QCoreApplication.processEvents()
    frames = Frames(window)
    window.open_target("lenet5")
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: bool(frames.seen))
    QCoreApplication.processEvents()
    assert {tuple(map(str, frame)) for frame in frames.seen} == {tuple(map(str, frames.now))}


def test_layouts_within_layouts_are_done_before_a_frame(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    qtbot.waitUntil(lambda: not window.training._area.verticalScrollBar().isVisible())
    window.docks["runs"].raise_()
    window.resize(1100, 700)
    QCoreApplication.processEvents()
    frames = Frames(window)
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: bool(frames.seen))
    QCoreApplication.processEvents()
    assert {tuple(map(str, frame)) for frame in frames.seen} == {tuple(map(str, frames.now))}


def test_a_dock_that_begins_to_float_while_all_are_arranged_is_painted(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget("dock", window)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.show()
    with rearranged(window):
        assert not window.updatesEnabled()
        dock.setFloating(True)
    assert window.updatesEnabled()
    assert dock.updatesEnabled()
