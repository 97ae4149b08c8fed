"""Stops a run at the step whose outputs are no numbers any more, and finds the layer where that began.

Losses are looked at every few steps only, since each look waits for the device. So that the weights are still those of
the failing step by then, a flag on the device, raised by the first output that is not finite, makes the optimizer's
fused kernels pass over their update from there on: the mechanism that mixed precision has for gradients that overflow
(`found_inf` in torch's `GradScaler` documentation). Where that is in use itself, an update is passed over for either
reason; gradients that overflow there are no failure, outputs that do are one.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from explorer.runtime.modules import Network

_SUMMED = {"mps": torch.float32}
"""Where there is no float64. Logits so large there that their sum overflows are as good as no numbers."""


class NonFinite(NamedTuple):
    """Where a forward pass first left the numbers."""

    node_id: str
    """The first node, in the network's order, whose output holds an infinity or NaN."""
    own_weights: bool
    """Whether that node's own weights are no numbers already."""
    largest_input: float | None
    """The largest magnitude of what arrives there; None for a node without inputs."""


class Guard:
    """Watches the outputs of a network in training mode, and holds its optimizer from the first bad one on."""

    def __init__(self, network: Network, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        """Hook into both; `close` takes the hooks out again."""
        self._is_bad = torch.zeros((), device=device)
        # Only fused kernels know the flag. Elsewhere the host has to look, which on the CPU costs nothing.
        self._is_held_on_device = bool(getattr(optimizer, "_step_supports_amp_scaling", False))
        self._hooks = (
            network.register_forward_hook(self._look_in_training),
            optimizer.register_step_pre_hook(self._hold),
            optimizer.register_step_post_hook(self._let_go),
        )

    @property
    def flag(self) -> Tensor:
        """Where it is kept on the device: 1 from the first bad output on, else 0."""
        return self._is_bad

    @property
    def is_bad(self) -> bool:
        """Whether an output was not finite. Waits for the device."""
        return bool(self._is_bad.item())

    def close(self) -> None:
        """Take the hooks out."""
        for hook in self._hooks:
            hook.remove()

    def look(self, output: Tensor | tuple[Tensor, ...]) -> None:
        """Take what the network gave in training."""
        logits = output[0] if isinstance(output, tuple) else output
        # In three kernels, where a small network's step has some sixty: the sum of all is finite where all are, as long
        # as it cannot overflow itself; a finite one less itself is 0, and any other NaN, which counts as true.
        whole = logits.detach().sum(dtype=_SUMMED.get(logits.device.type, torch.float64))
        torch.logical_or(self._is_bad, whole - whole, out=self._is_bad)

    def _look_in_training(self, network: nn.Module, _inputs: Any, output: Any) -> None:
        if network.training:
            self.look(output)

    def _hold(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self._is_held_on_device:
            # There already if a GradScaler makes this update.
            overflowed = getattr(optimizer, "found_inf", None)
            both = self._is_bad if overflowed is None else torch.maximum(self._is_bad, overflowed)
            optimizer.found_inf = both  # type: ignore[attr-defined]  # read by the fused kernels only
        elif self.is_bad:
            # Without gradients an optimizer leaves a parameter as it is.
            optimizer.zero_grad(set_to_none=True)

    def _let_go(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if self._is_held_on_device:
            optimizer.found_inf = None  # type: ignore[attr-defined]


def first_non_finite(network: Network, x: Tensor) -> NonFinite | None:
    """The node where a batch leaves the numbers; None where it does not. The network's state stays as it is.

    Args:
        network: with the weights of the step that failed, in training mode.
        x: `(N, C, H, W)`, the step's images.
    """
    kept = {name: value.clone() for name, value in network.named_buffers()}
    nodes = network.architecture.nodes
    try:
        with torch.no_grad():
            # One node more each time would take a pass each; all at once is one pass, and the failed step fitted.
            outputs = network.trace(x, [node.id for node in nodes])
    finally:
        with torch.no_grad():
            for name, value in network.named_buffers():
                value.copy_(kept[name])
    finite = torch.stack([torch.isfinite(outputs[node.id]).all() for node in nodes]).tolist()
    if all(finite):
        return None
    node = nodes[finite.index(False)]
    module = network.node_module(node.id)
    weights = [] if module is None else [value for value in module.state_dict().values() if value.is_floating_point()]
    return NonFinite(
        node.id,
        not all(bool(torch.isfinite(value).all()) for value in weights),
        max((float(outputs[source].abs().max()) for source in node.inputs), default=None),
    )
