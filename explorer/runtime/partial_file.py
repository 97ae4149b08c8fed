"""Where a download's bytes lie until it is whole: beside its place, gone after it or, if it is resumable, kept."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.runs.database import hold_lock


class InUse(Exception):  # noqa: N818 - it says what happened
    """Another download of the same file is under way, in this process or another."""


class Partial:
    """The file that a download writes to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_kept = False
        """Whether it outlives a download that does not end; looked at only if it is resumable."""


@contextmanager
def partial_file(path: Path, *, resumes: bool) -> Iterator[Partial]:
    """The file to write to until `path` is whole; who gets it renames it then.

    A resumable download's has one name, so that the next one finds it, and only one at a time may have it.

    Raises:
        InUse: somebody else has it.
    """
    lock_path = path.with_name(f".{path.name}.lock")
    lock = _hold(lock_path) if resumes else None
    if lock is None:
        partial = Partial(path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial"))
    else:
        partial = Partial(partial_path(path))
    try:
        yield partial
    except BaseException:
        if lock is not None and not partial.is_kept:
            partial.path.unlink(missing_ok=True)
        raise
    finally:
        if lock is None:
            with suppress(OSError):
                partial.path.unlink(missing_ok=True)
        else:
            _release(lock, lock_path)


def partial_path(path: Path) -> Path:
    """Where a resumable download keeps what has arrived of `path`."""
    return path.with_name(f".{path.name}.partial")


def _hold(path: Path) -> sqlite3.Connection | None:
    """The lock, which ends with this process; None on a disk that knows no locks."""
    try:
        return hold_lock(path)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise InUse from None
        return None


def _release(lock: sqlite3.Connection, path: Path) -> None:
    try:
        path.unlink()  # While it is held: afterwards it may be the next one's.
    except OSError:  # Windows removes nothing that is open.
        lock.close()
        with suppress(OSError):
            path.unlink()
    else:
        lock.close()
