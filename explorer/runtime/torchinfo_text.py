"""torchinfo's own text summary of an architecture, of shapes alone: no weights are made and nothing is computed."""

import torch
import torchinfo

from explorer.architecture import Architecture
from explorer.runtime.modules import build_module


def torchinfo_text(architecture: Architecture, batch_size: int) -> str:
    """What `torchinfo.summary` prints of the network's module at its input, `(batch_size, C, H, W)`.

    The meta device gives the text that real tensors give, in a fraction of the time and without their memory.

    Raises:
        NotRunnable: the architecture has a fault; the message is its first.
        ValueError: torchinfo could not run it, on shapes alone; the message says why.
    """
    with torch.device("meta"):
        module = build_module(architecture)
    size = (batch_size, *architecture.input_shape)
    try:
        return str(torchinfo.summary(module, size, device="meta", verbose=0))
    except RuntimeError as error:
        # torchinfo wraps every error of a forward pass; the reason is its cause.
        raise ValueError(str(error.__cause__ or error).strip()) from error
