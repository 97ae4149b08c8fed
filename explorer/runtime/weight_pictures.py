"""The weights of layers that somebody looks at, with their gradients and what training has changed of them.

Where a network's weights began is the `Subject`'s to know; it is asked once for a layer, which is then kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from explorer.runs import Look, WeightPictures, WeightsCaptured
from explorer.runs.first_kernels import first_kernels
from explorer.runs.observed import MOST_PARAMETERS
from explorer.runtime.own_modules import PartialConv2d

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject

_Floats = npt.NDArray[np.float32]


class _Watched(NamedTuple):
    module: nn.Module
    name: str
    """Of the weight within the module."""
    initial: _Floats | None

    @property
    def weight(self) -> nn.Parameter:
        return self.module.get_parameter(self.name)


class WeightsInstrument:
    """Weights, changes and gradients in full, or of their first kernels; all of a capture come to the host in one
    copy."""

    needs_step = False

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._watched: dict[str, _Watched] = {}
        self._first: dict[str, _Watched] = {}
        """Those of which the first kernels are captured; `initial` is of these alone."""

    def aim(self, look: Look) -> bool:
        network, before = self._subject.network, self._watched
        self._watched = {}
        self._aim_at_first(look.first_kernels)
        for node_id in look.weighed:
            # The window may show a newer version of the network, with nodes that this one does not have.
            module = network.node_module(node_id)
            name = None if module is None else weight_name(module)
            if module is None or name is None or module.get_parameter(name).numel() > MOST_PARAMETERS:
                continue
            known = before.get(node_id)
            self._watched[node_id] = known or _Watched(module, name, self._initial(node_id, name))
        return bool(self._watched or self._first)

    def _aim_at_first(self, node_ids: tuple[str, ...]) -> None:
        before, self._first = self._first, {}
        for node_id in node_ids:
            module = self._subject.network.node_module(node_id)
            name = None if module is None else weight_name(module)
            if module is None or name is None:
                continue
            initial = None
            # To make a larger layer's again would hold up the run.
            if node_id not in before and module.get_parameter(name).numel() <= MOST_PARAMETERS:
                tensors = self._subject.initial(node_id) or {}
                initial = next(_to_host([_first_of(module, tensors[name])])) if name in tensors else None
            self._first[node_id] = before.get(node_id) or _Watched(module, name, initial)

    def prepare(self) -> None:
        """Nothing to keep: the gradients of a step stay until the next one begins."""

    def capture(self, step: int) -> WeightsCaptured:
        # Before the first update a gradient can only be one of a step that was tried and taken back.
        has_step = self._subject.is_trained and step > 0
        scale = self._subject.gradient_scale()
        whole = [tensor for watched in self._watched.values() for tensor in _tensors(watched, has_step)]
        first = [
            _first_of(watched.module, tensor)
            for watched in self._first.values()
            for tensor in _tensors(watched, has_step)
        ]
        values = _to_host([*whole, *first])

        def pictures(watched: _Watched) -> WeightPictures:
            weight = next(values)
            gradient = None
            if has_step and watched.weight.grad is not None:
                gradient = next(values)
                gradient = gradient if scale == 1 else gradient / np.float32(scale)
            return WeightPictures(weight, None if watched.initial is None else weight - watched.initial, gradient)

        layers = {}
        for node_id, watched in self._watched.items():
            arrays = (_as_kernels(watched.module, array) for array in pictures(watched))
            layers[node_id] = WeightPictures(*arrays)  # type: ignore[arg-type] # the first is no None
        kernels = {node_id: pictures(watched) for node_id, watched in self._first.items()}
        return WeightsCaptured(run_id=self._subject.run_id, step=step, layers=layers, first_kernels=kernels)

    def _initial(self, node_id: str, name: str) -> _Floats | None:
        tensors = self._subject.initial(node_id)
        if tensors is None or name not in tensors:
            return None
        return next(_to_host([tensors[name]]))


def weight_name(module: nn.Module) -> str | None:
    """Which of a layer's parameters is its weight: the one that torch calls so, else the largest; None for none."""
    parameters = dict(module.named_parameters())
    if "weight" in parameters:
        return "weight"
    return max(parameters, key=lambda name: parameters[name].numel(), default=None)


def _tensors(watched: _Watched, has_step: bool) -> Iterator[Tensor]:
    yield watched.weight
    if has_step and watched.weight.grad is not None:
        yield watched.weight.grad


def _to_host(tensors: list[Tensor]) -> Iterator[_Floats]:
    """Each as float32 on the host, in order, by one copy; a copy also on the CPU, where the next step writes."""
    if not tensors:
        return
    first = tensors[0].device
    # Two devices may share a network.
    flat = torch.cat([tensor.detach().to(first, torch.float32).reshape(-1) for tensor in tensors]).cpu().numpy()
    place = 0
    for tensor in tensors:
        yield flat[place : place + tensor.numel()].reshape(tuple(tensor.shape))
        place += tensor.numel()


def _first_of(module: nn.Module, weight: Tensor) -> Tensor:
    """The first kernels of a layer's weight, or of what has its shape, on its device."""
    weight = weight.detach()
    if isinstance(module, PartialConv2d):
        outputs, inputs = module.places.to(weight.device)
        kernels = weight.new_zeros(module.shape)
        kernels[outputs, inputs] = weight
        weight = kernels
    is_transposed = isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
    found: Tensor = first_kernels(weight, groups=int(getattr(module, "groups", 1)), is_transposed=is_transposed)
    return found


def _as_kernels(module: nn.Module, values: _Floats | None) -> _Floats | None:
    """What is kept for some pairs of channels only, with zeros for the others."""
    if values is None or not isinstance(module, PartialConv2d):
        return values
    outputs, inputs = module.places.cpu().numpy()
    kernels = np.zeros(module.shape, np.float32)
    kernels[outputs, inputs] = values
    return kernels
