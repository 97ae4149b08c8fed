"""Pausing holds a thread, and each way out of a pause lets it go; a small trainer stands in for the real one."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from explorer.runs import Look, Probe, RunControl

PATIENCE_S = 30.0


class Trainer:
    """A thread that makes steps until stopped, and reports each time it comes to rest."""

    def __init__(self, control: RunControl) -> None:
        self.control = control
        self.num_steps = 0
        self.watched: list[tuple[str, ...]] = []
        self._rests = threading.Semaphore(0)
        self._steps = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while self.control.wait_if_paused(self._rest):
            self.num_steps += 1
            self._steps.release()

    def _rest(self) -> None:
        self.watched.append(self.control.watched.look.maps)
        self._rests.release()

    def until_at_rest(self) -> None:
        assert self._rests.acquire(timeout=PATIENCE_S)

    def until_stepped(self) -> None:
        assert self._steps.acquire(timeout=PATIENCE_S)

    def until_ended(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def a_probe(**different: Any) -> Probe:
    same: dict[str, Any] = {"label": "3", "image": np.zeros((2, 2), np.uint8), "target": 3}
    return Probe(**(same | different))


@pytest.fixture
def control() -> RunControl:
    return RunControl()


@pytest.fixture
def resting(control: RunControl) -> Iterator[Trainer]:
    """A trainer that was paused before its first step."""
    control.pause()
    trainer = Trainer(control)
    trainer.until_at_rest()
    yield trainer
    control.stop()
    trainer.until_ended()


def test_a_new_run_goes_on_at_once(control: RunControl) -> None:
    assert control.wait_if_paused(pytest.fail)
    assert not control.is_paused
    assert not control.stop_requested


def test_pause_holds_the_trainer(resting: Trainer, control: RunControl) -> None:
    assert control.is_paused
    assert resting.num_steps == 0


def test_stop_ends_a_pause(resting: Trainer, control: RunControl) -> None:
    control.stop()
    resting.until_ended()
    assert control.stop_requested
    assert resting.num_steps == 0


def test_a_single_step_is_one_step(resting: Trainer, control: RunControl) -> None:
    control.step_once()
    resting.until_at_rest()
    assert resting.num_steps == 1
    assert control.is_paused


def test_each_request_is_one_step(control: RunControl) -> None:
    for _ in range(3):
        control.step_once()
    trainer = Trainer(control)
    trainer.until_at_rest()
    control.stop()
    trainer.until_ended()
    assert trainer.num_steps == 3


def test_resume_lets_it_run_and_pause_holds_it_again(resting: Trainer, control: RunControl) -> None:
    control.resume()
    resting.until_stepped()
    resting.until_stepped()
    assert not control.is_paused
    control.pause()
    resting.until_at_rest()
    assert control.is_paused


def test_resume_forgets_single_steps(control: RunControl) -> None:
    control.step_once()
    control.resume()
    control.pause()
    rests: list[bool] = []

    def rest() -> None:
        rests.append(True)
        control.stop()

    assert not control.wait_if_paused(rest)
    assert rests == [True]


def test_stop_before_the_wait(control: RunControl) -> None:
    control.pause()
    control.step_once()
    control.stop()
    assert not control.wait_if_paused(pytest.fail)


def test_stop_wins_over_resume(control: RunControl) -> None:
    control.stop()
    control.resume()
    assert not control.wait_if_paused()


def test_a_pause_without_listener_ends(control: RunControl) -> None:
    control.pause()
    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(control.wait_if_paused()))
    thread.start()
    control.watch(Look(maps=("conv1",)))
    control.resume()
    thread.join(PATIENCE_S)
    assert ended == [True]


def test_a_signal_handler_may_stop_the_thread_that_it_interrupts(control: RunControl) -> None:
    control.pause()
    before = signal.signal(signal.SIGINT, lambda *_: control.stop())
    try:
        assert not control.wait_if_paused(lambda: signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_watch_is_served_during_a_pause(resting: Trainer, control: RunControl) -> None:
    control.watch(Look(maps=("conv1",)))
    resting.until_at_rest()
    control.watch(Look(maps=("conv2", "fc")))
    resting.until_at_rest()
    assert resting.watched == [(), ("conv1",), ("conv2", "fc")]
    assert resting.num_steps == 0


def test_the_same_watch_changes_nothing(control: RunControl) -> None:
    image = np.arange(4, dtype=np.uint8).reshape(2, 2)
    control.watch(Look(maps=("a", "b"), probes=(Probe(label="3", image=image, target=3),)))
    first = control.watched
    for maps in (("a", "b"), ("b", "a"), ("a", "b", "a")):
        control.watch(Look(maps=maps, probes=(Probe(label="3", image=image.copy(), target=3),)))
        assert control.watched is first
    assert first.look.probe is not None
    assert (first.look.maps, first.look.probe.label, first.version) == (("a", "b"), "3", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"maps": ("a",)},
        {"opened": ("a",)},
        {"weighed": ("a",)},
        {"measures": True},
        {"explained": True},
        {"explained_layer": "a"},
        {"explained_class": 0},
        {"current": 1},
        {"probes": ()},
        {"probes": (a_probe(label="4"),)},
        {"probes": (a_probe(target=4),)},
        {"probes": (a_probe(image=np.ones((2, 2), np.uint8)),)},
        {"probes": (a_probe(image=np.zeros((2, 2), np.float32)),)},
        {"probes": (a_probe(), a_probe(label="4"))},
    ],
)
def test_each_change_of_the_watch_counts(control: RunControl, change: dict[str, Any]) -> None:
    same: dict[str, Any] = {"maps": ("a", "b"), "probes": (a_probe(),)}
    control.watch(Look(**same))
    control.watch(Look(**(same | change)))
    assert control.watch_version == control.watched.version == 2


def test_the_probe_image_is_a_read_only_copy(control: RunControl) -> None:
    image = np.zeros((2, 2), np.uint8)
    control.watch(Look(maps=("a",), probes=(a_probe(), a_probe(label="4", image=image))))
    image[:] = 7
    _, kept = control.watched.look.probes
    assert (kept.label, kept.target, kept.image.max()) == ("4", 3, 0)
    with pytest.raises(ValueError, match="read-only"):
        kept.image[0, 0] = 1


def test_a_learning_rate_is_taken_once(control: RunControl) -> None:
    assert control.learning_rate_change() is None
    control.set_learning_rate(0.1)
    control.set_learning_rate(0.2)
    assert control.learning_rate_change() == 0.2
    assert control.learning_rate_change() is None


def test_a_learning_rate_that_does_not_fit_is_refused(control: RunControl) -> None:
    with pytest.raises(ValueError, match="learning_rate: received nan; use a number from"):
        control.set_learning_rate(float("nan"))
    assert control.learning_rate_change() is None


def test_pictures_are_taken_unasked_until_somebody_asks_for_the_first() -> None:
    control = RunControl()
    awaited = []
    for change in (control.pictures_sent, control.ask_for_pictures, control.pictures_sent, control.ask_for_pictures):
        change()
        awaited.append(control.are_pictures_awaited)
    assert awaited == [True, True, False, True]
