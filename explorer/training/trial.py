"""Another way to make the steps of a run, tried on the run's own weights: whether it does the same as the usual one.

Afterwards all is put back to the bit, so that a run does not know that it was tried.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.runtime.modules import Network
from explorer.training.optimization import Optimization
from explorer.training.random_state import get_random_state, set_random_state

MakeStep = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What `Step` is to its caller."""

_MOST_VALUES = 32_000_000
"""Weights of a network that is tried: they are kept beside themselves meanwhile."""
_TOLERANCE = 0.15
"""Of the changes that two steps make to all weights, in their norm. Adam's first steps go by the gradients' signs, and
some of these are left to rounding; a way that leaves a part out, or reads an old batch, is off by much more."""
_ROUNDING = 1e-5
"""Of the same: a convolution's bias in front of a norm changes nothing, so that its own change is rounding or none."""
_LOSS_TOLERANCE = 0.01


def can_be_tried(network: Network) -> bool:
    """Whether its weights lie on one device, and are few enough to be kept twice."""
    parameters = list(network.parameters())
    is_split = len({parameter.device for parameter in parameters}) > 1
    return not is_split and sum(parameter.numel() for parameter in parameters) <= _MOST_VALUES


def difference(
    usual: MakeStep, other: MakeStep, optimization: Optimization, before: "TrialState", batch: tuple[Tensor, Tensor]
) -> str | None:
    """How another way does something else in two steps from the same state, as the end of a sentence; None where it
    does the same.

    The second step has other images, labels and another learning rate, which must not be kept from the first.

    Args:
        usual: the usual way.
        other: the other one.
        optimization: of both.
        before: where both begin.
        batch: a full one.
    """
    x, target = batch
    batches = [(x, target), (torch.empty_like(x).copy_(x.flip(3)), target.roll(1, 0))]
    losses, changes, gradients = [], [], []
    for make in (usual, other):
        before.restore()
        own = []
        for place, (images, labels) in enumerate(batches):
            own.append(make(images, labels)[0])
            optimization.learning_rate *= 0.5
            if place == 0:
                gradients.append(before.gradients())
        losses.append(torch.stack(own).tolist())
        changes.append(before.changes())
    for expected, found in zip(*losses, strict=True):
        if not abs(found - expected) <= _LOSS_TOLERANCE * max(1.0, abs(expected)):
            return f"came to a loss of {found:.4g} where the usual one comes to {expected:.4g}"
    # What an optimizer remembers moves weights also where no gradient comes to them any more.
    if not _agree(*gradients):
        return "came to other gradients than the usual one"
    for what, usual_changes, other_changes in zip(("weights", "statistics"), *changes, strict=True):
        if not _agree(usual_changes, other_changes):
            return f"changed the {what} otherwise than the usual one"
    return None


def _agree(expected: Sequence[Tensor], found: Sequence[Tensor]) -> bool:
    """Whether two lists of changes, or of gradients, are the same but for rounding, and none is missing."""
    if not expected:
        return True
    norms, found_norms = (torch.stack([change.norm() for change in changes]) for changes in (expected, found))
    size = norms.norm()
    error = torch.stack([(one - other).norm() for one, other in zip(expected, found, strict=True)]).norm()
    is_missing = ((norms == 0) != (found_norms == 0)) & (torch.maximum(norms, found_norms) > _ROUNDING * size)
    return bool(error <= _TOLERANCE * size) and not bool(is_missing.any())


class TrialState:
    """All that steps change, as it was."""

    def __init__(self, network: Network, optimization: Optimization, flag: Tensor, device: torch.device) -> None:
        """Keep it beside itself.

        Args:
            network: in training mode.
            optimization: of its weights.
            flag: what `Guard` keeps on the device.
            device: of the run.
        """
        self._optimization = optimization
        self._device = device
        self._weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._statistics = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        own = (*self._weights, *network.buffers(), flag, optimization.gradient_norm)
        self._kept = [(value, value.detach().clone()) for value in own]
        self._gradients = [weight.grad for weight in self._weights]
        """Of the last step, which whoever looks at the run may still want."""
        self._kept_by_optimizer = {id(value): value.clone() for value in self._optimizer_tensors()}
        self._rates = [group["lr"] for group in optimization.optimizer.param_groups]
        self._learning_rate = optimization.learning_rate
        self._random = get_random_state(device)

    def restore(self) -> None:
        """Put everything back, in its place. What an optimizer began to keep since then begins at zero in any case."""
        optimizer = self._optimization.optimizer
        optimizer.zero_grad()
        with torch.no_grad():
            for value, kept in self._kept:
                value.copy_(kept)
            for value in self._optimizer_tensors():
                before = self._kept_by_optimizer.get(id(value))
                value.zero_() if before is None else value.copy_(before)
        for group, rate in zip(optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate
        self._optimization.learning_rate = self._learning_rate
        set_random_state(self._random, self._device)

    def put_back(self) -> None:
        """Put everything back for good, the gradients of the last step too."""
        self.restore()
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient

    def gradients(self) -> list[Tensor]:
        """Of the last step, copied; zeros where a weight has none."""
        with torch.no_grad():
            return [
                torch.zeros_like(weight) if weight.grad is None else weight.grad.clone() for weight in self._weights
            ]

    def changes(self) -> tuple[list[Tensor], list[Tensor]]:
        """What became of the weights, and of the running statistics, since then: differences."""
        kept = {id(value): before for value, before in self._kept}
        with torch.no_grad():
            return (
                [value - kept[id(value)] for value in self._weights],
                [value - kept[id(value)] for value in self._statistics],
            )

    def _optimizer_tensors(self) -> list[Tensor]:
        states = self._optimization.optimizer.state.values()
        return [value for state in states for value in state.values() if isinstance(value, Tensor)]
