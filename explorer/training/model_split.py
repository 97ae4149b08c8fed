"""One network on two devices: each node computes where it was placed, and values move where another device reads them.

Which node goes where is `runs.placement`'s to decide. Names, values and states are those of the network on one device,
so that its checkpoint is read on any. torch's autograd takes gradients back over the same crossings, and its optimizers
update each parameter where it lies.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from explorer.runs.placement import LAST, Placement
from explorer.runtime.modules import ForwardPlan, ForwardStep, Network
from explorer.training.plan import RunPlan

Moved = Callable[[str, int, Tensor], None]
"""Hears of a value that moves: the node that computed it, the device that reads it, and the value."""


def on_devices(network: Network, plan: RunPlan) -> Network:
    """The network where the plan wants it; its modules move."""
    if plan.split is None or plan.first_device is None:
        return network.to(plan.device)
    return SplitNetwork(network, plan.split, (plan.first_device, plan.device))


class SplitNetwork(Network):
    """A network whose input, outputs and traced values are on the last of two devices."""

    def __init__(
        self,
        network: Network,
        placement: Placement,
        devices: Sequence[torch.device],
        on_move: Moved | None = None,
    ) -> None:
        """Take over the modules of a network, and put them on their devices.

        Args:
            network: given up for this one.
            placement: which node computes where.
            devices: the two.
            on_move: hears of each move on the way forward.
        """
        # Plain values, which the base class needs to know before it plans its forward pass.
        self._placement = placement
        self.repeated = frozenset(node_id for node_id, on in placement.devices_of.items() if len(on) > 1)
        self._devices = tuple(devices)
        self._on_move = on_move
        modules = {}
        for node in network.architecture:
            if (module := network.node_module(node.id)) is not None:
                modules[node.id] = module.to(self._devices[placement.devices_of[node.id][0]])
        super().__init__(network.architecture, network.calls, modules)
        self.training = network.training

    def device_of(self, node_id: str) -> torch.device:
        """Where a node computes, and its weights lie; of one that both compute the first."""
        return self._devices[self._placement.devices_of[node_id][0]]

    @property
    def last_device(self) -> torch.device:
        """Where input and outputs are."""
        return self._devices[LAST]

    def _plan(self, node_ids: Sequence[str]) -> ForwardPlan:
        """The usual steps, each on its devices, with a step for each move in front of the first one that needs it."""
        usual = super()._plan(node_ids)
        nodes = self.architecture.nodes
        # Slot 0 is the input, where the images are.
        slots = {(0, LAST): 0}
        steps: list[ForwardStep] = []

        def add(position: int, device: int, function: Callable[..., Tensor], sources: tuple[int, ...]) -> None:
            slots[position, device] = len(slots)
            steps.append(ForwardStep(function, sources, slots[position, device], ()))

        def bring(position: int, device: int) -> int:
            if (position, device) not in slots:
                node_id = nodes[position].id
                home = slots[position, self._placement.devices_of[node_id][0]]
                add(position, device, partial(self._move, node_id, device), (home,))
            return slots[position, device]

        for step in usual.steps:
            for device in self._placement.devices_of[nodes[step.target].id]:
                sources = tuple(bring(source, device) for source in step.sources)
                add(step.target, device, step.function, sources)
        wanted = tuple(bring(position, LAST) for position in usual.wanted)
        return ForwardPlan(_forgetting(steps, wanted), wanted, len(slots))

    def _move(self, node_id: str, device: int, value: Tensor) -> Tensor:
        if self._on_move is not None:
            self._on_move(node_id, device, value)
        target = self._devices[device]
        # The host must not go on before what it reads itself is there.
        return value.to(target, non_blocking=target.type == "cuda")


def _forgetting(steps: list[ForwardStep], wanted: tuple[int, ...]) -> tuple[ForwardStep, ...]:
    """The same steps, each with the slots that nothing reads after it."""
    seen = set(wanted)
    done = []
    for step in reversed(steps):
        dead = tuple(dict.fromkeys(source for source in step.sources if source not in seen))
        seen.update(dead)
        done.append(step._replace(dead=dead))
    return tuple(reversed(done))
