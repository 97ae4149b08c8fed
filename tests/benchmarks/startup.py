"""From the command to a window that has painted its gallery, in a fresh process each time, torch not yet imported.

The peer is the least that a Qt window can be: a QApplication with an empty QMainWindow, timed in the same way.

    python -m tests.benchmarks.startup
"""

import os
import statistics
import subprocess
import sys
import time

_NUM_STARTS = 7

_OURS = """
import sys, time
from PySide6.QtCore import QTimer
from explorer.app import startup
application = startup.make_application()
from explorer.app.window import MainWindow
window = MainWindow()
window.show()
def painted():
    assert "torch" not in sys.modules
    print("painted", flush=True)
    window.close()
# The second turn of the event loop: the first one painted and took the layout's requests.
QTimer.singleShot(0, lambda: QTimer.singleShot(0, painted))
application.exec()
"""

_PEER = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.show()
def painted():
    print("painted", flush=True)
    window.close()
QTimer.singleShot(0, lambda: QTimer.singleShot(0, painted))
application.exec()
"""


def main() -> None:
    """Measure and print both medians and their ratio."""
    ours, peer = (statistics.median(_start_s(code) for _ in range(_NUM_STARTS)) for code in (_OURS, _PEER))
    print(
        f"first painted window: {ours * 1e3:.0f} ms; an empty Qt window: {peer * 1e3:.0f} ms; ratio {ours / peer:.1f}"
    )


def _start_s(code: str) -> float:
    environment = dict(os.environ)
    if not environment.get("DISPLAY"):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    start = time.perf_counter()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "painted\n"
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
