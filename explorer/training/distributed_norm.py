"""Batch normalisation over the global batch: statistics of all processes together.

torch's `SyncBatchNorm` does this on GPUs only; here it is the same arithmetic on any device, by sums that are brought
together both ways (Ioffe and Szegedy 2015, algorithm 1, over the whole batch).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from explorer.runtime.modules import Network

Sum = Callable[[Tensor], Tensor]
"""Adds a tensor up over all processes, in place, and returns it."""


def share_batch_norms(network: Network, add_up: Sum, batch: Callable[[], tuple[int, bool]]) -> None:
    """Let every batch normalisation of a network that is in training use statistics of the global batch.

    Classes, names and states stay, so that whoever saves or exports the network sees no difference.

    Args:
        network: changed in place.
        add_up: over the processes.
        batch: how many images the global batch of the step under way has, 0 between two steps, and whether this
            process's count.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            setattr(module, "forward", _forward_of(module, module.forward, add_up, batch))  # noqa: B010 - it is no attribute for mypy


def _forward_of(
    module: nn.modules.batchnorm._BatchNorm,
    usual: Callable[[Tensor], Tensor],
    add_up: Sum,
    batch: Callable[[], tuple[int, bool]],
) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        num_images, counts = batch()
        if not module.training or not num_images:
            return usual(x)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        count = num_images * x[0, 0].numel()
        shape = [1, -1] + [1] * (x.dim() - 2)
        own = 1.0 if counts else 0.0
        # Sums of many numbers need float32, whatever autocast computes in.
        wide = x.float()
        mean = _shared(wide.sum(axes) * own, add_up) / count
        centred = wide - mean.view(shape)
        variance = _shared((centred * centred).sum(axes) * own, add_up) / count
        _keep(module, mean.detach(), variance.detach(), count)
        y: Tensor = centred * torch.rsqrt(variance + module.eps).view(shape)
        if module.weight is not None:
            y = y * module.weight.view(shape) + module.bias.view(shape)
        return y.to(x.dtype)

    return forward


def _keep(module: nn.modules.batchnorm._BatchNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    """Move the running statistics, of which the variance is the unbiased one, as torch's do."""
    if module.running_mean is None or module.running_var is None or module.num_batches_tracked is None:
        return
    with torch.no_grad():
        module.num_batches_tracked.add_(1)
        factor = module.momentum
        if factor is None:
            factor = 1.0 / float(module.num_batches_tracked.item())
        module.running_mean.lerp_(mean, factor)
        module.running_var.lerp_(variance * (count / max(1, count - 1)), factor)


def _shared(values: Tensor, add_up: Sum) -> Tensor:
    """The sum over the processes; its gradient is the sum of theirs."""
    # Older versions of torch have no type for it.
    share: Callable[[Tensor, Sum], Tensor] = _Shared.apply
    return share(values, add_up)


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, add_up: Sum) -> Tensor:
        ctx.add_up = add_up
        return add_up(values.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.add_up(gradients[0].contiguous().clone()), None
