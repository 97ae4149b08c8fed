"""A small builder, so that a network's file reads like its paper's table. Not an Architecture yet until `build`."""

from collections.abc import Sequence

from explorer.architecture import Architecture, Block, Node
from explorer.architecture.architecture import sorted_nodes
from explorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv2d,
    Flatten,
    Input,
    Layer,
    Linear,
    MaxPool2d,
    Pair,
)

Size = int | Pair


def _pair(size: Size) -> Pair:
    return (size, size) if isinstance(size, int) else size


def conv(
    out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0, *, groups: int = 1, bias: bool = True
) -> Conv2d:
    """A convolution: `conv(96, 11, 4)` is 96 kernels of 11×11 at stride 4."""
    return Conv2d(
        out_channels=out_channels,
        kernel_size=_pair(kernel_size),
        stride=_pair(stride),
        padding=_pair(padding),
        groups=groups,
        bias=bias,
    )


def max_pool(kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> MaxPool2d:
    """Max pooling; windows side by side unless `stride` says otherwise."""
    return MaxPool2d(
        kernel_size=_pair(kernel_size),
        stride=_pair(kernel_size if stride is None else stride),
        padding=_pair(padding),
    )


def avg_pool(kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> AvgPool2d:
    """Average pooling; windows side by side unless `stride` says otherwise."""
    return AvgPool2d(
        kernel_size=_pair(kernel_size),
        stride=_pair(kernel_size if stride is None else stride),
        padding=_pair(padding),
    )


def adaptive_avg_pool(output_size: Size) -> AdaptiveAvgPool2d:
    """Average pooling to a given size."""
    return AdaptiveAvgPool2d(output_size=_pair(output_size))


def linear(out_features: int, *, bias: bool = True) -> Linear:
    """A fully connected layer."""
    return Linear(out_features=out_features, bias=bias)


class Builder:
    """Collects nodes one behind another; `after` branches off, `add` returns each node's id for joins."""

    def __init__(self, name: str, channels: int, height: int, width: int) -> None:
        self.name = name
        self._nodes = [Node(id="input", layer=Input(channels=channels, height=height, width=width), inputs=())]
        self._blocks: list[Block] = []
        self._last = "input"

    def add(self, node_id: str, layer: Layer, after: str | Sequence[str] | None = None) -> str:
        """Add a layer behind the last one, or behind `after`; returns its id."""
        inputs = (self._last,) if after is None else (after,) if isinstance(after, str) else tuple(after)
        self._nodes.append(Node(id=node_id, layer=layer, inputs=inputs))
        self._last = node_id
        return node_id

    def block(self, path: str, kind: str) -> None:
        """Name the kind of the group of nodes under `path`."""
        self._blocks.append(Block(path=path, kind=kind))

    def build(self, outputs: Sequence[str] | None = None) -> Architecture:
        """The finished value; its output is the last node added unless `outputs` names others."""
        return Architecture(
            name=self.name,
            nodes=sorted_nodes(self._nodes),
            outputs=tuple(outputs) if outputs is not None else (self._last,),
            blocks=tuple(self._blocks),
        )


def flatten() -> Flatten:
    """All maps as one row of features."""
    return Flatten()
