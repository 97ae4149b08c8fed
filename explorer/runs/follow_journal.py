"""The journal of a run: `events.jsonl` in its folder, where what the run says is appended a line an event.

With it a run's folder stands for itself: whoever sees the folder, on this machine, over a mount or as a copy that is
brought up to date now and then, can follow the run; the store's database, which no network mount can be trusted with,
is not needed. A line is written whole or, by a process that dies, torn; readers pass over what is no line. Pictures are
not kept. `follow` reads it; where it is begun is `training.recorded`.

While the run lives the file's time of change moves, also when there is nothing to say.
"""

import base64
import contextlib
import dataclasses
import json
import logging
import math
import os
import platform
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from explorer.runs.config import RunConfig
from explorer.runs.events import (
    CheckpointSaved,
    EpochFinished,
    Event,
    RunFailed,
    RunFinished,
    RunNoted,
    RunStarted,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)

JOURNAL_NAME = "events.jsonl"
BEAT_INTERVAL_S = 10.0
"""How often a living run moves the file's time of change."""
FORMAT = 1
_FLUSH_INTERVAL_S = 0.5
_MOST_WAITING = 20_000
"""Events that wait for a disk that refuses; a run goes on without the oldest."""
_logger = logging.getLogger(__name__)

KEPT = (
    RunStarted,
    StepsRecorded,
    EpochFinished,
    CheckpointSaved,
    StateChanged,
    RunNoted,
    TroubleMet,
    RunFinished,
    RunFailed,
)
_KINDS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in KEPT}
_PATHS = {"path", "checkpoint"}
"""Fields that name a file in the run's folder; only its name is kept, since the folder may lie elsewhere."""
_ARRAYS = {"losses", "accuracies"}


class Begun(NamedTuple):
    """The line with which each process that trains the run begins."""

    machine: str
    """What `this_machine` says there."""
    host: str
    """Its name, for people."""
    process: int
    """Its number there."""


class Journal:
    """Writes the journal of one run from a thread of its own, so that training never waits for the disk.

    Use it in a `with` statement. A disk that refuses is tried again, and nothing is raised: the run's record is the
    store's to guard.
    """

    def __init__(self, folder: Path, *, beat_interval_s: float = BEAT_INTERVAL_S) -> None:
        """Append to the journal in `folder`, which is there."""
        self._path = folder / JOURNAL_NAME
        self._beat_interval_s = beat_interval_s
        self._lock = threading.Lock()
        self._waiting: list[Event | Begun] = [Begun(this_machine(), platform.node(), os.getpid())]
        self._is_torn = _is_torn(self._path)
        self.is_refused = False
        """Whether the disk took nothing at the last try."""
        self._is_urgent = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put(self, event: Event) -> None:
        """Keep an event, from any thread; it lies on the disk within half a second."""
        if isinstance(event, KEPT):
            with self._lock:
                self._waiting.append(event)
                del self._waiting[:-_MOST_WAITING]

    def close(self) -> None:
        """Write what waits and end."""
        self._is_closing = True
        self._is_urgent.set()
        self._thread.join()

    def _work(self) -> None:
        beaten_s = time.monotonic()
        while True:
            is_last = self._is_closing
            if self._flush():
                beaten_s = time.monotonic()
            elif time.monotonic() - beaten_s >= self._beat_interval_s:
                beaten_s = time.monotonic()
                with contextlib.suppress(OSError):
                    os.utime(self._path)
            if is_last:
                return
            self._is_urgent.wait(_FLUSH_INTERVAL_S)

    def _flush(self) -> bool:
        """Whether anything was written."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        if not taken:
            return False
        text = "".join(f"{to_line(event)}\n" for event in joined(taken))
        if self._is_torn:
            # What a process left half written becomes a line of its own, which no reader understands.
            text = f"\n{text}"
        try:
            # Opened anew each time: other machines see what is written to a network mount once the file is closed.
            with self._path.open("ab") as file:
                file.write(text.encode())
        except OSError as error:
            if not self.is_refused:
                _logger.warning(
                    "%s: the journal cannot be written: %s; it is tried again", self._path, error.strerror or error
                )
            self.is_refused = True
            # Some of it may have been written.
            self._is_torn = True
            with self._lock:
                self._waiting = [*taken, *self._waiting][-_MOST_WAITING:]
            return False
        self.is_refused = self._is_torn = False
        return True


def this_machine() -> str:
    """A text that another machine, and this one after it was started anew, does not have."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"{platform.node()}-{uuid.getnode():x}"


def joined(events: list[Event | Begun]) -> list[Event | Begun]:
    """The same with neighbouring reports of steps as one, where they differ in their steps and speed only."""
    whole: list[Event | Begun] = []
    parts: list[StepsRecorded] = []
    for event in events:
        if isinstance(event, StepsRecorded) and (not parts or _follows(parts[-1], event)):
            parts.append(event)
            continue
        whole += _as_one(parts)
        parts = [event] if isinstance(event, StepsRecorded) else []
        if not parts:
            whole.append(event)
    return [*whole, *_as_one(parts)]


def _follows(before: StepsRecorded, event: StepsRecorded) -> bool:
    same = (before.run_id, before.learning_rate, before.epoch) == (event.run_id, event.learning_rate, event.epoch)
    return same and event.first_step == before.last_step + 1


def _as_one(parts: list[StepsRecorded]) -> list[StepsRecorded]:
    if len(parts) < 2:
        return parts
    losses = np.concatenate([part.losses for part in parts])
    accuracies = np.concatenate([part.accuracies for part in parts])
    return [dataclasses.replace(parts[-1], first_step=parts[0].first_step, losses=losses, accuracies=accuracies)]


def to_line(event: Event | Begun) -> str:
    """One line of the journal, without its end."""
    if isinstance(event, Begun):
        return json.dumps({"event": "Begun", "format": FORMAT, **event._asdict()})
    fields = {field.name: _plain(field.name, getattr(event, field.name)) for field in dataclasses.fields(event)}
    return json.dumps({"event": type(event).__name__, **fields}, ensure_ascii=False, allow_nan=False)


def from_line(line: bytes, folder: Path) -> Event | Begun | None:
    """What a line says; None for one that is torn, or of a later version's kind.

    Args:
        line: without its end.
        folder: of the run, as the reader sees it.
    """
    try:
        fields = json.loads(line)
        kind = fields.pop("event")
        if kind == "Begun":
            return Begun(str(fields["machine"]), str(fields["host"]), int(fields["process"]))
        known = _KINDS[kind]
        names = {field.name for field in dataclasses.fields(known)}
        values = {name: _value(name, value, folder) for name, value in fields.items() if name in names}
        event: Event = known(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return event


def _plain(name: str, value: object) -> object:
    if isinstance(value, np.ndarray):
        return base64.b64encode(np.asarray(value, "<f4").tobytes()).decode()
    if isinstance(value, RunConfig):
        return value.to_plain()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    return Path(value).name if name in _PATHS and isinstance(value, str) else value


def _value(name: str, value: Any, folder: Path) -> object:
    if name in _ARRAYS:
        array: npt.NDArray[np.float32] = np.frombuffer(base64.b64decode(value, validate=True), "<f4")
        return array
    if name == "config":
        return RunConfig.from_plain(value)
    if isinstance(value, dict):
        return float(value["number"])
    if name in _PATHS and isinstance(value, str):
        # The name alone: what a file says must not lead out of its folder.
        return str(folder / PureWindowsPath(value).name)
    return tuple(value) if isinstance(value, list) else value


def _is_torn(path: Path) -> bool:
    """Whether a file ends within a line."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return False
