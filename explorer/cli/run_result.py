"""A run in a terminal: its progress while it goes, Ctrl+C as a request to stop, and what came of it."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, UserMistake
from explorer.cli.progress import Progress
from explorer.runs import EpochFinished, Event, RunControl, RunFailed, RunFinished, RunStoreError, TroubleMet
from explorer.runs.launch import listening

INTERRUPTED_EXIT = 130


def conduct(
    train: Callable[[Callable[[Event], None], RunControl], RunFinished | RunFailed],
    control: RunControl,
    *,
    as_json: bool,
) -> int:
    """Let a run go, and print what came of it; the exit status.

    Args:
        train: trains until the end, given who listens and what can stop it.
        control: of the run.
        as_json: end with one JSON object on standard output.

    Raises:
        UserMistake: the run could not begin.
    """
    progress = Progress(sys.stderr)
    history: list[EpochFinished] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            history.append(event)
        if isinstance(event, TroubleMet):
            progress.close()
            print(f"{PROGRAM}: {event.message}", file=sys.stderr)
        progress(event)
        hear(event)

    try:
        with on_interrupt(control.stop), listening(control) as hear:
            result = train(emit, control)
    except RunStoreError as error:
        raise UserMistake(str(error)) from error
    finally:
        progress.close()
    if isinstance(result, RunFailed):
        print(f"{PROGRAM}: run {result.run_id} failed: {result.message}", file=sys.stderr)
        if result.details:
            print(result.details, file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(_to_plain(result, progress.device, history)))
    else:
        print(_text(result))
    return INTERRUPTED_EXIT if result.reason == "stopped" else 0


def _to_plain(result: RunFinished, device: str, history: Sequence[EpochFinished]) -> dict[str, Any]:
    names = ("epoch", "step", "seconds", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    return {
        "run_id": result.run_id,
        "train_loss": _finite(result.train_loss),
        "train_accuracy": _finite(result.train_accuracy),
        "test_accuracy": _finite(result.test_accuracy),
        "images_per_second": _finite(result.images_per_second),
        "device": device,
        "history": [
            {name: _finite(getattr(epoch, name)) for name in (*names, "images_per_second")} for epoch in history
        ],
    }


def _finite(value: float | None) -> float | None:
    """The number, or None where JSON has none for it."""
    return value if value is not None and math.isfinite(value) else None


def _text(result: RunFinished) -> str:
    end = "stopped" if result.reason == "stopped" else "completed"
    lines = [f"run {result.run_id} {end} after step {result.step:,}, {result.seconds:.1f} s"]
    if result.note:
        lines.append(result.note)
    if result.test_accuracy is not None:
        lines.append(f"test accuracy {100 * result.test_accuracy:.2f} %")
    if result.checkpoint is not None:
        lines.append(f"export it: {PROGRAM} export {result.run_id} --to model.py --to model.safetensors --check")
    if result.reason == "stopped":
        lines.append(f"go on with it: {PROGRAM} train --resume {result.run_id}")
    return "\n".join(lines)
