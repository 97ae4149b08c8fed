import dataclasses
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer.runs import (
    CheckpointSaved,
    EpochFinished,
    Event,
    RunConfig,
    RunFailed,
    RunFinished,
    RunStarted,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.runs.database import hold_lock
from explorer.runs.follow import SILENT_S, Follower, is_run_folder
from explorer.runs.follow_journal import JOURNAL_NAME, Begun, Journal, from_line, joined, this_machine, to_line


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    held = hold_lock(tmp_path / "running.lock")
    yield held
    held.close()


def started(resumed_step: int = 0) -> RunStarted:
    return RunStarted(
        run_id="r",
        config=RunConfig(epochs=2, seed=7),
        architecture_name="LeNet-5",
        device="cpu",
        num_train=8,
        num_test=4,
        steps_per_epoch=2,
        num_parameters=10,
        notes=("One.", "Two."),
        resumed_step=resumed_step,
    )


def steps(first: int, *losses: float, rate: float = 0.1) -> StepsRecorded:
    return StepsRecorded(
        run_id="r",
        first_step=first,
        losses=np.array(losses, np.float32),
        accuracies=np.linspace(0, 1, len(losses), dtype=np.float32),
        learning_rate=rate,
        epoch=1,
        images_per_second=12.5,
        seconds_left=None,
        num_steps_total=4,
    )


def epoch(number: int, step: int, loss: float = 0.5) -> EpochFinished:
    return EpochFinished(
        run_id="r",
        epoch=number,
        step=step,
        seconds=1.0,
        train_loss=loss,
        train_accuracy=0.5,
        test_loss=0.25,
        test_accuracy=0.75,
        images_per_second=3.0,
    )


def finished() -> RunFinished:
    return RunFinished(
        run_id="r",
        reason="completed",
        step=4,
        seconds=2.0,
        checkpoint="/elsewhere/r/weights.safetensors",
        train_loss=0.1,
        train_accuracy=1.0,
        test_accuracy=None,
        images_per_second=None,
    )


def all_losses(events: list[Event]) -> list[float]:
    return [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]


def append(folder: Path, *events: Event | Begun) -> None:
    with (folder / JOURNAL_NAME).open("ab") as file:
        file.write("".join(f"{to_line(event)}\n" for event in events).encode())


def here() -> Begun:
    return Begun(this_machine(), "here", os.getpid())


@pytest.mark.parametrize(
    "event",
    [
        started(),
        epoch(1, 2, float("nan")),
        StateChanged(run_id="r", state="paused"),
        TroubleMet(run_id="r", message="Die Platte ist voll: übel."),
        RunFailed(run_id="r", message="step 3: …", details="line\nline", checkpoint=None, fitting_batch_size=4),
    ],
)
def test_a_line_says_all_of_an_event(event: Event, tmp_path: Path) -> None:
    line = to_line(event)
    assert "\n" not in line
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert repr(from_line(line.encode(), tmp_path)) == repr(event)


def test_losses_survive_to_the_last_bit(tmp_path: Path) -> None:
    event = steps(5, 1 / 3, float("nan"), float("inf"))
    back = from_line(to_line(event).encode(), tmp_path)
    assert isinstance(back, StepsRecorded)
    assert back.losses.tobytes() == event.losses.tobytes()
    assert back.accuracies.tobytes() == event.accuracies.tobytes()
    assert (back.first_step, back.last_step, back.seconds_left) == (5, 7, None)


@pytest.mark.parametrize("path", ["/elsewhere/r/w.safetensors", r"C:\runs\r\w.safetensors", "../../w.safetensors"])
def test_files_are_looked_for_in_the_folder_that_is_read(path: str, tmp_path: Path) -> None:
    back = from_line(to_line(CheckpointSaved(run_id="r", step=1, path=path)).encode(), tmp_path)
    assert isinstance(back, CheckpointSaved)
    assert back.path == str(tmp_path / "w.safetensors")


def test_a_torn_or_unknown_line_says_nothing(tmp_path: Path) -> None:
    line = to_line(finished()).encode()
    assert from_line(line[:-9], tmp_path) is None
    assert from_line(b'{"event": "MoonLanded", "run_id": "r"}', tmp_path) is None
    assert from_line(b"[1, 2]", tmp_path) is None
    assert from_line(line[:-1] + b', "later": 1}', tmp_path) == dataclasses.replace(
        finished(), checkpoint=str(tmp_path / "weights.safetensors")
    )


def test_neighbouring_steps_become_one_line_and_others_do_not() -> None:
    apart: list[Event | Begun] = [steps(1, 0.1), steps(2, 0.2, 0.3), steps(4, 0.4, rate=0.2)]
    together = joined([*apart, epoch(1, 4), steps(5, 0.5), steps(7, 0.7)])
    assert [type(event).__name__ for event in together] == [
        "StepsRecorded",
        "StepsRecorded",
        "EpochFinished",
        "StepsRecorded",
        "StepsRecorded",
    ]
    first = together[0]
    assert isinstance(first, StepsRecorded)
    assert first.first_step == 1
    np.testing.assert_allclose(first.losses, [0.1, 0.2, 0.3])


def test_a_follower_sees_every_point_of_a_journal_that_grows(tmp_path: Path, lock: sqlite3.Connection) -> None:
    follower = Follower(tmp_path)
    assert follower.poll() == []
    assert follower.status().state == "waiting"
    seen: list[Event] = []
    with Journal(tmp_path) as journal:
        journal.put(started())
        for step in range(1, 200):
            journal.put(steps(step, float(step)))
            seen += follower.poll()
        journal.put(epoch(1, 199))
        journal.put(finished())
    seen += follower.poll()
    assert is_run_folder(tmp_path)
    assert all_losses(seen) == [float(step) for step in range(1, 200)]
    assert [type(event) for event in (seen[0], *seen[-2:])] == [RunStarted, EpochFinished, RunFinished]
    assert seen[0] == started()
    assert follower.status().state == "completed"
    assert follower.status().process == os.getpid()
    assert "journal" not in {thread.name for thread in threading.enumerate()}


def test_a_line_is_read_once_it_is_whole(tmp_path: Path, lock: sqlite3.Connection) -> None:
    append(tmp_path, here(), started())
    follower = Follower(tmp_path)
    follower.poll()
    line = f"{to_line(steps(1, 0.5))}\n".encode()
    for cut in (line[:30], line[30:31], line[31:-1]):
        with (tmp_path / JOURNAL_NAME).open("ab") as file:
            file.write(cut)
        assert follower.poll() == []
    with (tmp_path / JOURNAL_NAME).open("ab") as file:
        file.write(line[-1:])
    assert all_losses(follower.poll()) == [0.5]


def test_a_run_that_goes_on_after_a_torn_line_keeps_what_its_checkpoint_had(
    tmp_path: Path, lock: sqlite3.Connection
) -> None:
    append(tmp_path, here(), started(), steps(1, 1.0, 2.0), epoch(1, 2), steps(3, 3.0, 4.0))
    with (tmp_path / JOURNAL_NAME).open("ab") as file:
        file.write(to_line(steps(5, 5.0)).encode()[:-20])
    follower = Follower(tmp_path)
    assert all_losses(follower.poll()) == [1.0, 2.0, 3.0, 4.0]
    with Journal(tmp_path) as journal:
        journal.put(started(resumed_step=3))
        journal.put(steps(4, 4.5))
        journal.put(finished())
    seen = follower.poll()
    assert isinstance(seen[0], RunStarted)
    assert all_losses(seen) == [1.0, 2.0, 3.0, 4.5]
    assert [event.epoch for event in seen if isinstance(event, EpochFinished)] == [1]
    late = Follower(tmp_path).poll()
    after = late[max(place for place, event in enumerate(late) if isinstance(event, RunStarted)) :]
    assert all_losses(after) == [1.0, 2.0, 3.0, 4.5]


def test_a_killed_run_is_known_on_its_machine_by_its_lock(tmp_path: Path, lock: sqlite3.Connection) -> None:
    clock = Clock()
    append(tmp_path, here(), started(), steps(1, 1.0))
    follower = Follower(tmp_path, clock=clock)
    follower.poll()
    clock.now_s += 60
    follower.poll()
    assert follower.status().state == "running"
    lock.close()
    follower.poll()
    assert follower.status().state == "interrupted"
    assert follower.status().is_ended


def test_a_run_that_has_just_let_go_of_its_lock_is_not_called_dead(tmp_path: Path, lock: sqlite3.Connection) -> None:
    clock = Clock()
    append(tmp_path, here(), started())
    follower = Follower(tmp_path, clock=clock)
    follower.poll()
    lock.close()
    clock.now_s += 0.5
    follower.poll()
    assert follower.status().state == "running"
    append(tmp_path, finished())
    follower.poll()
    assert follower.status().state == "completed"


def test_a_run_elsewhere_is_silent_and_lifeless_by_the_readers_own_clock(tmp_path: Path) -> None:
    clock = Clock()
    append(tmp_path, here(), started())
    path = tmp_path / JOURNAL_NAME
    follower = Follower(tmp_path, clock=clock, machine=lambda: "another")
    follower.poll()
    for beat in range(1, 14):
        clock.now_s += 10
        os.utime(path, ns=(0, beat * 10**9))  # a clock that is years behind
        follower.poll()
    status = follower.status()
    assert (status.state, status.is_silent) == ("running", True)
    assert status.silent_s >= SILENT_S
    assert status.lifeless_s == 0
    append(tmp_path, steps(1, 1.0))
    follower.poll()
    assert not follower.status().is_silent
    clock.now_s += 300
    follower.poll()
    assert follower.status().lifeless_s == 300
    assert not follower.status().is_ended


def test_a_paused_run_is_not_silent_while_it_beats(tmp_path: Path) -> None:
    clock = Clock()
    append(tmp_path, here(), started(), StateChanged(run_id="r", state="paused"))
    follower = Follower(tmp_path, clock=clock, machine=lambda: "another")
    follower.poll()
    clock.now_s += 600
    os.utime(tmp_path / JOURNAL_NAME, ns=(0, 1))
    follower.poll()
    assert not follower.status().is_silent


def test_a_journal_beats_while_there_is_nothing_to_say(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL_NAME
    with Journal(tmp_path, beat_interval_s=0.0):
        follower = Follower(tmp_path)
        while not path.exists() or not path.stat().st_size:
            follower.poll()
        os.utime(path, ns=(0, 0))
        size = path.stat().st_size
        while path.stat().st_mtime_ns == 0:
            follower.poll()
    assert path.stat().st_size == size


def test_a_disk_that_refuses_loses_nothing_that_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    journal = Journal(folder)
    journal.put(started())
    journal.put(steps(1, 1.0))
    while not journal.is_refused:
        pass
    folder.mkdir()
    journal.close()
    assert all_losses(Follower(folder).poll()) == [1.0]


def test_another_file_of_that_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    append(tmp_path, here(), started(), steps(1, 1.0, 2.0, 3.0))
    follower = Follower(tmp_path, machine=lambda: "another")
    follower.poll()
    (tmp_path / JOURNAL_NAME).unlink()
    append(tmp_path, here(), started())
    assert [type(event) for event in follower.poll()] == [RunStarted]


def test_a_folder_that_is_not_there_is_an_error_and_one_without_a_journal_waits(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Follower(tmp_path / "nowhere").poll()
    assert Follower(tmp_path).poll() == []
