"""Our run in the window with every live view open, as a participant of `training` and `live`.

Curves beside feature maps beside weights, one layer's window and the explained probe beside the canvas, maps on its
nodes, which the layers' gradients colour, and the time machine keeping moments: every instrument that captures without
a hand at the mouse. Turns are counted by the trainer's own events, in its thread.
"""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer

from explorer.runs import Event, FeatureMapsCaptured, Observed, RunFinished, RunStarted, StateChanged
from tests.benchmarks.participants import described, run_config
from tests.benchmarks.turns import RunTurns

_SETTLED_MS = 6000
"""By then torch has loaded and the first pictures of the network at rest are drawn."""


def window(network: str, data: str, batch: int, device: str) -> dict[str, Any]:
    """Train in turns.

    Returns:
        The share of a core that the window's thread took, how late a 60 Hz timer was, and how long a capture took to
        the screen.
    """
    from explorer.app import startup

    application = startup.make_application()
    from explorer.app.window import MainWindow

    shown = MainWindow()
    shown.resize(1920, 1200)
    shown.show()
    shown.open_target(network)
    shown.training.set_config(run_config(data, batch, device))
    open_every_view(shown)
    shown.preload()
    seen, busy = _Seen(), _Busy()
    results: list[RunFinished] = []
    made_turns = _listen(shown.run_session, batch, seen)
    lateness = _Lateness(lambda: shown.run_session.state == "running")
    painted = _Painted(seen)
    shown.feature_maps.maps.viewport().installEventFilter(painted)

    def arrived(events: list[Event]) -> None:
        for event in events:
            busy.hear(event)
            if made_turns and made_turns[0].is_watched and isinstance(event, StateChanged) and event.state == "running":
                busy.stop()
                lateness.start()
            if isinstance(event, FeatureMapsCaptured):
                painted.arrived(event)
            elif isinstance(event, RunFinished):
                results.append(event)
                QTimer.singleShot(0, application.quit)

    shown.run_session.events_arrived.connect(arrived)
    QTimer.singleShot(_SETTLED_MS, shown.training.start_action.trigger)
    application.exec()
    shown.document.undo_stack.setClean()
    shown.close()
    return {
        **described(results[0], made_turns[0]),
        "captures": seen.counts,
        "pictures_share": seen.pictures_s / busy.seconds,
        "window_share": busy.thread_s / busy.seconds,
        "late_p50_ms": _quantile(lateness.late_ms, 0.5),
        "late_p99_ms": _quantile(lateness.late_ms, 0.99),
        "late_max_ms": max(lateness.late_ms),
        "paint_p50_ms": _quantile(painted.after_ms, 0.5),
        "paint_p95_ms": _quantile(painted.after_ms, 0.95),
        "paint_max_ms": max(painted.after_ms, default=float("nan")),
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
        self.pictures_s = 0.0
        """What all captures took while it was running."""


class _Busy:
    """What the window's thread takes of the time in which the run is running, as the window hears of it."""

    def __init__(self) -> None:
        self.seconds = self.thread_s = 0.0
        self._since: tuple[float, float] | None = None

    def hear(self, event: Event) -> None:
        """Take what the run says, in the window's thread."""
        if isinstance(event, RunStarted) or (isinstance(event, StateChanged) and event.state == "running"):
            self._since = (time.perf_counter(), time.thread_time())
        elif self._since is not None and isinstance(event, StateChanged | RunFinished):
            self.seconds += time.perf_counter() - self._since[0]
            self.thread_s += time.thread_time() - self._since[1]
            self._since = None

    def stop(self) -> None:
        """What goes on now does not count."""
        self._since = None


def _listen(session: Any, batch: int, seen: _Seen) -> list[RunTurns]:
    """Take part in turns with the run that the session will start; where its turns will be."""
    trainer, made = session._trainer, []

    def timed(architecture: Any, config: Any, emit: Callable[[Event], None], control: Any, **rest: Any) -> None:
        turns, begun_s = RunTurns(batch, control), [0.0]
        made.append(turns)
        # Maps since the run last went on; the first wait until what the rest showed is paid off. None while it rests.
        num_maps: list[int | None] = [0]

        def hear(event: Event) -> None:
            turns.hear(event)
            if isinstance(event, StateChanged) and event.state == "running":
                begun_s[0], num_maps[0] = control.pictures_seconds, 0
            elif isinstance(event, StateChanged):
                if not turns.is_watched:
                    seen.pictures_s += control.pictures_seconds - begun_s[0]
                begun_s[0], num_maps[0] = control.pictures_seconds, None
            elif isinstance(event, FeatureMapsCaptured | Observed):
                name = type(event).__name__
                seen.counts[name] = seen.counts.get(name, 0) + 1
                if isinstance(event, FeatureMapsCaptured) and num_maps[0] is not None:
                    num_maps[0] += 1
                    if num_maps[0] > 1:
                        seen.said_s[event.step] = time.perf_counter()
            emit(event)

        trainer(architecture, config, hear, control, **rest)

    session._trainer = timed
    return made


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
