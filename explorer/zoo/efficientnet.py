"""EfficientNet-B0: MobileNetV2's blocks with squeeze-and-excitation, as a search chose them (Tan and Le 2019)."""

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, Sigmoid, SiLU, StochasticDepth
from explorer.zoo.builder import Builder, adaptive_avg_pool, divisible, flatten, linear
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, register
from explorer.zoo.mobile_blocks import add_shortcut, conv_norm, squeeze_excitation

_PAPER = "Tan and Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks"

# Table 1: expansion, kernel, stride of the first block, channels, blocks.
_TABLE = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_NORM = BatchNorm2d()
_DROPPED = 0.2
"""What the probability that a block is skipped in training grows towards, from 0 at the first."""


def efficientnet_b0(classes: int = 1000, width: float = 1.0) -> Architecture:
    """EfficientNet-B0, with torchvision's names: 5,288,548 parameters.

    Args:
        classes: scores that leave.
        width: factor for all channels, each rounded to a multiple of 8.
    """
    net = Builder("EfficientNet-B0", 3, 224, 224)
    channels = divisible(32 * width)
    conv_norm(net, "features.0", channels, 3, SiLU(), stride=2, norm=_NORM)
    num_blocks = sum(row[4] for row in _TABLE)
    done = 0
    for i, (expansion, kernel_size, first_stride, base, count) in enumerate(_TABLE, 1):
        net.block(f"features.{i}", "stage")
        out_channels = divisible(base * width)
        for k in range(count):
            path, stride = f"features.{i}.{k}", first_stride if k == 0 else 1
            dropped = _DROPPED * done / num_blocks
            _block(net, path, channels, out_channels, kernel_size, stride, expansion, dropped)
            channels = out_channels
            done += 1
    conv_norm(net, f"features.{len(_TABLE) + 1}", 4 * channels, 1, SiLU(), norm=_NORM)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.chain("classifier", [Dropout(p=0.2), linear(classes)])
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def _block(
    net: Builder,
    path: str,
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int,
    expansion: int,
    dropped: float,
) -> None:
    """The paper's MBConv: expand, filter, weigh the channels, project; skipped at random in training."""
    source, hidden = net.last, divisible(in_channels * expansion)
    part = 0
    if hidden != in_channels:
        conv_norm(net, f"{path}.block.0", hidden, 1, SiLU(), norm=_NORM)
        part = 1
    depthwise = f"{path}.block.{part}"
    conv_norm(net, depthwise, hidden, kernel_size, SiLU(), stride=stride, groups=hidden, norm=_NORM)
    squeezed = max(1, in_channels // 4)
    squeeze_excitation(net, f"{path}.block.{part + 1}", hidden, squeezed, SiLU(), Sigmoid())
    conv_norm(net, f"{path}.block.{part + 2}", out_channels, 1, None, norm=_NORM)
    if stride == 1 and in_channels == out_channels:
        net.add(f"{path}.stochastic_depth", StochasticDepth(p=dropped, mode="row"))
        add_shortcut(net, path, source)
    net.block(path, "inverted residual")


register(
    Entry(
        id="efficientnet-b0",
        title="EfficientNet-B0",
        family="EfficientNet",
        year=2019,
        idea="Depth, width and image size belong together: scale all three, starting from a small searched network.",
        paper=_PAPER,
        make=efficientnet_b0,
        recipes=("modern-adamw",),
        parameters=(
            classes(1000),
            number("width", "Width", 1.0, 0.1, 4.0, "Factor for all channels, each rounded to a multiple of 8."),
        ),
        pretrained=Pretrained("efficientnet_b0", "IMAGENET1K_V1", 77.692, 256, 224),
    )
)
