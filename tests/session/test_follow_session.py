"""A followed folder as signals: what is written into it, and what happens while it cannot be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer.runs import Event, StateChanged
from explorer.runs.follow_journal import Journal
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


def test_closing_before_the_start_is_no_trouble(session: FollowSession) -> None:
    assert session.close()
