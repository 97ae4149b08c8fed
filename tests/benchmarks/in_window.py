"""Our run in the window with every live view open, as a participant of `training` and `live`.

Curves beside feature maps beside weights, one layer's window and the explained probe beside the canvas, maps on its
nodes, which the layers' gradients colour, and the time machine keeping moments: every instrument that captures without
a hand at the mouse. The clock is the trainer's own: it is read in its thread, as it says its events.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer

from explorer.runs import Event, FeatureMapsCaptured, Observed, RunFinished, RunStarted, StepsRecorded
from tests.benchmarks.participants import Clock, described, run_config

_SETTLED_MS = 6000
"""By then torch has loaded and the first pictures of the network at rest are drawn."""
_LONGEST_MS = 900_000


def window(network: str, data: str, batch: int, steps: int, most_s: float) -> dict[str, Any]:
    """Train until the clock has seen the steps, or the seconds are over, then stop.

    Returns:
        images/s, the share of a core that the window's thread took, how late a 60 Hz timer was, and how long a capture
        took to the screen.
    """
    from explorer.app import startup

    application = startup.make_application()
    from explorer.app.window import MainWindow

    shown = MainWindow()
    shown.resize(1920, 1200)
    shown.show()
    shown.open_target(network)
    shown.training.set_config(run_config(data, batch))
    open_every_view(shown)
    shown.preload()
    clock, seen, busy = Clock(batch, steps, most_s), _Seen(), dict[str, float]()
    results: list[RunFinished] = []
    _listen(shown.run_session, clock, seen)
    lateness = _Lateness(lambda: shown.run_session.state == "running")
    painted = _Painted(seen)
    shown.feature_maps.maps.viewport().installEventFilter(painted)

    def arrived(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, FeatureMapsCaptured):
                painted.arrived(event)
            elif isinstance(event, StepsRecorded):
                if "start_s" not in busy and clock.is_warm:
                    busy.update(start_s=time.perf_counter(), thread_s=time.thread_time())
                if clock.rate is not None and shown.run_session.state == "running":
                    busy["share"] = (time.thread_time() - busy["thread_s"]) / (time.perf_counter() - busy["start_s"])
                    shown.run_session.stop()
            elif isinstance(event, RunFinished):
                results.append(event)
                QTimer.singleShot(0, application.quit)

    shown.run_session.events_arrived.connect(arrived)
    QTimer.singleShot(_SETTLED_MS, lateness.start)
    QTimer.singleShot(_SETTLED_MS, shown.training.start_action.trigger)
    QTimer.singleShot(_LONGEST_MS, application.quit)
    application.exec()
    shown.document.undo_stack.setClean()
    shown.close()
    return {
        **described(results[0]),
        "images_per_second": clock.rate,
        "captures": seen.counts,
        "window_share": busy["share"],
        "late_p50_ms": _quantile(lateness.late_ms, 0.5),
        "late_p99_ms": _quantile(lateness.late_ms, 0.99),
        "late_max_ms": max(lateness.late_ms),
        "paint_p50_ms": _quantile(painted.after_ms, 0.5),
        "paint_p95_ms": _quantile(painted.after_ms, 0.95),
        "paint_max_ms": max(painted.after_ms, default=float("nan")),
        "late_mean_ms": statistics.fmean(lateness.late_ms),
    }


def open_every_view(shown: Any) -> None:
    right, bottom = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
    # Added anew each has a place of its own; split from a tab it would be one more tab.
    for name, area, orientation in (
        ("feature-maps", bottom, Qt.Orientation.Horizontal),
        ("weights", bottom, Qt.Orientation.Horizontal),
        ("layer", right, Qt.Orientation.Vertical),
        ("classes", right, Qt.Orientation.Vertical),
    ):
        shown.addDockWidget(area, shown.docks[name], orientation)
        shown.docks[name].show()
    shown.docks["training"].raise_()
    shown.answers.show_page(1)
    shown.canvas.reading.colouring.choose("gradient")
    shown.selection.set([shown.document.architecture.nodes[1].id])


class _Seen:
    """What the trainer said, and when."""

    def __init__(self) -> None:
        self.said_s: dict[int, float] = {}
        """When the feature maps of a step were captured."""
        self.counts: dict[str, int] = {}


def _listen(session: Any, clock: Clock, seen: _Seen) -> None:
    trainer = session._trainer

    def timed(architecture: Any, config: Any, emit: Callable[[Event], None], control: Any, **rest: Any) -> None:
        def hear(event: Event) -> None:
            if isinstance(event, RunStarted):
                clock.begin()
            elif isinstance(event, StepsRecorded):
                clock.stepped(event.last_step)
            elif isinstance(event, FeatureMapsCaptured | Observed):
                name = type(event).__name__
                seen.counts[name] = seen.counts.get(name, 0) + 1
                if isinstance(event, FeatureMapsCaptured):
                    seen.said_s[event.step] = time.perf_counter()
            emit(event)

        trainer(architecture, config, hear, control, **rest)

    session._trainer = timed


class _Lateness:
    """How late a timer of 60 a second fires."""

    def __init__(self, counts: Callable[[], bool]) -> None:
        self.late_ms: list[float] = []
        self._counts = counts
        self._due_s = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.start)

    def start(self) -> None:
        """Now is when it was due."""
        now_s = time.perf_counter()
        if self._due_s and self._counts():
            self.late_ms.append((now_s - self._due_s) * 1e3)
        self._due_s = now_s + 1 / 60
        self._timer.start(max(0, round((self._due_s - time.perf_counter()) * 1e3)))


class _Painted(QObject):
    """From the end of a capture to the end of the first paint with it."""

    def __init__(self, seen: _Seen) -> None:
        super().__init__()
        self.after_ms: list[float] = []
        self._seen = seen
        self._said_s: float | None = None

    def arrived(self, event: FeatureMapsCaptured) -> None:
        # Of several before a paint the one that has waited longest.
        if self._said_s is None:
            self._said_s = self._seen.said_s.get(event.step)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self._said_s is not None:
            said_s, self._said_s = self._said_s, None
            QTimer.singleShot(0, lambda: self.after_ms.append((time.perf_counter() - said_s) * 1e3))
        return super().eventFilter(watched, event)


def _quantile(values: list[float], share: float) -> float:
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else float("nan")
