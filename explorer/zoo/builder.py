"""A small builder, so that a network's file reads like its paper's table. Not an Architecture yet until `build`."""

from collections.abc import Iterable, Sequence

from explorer.architecture import Architecture, Block, Node
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
    out_channels: int,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size | str = 0,
    *,
    groups: int = 1,
    bias: bool = True,
) -> Conv2d:
    """A convolution: `conv(96, 11, 4)` is 96 kernels of 11×11 at stride 4."""
    return Conv2d(
        out_channels=out_channels,
        kernel_size=_pair(kernel_size),
        stride=_pair(stride),
        padding=padding if isinstance(padding, str) else _pair(padding),
        groups=groups,
        bias=bias,
    )


def max_pool(kernel_size: Size, stride: Size | None = None, padding: Size = 0, *, ceil_mode: bool = False) -> MaxPool2d:
    """Max pooling; windows side by side unless `stride` says otherwise."""
    return MaxPool2d(
        kernel_size=_pair(kernel_size),
        stride=_pair(kernel_size if stride is None else stride),
        padding=_pair(padding),
        ceil_mode=ceil_mode,
    )


def avg_pool(kernel_size: Size, stride: Size | None = None, padding: Size = 0, *, ceil_mode: bool = False) -> AvgPool2d:
    """Average pooling; windows side by side unless `stride` says otherwise."""
    return AvgPool2d(
        kernel_size=_pair(kernel_size),
        stride=_pair(kernel_size if stride is None else stride),
        padding=_pair(padding),
        ceil_mode=ceil_mode,
    )


def adaptive_avg_pool(output_size: Size) -> AdaptiveAvgPool2d:
    """Average pooling to a given size."""
    return AdaptiveAvgPool2d(output_size=_pair(output_size))


def linear(out_features: int, *, bias: bool = True) -> Linear:
    """A fully connected layer."""
    return Linear(out_features=out_features, bias=bias)


def flatten() -> Flatten:
    """All maps as one row of features."""
    return Flatten()


def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, not more than a tenth below it: the MobileNets' widths."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * value else rounded + divisor


class Builder:
    """Collects nodes one behind another; `after` branches off, `add` returns each node's id for joins."""

    def __init__(self, name: str, channels: int, height: int, width: int) -> None:
        self.name = name
        self._nodes = [Node(id="input", layer=Input(channels=channels, height=height, width=width), inputs=())]
        self._layers: dict[Layer, Layer] = {}
        self._blocks: list[Block] = []
        self._last = "input"

    @property
    def last(self) -> str:
        """The id of the node added last."""
        return self._last

    def add(self, node_id: str, layer: Layer, after: str | Sequence[str] | None = None) -> str:
        """Add a layer behind the last one, or behind `after`; returns its id."""
        inputs = (self._last,) if after is None else (after,) if isinstance(after, str) else tuple(after)
        # Equal layers are one object, which inference looks at once.
        self._nodes.append(Node(id=node_id, layer=self._layers.setdefault(layer, layer), inputs=inputs))
        self._last = node_id
        return node_id

    def chain(self, path: str, layers: Iterable[Layer], after: str | None = None) -> str:
        """Add layers one behind another, numbered inside `path` as `torch.nn.Sequential` does; returns the last id."""
        for i, layer in enumerate(layers):
            self.add(f"{path}.{i}", layer, after if i == 0 else None)
        return self._last

    def block(self, path: str, kind: str) -> None:
        """Name the kind of the group of nodes under `path`."""
        self._blocks.append(Block(path=path, kind=kind))

    def build(self, outputs: Sequence[str] | None = None) -> Architecture:
        """The finished value; its output is the last node added unless `outputs` names others.

        Raises:
            ArchitectureError: a node was added before one that it reads, or an id is there twice.
        """
        return Architecture(
            name=self.name,
            nodes=tuple(self._nodes),
            outputs=tuple(outputs) if outputs is not None else (self._last,),
            blocks=tuple(self._blocks),
        )
