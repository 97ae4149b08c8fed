"""The blocks of MobileNet and EfficientNet, with torchvision's names: inverted residual, squeeze-and-excitation."""

from explorer.layers import Add, BatchNorm2d, Layer, Mul
from explorer.zoo.builder import Builder, Size, adaptive_avg_pool, conv
from explorer.zoo.inception_blocks import UNIT


def conv_norm(
    net: Builder,
    path: str,
    out_channels: int,
    kernel_size: int,
    activation: Layer | None,
    *,
    stride: Size = 1,
    groups: int = 1,
    norm: BatchNorm2d,
) -> str:
    """torchvision's `Conv2dNormActivation`: keeps the size at stride 1; no bias, no activation where None."""
    net.add(f"{path}.0", conv(out_channels, kernel_size, stride, (kernel_size - 1) // 2, groups=groups, bias=False))
    net.add(f"{path}.1", norm)
    if activation is not None:
        net.add(f"{path}.2", activation)
    net.block(path, UNIT)
    return net.last


def squeeze_excitation(net: Builder, path: str, channels: int, squeezed: int, activation: Layer, gate: Layer) -> str:
    """Weigh each channel by what the averages of all channels say (Hu, Shen and Sun 2017).

    Args:
        net: what it is added to.
        path: where.
        channels: channels that arrive.
        squeezed: channels between the two 1×1 convolutions.
        activation: behind the first of them.
        gate: behind the second, of 0 to 1.
    """
    source = net.last
    net.add(f"{path}.avgpool", adaptive_avg_pool(1))
    net.add(f"{path}.fc1", conv(squeezed, 1))
    net.add(f"{path}.activation", activation)
    net.add(f"{path}.fc2", conv(channels, 1))
    scale = net.add(f"{path}.scale_activation", gate)
    net.block(path, "squeeze-and-excitation")
    return net.add(f"{path}.scale", Mul(), after=(scale, source))


def add_shortcut(net: Builder, path: str, source: str) -> str:
    """Add the block's input to its output."""
    return net.add(f"{path}.add", Add(), after=(net.last, source))
