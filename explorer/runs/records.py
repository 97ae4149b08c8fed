"""What the run store gives back: a run's record, and its curves. Values only; `store` reads and writes them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.runs.checkpoints import newest_checkpoint
from explorer.runs.config import RunConfig
from explorer.runs.events import EpochFinished

RunState = Literal["running", "completed", "stopped", "failed", "interrupted"]
"""Interrupted is a run whose process ended without saying so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the store knows of a run, but for its curves. Measurements are the newest ones, None before the first."""

    run_id: str
    created: dt.datetime
    """In UTC."""
    state: RunState
    config: RunConfig
    architecture_name: str
    versions: Mapping[str, str]
    """Version of each package that the run depends on, by name."""
    device: str | None
    num_parameters: int | None
    steps_per_epoch: int | None
    step: int
    """Updates recorded so far."""
    seconds: float | None
    """Wall-clock time of the whole run; None until it ends."""
    train_loss: float | None
    train_accuracy: float | None
    test_accuracy: float | None
    images_per_second: float | None
    message: str | None
    """Why it failed."""
    details: str | None
    """The traceback of a failure."""
    name: str
    """What the user calls it; empty for none."""
    note: str
    tags: tuple[str, ...]
    """Sorted, without repeats."""
    trashed: dt.datetime | None
    """When it was put into the trash, in UTC; None while it is not there."""
    data_fingerprint: str
    """Of the data it was trained on; empty where that was not recorded."""
    epoch: int
    """Epochs finished so far."""
    best_accuracy: float | None
    """The highest test accuracy of an epoch."""
    test_loss: float | None
    """After the last epoch."""
    folder: Path

    @property
    def title(self) -> str:
        """What it is called: the user's name for it, or its network's."""
        return self.name or self.architecture_name

    @property
    def can_resume(self) -> bool:
        """Whether it ended before its time, and has a state to go on from. Looks into its folder."""
        return self.has_ended_early and newest_checkpoint(self.folder) is not None

    @property
    def has_ended_early(self) -> bool:
        """Whether it ended before its time."""
        return self.state in ("stopped", "interrupted", "failed")

    @property
    def best_path(self) -> Path:
        """Where the weights of the best epoch lie, if the run was asked to keep them."""
        return self.folder / "best.safetensors"

    @property
    def architecture_path(self) -> Path:
        return self.folder / "architecture.arch.json"

    @property
    def weights_path(self) -> Path:
        """Where the trainer writes the weights, whether or not it did so yet."""
        return self.folder / "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunHistory:
    """The curves of a run; the step arrays belong together, one entry a recorded step."""

    epochs: tuple[EpochFinished, ...]
    steps: npt.NDArray[np.int64]
    """Ascending, from 1."""
    losses: npt.NDArray[np.float32]
    accuracies: npt.NDArray[np.float32]
    learning_rates: npt.NDArray[np.float32]
