"""What changes the weights: torch's optimizer, its parameter groups, each step's learning rate, and clipping.

How the learning rate goes on is `schedule`; where gradients come from is `step`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.runs import RunConfig
from explorer.runtime.own_modules import LayerScale
from explorer.training.schedule import Schedule

_FUSED_DEVICES = ("cpu", "cuda")
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, LayerScale)
"""Layers whose weights are scales: they go free of weight decay as biases do."""


class Optimization:
    """The optimizer of a run and all that steers it. A step is `begin_step`, gradients, `update`, `end_step`."""

    def __init__(self, network: nn.Module, config: RunConfig, device: torch.device, steps_per_epoch: int) -> None:
        """Take hold of the weights that are not frozen.

        Args:
            network: on its device already.
            config: how.
            device: where it is; torch fuses an update into one kernel on some.
            steps_per_epoch: of the run.
        """
        self.learning_rate = config.learning_rate
        """At its highest; the schedule makes `step_learning_rate` of it. New values count from the next step."""
        self._clip_norm = config.clip_norm
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._schedule = Schedule(config, steps_per_epoch)
        self.optimizer = _optimizer(_groups(network, config), config, device)

    @property
    def step_learning_rate(self) -> float:
        """Of the last step that began; before the first of that one."""
        return float(self.optimizer.param_groups[0]["lr"])

    def begin_step(self) -> None:
        """Forget the last gradients, so that they do not lie beside this step's activations, and set the rate."""
        self.optimizer.zero_grad()
        rate = self.learning_rate * self._schedule.factor
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def update(self) -> None:
        """Change the weights by their gradients."""
        if self._clip_norm > 0:
            # Over all weights together (Pascanu et al. 2013, algorithm 1).
            nn.utils.clip_grad_norm_(self._trained, self._clip_norm)
        self.optimizer.step()

    def end_step(self) -> None:
        """Let the schedule go on."""
        self._schedule.end_step()

    def end_epoch(self, test_loss: float) -> None:
        """Let the schedule see how the epoch's test went."""
        self._schedule.end_epoch(test_loss)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next steps depend on beside the weights: torch's own state of the optimizer under
        `optimizer`, and plain numbers under `schedule` and `learning_rate`."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "learning_rate": self.learning_rate,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there: the next updates are equal to the last bit on the CPU. For a fresh object of the same run.

        Raises:
            KeyError, ValueError: the state of another network or optimizer.
        """
        self.optimizer.load_state_dict(state["optimizer"])
        _match_layouts(self.optimizer)
        self._schedule.load_state_dict(state["schedule"])
        self.learning_rate = float(state["learning_rate"])


def is_decayed(module: nn.Module, name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay is meant for it: weights of convolutions and linear layers (He et al. 2019, section 3.1).

    Args:
        module: whose own parameter it is.
        name: within the module.
        parameter: with one number a channel it is a bias or a scale, whatever it is called.
    """
    return name != "bias" and parameter.dim() > 1 and not isinstance(module, _NORMS)


def _groups(network: nn.Module, config: RunConfig) -> list[dict[str, Any]]:
    """One group where all are decayed alike; else the decayed ones first."""
    found = {
        parameter: is_decayed(module, name, parameter)
        for module in network.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.requires_grad
    }
    if config.decay_norms or config.weight_decay == 0:
        return [{"params": list(found), "weight_decay": config.weight_decay}]
    groups = [
        {"params": [p for p, decayed in found.items() if decayed == which], "weight_decay": weight_decay}
        for which, weight_decay in ((True, config.weight_decay), (False, 0.0))
    ]
    return [group for group in groups if group["params"]]


def _optimizer(groups: list[dict[str, Any]], config: RunConfig, device: torch.device) -> torch.optim.Optimizer:
    """torch's own; fused into one kernel where torch has one."""
    fused = True if device.type in _FUSED_DEVICES else None
    rate, momentum = config.learning_rate, config.momentum
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=rate, fused=fused)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=fused)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, momentum=momentum)
    nesterov = config.nesterov and momentum > 0
    return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=nesterov, fused=fused)


def _match_layouts(optimizer: torch.optim.Optimizer) -> None:
    """Lay out what an optimizer keeps of each parameter as the parameter is: fused kernels read both side by side."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
