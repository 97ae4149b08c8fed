"""ResNet for ImageNet: blocks that add what they learn to what arrives (He, Zhang, Ren and Sun 2015)."""

from explorer.architecture import Architecture
from explorer.layers import Add, BatchNorm2d, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, one_of, register

_PAPER = "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition"

# Table 1: residual blocks in each of the four stages.
_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_SHALLOWEST_BOTTLENECK = 50
_EXPANSION = 4
"""A bottleneck's output has this many times the channels of its 3×3 convolution."""


def resnet(depth: int = 50, classes: int = 1000, width: int = 64) -> Architecture:
    """A network of table 1, by its number of layers with weights; torchvision's names.

    Args:
        depth: 18 or 34 with pairs of 3×3 convolutions; 50, 101 or 152 with bottlenecks.
        classes: scores that leave.
        width: channels of the first stage's 3×3 convolutions; each further stage doubles them.
    """
    net = Builder(f"ResNet-{depth}", 3, 224, 224)
    net.add("conv1", conv(width, 7, 2, 3, bias=False))
    net.add("bn1", BatchNorm2d())
    net.add("relu", ReLU())
    net.add("maxpool", max_pool(3, 2, 1))
    channels = width
    for stage, count in enumerate(_BLOCKS[depth]):
        net.block(f"layer{stage + 1}", "stage")
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            block = bottleneck if depth >= _SHALLOWEST_BOTTLENECK else residual_block
            channels = block(net, f"layer{stage + 1}.{i}", channels, width * 2**stage, stride)
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", linear(classes))
    return net.build()


def residual_block(net: Builder, path: str, in_channels: int, width: int, stride: int) -> int:
    """Two 3×3 convolutions beside a shortcut (figure 5, left); returns the channels that leave."""
    source = net.last
    net.add(f"{path}.conv1", conv(width, 3, stride, 1, bias=False))
    net.add(f"{path}.bn1", BatchNorm2d())
    net.add(f"{path}.relu1", ReLU())
    net.add(f"{path}.conv2", conv(width, 3, padding=1, bias=False))
    branch = net.add(f"{path}.bn2", BatchNorm2d())
    _join(net, path, branch, source, in_channels, width, stride)
    net.block(path, "residual block")
    return width


def bottleneck(net: Builder, path: str, in_channels: int, width: int, stride: int) -> int:
    """1×1, 3×3 and 1×1 convolutions beside a shortcut (figure 5, right); returns the channels that leave.

    The stride is on the 3×3 convolution, where torchvision and most others have it; the paper's is on the first 1×1.
    """
    source = net.last
    net.add(f"{path}.conv1", conv(width, 1, bias=False))
    net.add(f"{path}.bn1", BatchNorm2d())
    net.add(f"{path}.relu1", ReLU())
    net.add(f"{path}.conv2", conv(width, 3, stride, 1, bias=False))
    net.add(f"{path}.bn2", BatchNorm2d())
    net.add(f"{path}.relu2", ReLU())
    net.add(f"{path}.conv3", conv(width * _EXPANSION, 1, bias=False))
    branch = net.add(f"{path}.bn3", BatchNorm2d())
    _join(net, path, branch, source, in_channels, width * _EXPANSION, stride)
    net.block(path, "bottleneck")
    return width * _EXPANSION


def _join(net: Builder, path: str, branch: str, source: str, in_channels: int, channels: int, stride: int) -> None:
    """Add the shortcut, projected where size or channels change (option B of section 3.3)."""
    if stride > 1 or in_channels != channels:
        net.add(f"{path}.downsample.0", conv(channels, 1, stride, bias=False), after=source)
        source = net.add(f"{path}.downsample.1", BatchNorm2d())
        net.block(f"{path}.downsample", "projection")
    net.add(f"{path}.add", Add(), after=(branch, source))
    net.add(f"{path}.relu", ReLU())


_IDEAS = {
    18: "Each block learns only what to add to its input, so depth no longer makes training harder.",
    34: "Twice the depth of ResNet-18 from the same blocks, and better for it.",
    50: "Bottlenecks squeeze the channels before the 3×3 convolution: deeper at about the cost of ResNet-34.",
    101: "Twenty-three bottlenecks in the third stage alone.",
    152: "Eight times as deep as VGG-19 with fewer multiplications; an ensemble with it won ImageNet in 2015.",
}
_TOP1 = {18: 69.758, 34: 73.314, 50: 76.13, 101: 77.374, 152: 78.312}

for _depth, _idea in _IDEAS.items():
    register(
        Entry(
            id=f"resnet{_depth}",
            title=f"ResNet-{_depth}",
            family="ResNet",
            year=2015,
            idea=_idea,
            paper=_PAPER,
            make=resnet,
            recipes=("resnet-imagenette",),
            parameters=(
                one_of("depth", "Depth", _depth, tuple(_BLOCKS), "Layers with weights; bottlenecks from 50 on."),
                classes(1000),
                number("width", "Width", 64, 1, 1024, "Channels of the first stage; each further one doubles them."),
            ),
            pretrained=Pretrained(f"resnet{_depth}", "IMAGENET1K_V1", _TOP1[_depth], 256, 224),
        )
    )
