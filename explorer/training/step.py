"""One optimizer update, and the test: the two places where a network computes on data."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs import RunConfig
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network
from explorer.training.feed import Feed


class Step:
    """Forward, backward, update. Everything that changes how a step computes belongs here."""

    def __init__(self, network: Network, optimizer: torch.optim.Optimizer) -> None:
        self._network = network
        self._optimizer = optimizer

    def __call__(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Update the weights by one batch.

        Returns:
            The mean loss and the number of images classified rightly, both before the update, on the device.
        """
        # Before the forward pass, so that the last step's gradients do not lie beside this one's activations.
        self._optimizer.zero_grad()
        logits = self._network(x)
        loss = F.cross_entropy(logits, target)
        torch.autograd.backward(loss)
        self._optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == target).sum()

    @property
    def learning_rate(self) -> float:
        return float(self._optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = value


def set_memory_format(network: Network, memory_format: torch.memory_format) -> Network:
    """The network with its convolutions' weights in that layout, as `Module.to(memory_format=...)` leaves it."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=memory_format)
    return network


def make_optimizer(network: Network, config: RunConfig, device: torch.device) -> torch.optim.Optimizer:
    """torch's SGD or Adam of what is not frozen; fused into one kernel where torch has one."""
    fused = True if device.type in ("cpu", "cuda") else None
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if config.optimizer == "adam":
        return torch.optim.Adam(trained, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    return torch.optim.SGD(
        trained,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        fused=fused,
    )


def evaluate(
    network: Network, feed: Feed, batch_size: int, is_cancelled: Callable[[], bool]
) -> tuple[float, float] | None:
    """Mean loss and accuracy over all images, in evaluation mode; None if cancelled."""
    loss, correct = [], []
    with torch.inference_mode(), evaluating(network):
        for start in range(0, len(feed), batch_size):
            if is_cancelled():
                return None
            x, target = feed.batch(slice(start, start + batch_size))
            logits = network(x)
            loss.append(F.cross_entropy(logits, target, reduction="sum"))
            correct.append((logits.argmax(1) == target).sum())
        # The test's one wait for the device; in float64, which MPS lacks, on the CPU.
        sums = torch.stack([torch.stack(loss), torch.stack(correct).float()]).cpu().double().sum(1).tolist()
    return sums[0] / len(feed), sums[1] / len(feed)
