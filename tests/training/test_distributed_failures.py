"""A process of several that fails alone: all end, and the record says why; and what is said of a lack of memory."""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from explorer import zoo
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.runs import RunConfig, RunControl, RunFailed, RunRecord, RunStore
from explorer.runs.follow import Follower
from explorer.runtime.devices import DeviceMemory
from explorer.training import distributed_group, fitting, loop, plan_run
from explorer.training.distributed import Alone, joined, largest_share
from explorer.training.distributed_group import Group
from explorer.training.fitting import fitting_batch_size_of_several
from explorer.training.loop import train
from explorer.training.plan import RunPlan
from explorer.training.step import Step
from tests.training.breaking_worker import NUM_STEPS
from tests.training.test_distributed import free_port

COMMAND = ("train", "lenet5", "--device", "cpu", "--epochs", "20000", "--batch-size", "64")


def ended(home: Path, failing: int) -> tuple[list[int], list[str], RunRecord]:
    """What two processes leave behind, of which one fails: exit statuses, what they said, and the run's record."""
    port = free_port()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.breaking_worker", str(failing), *COMMAND],
            env=os.environ
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
            | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=90)[1] for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    with RunStore(home / "runs") as store:
        (record,) = store.list()
    return [process.returncode for process in started], said, record


@pytest.mark.parametrize("failing", [0, 1])
def test_a_process_that_fails_alone_and_cannot_leave_the_others_ends_and_so_do_they(
    failing: int, own_home: Path
) -> None:
    statuses, said, record = ended(own_home, failing)
    assert statuses == [1, 1], said
    broke = f"step {NUM_STEPS + 1}: LookupError: a kernel broke"
    assert broke in said[failing]
    lost = f"step {NUM_STEPS + 1}: another of the 2 processes ended or no longer answers"
    assert lost in said[1 - failing]
    assert record.state == "failed"
    assert (record.message or "").startswith(broke if failing == 0 else lost)
    last = Follower(record.folder).poll()[-1]
    assert isinstance(last, RunFailed), "the journal is whole"
    assert last.message == record.message


class Left:
    """How a process alone in its group leaves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, may_leave: bool) -> None:
        self.threads: list[threading.Thread] = []
        """In which it was asked to."""
        self.at_exit: list[object] = []
        self.may_go_on = threading.Event()
        if may_leave:
            self.may_go_on.set()
        for name, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(dist, "init_process_group", lambda *_, **__: None)
        monkeypatch.setattr(dist, "is_initialized", lambda: True)
        monkeypatch.setattr(dist, "destroy_process_group", self.leave)
        monkeypatch.setattr(atexit, "register", self.at_exit.append)
        monkeypatch.setattr(distributed_group, "_PATIENCE_S", 10.0 if may_leave else 0.0)

    def leave(self) -> None:
        self.threads.append(threading.current_thread())
        self.may_go_on.wait(10)


@pytest.fixture(params=[True, False], ids=["leaves", "waits"])
def left(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Left]:
    made = Left(monkeypatch, request.param)
    yield made
    made.may_go_on.set()
    for thread in made.threads:
        if thread is not threading.current_thread():
            thread.join(10)
            assert not thread.is_alive()


def test_only_a_failed_run_s_process_that_cannot_leave_is_ended(left: Left) -> None:
    with joined(RunControl(), lambda _why: None) as ranks:
        ranks.note_end(is_failure=True)
    assert left.at_exit == ([] if left.may_go_on.is_set() else [distributed_group._end_at_once])


def test_a_process_that_an_exception_ends_leaves_as_after_a_failure(left: Left) -> None:
    with contextlib.suppress(KeyError), joined(RunControl(), lambda _why: None):
        raise KeyError
    assert left.at_exit == ([] if left.may_go_on.is_set() else [distributed_group._end_at_once])


def test_a_run_that_ended_well_is_left_together(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Left(monkeypatch, may_leave=True)
    with joined(RunControl(), lambda _why: None) as ranks:
        ranks.note_end(is_failure=False)
    assert left.threads == [threading.current_thread()]
    assert left.at_exit == []


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at this signal")
def test_a_signal_while_leaving_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    left, ends = Left(monkeypatch, may_leave=True), list[str]()
    monkeypatch.setattr(dist, "destroy_process_group", lambda: os.kill(os.getpid(), signal.SIGTERM))
    with joined(RunControl(), ends.append) as ranks:
        ranks.note_end(is_failure=True)
    assert (left.at_exit, ends) == ([], [])


class _Two(Alone):
    """Two processes, of which the other one is not there."""

    size = 2

    def __init__(self) -> None:
        self.ends: list[bool] = []

    def note_end(self, *, is_failure: bool) -> None:
        self.ends.append(is_failure)


@pytest.mark.usefixtures("few_digits")
def test_after_a_lack_of_memory_no_process_waits_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_step: Step, _x: torch.Tensor, _target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    waited: list[str] = []

    def try_it(*_: object, **__: object) -> None:
        waited.append("for all in a step")

    monkeypatch.setattr(Step, "__call__", fail)
    monkeypatch.setattr(loop, "make_attempt", try_it)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: waited.append("for what the device does for all"))
    ranks, config = _Two(), RunConfig(device="cpu", batch_size=16)
    result = train(zoo.entry("lenet5").build(), config, lambda _: None, RunControl(), run_id="r", ranks=ranks)
    assert isinstance(result, RunFailed)
    assert result.fitting_batch_size == 8
    assert "use a batch_size of 8 or less" in result.message
    assert (ranks.ends, waited) == ([True], [])


def plan_of(batch_size: int, *, is_scaled: bool = False) -> RunPlan:
    config = RunConfig(device="cpu", batch_size=batch_size, optimizer="adam", scale_with_processes=is_scaled)
    return plan_run(zoo.entry("lenet5").build(), config)


def needed_bytes(plan: RunPlan, images: int) -> int:
    return memory(plan.architecture, infer(plan.architecture), batch_size=images, optimizer="adam").training_bytes


@pytest.mark.parametrize(("is_scaled", "fits"), [(False, 40), (True, 10)])
def test_what_fits_is_worked_out_from_a_process_s_share(
    is_scaled: bool, fits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, size = plan_of(512, is_scaled=is_scaled), 4
    gradients = memory(plan.architecture, infer(plan.architecture), batch_size=1).gradient_bytes
    # The processes share the machine.
    room = size * (needed_bytes(plan, 10) + gradients)
    monkeypatch.setattr(fitting, "device_memory", lambda _: DeviceMemory("cpu", room, room))
    found = fitting_batch_size_of_several(plan, MemoryError(), size, is_made=False, has_state=False)
    assert found == fits


def test_what_lies_on_the_device_already_is_no_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(512)
    whole = memory(plan.architecture, infer(plan.architecture), batch_size=1, optimizer="adam")
    standing = whole.weights_bytes + whole.buffers_bytes
    for has_state in (False, True):
        there = standing + (whole.optimizer_bytes if has_state else 0)
        room = 2 * (needed_bytes(plan, 20) - there)
        monkeypatch.setattr(fitting, "device_memory", lambda _, room=room: DeviceMemory("cpu", room, room))
        found = fitting_batch_size_of_several(plan, MemoryError(), 2, is_made=True, has_state=has_state)
        assert found == 40


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("batch_size", [2, 3, 7, 24, 100])
@pytest.mark.parametrize("images", [0, 1, 2, 3, 10])
def test_the_answer_is_a_smaller_batch_whose_shares_fit(
    images: int, batch_size: int, size: int, is_scaled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(batch_size * size if is_scaled else batch_size, is_scaled=is_scaled)
    monkeypatch.setattr(fitting, "predicted_batch_size", lambda *_: images)
    found = fitting_batch_size_of_several(plan, MemoryError(), size, is_made=True, has_state=True)
    most = images
    if images >= largest_share(plan.batch_size, size):
        most = largest_share(plan.batch_size, size) // 2
    unit = size if is_scaled else 1
    if found is None:
        assert all(largest_share(count * unit, size) > most for count in range(1, plan.batch_size // unit))
    else:
        assert found * unit < plan.batch_size
        assert largest_share(found * unit, size) <= most


def test_the_share_is_what_positions_are_given_out_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "init_process_group", lambda *_, **__: None)
    monkeypatch.setenv("WORLD_SIZE", "4")
    for count in (1, 2, 3, 5, 7, 8, 33, 128):
        shares = []
        for rank in range(4):
            monkeypatch.setenv("RANK", str(rank))
            group = Group()
            own = group.positions(torch.arange(count))
            shares.append(len(own) if group._counts else 0)
        assert sum(shares) == count
        assert max(shares) == shares[0] == largest_share(count, 4)
