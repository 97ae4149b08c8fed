"""When a view has painted: what it put off is waited for, and nothing else is."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from explorer.app.moments_views import views_on_screen, wait_until_painted
from explorer.canvas import GraphView
from explorer.look.theme import ThemeSource
from explorer.panels.curves.panel import Curves
from explorer.session import Document, Selection
from explorer.session.job import Job
from tests.panels.fake_run import run_started


def test_only_docks_that_show_a_moment_are_filmed(qtbot: QtBot) -> None:
    window, document = QMainWindow(), Document()
    qtbot.addWidget(window)
    canvas = GraphView(document, Selection(document), ThemeSource())
    window.setCentralWidget(canvas)
    panels = {
        "weights": QLabel(),
        "source": QLabel(),
        "training": curves_of("20261123-000441-0b45"),
        "follow": curves_of("20261123-000502-7c1e"),
    }
    for name, panel in panels.items():
        dock = QDockWidget(name, window)
        dock.setObjectName(f"dock-{name}")
        dock.setWidget(panel)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.show()
    qtbot.waitExposed(window)
    views = views_on_screen(window, canvas, "20261123-000502-7c1e")
    assert [view.key for view in views] == ["follow", "weights", "canvas", "window"]


def curves_of(run_id: str) -> Curves:
    curves = Curves(ThemeSource())
    curves.put([replace(run_started(), run_id=run_id)])
    return curves


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
