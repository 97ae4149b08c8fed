"""What changes the weights: torch's optimizer, its parameter groups, each step's learning rate, and clipping.

How the learning rate goes on is `schedule`; where gradients come from is `step`.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explorer.runs import RunConfig
from explorer.runtime.own_modules import LayerScale
from explorer.training.precision import choose_precision
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
        self.precision = choose_precision(config.precision, device)
        self._scaler = self.precision.scaler()
        self._clip_norm = config.clip_norm
        self._whole_norm = torch.zeros((), device=device)
        """Of the last update's gradients before they were clipped; always in the same place, for CUDA graphs."""
        self._one = torch.ones((), device=device)
        self._loss_scale: Tensor | None = None
        """That the last update began with, where its gradients may keep it; on the device."""
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._schedule = Schedule(config, steps_per_epoch)
        self.optimizer = _optimizer(_groups(network, config), config, device)
        if self._scaler is not None:
            _begin_momentum(self.optimizer)

    @property
    def gradient_norm(self) -> Tensor:
        """Of the last update's gradients before they were clipped, a scalar; always the same tensor."""
        return self._whole_norm

    @property
    def step_learning_rate(self) -> float:
        """Of the last step that began; before the first of that one."""
        return float(self.optimizer.param_groups[0]["lr"])

    def begin_step(self) -> None:
        """Forget the last gradients, so that they do not lie beside this step's activations, and set the rate."""
        self.optimizer.zero_grad()
        self.set_rate()

    def set_rate(self) -> None:
        """Let the next update have the schedule's rate."""
        rate = self.learning_rate * self._schedule.factor
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def why_not_captured(self) -> str | None:
        """Why an update cannot be part of a CUDA graph; None where it can."""
        if self._scaler is not None:
            return f"{self.precision.name} looks at its gradients between the way back and the update"
        if not getattr(self.optimizer, "_step_supports_amp_scaling", False):
            return f"torch does not fuse {type(self.optimizer).__name__}, and the host has to look before each update"
        return None

    @contextmanager
    def reading_rate(self, rate: Tensor) -> Iterator[None]:
        """Let updates read their learning rate on the device, where a graph finds it again."""
        groups = self.optimizer.param_groups
        before = [group["lr"] for group in groups]
        try:
            for group in groups:
                group["lr"] = rate
            yield
        finally:
            for group, value in zip(groups, before, strict=True):
                group["lr"] = value

    @contextmanager
    def captured(self) -> Iterator[None]:
        """Let torch know that an update is to be recorded."""
        groups = [group for group in self.optimizer.param_groups if "capturable" in group]
        before = [group["capturable"] for group in groups]
        try:
            for group in groups:
                group["capturable"] = True
            yield
        finally:
            for group, value in zip(groups, before, strict=True):
                group["capturable"] = value

    def scaled(self, loss: Tensor) -> Tensor:
        """What to go backward from in place of the loss, so that no gradient vanishes; `update` takes it back."""
        return loss if self._scaler is None else self._scaler.scale(loss)

    def update(self) -> None:
        """Change the weights by their gradients; not by those that overflowed because the loss was scaled."""
        if self._clip_norm > 0:
            if self._scaler is not None:
                self._scaler.unscale_(self.optimizer)
            # Over all weights together (Pascanu et al. 2013, algorithm 1).
            self._whole_norm.copy_(nn.utils.clip_grad_norm_(self._trained, self._clip_norm))
        if self._scaler is None:
            self.optimizer.step()
        else:
            if self._clip_norm <= 0 and getattr(self.optimizer, "_step_supports_amp_scaling", False):
                # A fused update takes the scale out of the gradients itself, but not when it is passed over.
                self._loss_scale = self._scaler.scale(self._one)
            self._scaler.step(self.optimizer)
            self._scaler.update()

    def gradient_scale(self) -> float:
        """What the gradients that the last update left are multiplied by: below 1 where they were clipped, and the
        loss's scale where they overflowed in a fused update, which else takes it out of them. Waits for the device.
        """
        if self._scaler is not None and self._loss_scale is not None:
            scale = float(self._loss_scale)
            # The scale falls after an update that was passed over, and after no other.
            return scale if self._scaler.get_scale() < scale else 1.0
        if self._clip_norm <= 0:
            return 1.0
        # As `clip_grad_norm_` does it. Of an infinite norm nothing can be taken back.
        norm = float(self._whole_norm)
        return min(1.0, self._clip_norm / (norm + 1e-6)) if math.isfinite(norm) else 1.0

    def end_step(self) -> None:
        """Let the schedule go on."""
        self._schedule.end_step()

    def end_epoch(self, test_loss: float) -> None:
        """Let the schedule see how the epoch's test went."""
        self._schedule.end_epoch(test_loss)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next steps depend on beside the weights: torch's own state of the optimizer under
        `optimizer`, plain numbers under `schedule` and `learning_rate`, and where the loss is scaled, `scaler`."""
        scaler = {} if self._scaler is None else {"scaler": self._scaler.state_dict()}
        return {
            **scaler,
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
        if self._scaler is not None and "scaler" in state:
            self._scaler.load_state_dict(state["scaler"])


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


def _begin_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Let SGD's momentum begin at zero, which is what its first update makes of none.

    A fused update that is passed over as the first of all, as is usual while the scale is being found, would leave the
    momentum whatever was in memory before.
    """
    if isinstance(optimizer, torch.optim.SGD):
        for group in optimizer.param_groups:
            for parameter in group["params"] if group["momentum"] else ():
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def _match_layouts(optimizer: torch.optim.Optimizer) -> None:
    """Lay out what an optimizer keeps of each parameter as the parameter is: fused kernels read both side by side."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
