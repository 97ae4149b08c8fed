"""Weights as safetensors files, and carried from one version of a network to another. Opening one runs no code."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from explorer.architecture.files import write_atomically
from explorer.layers import format_shape
from explorer.runtime.modules import Network


class CarryReport(NamedTuple):
    """What became of a network's weights."""

    carried: tuple[str, ...]
    """Ids of the nodes that took theirs over."""
    reinitialised: Mapping[str, str]
    """Ids of the nodes that kept their own, each with the reason."""
    unused: tuple[str, ...]
    """Keys that no node of the network has."""


def carry_weights(state_dict: Mapping[str, Tensor], network: Network) -> CarryReport:
    """Load into each node what has its key and shape. A node takes all of its tensors or none."""
    carried: list[str] = []
    reinitialised: dict[str, str] = {}
    known: set[str] = set()
    for node_id in network.calls:
        module = network.node_module(node_id)
        own = {} if module is None else {f"{node_id}.{key}": value for key, value in module.state_dict().items()}
        if not own:
            continue
        known.update(own)
        reason = next((r for key, value in own.items() if (r := _misfit(key, state_dict.get(key), value))), None)
        if reason is not None:
            reinitialised[node_id] = reason
            continue
        with torch.no_grad():
            for key, value in own.items():
                value.copy_(state_dict[key])
        carried.append(node_id)
    unused = tuple(sorted(key for key in state_dict if key not in known))
    return CarryReport(tuple(carried), reinitialised, unused)


def _misfit(key: str, given: Tensor | None, own: Tensor) -> str | None:
    if given is None:
        return f"{key} is not among the weights"
    if given.shape != own.shape:
        return f"{key} is {_shape_text(given)} there and {_shape_text(own)} here"
    return None


def _shape_text(tensor: Tensor) -> str:
    return format_shape(tuple(tensor.shape)) or "one value"


def save_weights(network: Network, path: Path) -> None:
    """Write the `state_dict`; the old file stays until the new one is whole on the disk.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    write_atomically(path, safetensors.torch.save(tensors, metadata={"format": "pt"}))


def load_weights(path: Path) -> dict[str, Tensor]:
    """The `state_dict` in a safetensors file, on the CPU.

    Raises:
        ValueError: there is no such file, or it is no whole safetensors file.
    """
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load_file(path)
        return tensors
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path.name}: not a whole safetensors file ({error})") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
