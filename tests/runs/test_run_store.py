"""What the store keeps, asked of a second store as another process would; and how it fails."""

import contextlib
import json
import math
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.runs import (
    EpochFinished,
    FeatureMapsCaptured,
    NewerStoreError,
    RunConfig,
    RunFailed,
    RunFinished,
    RunRecord,
    RunStarted,
    RunStore,
    RunStoreError,
    StateChanged,
    StepsRecorded,
    UnknownRunError,
)

CONFIG = RunConfig(epochs=2, learning_rate=0.1)


def create(store: RunStore, name: str = "LeNet-5") -> RunRecord:
    return store.create(CONFIG, name, '{"name": "é"}', {"torch": "2.13.0"})


def steps(run_id: str, first_step: int, losses: list[float], learning_rate: float = 0.1) -> StepsRecorded:
    return StepsRecorded(
        run_id=run_id,
        first_step=first_step,
        losses=np.array(losses, np.float32),
        accuracies=np.linspace(0, 1, len(losses), dtype=np.float32),
        learning_rate=learning_rate,
        epoch=1,
        images_per_second=1000.0,
        seconds_left=None,
        num_steps_total=100,
    )


def epoch(run_id: str, number: int, **values: float) -> EpochFinished:
    measured = {
        "seconds": 1.5,
        "train_loss": 0.5,
        "train_accuracy": 0.8,
        "test_loss": 0.6,
        "test_accuracy": 0.75,
        "images_per_second": 900.0,
    }
    return EpochFinished(run_id=run_id, epoch=number, step=number * 10, **(measured | values))


def finished(run_id: str, **values: Any) -> RunFinished:
    ended: dict[str, Any] = {
        "reason": "completed",
        "step": 20,
        "seconds": 3.0,
        "checkpoint": None,
        "train_loss": 0.4,
        "train_accuracy": 0.9,
        "test_accuracy": 0.85,
        "images_per_second": 950.0,
    }
    return RunFinished(run_id=run_id, **(ended | values))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs", timeout_s=0.0) as store:
        yield store


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[RunStore]:
    """A store that waits its turn, as the program's does."""
    with RunStore(tmp_path / "runs") as store:
        yield store


@pytest.fixture
def other(store: RunStore) -> Iterator[RunStore]:
    """Another store on the same folder."""
    with RunStore(store.root, timeout_s=0.0) as other:
        yield other


def test_an_empty_store(store: RunStore) -> None:
    assert store.list() == ()
    with pytest.raises(UnknownRunError, match=r"run 'x': unknown in .*; no run is recorded yet"):
        store.get("x")


def test_create(store: RunStore, other: RunStore) -> None:
    record = create(store)
    assert other.get(record.run_id) == record
    assert (record.state, record.config, record.architecture_name) == ("running", CONFIG, "LeNet-5")
    assert record.versions == {"torch": "2.13.0"}
    assert record.run_id.startswith(record.created.strftime("%Y%m%d-%H%M%S-"))
    assert (record.step, record.test_accuracy, record.device) == (0, None, None)
    assert record.folder == store.root / record.run_id
    assert json.loads(record.architecture_path.read_bytes()) == {"name": "é"}
    assert record.weights_path.parent == record.folder
    assert not record.weights_path.exists()


def test_history(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    epochs = (epoch(run_id, 1), epoch(run_id, 2, train_loss=0.3))
    store.record(steps(run_id, 1, [2.3, 2.0, 1.5]))
    store.record(epochs[0])
    store.record(steps(run_id, 4, [1.25, 1.0], learning_rate=0.01))
    store.record(epochs[1])

    history = other.history(run_id)
    assert history.epochs == epochs
    assert history.steps.tolist() == [1, 2, 3, 4, 5]
    assert history.losses.tolist() == np.array([2.3, 2.0, 1.5, 1.25, 1.0], np.float32).tolist()
    assert history.accuracies.tolist() == [0.0, 0.5, 1.0, 0.0, 1.0]
    assert history.learning_rates.tolist() == np.array([0.1, 0.1, 0.1, 0.01, 0.01], np.float32).tolist()
    assert (history.steps.dtype.name, history.losses.dtype.name) == ("int64", "float32")


def test_history_of_a_run_without_any(store: RunStore) -> None:
    history = store.history(create(store).run_id)
    assert (history.epochs, len(history.steps), len(history.losses)) == ((), 0, 0)
    with pytest.raises(UnknownRunError):
        store.history("20000101-000000-0000")


def test_a_run_that_diverged_keeps_its_nan_and_infinity(store: RunStore) -> None:
    run_id = create(store).run_id
    store.record(steps(run_id, 1, [math.nan, math.inf]))
    store.record(epoch(run_id, 1, train_loss=math.nan, test_loss=math.inf))
    history = store.history(run_id)
    assert np.isnan(history.losses).tolist() == [True, False]
    assert math.isnan(history.epochs[0].train_loss)
    assert history.epochs[0].test_loss == math.inf
    train_loss = store.get(run_id).train_loss
    assert train_loss is not None
    assert math.isnan(train_loss)


def test_words_are_not_taken_for_numbers(store: RunStore) -> None:
    assert create(store, "nan").architecture_name == "nan"


def test_the_record_follows_the_events(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    store.record(
        RunStarted(
            run_id=run_id,
            config=CONFIG,
            architecture_name="LeNet-5",
            device="cpu",
            num_train=4000,
            num_test=1000,
            steps_per_epoch=63,
            num_parameters=61_706,
            notes=(),
        )
    )
    store.record(StateChanged(run_id=run_id, state="paused"))
    store.record(FeatureMapsCaptured(run_id=run_id, step=1, probe="", atlases={}))
    store.record(steps(run_id, 1, [2.0] * 7))
    record = other.get(run_id)
    assert (record.device, record.steps_per_epoch, record.num_parameters) == ("cpu", 63, 61_706)
    assert (record.state, record.step, record.images_per_second) == ("running", 7, 1000.0)

    store.record(epoch(run_id, 1))
    record = other.get(run_id)
    assert (record.step, record.train_loss, record.test_accuracy) == (10, 0.5, 0.75)

    store.record(finished(run_id, train_accuracy=np.float32(0.5), test_accuracy=None))
    record = other.get(run_id)
    assert (record.state, record.step, record.seconds) == ("completed", 20, 3.0)
    # What the end does not measure anew keeps its newest value.
    assert (record.train_accuracy, record.test_accuracy) == (0.5, 0.75)


def test_a_stopped_and_a_failed_run(store: RunStore, other: RunStore) -> None:
    stopped, failed = create(store).run_id, create(store).run_id
    store.record(finished(stopped, reason="stopped"))
    store.record(RunFailed(run_id=failed, message="conv1: out of memory", details="Traceback", checkpoint=None))
    assert other.get(stopped).state == "stopped"
    record = other.get(failed)
    assert (record.state, record.message, record.details) == ("failed", "conv1: out of memory", "Traceback")


def test_a_repeated_part_replaces_the_first(store: RunStore) -> None:
    run_id = create(store).run_id
    for loss in (2.0, 1.0):
        store.record(steps(run_id, 1, [loss]))
        store.record(epoch(run_id, 1, train_loss=loss))
    history = store.history(run_id)
    assert history.losses.tolist() == [1.0]
    assert [one.train_loss for one in history.epochs] == [1.0]


def test_list_is_newest_first(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for second in (5, 1, 9):
        monkeypatch.setattr("time.time_ns", lambda second=second: second * 10**9)
        ids.append(create(store).run_id)
    assert [record.run_id for record in store.list()] == [ids[2], ids[0], ids[1]]
    assert ids[1].startswith("19700101-000001-")


def test_two_runs_of_one_moment_differ(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 0)
    digits = iter(["aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda count: next(digits) if count == 2 else "temporary")
    assert [create(store).run_id for _ in range(2)] == ["19700101-000000-aaaa", "19700101-000000-bbbb"]


def test_find(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 0)
    digits = iter(["aaa1", "aab2"])
    monkeypatch.setattr("secrets.token_hex", lambda count: next(digits) if count == 2 else "temporary")
    first, second = create(store).run_id, create(store).run_id
    assert store.find("19700101-000000-aaa").run_id == first
    assert store.find(second).run_id == second
    with pytest.raises(UnknownRunError, match=f"2 runs begin so; use more of one of {second}, {first}"):
        store.find("1970")
    with pytest.raises(UnknownRunError, match=f"run '19700101-000000-aaa3': unknown in .*; did you mean {first} or "):
        store.find("19700101-000000-aaa3")
    for pattern in ("%", "_"):
        with pytest.raises(UnknownRunError):
            store.find(pattern)


def test_an_unknown_run_is_not_recorded(store: RunStore) -> None:
    for event in (steps("x", 1, [1.0]), epoch("x", 1), finished("x")):
        with pytest.raises(UnknownRunError):
            store.record(event)


def test_delete(store: RunStore, other: RunStore) -> None:
    kept, gone = create(store), create(store)
    for record in (kept, gone):
        store.record(steps(record.run_id, 1, [1.0]))
        store.record(epoch(record.run_id, 1))
    for either in (store, other):
        with pytest.raises(RunStoreError, match="still running; stop it before"):
            either.delete(gone.run_id)
    store.record(finished(gone.run_id))
    other.delete(gone.run_id)
    assert [record.run_id for record in store.list()] == [kept.run_id]
    assert not gone.folder.exists()
    assert kept.architecture_path.exists()
    with pytest.raises(UnknownRunError):
        store.delete(gone.run_id)
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM steps UNION ALL SELECT count(*) FROM epochs").fetchall() == [(1,), (1,)]


def test_a_closed_store_leaves_its_runs_interrupted_and_opens_again(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    store.record(steps(run_id, 1, [1.0]))
    assert other.get(run_id).state == "running"
    store.close()
    assert other.get(run_id).state == "interrupted"
    assert store.get(run_id).step == 1


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_a_run_whose_process_dies_is_interrupted(store: RunStore, end: str) -> None:
    program = f"""
import os, sys
from pathlib import Path
from explorer.runs import RunConfig, RunStore
store = RunStore(Path(sys.argv[1]))
print(store.create(RunConfig(), "net", "{{}}", {{}}).run_id, flush=True)
input()
{end}
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        run_id = child.stdout.readline().strip()
        assert store.get(run_id).state == "running"
        child.communicate("\n")
    assert store.get(run_id).state == "interrupted"
    store.delete(run_id)


def test_threads_share_a_store(patient: RunStore) -> None:
    run_ids = [create(patient).run_id for _ in range(3)]
    faults: list[BaseException] = []

    def write(run_id: str) -> None:
        try:
            for number in range(20):
                patient.record(steps(run_id, 1 + 2 * number, [1.0, 2.0]))
                patient.list()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(run_id,)) for run_id in run_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for run_id in run_ids:
        assert patient.history(run_id).steps.tolist() == list(range(1, 41))


def test_the_database_is_in_wal_mode(store: RunStore) -> None:
    create(store)
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_newer_store_is_refused(store: RunStore) -> None:
    create(store)
    store.close()
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db:
        db.execute("PRAGMA user_version = 3")
    with pytest.raises(NewerStoreError, match=r"received format 3, .* this one reads up to 2: update the program"):
        store.list()


def test_a_locked_store(store: RunStore) -> None:
    run_id = create(store).run_id
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunStoreError, match=f"cannot record run {run_id}: database is locked; another program"):
            store.record(steps(run_id, 1, [1.0]))
        assert store.get(run_id).step == 0
    store.record(steps(run_id, 1, [1.0]))
    assert store.get(run_id).step == 1


def test_an_end_that_cannot_be_recorded_reads_as_interrupted(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunStoreError):
            store.record(finished(run_id))
    assert other.get(run_id).state == "interrupted"


def test_a_full_disk(store: RunStore) -> None:
    # A limit on the size of files stands in for the disk; it holds for a whole process, so in a process of its own.
    resource = pytest.importorskip("resource")
    assert resource.RLIMIT_FSIZE
    program = """
import resource, sys
from pathlib import Path
import numpy as np
from explorer.runs import RunConfig, RunStore, RunStoreError, StepsRecorded
def steps(first_step, count):
    losses = np.ones(count, np.float32)
    return StepsRecorded(run_id=run_id, first_step=first_step, losses=losses, accuracies=losses, learning_rate=0.1,
                         epoch=1, images_per_second=1.0, seconds_left=None, num_steps_total=1)
with RunStore(Path(sys.argv[1])) as store:
    run_id = store.create(RunConfig(), "net", "{}", {}).run_id
    store.record(steps(1, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for call in (lambda: store.record(steps(11, 100_000)), lambda: store.create(RunConfig(), "n", " " * 300_000, {})):
        try:
            call()
        except RunStoreError as error:
            print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.record(steps(11, 10))
    print(len(store.history(run_id).steps), len(store.list()), len(list(store.root.glob("2*"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(store.root)], capture_output=True, text=True, check=True, timeout=60
    )
    first, second, last = done.stdout.splitlines()
    assert "cannot record run" in first
    assert "free some space" in first
    assert "cannot begin the record of a run" in second
    assert last == "20 1 1"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with RunStore(file / "runs") as store:
        for call in (store.list, lambda: create(store)):
            with pytest.raises(RunStoreError, match=r"cannot .*check that the folder exists and may be written"):
                call()


def test_a_damaged_database(store: RunStore) -> None:
    store.root.mkdir()
    (store.root / "runs.sqlite").write_bytes(b"no database " * 100)
    with pytest.raises(RunStoreError, match="cannot read the runs: file is not a database; the file is damaged"):
        store.list()
    with pytest.raises(RunStoreError):
        create(store)
    assert [path.name for path in store.root.iterdir()] == ["runs.sqlite"]


@pytest.mark.parametrize(
    ("column", "value"),
    [("config", '{"warp": 9}'), ("config", "{"), ("config", "[]"), ("run_id", "../../elsewhere")],
)
def test_a_run_that_cannot_be_read_does_not_hide_the_others(
    store: RunStore, caplog: pytest.LogCaptureFixture, column: str, value: str
) -> None:
    good, bad = create(store).run_id, create(store).run_id
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db, db:
        db.execute(f"UPDATE runs SET {column} = ? WHERE run_id = ?", (value, bad))
    assert [record.run_id for record in store.list()] == [good]
    assert len(caplog.records) == 1
    with pytest.raises(RunStoreError):
        store.delete(value if column == "run_id" else bad)


def test_damaged_curves(store: RunStore) -> None:
    run_id = create(store).run_id
    store.record(steps(run_id, 1, [1.0]))
    with contextlib.closing(sqlite3.connect(store.root / "runs.sqlite")) as db, db:
        db.execute("UPDATE steps SET losses = x'0102'")
    with pytest.raises(RunStoreError, match="its curves are damaged"):
        store.history(run_id)


def test_processes_that_start_together_make_one_store(patient: RunStore) -> None:
    program = """
import sys
from pathlib import Path
from explorer.runs import RunConfig, RunStore
store = RunStore(Path(sys.argv[1]))
input()
with store:
    store.create(RunConfig(), "net", "{}", {})
"""
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(patient.root)], stdin=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0, 0]
    assert [record.state for record in patient.list()] == ["interrupted"] * 3


_FORMAT_1 = """
CREATE TABLE runs (run_id TEXT PRIMARY KEY, created_ns INTEGER NOT NULL, state TEXT NOT NULL, config TEXT NOT NULL,
    architecture_name TEXT NOT NULL, versions TEXT NOT NULL, device TEXT, num_parameters INTEGER,
    steps_per_epoch INTEGER, step INTEGER NOT NULL DEFAULT 0, seconds REAL, train_loss REAL, train_accuracy REAL,
    test_accuracy REAL, images_per_second REAL, message TEXT, details TEXT);
CREATE TABLE epochs (run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL,
    step INTEGER NOT NULL, seconds REAL NOT NULL, train_loss REAL NOT NULL, train_accuracy REAL NOT NULL,
    test_loss REAL NOT NULL, test_accuracy REAL NOT NULL, images_per_second REAL NOT NULL, PRIMARY KEY (run_id, epoch));
CREATE TABLE steps (run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, first_step INTEGER NOT NULL,
    learning_rate REAL NOT NULL, losses BLOB NOT NULL, accuracies BLOB NOT NULL, PRIMARY KEY (run_id, first_step));
INSERT INTO runs VALUES ('20260101-120000-abcd', 1767268800000000000, 'completed', '{"epochs": 2}', 'LeNet-5',
    '{"torch": "2.12.0"}', 'CPU', 61706, 63, 126, 3.5, 0.4, 0.9, 0.8, 1000.0, NULL, NULL);
INSERT INTO epochs VALUES ('20260101-120000-abcd', 1, 63, 1.5, 0.5, 0.8, 0.6, 0.85, 900.0);
INSERT INTO epochs VALUES ('20260101-120000-abcd', 2, 126, 1.5, 0.4, 0.9, 0.7, 0.8, 900.0);
PRAGMA user_version = 1;
"""


def test_a_store_of_the_first_version_is_read_and_written(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "runs.sqlite")) as db:
        db.executescript(_FORMAT_1)
    with RunStore(tmp_path) as store:
        (record,) = store.list()
        assert (record.name, record.tags, record.trashed, record.data_fingerprint) == ("", (), None, "")
        assert (record.epoch, record.best_accuracy, record.test_accuracy, record.test_loss) == (2, 0.85, 0.8, 0.7)
        assert record.title == "LeNet-5"
        store.describe(record.run_id, name=" old one ", tags=["b", "a", " b "], note="kept")
        create(store)
        told = store.get(record.run_id)
        assert (told.name, told.title, told.tags, told.note) == ("old one", "old one", ("a", "b"), "kept")
        assert len(store.list()) == 2


def test_the_trash_can_be_undone(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    with pytest.raises(RunStoreError, match="still running"):
        store.trash(run_id)
    store.record(finished(run_id))
    store.trash(run_id)
    assert other.list() == ()
    (record,) = other.list(trashed=True)
    assert record.trashed is not None
    assert record.folder.exists()
    assert other.list(trashed=None) == (record,)
    store.restore(run_id)
    assert [record.run_id for record in other.list()] == [run_id]
    with pytest.raises(UnknownRunError):
        store.restore("20260101-000000-0000")


def test_a_run_goes_on_from_a_step(store: RunStore, other: RunStore) -> None:
    run_id = create(store).run_id
    for first in (1, 5, 9):
        store.record(steps(run_id, first, [first, first + 1, first + 2, first + 3]))
    store.record(epoch(run_id, 1, test_accuracy=0.6))
    store.record(RunFailed(run_id=run_id, message="broke", details="where", checkpoint=None))
    other.go_on(run_id, 6)
    record = store.get(run_id)
    assert (record.state, record.step, record.message, record.details) == ("running", 6, None, None)
    assert (record.epoch, record.test_accuracy, record.best_accuracy) == (0, None, None)
    assert other.history(run_id).losses.tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(RunStoreError, match="still running"):
        store.go_on(run_id, 6)
    assert other.history(run_id).losses.tolist() == [1, 2, 3, 4, 5, 6]


def test_the_state_number_tells_of_every_writer(store: RunStore, patient: RunStore) -> None:
    run_id = create(store).run_id
    before = store.state_number()
    assert store.state_number() == before
    patient.describe(run_id, name="another")
    between = store.state_number()
    assert between != before
    store.describe(run_id, name="mine")
    assert store.state_number() != between
