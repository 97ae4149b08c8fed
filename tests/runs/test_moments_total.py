"""Which runs give up their moments once those of all runs take too much: the oldest, and never one that goes on."""

import contextlib
import os
import time
from pathlib import Path

from explorer.runs.database import hold_lock
from explorer.runs.moments import DEFAULT_MEGABYTES, FOLDER_NAME, MomentStore, kept_moments
from explorer.runs.moments_total import give_up_oldest, total_bytes
from tests.runs.test_moments_packing import maps

NAMES = [f"20260101-00000{number}-abcd" for number in range(5)]


def make_run(root: Path, name: str, hours_ago: float) -> Path:
    """A run with three moments, the last of which was kept so long ago."""
    folder = root / name
    folder.mkdir()
    store = MomentStore(folder, 1 << 26)
    for step in range(3):
        store.put(step, [maps(step)])
    (folder / "model.safetensors").write_bytes(b"weights")
    last_s = time.time() - hours_ago * 3600
    os.utime(folder / FOLDER_NAME, (last_s, last_s))
    return folder


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / FOLDER_NAME).iterdir())


def with_moments(folders: list[Path]) -> list[int]:
    return [number for number, folder in enumerate(folders) if kept_moments(folder)]


def never() -> bool:
    return False


def test_the_runs_that_ended_longest_ago_give_theirs_up_whole(tmp_path: Path) -> None:
    hours = [50, 90, 70, 30, 0]
    folders = [make_run(tmp_path, name, ago) for name, ago in zip(NAMES, hours, strict=True)]
    give_up_oldest(folders[4], sum(map(size_of, folders)), never)
    assert with_moments(folders) == [0, 1, 2, 3, 4], "all fit"
    give_up_oldest(folders[4], sum(map(size_of, folders)) - size_of(folders[1]) - 1, never)
    assert with_moments(folders) == [0, 3, 4], "one is not enough by a byte"
    assert all(len(kept_moments(folders[number])) == 3 for number in (0, 3, 4))
    assert all((folder / "model.safetensors").exists() for folder in folders)


def test_a_run_that_goes_on_in_any_program_keeps_its_moments(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, name, 90 - number) for number, name in enumerate(NAMES)]
    with contextlib.closing(hold_lock(folders[0] / "running.lock")):
        give_up_oldest(folders[4], 0, never)
        assert with_moments(folders) == [0, 4]
    give_up_oldest(folders[4], 0, never)
    assert with_moments(folders) == [4], "its own stay, however old"


def test_a_run_of_the_last_hour_may_go_on_where_no_lock_is_seen(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, name, ago) for name, ago in zip(NAMES[:3], (0.9, 1.1, 0), strict=True)]
    give_up_oldest(folders[2], 0, never)
    assert with_moments(folders) == [0, 2]


def test_what_is_no_run_is_left_alone(tmp_path: Path) -> None:
    mine, other = make_run(tmp_path, NAMES[0], 0), make_run(tmp_path, "my own folder", 90)
    (tmp_path / NAMES[1]).write_bytes(b"a file")
    (tmp_path / NAMES[2]).mkdir()
    give_up_oldest(mine, 0, never)
    assert len(kept_moments(other)) == 3


def test_nothing_goes_any_more_once_the_run_has_ended(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, name, 90) for name in NAMES[:2]]
    give_up_oldest(folders[1], 0, lambda: True)
    assert with_moments(folders) == [0, 1]


def test_a_run_that_asks_for_little_takes_nothing_from_others() -> None:
    usual = 8 * DEFAULT_MEGABYTES * 1024**2
    assert total_bytes(1024**2) == total_bytes(DEFAULT_MEGABYTES * 1024**2) == usual
    assert total_bytes(1024**3) == 8 * 1024**3
