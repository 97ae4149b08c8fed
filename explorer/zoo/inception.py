"""Inception blocks on their own, to compare their cost, and Inception-v3 (Szegedy et al. 2014 and 2015)."""

from explorer.architecture import Architecture
from explorer.layers import Dropout
from explorer.zoo import inception_blocks as blocks
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, register, switch
from explorer.zoo.googlenet import INCEPTION_3A, inception, naive_inception
from explorer.zoo.inception_blocks import conv_norm_relu

_GOOGLENET = "Szegedy et al. 2014, Going deeper with convolutions, figure 2"
_PAPER = "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2015, Rethinking the Inception architecture for computer vision"


def naive(in_channels: int = 192) -> Architecture:
    """Figure 2(a) at the place of GoogLeNet's block 3a."""
    net = Builder("Inception block, naive", in_channels, 28, 28)
    naive_inception(net, "naive", "input", INCEPTION_3A)
    return net.build()


def reduced(in_channels: int = 192) -> Architecture:
    """Figure 2(b), GoogLeNet's block 3a."""
    net = Builder("Inception block, reduced", in_channels, 28, 28)
    inception(net, "reduced", "input", INCEPTION_3A)
    return net.build()


def side_by_side(in_channels: int = 192) -> Architecture:
    """Both blocks behind one input, each with its own output: what the 1×1 convolutions save."""
    net = Builder("Inception blocks compared", in_channels, 28, 28)
    first = naive_inception(net, "naive", "input", INCEPTION_3A)
    second = inception(net, "reduced", "input", INCEPTION_3A)
    return net.build((first, second))


def block_a(in_channels: int = 192, pool_features: int = 32) -> Architecture:
    """Inception-v3's first block, 192×35×35 to 256×35×35."""
    net = Builder("Inception-A block", in_channels, 35, 35)
    blocks.inception_a(net, "mixed", "input", pool_features)
    return net.build()


def inception_v3(classes: int = 1000, auxiliary_head: bool = False) -> Architecture:
    """The paper's table 1 as torchvision has it, with its names: 23,834,568 parameters, 27,161,264 with the head."""
    net = Builder("Inception-v3", 3, 299, 299)
    conv_norm_relu(net, "Conv2d_1a_3x3", 32, 3, 2)
    conv_norm_relu(net, "Conv2d_2a_3x3", 32, 3)
    conv_norm_relu(net, "Conv2d_2b_3x3", 64, 3, padding=1)
    net.add("maxpool1", max_pool(3, 2))
    conv_norm_relu(net, "Conv2d_3b_1x1", 80, 1)
    conv_norm_relu(net, "Conv2d_4a_3x3", 192, 3)
    net.add("maxpool2", max_pool(3, 2))
    blocks.inception_a(net, "Mixed_5b", net.last, 32)
    blocks.inception_a(net, "Mixed_5c", net.last, 64)
    blocks.inception_a(net, "Mixed_5d", net.last, 64)
    blocks.inception_b(net, "Mixed_6a", net.last)
    blocks.inception_c(net, "Mixed_6b", net.last, 128)
    blocks.inception_c(net, "Mixed_6c", net.last, 160)
    blocks.inception_c(net, "Mixed_6d", net.last, 160)
    middle = blocks.inception_c(net, "Mixed_6e", net.last, 192)
    blocks.inception_d(net, "Mixed_7a", net.last)
    blocks.inception_e(net, "Mixed_7b", net.last)
    blocks.inception_e(net, "Mixed_7c", net.last)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("dropout", Dropout(p=0.5))
    net.add("flatten", flatten())
    outputs = [net.add("fc", linear(classes))]
    if auxiliary_head:
        net.add("AuxLogits.pool", avg_pool(5, 3), after=middle)
        conv_norm_relu(net, "AuxLogits.conv0", 128, 1)
        conv_norm_relu(net, "AuxLogits.conv1", 768, 5)
        net.add("AuxLogits.avgpool", adaptive_avg_pool(1))
        net.add("AuxLogits.flatten", flatten())
        outputs.append(net.add("AuxLogits.fc", linear(classes)))
        net.block("AuxLogits", "auxiliary head")
    return net.build(outputs)


_CHANNELS = number("in_channels", "Channels", 192, 1, 4096, "Channels that arrive at the block.")

register(
    Entry(
        id="inception-naive",
        title="Inception block, naive",
        family="Inception",
        year=2014,
        idea="1×1, 3×3 and 5×5 kernels and a pooling side by side, each reading all channels: too dear to repeat.",
        paper=_GOOGLENET,
        make=naive,
        parameters=(_CHANNELS,),
    )
)
register(
    Entry(
        id="inception-reduced",
        title="Inception block, reduced",
        family="Inception",
        year=2014,
        idea="1×1 convolutions thin the channels out before the large kernels read them.",
        paper=_GOOGLENET,
        make=reduced,
        parameters=(_CHANNELS,),
    )
)
register(
    Entry(
        id="inception-compared",
        title="Inception blocks compared",
        family="Inception",
        year=2014,
        idea="The naive and the reduced block behind one input, to read off what the 1×1 convolutions save.",
        paper=_GOOGLENET,
        make=side_by_side,
        parameters=(_CHANNELS,),
    )
)
register(
    Entry(
        id="inception-a",
        title="Inception-A block",
        family="Inception",
        year=2015,
        idea=(
            "Two 3×3 convolutions in a row see as far as the 5×5 beside them, for less; every convolution has its "
            "batch norm."
        ),
        paper=_PAPER,
        make=block_a,
        parameters=(
            _CHANNELS,
            number("pool_features", "Pooled channels", 32, 1, 1024, "Channels behind the pooling branch."),
        ),
    )
)
register(
    Entry(
        id="inception-v3",
        title="Inception-v3",
        family="Inception",
        year=2015,
        idea="Large kernels taken apart into rows and columns; what that saves buys depth and width.",
        paper=_PAPER,
        make=inception_v3,
        parameters=(
            classes(1000),
            switch("auxiliary_head", "Auxiliary head", False, "A second classifier before the last size reduction."),
        ),
        pretrained=Pretrained(
            "inception_v3", "IMAGENET1K_V1", 77.294, 342, 299, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
        ),
    )
)
