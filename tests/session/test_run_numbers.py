"""When a run's numbers come to the window: seldom where nobody sees them, at once where they are looked at again."""

import queue
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import Event, RunConfig, RunControl, RunFinished, RunNoted, StateChanged, StepsRecorded
from explorer.session import run_session
from explorer.session.run_session import RunSession
from tests.session.run_events import finished, recorded, started


def turned(qtbot: QtBot, session: RunSession, turns: int = 3) -> None:
    """Let the window look at the run so often."""
    taken: list[None] = []

    def count() -> None:
        taken.append(None)

    session._timer.timeout.connect(count)
    qtbot.waitUntil(lambda: len(taken) >= turns, timeout=5_000)
    session._timer.timeout.disconnect(count)


class SpokenTrainer:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def __call__(
        self,
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None:
        emit(started())
        while not control.stop_requested:
            with suppress(queue.Empty):
                emit(self.told.get(timeout=0.01))
        emit(finished(0))


class Unseen:
    """A run whose numbers nobody sees, by a clock that the test sets, right after a first update of them."""

    def __init__(
        self, qtbot: QtBot, session: RunSession, trainer: SpokenTrainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.now_s = 100.0
        clock = SimpleNamespace(perf_counter=lambda: self.now_s, thread_time=lambda: 0.0)
        monkeypatch.setattr(run_session, "time", clock)
        self.events: list[Event] = []
        session.events_arrived.connect(self.events.extend)
        session.set_numbers_seen(False)
        session.start_with(zoo.entry("lenet5").build(), RunConfig(), trainer)
        qtbot.waitUntil(lambda: session.state == "running", timeout=5_000)
        self.events.clear()

    @property
    def steps(self) -> list[int]:
        return [event.first_step for event in self.events if isinstance(event, StepsRecorded)]


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[RunSession]:
    session = RunSession(SpokenTrainer())
    yield session
    assert session.close()


@pytest.fixture
def speaker() -> SpokenTrainer:
    return SpokenTrainer()


@pytest.fixture
def unseen(qtbot: QtBot, session: RunSession, speaker: SpokenTrainer, monkeypatch: pytest.MonkeyPatch) -> Unseen:
    return Unseen(qtbot, session, speaker, monkeypatch)


def test_numbers_that_nobody_sees_come_twice_a_second_and_all_of_them(
    qtbot: QtBot, session: RunSession, speaker: SpokenTrainer, unseen: Unseen
) -> None:
    for step in (1, 2, 3):
        speaker.told.put(recorded(step))
        unseen.now_s += 0.15
        turned(qtbot, session)
    assert unseen.steps == []
    unseen.now_s += 0.06
    qtbot.waitUntil(lambda: unseen.steps == [1, 2, 3], timeout=5_000)
    speaker.told.put(recorded(4))
    unseen.now_s += 0.4
    turned(qtbot, session)
    assert unseen.steps == [1, 2, 3]
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)
    assert unseen.steps == [1, 2, 3, 4], "nothing that waits is lost at the end"
    assert isinstance(unseen.events[-1], RunFinished)


@pytest.mark.parametrize("said", [RunNoted(run_id="r", note="Compiled."), StateChanged(run_id="r", state="paused")])
def test_what_is_said_once_comes_at_once_and_behind_what_was_said_before(
    qtbot: QtBot, session: RunSession, speaker: SpokenTrainer, unseen: Unseen, said: Event
) -> None:
    speaker.told.put(recorded(1))
    turned(qtbot, session)
    assert not unseen.events
    speaker.told.put(said)
    qtbot.waitUntil(lambda: said in unseen.events, timeout=5_000)
    assert [type(event) for event in unseen.events] == [StepsRecorded, type(said)]


def test_numbers_that_somebody_looks_at_again_come_at_once(
    qtbot: QtBot, session: RunSession, speaker: SpokenTrainer, unseen: Unseen
) -> None:
    speaker.told.put(recorded(1))
    turned(qtbot, session)
    assert unseen.steps == []
    session.set_numbers_seen(True)
    assert session._timer.interval() == 33
    qtbot.waitUntil(lambda: unseen.steps == [1], timeout=5_000)
    speaker.told.put(recorded(2))
    unseen.now_s += 0.034
    qtbot.waitUntil(lambda: unseen.steps == [1, 2], timeout=5_000)
