"""Profiles one step of training: what each node takes, forward and backward, and the whole beside the sum of its parts.

How a node is measured on its own is `profile_sweep`, on which clock `profile_clock`; the step itself, on a copy of
everything, is `rehearsal`. Whole steps and sweeps take turns, so that both see the same machine.
"""

import platform
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor

from explorer import __version__
from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.profile import NodeProfile, StepProfile
from explorer.runtime.devices import device_memory, device_name
from explorer.training.failures import is_out_of_memory, message_of
from explorer.training.fitting import fitting_batch_size, make_attempt, predicted_memory
from explorer.training.loss import training_losses
from explorer.training.plan import RunPlan
from explorer.training.precision_choice import may_choose_precision
from explorer.training.profile_clock import Allocations, Clock
from explorer.training.profile_sweep import Bytes, Sweep, Times
from explorer.training.rehearsal import Rehearsal, rehearsing
from explorer.training.rehearsed_step import TimedStep, chosen_step, seconds_of, settled_step
from explorer.training.step import Step

Progress = Callable[[str, float], None]

_WARM_UPS = 2
"""The first step of all pays for memory and kernels that are chosen, the optimizer's state comes with it."""
_ENOUGH_S = 6.0
"""Small networks are repeated for about so long."""
_FEWEST, _MOST = 3, 50
_CHOICE_S = 0.5
"""For each way to compute that is timed before one is profiled."""


class LacksMemory(ValueError):  # noqa: N818 - it says what happened
    """The step does not fit into the device's memory."""

    def __init__(self, message: str, fitting_batch_size: int | None) -> None:
        super().__init__(message)
        self.fitting_batch_size = fitting_batch_size
        """The most images of a step that fit; None where not one does."""


def profile_step(
    architecture: Architecture,
    config: RunConfig,
    *,
    repetitions: int | None = None,
    progress: Progress = lambda _text, _share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> StepProfile:
    """Measure a step of the run that this configuration would start, on a copy that is thrown away.

    Args:
        architecture: the network.
        config: how it would be trained: device, batch size, optimizer, data.
        repetitions: how often each time is taken; None for as often as is good for this network.
        progress: receives what is being done, and the share done.
        is_cancelled: looked at before each node.

    Raises:
        LacksMemory: the step does not fit; says the largest batch that would.
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the network could not be trained so; the message says what would fit.
    """
    progress(f"Preparing {architecture.name}", 0.0)
    with rehearsing(architecture, config, is_cancelled) as rehearsal:
        try:
            _check_room(rehearsal.plan)
            return _measured(rehearsal, repetitions, progress)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            plan = rehearsal.plan
            has_state = bool(rehearsal.optimization.optimizer.state)
            fitting = fitting_batch_size(plan, error, make_attempt(rehearsal.network, plan, has_state=has_state))
            message = message_of(error, plan, None, fitting_batch_size=fitting)
            raise LacksMemory(message.partition(": ")[2], fitting) from error


def _check_room(plan: RunPlan) -> None:
    """On the CPU, where the system ends a program rather than refuse it memory, what is predicted has to fit.

    Raises:
        MemoryError: it does not.
    """
    if plan.device.type != "cpu":
        return
    needed = predicted_memory(plan, plan.batch_size).training_bytes
    if needed > device_memory("cpu").available_bytes:
        raise MemoryError(f"a step takes {needed:,} bytes")


def _measured(rehearsal: Rehearsal, repetitions: int | None, progress: Progress) -> StepProfile:
    plan = rehearsal.plan
    devices = (*plan.other_devices, plan.device)
    clock, allocations = Clock(*devices), Allocations(*devices)
    target = torch.empty(0)

    def loss(outputs: Sequence[Tensor]) -> Tensor:
        return training_losses(outputs, target, plan.config)[1]

    progress("Warming up", 0.0)
    step, told = _settled(rehearsal, clock)
    sweep = Sweep(rehearsal.network, loss, rehearsal.look, step.precision.autocast)
    taken: dict[str, list[float]] = {"data": [], "step": [], "optimizer": []}
    swept: list[Times] = []
    sizes: Bytes | None = None
    peak: int | None = None
    count = repetitions
    done = -_WARM_UPS
    while count is None or done < count:
        whole = _FEWEST if count is None else count
        progress(f"Step {max(done, 0) + 1} of {whole}" if done >= 0 else "Warming up", (done + _WARM_UPS) / (whole + 2))
        rehearsal.look()
        start = clock.mark()
        x, target = rehearsal.batch()
        brought = clock.mark()
        allocations.begin()
        step(x, target)
        stepped = clock.mark()
        peak = allocations.peak_bytes()
        rehearsal.look()
        rehearsal.optimization.begin_step()
        if sizes is None:
            sizes = sweep.bytes(x.clone(), allocations)
            rehearsal.optimization.begin_step()
        times = sweep.times(x, clock)
        update = clock.mark()
        rehearsal.optimization.update()
        updated = clock.mark()
        clock.settle()
        done += 1
        if done > 0:
            taken["data"].append(clock.seconds(start, brought))
            taken["step"].append(clock.seconds(brought, stepped))
            taken["optimizer"].append(clock.seconds(update, updated))
            swept.append(times)
        elif done == 0 and count is None:
            once = clock.seconds(start, updated)
            count = max(_FEWEST, min(_MOST, int(_ENOUGH_S / max(once, 1e-6))))
    assert sizes is not None
    return _profile(rehearsal, step, told, taken, swept, sizes, peak)


def _settled(rehearsal: Rehearsal, clock: Clock) -> tuple[Step, tuple[str, ...]]:
    """The step that a run would come to make, but taken apart where it would be a graph; and what to know of that."""
    with chosen_step(rehearsal) as chosen:
        if chosen.make is not chosen.step:
            return chosen.step, (f"Layer by layer the device waits for the host, in a run less so. {chosen.told}",)
    if not may_choose_precision(rehearsal.plan, rehearsal.network, 1):
        return rehearsal.step, ()
    first_s = seconds_of(rehearsal, rehearsal.step, clock, 1)
    count = max(1, min(_MOST, int(_CHOICE_S / max(first_s, 1e-6))))
    usual = TimedStep(rehearsal.step, seconds_of(rehearsal, rehearsal.step, clock, count) / count)
    return settled_step(rehearsal, clock, usual, _CHOICE_S).step, ()


def _profile(
    rehearsal: Rehearsal,
    step: Step,
    told: tuple[str, ...],
    taken: dict[str, list[float]],
    swept: Sequence[Times],
    sizes: Bytes,
    peak: int | None,
) -> StepProfile:
    plan = rehearsal.plan
    nodes = {
        node_id: NodeProfile(
            forward_s=median(times.forward[node_id] for times in swept),
            backward_s=median(times.backward[node_id] for times in swept),
            kept_bytes=kept,
            peak_bytes=sizes.grown[node_id],
        )
        for node_id, kept in sizes.kept.items()
    }
    return StepProfile(
        network=plan.architecture.name,
        nodes=nodes,
        data_s=median(taken["data"]),
        loss_s=median(times.loss for times in swept),
        loss_kept_bytes=sizes.loss_kept,
        optimizer_s=median(taken["optimizer"]),
        step_s=median(taken["step"]),
        peak_bytes=peak,
        device="+".join(str(device) for device in (*plan.other_devices, plan.device)),
        device_text=" + ".join(device_name(device) for device in (*plan.other_devices, plan.device)),
        threads=torch.get_num_threads(),
        precision=step.precision.name,
        batch_size=plan.batch_size,
        optimizer=plan.config.optimizer,
        data=plan.config.data,
        repetitions=len(swept),
        versions=_versions(plan.device),
        notes=(*rehearsal.notes, *told),
    )


def _versions(device: torch.device) -> dict[str, str]:
    versions = {"arch-explorer": __version__, "python": platform.python_version(), "torch": str(torch.__version__)}
    if device.type == "cuda":
        versions["cuda"] = str(torch.version.cuda)
        versions["cudnn"] = str(torch.backends.cudnn.version())  # type: ignore[no-untyped-call]
    return versions
