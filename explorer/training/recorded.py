"""A run with its record: begins it in the run store, trains, closes it; shared by window and command line."""

import logging
import platform
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from explorer import __version__
from explorer.architecture import Architecture, Project, files
from explorer.runs import Event, RunConfig, RunControl, RunFailed, RunFinished, RunStore, RunStoreError, default_root
from explorer.training.loop import train

_logger = logging.getLogger(__name__)


def train_recorded(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    root: Path | None = None,
) -> RunFinished | RunFailed:
    """Train as `train` does, kept in the run store. A store that cannot be written costs the record, not the run.

    Args:
        root: the store's folder; None for the user's own.
    """
    store = RunStore(default_root() if root is None else root)
    try:
        record = store.create(
            config,
            architecture.name,
            files.dumps(Project(architecture=architecture, sections={"training": config.to_plain()})),
            versions(),
        )
    except RunStoreError as error:
        _logger.warning("the run is not recorded: %s", error)
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
        return train(architecture, config, emit, control, run_id=run_id)
    with store:
        return train(architecture, config, emit, control, run_id=record.run_id, store=store)


def versions() -> dict[str, str]:
    """What the numbers of a run depend on beside its configuration."""
    return {
        "arch-explorer": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
