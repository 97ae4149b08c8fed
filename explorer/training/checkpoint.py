"""The state of a run on the disk: replaced as a whole, so that the last whole one survives whatever happens.

A state is a folder of three files that appears under its name in one move, once all of it is on the disk: the weights,
the tensors of optimizer, schedule and random numbers (both safetensors), and plain values (JSON). The newest one is
what a run goes on from; older ones are then removed. `weights.safetensors` beside it is its weights once more, by a
link that costs no space where the file system has links: the one name for everybody who only wants the weights.
Nothing is pickled, so that opening a run runs no code. What is in a state, `loop` knows; which states there are,
`runs.checkpoints`.
"""

import contextlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.architecture.files import write_atomically
from explorer.runs import WeightsFacts
from explorer.runs.checkpoints import checkpoint_name, newest_checkpoint
from explorer.runtime.modules import Network
from explorer.runtime.weights import load_weights, save_weights, write_tensors
from explorer.training.plain_state import put_together, take_apart

_logger = logging.getLogger(__name__)
_FORMAT = 1
_WEIGHTS, _TENSORS, _VALUES = "weights.safetensors", "state.safetensors", "state.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunState:
    """A run between two of its steps, but for the weights: all that its next losses depend on."""

    step: int
    """Updates made."""
    epoch: int
    """The epoch that the next step belongs to, from 1; one more than there are once all are done."""
    epoch_steps: int
    """Steps of that epoch that are made."""
    parts: Mapping[str, Any]
    """By name what else there is: nested lists and mappings of plain values and tensors."""


class CheckpointError(ValueError):
    """There is no whole checkpoint to go on from; the message says which run, why, and what would help."""


class Checkpoint:
    """Keeps the newest state of one run in its folder, and the best weights if they are asked for."""

    def __init__(self, folder: Path | None) -> None:
        """Write into `folder`, which is there; None keeps nothing."""
        self._folder = folder
        self.saved_place: tuple[int, int] | None = None
        """Step and epoch of the last whole state; None before there is one."""
        self.facts: WeightsFacts | None = None
        """What goes with the weights: whoever uses them prepares images as the run did."""

    @property
    def saved(self) -> str | None:
        """The path of the weights, once whole ones lie there."""
        return None if self._folder is None or self.saved_place is None else str(self._folder / _WEIGHTS)

    @property
    def saved_step(self) -> int | None:
        """The step after which the last whole state was kept."""
        return None if self.saved_place is None else self.saved_place[0]

    def resume(self, network: Network) -> RunState:
        """Load the newest whole state: its weights into the network, which stays where it is; the rest is returned.

        Raises:
            CheckpointError: there is none that fits.
        """
        folder = None if self._folder is None else newest_checkpoint(self._folder)
        if folder is None:
            raise CheckpointError("the run has no checkpoint to go on from; start a new run from its weights instead")
        try:
            values = json.loads((folder / _VALUES).read_bytes())
            if values["format"] != _FORMAT:
                raise ValueError(f"format {values['format']}; this program reads {_FORMAT}")
            # Tensors that stay the file's own pages would keep it from being removed on Windows.
            tensors = {name: value.clone() for name, value in load_weights(folder / _TENSORS).items()}
            parts = put_together(values["parts"], tensors)
            state = RunState(step=values["step"], epoch=values["epoch"], epoch_steps=values["epoch_steps"], parts=parts)
            network.load_state_dict(load_weights(folder / _WEIGHTS), strict=True)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(f"{folder}: the checkpoint cannot be read: {error}") from error
        self.saved_place = (state.step, state.epoch)
        return state

    def save(self, network: Network, state: RunState, *, is_best: bool = False) -> OSError | None:
        """Write weights and state together unless they are there already.

        Weights that are no numbers any more are not worth keeping, and the last good ones stay.

        Args:
            is_best: keep these weights as the run's best, too.

        Returns:
            Why they could not be written; the last whole ones are untouched then.
        """
        place = (state.step, state.epoch)
        if self._folder is None or place == self.saved_place or not is_finite(network):
            return None
        try:
            _remove_all(self._folder.glob(".checkpoint-*"))
            written = self._write(network, state)
            if is_best:
                _link(written / _WEIGHTS, self._folder / "best.safetensors")
            _link(written / _WEIGHTS, self._folder / _WEIGHTS)
        except OSError as error:
            _logger.info("the state after step %d could not be written: %s", state.step, error)
            return error
        self.saved_place = place
        _remove_all(path for path in self._folder.glob("checkpoint-*") if path != written)
        return None

    def _write(self, network: Network, state: RunState) -> Path:
        assert self._folder is not None
        final = self._folder / checkpoint_name(state.step, state.epoch)
        staged = self._folder / f".{final.name}.{secrets.token_hex(4)}"
        staged.mkdir()
        try:
            save_weights(network, staged / _WEIGHTS, self.facts)
            tensors: dict[str, Tensor] = {}
            values = {
                "format": _FORMAT,
                "step": state.step,
                "epoch": state.epoch,
                "epoch_steps": state.epoch_steps,
                "parts": take_apart(state.parts, "state", tensors),
            }
            write_tensors(tensors, staged / _TENSORS)
            write_atomically(staged / _VALUES, json.dumps(values).encode())
            _flush_folder(staged)
            if final.exists():
                shutil.rmtree(final)
            staged.rename(final)
            _flush_folder(self._folder)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        return final


def is_finite(network: Network) -> bool:
    """Whether all weights and statistics are numbers. Waits for the device."""
    checks = [torch.isfinite(value).all() for value in network.state_dict().values() if value.is_floating_point()]
    # Two devices may share a network.
    return not checks or bool(torch.stack([check.to(checks[0].device) for check in checks]).all().item())


def _link(source: Path, target: Path) -> None:
    """Let `target` be the file `source`: by a hard link, or by a copy on file systems without; replaced in one move."""
    staged = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        try:
            os.link(source, staged)
        except OSError:
            shutil.copyfile(source, staged)
        staged.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, too; Windows has no such thing and needs none."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove_all(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
