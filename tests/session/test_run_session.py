"""The run seen from the window, with a trainer of plain Python; the real one is in tests/training."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import (
    CheckpointSaved,
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    Probe,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    StepsRecorded,
)
from explorer.session import run_session
from explorer.session.probe_session import ProbeRequest, ProbeSession
from explorer.session.run_session import InitialWeights, RunSession
from explorer.session.views_cost import CostMeter, ViewsCost
from tests.session.run_events import atlas, finished, recorded, started


class StepwiseTrainer:
    """Emits a step each time it is let on; ends when stopped."""

    def __init__(self) -> None:
        self.control: RunControl | None = None
        self.initial_weights: Path | None = None
        self.next_step = threading.Semaphore(0)

    def __call__(
        self,
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None:
        self.control = control
        self.initial_weights = initial_weights
        emit(started())
        step = 0
        while not control.stop_requested:
            if self.next_step.acquire(timeout=0.01):
                step += 1
                emit(recorded(step))
        emit(CheckpointSaved(run_id="r", step=step, path="weights"))
        emit(finished(step))


@pytest.fixture
def trainer() -> StepwiseTrainer:
    return StepwiseTrainer()


@pytest.fixture
def session(qtbot: QtBot, trainer: StepwiseTrainer) -> Iterator[RunSession]:
    session = RunSession(trainer)
    yield session
    assert session.close()


def test_events_arrive_in_order_and_the_run_ends_idle(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer
) -> None:
    events: list[Event] = []
    states: list[str] = []
    session.events_arrived.connect(events.extend)
    session.state_changed.connect(states.append)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    for _ in range(50):
        trainer.next_step.release()
    qtbot.waitUntil(lambda: sum(isinstance(e, StepsRecorded) for e in events) == 50, timeout=5_000)
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)
    assert states == ["starting", "running", "stopping", "idle"]
    assert [e.first_step for e in events if isinstance(e, StepsRecorded)] == list(range(1, 51))
    assert isinstance(events[-1], RunFinished)
    assert session.checkpoint == "weights"


def test_each_picture_comes_in_a_frame_of_its_own(qtbot: QtBot, session: RunSession) -> None:
    batches: list[list[type[Event]]] = []
    session.events_arrived.connect(lambda events: batches.append([type(event) for event in events]))
    told = threading.Event()

    def trainer(
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None:
        emit(started())
        for step in (1, 2):
            emit(recorded(step))
            emit(FeatureMapsCaptured(run_id="r", step=step, probe="", atlases={f"conv{step}": atlas()}))
        told.wait(10)
        emit(recorded(3))
        emit(FeatureMapsCaptured(run_id="r", step=3, probe="", atlases={"conv1": atlas()}))
        emit(finished(3))

    session.start_with(zoo.entry("lenet5").build(), RunConfig(), trainer)
    qtbot.waitUntil(lambda: sum(batch.count(FeatureMapsCaptured) for batch in batches) == 2, timeout=5_000)
    assert [batch for batch in batches if FeatureMapsCaptured in batch] == [[FeatureMapsCaptured]] * 2
    told.set()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)

    # Nothing comes after the end.
    assert batches[-1][-1] is RunFinished
    assert sum(batch.count(FeatureMapsCaptured) for batch in batches) == 3


def test_a_trainer_that_cannot_even_start_says_why(qtbot: QtBot) -> None:
    def broken(
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None:
        raise ImportError("libcudart.so.13: cannot open shared object file")

    session = RunSession(broken)
    events: list[Event] = []
    session.events_arrived.connect(events.extend)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)
    (event,) = events
    assert isinstance(event, RunFailed)
    assert "libcudart" in event.message
    session.start(zoo.entry("lenet5").build(), RunConfig())  # still usable
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)


def test_a_run_starts_from_the_weights_that_were_given(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer
) -> None:
    given = InitialWeights(Path("given.safetensors"), "given.pth: 4 of 5 layers")
    with qtbot.waitSignal(session.initial_weights_changed):
        session.start_from(given)
    assert session.checkpoint == str(given.path)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    qtbot.waitUntil(lambda: session.state == "running", timeout=5_000)
    assert trainer.initial_weights == given.path
    assert session.checkpoint == str(given.path)  # until the run has written its own
    with pytest.raises(RuntimeError, match="a run is active"):
        session.start_from(None)
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=5_000)
    assert session.checkpoint == "weights"
    session.start_from(None)
    assert session.checkpoint == "weights"  # what a run has trained stays
    session.start_from(given)
    assert session.checkpoint == str(given.path)
    session.detach()
    assert session.initial_weights is None
    assert session.checkpoint is None


def test_what_looking_takes_is_measured_while_a_run_goes(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that the test sets: captures and showing are those of the control and of both budgets."""
    now_s = [100.0]
    busy_s = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now_s[0], thread_time=lambda: busy_s[0])
    monkeypatch.setattr(run_session, "time", clock)
    numbers: list[Event] = []

    def show(events: list[Event]) -> None:
        if any(isinstance(event, StepsRecorded) for event in events):
            numbers.extend(events)
            busy_s[0] += 0.05

    def wait_for_torch() -> None:
        now_s[0] += 50

    session.events_arrived.connect(show)
    session.started.connect(wait_for_torch)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    qtbot.waitUntil(lambda: session.state == "running", timeout=5_000)
    assert trainer.control is not None
    assert session.views_cost is None

    now_s[0] += 0.5
    trainer.next_step.release()
    qtbot.waitUntil(lambda: bool(numbers), timeout=5_000)
    trainer.control.pictures_took(0.2)
    now_s[0] += 3.5
    qtbot.waitUntil(lambda: session.views_cost is not None, timeout=5_000)
    assert session.views_cost == pytest.approx((0.2 / 4, 0, 0.05 / 4))

    session.stop()
    assert session.views_cost is None


def test_while_nothing_is_to_be_shown_the_window_looks_less_often(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that the test sets: the first numbers cost so much that the next come after three seconds."""
    now_s, busy_s = [100.0], [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now_s[0], thread_time=lambda: busy_s[0])
    monkeypatch.setattr(run_session, "time", clock)
    steps: list[Event] = []

    def show(events: list[Event]) -> None:
        busy_s[0] += 1
        steps.extend(event for event in events if isinstance(event, StepsRecorded))

    def interval_is(interval_ms: int) -> bool:
        return session._timer.interval() == interval_ms

    session.events_arrived.connect(show)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    assert interval_is(33)
    qtbot.waitUntil(lambda: session.state == "running", timeout=5_000)
    qtbot.waitUntil(lambda: interval_is(100), timeout=5_000)
    trainer.next_step.release()
    now_s[0] += 2.95
    qtbot.waitUntil(lambda: interval_is(33), timeout=5_000)
    assert not steps
    now_s[0] += 0.05
    qtbot.waitUntil(lambda: bool(steps), timeout=5_000)

    # What somebody begins to look at may come at any time, and so may the answer to a button.
    qtbot.waitUntil(lambda: interval_is(100), timeout=5_000)
    session.watch(Look(maps=("conv1",)))
    qtbot.waitUntil(lambda: interval_is(33), timeout=5_000)
    session.watch(Look())
    qtbot.waitUntil(lambda: interval_is(100), timeout=5_000)
    session.pause()
    assert interval_is(33)


def test_what_looking_took_is_asked_for_once_a_second(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that stands still, while events come."""
    clock = SimpleNamespace(perf_counter=lambda: 100.0, thread_time=lambda: 0.0)
    monkeypatch.setattr(run_session, "time", clock)
    told: list[float] = []
    tell = CostMeter.tell

    def count(meter: CostMeter, now_s: float, spent: ViewsCost, *, was_running: bool) -> None:
        told.append(now_s)
        tell(meter, now_s, spent, was_running=was_running)

    monkeypatch.setattr(CostMeter, "tell", count)
    turns: list[None] = []
    session._timer.timeout.connect(lambda: turns.append(None))
    session.start(zoo.entry("lenet5").build(), RunConfig())
    qtbot.waitUntil(lambda: session.state == "running", timeout=5_000)
    num_turns, num_told = len(turns), len(told)
    qtbot.waitUntil(lambda: len(turns) >= num_turns + 5, timeout=5_000)
    assert len(told) == num_told


def test_close_ends_a_paused_run(qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer) -> None:
    session.start(zoo.entry("lenet5").build(), RunConfig())
    session.pause()
    assert session.close(5)
    assert session.state == "idle"


def test_stop_in_a_pause_makes_no_further_step(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, rests, woken = [], threading.Event(), threading.Event()

    def train(
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None:
        control.pause()
        emit(started())
        while control.wait_if_paused(rests.set):
            steps.append(1)
            woken.set()
        woken.set()
        emit(finished(len(steps)))

    let_go = RunControl.resume

    def resume(control: RunControl) -> None:
        let_go(control)
        woken.wait(5)  # The thread may be as quick as that.

    monkeypatch.setattr(RunControl, "resume", resume)
    session = RunSession(train)
    session.start(zoo.entry("lenet5").build(), RunConfig())
    assert rests.wait(5)
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle")
    assert not steps


def test_one_run_at_a_time(qtbot: QtBot, session: RunSession) -> None:
    session.start(zoo.entry("lenet5").build(), RunConfig())
    with pytest.raises(RuntimeError, match="stop it first"):
        session.start(zoo.entry("lenet5").build(), RunConfig())


def test_what_is_watched_before_the_start_is_watched_from_the_start(
    qtbot: QtBot, session: RunSession, trainer: StepwiseTrainer
) -> None:
    probe = Probe(label="a zero", image=np.zeros((28, 28), np.uint8))
    session.watch(Look(maps=("conv1",), opened=("fc1",), probes=(probe,)))
    session.start(zoo.entry("lenet5").build(), RunConfig())
    qtbot.waitUntil(lambda: trainer.control is not None, timeout=5_000)
    assert trainer.control is not None
    watched = trainer.control.watched.look
    assert (watched.maps, watched.opened) == (("conv1",), ("fc1",))
    assert watched.probe is not None
    assert watched.probe.same_as(probe)


def test_probes_are_answered_latest_first_and_never_after_close(qtbot: QtBot) -> None:
    go = threading.Event()
    asked: list[str] = []

    def capture(request: ProbeRequest) -> tuple[Event, ...]:
        asked.append(label_of(request))
        go.wait(5)
        if label_of(request) == "bad":
            raise ValueError("no such layer")
        return ()

    probe = ProbeSession(capture)
    captured: list[str] = []
    failed: list[str] = []
    probe.captured.connect(lambda request, _: captured.append(label_of(request)))
    probe.failed.connect(lambda _, message: failed.append(message))
    probe.request(a_request("first"))
    qtbot.waitUntil(lambda: asked == ["first"], timeout=5_000)
    probe.request(a_request("dropped"))
    probe.request(a_request("last"))
    go.set()
    qtbot.waitUntil(lambda: captured == ["first", "last"], timeout=5_000)
    probe.request(a_request("bad"))
    qtbot.waitUntil(lambda: failed == ["no such layer"], timeout=5_000)
    assert asked == ["first", "last", "bad"]
    assert probe.close()
    probe.request(a_request("after the end"))
    assert "probe" not in {thread.name for thread in threading.enumerate()}


def test_the_probes_thread_ends_with_its_answer_and_a_later_request_has_another(qtbot: QtBot) -> None:
    threads: list[threading.Thread] = []
    opened = LayersOpened(run_id="", step=0, probe="a", layers={})

    def capture(request: ProbeRequest) -> tuple[Event, ...]:
        threads.append(threading.current_thread())
        return (opened,)

    probe = ProbeSession(capture)
    captured: list[tuple[Event, ...]] = []
    probe.captured.connect(lambda _, events: captured.append(events))
    for num_asked in (1, 2):
        with qtbot.waitSignal(probe.captured, timeout=5_000):
            probe.request(a_request("a"))
        threads[-1].join(5)
        assert "probe" not in {thread.name for thread in threading.enumerate()}
        assert len(set(threads)) == num_asked
        assert [events[0] is opened for events in captured] == [True] * num_asked
    assert probe.close()


def label_of(request: ProbeRequest) -> str:
    assert request.look.probe is not None
    return request.look.probe.label


def a_request(label: str) -> ProbeRequest:
    return ProbeRequest(
        architecture=zoo.entry("lenet5").build(),
        weights=None,
        seed=0,
        data="digits",
        look=Look(maps=("conv1",), probes=(Probe(label=label, image=np.zeros((28, 28), np.uint8)),)),
    )
