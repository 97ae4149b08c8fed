"""The record of every run: one SQLite database for all, and one folder a run for its architecture and weights.

What is recorded is there after a crash; a run whose process died reads as interrupted. The tables and the errors are in
`database`, what is read back in `records`; training, and the writing of weights, live in `explorer.training`.
"""

import contextlib
import datetime as dt
import difflib
import json
import logging
import math
import re
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from explorer.architecture.files import write_atomically
from explorer.runs.config import RunConfig
from explorer.runs.database import (
    RunStoreError,
    UnknownRunError,
    hold_lock,
    is_locked,
    open_database,
    reported,
    transaction,
)
from explorer.runs.events import EpochFinished, Event, RunFailed, RunFinished, RunStarted, StepsRecorded
from explorer.runs.records import RunHistory, RunRecord, RunState

_logger = logging.getLogger(__name__)
_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_LOCK_NAME = "running.lock"
_MEASUREMENTS = frozenset(EpochFinished.__slots__) - {"run_id", "epoch", "step"}


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
        self._held: dict[str, sqlite3.Connection] = {}

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
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()

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
                self._held[run_id] = hold_lock(folder / _LOCK_NAME)
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
                values = _row(event, "device num_parameters steps_per_epoch")
                self._write(event.run_id, values)
            case StepsRecorded():
                steps = _row(event, "run_id first_step learning_rate") | {
                    "losses": np.asarray(event.losses, "<f4").tobytes(),
                    "accuracies": np.asarray(event.accuracies, "<f4").tobytes(),
                }
                summary = {"step": event.last_step, "images_per_second": _to_sql(event.images_per_second)}
                self._write(event.run_id, summary, "steps", steps)
            case EpochFinished():
                epoch = {name: _to_sql(getattr(event, name)) for name in EpochFinished.__slots__}
                summary = _row(event, "step train_loss train_accuracy test_accuracy images_per_second")
                self._write(event.run_id, summary, "epochs", epoch)
            case RunFinished():
                names = "step seconds train_loss train_accuracy test_accuracy images_per_second"
                known = {name: value for name, value in _row(event, names).items() if value is not None}
                self._finish(event.run_id, known | {"state": event.reason})
            case RunFailed():
                self._finish(event.run_id, _row(event, "message details") | {"state": "failed"})
            case _:
                pass

    def get(self, run_id: str) -> RunRecord:
        """The record of a run.

        Raises:
            UnknownRunError: there is none; the message lists ids like it.
        """
        with reported(self._path, "read the runs"), self._reading() as db:
            row = db.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
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
                "SELECT * FROM runs WHERE substr(run_id, 1, length(?1)) = ?1 ORDER BY run_id DESC", (prefix,)
            ).fetchall()
            if not rows:
                raise self._unknown(db, prefix)
            if len(rows) > 1:
                ids = ", ".join(row["run_id"] for row in rows[:5])
                raise UnknownRunError(f"run {prefix!r}: {len(rows)} runs begin so; use more of one of {ids}")
            return self._record(rows[0])

    def list(self) -> tuple[RunRecord, ...]:
        """All runs, the newest first. One that cannot be read is left out and logged, so that the others are shown."""
        records = []
        with reported(self._path, "read the runs"), self._reading() as db:
            for row in db.execute("SELECT * FROM runs ORDER BY created_ns DESC, run_id DESC"):
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
            losses = [np.frombuffer(chunk["losses"], "<f4") for chunk in chunks]
            accuracies = [np.frombuffer(chunk["accuracies"], "<f4") for chunk in chunks]
            rates = [np.full(len(loss), chunk["learning_rate"]) for loss, chunk in zip(losses, chunks, strict=True)]
            steps = [chunk["first_step"] + np.arange(len(loss)) for loss, chunk in zip(losses, chunks, strict=True)]
            return RunHistory(
                epochs=tuple(EpochFinished(**_from_row(row)) for row in epochs),
                steps=np.concatenate([np.empty(0, np.int64), *steps]),
                losses=np.concatenate([np.empty(0, np.float32), *losses]),
                accuracies=np.concatenate([np.empty(0, np.float32), *accuracies]),
                learning_rates=np.concatenate([np.empty(0), *rates]).astype(np.float32),
            )
        except (ValueError, TypeError) as error:
            raise RunStoreError(f"run {run_id}: its curves are damaged: {error}") from error

    def delete(self, run_id: str) -> None:
        """Remove a run, its architecture and its weights.

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
                (self.root / run_id / _LOCK_NAME).unlink(missing_ok=True)

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
        values = _from_row(row)
        run_id = values["run_id"]
        # The folder's name comes from the file, which may come from anywhere, and `delete` removes that folder.
        if not _RUN_ID.fullmatch(run_id):
            raise RunStoreError(f"{self._path}: {run_id!r} is no run id")
        folder = self.root / run_id
        state = cast(RunState, values.pop("state"))
        if state == "running" and not is_locked(folder / _LOCK_NAME):
            state = "interrupted"
        created = dt.datetime.fromtimestamp(values.pop("created_ns") / 10**9, dt.UTC)
        try:
            config = RunConfig.from_plain(json.loads(values.pop("config")))
            versions = json.loads(values.pop("versions"))
        except ValueError as error:
            raise RunStoreError(f"run {run_id}: its record cannot be read: {error}") from error
        return RunRecord(**values, state=state, created=created, config=config, versions=versions, folder=folder)


def _row(event: Event, names: str) -> dict[str, Any]:
    return {name: _to_sql(getattr(event, name)) for name in names.split()}


def _to_sql(value: object) -> object:
    """A plain value for SQLite; NaN, which SQLite would store as NULL, becomes the text `nan`."""
    if isinstance(value, np.generic):
        value = value.item()
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def _from_row(row: sqlite3.Row) -> dict[str, Any]:
    """The columns by name, with the NaN of `_to_sql` back in its place."""
    return {
        name: math.nan if name in _MEASUREMENTS and value == "nan" else value
        for name, value in zip(row.keys(), row, strict=True)
    }
