"""When a speed is probed, and when an estimate no longer holds. The probe is the test's own."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.runs import RunConfig
from explorer.runs.profile import SpeedEstimate
from explorer.session import Document
from explorer.session import speed_session as module
from explorer.session.speed_session import SpeedSession
from explorer.zoo import entry

ESTIMATE = SpeedEstimate(
    step_s=0.1, batch_size=64, test_s=1.0, num_images=640, num_steps=20, device="cpu", data="digits"
)


class Probe:
    """Answers when it is let; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Architecture, RunConfig]] = []
        self.ended: list[None] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.problem = ""

    def __call__(self, architecture: Architecture, config: RunConfig, cancelled: Callable[[], bool]) -> SpeedEstimate:
        self.asked.append((architecture, config))
        while not self.may_answer.wait(0.005):
            if cancelled():
                self.ended.append(None)
                raise ValueError("ended")
        if self.problem:
            raise ValueError(self.problem)
        return ESTIMATE


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(entry("lenet5").build())
    return document


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.setattr(module, "REST_MS", 0)
    return Probe()


@pytest.fixture
def session(document: Document, probe: Probe) -> Iterator[SpeedSession]:
    session = SpeedSession(document, probe)
    yield session
    assert session.close()


def known(session: SpeedSession) -> SpeedEstimate | None:
    """The estimate as it is now."""
    return session.estimate


def is_active(session: SpeedSession) -> bool:
    """Whether a probe is under way now."""
    return session.is_active


def watched(qtbot: QtBot, session: SpeedSession) -> None:
    session.enable()
    session.set_watched(True)
    qtbot.waitUntil(lambda: session.estimate is not None)


def test_it_waits_for_torch_and_for_somebody_who_looks(qtbot: QtBot, session: SpeedSession, probe: Probe) -> None:
    session.set_watched(True)
    session.set_watched(False)
    session.enable()
    QCoreApplication.processEvents()
    assert probe.asked == []
    watched(qtbot, session)
    assert len(probe.asked) == 1
    assert known(session) == ESTIMATE


def test_what_changes_the_speed_is_probed_anew_and_what_does_not_is_not(
    qtbot: QtBot, session: SpeedSession, probe: Probe, document: Document
) -> None:
    watched(qtbot, session)
    session.set_config(replace(RunConfig(), epochs=77, learning_rate=0.5, seed=3))
    assert known(session) == ESTIMATE
    session.set_config(replace(RunConfig(), batch_size=32))
    assert known(session) is None
    qtbot.waitUntil(lambda: session.estimate is not None)
    document.edit("Set", lambda a: edits.set_value(a, "conv1", "out_channels", 12))
    assert known(session) is None
    qtbot.waitUntil(lambda: session.estimate is not None)
    assert [c.batch_size for _, c in probe.asked] == [64, 32, 32]


def test_an_edit_ends_a_probe_under_way(qtbot: QtBot, session: SpeedSession, probe: Probe, document: Document) -> None:
    probe.may_answer.clear()
    session.ask()
    assert is_active(session)
    document.edit("Set", lambda a: edits.set_value(a, "conv1", "out_channels", 12))
    assert not is_active(session)
    qtbot.waitUntil(lambda: probe.ended == [None])
    probe.may_answer.set()
    watched(qtbot, session)
    assert probe.asked[-1][0] is document.architecture


def test_a_run_ends_it_and_keeps_what_is_known(qtbot: QtBot, session: SpeedSession, probe: Probe) -> None:
    watched(qtbot, session)
    session.set_held(True)
    assert known(session) == ESTIMATE
    session.ask()
    assert not is_active(session)
    session.set_held(False)
    probe.may_answer.clear()
    session.ask()
    session.set_held(True)
    assert not is_active(session)
    qtbot.waitUntil(lambda: probe.ended == [None])


def test_a_heavy_network_waits_to_be_asked_for(qtbot: QtBot, session: SpeedSession, probe: Probe) -> None:
    session.set_config(replace(RunConfig(), batch_size=60_000))
    assert session.is_heavy
    session.enable()
    session.set_watched(True)
    QCoreApplication.processEvents()
    assert probe.asked == []
    session.ask()
    qtbot.waitUntil(lambda: session.estimate is not None)


def test_why_there_is_none_is_told_and_not_tried_again_by_itself(
    qtbot: QtBot, session: SpeedSession, probe: Probe
) -> None:
    probe.problem = "everything is frozen"
    session.enable()
    session.set_watched(True)
    qtbot.waitUntil(lambda: session.why_not == "everything is frozen")
    session.set_watched(True)
    QCoreApplication.processEvents()
    assert len(probe.asked) == 1
