"""Network in network: a small perceptron at every pixel, and averages in place of a classifier (Lin et al. 2013)."""

from explorer.architecture import Architecture
from explorer.layers import Dropout, Layer, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, conv, flatten, max_pool
from explorer.zoo.catalogue import Entry, classes, register

_PAPER = "Lin, Chen and Yan 2013, Network in network"


def nin(classes: int = 1000) -> Architecture:
    """The authors' network for ImageNet: AlexNet's kernels, each followed by two 1×1 convolutions."""
    net = Builder("NiN", 3, 224, 224)
    _block(net, "block1", conv(96, 11, 4), 96, 96)
    net.add("pool1", max_pool(3, 2))
    _block(net, "block2", conv(256, 5, padding=2), 256, 256)
    net.add("pool2", max_pool(3, 2))
    _block(net, "block3", conv(384, 3, padding=1), 384, 384)
    net.add("pool3", max_pool(3, 2))
    net.add("dropout", Dropout(p=0.5))
    _block(net, "block4", conv(1024, 3, padding=1), 1024, classes)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    return net.build()


def nin_cifar(classes: int = 10) -> Architecture:
    """The authors' network for CIFAR-10: 966,986 parameters."""
    net = Builder("NiN, CIFAR", 3, 32, 32)
    _block(net, "block1", conv(192, 5, padding=2), 160, 96)
    net.add("pool1", max_pool(3, 2, ceil_mode=True))
    net.add("dropout1", Dropout(p=0.5))
    _block(net, "block2", conv(192, 5, padding=2), 192, 192)
    net.add("pool2", avg_pool(3, 2, ceil_mode=True))
    net.add("dropout2", Dropout(p=0.5))
    _block(net, "block3", conv(192, 3, padding=1), 192, classes)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    return net.build()


def _block(net: Builder, path: str, layer: Layer, hidden: int, out_channels: int) -> None:
    """A convolution, and behind it a perceptron with one hidden layer at every pixel: two 1×1 convolutions."""
    for i, part in enumerate((layer, conv(hidden, 1), conv(out_channels, 1)), 1):
        net.add(f"{path}.conv{i}", part)
        net.add(f"{path}.relu{i}", ReLU())
    net.block(path, "mlpconv")


register(
    Entry(
        id="nin",
        title="NiN",
        family="NiN",
        year=2013,
        idea="A small network slides over the maps; the averages of the last maps are the scores.",
        paper=_PAPER,
        make=nin,
        parameters=(classes(1000),),
    )
)
register(
    Entry(
        id="nin-cifar",
        title="NiN, CIFAR",
        family="NiN",
        year=2013,
        idea="The form for 32×32 images, with a million weights.",
        paper=_PAPER,
        make=nin_cifar,
        parameters=(classes(10),),
    )
)
