"""Which layers make a value's channels, and which of them must stay equally wide, however wide that is.

Equal must stay what an addition joins, what a squeeze-and-excitation weighs, and what a depthwise convolution hands on.
`width` gives each set of such layers one width.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from explorer.architecture import Architecture, Node
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.walking import scores
from explorer.layers import (
    Add,
    ChannelShuffle,
    Chunk,
    Concat,
    Conv2d,
    ConvTranspose2d,
    GroupNorm,
    Input,
    Layer,
    Linear,
    Mean,
    Mul,
    Opaque,
    Pad,
    PartialConv2d,
    PixelShuffle,
    RadialBasis,
    Reshape,
    Shape,
    Slice,
    Split,
    Sub,
    Sum,
)

_COUNTING = (Input, PartialConv2d, RadialBasis, Opaque, Reshape, PixelShuffle)
"""Layers that are made for a certain number of channels to arrive, and make a certain number."""


class Part(NamedTuple):
    """Channels of a value that one layer made."""

    maker: str
    """Id of the convolution, linear layer or padding."""
    size: int
    is_cut: bool = False
    """Whether the layer made more than these."""


Parts = tuple[Part, ...]
"""Where a value's channels come from, in their order."""


class Widths:
    """The sets of layers whose widths must stay equal, with what divides them and which may not change."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._divisors: dict[str, int] = {}
        self._pinned: set[str] = set()

    def is_pinned(self, maker: str) -> bool:
        """Whether the width may not change."""
        return self._root(maker) in self._pinned

    def scaled(self, maker: str, width: int, factor: float) -> int:
        """The layer's width times the factor, rounded to what divides it; its own where it may not change."""
        if self.is_pinned(maker):
            return width
        divisor = self._divisors.get(self._root(maker), 1)
        return max(1, math.floor(width * factor / divisor + 0.5)) * divisor

    def divide(self, parts: Parts, divisor: int) -> None:
        """Something needs the channels of each part to be a multiple of `divisor`."""
        for part in parts:
            root = self._root(part.maker)
            self._divisors[root] = math.lcm(self._divisors.get(root, 1), divisor)

    def pin(self, parts: Parts) -> None:
        """Something needs just these channels."""
        self._pinned.update(self._root(part.maker) for part in parts)

    def join(self, one: Parts, other: Parts) -> None:
        """Both meet value by value. Where their parts do not match one by one, neither may change."""
        if any(a is None or b is None or a.size != b.size or a.is_cut or b.is_cut for a, b in zip_longest(one, other)):
            self.pin((*one, *other))
            return
        for a, b in zip(one, other, strict=True):
            self._unite(self._root(a.maker), self._root(b.maker))

    def _unite(self, root: str, other: str) -> None:
        if root == other:
            return
        self._above[other] = root
        self._divisors[root] = math.lcm(self._divisors.get(root, 1), self._divisors.get(other, 1))
        if other in self._pinned:
            self._pinned.add(root)

    def _root(self, maker: str) -> str:
        while maker in self._above:
            maker = self._above[maker]
        return maker


def widths(architecture: Architecture) -> Widths:
    """The sets of a network's layers. The scores' layers are pinned, and what leads through a fault."""
    sets = Widths()
    shapes = output_shapes(architecture)
    parts: dict[str, Parts] = {}
    for node in architecture:
        inputs = tuple(shape for source in node.inputs if (shape := shapes[source]) is not None)
        output = shapes[node.id]
        arriving = tuple(parts[source] for source in node.inputs)
        if output is None or len(inputs) < len(node.inputs):
            for made in arriving:
                sets.pin(made)
            parts[node.id] = ()
            continue
        parts[node.id] = _made(node, inputs, output, arriving, sets)
    sets.pin(tuple(Part(node.id, 0) for node in scores(architecture)))
    return sets


def is_depthwise(layer: Layer, channels: int) -> bool:
    """Whether it filters each of the channels that arrive on its own, and so hands their number on."""
    return isinstance(layer, (Conv2d, ConvTranspose2d)) and layer.groups == channels > 1


def _made(node: Node, inputs: Sequence[Shape], output: Shape, arriving: Sequence[Parts], sets: Widths) -> Parts:
    """The parts of what a node makes; what it asks of those that arrive goes into `sets`."""
    layer = node.layer
    own = (Part(node.id, output[0]),)
    match layer:
        case Conv2d() | ConvTranspose2d():
            if is_depthwise(layer, inputs[0][0]):
                return _times(arriving[0], layer.out_channels // layer.groups)
            sets.divide((*arriving[0], *own), layer.groups)
            return own
        case Linear():
            if sum(part.size for part in arriving[0]) == inputs[0][-1]:
                return (Part(node.id, layer.out_features),)
            sets.pin((Part(node.id, 0),))  # it mixes the pixels of a row, not channels
            return arriving[0]
        case Concat() if layer.dim == 1:
            return tuple(part for made in arriving for part in made)
        case Add() | Sub() | Mul() | Concat():
            return _met(inputs, arriving, sets)
        case ChannelShuffle() | GroupNorm():
            sets.divide(arriving[0], layer.groups if isinstance(layer, ChannelShuffle) else layer.num_groups)
        case Chunk() if layer.dim == 1:
            sets.divide(arriving[0], layer.chunks)
            return _piece(arriving[0], layer.index * output[0], output[0])
        case Pad() if layer.before or layer.after:
            return own
        case Slice() | Split() if layer.dim == 1:
            sets.pin(arriving[0])
        case Mean() | Sum() if 1 in layer.dims:
            sets.pin(own)
            return own
        case _ if isinstance(layer, _COUNTING):
            sets.pin(tuple(part for made in arriving for part in made))
            sets.pin(own)
            return own
    if output[0] > inputs[0][0] and len(output) == 1:
        return _times(arriving[0], output[0] // inputs[0][0])  # flattened: so many features of each channel
    return arriving[0]


def _met(inputs: Sequence[Shape], arriving: Sequence[Parts], sets: Widths) -> Parts:
    """The parts of values that meet at the same places; a single channel is repeated for all."""
    most = max(shape[0] for shape in inputs)
    full = [parts for shape, parts in zip(inputs, arriving, strict=True) if shape[0] == most]
    for shape, parts in zip(inputs, arriving, strict=True):
        if shape[0] < most:
            sets.pin(parts)
    for parts in full[1:]:
        sets.join(full[0], parts)
    return full[0]


def _times(parts: Parts, count: int) -> Parts:
    return parts if count == 1 else tuple(part._replace(size=part.size * count) for part in parts)


def _piece(parts: Parts, start: int, size: int) -> Parts:
    """The parts from one place on, so many channels."""
    found = []
    place = 0
    for part in parts:
        taken = min(place + part.size, start + size) - max(place, start)
        if taken > 0:
            found.append(Part(part.maker, taken, part.is_cut or taken < part.size))
        place += part.size
    return tuple(found)


def makers(architecture: Architecture) -> Mapping[str, int]:
    """The width of each convolution, linear layer and padding of channels that makes channels of its own."""
    shapes = output_shapes(architecture)
    found = {}
    for node in architecture:
        layer, arrives = node.layer, shapes[node.inputs[0]] if node.inputs else None
        if arrives is None:
            continue
        if isinstance(layer, (Conv2d, ConvTranspose2d)) and not is_depthwise(layer, arrives[0]):
            found[node.id] = layer.out_channels
        elif isinstance(layer, Linear):
            found[node.id] = layer.out_features
        elif isinstance(layer, Pad) and (layer.before or layer.after):
            found[node.id] = arrives[0] + layer.before + layer.after
    return found
