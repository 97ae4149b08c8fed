"""Follows a run from outside, by the folder it writes into: here, on a mount, or a copy that grows.

Nothing but the folder is read: `events.jsonl`, as `follow_journal` writes it, and the network beside it. The file is
looked at by its size and time, since network mounts tell nobody of changes. Clocks of other machines are not believed:
how long a run has been silent is measured from when its file was last seen to change.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from explorer.runs.database import LOCK_NAME, is_locked
from explorer.runs.events import (
    EpochFinished,
    Event,
    RunFailed,
    RunFinished,
    RunStarted,
    StateChanged,
    StepsRecorded,
)
from explorer.runs.follow_journal import BEAT_INTERVAL_S, JOURNAL_NAME, Begun, from_line, this_machine

SILENT_S = 120.0
"""So long without news is worth saying."""
LIFELESS_S = 6 * BEAT_INTERVAL_S
"""So long without a beat is worth saying; a mount may show a file's time a minute late."""
_GRACE_S = 3.0
"""The end of a run lets go of its lock a moment before its journal says so."""
_CHUNK_BYTES = 1 << 22
_HEAD_BYTES = 512

FollowState = Literal[
    "waiting", "starting", "running", "paused", "stopping", "completed", "stopped", "failed", "interrupted"
]
"""Waiting is a folder without a journal, interrupted a run whose process is known to have died."""
ENDED: frozenset[FollowState] = frozenset({"completed", "stopped", "failed", "interrupted"})


class Followed(NamedTuple):
    """How a followed run stands."""

    state: FollowState
    host: str
    """Where it trains; empty while nothing is known."""
    process: int
    silent_s: float
    """Since its journal last grew."""
    lifeless_s: float
    """Since its journal last grew or beat."""

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard for long of a run that should say something."""
        if self.state in ("starting", "running", "stopping"):
            return self.silent_s >= SILENT_S
        return self.state == "paused" and self.lifeless_s >= SILENT_S


class Follower:
    """Reads a run's folder as it grows. Quick enough for a thread that looks twice a second; a dead mount may hang."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], float] = time.monotonic, machine: Callable[[], str] = this_machine
    ) -> None:
        """Follow the run in `folder`, which may not be there yet.

        Args:
            folder: of the run.
            clock: seconds that only grow.
            machine: what tells this machine from others.
        """
        self.folder = folder
        self._path = folder / JOURNAL_NAME
        self._clock = clock
        self._machine = machine()
        self._begun: Begun | None = None
        self._started: RunStarted | None = None
        self._state: FollowState = "waiting"
        self._measured: list[StepsRecorded | EpochFinished] = []
        self._offset = 0
        self._rest = b""
        self._head = b""
        """The file's first bytes, which tell one process' journal from another's."""
        self._mark: tuple[int, int] | None = None
        """Size and time of the file when it was last looked at."""
        self._changed_s = self._grown_s = clock()

    @property
    def started(self) -> RunStarted | None:
        """How the run last began; None before."""
        return self._started

    def poll(self) -> list[Event]:
        """What the run said since the last call.

        Behind a `RunStarted` that goes on from a checkpoint comes what was measured up to there, once more, so that a
        view that starts anew with it has everything.

        Raises:
            OSError: the folder or the file cannot be read.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:
            if not self.folder.is_dir():
                raise
            return []
        mark = (status.st_size, status.st_mtime_ns)
        if mark == self._mark:
            self._look_for_life()
            return []
        now_s = self._clock()
        is_first = self._mark is None
        has_grown = self._mark is None or self._mark[0] != mark[0]
        self._mark, self._changed_s = mark, now_s
        if has_grown:
            self._grown_s = now_s
        if is_first:
            # The one time when two clocks are compared; one that is ahead says nothing.
            self._changed_s = self._grown_s = now_s - max(0.0, time.time() - status.st_mtime)
        if status.st_size < self._offset:
            self._begin_anew()
        events = self._read(status.st_size)
        self._look_for_life()
        return events

    def status(self) -> Followed:
        """How the run stands, as of the last look."""
        begun = self._begun
        now_s = self._clock()
        return Followed(
            state=self._state,
            host="" if begun is None else begun.host,
            process=0 if begun is None else begun.process,
            silent_s=now_s - self._grown_s,
            lifeless_s=now_s - self._changed_s,
        )

    def _look_for_life(self) -> None:
        """Find out whether the process died, where that can be known: on the machine that it ran on."""
        here = self._begun is not None and self._begun.machine == self._machine
        is_still = self._clock() - self._changed_s >= _GRACE_S
        if here and is_still and self._state not in ENDED and not is_locked(self.folder / LOCK_NAME):
            self._state = "interrupted"

    def _read(self, size: int) -> list[Event]:
        events: list[Event] = []
        with self._path.open("rb") as file:
            # A copy may be another run's by now, and longer.
            head = file.read(_HEAD_BYTES)
            if not head.startswith(self._head):
                self._begin_anew()
            self._head = head
            file.seek(self._offset + len(self._rest))
            while self._offset + len(self._rest) < size and (chunk := file.read(_CHUNK_BYTES)):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                self._offset += sum(len(line) + 1 for line in lines)
                for line in lines:
                    events += self._take(from_line(line, self.folder))
        return events

    def _begin_anew(self) -> None:
        """It is another file of that name."""
        self._offset, self._rest, self._head, self._measured = 0, b"", b"", []

    def _take(self, event: Event | Begun | None) -> list[Event]:
        match event:
            case None:
                return []
            case Begun():
                self._begun, self._state = event, "starting"
                return []
            case RunStarted():
                self._started, self._state = event, "running"
                self._measured = _up_to(self._measured, event.resumed_step)
                return [event, *self._measured]
            case StepsRecorded() | EpochFinished():
                self._measured.append(event)
            case StateChanged():
                self._state = event.state
            case RunFinished():
                self._state = event.reason
            case RunFailed():
                self._state = "failed"
            case _:
                pass
        return [event]


def is_run_folder(folder: Path) -> bool:
    """Whether a run that can be followed lies in a folder.

    Raises:
        OSError: it cannot be looked into.
    """
    return (folder / JOURNAL_NAME).is_file()


def _up_to(measured: list[StepsRecorded | EpochFinished], step: int) -> list[StepsRecorded | EpochFinished]:
    """What was measured up to a step."""
    kept: list[StepsRecorded | EpochFinished] = []
    for event in measured:
        if isinstance(event, EpochFinished):
            if event.step <= step:
                kept.append(event)
        elif event.first_step <= step:
            count = step - event.first_step + 1
            kept.append(dataclasses.replace(event, losses=event.losses[:count], accuracies=event.accuracies[:count]))
    return kept
