"""After a lack of memory: the most images of a step that fit. Worked out, and on a GPU tried as well.

On the CPU nothing is tried: the system there ends a program rather than refuse it memory.
"""

import contextlib
import logging
import traceback
from collections.abc import Callable

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.inference import infer
from explorer.inference.memory import Memory, largest_batch, memory, optimizer_states
from explorer.runtime.devices import device_memory
from explorer.training.distributed import largest_share
from explorer.training.failures import is_out_of_memory
from explorer.training.layout import choose_memory_format
from explorer.training.plan import RunPlan

STEPS_AT_ONCE = 3
"""That a GPU has to have memory for: the usual one, one that is captured as a CUDA graph and keeps memory of its own,
and a second such that is tried beside it."""
_logger = logging.getLogger(__name__)


def fitting_batch_size(plan: RunPlan, error: BaseException, attempt: Callable[[int], None] | None) -> int | None:
    """The most images of a step that fit into the device's memory, fewer than the run's; None where not one does.

    Args:
        plan: of the run that failed.
        error: what it failed with; loses its traceback, and lets go of the tensors that its frames hold.
        attempt: makes a step of so many images; None where there is no network yet.
    """
    release(error)
    can_try = attempt is not None and plan.device.type == "cuda"
    most = plan.batch_size - 1
    with contextlib.suppress(ValueError):
        available = device_memory(str(plan.device)).available_bytes
        if attempt is not None:
            # The weights that are there already are counted among what is needed.
            available += _held_bytes(plan.device)
        predicted = predicted_batch_size(plan, available)
        # Where even the batch that failed should fit, other programs took the memory meanwhile: half of it, then.
        most = predicted if predicted <= most else most if can_try else plan.batch_size // 2
    if attempt is not None and can_try:
        most = largest_that_fits(most, attempt)
    return most if most > 0 else None


def fitting_batch_size_of_several(
    plan: RunPlan, error: BaseException, num_processes: int, *, is_made: bool, has_state: bool
) -> int | None:
    """The `batch_size` to give such a run, so that each process's share fits into its device's memory; None where not
    one image does. Worked out alone: in a step each process waits for all.

    Args:
        plan: of the run that failed.
        error: as for `fitting_batch_size`.
        num_processes: that train together.
        is_made: whether network and what carries its gradients are on the device.
        has_state: whether what the optimizer keeps is there too.
    """
    # What torch keeps for later counts as free. To give it back would wait for the device, and so for the others.
    _forget(error)
    share = largest_share(plan.batch_size, num_processes)
    most = share - 1
    with contextlib.suppress(ValueError):
        predicted = predicted_batch_size(plan, _room_of_one(plan, num_processes, is_made=is_made, has_state=has_state))
        # Where even the share that failed should fit: half of it, as for one process.
        most = predicted if predicted < share else share // 2
    # The configuration counts the images of all, or by the linear rule those of one.
    unit = num_processes if plan.config.scale_with_processes else 1
    counts = range(min(most * num_processes, plan.batch_size - 1) // unit, 0, -1)
    return next((count for count in counts if largest_share(count * unit, num_processes) <= most), None)


def _room_of_one(plan: RunPlan, num_processes: int, *, is_made: bool, has_state: bool) -> int:
    """What one of several processes has for a step, its weights included, beside the gradients that it brings together.

    Raises:
        ValueError: the device no longer answers.
    """
    available = device_memory(str(plan.device)).available_bytes
    if plan.device.type == "cpu":
        # Of a machine that they share.
        available //= num_processes
    needed = predicted_memory(plan, 1)
    if not is_made:
        return available - needed.gradient_bytes
    # Counted among what is needed, as for `fitting_batch_size`. What else lies there, as images, stays.
    return available + needed.weights_bytes + needed.buffers_bytes + has_state * needed.optimizer_bytes


def predicted_memory(plan: RunPlan, batch_size: int) -> Memory:
    """What a step of the run with so many images needs of its device, its weights included."""
    config = plan.config
    return memory(
        plan.architecture,
        infer(plan.architecture),
        batch_size=batch_size,
        optimizer=config.optimizer,
        momentum=config.momentum,
        precision=plan.precision.for_memory,
        auxiliary=config.aux_weight > 0,
    )


def predicted_batch_size(plan: RunPlan, available_bytes: int) -> int:
    """The most images of a step of the run, its weights included, that fit into so many bytes; 0 for none."""
    config = plan.config
    return largest_batch(
        plan.architecture,
        infer(plan.architecture),
        available_bytes,
        optimizer=config.optimizer,
        momentum=config.momentum,
        precision=plan.precision.for_memory,
        auxiliary=config.aux_weight > 0,
    )


def largest_that_fits(most: int, attempt: Callable[[int], None]) -> int:
    """The largest batch of at most `most` images that `attempt` does not run out of memory with; 0 for none.

    Whole numbers are bisected to an eighth of the answer, since each trial costs a step.
    """
    works, fails = 0, most + 1
    tried = most
    while tried > works and tried > 0:
        try:
            attempt(tried)
            works = tried
        except Exception as error:
            if not is_out_of_memory(error):
                _logger.warning("a step of %d images could not be tried: %s", tried, error)
                return works
            fails = tried
            release(error)
        if fails - works <= max(1, works // 8):
            break
        tried = (works + fails) // 2
    return works


def make_attempt(network: torch.nn.Module, plan: RunPlan, *, has_state: bool = False) -> Callable[[int], None]:
    """What tries a step but for the update: forward and backward on images of zeros, beside what the optimizer keeps.

    Args:
        network: on its device.
        plan: of the run.
        has_state: whether what the optimizer keeps lies there already; else as much memory is taken meanwhile.
    """
    config, layout = plan.config, choose_memory_format(plan.architecture, plan.device)
    num_states = 0 if has_state else optimizer_states(config.optimizer, config.momentum)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def attempt(num_images: int) -> None:
        reserved: list[torch.Tensor] = []
        try:
            network.zero_grad(set_to_none=True)
            reserved += [torch.empty_like(parameter) for parameter in trained for _ in range(num_states)]
            shape = (num_images, *plan.architecture.input_shape)
            x = torch.empty(shape, device=plan.device, memory_format=layout).zero_()
            target = torch.zeros(num_images, dtype=torch.int64, device=plan.device)
            with plan.precision.autocast():
                outputs = network(x)
            every = outputs if isinstance(outputs, tuple) else (outputs,)
            losses = [F.cross_entropy(logits.float(), target) for logits in every]
            torch.autograd.backward(torch.stack(losses).sum())
            if plan.device.type == "cuda":
                torch.cuda.synchronize(plan.device)
        finally:
            reserved.clear()
            network.zero_grad(set_to_none=True)

    return attempt


def release(error: BaseException) -> None:
    """Let go of the tensors that an exception's frames hold, and of what torch keeps for later."""
    _forget(error)
    with contextlib.suppress(RuntimeError):
        # Does nothing where CUDA was never used.
        torch.cuda.empty_cache()


def _forget(error: BaseException) -> None:
    """Let go of the tensors that an exception's frames hold.

    No garbage is collected: that is for the window's thread alone, and what a step holds is in no cycle once its frames
    are gone. Tracebacks go with them, since a frame that was cleared still holds what its functions have enclosed.
    """
    errors: list[BaseException | None] = [error]
    for one in errors:
        if one is not None and one.__traceback__ is not None:
            traceback.clear_frames(one.__traceback__)
            one.__traceback__ = None
            errors += [one.__context__, one.__cause__]


def _held_bytes(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
