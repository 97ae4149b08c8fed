"""The run store's SQLite file: its tables, how it is opened, and what can go wrong with it.

    RunStoreError            the store cannot be read or written; says why
    ├── UnknownRunError      no run has that id, or several begin like it
    └── NewerStoreError      written by a later version of the program

Which run is still alive is answered here too, by a lock that the operating system takes back when its process dies.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

LOCK_NAME = "running.lock"
"""In a run's folder, held as long as its process lives."""
_TABLES = """
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    created_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    config TEXT NOT NULL,
    architecture_name TEXT NOT NULL,
    versions TEXT NOT NULL,
    device TEXT,
    num_parameters INTEGER,
    steps_per_epoch INTEGER,
    step INTEGER NOT NULL DEFAULT 0,
    seconds REAL,
    train_loss REAL,
    train_accuracy REAL,
    test_accuracy REAL,
    images_per_second REAL,
    message TEXT,
    details TEXT
);
CREATE TABLE epochs (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    step INTEGER NOT NULL,
    seconds REAL NOT NULL,
    train_loss REAL NOT NULL,
    train_accuracy REAL NOT NULL,
    test_loss REAL NOT NULL,
    test_accuracy REAL NOT NULL,
    images_per_second REAL NOT NULL,
    PRIMARY KEY (run_id, epoch)
);
CREATE TABLE steps (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    first_step INTEGER NOT NULL,
    learning_rate REAL NOT NULL,
    losses BLOB NOT NULL,
    accuracies BLOB NOT NULL,
    PRIMARY KEY (run_id, first_step)
);
"""
_MIGRATIONS = (
    _TABLES,
    # 2: what the user says of a run, what it was trained on, and the trash.
    """
    ALTER TABLE runs ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE runs ADD COLUMN trashed_ns INTEGER;
    ALTER TABLE runs ADD COLUMN data_fingerprint TEXT NOT NULL DEFAULT '';
    """,
)
"""What brings a store from each format to the next, the empty file being format 0. Only ever append."""
SCHEMA_VERSION = len(_MIGRATIONS)
"""Stored as `PRAGMA user_version`."""


class RunStoreError(Exception):
    """The run store cannot do what was asked; the message says where, why, and what would help."""


class UnknownRunError(RunStoreError):
    """No run has that id, or several begin like it."""


class NewerStoreError(RunStoreError):
    """The store was written by a later version of the program."""


@contextlib.contextmanager
def reported(path: Path, action: str) -> Iterator[None]:
    """Turn what the system says about the store into a `RunStoreError` that the user can act on."""
    try:
        yield
    except (sqlite3.InterfaceError, sqlite3.ProgrammingError):
        raise  # A fault of this program, about which the user can do nothing.
    except (sqlite3.Error, OSError) as error:
        raise RunStoreError(f"{path}: cannot {action}: {error}; {_remedy(error)}") from error


def _remedy(error: Exception) -> str:
    text = str(error).lower()
    if "locked" in text:
        return "another program holds it; try again when that one is done"
    if "full" in text or "no space" in text or "i/o error" in text:
        return "free some space on that disk"
    if "not a database" in text or "malformed" in text:
        return "the file is damaged; move it away to start a new one"
    return "check that the folder exists and may be written, or name another in ARCH_EXPLORER_HOME"


def open_database(path: Path, timeout_s: float) -> sqlite3.Connection:
    """A connection to the store's database, made with its folder and tables if it does not exist.

    It may be used by several threads, one after the other.

    Args:
        path: The database file.
        timeout_s: How long to wait for another process's write.

    Raises:
        NewerStoreError: a later version of the program wrote it.
        sqlite3.Error: it cannot be opened.
        OSError: its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA foreign_keys = ON")
        # In WAL mode a power cut may lose the last commits, never more; in return no step waits for the disk.
        db.execute("PRAGMA synchronous = NORMAL")
        if _version(db, path) < SCHEMA_VERSION:
            _bring_up_to_date(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise NewerStoreError(
            f"{path}: received format {version}, written by a newer Architecture Explorer; this one reads up to"
            f" {SCHEMA_VERSION}: update the program, or name another folder in ARCH_EXPLORER_HOME"
        )
    return version


def _bring_up_to_date(db: sqlite3.Connection, path: Path) -> None:
    # A process that starts at the same moment may hold the file, and SQLite then refuses the change of mode without
    # waiting. That one changes it, and the mode stays with the file.
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("PRAGMA journal_mode = WAL")
    with transaction(db):
        # Asked again inside the transaction: another process may have done it meanwhile.
        for migration in _MIGRATIONS[_version(db, path) :]:
            for statement in migration.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all that follows, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite itself may have rolled back, for instance when the disk is full.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def hold_lock(path: Path) -> sqlite3.Connection:
    """Take a lock that lasts until the connection is closed or this process dies, however it dies.

    An exclusive SQLite transaction on an empty file: the one lock in the standard library that is the same on every
    system. A stored process number would not do, since numbers are given again and mean nothing in another container.

    Raises:
        sqlite3.Error: it is held already, or cannot be made.
    """
    lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except BaseException:
        lock.close()
        raise
    return lock


def is_locked(path: Path) -> bool:
    """Whether some process, this one included, holds the lock of `hold_lock`."""
    if not path.exists():
        return False
    # Reading takes a shared lock only, so two that ask at the same moment do not see each other.
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0, uri=True)) as lock:
            lock.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN and path.exists():
            raise
        # Otherwise whoever held it has ended since, and taken the file away.
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False
