"""DenseNet: every layer reads all maps before it (Huang, Liu, van der Maaten and Weinberger 2016)."""

from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Concat, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, one_of, register

_PAPER = "Huang, Liu, van der Maaten and Weinberger 2016, Densely connected convolutional networks"


class _Form(NamedTuple):
    layers: tuple[int, ...]
    """Dense layers in each of the four blocks."""
    growth_rate: int
    stem: int
    """Channels of the first convolution."""


# Table 1; 161 is of the paper's first versions, which have it in place of 264.
_FORMS = {
    121: _Form((6, 12, 24, 16), 32, 64),
    161: _Form((6, 12, 36, 24), 48, 96),
    169: _Form((6, 12, 32, 32), 32, 64),
    201: _Form((6, 12, 48, 32), 32, 64),
}
_BOTTLENECK = 4
"""A dense layer's 1×1 convolution makes this many times the growth rate."""


def densenet(depth: int = 121, growth_rate: int = 0, reduction: float = 0.5, classes: int = 1000) -> Architecture:
    """DenseNet-BC, a network of table 1; torchvision's names.

    The maps so far are one value that each layer appends to, `cat(cat(a, b), c)`: the values of the paper's
    `cat(a, b, c)`, with a number of connections that grows with the depth and not with its square.

    Args:
        depth: layers with weights.
        growth_rate: channels that each dense layer adds; 0 is the paper's for the depth.
        reduction: share of the channels that a transition lets through (the paper's θ).
        classes: scores that leave.
    """
    form = _FORMS[depth]
    growth = growth_rate or form.growth_rate
    net = Builder(f"DenseNet-{depth}", 3, 224, 224)
    net.add("features.conv0", conv(form.stem, 7, 2, 3, bias=False))
    net.add("features.norm0", BatchNorm2d())
    net.add("features.relu0", ReLU())
    net.add("features.pool0", max_pool(3, 2, 1))
    channels = form.stem
    for i, count in enumerate(form.layers, 1):
        path = f"features.denseblock{i}"
        net.block(path, "dense block")
        for j in range(1, count + 1):
            dense_layer(net, f"{path}.denselayer{j}", growth)
        channels += count * growth
        if i < len(form.layers):
            channels = max(1, int(channels * reduction))
            _transition(net, f"features.transition{i}", channels)
    net.add("features.norm5", BatchNorm2d())
    net.add("relu", ReLU())
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("classifier", linear(classes))
    net.block("features", "features")
    return net.build()


def dense_layer(net: Builder, path: str, growth_rate: int) -> None:
    """Batch norm, ReLU and convolution, 1×1 and then 3×3; what comes out is appended to what arrived."""
    source = net.last
    net.add(f"{path}.norm1", BatchNorm2d())
    net.add(f"{path}.relu1", ReLU())
    net.add(f"{path}.conv1", conv(_BOTTLENECK * growth_rate, 1, bias=False))
    net.add(f"{path}.norm2", BatchNorm2d())
    net.add(f"{path}.relu2", ReLU())
    new = net.add(f"{path}.conv2", conv(growth_rate, 3, padding=1, bias=False))
    net.add(f"{path}.concat", Concat(), after=(source, new))
    net.block(path, "dense layer")


def _transition(net: Builder, path: str, out_channels: int) -> None:
    net.add(f"{path}.norm", BatchNorm2d())
    net.add(f"{path}.relu", ReLU())
    net.add(f"{path}.conv", conv(out_channels, 1, bias=False))
    net.add(f"{path}.pool", avg_pool(2))
    net.block(path, "transition")


_IDEAS = {
    121: "Each layer reads all maps before it and adds a few: features are used again, weights are saved.",
    161: "A growth rate of 48: wider, and the most accurate of the four.",
    169: "Deeper in the last two blocks, with little more than half of ResNet-50's weights.",
    201: "Ninety-eight dense layers, whose maps all stay within reach.",
}
_TOP1 = {121: 74.434, 161: 77.138, 169: 75.6, 201: 76.896}
_RENAMED = tuple((f".{name}.{i}.", f".{name}{i}.") for name in ("norm", "relu", "conv") for i in (1, 2))
"""torchvision's files still have the names from before dots were forbidden in them."""

for _depth, _idea in _IDEAS.items():
    register(
        Entry(
            id=f"densenet{_depth}",
            title=f"DenseNet-{_depth}",
            family="DenseNet",
            year=2016,
            idea=_idea,
            paper=_PAPER,
            make=densenet,
            recipes=("resnet-imagenette",),
            parameters=(
                one_of("depth", "Depth", _depth, tuple(_FORMS), "Layers with weights."),
                number(
                    "growth_rate",
                    "Growth rate",
                    0,
                    0,
                    256,
                    "Channels a dense layer adds; 0: the paper's.",
                ),
                number("reduction", "Reduction", 0.5, 0.05, 1.0, "Share of channels that a transition lets through."),
                classes(1000),
            ),
            pretrained=Pretrained(f"densenet{_depth}", "IMAGENET1K_V1", _TOP1[_depth], 256, 224, renamed=_RENAMED),
        )
    )
