"""The record of every run: one SQLite database for all, and one folder a run for its architecture and weights.

What is recorded is there after a crash; a run whose process died reads as interrupted. The tables and the errors are in
`database`, what is read back in `records`, the way between them in `rows`; training, and the writing of weights and
checkpoints, live in `explorer.training`.
"""

import contextlib
import difflib
import json
import logging
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from explorer.architecture.files import write_atomically
from explorer.runs.class_files import EpochTest, write_test
from explorer.runs.config import RunConfig
from explorer.runs.database import (
    LOCK_NAME,
    RunStoreError,
    UnknownRunError,
    hold_lock,
    is_locked,
    open_database,
    reported,
    transaction,
)
from explorer.runs.events import (
    ClassesTested,
    EpochFinished,
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    StepsRecorded,
)
from explorer.runs.records import RunHistory, RunRecord
from explorer.runs.rows import RUN_COLUMNS, read_history, read_record, row_of, to_sql

_logger = logging.getLogger(__name__)


class RunStore:
    """The runs below one folder, which any number of threads and processes may share.

    Nothing is read or made before it is needed. Close it, or use it in a `with` statement: its unfinished runs read as
    interrupted from then on. All methods raise `RunStoreError` if the disk or the database refuses.
    """

    def __init__(self, root: Path, *, timeout_s: float = 5.0) -> None:
        """Name the folder; `timeout_s` is how long to wait for another process that writes."""
        self.root = root
        self._path = root / "runs.sqlite"
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        # Writes share one open connection: whenever the last one closes, SQLite tidies up and waits for the disk.
        self._writer: sqlite3.Connection | None = None
        self._watcher: sqlite3.Connection | None = None
        self._held: dict[str, sqlite3.Connection] = {}
        # By run id, as it was read last: most runs are over, and reading a thousand anew would be seen in the window.
        self._known: dict[str, tuple[tuple[Any, ...], RunRecord]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database and of every run; a later call opens it again."""
        with self._lock, reported(self._path, "close the run store"):
            for run_id in tuple(self._held):
                self._release(run_id)
            open_ones, self._writer, self._watcher = (self._writer, self._watcher), None, None
            for connection in open_ones:
                if connection is not None:
                    connection.close()

    def create(
        self, config: RunConfig, architecture_name: str, architecture_json: str, versions: Mapping[str, str]
    ) -> RunRecord:
        """Begin the record of a run of this process and write its architecture into its folder.

        The run id is the time in UTC and four random digits: `20261122-141503-3f2a`.
        """
        created_ns = time.time_ns()
        with self._lock, reported(self._path, "begin the record of a run"):
            run_id, folder = self._make_folder(created_ns)
            try:
                # Before the row: whoever sees the run must find it alive.
                self._held[run_id] = hold_lock(folder / LOCK_NAME)
                write_atomically(folder / "architecture.arch.json", architecture_json.encode())
                with transaction(db := self._writing()):
                    db.execute(
                        "INSERT INTO runs (run_id, created_ns, state, config, architecture_name, versions)"
                        " VALUES (?, ?, 'running', ?, ?, ?)",
                        (
                            run_id,
                            created_ns,
                            json.dumps(config.to_plain()),
                            architecture_name,
                            json.dumps(dict(versions)),
                        ),
                    )
            except BaseException:
                self._release(run_id)
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return self.get(run_id)

    def record(self, event: Event) -> None:
        """Keep what an event says, in one transaction; pictures and pauses are not kept.

        Raises:
            UnknownRunError: the run was not created here, or is deleted.
        """
        match event:
            case RunStarted():
                self._write(event.run_id, row_of(event, "device num_parameters steps_per_epoch data_fingerprint"))
            case StepsRecorded():
                steps = row_of(event, "run_id first_step learning_rate") | {
                    "losses": np.asarray(event.losses, "<f4").tobytes(),
                    "accuracies": np.asarray(event.accuracies, "<f4").tobytes(),
                }
                summary = {"step": event.last_step, "images_per_second": to_sql(event.images_per_second)}
                self._write(event.run_id, summary, "steps", steps)
            case EpochFinished():
                epoch = {name: to_sql(getattr(event, name)) for name in EpochFinished.__slots__}
                summary = row_of(event, "step train_loss train_accuracy test_accuracy images_per_second")
                self._write(event.run_id, summary, "epochs", epoch)
            case ClassesTested():
                folder = self.root / event.run_id
                with reported(folder, f"record run {event.run_id}"):
                    write_test(folder, EpochTest(event.epoch, event.step, event.tested))
            case RunFinished():
                names = "step seconds train_loss train_accuracy test_accuracy images_per_second"
                known = {name: value for name, value in row_of(event, names).items() if value is not None}
                self._finish(event.run_id, known | {"state": event.reason, "message": event.note or None})
            case RunFailed():
                self._finish(event.run_id, row_of(event, "message details") | {"state": "failed"})
            case _:
                pass

    def get(self, run_id: str) -> RunRecord:
        """The record of a run.

        Raises:
            UnknownRunError: there is none; the message lists ids like it.
        """
        with reported(self._path, "read the runs"), self._reading() as db:
            row = db.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                raise self._unknown(db, run_id)
            return self._record(row)

    def find(self, prefix: str) -> RunRecord:
        """The record of the one run whose id begins so.

        Raises:
            UnknownRunError: there is none, or there are several; the message lists them.
        """
        with reported(self._path, "read the runs"), self._reading() as db:
            rows = db.execute(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE substr(run_id, 1, length(?1)) = ?1 ORDER BY run_id DESC",
                (prefix,),
            ).fetchall()
            if not rows:
                raise self._unknown(db, prefix)
            if len(rows) > 1:
                ids = ", ".join(row["run_id"] for row in rows[:5])
                raise UnknownRunError(f"run {prefix!r}: {len(rows)} runs begin so; use more of one of {ids}")
            return self._record(rows[0])

    def list(self, *, trashed: bool | None = False) -> tuple[RunRecord, ...]:
        """The runs, the newest first. One that cannot be read is left out and logged, so that the others are shown.

        Args:
            trashed: those in the trash instead of the others; None for both.
        """
        records = []
        place = {None: "1", False: "trashed_ns IS NULL", True: "trashed_ns IS NOT NULL"}[trashed]
        with reported(self._path, "read the runs"), self._reading() as db:
            for row in db.execute(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE {place} ORDER BY created_ns DESC, run_id DESC"
            ):
                try:
                    records.append(self._record(row))
                except RunStoreError as error:
                    _logger.warning("%s", error)
        return tuple(records)

    def history(self, run_id: str) -> RunHistory:
        """The curves of a run as far as they are recorded.

        Raises:
            UnknownRunError: there is no such run.
        """
        with reported(self._path, "read the runs"), self._reading() as db:
            if db.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is None:
                raise self._unknown(db, run_id)
            epochs = db.execute("SELECT * FROM epochs WHERE run_id = ? ORDER BY epoch", (run_id,)).fetchall()
            chunks = db.execute("SELECT * FROM steps WHERE run_id = ? ORDER BY first_step", (run_id,)).fetchall()
        try:
            return read_history(epochs, chunks)
        except (ValueError, TypeError) as error:
            raise RunStoreError(f"run {run_id}: its curves are damaged: {error}") from error

    def state_number(self) -> int:
        """A number that is another one whenever anybody, in any process, has written to the store since the last call.

        It costs microseconds, so that a view may ask several times a second whether there is anything new.
        """
        with self._lock, reported(self._path, "read the runs"):
            if self._watcher is None:
                self._watcher = open_database(self._path, self._timeout_s)
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def go_on(self, run_id: str, step: int) -> RunRecord:
        """Make an ended run of this process again, from the state that it had after `step`: what came later is cut off.

        Raises:
            UnknownRunError: there is no such run.
            RunStoreError: it is still running, here or elsewhere.
        """
        folder = self.get(run_id).folder
        with self._lock, reported(self._path, f"go on with run {run_id}"):
            try:
                lock = hold_lock(folder / LOCK_NAME)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                raise RunStoreError(
                    f"run {run_id}: still running, here or in another program; stop it first"
                ) from error
            self._held[run_id] = lock
            try:
                with transaction(db := self._writing()):
                    _cut_off(db, run_id, step)
                    db.execute(
                        "UPDATE runs SET state = 'running', step = ?, seconds = NULL, message = NULL, details = NULL,"
                        " trashed_ns = NULL WHERE run_id = ?",
                        (step, run_id),
                    )
            except BaseException:
                self._release(run_id)
                raise
        return self.get(run_id)

    def describe(
        self, run_id: str, *, name: str | None = None, note: str | None = None, tags: Iterable[str] | None = None
    ) -> None:
        """Keep what the user says of a run; None leaves a part as it is. Blanks around names and tags go.

        Raises:
            UnknownRunError: there is no such run.
        """
        said: dict[str, Any] = {}
        if name is not None:
            said["name"] = name.strip()
        if note is not None:
            said["note"] = note
        if tags is not None:
            said["tags"] = json.dumps(sorted({tag.strip() for tag in tags} - {""}), ensure_ascii=False)
        if said:
            self._write(run_id, said)

    def trash(self, run_id: str) -> None:
        """Put a run into the trash: it is listed no more, and everything of it stays until `delete`.

        Raises:
            UnknownRunError: there is no such run.
            RunStoreError: it is still running, here or elsewhere.
        """
        if self.get(run_id).state == "running":
            raise RunStoreError(f"run {run_id}: still running; stop it before you delete it")
        self._write(run_id, {"trashed_ns": time.time_ns()})

    def restore(self, run_id: str) -> None:
        """Take a run out of the trash.

        Raises:
            UnknownRunError: there is no such run.
        """
        self._write(run_id, {"trashed_ns": None})

    def delete(self, run_id: str) -> None:
        """Remove a run, its architecture, weights and checkpoints, for good.

        Raises:
            UnknownRunError: there is no such run.
            RunStoreError: it is still running, here or elsewhere.
        """
        record = self.get(run_id)
        if record.state == "running":
            raise RunStoreError(f"run {run_id}: still running; stop it before you delete it")
        with self._lock, reported(record.folder, "delete the run"):
            with transaction(db := self._writing()):
                db.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
            if record.folder.exists():
                shutil.rmtree(record.folder)

    def _make_folder(self, created_ns: int) -> tuple[str, Path]:
        when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(created_ns // 10**9))
        self.root.mkdir(parents=True, exist_ok=True)
        while True:
            run_id = f"{when}-{secrets.token_hex(2)}"
            with contextlib.suppress(FileExistsError):
                (self.root / run_id).mkdir()
                return run_id, self.root / run_id

    def _write(
        self, run_id: str, summary: Mapping[str, Any], table: str = "", row: Mapping[str, Any] | None = None
    ) -> None:
        """Bring the run's summary up to date and, with it, add a row to a table or replace it."""
        with self._lock, reported(self._path, f"record run {run_id}"), transaction(db := self._writing()):
            assignments = ", ".join(f"{name} = :{name}" for name in summary)
            changed = db.execute(f"UPDATE runs SET {assignments} WHERE run_id = :run_id", {**summary, "run_id": run_id})
            if changed.rowcount == 0:
                raise self._unknown(db, run_id)
            if row is not None:
                names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
                db.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})", row)

    def _finish(self, run_id: str, summary: Mapping[str, Any]) -> None:
        try:
            self._write(run_id, summary)
        finally:
            # Also if the end could not be recorded: the run is over, and reads as interrupted then.
            with self._lock:
                self._release(run_id)

    def _release(self, run_id: str) -> None:
        lock = self._held.pop(run_id, None)
        if lock is not None:
            lock.close()
            with contextlib.suppress(OSError):
                (self.root / run_id / LOCK_NAME).unlink(missing_ok=True)

    def _writing(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = open_database(self._path, self._timeout_s)
        return self._writer

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # A connection a call: a reader then never waits for a writer of this process, nor for another reader.
        with contextlib.closing(open_database(self._path, self._timeout_s)) as db:
            db.row_factory = sqlite3.Row
            yield db

    def _unknown(self, db: sqlite3.Connection, run_id: str) -> UnknownRunError:
        ids = [row[0] for row in db.execute("SELECT run_id FROM runs ORDER BY created_ns DESC")]
        near = difflib.get_close_matches(run_id, ids, n=3, cutoff=0.5) or ids[:3]
        hint = f"did you mean {' or '.join(near)}?" if near else "no run is recorded yet"
        return UnknownRunError(f"run {run_id!r}: unknown in {self.root}; {hint}")

    def _record(self, row: sqlite3.Row) -> RunRecord:
        content = tuple(row)
        known = self._known.get(row["run_id"])
        if known is not None and known[0] == content and known[1].state not in ("running", "interrupted"):
            return known[1]
        try:
            record = read_record(row, self.root, lambda folder: is_locked(folder / LOCK_NAME))
        except ValueError as error:
            raise RunStoreError(f"{self._path}: {error}") from error
        self._known[record.run_id] = (content, record)
        return record


def _cut_off(db: sqlite3.Connection, run_id: str, step: int) -> None:
    """Forget what a run recorded after a step."""
    db.execute("DELETE FROM epochs WHERE run_id = ? AND step > ?", (run_id, step))
    db.execute("DELETE FROM steps WHERE run_id = ? AND first_step > ?", (run_id, step))
    last = db.execute(
        "SELECT first_step, losses, accuracies FROM steps WHERE run_id = ? ORDER BY first_step DESC LIMIT 1", (run_id,)
    ).fetchone()
    if last is not None:
        first_step, losses, accuracies = last
        num_bytes = 4 * (step - first_step + 1)
        db.execute(
            "UPDATE steps SET losses = ?, accuracies = ? WHERE run_id = ? AND first_step = ?",
            (losses[:num_bytes], accuracies[:num_bytes], run_id, first_step),
        )
    db.execute(
        "UPDATE runs SET (train_loss, train_accuracy, test_accuracy) = (SELECT train_loss, train_accuracy,"
        " test_accuracy FROM epochs WHERE run_id = runs.run_id ORDER BY epoch DESC LIMIT 1) WHERE run_id = ?",
        (run_id,),
    )
