"""What a broken run says: one sentence on where, what happened and what would help.

RunError(Exception)
├── Diverged            the loss is no number any more
└── WeightsNotWritten   the disk refused the last weights
"""

import re

import torch

from explorer.layers import format_shape
from explorer.runs import RunStoreError
from explorer.training.plan import RunPlan


class RunError(Exception):
    """Ends a run; the message is for the user."""


class Diverged(RunError):  # noqa: N818 - it says what happened
    """The loss became infinite or NaN."""

    def __init__(self, step: int, loss: float, learning_rate: float) -> None:
        super().__init__(
            f"step {step}: the loss became {loss}; use a learning_rate below {learning_rate:g}, "
            "or look for a layer whose values grow without bound"
        )


class WeightsNotWritten(RunError):  # noqa: N818 - it says what happened
    """The disk refused the last weights."""

    def __init__(self, step: int, error: OSError) -> None:
        super().__init__(
            f"step {step}: the weights could not be written: {error.strerror or error}; "
            "free some space or check the folder's permissions"
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had no memory left."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # torch's CPU allocator raises a plain RuntimeError.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def is_explained(error: BaseException, has_started: bool) -> bool:
    """Whether the error's own message is meant for the user, so that a traceback would add nothing."""
    if isinstance(error, (RunError, RunStoreError)):
        return True
    return not has_started and isinstance(error, (ValueError, FileNotFoundError))


def message_of(error: BaseException, plan: RunPlan | None, step: int | None) -> str:
    """The sentence for an error that broke a run.

    Args:
        error: what was raised.
        plan: of the run; None if it did not come to one.
        step: updates made before; None if the run did not start.
    """
    if plan is not None and is_out_of_memory(error):
        return _out_of_memory(error, plan, step or 0)
    if is_explained(error, step is not None):
        return str(error)
    where = "before the first step" if step is None else f"step {step + 1}"
    return f"{where}: {type(error).__name__}: {error}"


def _out_of_memory(error: BaseException, plan: RunPlan, step: int) -> str:
    found = re.search(r"[Tt]ried to allocate ([\d.]+ ?\w+)", str(error))
    asked = f" ({found[1]} more asked for)" if found else ""
    images = f"{plan.batch_size} images of {format_shape(plan.architecture.input_shape)}"
    remedy = f"use a batch_size of {plan.batch_size // 2}" if plan.batch_size > 1 else "use a smaller input or network"
    return f"step {step + 1}: {plan.device} has too little memory for a batch of {images}{asked}; {remedy}"
