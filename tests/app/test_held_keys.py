"""Where the keys of the moments' bar go while there is no moment to go to: nowhere. By real keys, in the window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from explorer.app.held_keys import hold_keys
from explorer.app.window import MainWindow

_ALT = Qt.KeyboardModifier.AltModifier


class Listener(QWidget):
    """Keeps the keys that reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Qt.Key] = []

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keys.append(Qt.Key(event.key()))


def test_a_key_is_the_actions_or_nobodys(qtbot: QtBot) -> None:
    window, listener, action = QMainWindow(), Listener(), QAction("Go")
    done: list[bool] = []
    action.setShortcut("Alt+Left")
    action.triggered.connect(lambda: done.append(True))
    window.addAction(action)
    window.setCentralWidget(listener)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    listener.setFocus()
    hold_keys([action, QAction("Without keys")], window)
    for is_enabled in (True, False, True):
        action.setEnabled(is_enabled)
        QTest.keyClick(listener, Qt.Key.Key_Left, _ALT)
    assert len(done) == 2
    QTest.keyClick(listener, Qt.Key.Key_Left)
    assert [key for key in listener.keys if key != Qt.Key.Key_Alt] == [Qt.Key.Key_Left]


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("resnet50")
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    return window


def test_without_moments_neither_the_canvas_nor_the_table_moves(window: MainWindow) -> None:
    bars = (window.canvas.horizontalScrollBar(), window.canvas.verticalScrollBar())
    window.canvas.scale(8, 8)
    window.canvas.setFocus()
    # Where there is somewhere to go.
    for bar in bars:
        bar.setValue((bar.minimum() + bar.maximum()) // 2)
    places = [bar.value() for bar in bars]
    assert all(bar.minimum() < bar.value() < bar.maximum() for bar in bars)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_L, Qt.Key.Key_C, Qt.Key.Key_P):
        QTest.keyClick(window.canvas, key, _ALT)
        assert [bar.value() for bar in bars] == places, key
    window.docks["table"].raise_()
    view = window.table.view
    view.setFocus()
    view.selectRow(3)
    before = view.currentIndex()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_End):
        QTest.keyClick(view, key, _ALT)
        assert view.currentIndex() == before, key
