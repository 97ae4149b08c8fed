"""What a broken run says: one sentence on where, what happened and what would help.

RunError(Exception)
├── Diverged            the loss is no number any more
└── WeightsNotWritten   the disk refused the last weights
"""

import errno
import re

import torch

from explorer.layers import format_shape
from explorer.runs import RunStoreError
from explorer.training.checkpoint import CheckpointError
from explorer.training.data import ImagesGone
from explorer.training.guard import NonFinite
from explorer.training.plan import RunPlan


class RunError(Exception):
    """Ends a run; the message is for the user."""


class Diverged(RunError):  # noqa: N818 - it says what happened
    """The loss became infinite or NaN."""

    def __init__(self, step: int, loss: float, learning_rate: float, where: NonFinite | None, kept: int | None) -> None:
        """Say so.

        Args:
            step: whose loss it is.
            loss: of that step.
            learning_rate: of that step.
            where: the layer where it began; None where no output of the network was to blame.
            kept: the step after which the last whole weights were kept; None if there are none.
        """
        text = f"step {step}: the loss became {loss}{_where_it_began(where)}"
        text += f"; use a learning_rate below {learning_rate:g}, or clip the gradients"
        if kept is not None:
            text += f". The weights after step {kept:,} are kept"
        super().__init__(text)


class WeightsNotWritten(RunError):  # noqa: N818 - it says what happened
    """The disk refused the last weights."""

    def __init__(self, step: int, error: OSError, kept: int | None = None) -> None:
        text = f"step {step}: the weights could not be written: {reason_of(error)}; {remedy_of(error)}"
        if kept is not None:
            text += f". Those after step {kept:,} are whole"
        super().__init__(text)


def reason_of(error: OSError) -> str:
    """What the system said, without numbers and paths."""
    return error.strerror or str(error)


def remedy_of(error: OSError) -> str:
    """What may help."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space on that disk"
    if error.errno == errno.EFBIG:
        return "raise the limit on the size of files, or keep runs on another disk"
    return "check that the folder is there and may be written"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device or the machine had no memory left."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None


def is_explained(error: BaseException, has_started: bool) -> bool:
    """Whether the error's own message is meant for the user, so that a traceback would add nothing."""
    if isinstance(error, (RunError, RunStoreError, CheckpointError, ImagesGone)):
        return True
    return not has_started and isinstance(error, (ValueError, FileNotFoundError))


def is_device_lost(error: BaseException) -> bool:
    """Whether a GPU no longer answers: unplugged, reset, or stopped by a fault that only a new process gets rid of."""
    if is_out_of_memory(error):
        return False
    if isinstance(error, torch.AcceleratorError):
        return True
    return isinstance(error, RuntimeError) and re.search(r"\b(CUDA|HIP|cuDNN|CUBLAS)\b.*error", str(error)) is not None


def message_of(
    error: BaseException,
    plan: RunPlan | None,
    step: int | None,
    *,
    fitting_batch_size: int | None = None,
    kept: int | None = None,
) -> str:
    """The sentence for an error that broke a run.

    Args:
        error: what was raised.
        plan: of the run; None if it did not come to one.
        step: updates made before; None if the run did not start.
        fitting_batch_size: after a lack of memory, the most images of a step that fit; None for none.
        kept: the step after which the last whole weights were kept; None if there are none.
    """
    if plan is not None and is_out_of_memory(error):
        return _out_of_memory(error, plan, step or 0, fitting_batch_size)
    if is_explained(error, step is not None):
        return str(error)
    where = "before the first step" if step is None else f"step {step + 1}"
    if plan is not None and is_device_lost(error):
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        text = f"{where}: {plan.device} no longer answers ({reason}); "
        if kept is None:
            return text + "nothing is kept yet: start again on the CPU, or on that device after restarting the program"
        text += f"the state after step {kept:,} is kept: resume the run on the CPU, "
        return text + "or on that device after restarting the program"
    return f"{where}: {type(error).__name__}: {error}"


def _out_of_memory(error: BaseException, plan: RunPlan, step: int, fitting: int | None) -> str:
    found = re.search(r"[Tt]ried to allocate ([\d.]+ ?\w+)", str(error))
    asked = f" ({found[1]} more asked for)" if found else ""
    images = f"{plan.batch_size} images of {format_shape(plan.architecture.input_shape)}"
    remedy = f"use a batch_size of {fitting} or less" if fitting else "use a smaller input or network"
    return f"step {step + 1}: {plan.device} has too little memory for a batch of {images}{asked}; {remedy}"


def _where_it_began(where: NonFinite | None) -> str:
    if where is None:
        return ""
    if where.own_weights:
        return f"; the weights of {where.node_id} are no numbers since the update before"
    text = f"; {where.node_id} is the first layer whose output is no number"
    if where.largest_input is not None and where.largest_input > _LARGE:
        text += f", what arrives there reaching {where.largest_input:.2g}"
    return text


_NO_MEMORY = re.compile(
    r"can't allocate memory|MPS backend out of memory|(CUDA|HIP) error: out of memory|STATUS_ALLOC_FAILED"
)
"""What is said where no `OutOfMemoryError` is raised: by torch's CPU allocator, by MPS, by CUDA for other things than
tensors, as graphs, and by its libraries."""
_LARGE = 1e3
"""From where on an input's size is worth a word."""
