"""How far each layer's parameters have come since before the first update.

A copy of those is kept beside the network while somebody looks at statistics or moments are kept; which they were is
the `Subject`'s to know, but where a run begins.
"""

import math
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from explorer.runtime.modules import Network

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject

MOST_VALUES = 2**26
"""Of all layers together, 256 MiB. A layer with which there would be more is left out."""


class Initial(NamedTuple):
    """The parameters of a node before the first update."""

    parameters: tuple[Tensor, ...]
    """In the order of its module, each on the network's device."""
    norm: float
    """Of all of them together."""


class InitialParameters:
    """What is known of the parameters of a network before the first update."""

    def __init__(self, nodes: Mapping[str, Initial]) -> None:
        self.nodes = nodes
        """By node id."""

    def differences(self, node_id: str, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The norm of each parameter's difference from what it was, `()` each; none where that is not known."""
        if node_id not in self.nodes:
            return ()
        # Layer by layer, so that no second copy of the whole network is made.
        return torch._foreach_norm(torch._foreach_sub(list(parameters), self.nodes[node_id].parameters))


_kept: weakref.WeakKeyDictionary[Network, weakref.ref[InitialParameters]] = weakref.WeakKeyDictionary()
"""Who looks and the time machine share one copy, while either needs it."""


def initial_parameters(subject: "Subject", step: int) -> InitialParameters:
    """The parameters of all nodes before the first update, as far as they are known.

    Args:
        subject: whose network has made `step` updates if it is trained.
    """
    kept = _kept.get(subject.network)
    found = None if kept is None else kept()
    if found is None:
        found = InitialParameters(_initial_nodes(subject, is_now=subject.is_trained and step == 0))
        _kept[subject.network] = weakref.ref(found)
    return found


def _initial_nodes(subject: "Subject", *, is_now: bool) -> dict[str, Initial]:
    nodes, size = {}, 0
    for node in subject.network.architecture.nodes:
        module = subject.network.node_module(node.id)
        own = {} if module is None else {name: value for name, value in module.named_parameters() if value.numel()}
        own_size = sum(parameter.numel() for parameter in own.values())
        if not own or size + own_size > MOST_VALUES:
            continue
        # Making them again takes a while.
        before = {name: value.clone() for name, value in own.items()} if is_now else subject.initial(node.id)
        if before is None or not own.keys() <= before.keys():
            continue
        tensors = tuple(before[name].detach().to(parameter) for name, parameter in own.items())
        norms = torch.stack([torch.linalg.vector_norm(tensor) for tensor in tensors]).tolist()
        nodes[node.id] = Initial(tensors, math.hypot(*norms))
        size += own_size
    return nodes
