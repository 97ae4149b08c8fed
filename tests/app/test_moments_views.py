"""When a view has painted: what it put off is waited for, and nothing else is."""

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from explorer.app.moments_views import views_on_screen, wait_until_painted
from explorer.canvas import GraphView
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.session.job import Job


def test_only_docks_that_show_a_moment_are_filmed(qtbot: QtBot) -> None:
    window, document = QMainWindow(), Document()
    qtbot.addWidget(window)
    canvas = GraphView(document, Selection(document), ThemeSource())
    window.setCentralWidget(canvas)
    # The last is a followed run's, whose curves are those of all its steps.
    for name in ("weights", "source", "follow-20261123-000441-0b45"):
        dock = QDockWidget(name, window)
        dock.setObjectName(f"dock-{name}")
        dock.setWidget(QLabel(name))
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.show()
    qtbot.waitExposed(window)
    assert [view.key for view in views_on_screen(window, canvas)] == ["weights", "canvas", "window"]


def test_what_a_view_puts_off_is_waited_for(qtbot: QtBot) -> None:
    view, label = QWidget(), QLabel("before")
    qtbot.addWidget(view)
    label.setParent(view)
    second = QTimer(label, singleShot=True, interval=30)
    second.timeout.connect(lambda: label.setText("after"))
    first = QTimer(label, singleShot=True, interval=80)
    first.timeout.connect(second.start)
    first.start()
    wait_until_painted([view], QObject())
    assert label.text() == "after"


def test_what_is_not_about_painting_is_not_waited_for(qtbot: QtBot) -> None:
    view = QWidget()
    qtbot.addWidget(view)
    message, frames = QTimer(view, singleShot=True, interval=8000), QTimer(view, interval=50)
    message.start()
    frames.start()
    start_s = time.monotonic()
    wait_until_painted([view], QObject())
    assert time.monotonic() - start_s < 1
    assert message.isActive()
    assert frames.isActive()


def test_work_in_a_thread_is_waited_for(qtbot: QtBot) -> None:
    view, worker = QLabel("before"), QObject()
    qtbot.addWidget(view)
    may_end = threading.Event()

    def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> str:
        assert may_end.wait(5)
        return "after"

    job = Job(work, worker)
    job.finished.connect(view.setText)
    job.finished.connect(lambda _text: job.deleteLater())
    job.start()
    QTimer.singleShot(60, may_end.set)
    wait_until_painted([view], worker)
    assert view.text() == "after"
