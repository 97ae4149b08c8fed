"""Which node computes on which of two devices, where a network is split between them, and what then crosses over.

A network with two equal towers, as AlexNet was drawn for two GPUs, gets one tower a device. Any other is cut in two
where both parts have about as many multiplications. Who wants another split gives the device of each node. What is
said here is carried out by `training.model_split`.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Literal, NamedTuple

from explorer.architecture import Architecture
from explorer.inference import Inference

FIRST, LAST = 0, 1
"""The two devices. The last one has the images, the labels and the loss."""
_REPEATED = frozenset({"Concat", "Flatten"})
"""Layers that only arrange values; where both devices read them, each has its own, and fewer bytes cross."""
_TOWERS_SHARE = 0.5
"""Of a network's multiplications; with less in equal branches it is no network of two towers."""
_VALUE_BYTES = 4

Way = Literal["towers", "cut", "given"]


class Crossing(NamedTuple):
    """A value that one device computes and the other reads; its gradient goes the other way, and is as large."""

    node_id: str
    """What computes it."""
    to: int
    """The device that reads it."""
    bytes_per_image: int


class Placement(NamedTuple):
    """A network split between two devices."""

    way: Way
    """By its towers, by one cut, or as somebody said."""
    devices_of: Mapping[str, tuple[int, ...]]
    """Of each node those that compute it: one, or both for what only arranges values."""
    crossings: tuple[Crossing, ...]
    """In the order of the network."""
    macs: tuple[int, int]
    """Of one image on each device."""
    num_parameters: tuple[int, int]
    """That lie on each."""

    @property
    def bytes_per_image(self) -> int:
        """What crosses over on the way forward."""
        return sum(crossing.bytes_per_image for crossing in self.crossings)


def place(architecture: Architecture, inference: Inference, given: Mapping[str, int] | None = None) -> Placement:
    """Split a network without errors between two devices.

    Args:
        architecture: the network.
        inference: of it.
        given: the device of each node, which the program chooses where it is None; those left out go to the last one.

    Raises:
        ValueError: a node that is not there, or another device than 0 and 1.
    """
    if given is not None:
        for node_id, device in given.items():
            if node_id not in architecture or device not in (FIRST, LAST):
                raise ValueError(f"{node_id}: received device {device}; use nodes of {architecture.name}, and 0 or 1")
        devices_of: dict[str, tuple[int, ...]] = {node.id: (given.get(node.id, LAST),) for node in architecture}
        return _placement("given", architecture, inference, devices_of)
    twins = _twins(architecture, inference)
    if twins:
        return _placement("towers", architecture, inference, _by_towers(architecture, twins))
    macs = list(accumulate(inference.nodes[node.id].macs or 0 for node in architecture))
    larger = [max(done, macs[-1] - done) for done in macs[:-1]]
    # Of cuts that share the work out alike, such as on both sides of a pooling, the one that fewest bytes cross.
    cuts = [_cut(architecture, inference, i + 1) for i, most in enumerate(larger) if most == min(larger)]
    return min(cuts, key=lambda placed: placed.bytes_per_image, default=_cut(architecture, inference, 0))


def has_towers(architecture: Architecture, inference: Inference) -> bool:
    """Whether most of a network without errors is two equal towers side by side."""
    return bool(_twins(architecture, inference))


def split_notes(placement: Placement, devices: tuple[str, str]) -> list[str]:
    """What a user should know of a split: who computes what, and what crosses over, one sentence each."""
    how = {"towers": "by its two towers", "cut": "in two", "given": "as it was asked for"}[placement.way]
    parts = " and ".join(
        f"{device} has {parameters:,} parameters and {macs / 1e6:,.1f} million multiplications an image"
        for device, parameters, macs in zip(devices, placement.num_parameters, placement.macs, strict=True)
    )
    notes = [f"The network is split {how}: {parts}."]
    if placement.crossings:
        what = ", ".join(
            f"{crossing.node_id} to {devices[crossing.to]} ({crossing.bytes_per_image / 1e3:,.1f} kB)"
            for crossing in placement.crossings
        )
        notes.append(
            f"{placement.bytes_per_image / 1e3:,.1f} kB an image cross over on the way forward, in "
            f"{len(placement.crossings)} places, and their gradients the other way: {what}."
        )
    return notes


def _cut(architecture: Architecture, inference: Inference, position: int) -> Placement:
    devices_of: dict[str, tuple[int, ...]] = {
        node.id: (FIRST if i < position else LAST,) for i, node in enumerate(architecture.nodes)
    }
    return _placement("cut", architecture, inference, devices_of)


def _placement(
    way: Way, architecture: Architecture, inference: Inference, devices_of: dict[str, tuple[int, ...]]
) -> Placement:
    # The images lie where the loss is.
    devices_of[architecture.nodes[0].id] = (LAST,)
    crossings: dict[tuple[str, int], Crossing] = {}
    readers = [(device, source) for node in architecture for device in devices_of[node.id] for source in node.inputs]
    for device, source in (*readers, *((LAST, output) for output in architecture.outputs)):
        if device not in devices_of[source]:
            count = 1
            for extent in inference.nodes[source].output_shape or ():
                count *= extent
            crossings.setdefault((source, device), Crossing(source, device, count * _VALUE_BYTES))
    order = architecture.structure.index
    macs, parameters = [0, 0], [0, 0]
    for node_id, devices in devices_of.items():
        report = inference.nodes[node_id]
        for device in devices:
            macs[device] += report.macs or 0
        parameters[devices[0]] += report.num_parameters or 0
    return Placement(
        way,
        devices_of,
        tuple(sorted(crossings.values(), key=lambda crossing: (order[crossing.node_id], crossing.to))),
        (macs[0], macs[1]),
        (parameters[0], parameters[1]),
    )


def _twins(architecture: Architecture, inference: Inference) -> dict[str, int]:
    """The tower of each node that belongs to one, 0 or 1; empty where there are no two."""
    index, nodes = architecture.structure.index, architecture.nodes
    last_read = [0] * len(nodes)
    for position, node in enumerate(nodes):
        for source in node.inputs:
            last_read[index[source]] = position
    for output in architecture.outputs:
        last_read[index[output]] = len(nodes)
    found: dict[str, int] = {}
    between: list[int] = []
    farthest = last_read[0]
    for position in range(1, len(nodes)):
        joins = farthest <= position
        farthest = max(farthest, last_read[position])
        if joins:
            # Nothing behind it reads what is before it.
            found |= _pair(architecture, between)
            between = []
        else:
            between.append(position)
    if not found:
        return {}
    macs = {node.id: inference.nodes[node.id].macs or 0 for node in architecture}
    in_towers = sum(macs[node_id] for node_id in found)
    return found if in_towers > _TOWERS_SHARE * sum(macs.values()) else {}


def _pair(architecture: Architecture, positions: list[int]) -> dict[str, int]:
    """The two towers that these nodes are, which are all between two joints; empty where they are something else."""
    index, nodes = architecture.structure.index, architecture.nodes
    parts: list[list[int]] = []
    for position in positions:
        sources = {index[source] for source in nodes[position].inputs}
        mine = [part for part in parts if sources & set(part)]
        joined = sorted([position, *(inner for part in mine for inner in part)])
        parts = [part for part in parts if part not in mine] + [joined]
    parts.sort()
    if len(parts) != 2:
        return {}
    layers = [[nodes[position].layer for position in part] for part in parts]
    if layers[0] != layers[1]:
        return {}
    return {nodes[position].id: tower for tower, part in enumerate(parts) for position in part}


def _by_towers(architecture: Architecture, twins: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """A tower a device; what stands between them on the last one, or on each that reads it where that costs nothing."""
    devices_of: dict[str, tuple[int, ...]] = {}
    wanted: dict[str, set[int]] = {output: {LAST} for output in architecture.outputs}
    for node in reversed(architecture.nodes):
        readers = wanted.get(node.id, {LAST})
        if node.id in twins:
            devices = {twins[node.id]}
        else:
            devices = readers if node.layer.type_name in _REPEATED else {LAST}
        devices_of[node.id] = tuple(sorted(devices))
        for source in node.inputs:
            wanted.setdefault(source, set()).update(devices)
    return {node.id: devices_of[node.id] for node in architecture}
