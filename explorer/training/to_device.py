"""What the host drew, brought to the device of a run without waiting for it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def to_device(values: npt.NDArray[Any], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """The values on a device, in another type if one is given.

    To a GPU they go by way of pinned memory, which torch keeps for the next ones: from any other a copy of more than
    64 KiB waits until the device has done all that it was given before (CUDA's runtime API, "API synchronization
    behavior").
    """
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    tensor = tensor if dtype is None else tensor.to(dtype)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
