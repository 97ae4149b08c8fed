"""An hour of a run in the window, as fast as the window takes it: does its memory stay flat?

The events are a real run's: LeNet-5 trains for a few seconds with everything looked at, and what it said is said again
with growing step numbers: as many steps, reports and pictures as it would make in an hour.
"""

import dataclasses
import gc
import time
from typing import Any

import psutil
from PySide6.QtCore import QTimer

from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    Observed,
    RunControl,
    RunFinished,
    RunStarted,
    StepsRecorded,
)
from tests.benchmarks.in_window import open_every_view

_REPORTS_PER_S, _PICTURES_PER_S = 25, 4
"""As a run on the CPU sends them."""
_MINUTES = 60


def watch_an_hour() -> None:
    """Print the memory that the window's process takes, minute by simulated minute."""
    from explorer.app import startup

    application = startup.make_application()
    from explorer.app.window import MainWindow

    shown = MainWindow()
    shown.resize(1920, 1200)
    shown.show()
    shown.open_target("lenet5")
    open_every_view(shown)
    shown.preload()
    process, told = psutil.Process(), list[tuple[int, float, int]]()
    trainer = shown.run_session._trainer

    def replay(architecture: Any, config: Any, emit: Any, control: RunControl, **rest: Any) -> None:
        heard: list[Event] = []

        def hear(event: Event) -> None:
            heard.append(event)
            if isinstance(event, StepsRecorded) and event.last_step > 400:
                control.stop()

        trainer(architecture, config, hear, control, **rest)
        reports = [event for event in heard if isinstance(event, StepsRecorded) and len(event.losses) > 1]
        pictures = [event for event in heard if isinstance(event, FeatureMapsCaptured | Observed)]
        emit(next(event for event in heard if isinstance(event, RunStarted)))
        step, stride = 1, _REPORTS_PER_S // _PICTURES_PER_S
        for minute in range(_MINUTES + 1):
            gc.collect()
            told.append((minute, process.memory_info().rss / 2**20, step))
            for number in range(60 * _REPORTS_PER_S if minute < _MINUTES else 0):
                report = reports[number % len(reports)]
                emit(dataclasses.replace(report, first_step=step))
                step += len(report.losses)
                if number % stride == 0:
                    emit(dataclasses.replace(pictures[number // stride % len(pictures)], step=step))
                # The window must have its turn, as it has in a run; an hour then takes some minutes.
                time.sleep(0.002)
        emit(next(event for event in reversed(heard) if isinstance(event, RunFinished)))

    shown.run_session._trainer = replay
    shown.run_session.events_arrived.connect(
        lambda events: application.quit() if isinstance(events[-1], RunFinished) else None
    )
    QTimer.singleShot(6000, shown.training.start_action.trigger)
    application.exec()
    shown.document.undo_stack.setClean()
    shown.close()
    for minute, mebibytes, step in told:
        if minute % 10 == 0:
            print(f"minute {minute}: {mebibytes:,.0f} MiB after {step:,} steps")
    (_, first, first_step), (_, last, last_step) = told[10], told[-1]
    curves = (last_step - first_step) * 12 / 2**20
    print(f"from minute 10 to 60: {last - first:+,.0f} MiB, of which every point of the curves takes {curves:,.0f}")
