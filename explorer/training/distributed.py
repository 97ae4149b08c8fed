"""Several processes that train one run together, as the loop sees them; one process alone is the usual case.

Everything here costs nothing and imports nothing of `torch.distributed`; `distributed_group` has the other case. The
processes are told apart by rank. Each goes through the same loop with the same order of images; of every batch, which
is the global one, each computes its share. Gradients, losses and tests are brought together, so that the numbers are
those of one process but for rounding. Only the first rank says events, records and keeps checkpoints.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import RunConfig, RunControl, config_field
from explorer.runtime.modules import Network

if TYPE_CHECKING:
    from explorer.training.plan import RunPlan

T = TypeVar("T")


class Alone:
    """One process, and what several do otherwise."""

    rank = 0
    size = 1
    is_first_here = True
    """Whether this is the first one of its machine."""
    images_per_second_alone: float | None = None
    """What one process reaches, measured before the first step; None where there is no other."""

    @property
    def is_first(self) -> bool:
        """Whether this one speaks for all."""
        return self.rank == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the processes, one sentence each."""
        return ()

    def settled(self, config: RunConfig) -> RunConfig:
        """The configuration with this process's own device, and scaled by the number of processes if it asks for it."""
        return config

    def control(self, control: RunControl) -> RunControl:
        """What the loop obeys: that of the first process, everywhere at the same step."""
        return control

    def join_network(self, network: Network, architecture: Architecture, *, sync_batchnorm: bool) -> None:
        """Let the network's gradients be those of all; its weights become the first process's."""

    def begin_epoch(self, config: RunConfig, epoch: int, epoch_steps: int) -> None:
        """Know where the run is, so that dropout draws other numbers than in the other processes, and the same ones
        again where the run goes on from here."""

    def share(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """This process's part of a global batch that was already made."""
        return batch

    def positions(self, positions: Tensor) -> Tensor:
        """This process's part of a global batch, by the places of its images."""
        return positions

    def forward(
        self, network: Callable[[Tensor], Tensor | tuple[Tensor, ...]], x: Tensor
    ) -> Tensor | tuple[Tensor, ...]:
        """What the network makes of this process's part."""
        return network(x)

    def weighted(self, whole: Tensor, loss: Tensor, right: Tensor) -> Tensor:
        """What to go backward from, so that the gradients become those of the mean over the global batch.

        Args:
            whole: the loss of this process's part, a mean.
            loss: of the first output, to be reported.
            right: how many of the part are classified rightly.
        """
        return whole

    def measured(self, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and right answers of the global batch, after the way back."""
        return loss, right

    def hold(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the optimizer stop at a step that failed in any process, as `Guard` does for this one's."""

    def part(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of the pieces of a test."""
        return items

    def summed(self, sums: Sequence[float] | None) -> Sequence[float] | None:
        """The sums over all processes, each in float64; None if any has none."""
        return sums

    def sum_of(self, values: Tensor) -> Tensor:
        """The sum over all processes of arrays of one shape, on the CPU."""
        return values

    def from_first(self, value: T) -> T:
        """The first process's value, whatever was given elsewhere; anything that can be pickled."""
        return value

    def take_weights(self, network: Network, *, buffers_only: bool = False) -> None:
        """Bring weights and statistics, or these alone, to those of the first process."""

    def measure_alone(self, plan: "RunPlan") -> None:
        """Find out what one process reaches without the others, with the share that it has of a batch: for a moment it
        trains a copy, which is thrown away, while the others wait."""

    def meet(self) -> None:
        """Wait for all."""

    def note_end(self, *, is_failure: bool) -> None:
        """Know how the run ended, once its last event is said: after a failure the others may be waiting for this one,
        which then does not wait for them."""

    def explained(self, error: Exception, step: int | None, kept: int | None) -> Exception:
        """The error, or what it means where it only says that another process is gone."""
        return error


ALONE = Alone()


def is_one_of_several() -> bool:
    """Whether `torchrun`, or whoever sets its environment variables, started this process beside others."""
    size = os.environ.get("WORLD_SIZE", "1")
    return not size.isdigit() or int(size) > 1


def is_first() -> bool:
    """Whether this is the process that speaks; known before the others are met."""
    return not is_one_of_several() or os.environ.get("RANK") == "0"


@contextlib.contextmanager
def joined(control: RunControl, end: Callable[[str], None]) -> Iterator[Alone]:
    """The processes that train one run, this one among them; `ALONE` where nobody started several.

    Ctrl+C and the signal with which `torchrun` ends processes ask the run to stop. A process whose run failed leaves
    the others within seconds, whatever they do; see `Group.break_off`.

    Args:
        control: of the run.
        end: writes down why the run ended: where the processes do not meet; and, from another thread, where the one
            that trains waits for ever for a process that is gone, and this process is then ended.

    Raises:
        ValueError: the environment does not say who the others are, or they do not come.
    """
    if not is_one_of_several():
        yield ALONE
        return
    from explorer.training.distributed_group import Group
    from explorer.training.distributed_signals import obeying_signals

    try:
        group = Group()
    except (ValueError, RuntimeError) as error:
        told = f"The processes could not meet: {error}"
        end(told)
        raise ValueError(told) from error
    try:
        with obeying_signals(control if group.is_first else None, end):
            try:
                yield group
            finally:
                if not group.has_ended_well:
                    # In here, since others that end for the same reason have `torchrun` send a signal, which must not
                    # keep this process from saying why.
                    group.break_off()
    finally:
        group.close()


def num_active(count: int, size: int) -> int:
    """How many of so many processes have a part of a global batch: none has a single image while there are others,
    since a norm over one value has no variance."""
    return min(size, max(1, count // 2))


def largest_share(count: int, size: int) -> int:
    """Images that the first of so many processes computes of a global batch; no other computes more."""
    return -(-count // num_active(count, size))


def scaled(config: RunConfig, size: int) -> RunConfig:
    """The linear rule (Goyal et al. 2017, section 2.1) for that many processes, if the configuration asks for it: each
    takes `batch_size` images, and the learning rate grows with the batch.

    Raises:
        ValueError: the batch or the rate exceeds what the configuration allows.
    """
    if not config.scale_with_processes:
        return config
    values = {"batch_size": size * config.batch_size, "learning_rate": size * config.learning_rate}
    for name, value in values.items():
        field = config_field(name)
        if field.maximum is not None and value > field.maximum:
            raise ValueError(f"{name}: {value:g} for {size} processes; at most {field.maximum:g} fits")
    return dataclasses.replace(config, **values)  # type: ignore[arg-type]  # one of them is an int
