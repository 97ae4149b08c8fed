"""A run with its record: begins it in the store or takes it up again, trains, closes it; for window and terminal."""

import dataclasses
import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from explorer import __version__
from explorer.architecture import Architecture, Project, files
from explorer.runs import (
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunRecord,
    RunStarted,
    RunStore,
    default_root,
)
from explorer.runs.checkpoints import checkpoint_place, newest_checkpoint
from explorer.runs.follow_journal import Journal
from explorer.runs.moments import budget_bytes
from explorer.runs.replay import measurements
from explorer.training.checkpoint import CheckpointError
from explorer.training.distributed import joined
from explorer.training.distributed_run import give_orders
from explorer.training.loop import train
from explorer.training.normalization import settle_normalization
from explorer.training.run_data import bring_data, stopped_before_start


def train_recorded(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    root: Path | None = None,
    initial_weights: Path | None = None,
) -> RunFinished | RunFailed:
    """Train as `train` does, kept in the run store. What is stopped while its data set is read leaves no record.

    Args:
        root: the store's folder; None for the user's own.
        initial_weights: as for `train`.

    Raises:
        RunStoreError: the run cannot be recorded, so it did not begin; the message says what helps.
    """
    if not bring_data(config, architecture.input_shape, emit, control):
        stopped = stopped_before_start()
        emit(stopped)
        return stopped
    # The record says which, also once the weights are gone.
    config = settle_normalization(config, architecture.input_shape, initial_weights)
    with RunStore(default_root() if root is None else root) as store:
        record = store.create(
            config,
            architecture.name,
            files.dumps(Project(architecture=architecture, sections={"training": config.to_plain()})),
            versions(),
        )
        with Journal(record.folder) as journal, joined(control, _end_of(record.run_id, store, journal)) as ranks:
            give_orders(ranks, architecture, config, resume=False)
            return train(
                architecture,
                config,
                _both(emit, journal.put),
                control,
                run_id=record.run_id,
                store=store,
                initial_weights=initial_weights,
                ranks=ranks,
                moments_bytes=budget_bytes(),
            )


def resume_recorded(
    run_id: str,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    root: Path | None = None,
    device: str | None = None,
) -> RunFinished | RunFailed:
    """Take a run up again from its newest checkpoint, with the network and configuration that it began with.

    Behind `RunStarted` comes everything that was measured up to the checkpoint, once more, so that a view that starts
    empty has it all; what was recorded after it is cut off, and comes again.

    Args:
        run_id: whole, or a beginning that only one run has.
        root: the store's folder; None for the user's own.
        device: where to go on; None for where its configuration says. On another kind of device the images come in
            another order.

    Raises:
        UnknownRunError: no run has that id, or several begin so.
        RunStoreError: it is running, or the store cannot be written.
        CheckpointError: it is complete, or it has no whole checkpoint.
        ArchitectureFileError: its architecture cannot be read.
    """
    with RunStore(default_root() if root is None else root) as store:
        record = store.find(run_id)
        place = newest_checkpoint(record.folder)
        if record.state == "completed":
            raise CheckpointError(f"run {record.run_id} is complete; start a new run from its weights to train on")
        if place is None and record.state != "running":
            raise CheckpointError(
                f"run {record.run_id} ended before its first checkpoint; start it anew with the same settings and seed"
            )
        architecture = files.load(record.architecture_path).architecture
        step = 0 if place is None else checkpoint_place(place)[0]
        # Before the run is made to go on: stopped meanwhile, its record stays as it is.
        if not bring_data(record.config, architecture.input_shape, emit, control, record.run_id):
            stopped = stopped_before_start(record.run_id, step, record.seconds or 0.0)
            emit(stopped)
            return stopped
        config = record.config if device is None else dataclasses.replace(record.config, device=device)
        before = measurements(record, store.history(record.run_id), step)
        store.go_on(record.run_id, step)

        def emit_all(event: Event) -> None:
            if isinstance(event, RunStarted):
                notes = (*event.notes, *_differences(record, event, versions()))
                emit(dataclasses.replace(event, notes=notes))
                for earlier in before:
                    emit(earlier)
            else:
                emit(event)

        with Journal(record.folder) as journal, joined(control, _end_of(record.run_id, store, journal)) as ranks:
            give_orders(ranks, architecture, config, resume=True)
            return train(
                architecture,
                config,
                _both(emit_all, journal.put),
                control,
                run_id=record.run_id,
                store=store,
                resume=True,
                ranks=ranks,
                moments_bytes=budget_bytes(),
            )


def _end_of(run_id: str, store: RunStore, journal: Journal) -> Callable[[str], None]:
    """What writes down that a run ended, where the thread that trains cannot any more."""

    def end(why: str) -> None:
        failed = RunFailed(run_id=run_id, message=why, details="", checkpoint=None)
        journal.put(failed)
        journal.close()
        store.record(failed)

    return end


def _both(first: Callable[[Event], None], second: Callable[[Event], None]) -> Callable[[Event], None]:
    """The journal is the second: who reads there that the run has ended finds the last pictures in its folder."""

    def emit(event: Event) -> None:
        try:
            first(event)
        finally:
            second(event)

    return emit


def _differences(record: RunRecord, started: RunStarted, now: Mapping[str, str]) -> list[str]:
    """What is not as it was when the run began, one sentence each: its losses may go on otherwise then."""
    found = []
    if record.data_fingerprint not in ("", started.data_fingerprint):
        found.append("The images are not those that the run began with.")
    if record.device not in (None, started.device):
        found.append(f"The run began on {record.device}.")
    found += [
        f"The run began with {name} {version}; this is {now[name]}."
        for name, version in record.versions.items()
        if now.get(name, version) != version
    ]
    return found


def versions() -> dict[str, str]:
    """What the numbers of a run depend on beside its configuration."""
    return {
        "arch-explorer": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "safetensors": importlib.metadata.version("safetensors"),
    }
