"""MobileNetV2 (Sandler et al. 2018) and V3 (Howard et al. 2019): depthwise convolutions for telephones."""

from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, Hardsigmoid, Hardswish, ReLU, ReLU6
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, divisible, flatten, linear
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, register
from explorer.zoo.mobile_blocks import add_shortcut, conv_norm, squeeze_excitation

_V2_PAPER = "Sandler, Howard, Zhu, Zhmoginov and Chen 2018, MobileNetV2: inverted residuals and linear bottlenecks"
_V3_PAPER = "Howard et al. 2019, Searching for MobileNetV3"

# Table 2 of the V2 paper: expansion, channels, blocks, stride of the first.
_V2_TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_V2_NORM = BatchNorm2d()
_V3_NORM = BatchNorm2d(eps=1e-3, momentum=0.01)


def mobilenet_v2(classes: int = 1000, width: float = 1.0) -> Architecture:
    """MobileNetV2, with torchvision's names: 3,504,872 parameters.

    Args:
        classes: scores that leave.
        width: factor for all channels, each rounded to a multiple of 8.
    """
    net = Builder("MobileNetV2", 3, 224, 224)
    channels = divisible(32 * width)
    conv_norm(net, "features.0", channels, 3, ReLU6(), stride=2, norm=_V2_NORM)
    i = 1
    for expansion, base, count, first_stride in _V2_TABLE:
        out_channels = divisible(base * width)
        for k in range(count):
            stride = first_stride if k == 0 else 1
            inverted_residual(net, f"features.{i}", channels, out_channels, stride, expansion)
            channels = out_channels
            i += 1
    last = divisible(1280 * max(1.0, width))
    conv_norm(net, f"features.{i}", last, 1, ReLU6(), norm=_V2_NORM)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.chain("classifier", [Dropout(p=0.2), linear(classes)])
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def inverted_residual(
    net: Builder, path: str, in_channels: int, out_channels: int, stride: int, expansion: int
) -> None:
    """Expand, filter each channel on its own, project without an activation (figure 4(d))."""
    source, hidden = net.last, in_channels * expansion
    part = 0
    if expansion != 1:
        conv_norm(net, f"{path}.conv.0", hidden, 1, ReLU6(), norm=_V2_NORM)
        part = 1
    conv_norm(net, f"{path}.conv.{part}", hidden, 3, ReLU6(), stride=stride, groups=hidden, norm=_V2_NORM)
    net.add(f"{path}.conv.{part + 1}", conv(out_channels, 1, bias=False))
    net.add(f"{path}.conv.{part + 2}", _V2_NORM)
    if stride == 1 and in_channels == out_channels:
        add_shortcut(net, path, source)
    net.block(path, "inverted residual")


class _Row(NamedTuple):
    """A row of the V3 paper's tables 1 and 2."""

    kernel_size: int
    hidden: int
    out_channels: int
    squeezed: bool
    hard: bool
    """Hardswish in place of ReLU."""
    stride: int


_V3_TABLES = {
    "large": (
        _Row(3, 16, 16, False, False, 1),
        _Row(3, 64, 24, False, False, 2),
        _Row(3, 72, 24, False, False, 1),
        _Row(5, 72, 40, True, False, 2),
        _Row(5, 120, 40, True, False, 1),
        _Row(5, 120, 40, True, False, 1),
        _Row(3, 240, 80, False, True, 2),
        _Row(3, 200, 80, False, True, 1),
        _Row(3, 184, 80, False, True, 1),
        _Row(3, 184, 80, False, True, 1),
        _Row(3, 480, 112, True, True, 1),
        _Row(3, 672, 112, True, True, 1),
        _Row(5, 672, 160, True, True, 2),
        _Row(5, 960, 160, True, True, 1),
        _Row(5, 960, 160, True, True, 1),
    ),
    "small": (
        _Row(3, 16, 16, True, False, 2),
        _Row(3, 72, 24, False, False, 2),
        _Row(3, 88, 24, False, False, 1),
        _Row(5, 96, 40, True, True, 2),
        _Row(5, 240, 40, True, True, 1),
        _Row(5, 240, 40, True, True, 1),
        _Row(5, 120, 48, True, True, 1),
        _Row(5, 144, 48, True, True, 1),
        _Row(5, 288, 96, True, True, 2),
        _Row(5, 576, 96, True, True, 1),
        _Row(5, 576, 96, True, True, 1),
    ),
}
_V3_CLASSIFIER = {"large": 1280, "small": 1024}


def mobilenet_v3_large(classes: int = 1000, width: float = 1.0) -> Architecture:
    """MobileNetV3-Large, with torchvision's names: 5,483,032 parameters."""
    return _mobilenet_v3("large", classes, width)


def mobilenet_v3_small(classes: int = 1000, width: float = 1.0) -> Architecture:
    """MobileNetV3-Small, with torchvision's names: 2,542,856 parameters."""
    return _mobilenet_v3("small", classes, width)


def _mobilenet_v3(size: str, classes: int, width: float) -> Architecture:
    net = Builder(f"MobileNetV3-{size.capitalize()}", 3, 224, 224)
    channels = divisible(16 * width)
    conv_norm(net, "features.0", channels, 3, Hardswish(), stride=2, norm=_V3_NORM)
    table = _V3_TABLES[size]
    for i, row in enumerate(table, 1):
        channels = _v3_block(net, f"features.{i}", channels, row, width)
    conv_norm(net, f"features.{len(table) + 1}", 6 * channels, 1, Hardswish(), norm=_V3_NORM)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    last = divisible(_V3_CLASSIFIER[size] * width)
    net.chain("classifier", [linear(last), Hardswish(), Dropout(p=0.2), linear(classes)])
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def _v3_block(net: Builder, path: str, in_channels: int, row: _Row, width: float) -> int:
    """V2's block, with squeeze-and-excitation where the table says so (figure 4); returns the channels that leave."""
    source = net.last
    hidden, out_channels = divisible(row.hidden * width), divisible(row.out_channels * width)
    activation = Hardswish() if row.hard else ReLU()
    part = 0
    if hidden != in_channels:
        conv_norm(net, f"{path}.block.0", hidden, 1, activation, norm=_V3_NORM)
        part = 1
    depthwise = f"{path}.block.{part}"
    conv_norm(net, depthwise, hidden, row.kernel_size, activation, stride=row.stride, groups=hidden, norm=_V3_NORM)
    if row.squeezed:
        part += 1
        squeeze_excitation(net, f"{path}.block.{part}", hidden, divisible(hidden // 4), ReLU(), Hardsigmoid())
    conv_norm(net, f"{path}.block.{part + 1}", out_channels, 1, None, norm=_V3_NORM)
    if row.stride == 1 and in_channels == out_channels:
        add_shortcut(net, path, source)
    net.block(path, "inverted residual")
    return out_channels


_PARAMETERS = (
    classes(1000),
    number("width", "Width", 1.0, 0.1, 4.0, "Factor for all channels, each rounded to a multiple of 8."),
)

register(
    Entry(
        id="mobilenet-v2",
        title="MobileNetV2",
        family="MobileNet",
        year=2018,
        idea="Residuals turned inside out: wide and cheap in the middle, narrow where the shortcuts run.",
        paper=_V2_PAPER,
        make=mobilenet_v2,
        recipes=("mobile-rmsprop",),
        parameters=_PARAMETERS,
        pretrained=Pretrained("mobilenet_v2", "IMAGENET1K_V1", 71.878, 256, 224),
    )
)
register(
    Entry(
        id="mobilenet-v3-large",
        title="MobileNetV3-Large",
        family="MobileNet",
        year=2019,
        idea="Found by a search: squeeze-and-excitation where it pays, and an activation without an exponential.",
        paper=_V3_PAPER,
        make=mobilenet_v3_large,
        recipes=("mobile-rmsprop",),
        parameters=_PARAMETERS,
        pretrained=Pretrained("mobilenet_v3_large", "IMAGENET1K_V1", 74.042, 256, 224),
    )
)
register(
    Entry(
        id="mobilenet-v3-small",
        title="MobileNetV3-Small",
        family="MobileNet",
        year=2019,
        idea="The search's answer where every millisecond counts.",
        paper=_V3_PAPER,
        make=mobilenet_v3_small,
        recipes=("mobile-rmsprop",),
        parameters=_PARAMETERS,
        pretrained=Pretrained("mobilenet_v3_small", "IMAGENET1K_V1", 67.668, 256, 224),
    )
)
