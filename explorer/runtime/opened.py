"""Layers looked at closely: what went in, what came out and the parameters between, as numbers on the host."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.runs import OpenedLayer
from explorer.runs.observed import MOST_PARAMETERS
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network


def open_layers(network: Network, probe: Tensor, node_ids: Iterable[str]) -> dict[str, OpenedLayer]:
    """The nodes with their inputs, outputs and parameters, in evaluation mode; the network is afterwards as it was.

    Args:
        network: on the probe's device, in any mode.
        probe: `(1, C, H, W)`.
        node_ids: of the network's nodes.
    """
    wanted = tuple(dict.fromkeys(node_ids))
    nodes = {node.id: node for node in network.architecture.nodes if node.id in wanted}
    traced = dict.fromkeys(i for node_id in wanted for i in (*nodes[node_id].inputs, node_id))
    with torch.inference_mode(), evaluating(network):
        values = {node_id: _host(value[0]) for node_id, value in network.trace(probe, traced).items()}
        parameters = {node_id: _parameters(network, node_id) for node_id in wanted}
    return {
        node_id: OpenedLayer(
            inputs=tuple(values[source] for source in nodes[node_id].inputs),
            output=values[node_id],
            parameters=parameters[node_id],
        )
        for node_id in wanted
    }


def _parameters(network: Network, node_id: str) -> dict[str, npt.NDArray[np.float32]]:
    module = network.node_module(node_id)
    if module is None:
        return {}
    tensors = (*module.named_parameters(), *module.named_buffers())
    return {name: _host(tensor) for name, tensor in tensors if tensor.numel() <= MOST_PARAMETERS}


def _host(tensor: Tensor) -> npt.NDArray[np.float32]:
    # A copy also on the CPU, where the next step writes to the same memory.
    copied: npt.NDArray[np.float32] = tensor.detach().to(dtype=torch.float32, copy=True).contiguous().cpu().numpy()
    return copied
