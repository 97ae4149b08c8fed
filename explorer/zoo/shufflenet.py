"""ShuffleNetV2: half of the channels pass by, and a shuffle mixes the halves (Ma et al. 2018)."""

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, ChannelShuffle, Chunk, Concat, Mean, ReLU
from explorer.zoo.builder import Builder, conv, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, one_of, register

_PAPER = "Ma, Zhang, Zheng and Sun 2018, ShuffleNet V2: practical guidelines for efficient CNN architecture design"

_UNITS = (4, 8, 4)
# Table 5: channels of the first convolution, of the three stages, and of the last convolution.
_WIDTHS = {
    "0.5": (24, 48, 96, 192, 1024),
    "1.0": (24, 116, 232, 464, 1024),
    "1.5": (24, 176, 352, 704, 1024),
    "2.0": (24, 244, 488, 976, 2048),
}


def shufflenet_v2(size: str = "1.0", classes: int = 1000) -> Architecture:
    """ShuffleNetV2, with torchvision's names: 2,278,604 parameters at size 1.0.

    Args:
        size: column of table 5: "0.5", "1.0", "1.5" or "2.0" times the width.
        classes: scores that leave.
    """
    first, *stages, last = _WIDTHS[size]
    net = Builder(f"ShuffleNetV2 {size}", 3, 224, 224)
    net.chain("conv1", [conv(first, 3, 2, 1, bias=False), BatchNorm2d(), ReLU()])
    net.add("maxpool", max_pool(3, 2, 1))
    channels = first
    for i, (count, width) in enumerate(zip(_UNITS, stages, strict=True), 2):
        net.block(f"stage{i}", "stage")
        _reducing_unit(net, f"stage{i}.0", channels, width)
        for k in range(1, count):
            _unit(net, f"stage{i}.{k}", width // 2)
        channels = width
    net.chain("conv5", [conv(last, 1, bias=False), BatchNorm2d(), ReLU()])
    net.add("mean", Mean(dims=(2, 3)))
    net.add("fc", linear(classes))
    return net.build()


def _unit(net: Builder, path: str, half: int) -> None:
    """Half of the channels pass, half are convolved (figure 3(c))."""
    source = net.last
    passed = net.add(f"{path}.passed", Chunk(chunks=2, dim=1, index=0), after=source)
    net.add(f"{path}.convolved", Chunk(chunks=2, dim=1, index=1), after=source)
    _branch(net, f"{path}.branch2", half, 1)
    _join(net, path, passed, net.last)


def _reducing_unit(net: Builder, path: str, in_channels: int, width: int) -> None:
    """Both branches halve the size and read all channels (figure 3(d))."""
    source = net.last
    net.chain(
        f"{path}.branch1",
        [
            *(conv(in_channels, 3, 2, 1, groups=in_channels, bias=False), BatchNorm2d()),
            *(conv(width // 2, 1, bias=False), BatchNorm2d(), ReLU()),
        ],
    )
    net.block(f"{path}.branch1", "branch")
    first = net.last
    _branch(net, f"{path}.branch2", width // 2, 2, after=source)
    _join(net, path, first, net.last)


def _branch(net: Builder, path: str, width: int, stride: int, after: str | None = None) -> None:
    net.chain(
        path,
        [
            *(conv(width, 1, bias=False), BatchNorm2d(), ReLU()),
            *(conv(width, 3, stride, 1, groups=width, bias=False), BatchNorm2d()),
            *(conv(width, 1, bias=False), BatchNorm2d(), ReLU()),
        ],
        after,
    )
    net.block(path, "branch")


def _join(net: Builder, path: str, first: str, second: str) -> None:
    net.add(f"{path}.concat", Concat(), after=(first, second))
    net.add(f"{path}.shuffle", ChannelShuffle(groups=2))
    net.block(path, "shuffle unit")


_IDEAS = {
    "0.5": ("The smallest of the four, for the weakest of processors.", 60.552, 256),
    "1.0": (
        "Designed by the stopwatch: equal widths, few branches, and a shuffle that mixes two halves.",
        69.362,
        256,
    ),
    "1.5": ("Half as wide again.", 72.996, 232),
    "2.0": ("Twice as wide, and still a seventh of ResNet-50's arithmetic.", 76.23, 232),
}

for _size, (_idea, _top1, _resize) in _IDEAS.items():
    register(
        Entry(
            id=f"shufflenet-v2-{_size.replace('.', '-')}",
            title=f"ShuffleNetV2 {_size}",
            family="ShuffleNet",
            year=2018,
            idea=_idea,
            paper=_PAPER,
            make=shufflenet_v2,
            parameters=(
                one_of("size", "Size", _size, tuple(_WIDTHS), "Channels, as a multiple of the paper's main form."),
                classes(1000),
            ),
            pretrained=Pretrained(f"shufflenet_v2_x{_size.replace('.', '_')}", "IMAGENET1K_V1", _top1, _resize, 224),
        )
    )
