"""What an edit costs the views: the new inference, and each view's `apply` and repaint, offscreen.

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
from explorer.panels.inspector.panel import Inspector
from explorer.panels.source.panel import SourcePanel
from explorer.panels.table.panel import LayerTable
from explorer.session import Document, Selection
from tests.networks import deep_chain

_NUM_EDITS = 60
_FRAME_MS = 1000 / 60
_SIZES: dict[type, tuple[int, int]] = {
    GraphView: (1200, 640),
    LayerTable: (1400, 260),
    Inspector: (320, 900),
    SourcePanel: (1400, 260),
}


def main() -> None:
    """Measure views alone and together."""
    application = QApplication([])
    print(f"{'network':16}{'views':18}{'edit to repaint, median':>26}{'p95':>12}{'of a frame':>12}")
    networks = (
        (zoo.entry("lenet5").build(), "conv1"),
        (zoo.entry("resnet152").build(), "conv1"),
        (deep_chain(500), "layer0.0"),
    )
    shown: tuple[tuple[str, ...], ...] = (
        (),
        ("canvas",),
        ("table",),
        ("canvas", "table"),
        ("inspector",),
        ("source",),
    )
    for architecture, node_id in networks:
        for names in shown:
            times_ms = _edit_times_ms(application, architecture, node_id, names)
            median, p95 = statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[18]
            title = " + ".join(names) or "none"
            print(f"{architecture.name:16}{title:18}{median:23.2f} ms{p95:9.2f} ms{median / _FRAME_MS:12.0%}")


def _edit_times_ms(
    application: QApplication, architecture: Architecture, node_id: str, names: tuple[str, ...]
) -> list[float]:
    document, themes = Document(), ThemeSource()
    selection = Selection(document)
    makers = {"canvas": GraphView, "inspector": Inspector, "table": LayerTable, "source": SourcePanel}
    views: list[QWidget] = [makers[name](document, selection, themes) for name in names]
    document.open(architecture)
    selection.set([node_id])
    for view in views:
        # About what they have in a window of 1920 by 1080.
        view.resize(*(_SIZES[type(view)]))
        view.show()
    application.processEvents()
    times_ms = []
    for number in range(_NUM_EDITS):
        start = time.perf_counter()
        kernel = (3, 3) if number % 2 else (5, 5)
        document.apply("edit", edits.set_value(document.architecture, node_id, "kernel_size", kernel))
        application.processEvents()
        times_ms.append((time.perf_counter() - start) * 1e3)
    for view in views:
        view.close()
        view.deleteLater()
    application.processEvents()
    return times_ms


if __name__ == "__main__":
    main()
