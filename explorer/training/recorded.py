"""A run with its record: begins it in the run store, trains, closes it; shared by window and command line."""

import importlib.metadata
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from explorer import __version__
from explorer.architecture import Architecture, Project, files
from explorer.runs import Event, RunConfig, RunControl, RunFailed, RunFinished, RunStore, default_root
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


def versions() -> dict[str, str]:
    """What the numbers of a run depend on beside its configuration."""
    return {
        "arch-explorer": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "safetensors": importlib.metadata.version("safetensors"),
    }
