"""Random weights with which a network's outputs depend on every layer, for comparing two forms of it."""

import torch
from torch import nn

from explorer.runtime.modules import Network

_NUM_IMAGES = 4
"""From which running statistics are taken."""


@torch.no_grad()
def lively(network: Network, generator: torch.Generator) -> Network:
    """Give a network weights that keep the scale of what goes through (He et al. 2015), and no factor near zero.

    Running statistics are those of a few random images, so that each normalisation does something of its own. Shifts
    behind it are positive, which lets most values through the ReLU: with as many below zero as above, a hundred layers
    without shortcuts enlarge a difference at each one until rounding alone decides the answer (Yang et al. 2019, A mean
    field theory of batch normalization).
    """
    network.train()
    for module in network.modules():
        own = {name: one for name, one in module.named_parameters(recurse=False) if one.requires_grad}
        has_kernels = any(parameter.dim() > 1 for parameter in own.values())
        for name, parameter in own.items():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
            elif has_kernels:
                parameter.uniform_(-0.1, 0.1, generator=generator)
            elif name == "bias":
                parameter.uniform_(0.5, 1.5, generator=generator)
            else:
                parameter.uniform_(0.5, 1.0, generator=generator)
    norms = [module for module in network.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        network(torch.randn(_NUM_IMAGES, *network.architecture.input_shape, generator=generator))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()
