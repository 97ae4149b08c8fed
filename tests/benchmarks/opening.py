"""From a network of the catalogue to its drawn and fitted canvas, offscreen: built, inferred, placed, painted.

"cold" is the first network of a fresh process whose empty window is up; "warm" opens it again behind another one. The
peer is the 300 ms in which an answer still feels like one:

    python -m tests.benchmarks.opening [ID ...]
"""

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from typing import NamedTuple

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from explorer import zoo
from explorer.canvas import GraphView
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.session.collector import settle

_NETWORKS = ("densenet201", "resnet152")
_NUM_STARTS = 5
_NUM_WARM = 5
_BUDGET_MS = 300
_SIZE = (1200, 640)
"""About what the canvas has in a window of 1920 by 1080."""
_ONCE = "--in-this-process"


class Opening(NamedTuple):
    """One opening's parts, in ms."""

    build: float
    infer: float
    canvas: float
    """Placed, and an item made for each node and wire in sight."""
    paint: float
    """Fitted and painted."""


def main() -> None:
    """Print a line for each network and way."""
    arguments = sys.argv[1:]
    if arguments[:1] == [_ONCE]:
        print(json.dumps(_openings(arguments[1])))
        return
    print(f"{'network':14}{'nodes':>6}{'':>6}" + "".join(f"{part:>9}" for part in Opening._fields), end="")
    print(f"{'in all':>10}{'worst':>10}{'of 300 ms':>11}   median of {_NUM_STARTS} fresh processes")
    for network_id in arguments or _NETWORKS:
        runs = [_in_a_fresh_process(network_id) for _ in range(_NUM_STARTS)]
        ways = {"cold": [run[0] for run in runs], "warm": [opening for run in runs for opening in run[1:]]}
        num_nodes = len(zoo.entry(network_id).build())
        for way, openings in ways.items():
            parts = (statistics.median(times) for times in zip(*openings, strict=True))
            totals = [sum(opening) for opening in openings]
            median = statistics.median(totals)
            print(f"{network_id:14}{num_nodes:6}{way:>6}" + "".join(f"{part:9.1f}" for part in parts), end="")
            print(f"{median:7.0f} ms{max(totals):7.0f} ms{median / _BUDGET_MS:11.0%}")


def _in_a_fresh_process(network_id: str) -> list[Opening]:
    command = [sys.executable, "-m", "tests.benchmarks.opening", _ONCE, network_id]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Opening(*times) for times in json.loads(done.stdout)]


def _openings(network_id: str) -> list[Opening]:
    """The cold opening and the warm ones."""
    application = QApplication([])
    document, marks = Document(), _Marks()
    # Connected before the canvas, so called between inference and it.
    document.changed.connect(marks.inferred)
    view = GraphView(document, Selection(document), ThemeSource())
    view.viewport().installEventFilter(marks)
    view.resize(*_SIZE)
    view.show()
    application.processEvents()
    settle()
    openings = [_opening(application, document, view, marks, network_id)]
    for _ in range(_NUM_WARM):
        _opening(application, document, view, marks, "lenet5")
        openings.append(_opening(application, document, view, marks, network_id))
    assert "torch" not in sys.modules
    view.close()
    return openings


def _opening(
    application: QApplication, document: Document, view: GraphView, marks: "_Marks", network_id: str
) -> Opening:
    marks.num_paints = 0
    start = time.perf_counter()
    architecture = zoo.entry(network_id).build()
    built = time.perf_counter()
    document.open(architecture)
    opened = time.perf_counter()
    view.fit(animated=False)
    while not marks.num_paints:
        application.processEvents()
    painted = time.perf_counter()
    in_sight = view.mapToScene(view.viewport().rect()).boundingRect()
    everything = view.scene().itemsBoundingRect()
    assert in_sight.contains(everything), f"{network_id} is not fitted: {in_sight} does not contain {everything}"
    moments = (start, built, marks.inferred_s, opened, painted)
    return Opening(*((later - earlier) * 1e3 for earlier, later in pairwise(moments)))


class _Marks(QObject):
    """When inference was done, and how often the canvas was painted since."""

    def __init__(self) -> None:
        super().__init__()
        self.inferred_s = 0.0
        self.num_paints = 0

    def inferred(self) -> None:
        """The document has its numbers."""
        self.inferred_s = time.perf_counter()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            # Counted before it is painted; `processEvents` returns after.
            self.num_paints += 1
        return False


if __name__ == "__main__":
    main()
