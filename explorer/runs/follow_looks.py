"""What is looked at of a run by whoever follows it, by files in the run's folder.

Who follows asks by `watch.npz`: a whole `Look`, with its images; where another follower asks there already, by a file
of its own beside it. As long as one of them is renewed the run answers what all of them look at together, in one file
for each kind of event (`answer-LayersOpened.npz`), which it replaces as a whole when there is a newer one, as often as
its budget for pictures and the disk allow. Neither side waits for the other, and clocks are not compared. The run
removes questions that are no longer renewed, and answers that a process which was killed has left.
Without a question nothing is captured or written. Arrays and JSON only: nothing is unpickled. What another version
wrote is passed over, and so is half a file.

Answers are packed as moments are (`moments_packing`), their large arrays at half precision, and hold at most
`MOST_ANSWER_BYTES`: what is larger goes without its largest parts (`fitted`), and `left-out.json` says which.
"""

import contextlib
import dataclasses
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from explorer.runs.control import RunControl
from explorer.runs.events import Event, RunFailed, RunFinished
from explorer.runs.follow_packing import (
    MOST_ANSWER_BYTES,
    LeftOut,
    fitted,
    pack_left_out,
    pack_question,
    unpack_left_out,
    unpack_question,
)
from explorer.runs.looks import Look, merged
from explorer.runs.moments_packing import EVENT_KINDS, UNREADABLE, Moment, pack, unpack

WATCH_NAME = "watch.npz"
_WATCH_NAMES = "watch*.npz"
"""Of all followers."""
ANSWER_NAMES: Mapping[type[Any], str] = {kind: f"answer-{kind.__name__}.npz" for kind in EVENT_KINDS}
LEFT_OUT_NAME = "left-out.json"
RENEWAL_S = 4.0
"""How often a follower says that it still looks."""
FORGOTTEN_S = 4 * RENEWAL_S
"""So long after the last renewal the run takes nobody to look any more."""
_INTERVAL_S = 0.2
_DISK_SHARE = 0.1
"""Of its thread's time that writing may take."""
_MOST_FILE_BYTES = MOST_ANSWER_BYTES + (1 << 22)
"""Of a file that is read: an answer, and what says what its arrays are."""
_logger = logging.getLogger(__name__)


class _Asked(NamedTuple):
    """What one follower asks."""

    mark: tuple[int, int]
    renewed_s: float
    number: int
    """Of the look, counted on with each new one; several followers are answered with the images of the newest."""
    look: Look


class LookAnswerer:
    """The run's side: a thread that lets `RunControl` watch what is asked, and writes what is captured.

    It asks for pictures whenever it can write some, so that none are captured for nothing. Use it in a `with`
    statement. A disk that refuses costs pictures and nothing else.
    """

    def __init__(self, control: RunControl, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._folder: Path | None = None
        self._has_begun = False
        """Whether the folder was looked at."""
        self._asked: dict[Path, _Asked] = {}
        """By the follower's file."""
        self._num_asked = 0
        self._answered: tuple[int, ...] = ()
        """The numbers of the looks that are watched."""
        self._newest: dict[type[Any], Moment] = {}
        """Of each kind, what is still to be written."""
        self._left_out: dict[type[Any], LeftOut] = {}
        """Of each kind, what its last answer does not hold."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="looks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        # Who has gone meanwhile has left to us what was written after that.
        self.look()

    def hear(self, event: Event, folder: Path) -> None:
        """Take what the run says, from any thread.

        Args:
            event: of the run.
            folder: the run's.
        """
        self._folder = folder
        if isinstance(event, Moment):
            with self._lock:
                self._newest[type(event)] = event
        elif isinstance(event, (RunFinished, RunFailed)):
            self.answer()

    def look(self) -> None:
        """See what is asked, and watch that."""
        if self._folder is None:
            return
        if not self._has_begun:
            # A process that was killed leaves its last answers, of steps that this one may not have made.
            self._has_begun = True
            _remove_answers(self._folder)
        now_s = self._clock()
        self._asked = {path: asked for path in _questions(self._folder) if (asked := self._read(path, now_s))}
        recent = []
        for path, asked in self._asked.items():
            if now_s - asked.renewed_s < FORGOTTEN_S:
                recent.append(asked)
            else:
                # Nobody else would. Who is there still asks again.
                _remove(path)
        recent = sorted((asked for asked in recent if not asked.look.is_empty), key=lambda asked: -asked.number)
        numbers = tuple(asked.number for asked in recent)
        if numbers == self._answered:
            return
        with self._writing:
            # Was said of what was looked at before.
            self._left_out = {}
            _remove(self._folder / LEFT_OUT_NAME)
        if recent:
            newest = recent[0].look
            self._control.watch(merged([asked.look for asked in recent], newest.probes, newest.current))
            self._answered = numbers
            return
        self._control.watch(Look())
        with self._writing:
            self._answered = ()
            _remove_answers(self._folder)

    def _read(self, path: Path, now_s: float) -> _Asked | None:
        """What a follower asks, read where its file has changed; None where there is none."""
        mark, known = _mark_of(path), self._asked.get(path)
        if mark is None or (known is not None and mark == known.mark):
            return None if mark is None else known
        if (question := _read_question(path)) is None:
            # No sign of life.
            return None if known is None else known._replace(mark=mark)
        if known is not None and question.same_as(known.look):
            return known._replace(mark=mark, renewed_s=now_s)
        self._num_asked += 1
        return _Asked(mark, now_s, self._num_asked, question)

    @property
    def _is_asked(self) -> bool:
        return bool(self._answered)

    def ask(self) -> None:
        """Let the run capture more, if anybody looks: what it captures now is written soon."""
        if self._is_asked:
            self._control.ask_for_pictures()

    def answer(self) -> None:
        """Write the newest of each kind, where there are new ones that somebody asked for."""
        with self._writing:
            with self._lock:
                events, self._newest = self._newest, {}
            if self._folder is None or not self._is_asked:
                return
            # Followers see steps grow, as whoever sits at the run does.
            for event in sorted(events.values(), key=lambda event: event.step):
                kind = type(event)
                try:
                    part, left_out = fitted(event)
                    if part is not None:
                        _replace(self._folder / ANSWER_NAMES[kind], pack([part]))
                    self._say_left_out(self._folder, kind, left_out)
                except (OSError, ValueError, TypeError, MemoryError) as error:
                    _logger.info("%s: %s could not be written: %s", self._folder, kind.__name__, error)

    def _say_left_out(self, folder: Path, kind: type[Any], left_out: LeftOut | None) -> None:
        """
        Raises:
            OSError: it cannot be written; it is tried again with the next answer.
        """
        if left_out == self._left_out.get(kind):
            return
        said = {known: one for known, one in self._left_out.items() if known is not kind}
        if left_out is not None:
            said[kind] = left_out
        if said:
            _replace(folder / LEFT_OUT_NAME, pack_left_out(said.values()))
        else:
            _remove(folder / LEFT_OUT_NAME)
        self._left_out = said

    def _work(self) -> None:
        due_s = 0.0
        while not self._is_over.wait(_INTERVAL_S):
            self.look()
            start_s = time.perf_counter()
            if start_s >= due_s:
                self.answer()
                end_s = time.perf_counter()
                due_s = end_s + (end_s - start_s) / _DISK_SHARE
            # What is captured now is written when it is next looked, and not old by then.
            if time.perf_counter() + _INTERVAL_S >= due_s:
                self.ask()


class LookReader:
    """A follower's side; all in the thread that follows, since a mount may hang."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read from a run's folder."""
        self._folder = folder
        self._clock = clock
        self._path = folder / WATCH_NAME
        """Where it asks."""
        self._question: Look | None = None
        self._marks: dict[str, tuple[int, int] | None] = {}
        """Of the answers that were read."""
        self._own_mark: tuple[int, int] | None = None
        """Of the question as it was written, so that another follower's is left alone."""
        self._asked_s = clock()
        self._is_written = False
        self._left_out: tuple[LeftOut, ...] = ()
        self._refusal = ""
        """Why the question could not be written at the last try; empty where it could."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why not all that is asked has come, one sentence each."""
        if (asked := self._question) is None:
            return ()
        nodes = {*asked.maps, *asked.opened, *asked.weighed, *asked.first_kernels}
        said = [one.text for one in self._left_out if not one.nodes or not nodes.isdisjoint(one.nodes)]
        return tuple([self._refusal] if self._refusal else said)

    def ask(self, question: Look) -> None:
        """Say what is looked at now, nothing included; it is written when `poll` comes.

        Several followers are answered together, with the probes of the one that asked last.
        """
        if question.is_empty:
            self.close()
        else:
            self._question, self._is_written = question, False

    def poll(self) -> tuple[Moment, ...]:
        """Newer answers by step, if there are any. A folder that cannot be written, or read, gives none."""
        if self._question is None:
            return ()
        self._refusal = ""
        try:
            self._renew(self._question, self._clock())
        except FileNotFoundError:
            # No folder, which whoever reads the run itself says.
            pass
        except OSError as error:
            self._refusal = (
                f"{self._folder}: what is looked at is asked for by a file there, which cannot be written: "
                f"{error.strerror or error}. Curves come all the same; pictures are of the weights that the run kept "
                "last, until this folder may be written."
            )
        left_out_mark = _mark_of(self._folder / LEFT_OUT_NAME)
        if left_out_mark != self._marks.get(LEFT_OUT_NAME):
            self._marks[LEFT_OUT_NAME] = left_out_mark
            self._left_out = _read_left_out(self._folder / LEFT_OUT_NAME)
        events: list[Moment] = []
        for name in ANSWER_NAMES.values():
            mark = _mark_of(self._folder / name)
            if mark is None or mark == self._marks.get(name):
                continue
            # Half a file, as a copy may have it, is one that is looked at again when it has changed.
            self._marks[name] = mark
            events += _read_answer(self._folder / name)
        return tuple(sorted(events, key=lambda event: event.step))

    def _renew(self, question: Look, now_s: float) -> None:
        """Write the question where it is new, or say that it still holds.

        Raises:
            OSError: the folder cannot be written.
        """
        there = _mark_of(self._path)
        if self._path.name == WATCH_NAME and there not in (None, self._own_mark):
            # Another follower's.
            self._path = self._folder / f"watch-{secrets.token_hex(6)}.npz"
            there, self._is_written = None, False
        if not self._is_written or (there is None and now_s - self._asked_s >= RENEWAL_S):
            _replace(self._path, pack_question(question))
            self._own_mark = _mark_of(self._path)
            self._is_written, self._asked_s = True, now_s
        elif now_s - self._asked_s >= RENEWAL_S and there is not None:
            # Not by `touch`, which would make an empty file where the run has just removed this one.
            os.utime(self._path)
            self._own_mark, self._asked_s = _mark_of(self._path), now_s

    def close(self) -> None:
        """Look no more, and leave nothing behind but what another follower asks."""
        is_own = self._path.name != WATCH_NAME or _mark_of(self._path) == self._own_mark
        if self._question is not None and self._own_mark is not None and is_own:
            _remove(self._path)
            if not _questions(self._folder):
                _remove_answers(self._folder)
        self._question = self._own_mark = None
        self._left_out, self._refusal = (), ""
        self._marks.pop(LEFT_OUT_NAME, None)
        self._path = self._folder / WATCH_NAME


def _questions(folder: Path) -> tuple[Path, ...]:
    """The files of all followers; none where the folder cannot be read."""
    try:
        return tuple(folder.glob(_WATCH_NAMES))
    except OSError:
        return ()


def _remove_answers(folder: Path) -> None:
    for name in (*ANSWER_NAMES.values(), LEFT_OUT_NAME):
        _remove(folder / name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _mark_of(path: Path) -> tuple[int, int] | None:
    """Changes when the file does; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _replace(path: Path, content: bytes) -> None:
    staged = path.with_name(f".{path.name}.part")
    try:
        staged.write_bytes(content)
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _content(path: Path) -> bytes:
    """
    Raises:
        OSError, ValueError: it cannot be read, or is larger than any that is written here.
    """
    if path.stat().st_size > _MOST_FILE_BYTES:
        raise ValueError(f"{path}: larger than {_MOST_FILE_BYTES:,} bytes")
    return path.read_bytes()


def _read_question(path: Path) -> Look | None:
    """None for what is no question, or one of another version."""
    try:
        return unpack_question(_content(path))
    except UNREADABLE:
        return None


def _read_left_out(path: Path) -> tuple[LeftOut, ...]:
    """Nothing where there is no such file."""
    try:
        return unpack_left_out(_content(path))
    except UNREADABLE:
        return ()


def _read_answer(path: Path) -> tuple[Moment, ...]:
    try:
        return tuple(dataclasses.replace(event, step=int(event.step)) for event in unpack(_content(path)))
    except UNREADABLE:
        return ()
