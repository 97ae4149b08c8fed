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
from explorer.runs.replay import measurements
from explorer.training.checkpoint import CheckpointError, checkpoint_place, newest_checkpoint
from explorer.training.loop import train
from explorer.training.normalization import settle_normalization


def train_recorded(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    root: Path | None = None,
    initial_weights: Path | None = None,
) -> RunFinished | RunFailed:
    """Train as `train` does, kept in the run store.

    Args:
        root: the store's folder; None for the user's own.
        initial_weights: as for `train`.

    Raises:
        RunStoreError: the run cannot be recorded, so it did not begin; the message says what helps.
    """
    # The record says which, also once the weights are gone.
    config = settle_normalization(config, architecture.input_shape, initial_weights)
    with RunStore(default_root() if root is None else root) as store:
        record = store.create(
            config,
            architecture.name,
            files.dumps(Project(architecture=architecture, sections={"training": config.to_plain()})),
            versions(),
        )
        return train(
            architecture, config, emit, control, run_id=record.run_id, store=store, initial_weights=initial_weights
        )


def resume_recorded(
    run_id: str, emit: Callable[[Event], None], control: RunControl, *, root: Path | None = None
) -> RunFinished | RunFailed:
    """Take a run up again from its newest checkpoint, with the network and configuration that it began with.

    Behind `RunStarted` comes everything that was measured up to the checkpoint, once more, so that a view that starts
    empty has it all; what was recorded after it is cut off, and comes again.

    Args:
        run_id: whole, or a beginning that only one run has.
        root: the store's folder; None for the user's own.

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

        return train(architecture, record.config, emit_all, control, run_id=record.run_id, store=store, resume=True)


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
