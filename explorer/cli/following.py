"""`arch-explorer runs --follow`: a run that trains elsewhere, in this terminal, as its folder grows."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, UserMistake
from explorer.cli.progress import Progress
from explorer.runs import EpochFinished, RunFailed, RunFinished, RunStarted, RunStore, StepsRecorded, default_root
from explorer.runs.follow import Followed, Follower, is_run_folder

_INTERVAL_S = 0.3


def follow(target: str, *, as_json: bool) -> int:
    """Show a run until it ends, or until Ctrl+C, which leaves it alone.

    Args:
        target: the folder of a run, or the id of one of this machine's.
        as_json: end with one JSON object on standard output.

    Returns:
        The exit status: 0 once it has ended as planned or was stopped, or after Ctrl+C; 1 where it broke.

    Raises:
        UserMistake: there is no run to follow.
    """
    folder = _folder(target)
    follower, progress = Follower(folder), Progress(sys.stderr)
    asked: list[bool] = []
    steps: StepsRecorded | None = None
    epoch: EpochFinished | None = None
    failure, said = "", ""
    with on_interrupt(lambda: asked.append(True)):
        while True:
            try:
                events = follower.poll()
            except OSError as error:
                events = []
                said = _say(f"{folder}: {error.strerror or error}; it is tried again", said, progress)
            for event in events:
                progress(event)
                if isinstance(event, RunStarted):
                    steps, epoch, failure = None, None, ""
                elif isinstance(event, StepsRecorded):
                    steps = event
                elif isinstance(event, EpochFinished):
                    epoch = event
                elif isinstance(event, RunFailed):
                    failure = event.message
                elif isinstance(event, RunFinished) and event.note:
                    print(event.note, file=sys.stderr)
            status = follower.status()
            if status.is_ended or asked:
                break
            said = _say(_silence(status) if status.is_silent else "", said, progress)
            time.sleep(_INTERVAL_S)
    progress.close()
    if status.state == "interrupted":
        failure = f"its process ({status.process} on {status.host}) ended without a word"
    _report(folder, status, steps, epoch, failure, as_json=as_json)
    return 1 if status.state in ("failed", "interrupted") else 0


def _folder(target: str) -> Path:
    folder = Path(target)
    try:
        if not folder.exists():
            with RunStore(default_root()) as store:
                folder = store.find(target).folder
        elif not folder.is_dir():
            raise UserMistake(f"{target}: is a file; name the folder of a run")
        if not is_run_folder(folder):
            raise UserMistake(f"{folder}: holds no run that can be followed; name a folder with events.jsonl in it")
    except OSError as error:
        why = error.strerror or error
        raise UserMistake(f"{target}: cannot be looked into: {why}; name a folder that may be read") from error
    return folder


def _silence(status: Followed) -> str:
    text = f"no news for {int(status.silent_s // 60)} min"
    if status.lifeless_s >= status.silent_s / 2:
        return f"{text}, and no sign of life from {status.host}"
    return f"{text}; its process on {status.host} lives"


def _say(text: str, before: str, progress: Progress) -> str:
    if text and text != before:
        progress.close()
        print(f"{PROGRAM}: {text}", file=sys.stderr)
    return text


def _report(
    folder: Path,
    status: Followed,
    steps: StepsRecorded | None,
    epoch: EpochFinished | None,
    failure: str,
    *,
    as_json: bool,
) -> None:
    last_step = 0 if steps is None else steps.last_step
    if as_json:
        plain: dict[str, Any] = {
            "folder": str(folder),
            "state": status.state,
            "host": status.host,
            "step": last_step,
            "epoch": 0 if epoch is None else epoch.epoch,
            "test_accuracy": None if epoch is None else epoch.test_accuracy,
            "message": failure,
        }
        print(json.dumps(plain))
        return
    text = f"run {folder.name} {status.state} after step {last_step:,}"
    print(f"{text}: {failure}" if failure else text)
    if epoch is not None:
        print(f"test accuracy {100 * epoch.test_accuracy:.2f} %")
