"""What the moments of all runs below a folder may take together: beyond it, runs that ended long ago give theirs up.

A run's own budget is `moments`'. Several programs may share the folder, and each looks at all of it: a run that goes on
is left alone, and whoever reads moments knows that one may be gone.
"""

import contextlib
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from explorer.runs.database import LOCK_NAME, is_locked
from explorer.runs.moments import DEFAULT_MEGABYTES, FOLDER_NAME, kept_moments, remove_moments

NUM_BUDGETS = 8
"""Of one run, that all runs may take together."""
_STILL_S = 3600.0
"""Since its last moment, after which a run is over whose lock a mounted disk may not show."""
_RUN_FOLDER = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_logger = logging.getLogger(__name__)


class _Run(NamedTuple):
    last_s: float
    """When its last moment was kept, in seconds since 1970."""
    folder: Path
    num_bytes: int


def total_bytes(budget_bytes: int) -> int:
    """What all runs' moments may take, of what one run's may; a run that asks for little takes nothing from others."""
    return NUM_BUDGETS * max(budget_bytes, DEFAULT_MEGABYTES * 1024**2)


def give_up_oldest(folder: Path, most_bytes: int, cancelled: Callable[[], bool]) -> None:
    """Remove all moments of other runs beside this one until the rest fits, of those first that kept one last long ago.

    A run that goes on, or has kept a moment within the hour, keeps them, even if that is more than fits.

    Args:
        folder: of a run; its own moments count, and stay.
        most_bytes: of the moments of all runs beside it, and its own.
        cancelled: whether to stop, asked once a run.
    """
    runs = list(_runs(folder.parent, cancelled))
    total = sum(run.num_bytes for run in runs)
    latest_s = time.time() - _STILL_S
    for run in sorted(runs):
        if cancelled() or total <= most_bytes or run.last_s > latest_s:
            return
        if run.folder.name == folder.name or _goes_on(run.folder):
            continue
        remove_moments(run.folder)
        total -= run.num_bytes
        _logger.info("%s: its moments were removed, as those of all runs took too much of the disk", run.folder)


def _runs(root: Path, cancelled: Callable[[], bool]) -> Iterator[_Run]:
    with contextlib.suppress(OSError):
        for folder in root.iterdir():
            if cancelled():
                return
            if _RUN_FOLDER.fullmatch(folder.name):
                # Deleted meanwhile, or without moments.
                with contextlib.suppress(OSError):
                    last_s = (folder / FOLDER_NAME).stat().st_mtime
                    yield _Run(last_s, folder, sum(moment.num_bytes for moment in kept_moments(folder)))


def _goes_on(folder: Path) -> bool:
    try:
        return is_locked(folder / LOCK_NAME)
    except (OSError, sqlite3.Error):
        return True
