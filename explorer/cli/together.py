"""`arch-explorer train` with several processes: those that `torchrun` started, and starting them here with --processes.

The first process is the usual command; the others take its word. A window that starts such a run says what it wants
through a folder, see `runs.launch`.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, UserMistake
from explorer.runs import RunConfig, RunFailed, RunStore, RunStoreError, config_field, default_root
from explorer.runs.launch import torchrun


def is_one_of_several() -> bool:
    """Whether `torchrun`, or whoever sets its environment variables, started this process beside others."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def is_first() -> bool:
    """Whether this is the process that reads the command; the others take its word."""
    return not is_one_of_several() or os.environ.get("RANK") == "0"


def take_part() -> int:
    """Train with the others in a process that is not the first; the exit status.

    Raises:
        UserMistake: the environment does not say who they are.
    """
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training.distributed_run import take_part as train_along

    try:
        result = train_along()
    except ValueError as error:
        raise UserMistake(str(error)) from error
    if isinstance(result, RunFailed):
        print(f"{PROGRAM}: process failed: {result.message}", file=sys.stderr)
        if result.details:
            print(result.details, file=sys.stderr)
        return 1
    return 0


def num_processes(options: argparse.Namespace, config: RunConfig | None) -> int:
    """How many processes this command is to start here: those of the configuration, or of the run that goes on."""
    if config is not None:
        return config.processes
    with contextlib.suppress(RunStoreError), RunStore(default_root()) as store:
        return store.find(options.resume).config.processes
    return 1


def launch(arguments: Sequence[str], count: int) -> int:
    """Let that many processes of this machine train together by the same arguments; the exit status."""
    print(f"{count} processes train together", file=sys.stderr)
    # Ctrl+C reaches them as well; this process only waits.
    with on_interrupt(lambda: None):
        return subprocess.call([*torchrun(count), "train", *arguments])


def check(config: RunConfig) -> None:
    """Refuse a device that several processes cannot share.

    Raises:
        UserMistake: says what would fit.
    """
    field = config_field("processes")
    if config.processes > 1 and config.device not in ("auto", "cpu", "cuda"):
        raise UserMistake(f"{field.option}: received {config.processes} with --device {config.device}; use auto or cpu")
