"""ResNet for CIFAR-10, with and without its shortcuts: the degradation experiment (He et al. 2015, section 4.2)."""

from explorer.architecture import Architecture
from explorer.layers import Add, BatchNorm2d, Pad, ReLU, Slice
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear
from explorer.zoo.catalogue import Entry, classes, number, one_of, register

_PAPER = "He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, section 4.2"
_DEPTHS = (20, 32, 44, 56, 110)
"""6n + 2: a convolution, three stages of n blocks with two convolutions each, and the classifier."""


def resnet_cifar(depth: int = 20, shortcut: str = "A", classes: int = 10, width: int = 16) -> Architecture:
    """The network of section 4.2: 269,722 parameters at depth 20 with shortcut A.

    Args:
        depth: 6n + 2 layers with weights.
        shortcut: "A" fills new channels with zeros and learns nothing, "B" projects with a 1×1 convolution; "none" has
            no shortcuts at all.
        classes: scores that leave.
        width: channels of the first stage; the others have 2 and 4 times as many.
    """
    title = f"Plain-{depth}" if shortcut == "none" else f"ResNet-{depth}"
    net = Builder(f"{title}, CIFAR{', shortcut B' if shortcut == 'B' else ''}", 3, 32, 32)
    net.add("conv1", conv(width, 3, padding=1, bias=False))
    net.add("bn1", BatchNorm2d())
    net.add("relu", ReLU())
    channels = width
    for stage in range(3):
        net.block(f"layer{stage + 1}", "stage")
        for i in range((depth - 2) // 6):
            stride = 2 if stage > 0 and i == 0 else 1
            _block(net, f"layer{stage + 1}.{i}", channels, width * 2**stage, stride, shortcut)
            channels = width * 2**stage
    net.add("avgpool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("linear", linear(classes))
    return net.build()


def _block(net: Builder, path: str, in_channels: int, channels: int, stride: int, shortcut: str) -> None:
    source = net.last
    net.add(f"{path}.conv1", conv(channels, 3, stride, 1, bias=False))
    net.add(f"{path}.bn1", BatchNorm2d())
    net.add(f"{path}.relu1", ReLU())
    net.add(f"{path}.conv2", conv(channels, 3, padding=1, bias=False))
    branch = net.add(f"{path}.bn2", BatchNorm2d())
    net.block(path, "plain block" if shortcut == "none" else "residual block")
    if shortcut != "none":
        if stride > 1 or in_channels != channels:
            source = _shortcut(net, f"{path}.shortcut", source, channels - in_channels, channels, stride, shortcut)
        net.add(f"{path}.add", Add(), after=(branch, source))
    net.add(f"{path}.relu", ReLU())


def _shortcut(net: Builder, path: str, source: str, added: int, channels: int, stride: int, kind: str) -> str:
    net.block(path, "shortcut")
    if kind == "B":
        net.add(f"{path}.0", conv(channels, 1, stride, bias=False), after=source)
        return net.add(f"{path}.1", BatchNorm2d())
    net.add(f"{path}.rows", Slice(dim=2, step=stride), after=source)
    net.add(f"{path}.columns", Slice(dim=3, step=stride))
    # Half of the zeros before the channels and half behind, as in the weights that are passed around for this form.
    return net.add(f"{path}.zeros", Pad(before=added // 2, after=added - added // 2))


def _register(depth: int, shortcut: str, idea: str) -> None:
    plain = shortcut == "none"
    register(
        Entry(
            id=f"plain{depth}" if plain else f"resnet{depth}{'-b' if shortcut == 'B' else ''}",
            title=f"{'Plain' if plain else 'ResNet'}-{depth}, CIFAR{', shortcut B' if shortcut == 'B' else ''}",
            family="ResNet for CIFAR",
            year=2015,
            idea=idea,
            paper=_PAPER,
            make=resnet_cifar,
            recipes=("resnet-cifar", "cifar-quick"),
            parameters=(
                one_of("depth", "Depth", depth, _DEPTHS, "Layers with weights: 6n + 2, n blocks a stage."),
                one_of(
                    "shortcut",
                    "Shortcut",
                    shortcut,
                    ("A", "B", "none"),
                    "Where size and channels change: A fills with zeros, B projects; none leaves all shortcuts out.",
                ),
                classes(10),
                number("width", "Width", 16, 1, 1024, "Channels of the first stage; the last has four times as many."),
            ),
        )
    )


_register(20, "A", "Shortcuts without a single weight: where channels double, the new ones are zeros.")
_register(32, "A", "Twelve layers deeper than ResNet-20, and more accurate.")
_register(44, "A", "Seven blocks a stage.")
_register(56, "A", "The depth at which a plain network does worse than one of 20 layers, and a residual one better.")
_register(110, "A", "Eighteen blocks a stage, and it still trains.")
for _depth in _DEPTHS:
    _register(_depth, "B", f"ResNet-{_depth} with 1×1 convolutions on the two shortcuts where channels double.")
_register(20, "none", "The same layers without shortcuts: at this depth they are hardly missed.")
_register(32, "none", "Without shortcuts, twelve more layers already make it worse.")
_register(44, "none", "Without shortcuts; its training error alone shows that this is not overfitting.")
_register(56, "none", "Deeper and yet worse, on training images too: the degradation that shortcuts were made for.")
_register(110, "none", "Without shortcuts this depth hardly trains at all.")
