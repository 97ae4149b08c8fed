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
from explorer.inference.memory import largest_batch
from explorer.runtime.devices import device_memory
from explorer.training.failures import is_out_of_memory
from explorer.training.plan import RunPlan

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


def make_attempt(network: torch.nn.Module, plan: RunPlan) -> Callable[[int], None]:
    """What tries a step but for the update: forward and backward on images of zeros."""

    def attempt(num_images: int) -> None:
        try:
            network.zero_grad(set_to_none=True)
            x = torch.zeros(num_images, *plan.architecture.input_shape, device=plan.device)
            target = torch.zeros(num_images, dtype=torch.int64, device=plan.device)
            with plan.precision.autocast():
                outputs = network(x)
            every = outputs if isinstance(outputs, tuple) else (outputs,)
            losses = [F.cross_entropy(logits.float(), target) for logits in every]
            torch.autograd.backward(torch.stack(losses).sum())
            if plan.device.type == "cuda":
                torch.cuda.synchronize(plan.device)
        finally:
            network.zero_grad(set_to_none=True)

    return attempt


def release(error: BaseException) -> None:
    """Let go of the tensors that an exception's frames hold, and of what torch keeps for later.

    No garbage is collected: that is for the window's thread alone, and what a step holds is in no cycle once its frames
    are gone. Tracebacks go with them, since a frame that was cleared still holds what its functions have enclosed.
    """
    errors: list[BaseException | None] = [error]
    for one in errors:
        if one is not None and one.__traceback__ is not None:
            traceback.clear_frames(one.__traceback__)
            one.__traceback__ = None
            errors += [one.__context__, one.__cause__]
    with contextlib.suppress(RuntimeError):
        # Does nothing where CUDA was never used.
        torch.cuda.empty_cache()


def _held_bytes(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
