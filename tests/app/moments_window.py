"""What tests of the time machine need beside a window: runs that are real, looking back, and a view that remembers."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.runs import Event, FeatureMapsCaptured, Look, RunConfig
from explorer.session.sources import Source


class Seen(QObject):
    """A view that wants nothing and keeps what it is shown."""

    wanted_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.maps: list[FeatureMapsCaptured] = []

    def wanted(self) -> Look:
        return Look()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        self.sources.append(source)
        self.maps += [event for event in events if isinstance(event, FeatureMapsCaptured)]

    def clear_observed(self) -> None:
        pass

    def show_problem(self, text: str) -> None:
        pass


def started(window: MainWindow, **changes: int) -> None:
    plain = {**window.training.config().to_plain(), "device": "cpu", "epochs": 1, "batch_size": 512, **changes}
    window.training.set_config(RunConfig.from_plain(plain))
    window.training.start()


def trained(window: MainWindow, qtbot: QtBot) -> None:
    """A run of a few steps, from its start to its end."""
    started(window)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    last = window.training.curves.data.last_step
    qtbot.waitUntil(lambda: window.time_machine.session.steps[-1:] == (last,), timeout=10_000)


def looked_back(window: MainWindow, qtbot: QtBot, step: int) -> None:
    window.time_machine.bar.choose(step)
    qtbot.waitUntil(lambda: f"step {step:,}" in window.time_machine.chip.text, timeout=5000)
