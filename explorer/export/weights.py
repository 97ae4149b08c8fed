"""Weights as a safetensors file that names its network. Reading one is `runtime.weights`."""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from explorer.architecture.files import write_atomically
from explorer.export.errors import ExportError


def write_weights(path: Path, state_dict: Mapping[str, Tensor], architecture_name: str) -> None:
    """Write a `state_dict`, with its network's name in the file's metadata.

    Raises:
        ExportError: unwritable target or full disk; an existing file is untouched.
    """
    # A copy of its own for each: safetensors refuses tensors that share memory.
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state_dict.items()}
    metadata = {"format": "pt", "architecture": architecture_name, "producer": "Architecture Explorer"}
    try:
        write_atomically(path, safetensors.torch.save(tensors, metadata=metadata))
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}; the weights were not written") from error
