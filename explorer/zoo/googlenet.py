"""GoogLeNet: nine Inception blocks (Szegedy et al. 2014), as the paper has it and as torchvision has it."""

from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.layers import Concat, Dropout, LocalResponseNorm, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, register, switch
from explorer.zoo.inception_blocks import conv_norm_relu

_PAPER = "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov et al. 2014, Going deeper with convolutions"


class Widths(NamedTuple):
    """A row of the paper's table 1: output channels of an Inception block's convolutions."""

    conv1x1: int
    reduce3x3: int
    conv3x3: int
    reduce5x5: int
    conv5x5: int
    project: int
    """Of the 1×1 convolution behind the pooling."""


INCEPTION_3A = Widths(64, 96, 128, 16, 32, 32)
_TABLE_1 = {
    "3a": INCEPTION_3A,
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}
_POOLED = ("3b", "4e")
"""Blocks with a pooling behind them."""
_HEADS = {"4a": "aux1", "4d": "aux2"}


def googlenet(classes: int = 1000, auxiliary_heads: bool = False) -> Architecture:
    """The paper's network: 5×5 branches, biases, response normalisation; 6,998,552 parameters, 13,378,280 with heads.

    Args:
        classes: scores that leave, of each head too.
        auxiliary_heads: classifiers behind blocks 4a and 4d, whose losses reach the early layers more directly.
    """
    net = Builder("GoogLeNet", 3, 224, 224)
    norm = LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=1.0)
    _conv(net, "conv1", "relu1", 64, 7, 2, 3)
    net.add("pool1", max_pool(3, 2, ceil_mode=True))
    net.add("norm1", norm)
    _conv(net, "reduce2", "relu2_reduce", 64, 1)
    _conv(net, "conv2", "relu2", 192, 3, padding=1)
    net.add("norm2", norm)
    net.add("pool2", max_pool(3, 2, ceil_mode=True))
    ends = {}
    for name, widths in _TABLE_1.items():
        ends[name] = inception(net, f"inception{name}", net.last, widths)
        if name in _POOLED:
            net.add(f"pool{name[0]}", max_pool(3, 2, ceil_mode=True))
    net.add("avgpool", avg_pool(7, 1))
    net.add("dropout", Dropout(p=0.4))
    net.add("flatten", flatten())
    outputs = [net.add("fc", linear(classes))]
    for source, path in _HEADS.items() if auxiliary_heads else ():
        net.add(f"{path}.pool", avg_pool(5, 3), after=ends[source])
        _conv(net, f"{path}.conv", f"{path}.relu1", 128, 1)
        net.add(f"{path}.flatten", flatten())
        net.add(f"{path}.fc1", linear(1024))
        net.add(f"{path}.relu2", ReLU())
        net.add(f"{path}.dropout", Dropout(p=0.7))
        outputs.append(net.add(f"{path}.fc2", linear(classes)))
        net.block(path, "auxiliary head")
    return net.build(outputs)


def inception(net: Builder, path: str, source: str, widths: Widths) -> str:
    """The block of figure 2(b): 1×1 convolutions thin the maps out before the costly 3×3 and 5×5 ones."""
    branches = []
    _conv(net, f"{path}.conv1x1", f"{path}.relu1x1", widths.conv1x1, 1, after=source)
    branches.append(net.last)
    _conv(net, f"{path}.reduce3x3", f"{path}.relu3x3_reduce", widths.reduce3x3, 1, after=source)
    _conv(net, f"{path}.conv3x3", f"{path}.relu3x3", widths.conv3x3, 3, padding=1)
    branches.append(net.last)
    _conv(net, f"{path}.reduce5x5", f"{path}.relu5x5_reduce", widths.reduce5x5, 1, after=source)
    _conv(net, f"{path}.conv5x5", f"{path}.relu5x5", widths.conv5x5, 5, padding=2)
    branches.append(net.last)
    net.add(f"{path}.pool", max_pool(3, 1, 1), after=source)
    _conv(net, f"{path}.project", f"{path}.relu_project", widths.project, 1)
    branches.append(net.last)
    net.block(path, "Inception")
    return net.add(f"{path}.concat", Concat(), after=branches)


def naive_inception(net: Builder, path: str, source: str, widths: Widths) -> str:
    """The block of figure 2(a): all kernels read all channels, and the pooling's channels are kept."""
    branches = []
    for size, width in ((1, widths.conv1x1), (3, widths.conv3x3), (5, widths.conv5x5)):
        name = f"{size}x{size}"
        _conv(net, f"{path}.conv{name}", f"{path}.relu{name}", width, size, padding=size // 2, after=source)
        branches.append(net.last)
    branches.append(net.add(f"{path}.pool", max_pool(3, 1, 1), after=source))
    net.block(path, "naive Inception")
    return net.add(f"{path}.concat", Concat(), after=branches)


def _conv(
    net: Builder,
    conv_id: str,
    relu_id: str,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
    after: str | None = None,
) -> None:
    net.add(conv_id, conv(out_channels, kernel_size, stride, padding), after)
    net.add(relu_id, ReLU())


def torchvision_form(classes: int = 1000, auxiliary_heads: bool = False) -> Architecture:
    """torchvision's network: batch norm, no biases, 3×3 in place of 5×5; 6,624,904 parameters, 13,004,888 with heads.

    torchvision's weights expect colours of −1 to 1, to which its `transform_input` brings images that were normalised
    as for its other networks; `Pretrained.mean` and `std` say the same in one step.
    """
    net = Builder("GoogLeNet, torchvision", 3, 224, 224)
    conv_norm_relu(net, "conv1", 64, 7, 2, 3)
    net.add("maxpool1", max_pool(3, 2, ceil_mode=True))
    conv_norm_relu(net, "conv2", 64, 1)
    conv_norm_relu(net, "conv3", 192, 3, padding=1)
    net.add("maxpool2", max_pool(3, 2, ceil_mode=True))
    ends = {}
    for name, widths in _TABLE_1.items():
        ends[name] = _torchvision_inception(net, f"inception{name}", net.last, widths)
        if name == "3b":
            net.add("maxpool3", max_pool(3, 2, ceil_mode=True))
        elif name == "4e":
            net.add("maxpool4", max_pool(2, ceil_mode=True))
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("dropout", Dropout(p=0.2))
    outputs = [net.add("fc", linear(classes))]
    for source, path in _HEADS.items() if auxiliary_heads else ():
        net.add(f"{path}.pool", adaptive_avg_pool(4), after=ends[source])
        conv_norm_relu(net, f"{path}.conv", 128, 1)
        net.add(f"{path}.flatten", flatten())
        net.add(f"{path}.fc1", linear(1024))
        net.add(f"{path}.relu", ReLU())
        net.add(f"{path}.dropout", Dropout(p=0.7))
        outputs.append(net.add(f"{path}.fc2", linear(classes)))
        net.block(path, "auxiliary head")
    return net.build(outputs)


def _torchvision_inception(net: Builder, path: str, source: str, widths: Widths) -> str:
    one = conv_norm_relu(net, f"{path}.branch1", widths.conv1x1, 1, after=source)
    conv_norm_relu(net, f"{path}.branch2.0", widths.reduce3x3, 1, after=source)
    three = conv_norm_relu(net, f"{path}.branch2.1", widths.conv3x3, 3, padding=1)
    conv_norm_relu(net, f"{path}.branch3.0", widths.reduce5x5, 1, after=source)
    # 3×3 where the paper has 5×5: torchvision took it over from the TensorFlow weights that it converted.
    five = conv_norm_relu(net, f"{path}.branch3.1", widths.conv5x5, 3, padding=1)
    net.add(f"{path}.branch4.0", max_pool(3, 1, 1, ceil_mode=True), after=source)
    pooled = conv_norm_relu(net, f"{path}.branch4.1", widths.project, 1)
    net.block(path, "Inception")
    for i in (2, 3, 4):
        net.block(f"{path}.branch{i}", "branch")
    return net.add(f"{path}.concat", Concat(), after=(one, three, five, pooled))


_AUXILIARY = switch(
    "auxiliary_heads",
    "Auxiliary heads",
    False,
    "Two more classifiers in the middle of the network, for training only.",
)

register(
    Entry(
        id="googlenet",
        title="GoogLeNet",
        family="GoogLeNet",
        year=2014,
        idea="Kernels of several sizes side by side, made cheap by 1×1 convolutions: a ninth of AlexNet's weights.",
        paper=_PAPER,
        make=googlenet,
        recipes=("googlenet-heads",),
        parameters=(classes(1000), _AUXILIARY),
    )
)
register(
    Entry(
        id="googlenet-torchvision",
        title="GoogLeNet, torchvision",
        family="GoogLeNet",
        year=2015,
        idea="With batch norm behind every convolution, and 3×3 kernels in the branches that had 5×5.",
        paper=f"{_PAPER}; Ioffe and Szegedy 2015, Batch normalization",
        make=torchvision_form,
        recipes=("googlenet-heads",),
        parameters=(classes(1000), _AUXILIARY),
        pretrained=Pretrained(
            "googlenet",
            "IMAGENET1K_V1",
            69.778,
            256,
            224,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            # torchvision's own warning: "auxiliary heads in the pretrained googlenet model are NOT pretrained".
            untrained=("aux1", "aux2"),
        ),
    )
)
