"""Frames: panning and zooming large nested networks, folding them, and edits while all is open; offscreen raster.

The window is 1920 by 1080, the peer the 60 Hz frame of 16.7 ms. A frame is the camera's move and the repaint of all
that is in sight, into a picture in memory as a raster window does it:

    python -m tests.benchmarks.canvas [NODES ...]
"""

import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QPoint, QPointF
from PySide6.QtWidgets import QApplication

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.architecture.piece import piece
from explorer.canvas import GraphView
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.session.collector import settle
from tests.networks import nested

_FRAME_MS = 1000 / 60
_SIZE = (1920, 1080)
_ZOOMS = (1.0, 0.5, 0.25, 0.1)
_NUM_FRAMES = 60
_NUM_EDITS = 40
_PAUSE_S = 0.3


class _Canvas:
    """A shown view on a network."""

    def __init__(self, application: QApplication, architecture: Architecture) -> None:
        self.application = application
        self.document, self.themes = Document(), ThemeSource()
        self.view = GraphView(self.document, Selection(self.document), self.themes)
        self.view.resize(*_SIZE)
        self.view.show()
        self.opened_ms = self.timed(lambda: self.document.open(architecture))

    def timed(self, work: Callable[[], object]) -> float:
        """Milliseconds until it is on the screen."""
        start = time.perf_counter()
        work()
        self.application.processEvents()
        return (time.perf_counter() - start) * 1e3

    def unfold(self) -> float:
        """Open all blocks."""
        folding = self.view._folding
        start = time.perf_counter()
        folding.unfold_all()
        self.application.processEvents()
        while self.view._graph.is_laying_out:
            self.application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        folding.motion.finish()
        self.application.processEvents()
        took = (time.perf_counter() - start) * 1e3
        self.settle()
        return took

    def settle(self) -> None:
        """Let what waits for a pause be done before the next measurement, and no collection fall into it."""
        end = time.perf_counter() + _PAUSE_S
        while time.perf_counter() < end:
            self.application.processEvents()
        gc.collect()

    def pan(self) -> list[float]:
        """At each of some zooms, down the drawing and back."""
        camera, took = self.view._camera, []
        for zoom in _ZOOMS:
            camera.zoom_at(self.view.viewport().rect().center(), zoom / camera.zoom)
            self.application.processEvents()
            steps = [QPoint(3, -37)] * (_NUM_FRAMES // 2) + [QPoint(-3, 37)] * (_NUM_FRAMES // 2)
            took += [self.timed(lambda step=step: camera.pan(step)) for step in steps]  # type: ignore[misc]
        return took

    def zoom(self) -> list[float]:
        """In and out around the middle."""
        camera, middle = self.view._camera, self.view.viewport().rect().center()
        camera.zoom_at(middle, 0.05 / camera.zoom)
        factors = [1.08] * _NUM_FRAMES + [1 / 1.08] * _NUM_FRAMES
        return [self.timed(lambda factor=factor: camera.zoom_at(middle, factor)) for factor in factors]  # type: ignore[misc]

    def close(self) -> None:
        """Give it back."""
        self.view.end_work()
        self.view.close()
        self.view.deleteLater()
        self.application.processEvents()


def main() -> None:
    """Measure frames, folds and edits."""
    application = QApplication([])
    settle()
    print(f"{'frames, ms':34}{'opening':>10}{'pan p50':>10}{'p95':>8}{'zoom p50':>10}{'p95':>8}{'of a frame':>12}")
    for count in [int(text) for text in sys.argv[1:]] or [1_000, 10_000]:
        for is_open in (False, True):
            piece.cache_clear()
            canvas = _Canvas(application, nested(count))
            opened = canvas.unfold() if is_open else canvas.opened_ms
            canvas.view._camera.hold(canvas.view.viewport().rect().center(), QPointF(*_middle(canvas.view)))
            pans, zooms = canvas.pan(), canvas.zoom()
            title = f"{count:,} nodes, {'open' if is_open else 'folded'}"
            worst = max(_p95(pans), _p95(zooms)) / _FRAME_MS
            print(
                f"{title:34}{opened:10.0f}{statistics.median(pans):10.1f}{_p95(pans):8.1f}"
                f"{statistics.median(zooms):10.1f}{_p95(zooms):8.1f}{worst:12.0%}",
                flush=True,
            )
            canvas.close()
    _edits(application)
    _folds(application)


def _middle(view: GraphView) -> tuple[float, float]:
    placement = view._graph.placement
    assert placement is not None
    return placement.bounds.centre


def _edits(application: QApplication) -> None:
    print(f"\n{'edit to repaint, all open, ms':34}{'p50':>10}{'p95':>10}{'of a frame':>12}")
    for name in ("resnet152", "densenet201"):
        canvas = _Canvas(application, zoo.entry(name).build())
        canvas.unfold()
        node = next(n.id for n in canvas.document.architecture if n.layer.type_name == "Conv2d")
        for title, took in (
            ("kernel of the first convolution", [canvas.timed(edit) for edit in _kernels(canvas.document, node)]),
            ("input size", [canvas.timed(edit) for edit in _inputs(canvas.document)]),
        ):
            p50 = statistics.median(took)
            print(f"{f'{name}, {title}':44}{p50:.1f}{_p95(took):10.1f}{p50 / _FRAME_MS:12.0%}", flush=True)
        canvas.close()


def _kernels(document: Document, node: str) -> Iterator[Callable[[], object]]:
    for _number, side in zip(range(_NUM_EDITS), cycle((5, 3)), strict=False):
        new = edits.set_value(document.architecture, node, "kernel_size", (side, side))
        yield lambda new=new: document.apply("edit", new)  # type: ignore[misc]


def _inputs(document: Document) -> Iterator[Callable[[], object]]:
    channels = document.architecture.input_shape[0]
    for _number, side in zip(range(_NUM_EDITS), cycle((256, 224)), strict=False):
        new = edits.set_input_shape(document.architecture, channels, side, side)
        yield lambda new=new: document.apply("edit", new)  # type: ignore[misc]


def _folds(application: QApplication) -> None:
    print(f"\n{'fold and unfold, ms':34}{'unfold':>10}{'fold':>10}{'again':>10}")
    for title, network in (("resnet152", zoo.entry("resnet152").build()), ("1,000 nodes", nested(1_000))):
        canvas = _Canvas(application, network)
        canvas.unfold()
        folding = canvas.view._folding
        path = next(block.path for block in network.blocks if "." in block.path)
        took = []
        for work in (folding.fold, folding.unfold, folding.fold):
            took.append(canvas.timed(partial(work, path)))
            folding.motion.finish()
            canvas.settle()
        print(f"{title + ', one block of it':34}{took[1]:10.1f}{took[0]:10.1f}{took[2]:10.1f}")
        everything = [canvas.timed(folding.fold_all), canvas.unfold(), canvas.timed(folding.fold_all)]
        print(f"{title + ', all blocks':34}{everything[1]:10.1f}{everything[0]:10.1f}{everything[2]:10.1f}")
        canvas.close()


def _p95(times_ms: list[float]) -> float:
    return statistics.quantiles(times_ms, n=20)[18]


if __name__ == "__main__":
    main()
