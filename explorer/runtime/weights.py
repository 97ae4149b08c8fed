"""Weights as this program's own safetensors files, and carried from one version of a network to another.

Opening one runs no code. `weights_files` reads what others wrote, and `weights_matching` finds out what of it fits.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from explorer.architecture.files import write_atomically
from explorer.layers import format_shape
from explorer.runs import weights_facts
from explorer.runs.weights_facts import WeightsFacts
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
    """Load into each node what has its key and shape. A node takes all of its tensors or none.

    A batch norm's count of batches may be absent, as in files from before torch 0.4.1; it is then left as it is.
    """
    carried: list[str] = []
    reinitialised: dict[str, str] = {}
    known: set[str] = set()
    for node_id in network.calls:
        module = network.node_module(node_id)
        own = {} if module is None else {f"{node_id}.{key}": value for key, value in module.state_dict().items()}
        if not own:
            continue
        known.update(own)
        reason = _carry(state_dict, own)
        if reason is not None:
            reinitialised[node_id] = reason
            continue
        carried.append(node_id)
    unused = tuple(sorted(key for key in state_dict if key not in known))
    return CarryReport(tuple(carried), reinitialised, unused)


def carry_node(state_dict: Mapping[str, Tensor], node_id: str, module: nn.Module) -> bool:
    """Load one node's tensors into its module, as `carry_weights` does; whether it took them."""
    return _carry(state_dict, {f"{node_id}.{key}": value for key, value in module.state_dict().items()}) is None


def _carry(state_dict: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str | None:
    """Load into a node's own tensors what is given; why that cannot be, if so."""
    needed = {key: value for key, value in own.items() if key in state_dict or not is_batch_count(key)}
    reason = next((r for key, value in needed.items() if (r := _misfit(key, state_dict.get(key), value))), None)
    if reason is None:
        with torch.no_grad():
            for key, value in needed.items():
                value.copy_(state_dict[key])
    return reason


def is_batch_count(key: str) -> bool:
    """Whether it names a batch norm's count of batches, which nothing depends on while `momentum` is a number."""
    return key.rpartition(".")[2] == "num_batches_tracked"


def _misfit(key: str, given: Tensor | None, own: Tensor) -> str | None:
    if given is None:
        return f"{key} is not among the weights"
    if given.shape != own.shape:
        return f"{key} is {shape_text(given.shape)} there and {shape_text(own.shape)} here"
    return None


def shape_text(shape: Iterable[int]) -> str:
    """A tensor's shape in words: "64×3×7×7", "one value"."""
    return format_shape(tuple(shape)) or "one value"


def save_weights(network: Network, path: Path, facts: WeightsFacts | None = None) -> None:
    """Write the `state_dict`; the old file stays until the new one is whole on the disk.

    Args:
        facts: what belongs to the weights, for the file's header.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    write_tensors(network.state_dict(), path, facts)


def write_tensors(tensors: Mapping[str, Tensor], path: Path, facts: WeightsFacts | None = None) -> None:
    """Write tensors by name, as `save_weights` does those of a network.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    metadata = {"format": "pt"} if facts is None else {"format": "pt", weights_facts.KEY: facts.to_text()}
    write_atomically(path, safetensors.torch.save(plain, metadata=metadata))


def load_weights(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The `state_dict` in a safetensors file, on the CPU; of it the keys that start with `prefix`.

    Raises:
        ValueError: there is no such file, or it is no whole safetensors file.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path.name}: not a whole safetensors file ({error})") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
