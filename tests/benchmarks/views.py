"""What an edit costs each view: the new inference, and each view's `apply` and repaint, offscreen.

The peer is the 60 Hz frame, 16.7 ms, in which all of it has to fit:

    python -m tests.benchmarks.views
"""

import os
import statistics
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.canvas import GraphView
from explorer.look.theme import ThemeSource
from explorer.panels.inspector import Inspector
from explorer.panels.source import SourcePanel
from explorer.panels.table import LayerTable
from explorer.session import Document, Selection
from tests.networks import deep_chain

_NUM_EDITS = 60
_FRAME_MS = 1000 / 60


def main() -> None:
    """Measure each view alone, then all together."""
    application = QApplication([])
    print(f"{'network':16}{'view':12}{'edit to repaint, median':>26}{'p95':>12}{'of a frame':>12}")
    for architecture, node_id in ((zoo.entry("lenet5").build(), "conv1"), (deep_chain(500), "layer0.0")):
        for name in ("none", "canvas", "inspector", "table", "source"):
            times_ms = _edit_times_ms(application, architecture, node_id, name)
            median, p95 = statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[18]
            print(f"{architecture.name:16}{name:12}{median:23.2f} ms{p95:9.2f} ms{median / _FRAME_MS:12.0%}")


def _edit_times_ms(application: QApplication, architecture: Architecture, node_id: str, name: str) -> list[float]:
    document, themes = Document(), ThemeSource()
    selection = Selection(document)
    makers = {"canvas": GraphView, "inspector": Inspector, "table": LayerTable, "source": SourcePanel}
    view: QWidget | None = makers[name](document, selection, themes) if name in makers else None
    document.open(architecture)
    selection.set([node_id])
    if view is not None:
        view.resize(960, 640)
        view.show()
        application.processEvents()
    times_ms = []
    for number in range(_NUM_EDITS):
        start = time.perf_counter()
        kernel = (3, 3) if number % 2 else (5, 5)
        document.apply("edit", edits.set_value(document.architecture, node_id, "kernel_size", kernel))
        application.processEvents()
        times_ms.append((time.perf_counter() - start) * 1e3)
    if view is not None:
        view.close()
        view.deleteLater()
    application.processEvents()
    return times_ms


if __name__ == "__main__":
    main()
