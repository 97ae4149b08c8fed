"""Runs followed over what stands between two machines: a mounted folder, and a copy that is brought up to date.

A copy grows by pieces that end anywhere, or is replaced as a whole by a newer one, as rsync does it; for a moment it
may be missing, or older than it was.
"""

import dataclasses
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer.runs import Event, RunStarted, StepsRecorded
from explorer.runs.database import hold_lock
from explorer.runs.follow import Follower
from explorer.runs.follow_journal import JOURNAL_NAME, Journal
from tests.runs.test_follow import all_losses, epoch, finished, started, steps

NUM_STEPS = 60


def a_run(folder: Path, *, resumes: bool = False) -> bytes:
    """The journal of a whole run; one that resumes is broken off after half of its steps and goes on from a quarter."""
    folder.mkdir(exist_ok=True)
    half, quarter = NUM_STEPS // 2, NUM_STEPS // 4
    with Journal(folder) as journal:
        journal.put(started())
        for step in range(1, half + 1):
            journal.put(steps(step, float(step), rate=step / 1000))
        journal.put(epoch(1, half))
    if resumes:
        with (folder / JOURNAL_NAME).open("ab") as file:
            file.write(b'{"event": "StepsRecorded", "run_id": "r", "first_st')
    with Journal(folder) as journal:
        if resumes:
            journal.put(started(resumed_step=quarter))
        for step in range((quarter if resumes else half) + 1, NUM_STEPS + 1):
            journal.put(steps(step, float(step), rate=step / 1000))
        journal.put(finished())
    return (folder / JOURNAL_NAME).read_bytes()


def curve(events: list[Event]) -> list[float]:
    """The losses that a view has in the end, which starts anew with each `RunStarted`."""
    begun = max((place for place, event in enumerate(events) if isinstance(event, RunStarted)), default=0)
    return all_losses(events[begun:])


EVERY_LOSS = [float(step) for step in range(1, NUM_STEPS + 1)]


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content[path.stat().st_size :])


def replace(path: Path, content: bytes) -> None:
    staged = path.with_name(".events.jsonl.Xy12")
    staged.write_bytes(content)
    staged.replace(path)


def rewrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("resumes", [False, True], ids=["one process", "resumed"])
@pytest.mark.parametrize("bring", [append, replace, rewrite])
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_that_grows_by_torn_pieces_gives_every_point_once(
    tmp_path: Path, bring: Callable[[Path, bytes], None], resumes: bool, seed: int
) -> None:
    whole = a_run(tmp_path / "run", resumes=resumes)
    copy = tmp_path / "copy"
    copy.mkdir()
    path = copy / JOURNAL_NAME
    path.touch()
    follower = Follower(copy, machine=lambda: "another")
    seen: list[Event] = []
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(whole)), 25))
    for number, cut in enumerate((*cuts, len(whole))):
        bring(path, whole[:cut])
        # Each copy is a second younger, as on file systems that count whole seconds.
        os.utime(path, ns=(0, (number + 1) * 10**9))
        seen += follower.poll()
    assert curve(seen) == EVERY_LOSS
    assert follower.status().state == "completed"
    if not resumes:
        assert all_losses(seen) == EVERY_LOSS


def test_a_copy_that_goes_back_and_comes_again_is_read_anew(tmp_path: Path) -> None:
    whole = a_run(tmp_path / "run")
    copy = tmp_path / "copy"
    copy.mkdir()
    path = copy / JOURNAL_NAME
    follower = Follower(copy, machine=lambda: "another")
    seen: list[Event] = []
    for number, length in enumerate((len(whole) // 2, len(whole) // 3, 0, len(whole))):
        path.write_bytes(whole[:length])
        os.utime(path, ns=(0, (number + 1) * 10**9))
        seen += follower.poll()
        path.unlink()
        assert follower.poll() == []
    assert curve(seen) == EVERY_LOSS
    assert follower.status().state == "completed"


def test_another_run_under_the_same_name_takes_the_place_of_the_first(tmp_path: Path) -> None:
    whole = a_run(tmp_path / "run")
    other = tmp_path / "other"
    other.mkdir()
    with Journal(other) as journal:
        journal.put(dataclasses.replace(started(), run_id="another"))
        for step in range(1, 4 * NUM_STEPS):
            journal.put(steps(step, -float(step), rate=step / 1000))
    longer = (other / JOURNAL_NAME).read_bytes()
    assert len(longer) > len(whole)
    copy = tmp_path / "copy"
    copy.mkdir()
    follower = Follower(copy, machine=lambda: "another")
    replace(copy / JOURNAL_NAME, whole)
    follower.poll()
    replace(copy / JOURNAL_NAME, longer)
    seen = follower.poll()
    assert isinstance(seen[0], RunStarted)
    assert seen[0].run_id == "another"
    assert curve(seen) == [-float(step) for step in range(1, 4 * NUM_STEPS)]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and the same folder mounted read-only elsewhere; needs the right to mount, which few have."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "--bind", source, target], capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount")
    try:
        subprocess.run([mount, "-o", "remount,bind,ro", target], check=True)
        yield source, target
    finally:
        subprocess.run(["umount", target], check=True)


def test_a_folder_that_is_mounted_read_only_is_followed_live(mounted: tuple[Path, Path]) -> None:
    source, target = mounted
    held: sqlite3.Connection = hold_lock(source / "running.lock")
    follower = Follower(target)
    seen: list[Event] = []
    with Journal(source) as journal:
        journal.put(started())
        for step in range(1, NUM_STEPS + 1):
            journal.put(steps(step, float(step)))
        while sum(len(event.losses) for event in seen if isinstance(event, StepsRecorded)) < NUM_STEPS:
            seen += follower.poll()
        assert follower.status().state == "running"
        journal.put(finished())
    held.close()
    seen += follower.poll()
    assert np.array_equal(all_losses(seen), EVERY_LOSS)
    assert follower.status().state == "completed"
