"""The moments of a run on disk: what stays of any sequence, what a kill or a full disk leaves."""

import errno
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.runs import FeatureMapsCaptured
from explorer.runs.moments import (
    BUDGET_VARIABLE,
    DEFAULT_MEGABYTES,
    FOLDER_NAME,
    MomentFileError,
    MomentStore,
    budget_bytes,
    kept_moments,
    read_moment,
    thinned,
)
from explorer.runs.moments_packing import Moment
from tests.runs.test_moments_packing import assert_same, explained, maps, opened, statistics, weights
from tests.small_disk import fill, free, small_disk


def steps_of(folder: Path) -> list[int]:
    return [moment.step for moment in kept_moments(folder)]


def test_moments_come_back_as_they_were_kept(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    events: dict[int, list[Moment]] = {0: [maps(0), weights()], 7: [statistics(), explained(), opened()]}
    for step, kept in events.items():
        assert store.put(step, kept)
    assert steps_of(tmp_path) == [0, 7]
    for step, kept in events.items():
        for got, expected in zip(read_moment(tmp_path, step), kept, strict=True):
            assert_same(got, expected)


def test_a_run_without_moments_has_none(tmp_path: Path) -> None:
    assert kept_moments(tmp_path) == ()
    with pytest.raises(MomentFileError, match="step-000000003"):
        read_moment(tmp_path, 3)


def test_nothing_is_made_before_the_first_moment(tmp_path: Path) -> None:
    MomentStore(tmp_path, 1 << 20)
    assert list(tmp_path.iterdir()) == []


sequences = st.lists(st.integers(1, 400), min_size=1, max_size=120).map(
    lambda gaps: [sum(gaps[:place]) for place in range(len(gaps) + 1)]
)


@given(sequences, st.integers(2, 40))
def test_what_stays_is_near_even(steps: list[int], most: int) -> None:
    """However moments arrive: no gap is wider than it was from the start, or twice the even one."""
    kept: dict[int, int] = {}
    for step in steps:
        kept[step] = 1
        for gone in thinned(kept, 1 << 30, most):
            del kept[gone]
        assert len(kept) <= most
        assert {steps[0], step} <= kept.keys()
    left = sorted(kept)
    original = {after: after - before for before, after in itertools.pairwise(steps)}
    even = 2 * (steps[-1] - steps[0]) / max(1, most - 1)
    for before, after in itertools.pairwise(left):
        assert after - before <= max(original[after], even)


@given(sequences, st.data())
def test_the_budget_holds_whatever_the_sizes(steps: list[int], data: st.DataObject) -> None:
    sizes = {step: data.draw(st.integers(1, 100)) for step in steps}
    budget = data.draw(st.integers(200, 2000))
    kept: dict[int, int] = {}
    for step in steps:
        kept[step] = sizes[step]
        for gone in thinned(kept, budget, 1000):
            del kept[gone]
        assert sum(kept.values()) <= budget
        assert {steps[0], step} <= kept.keys()


@settings(max_examples=10, deadline=None)
@given(steps=st.lists(st.integers(0, 5000), min_size=1, max_size=25, unique=True))
def test_the_files_stay_within_the_budget(steps: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("run")
    budget = 12_000
    store = MomentStore(folder, budget)
    for step in sorted(steps):
        store.put(step, [maps(step)])
        on_disk = kept_moments(folder)
        assert sum(moment.num_bytes for moment in on_disk) <= budget
        assert tuple(moment.step for moment in on_disk) == store.steps
        assert sum(moment.num_bytes for moment in on_disk) == store.num_bytes
        assert min(steps) in store.steps
        assert step in store.steps


def test_an_even_stream_stays_even(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26, most_moments=9)
    for step in range(257):
        store.put(step, [maps(step)])
    left = store.steps
    assert (left[0], left[-1]) == (0, 256)
    gaps = [after - before for before, after in itertools.pairwise(left)]
    assert len(left) == 9
    assert max(gaps) <= 2 * 256 / 8


def test_an_event_too_large_for_the_budget_is_left_out_alone(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 40_000)
    assert store.put(0, [maps(0), weights()])
    (only,) = read_moment(tmp_path, 0)
    assert isinstance(only, FeatureMapsCaptured)
    assert not store.put(1, [weights()])
    assert steps_of(tmp_path) == [0]


def test_a_budget_for_nothing_keeps_nothing(tmp_path: Path) -> None:
    assert not MomentStore(tmp_path, 10).put(0, [maps(0)])
    assert kept_moments(tmp_path) == ()


def test_what_a_killed_process_left_is_no_moment_and_goes(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 20)
    store.put(3, [maps(3)])
    part = tmp_path / FOLDER_NAME / "step-000000004.part"
    part.write_bytes(b"half of it")
    assert steps_of(tmp_path) == [3]
    again = MomentStore(tmp_path, 1 << 20)
    assert not part.exists()
    assert again.steps == (3,)
    again.put(5, [maps(5)])
    assert steps_of(tmp_path) == [3, 5]


def test_a_torn_file_is_said_and_hides_no_other(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 20)
    for step in (1, 2):
        store.put(step, [maps(step)])
    path = tmp_path / FOLDER_NAME / "step-000000001.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MomentFileError, match=r"step-000000001\.npz: cannot be read"):
        read_moment(tmp_path, 1)
    assert_same(read_moment(tmp_path, 2)[0].step, 2)


@pytest.mark.parametrize(
    ("offset", "bit"), [(8, 0), (8, 5), (10, 0), (10, 2)], ids=["encrypted", "patched", "Deflate64", "bzip2"]
)
def test_flags_and_methods_that_no_moment_has_are_said(offset: int, bit: int, tmp_path: Path) -> None:
    """In the archive's directory (APPNOTE.TXT 4.4.4, 4.4.5): encrypted, patched; packed by Deflate64, by bzip2."""
    MomentStore(tmp_path, 1 << 20).put(1, [maps(1)])
    path = tmp_path / FOLDER_NAME / "step-000000001.npz"
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(MomentFileError, match=r"step-000000001\.npz: cannot be read"):
        read_moment(tmp_path, 1)


def test_other_files_in_the_folder_are_no_moments(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).mkdir()
    for name in ("step-12.npz", "notes.txt", "step-000000001.npz.bak"):
        (tmp_path / FOLDER_NAME / name).write_bytes(b"x")
    assert kept_moments(tmp_path) == ()


def test_a_run_that_goes_on_from_before_loses_what_came_after(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 20)
    for step in (0, 4, 8, 12):
        store.put(step, [maps(step)])
    store.cut_off(7)
    assert steps_of(tmp_path) == [0, 4]


def test_a_full_disk_refuses_and_leaves_the_rest_whole(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        store = MomentStore(disk, 1 << 26)
        store.put(0, [maps(0)])
        fill(disk)
        with pytest.raises(OSError) as refused:  # noqa: PT011 - its number is asked
            store.put(1, [weights()])
        assert refused.value.errno == errno.ENOSPC
        assert steps_of(disk) == [0]
        assert [path.suffix for path in (disk / FOLDER_NAME).iterdir()] == [".npz"]
        free(disk)
        assert store.put(2, [weights()])
        assert steps_of(disk) == [0, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, DEFAULT_MEGABYTES), ("10", 10), ("0", 0), ("-3", 0), ("0.5", 0.5), ("much", DEFAULT_MEGABYTES)],
)
def test_the_budget_is_the_environments(text: str | None, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BUDGET_VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(BUDGET_VARIABLE, text)
    assert budget_bytes() == expected * 1024**2
