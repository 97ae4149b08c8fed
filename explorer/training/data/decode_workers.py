"""Processes that decode images, each served by a thread of this one; what a process does is `decode_worker`.

Pixels come through pipes straight to where they are wanted: two copies of an image take a hundredth of the time that
decoding takes, and pipes leave nothing behind, whoever ends first. Threads alone would not do: two decode hardly faster
than one, since PIL holds Python's lock between the parts of a file, and the loop and the window want that too.
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.training.data.decode_worker import ANSWER, READY, REQUEST
from explorer.training.data.decoding import Refused, decode

_MOST_WORKERS = 16
_MOST_UNANSWERED = 3
"""Requests that a process has at a time, so that it never waits. Their paths fit into the smallest pipe: otherwise both
sides might wait for the other to read."""
_MOST_FAILED = 2
"""Processes in a row that do not come so far as to ask for work; then threads decode."""
_PIPE_BYTES = 2**20
_PATIENCE_S = 2.0
"""For a process that was told to end."""


class Outcome(NamedTuple):
    """What became of a file."""

    is_decoded: bool
    height: int
    """As found, upright; 0 where it is not decoded."""
    width: int
    text: str
    """Why it is not decoded, else what was done to it that the user may not expect; empty for nothing."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """One image to be decoded."""

    path: Path
    room: npt.NDArray[np.uint8]
    """`(C, H, W)`, contiguous; where the pixels go."""
    done: Callable[[Outcome], None]
    """Called in a thread of the workers."""
    owner: object
    """Who may drop it."""
    num_ends: int = 0
    """Processes that ended over it."""


class Workers:
    """Processes that decode. They start at once, and end with `close`, or with this process."""

    def __init__(self, count: int | None = None) -> None:
        """Start them.

        Args:
            count: how many; None for as many as there are cores for this process.
        """
        self._jobs: deque[Job] = deque()
        self._condition = threading.Condition()
        self._is_closed = False
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._troubles: list[str] = []
        places = range(_num_workers() if count is None else count)
        self._threads = [
            threading.Thread(target=self._serve, args=(place,), name="decode", daemon=True) for place in places
        ]
        for thread in self._threads:
            thread.start()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the processes that run now."""
        with self._condition:
            return tuple(process.pid for process in self._processes.values() if process.poll() is None)

    def put(self, job: Job, *, first: bool = False) -> None:
        """Decode an image when those before it are done, or before all others."""
        with self._condition:
            if first:
                self._jobs.appendleft(job)
            else:
                self._jobs.append(job)
            self._condition.notify()

    @property
    def is_alive(self) -> bool:
        """Whether jobs will be done."""
        return any(thread.is_alive() for thread in self._threads)

    def drop(self, owner: object) -> None:
        """Forget somebody's jobs that were not begun."""
        with self._condition:
            kept = [job for job in self._jobs if job.owner is not owner]
            self._jobs.clear()
            self._jobs.extend(kept)

    def take_troubles(self) -> list[str]:
        """What went wrong with the processes since the last call, a sentence each."""
        with self._condition:
            taken, self._troubles = self._troubles, []
        return taken

    def close(self) -> None:
        """End the processes and wait for them. Jobs under way are not answered."""
        with self._condition:
            self._is_closed = True
            self._jobs.clear()
            processes = [*self._processes.values()]
            self._condition.notify_all()
        for process in processes:
            process.kill()  # It keeps nothing.
        for thread in self._threads:
            thread.join()

    # In the threads

    def _serve(self, place: int) -> None:
        unanswered: deque[Job] = deque()
        num_failed = 0
        while not self._is_closed and num_failed < _MOST_FAILED:
            process = self._start(place)
            if process is None:
                break
            is_ready = False
            try:
                assert process.stdout is not None
                is_ready = _exactly(process.stdout, len(READY)) == READY
                for job in unanswered:
                    _ask(process, job)
                while self._ask_more(process, unanswered):
                    outcome = _receive(process, unanswered[0])
                    unanswered.popleft().done(outcome)
            except (OSError, EOFError):
                pass  # It has ended.
            finally:
                code = self._end(place, process)
            num_failed = 0 if is_ready else num_failed + 1
            if is_ready and not self._is_closed:
                self._mourn(code, unanswered)
        if num_failed == _MOST_FAILED and not self._is_closed:
            self._say("The processes that should decode images end before they begin; threads do it, slower.")
        while not self._is_closed:
            # No process can be had: better slowly than not at all.
            for job in unanswered:
                job.done(_decoded_here(job))
            unanswered.clear()
            if (next_job := self._next(wait=True)) is not None:
                unanswered.append(next_job)

    def _ask_more(self, process: subprocess.Popen[bytes], unanswered: deque[Job]) -> bool:
        """Keep the process supplied; False when all is closed."""
        while len(unanswered) < _MOST_UNANSWERED:
            job = self._next(wait=not unanswered)
            if job is None:
                break
            unanswered.append(job)
            _ask(process, job)
        return not self._is_closed

    def _next(self, *, wait: bool) -> Job | None:
        with self._condition:
            while wait and not self._jobs and not self._is_closed:
                self._condition.wait()
            return self._jobs.popleft() if self._jobs and not self._is_closed else None

    def _start(self, place: int) -> subprocess.Popen[bytes] | None:
        # A frozen program's executable is the program, which would open another window.
        if getattr(sys, "frozen", False) or not sys.executable:
            return None
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", str(Path(__file__).with_name("decode_worker.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # numpy would start a thread for each core.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self._say(f"No process can be started to decode images ({error.strerror or error}); threads do it, slower.")
            return None
        assert process.stdout is not None
        _widen(process.stdout)
        with self._condition:
            self._processes[place] = process
            if self._is_closed:
                process.kill()
        return process

    def _end(self, place: int, process: subprocess.Popen[bytes]) -> int:
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):  # What was still to be sent has no reader any more.
                pipe.close()
        try:
            code = process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        with self._condition:
            del self._processes[place]
        return code

    def _mourn(self, code: int, unanswered: deque[Job]) -> None:
        why = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self._say(f"A process that decodes images {why}; another takes its place, and no image is lost.")
        if unanswered:
            # It answers in order, so this is the one that it was at.
            unanswered[0].num_ends += 1
            if unanswered[0].num_ends > 1:
                unanswered.popleft().done(Outcome(False, 0, 0, "ends the process that decodes it"))

    def _say(self, text: str) -> None:
        with self._condition:
            if text not in self._troubles:
                self._troubles.append(text)


class SharedWorkers:
    """Workers for several who read in turn, as training and test do: there while anybody holds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: Workers | None = None
        self._num_holders = 0

    def acquire(self) -> Workers:
        """Hold them; started for the first who does."""
        with self._lock:
            if self._workers is None:
                self._workers = Workers()
            self._num_holders += 1
            return self._workers

    def release(self) -> None:
        """Let go; closed after the last who does."""
        with self._lock:
            self._num_holders -= 1
            last, self._workers = self._workers, self._workers if self._num_holders else None
        if last is not None and not self._num_holders:
            last.close()


def _num_workers() -> int:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    # `torchrun` says how many processes of a run share this machine.
    sharing = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return max(1, min(_MOST_WORKERS, cores // max(1, int(sharing) if sharing.isdigit() else 1)))


def _ask(process: subprocess.Popen[bytes], job: Job) -> None:
    assert process.stdin is not None
    path = os.fsencode(job.path)
    process.stdin.write(REQUEST.pack(len(path), *job.room.shape) + path)
    process.stdin.flush()


def _receive(process: subprocess.Popen[bytes], job: Job) -> Outcome:
    stdout = process.stdout
    assert stdout is not None
    is_decoded, height, width, text_bytes = ANSWER.unpack(_exactly(stdout, ANSWER.size))
    text = _exactly(stdout, text_bytes).decode()
    if is_decoded:
        room = job.room.reshape(-1).data
        if stdout.readinto(room) != len(room):  # type: ignore[attr-defined]  # a buffered file has it
            raise EOFError
    return Outcome(bool(is_decoded), height, width, text)


def _exactly(file: IO[bytes], count: int) -> bytes:
    content = file.read(count)
    if len(content) != count:
        raise EOFError
    return content


def _decoded_here(job: Job) -> Outcome:
    try:
        found = decode(job.path, job.room.shape)
    except Refused as refused:
        return Outcome(False, 0, 0, str(refused))
    job.room[:] = found.pixels
    return Outcome(True, found.height, found.width, found.remark)


def _widen(pipe: IO[bytes]) -> None:
    """Let a whole image lie in a pipe, so that the process goes on before it is fetched; where the system can."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # More than this user may have: it goes without.
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
