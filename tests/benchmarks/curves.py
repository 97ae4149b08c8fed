"""Panning the curves of a run of a million steps, offscreen, a frame at a time; beside pyqtgraph's own plots of it.

The window's plots show the loss and the accuracy of every step and, of 2,500 epochs, each mean and test. The peer is
two `PlotWidget`s of the same size with the same lines, which thin themselves: `setDownsampling(auto=True, mode="peak")`
and `setClipToView(True)`. A frame is one step of the pan, from the new range to the painted widget:

    python -m tests.benchmarks.curves [--steps 1000000] [--frames 300]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from explorer.look.theme import ThemeSource
from explorer.panels.curves.panel import Curves
from explorer.runs import EpochFinished, StepsRecorded

_SIZE = (1250, 300)
_STEPS_PER_EPOCH = 400
_FRAME_MS = 1000 / 60
_SHARES = (0.9, 0.1, 0.002)
"""How much of the run is seen at once."""
_REPORT = 400
"""Steps in one report of the run, of which there are thirty a second."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--frames", type=int, default=300)
    arguments = parser.parse_args()
    application = QApplication([])
    events = _run(arguments.steps)
    curves, appended_ms = _filled_curves(application, events)
    _peer, move_peer = _filled_peer(application, curves)
    box = curves.plots[0]._box
    print(f"{arguments.steps:,} steps, {len(curves.data.epochs):,} epochs, {_SIZE[0]}x{_SIZE[1]} pixels")
    print(
        f"{'seen':>12} {'plots':14}{'median':>10}{'p95':>10}{'max':>10}{'of a frame':>12}{'frames/s':>10}{'of CPU':>11}"
    )
    for share in _SHARES:
        ranges = _pan(arguments.steps, share, arguments.frames)
        medians = []
        for name, move in (
            ("the window's", lambda first, last: box.setXRange(first, last, padding=0)),
            ("pyqtgraph's", move_peer),
        ):
            times_ms, cpu_ms = _frame_times_ms(application, move, ranges)
            median, p95 = statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[18]
            medians.append(median)
            print(
                f"{share * arguments.steps:12,.0f} {name:14}{median:7.2f} ms{p95:7.2f} ms{max(times_ms):7.2f} ms"
                f"{p95 / _FRAME_MS:12.0%}{1000 / p95:10.0f}{cpu_ms:8.2f} ms"
            )
        print(f"{'':12} the window's median takes {medians[0] / medians[1]:.2f} of pyqtgraph's")
    first, last = (statistics.median(part) for part in (appended_ms[10:110], appended_ms[-100:]))
    print(f"a report of {_REPORT} steps: {first:.3f} ms at the start, {last:.3f} ms at the end, not drawn")
    curves.show_all()
    drawn_ms = statistics.median(_drawn_ms(application, curves, arguments.steps))
    print(f"a report of {_REPORT} steps: {drawn_ms:.2f} ms, drawn")


def _run(num_steps: int) -> list[StepsRecorded | EpochFinished]:
    random = np.random.default_rng(0)
    places = np.arange(num_steps) / num_steps
    losses = (2.3 * np.exp(-4 * places) + 0.1 * random.random(num_steps)).astype(np.float32)
    accuracies = (1 - losses / 2.5).clip(0, 1)
    events: list[StepsRecorded | EpochFinished] = []
    for start in range(0, num_steps, _REPORT):
        events.append(
            _report(start + 1, losses[start : start + _REPORT], accuracies[start : start + _REPORT], num_steps)
        )
        loss, accuracy = float(losses[start]), float(accuracies[start])
        events.append(
            EpochFinished(
                run_id="r",
                epoch=start // _STEPS_PER_EPOCH + 1,
                step=start + _STEPS_PER_EPOCH,
                seconds=1.0,
                train_loss=loss,
                train_accuracy=accuracy,
                test_loss=loss * 1.1,
                test_accuracy=accuracy * 0.95,
                images_per_second=1e4,
            )
        )
    return events


def _report(first: int, losses: np.ndarray, accuracies: np.ndarray, num_steps: int) -> StepsRecorded:
    return StepsRecorded(
        run_id="r",
        first_step=first,
        losses=losses,
        accuracies=accuracies,
        learning_rate=0.05,
        epoch=first // _STEPS_PER_EPOCH + 1,
        images_per_second=1e4,
        seconds_left=1.0,
        num_steps_total=num_steps,
    )


def _filled_curves(
    application: QApplication, events: list[StepsRecorded | EpochFinished]
) -> tuple[Curves, list[float]]:
    curves = Curves(ThemeSource())
    curves.resize(*_SIZE)
    curves.data.steps_per_epoch = _STEPS_PER_EPOCH
    times_ms = []
    for event in events:
        start = time.perf_counter()
        curves.put([event])
        if isinstance(event, StepsRecorded):
            times_ms.append((time.perf_counter() - start) * 1e3)
    curves.show()
    application.processEvents()
    return curves, times_ms


def _filled_peer(application: QApplication, curves: Curves) -> tuple[QWidget, Callable[[float, float], None]]:
    widget = QWidget()
    row = QHBoxLayout(widget)
    data = curves.data
    steps = np.arange(1, len(data.losses) + 1, dtype=np.float64)
    plots = []
    for kind, values, unit in (("loss", data.losses.values, 1), ("accuracy", data.accuracies.values, 100)):
        plot = pg.PlotWidget()
        row.addWidget(plot)
        item = plot.getPlotItem()
        item.showGrid(x=False, y=True, alpha=0.25)
        item.getViewBox().disableAutoRange()
        item.getViewBox().setYRange(0, 2.6 * unit if unit == 1 else unit)
        batch = item.plot(steps, values * unit, pen=pg.mkPen("#88a", width=1))
        lines = [batch]
        for part in ("train", "test"):
            ends, means = data.epoch_values(f"{part}_{kind}")
            lines.append(item.plot(ends, means * unit, pen=pg.mkPen("#44c", width=2), antialias=True))
        for line in lines:
            line.setDownsampling(auto=True, method="peak")
            line.setClipToView(True)
        plots.append(item.getViewBox())

    def move(first: float, last: float) -> None:
        for box in plots:
            box.setXRange(first, last, padding=0)

    widget.resize(*_SIZE)
    widget.show()
    application.processEvents()
    return widget, move


def _pan(num_steps: int, share: float, num_frames: int) -> list[tuple[float, float]]:
    """There and back, three pixels a frame where there is so much room."""
    width = share * num_steps
    way = min(num_steps - width, 3 * num_frames / 2 * width / (_SIZE[0] / 2))
    start = (num_steps - width - way) / 2
    places = start + way * np.abs(np.linspace(-1, 1, num_frames))
    return [(place, place + width) for place in places.tolist()]


def _frame_times_ms(
    application: QApplication,
    move: Callable[[float, float], None],
    ranges: list[tuple[float, float]],
) -> tuple[list[float], float]:
    """How long each took, and what they took of a processor in the mean, which a busy machine does not change."""
    for where in ranges[:10]:
        move(*where)
        application.processEvents()
    times_ms, before_s = [], time.process_time()
    for where in ranges:
        start = time.perf_counter()
        move(*where)
        application.processEvents()
        times_ms.append((time.perf_counter() - start) * 1e3)
    return times_ms, (time.process_time() - before_s) / len(ranges) * 1e3


def _drawn_ms(application: QApplication, curves: Curves, num_steps: int) -> list[float]:
    times_ms = []
    losses = np.full(_REPORT, 0.1, np.float32)
    for number in range(60):
        start = time.perf_counter()
        curves.put([_report(num_steps + 1 + number * _REPORT, losses, 1 - losses, 2 * num_steps)])
        application.processEvents()
        times_ms.append((time.perf_counter() - start) * 1e3)
    return times_ms


if __name__ == "__main__":
    main()
