"""`arch-explorer train`: the run of the window, from a terminal, kept in the same store."""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explorer.architecture import Architecture
from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.progress import Progress
from explorer.cli.target import check_runnable, load_network
from explorer.cli.weights import add_option, given_weights
from explorer.runs import (
    CONFIG_FIELDS,
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStoreError,
)

_INTERRUPTED_EXIT = 130


def run(arguments: Sequence[str]) -> int:
    """Train a network and keep the run."""
    parser = Parser(prog=f"{PROGRAM} train", description="Train a network and keep the run.")
    parser.add_argument("network", metavar="NAME | FILE", help="network of the catalogue, or a project file")
    for field in CONFIG_FIELDS:
        metavar = "|".join(field.choices) if field.choices else "N" if field.kind == "int" else "X"
        # Doubled: argparse would read a percent sign as a format.
        text = field.help.replace("%", "%%")
        fits = "" if field.choices else f"; {field.what_fits}"
        parser.add_argument(field.option, dest=field.name, metavar=metavar, help=f"{text} ({field.default}{fits})")
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")
    options = parser.parse_args(arguments)
    config = _config({field.name: getattr(options, field.name) for field in CONFIG_FIELDS})
    architecture = load_network(options.network)
    check_runnable(architecture)
    with tempfile.TemporaryDirectory(prefix="arch-explorer-weights-", ignore_cleanup_errors=True) as folder:
        return _train(architecture, config, _start(options, architecture, Path(folder)), as_json=options.json)


def _start(options: argparse.Namespace, architecture: Architecture, folder: Path) -> Path | None:
    """The weights to start from, in a file as `train` takes them, under the name of where they come from."""
    from explorer.runtime import threads

    threads.prepare()
    given = given_weights(options.weights, options.network, architecture)
    if given is None:
        return None
    from explorer.runtime.weights import write_tensors

    start = folder / f"{given.stem}.safetensors"
    try:
        write_tensors(given.tensors, start, given.facts)
    except OSError as error:
        raise UserMistake(f"{folder}: {error.strerror or error}") from error
    return start


def _config(texts: dict[str, str | None]) -> RunConfig:
    values: dict[str, Any] = {}
    for field in CONFIG_FIELDS:
        text = texts[field.name]
        if text is None:
            continue
        try:
            values[field.name] = field.parse(text)
        except ValueError as error:
            raise UserMistake(str(error).replace(f"{field.name}:", f"{field.option}:", 1)) from error
    return RunConfig(**values)


def _train(architecture: Architecture, config: RunConfig, start: Path | None, *, as_json: bool) -> int:
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training import plan_run
    from explorer.training.recorded import train_recorded

    try:
        # Once more inside `train`, but here a mistake leaves no record of a run behind.
        plan_run(architecture, config, start)
    except (ValueError, FileNotFoundError) as error:
        raise UserMistake(str(error)) from error
    progress, control = Progress(sys.stderr), RunControl()
    history: list[EpochFinished] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            history.append(event)
        progress(event)

    try:
        with on_interrupt(control.stop):
            result = train_recorded(architecture, config, emit, control, initial_weights=start)
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
    return _INTERRUPTED_EXIT if result.reason == "stopped" else 0


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
    if result.test_accuracy is not None:
        lines.append(f"test accuracy {100 * result.test_accuracy:.2f} %")
    if result.checkpoint is not None:
        lines.append(f"export it: {PROGRAM} export {result.run_id} --to model.py --to model.safetensors --check")
    return "\n".join(lines)
