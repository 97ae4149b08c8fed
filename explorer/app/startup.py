"""From the command to a window on screen: Qt only; torch loads behind it."""

import signal
import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from explorer import __version__
from explorer.runtime import threads
from explorer.session.collector import Collector, settle

_PRELOAD_AFTER_MS = 150
"""torch's import holds Python for a while; the first frames go before it."""


def make_application() -> QApplication:
    """The one QApplication, named and styled."""
    # Before Qt has threads of its own.
    threads.prepare()
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("arch-explorer")
    application.setApplicationDisplayName("Architecture Explorer")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("arch-explorer")
    application.setStyle("Fusion")
    return application


def run(target: str | None) -> int:
    """Show the window and run until it closes."""
    application = make_application()
    from explorer.app.window import MainWindow

    window = MainWindow()
    window.show()
    if target is not None:
        QTimer.singleShot(0, window, lambda: window.open_target(target))
    else:
        QTimer.singleShot(0, window, window.projects.offer_recovery)
    QTimer.singleShot(_PRELOAD_AFTER_MS, window, window.preload)
    settle()
    Collector(application)
    _quit_on_interrupt(application, window)
    return application.exec()


def _quit_on_interrupt(application: QApplication, window: object) -> None:
    """Ctrl+C in the terminal closes the window cleanly instead of killing it."""
    from explorer.app.window import MainWindow

    assert isinstance(window, MainWindow)
    signal.signal(signal.SIGINT, lambda _signal, _frame: window.quit_without_asking())
    signal.signal(signal.SIGTERM, lambda _signal, _frame: window.quit_without_asking())
    # Python sees a signal only between bytecodes; an idle event loop runs none.
    waker = QTimer(application)
    waker.timeout.connect(lambda: None)
    waker.start(250)
