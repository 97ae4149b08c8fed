"""The processes of `torchrun`, by torch's own engine: NCCL between GPUs, gloo between CPUs and for what is decided.

Gradients go through DistributedDataParallel. What is to be reported of a step travels with them, as the gradient of a
parameter that nobody trains, so that a step has no other round.
"""

import atexit
import contextlib
import datetime as dt
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from explorer.architecture import Architecture
from explorer.inference.logits import on_the_way
from explorer.runs import RunConfig, RunControl
from explorer.runtime import threads
from explorer.runtime.modules import Network
from explorer.training.distributed import Alone, largest_share, num_active, scaled
from explorer.training.distributed_control import RelayedControl
from explorer.training.distributed_norm import share_batch_norms
from explorer.training.failures import RunError
from explorer.training.plan import RunPlan
from explorer.training.profile_clock import Clock
from explorer.training.random_state import get_random_state, set_random_state
from explorer.training.rehearsal import Rehearsal
from explorer.training.rehearsed_step import chosen_step

T = TypeVar("T")
_TIMEOUT = dt.timedelta(minutes=10)
"""The longest that one waits for another that is silent; whose connection breaks is missed at once."""
_PATIENCE_S = 3.0
"""Time to leave the others after a failure; `obeying_signals` gives the whole end of a run four times as much."""
_ALONE_S = 1.0
"""How long the one-process measurement takes."""
_FEWEST_ALONE = 3
_WARM_UP = 3
_STEPS_AHEAD = 16
"""Steps that the host may be ahead of a GPU meanwhile."""
_LOST = re.compile(r"gloo|nccl|connection (closed|reset|refused)|broken pipe|timed out|socket|peer", re.IGNORECASE)


class RankLost(RunError):  # noqa: N818 - it says what happened
    """Another process of the run ended."""

    def __init__(self, step: int | None, size: int, kept: int | None) -> None:
        where = "before the first step" if step is None else f"step {step + 1}"
        text = f"{where}: another of the {size} processes ended or no longer answers; what it said is in the terminal"
        if kept is not None:
            text += f". The weights after step {kept:,} are kept: resume the run from there"
        super().__init__(text)


class Group(Alone):
    """This process among the others."""

    def __init__(self) -> None:
        """Join them; all must, at about the same time.

        Raises:
            ValueError: the environment does not say who the others are.
        """
        self.rank, self.size = _number("RANK"), _number("WORLD_SIZE")
        self._local, self._num_local = _number("LOCAL_RANK", self.rank), _number("LOCAL_WORLD_SIZE", self.size)
        self.is_first_here = self._local == 0
        self._device = torch.device("cpu")
        # gloo in any case, so that what is decided needs no wait for a GPU.
        dist.init_process_group("cpu:gloo,cuda:nccl" if _has_nccl() else "gloo", timeout=_TIMEOUT)
        self._parallel: _Parallel | None = None
        self._engine: DistributedDataParallel | None = None
        self._batch_size = self._global_count = self._own_count = 0
        self._is_scaled = False
        self._counts = True
        self._place = (0, 1, 0)
        """Seed, epoch and the step in it that comes next."""
        self._is_bad = torch.zeros(())
        self._is_captured_alone = False
        """Whether one process alone would make its steps as a CUDA graph."""
        self.has_ended_well = False
        """Whether what all did together is done, so that nobody waits for anybody."""
        self._is_broken_off = False

    @property
    def notes(self) -> tuple[str, ...]:
        where = "CPUs by gloo" if self._device.type == "cpu" else f"GPUs by {'NCCL' if _has_nccl() else 'gloo'}"
        found = [
            f"{self.size} processes train together, on {where}; of each batch of {self._batch_size:,} images, each "
            f"computes about {self._batch_size / self.size:,.0f}."
        ]
        if self._is_scaled:
            found.append(f"By the linear rule batch and learning rate are {self.size} times what the settings say.")
        if self._is_captured_alone:
            found.append(
                "One process alone would replay each full batch as one CUDA graph; several exchange gradients within a "
                "step, and make it without."
            )
        if self.images_per_second_alone is not None:
            found.append(
                f"One process alone trains on {self.images_per_second_alone:,.0f} images/s with the share that it has "
                f"here, measured for {_ALONE_S:g} s before the start while the others waited; the efficiency is "
                "against that."
            )
        return tuple(found)

    def settled(self, config: RunConfig) -> RunConfig:
        self._device = self._own_device(config.device)
        self._is_scaled = config.scale_with_processes
        config = scaled(config, self.size)
        self._batch_size = config.batch_size
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)
        elif os.environ.get("OMP_NUM_THREADS", "1") == "1":
            # torchrun's own choice, which leaves cores idle.
            torch.set_num_threads(max(1, threads.num_cores() // self._num_local))
        return replace(config, device=str(self._device), processes=self.size)

    def control(self, control: RunControl) -> RunControl:
        return RelayedControl(control, self.is_first, self._tell)

    def join_network(self, network: Network, architecture: Architecture, *, sync_batchnorm: bool) -> None:
        if sync_batchnorm:
            share_batch_norms(network, self._share_sum, lambda: (self._global_count, self._counts))
        self._is_bad = torch.zeros((), device=self._device)
        reached = {node_id for output in architecture.outputs for node_id in on_the_way(architecture, output)}
        reached |= set(architecture.outputs)
        unused = any(
            parameter.requires_grad and not _belongs(name, reached) for name, parameter in network.named_parameters()
        )
        self._parallel = _Parallel(network, self._device)
        self._engine = DistributedDataParallel(
            self._parallel,
            device_ids=[self._device] if self._device.type == "cuda" else None,
            find_unused_parameters=unused,
            # Else gradients lie on the device twice. On the CPU ResNet-20's steps took 5 to 10 % longer so.
            gradient_as_bucket_view=self._device.type != "cpu",
        )
        # All begin with the first one's statistics. In a step nobody reads them, and before a test `take_weights`
        # brings those of the first to all, which are what it keeps. Set here, since torch 2.13 renames the argument.
        self._engine.broadcast_buffers = False

    def begin_epoch(self, config: RunConfig, epoch: int, epoch_steps: int) -> None:
        self._place = (config.seed, epoch, epoch_steps)

    def positions(self, positions: Tensor) -> Tensor:
        count = len(positions)
        active = num_active(count, self.size)
        self._global_count, self._counts = count, self.rank < active
        # Those without a part compute the first images for nothing, since all must take part in each step.
        own = positions[self.rank :: active] if self._counts else positions[:2]
        self._own_count = len(own)
        return own

    def share(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, target = batch
        own = self.positions(torch.arange(len(x), device=x.device))
        return x[own], target[own]

    def forward(
        self, network: Callable[[Tensor], Tensor | tuple[Tensor, ...]], x: Tensor
    ) -> Tensor | tuple[Tensor, ...]:
        assert self._engine is not None
        self._seed_step()
        output: Tensor | tuple[Tensor, ...] = self._engine(x)
        return output

    def weighted(self, whole: Tensor, loss: Tensor, right: Tensor) -> Tensor:
        assert self._parallel is not None
        # The engine takes the mean over the processes, each of which has a mean over its part.
        weight = self.size * self._own_count / self._global_count if self._counts else 0.0
        said = torch.stack([loss * weight, right.to(loss.dtype) * (self.size if self._counts else 0)])
        self._parallel.said.grad = None
        return whole * weight + (self._parallel.said * said).sum()

    def measured(self, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        assert self._parallel is not None
        said = self._parallel.said.grad
        assert said is not None
        # Outside a step a process may use the network by itself, and must not wait for the others there.
        self._global_count = 0
        bad = torch.logical_not(torch.isfinite(said[0]))
        torch.maximum(self._is_bad, bad.to(self._is_bad.dtype), out=self._is_bad)
        return said[0].clone(), said[1].round()

    def hold(self, optimizer: torch.optim.Optimizer) -> None:
        def keep(held: torch.optim.Optimizer, *_: Any) -> None:
            if getattr(held, "_step_supports_amp_scaling", False):
                own = getattr(held, "found_inf", None)
                held.found_inf = self._is_bad if own is None else torch.maximum(own, self._is_bad)  # type: ignore[attr-defined]
            elif bool(self._is_bad.item()):
                held.zero_grad(set_to_none=True)

        optimizer.register_step_pre_hook(keep)

    def part(self, items: Sequence[T]) -> Sequence[T]:
        return items[self.rank :: self.size]

    def summed(self, sums: Sequence[float] | None) -> Sequence[float] | None:
        # How many there are is the same everywhere; two is what a test sums.
        table = torch.zeros(3, dtype=torch.float64)
        if sums is None:
            table[0] = 1
        else:
            table[1:] = torch.tensor(list(sums), dtype=torch.float64)
        dist.all_reduce(table)
        failed, *whole = table.tolist()
        return None if failed else whole

    def sum_of(self, values: Tensor) -> Tensor:
        return self._share_sum(values)

    def from_first(self, value: T) -> T:
        box: list[Any] = [value if self.is_first else None]
        dist.broadcast_object_list(box, src=0)
        taken: T = box[0]
        return taken

    def take_weights(self, network: Network, *, buffers_only: bool = False) -> None:
        with torch.no_grad():
            for value in network.buffers() if buffers_only else network.state_dict().values():
                dist.broadcast(value, src=0)

    def measure_alone(self, plan: RunPlan) -> None:
        share = replace(plan, batch_size=largest_share(plan.batch_size, self.size))
        speed = self._speed_alone(share) if self.is_first else 0.0
        # The others wait here, asleep.
        self.images_per_second_alone = self.from_first(speed)

    def _speed_alone(self, plan: RunPlan) -> float:
        """Images a second of whole steps on a copy, whose random numbers are nobody else's."""
        kept = get_random_state(self._device)
        clock = Clock(self._device)
        tried = Rehearsal(plan, (), True, lambda: False)
        try:
            with chosen_step(tried) as chosen:
                self._is_captured_alone = chosen.make is not chosen.step
                made, start_s = -_WARM_UP, time.perf_counter()
                while made < _FEWEST_ALONE or time.perf_counter() - start_s < _ALONE_S:
                    if made == 0:
                        clock.settle()
                        start_s = time.perf_counter()
                    loss, _right = chosen.make(*tried.batch())
                    tried.optimization.end_step()
                    if self._device.type == "cpu" or made % _STEPS_AHEAD == 0:
                        loss.item()  # as often as a run looks, about
                    made += 1
                clock.settle()
                return made * plan.batch_size / (time.perf_counter() - start_s)
        finally:
            tried.close()
            set_random_state(kept, self._device)

    def _seed_step(self) -> None:
        """Draw by step: the first process as one alone does, which its checkpoint knows; each other one from the
        step's own number, so that a run that goes on in the middle of an epoch draws what it would have drawn."""
        seed, epoch, epoch_step = self._place
        self._place = (seed, epoch, epoch_step + 1)
        if not self.is_first:
            number = hash((seed, self.rank, epoch, epoch_step)) & (2**63 - 1)
            torch.default_generator.manual_seed(number)
            if self._device.type == "cuda":
                torch.cuda.manual_seed(number)

    def meet(self) -> None:
        dist.barrier()

    def explained(self, error: Exception, step: int | None, kept: int | None) -> Exception:
        is_lost = isinstance(error, (dist.DistError, RuntimeError)) and _LOST.search(str(error)) is not None
        return RankLost(step, self.size, kept) if is_lost and not isinstance(error, RunError) else error

    def note_end(self, *, is_failure: bool) -> None:
        self.has_ended_well = not is_failure

    def close(self) -> None:
        """Leave the others, who leave too."""
        if not self._is_broken_off:
            self._leave()

    def break_off(self) -> None:
        """Leave the others, who may be waiting for this process.

        NCCL's way of leaving may wait for them in turn, and `torchrun` ends them only once this process has ended. So
        where it does not come back soon, it is left behind, and the process ends without it after all else is done:
        at the interpreter's own end, where torch and CUDA would wait once more.
        """
        self._is_broken_off = True
        is_left = threading.Event()

        def leave() -> None:
            # That it cannot leave in order is no news after a failure.
            with contextlib.suppress(Exception):
                if self._device.type == "cuda":
                    # Each thread has a device of its own.
                    torch.cuda.set_device(self._device)
                self._leave()
                is_left.set()

        thread = threading.Thread(target=leave, name="leaving", daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)
        if not is_left.is_set():
            atexit.register(_end_at_once)

    def _leave(self) -> None:
        self._engine = self._parallel = None
        if dist.is_initialized():
            dist.destroy_process_group()

    def _own_device(self, name: str) -> torch.device:
        if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
            return torch.device("cpu")
        if name not in ("auto", "cuda"):
            raise ValueError(f"device: received {name} for {self.size} processes; use auto, cuda or cpu")
        count = torch.cuda.device_count()
        if self._num_local > count:
            raise ValueError(
                f"device: {self._num_local} processes on a machine with {count} GPUs; use --nproc-per-node={count}, or "
                "--device cpu"
            )
        return torch.device("cuda", self._local)

    def _tell(self, values: Tensor) -> Tensor:
        dist.broadcast(values, src=0)
        return values

    def _share_sum(self, values: Tensor) -> Tensor:
        dist.all_reduce(values)
        return values


class _Parallel(nn.Module):
    """A network with the parameter whose gradient carries what is said of a step."""

    def __init__(self, network: Network, device: torch.device) -> None:
        super().__init__()
        self.network = network
        self.said = nn.Parameter(torch.zeros(2, device=device))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        output: Tensor | tuple[Tensor, ...] = self.network(x)
        return output


def _end_at_once() -> None:
    """End the process of a run that failed, with the status of the command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(1)


def _belongs(name: str, node_ids: set[str]) -> bool:
    """Whether a parameter is one of those nodes', whose ids begin its name."""
    parts = name.split(".")
    return any(".".join(parts[:count]) in node_ids for count in range(1, len(parts)))


def _has_nccl() -> bool:
    """Whether GPUs can talk by it; torch for Windows comes without, where gloo carries their tensors too."""
    return torch.cuda.is_available() and dist.is_nccl_available()


def _number(name: str, default: int | None = None) -> int:
    value = os.environ.get(name, "" if default is None else str(default))
    if not value.isdigit():
        raise ValueError(f"{name}: received {value!r} in the environment; start the processes with torchrun")
    return int(value)
