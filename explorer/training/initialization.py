"""The weights that a run starts from, where they are not torch's own choice: Xavier and Kaiming, by layer type."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer.runtime.modules import Network, node_seed

_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
"""What has fans in and out. `PartialConv2d`, of the network of 1998, keeps the start that fits its own wiring."""


def initialize(network: Network, how: str, seed: int) -> None:
    """Draw the weights of all convolutions and linear layers again; their biases stay as torch made them.

    A node's weights depend on the seed, its id and its shape only, as `build_module` has it.

    Args:
        network: fresh, on the CPU.
        how: as `RunConfig.init`: default, xavier-uniform, xavier-normal, kaiming-uniform or kaiming-normal.
        seed: where the random numbers start.
    """
    for node in network.architecture.nodes:
        module = network.node_module(node.id)
        if module is not None:
            initialize_node(node.id, module, how, seed)


def initialize_node(node_id: str, module: nn.Module, how: str, seed: int) -> None:
    """Draw the weights of one node's module again, as `initialize` does."""
    if how == "default":
        return
    for part in module.modules():
        if isinstance(part, _LAYERS):
            _DRAWS[how](part.weight, torch.Generator().manual_seed(node_seed(seed, node_id)))


def _xavier_uniform(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.xavier_uniform_(weight, generator=generator)


def _xavier_normal(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.xavier_normal_(weight, generator=generator)


def _kaiming_uniform(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.kaiming_uniform_(weight, nonlinearity="relu", generator=generator)


def _kaiming_normal(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


_DRAWS: dict[str, Callable[[Tensor, torch.Generator], None]] = {
    "xavier-uniform": _xavier_uniform,
    "xavier-normal": _xavier_normal,
    "kaiming-uniform": _kaiming_uniform,
    "kaiming-normal": _kaiming_normal,
}
"""Glorot and Bengio 2010, equation 16; He et al. 2015 (Delving deep into rectifiers), equation 10, by the fan in."""
