"""What the network at rest is asked: all that is on screen once, and after that only what is new."""

from collections.abc import Sequence

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.app.looking import Looking
from explorer.architecture import Architecture
from explorer.runs import Event, LayersMeasured, Look, Probe
from explorer.session import Document
from explorer.session.probe_session import ProbeRequest, ProbeSession
from explorer.session.probe_set import ProbeSet
from explorer.session.run_session import RunSession
from explorer.session.sources import Source


class Viewer(QObject):
    """Wants what it is told to want."""

    wanted_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.look = Look()
        self.shown: list[Event] = []

    def want(self, look: Look) -> None:
        self.look = look
        self.wanted_changed.emit()

    def wanted(self) -> Look:
        return self.look

    def show_observed(self, events: Sequence[Event], _source: Source) -> None:
        self.shown.extend(events)

    def clear_observed(self) -> None:
        self.shown.clear()

    def show_problem(self, text: str) -> None:
        raise AssertionError(text)


class Stage:
    """Looking, with a network at rest that answers at once."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.asked: list[Look] = []
        self.document = Document()
        self.viewer = Viewer()
        self.probes = ProbeSet()
        self.at_rest = ProbeSession(self._capture)
        self.run = RunSession(_no_trainer)
        self.looking = Looking(self.document, self.run, self.at_rest, self.probes, (self.viewer,))
        self.document.open(zoo.entry("lenet5").build())
        self.probes.put(Probe(label="0", image=np.zeros((28, 28), np.uint8)))
        self.looking.enable()

    def _capture(self, request: ProbeRequest) -> tuple[Event, ...]:
        self.asked.append(request.look)
        return (LayersMeasured(run_id="", step=0, num_images=1, layers={}),)

    def want(self, look: Look) -> Look:
        """What is asked for it."""
        count, shown = len(self.asked), len(self.viewer.shown)
        self.viewer.want(look)
        self.qtbot.waitUntil(lambda: len(self.asked) > count and len(self.viewer.shown) > shown, timeout=5_000)
        return self.asked[-1]


def _no_trainer(*_: object, **__: object) -> None:
    raise AssertionError("nothing trains here")


@pytest.fixture
def stage(qtbot: QtBot) -> Stage:
    return Stage(qtbot)


def test_only_what_is_new_is_asked(stage: Stage) -> None:
    assert stage.want(Look(maps=("conv1",), opened=("conv1",))).opened == ("conv1",)
    left = stage.want(Look(maps=("conv1", "conv2"), opened=("conv1",), measures=True))
    assert left.maps == ("conv2",)
    assert not left.opened
    assert left.measures


def test_what_was_let_go_is_asked_again(stage: Stage) -> None:
    stage.want(Look(opened=("conv1",)))
    # Faster than the network at rest is asked: the view has forgotten it all the same.
    stage.viewer.want(Look())
    assert stage.want(Look(opened=("conv1",))).opened == ("conv1",)


def test_another_network_or_probe_is_asked_for_everything(stage: Stage) -> None:
    wanted = Look(maps=("conv1",), measures=True)
    stage.want(wanted)
    count = len(stage.asked)
    stage.probes.put(Probe(label="1", image=np.ones((28, 28), np.uint8)))
    stage.qtbot.waitUntil(lambda: len(stage.asked) > count, timeout=5_000)
    assert stage.asked[-1].maps == ("conv1",)
    count = len(stage.asked)
    stage.document.edit("Wider", _renamed)
    stage.qtbot.waitUntil(lambda: len(stage.asked) > count, timeout=5_000)
    assert stage.asked[-1].measures


def _renamed(architecture: Architecture) -> Architecture:
    return Architecture(name="another", nodes=architecture.nodes, outputs=architecture.outputs)
