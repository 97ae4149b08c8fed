"""Several processes of this machine that train one run, started and watched from a thread of the window.

They are what `torchrun` starts, and end up in the run store as any run. A folder of their own holds what they are told:
the network, the configuration, and each command as one more line of a file. What they say, pictures included, is
read from their run's folder, so that the window sees what anybody sees who follows it. Their standard input is a pipe
that nobody writes to: it ends with the window, even with one that is killed, and then the run stops by itself.
"""

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from explorer.architecture import Architecture, Project, files
from explorer.runs.config import RunConfig
from explorer.runs.control import RunControl
from explorer.runs.events import Event, RunFailed, RunFinished
from explorer.runs.follow import Follower, is_run_folder
from explorer.runs.follow_looks import LookAnswerer, LookReader
from explorer.runs.paths import default_root

EXCHANGE_VARIABLE = "ARCH_EXPLORER_EXCHANGE"
"""Environment variable that names the folder through which a window speaks with what it started."""
_NETWORK, _CONFIG, _COMMANDS, _RUN, _LOG = "network.arch.json", "config.json", "commands.jsonl", "run.txt", "log.txt"
_INTERVAL_S = 0.1
_LOG_CHARACTERS = 4000


def torchrun(count: int) -> list[str]:
    """The beginning of a command that starts this program so many times on this machine."""
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={count}",
        "-m",
        "explorer",
    ]


def train_in_processes(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    initial_weights: Path | None = None,
    resume: str | None = None,
) -> None:
    """Train in `config.processes` processes until they have ended.

    Args:
        architecture: the network.
        config: how.
        emit: receives the events of the run, as `train` says them.
        control: of the run.
        initial_weights: a file to start from.
        resume: the id of a run that goes on instead.
    """
    with tempfile.TemporaryDirectory(prefix="arch-explorer-processes-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        arguments = ["train"]
        if resume is None:
            files.save(Project(architecture=architecture), folder / _NETWORK)
            (folder / _CONFIG).write_text(json.dumps(config.to_plain()), encoding="utf-8")
            arguments.append(str(folder / _NETWORK))
            if initial_weights is not None:
                arguments += ["--weights", str(initial_weights)]
        else:
            arguments += ["--resume", resume]
        with (folder / _LOG).open("wb") as log:
            process = subprocess.Popen(
                [*torchrun(config.processes), *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {EXCHANGE_VARIABLE: str(folder)},
                # A Ctrl+C in the window's terminal closes the window, which then ends the run itself.
                start_new_session=True,
            )
        try:
            last = _follow(process, folder, emit, control)
        finally:
            _end(process)
        if last is None:
            text = (folder / _LOG).read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:]
            said = _reason(text) or "the processes ended without a word"
            emit(RunFailed(run_id="", message=f"before the first step: {said}", details=text, checkpoint=None))


def _follow(
    process: "subprocess.Popen[bytes]", folder: Path, emit: Callable[[Event], None], control: RunControl
) -> Event | None:
    """Hand on what is said and asked until the end; the last event, or None if there was none."""
    follower: Follower | None = None
    looks: _Looks | None = None
    teller = _Teller(folder / _COMMANDS, control)
    last: Event | None = None
    while True:
        has_ended = process.poll() is not None
        teller.tell()
        if follower is None and (folder / _RUN).is_file():
            run = Path((folder / _RUN).read_text(encoding="utf-8"))
            if is_run_folder(run):
                follower, looks = Follower(run), _Looks(run, control)
        for event in [] if follower is None else follower.poll():
            last = event
            if isinstance(event, (RunFinished, RunFailed)) and looks is not None:
                looks.close(emit)
            emit(event)
        if isinstance(last, (RunFinished, RunFailed)):
            return last
        # What the run began with is said first.
        for event in [] if looks is None or last is None else looks.poll():
            emit(event)
        if has_ended:
            if last is not None:
                last = RunFailed(
                    run_id=last.run_id,
                    message="The processes ended without a word; what is there stays, and can go on from its last "
                    "checkpoint",
                    details=(folder / _LOG).read_text(encoding="utf-8", errors="replace")[-_LOG_CHARACTERS:],
                    checkpoint=None,
                )
                emit(last)
            return last
        time.sleep(_INTERVAL_S)


class _Looks:
    """Asks for what a `RunControl` watches."""

    def __init__(self, run: Path, control: RunControl) -> None:
        self._reader = LookReader(run)
        self._control = control
        self._version: int | None = None

    def poll(self) -> Sequence[Event]:
        watch = self._control.watched
        if watch.version != self._version:
            self._version = watch.version
            self._reader.ask(watch.look)
        return self._reader.poll()

    def close(self, emit: Callable[[Event], None]) -> None:
        """Hand on the last ones."""
        for event in self.poll():
            emit(event)
        self._reader.close()


class _Teller:
    """Writes down what a `RunControl` is asked, a line a command."""

    def __init__(self, path: Path, control: RunControl) -> None:
        self._path = path
        self._control = control
        self._said: dict[str, bool] = {"pause": False, "stop": False}

    def tell(self) -> None:
        control = self._control
        commands: list[dict[str, object]] = []
        while control.take_single_step():
            commands.append({"step": True})
            self._said["pause"] = True
        for name, asked in (("pause", control.is_paused), ("stop", control.stop_requested)):
            if asked != self._said[name]:
                self._said[name] = asked
                commands.append({name: asked})
        rate = control.learning_rate_change()
        if rate is not None:
            commands.append({"learning_rate": rate})
        if commands:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(command)}\n" for command in commands)


def _reason(text: str) -> str:
    """The line with which a command of this program says what went wrong."""
    lines = [line.partition("arch-explorer: ")[2] for line in text.splitlines() if line.startswith("arch-explorer: ")]
    return lines[-1].removeprefix("error: ") if lines else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


# The other side, in the first of the processes


def exchange_folder() -> Path | None:
    """The folder of whoever started this process; None where nobody speaks with it so."""
    name = os.environ.get(EXCHANGE_VARIABLE)
    return Path(name) if name else None


def given_config() -> RunConfig | None:
    """The configuration in that folder, where there is one.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    folder = exchange_folder()
    if folder is None or not (folder / _CONFIG).is_file():
        return None
    return RunConfig.from_plain(json.loads((folder / _CONFIG).read_text(encoding="utf-8")))


@contextlib.contextmanager
def listening(control: RunControl) -> Iterator[Callable[[Event], None]]:
    """Let whoever follows the run look into its network; where a window started it, obey what that writes into the
    folder of both, tell there which run it is, and stop when that window is gone.

    Yields:
        What is to hear the run's events.
    """
    folder, root = exchange_folder(), default_root()
    told: list[str] = []
    with LookAnswerer(control) as answerer:

        def hear(event: Event) -> None:
            if not event.run_id:
                return
            answerer.hear(event, root / event.run_id)
            if folder is not None and not told and folder.is_dir():
                told.append(event.run_id)
                staged = folder / f".{_RUN}"
                staged.write_text(str((root / event.run_id).absolute()), encoding="utf-8")
                staged.replace(folder / _RUN)

        if folder is None:
            yield hear
            return
        is_over, is_left = threading.Event(), threading.Event()
        thread = threading.Thread(target=_obey, args=(folder, control, is_over), name="commands", daemon=True)
        thread.start()
        # It waits in the system for as long as the window lives, and is left there when the run ends before.
        threading.Thread(target=_outlive, args=(control, is_left), name="window", daemon=True).start()
        try:
            yield hear
        finally:
            is_over.set()
            thread.join()
            if is_left.is_set():
                shutil.rmtree(folder, ignore_errors=True)


def _outlive(control: RunControl, is_left: threading.Event) -> None:
    """Stop the run once the standard input ends, with whoever started it."""
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # Not through sys.stdin, whose lock a thread must not hold when the program ends.
            pass
    is_left.set()
    control.stop()


def _obey(folder: Path, control: RunControl, is_over: threading.Event) -> None:
    done = 0
    while not is_over.wait(_INTERVAL_S):
        with contextlib.suppress(OSError):
            *lines, _torn = (folder / _COMMANDS).read_text(encoding="utf-8").split("\n")
            for line in lines[done:]:
                _do(json.loads(line), control)
            done = len(lines)


def _do(command: dict[str, object], control: RunControl) -> None:
    match command:
        case {"stop": True}:
            control.stop()
        case {"pause": True}:
            control.pause()
        case {"pause": False}:
            control.resume()
        case {"step": True}:
            control.step_once()
        case {"learning_rate": float(rate)} if math.isfinite(rate):
            control.set_learning_rate(rate)
        case _:
            pass
