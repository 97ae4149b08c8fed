"""`arch-explorer train`: the run of the window, from a terminal, kept in the same store."""

import argparse
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from explorer.architecture import Architecture
from explorer.cli import data, together
from explorer.cli.config_options import add_config_options, config_of
from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.progress import Progress
from explorer.cli.resuming import resume
from explorer.cli.run_result import INTERRUPTED_EXIT, conduct
from explorer.cli.target import check_runnable, load_network
from explorer.cli.weights import add_option, given_weights
from explorer.runs import RunConfig, RunControl
from explorer.runs.launch import given_config


def run(arguments: Sequence[str]) -> int:
    """Train a network and keep the run."""
    if not together.is_first():
        return together.take_part()
    try:
        status = _run(arguments)
    except ValueError as error:
        if together.is_one_of_several():
            raise UserMistake(str(error)) from error
        raise
    # torchrun would take a run that was stopped for one that failed.
    return 0 if status == INTERRUPTED_EXIT and together.is_one_of_several() else status


def _run(arguments: Sequence[str]) -> int:
    parser = Parser(prog=f"{PROGRAM} train", description="Train a network and keep the run.")
    parser.add_argument("network", nargs="?", metavar="NAME | FILE", help="network of the catalogue, or a project file")
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run that was stopped or broke, from its last checkpoint; of the other options only --lr, "
        "--device and --json go with it",
    )
    add_config_options(parser)
    add_option(parser)
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")
    options = parser.parse_args(arguments)
    if options.resume is not None:
        count = together.num_processes(options, None)
        several = count > 1 and not together.is_one_of_several()
        return together.launch(arguments, count) if several else resume(options)
    if options.network is None:
        raise UserMistake("received no network; name one of the catalogue or a project file, or use --resume RUN")
    config = given_config() or config_of(options)
    together.check(config)
    architecture = load_network(options.network)
    check_runnable(architecture)
    if not data.bring(config.data):
        return INTERRUPTED_EXIT
    if config.processes > 1 and not together.is_one_of_several():
        return together.launch(arguments, config.processes)
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


def _train(architecture: Architecture, config: RunConfig, start: Path | None, *, as_json: bool) -> int:
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training import plan_run
    from explorer.training.data import DataCancelled
    from explorer.training.recorded import train_recorded

    stopped, progress = threading.Event(), Progress(sys.stderr)
    try:
        # Once more inside `train`, but here a mistake leaves no record of a run behind.
        with on_interrupt(stopped.set):
            plan_run(architecture, config, start, progress.read, stopped.is_set)
    except DataCancelled:
        progress.close()
        print(f"{PROGRAM}: stopped before the run began", file=sys.stderr)
        return INTERRUPTED_EXIT
    except (ValueError, FileNotFoundError) as error:
        raise UserMistake(str(error)) from error
    finally:
        progress.close()
    return conduct(
        lambda emit, control: train_recorded(architecture, config, emit, control, initial_weights=start),
        RunControl(),
        as_json=as_json,
    )
