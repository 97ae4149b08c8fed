"""ZFNet: AlexNet corrected by looking at what its layers see (Zeiler and Fergus 2013)."""

from explorer.architecture import Architecture
from explorer.layers import Dropout, LocalResponseNorm, ReLU
from explorer.zoo.builder import Builder, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, classes, register


def zfnet(classes: int = 1000) -> Architecture:
    """The paper's figure 3: 224, 110, 55, 26, 13 and 6 pixels a side.

    The last window of a pooling may hang over the edge, without which 110 would give 54 and not the paper's 55.
    """
    net = Builder("ZFNet", 3, 224, 224)
    contrast = LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0)
    net.add("conv1", conv(96, 7, 2, 1))
    net.add("relu1", ReLU())
    net.add("pool1", max_pool(3, 2, ceil_mode=True))
    net.add("norm1", contrast)
    net.add("conv2", conv(256, 5, 2))
    net.add("relu2", ReLU())
    net.add("pool2", max_pool(3, 2, ceil_mode=True))
    net.add("norm2", contrast)
    net.add("conv3", conv(384, 3, padding=1))
    net.add("relu3", ReLU())
    net.add("conv4", conv(384, 3, padding=1))
    net.add("relu4", ReLU())
    net.add("conv5", conv(256, 3, padding=1))
    net.add("relu5", ReLU())
    net.add("pool5", max_pool(3, 2, ceil_mode=True))
    net.add("flatten", flatten())
    for i in (6, 7):
        net.add(f"fc{i}", linear(4096))
        net.add(f"relu{i}", ReLU())
        net.add(f"dropout{i}", Dropout(p=0.5))
    net.add("fc8", linear(classes))
    return net.build()


register(
    Entry(
        id="zfnet",
        title="ZFNet",
        family="ZFNet",
        year=2013,
        idea="Pictures of what each layer sees showed that AlexNet's first kernels were too large and too far apart.",
        paper="Zeiler and Fergus 2013, Visualizing and understanding convolutional networks",
        make=zfnet,
        recipes=("alexnet-2012",),
        parameters=(classes(1000),),
    )
)
