"""A followed folder as signals: what is written into it, and what happens while it cannot be read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.runs import (
    Atlas,
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    Observed,
    OpenedLayer,
    Probe,
    RunControl,
    StateChanged,
)
from explorer.runs.follow_journal import Journal
from explorer.runs.follow_looks import LookAnswerer
from explorer.session.follow_session import FollowSession


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def session(folder: Path, qtbot: QtBot) -> Iterator[FollowSession]:
    session = FollowSession(folder, interval_s=0.01)
    yield session
    assert session.close()


def test_events_arrive_and_the_status_with_them(session: FollowSession, folder: Path, qtbot: QtBot) -> None:
    seen: list[Event] = []
    session.events_arrived.connect(seen.extend)
    session.start()
    qtbot.waitUntil(lambda: session.status is not None)
    assert session.status is not None
    assert session.status.state == "waiting"
    with Journal(folder) as journal:
        journal.put(StateChanged(run_id="r", state="paused"))
        qtbot.waitUntil(lambda: bool(seen), timeout=10_000)
    assert seen == [StateChanged(run_id="r", state="paused")]
    qtbot.waitUntil(lambda: session.status is not None and session.status.state == "paused")


def test_a_folder_that_goes_and_comes_back_is_said_once_each(
    session: FollowSession, folder: Path, qtbot: QtBot
) -> None:
    said: list[str] = []
    session.failed.connect(said.append)
    folder.rmdir()
    session.start()
    qtbot.waitUntil(lambda: bool(said))
    assert str(folder) in said[0]
    folder.mkdir()
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said[1] == ""


def test_answers_come_while_somebody_looks(session: FollowSession, folder: Path, qtbot: QtBot) -> None:
    control = RunControl()
    seen: list[FeatureMapsCaptured | Observed] = []
    session.observed_arrived.connect(seen.extend)
    session.watch(
        Look(maps=("conv1",), opened=("fc1",), probes=(Probe(label="nothing", image=np.zeros((1, 4, 4), np.uint8)),))
    )
    atlas = Atlas(
        image=np.full((2, 2), 7, np.uint8),
        num_channels=1,
        columns=1,
        tile_height=2,
        tile_width=2,
        gap=0,
        minimum=0.0,
        maximum=1.0,
    )
    captured = FeatureMapsCaptured(run_id="r", step=3, probe="nothing", atlases={"conv1": atlas})
    layer = OpenedLayer((np.zeros(3, np.float32),), np.array([1.5, -2.0], np.float32), {})
    opened = LayersOpened(run_id="r", step=3, probe="nothing", layers={"fc1": layer})
    with LookAnswerer(control) as answerer:
        answerer.hear(StateChanged(run_id="r", state="running"), folder)
        session.start()
        qtbot.waitUntil(lambda: control.watched.look.maps == ("conv1",))
        assert control.watched.look.opened == ("fc1",)
        answerer.hear(captured, folder)
        answerer.hear(opened, folder)
        qtbot.waitUntil(lambda: len(seen) == 2)
        (maps,) = (event for event in seen if isinstance(event, FeatureMapsCaptured))
        assert maps.step == 3
        assert maps.atlases["conv1"].image.tolist() == [[7, 7], [7, 7]]
        (layers,) = (event for event in seen if isinstance(event, LayersOpened))
        assert layers.layers["fc1"].output.tolist() == [1.5, -2.0]
        session.watch(Look())
        qtbot.waitUntil(lambda: control.watched.look.maps == ())
    assert session.close()
    assert list(folder.iterdir()) == []


def test_closing_before_the_start_is_no_trouble(session: FollowSession) -> None:
    assert session.close()
