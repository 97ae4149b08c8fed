"""The data page in the window: one choice with the training form, probes, and folders dropped on the window."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.runs import RunConfig
from tests.training.data_files import picture, picture_folder


def test_the_page_and_the_form_choose_together(qtbot: QtBot, tmp_path: Path) -> None:
    picture_folder(tmp_path / "shapes")
    (tmp_path / "shapes" / "red" / "empty.png").touch()
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    assert window.data_session.view is None  # Nobody looked at it.
    window.docks["data"].raise_()
    session = window.data_session
    qtbot.waitUntil(lambda: session.view is not None and session.view.facts.name == "digits", timeout=20_000)
    assert (window.width(), window.height()) == (1280, 800)

    page = window.data_page
    bar = window.feature_maps.probe_bar
    QTest.mouseClick(page.sheet, Qt.MouseButton.LeftButton, pos=page.sheet.tile_rect(0).center())
    qtbot.waitUntil(lambda: bar.current is not None and bar.current.label.startswith("0, training image"))
    qtbot.waitUntil(window.feature_maps.isVisible)
    window.docks["data"].raise_()

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "shapes"))])
    held = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, *held)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, *held))
    assert window.training.config().data == f"folder:{tmp_path / 'shapes'}"
    qtbot.waitUntil(lambda: session.view is not None and len(session.view.facts.problems) == 1, timeout=20_000)
    assert session.view is not None
    assert session.view.facts.image_shape == (1, 32, 32)

    picture(tmp_path / "shapes" / "green" / "1.png", (0, 255, 0))
    page.choice.reload_button.click()
    qtbot.waitUntil(lambda: session.view is not None and len(session.view.facts.class_names) == 3, timeout=20_000)
    window.training.set_config(RunConfig())
    assert page.choice.menu.currentData() == "digits"
