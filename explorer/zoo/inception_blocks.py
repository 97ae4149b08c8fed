"""Inception-v3's blocks (Szegedy et al. 2015, figures 5 to 7), under torchvision's names, for all who use them."""

from explorer.layers import BatchNorm2d, Concat, ReLU
from explorer.zoo.builder import Builder, Size, avg_pool, conv, max_pool

UNIT = "convolution unit"
"""The kind of a convolution with its batch norm and ReLU."""
_NORM = BatchNorm2d(eps=1e-3)


def conv_norm_relu(
    net: Builder,
    path: str,
    out_channels: int,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    after: str | None = None,
) -> str:
    """torchvision's `BasicConv2d`: a convolution without bias, batch norm and ReLU."""
    net.add(f"{path}.conv", conv(out_channels, kernel_size, stride, padding, bias=False), after)
    net.add(f"{path}.bn", _NORM)
    net.block(path, UNIT)
    return net.add(f"{path}.relu", ReLU())


def inception_a(net: Builder, path: str, source: str, pool_features: int) -> str:
    """Branches of 1×1, 5×5, two 3×3 and a pooling: 224 + `pool_features` channels."""
    one = conv_norm_relu(net, f"{path}.branch1x1", 64, 1, after=source)
    conv_norm_relu(net, f"{path}.branch5x5_1", 48, 1, after=source)
    five = conv_norm_relu(net, f"{path}.branch5x5_2", 64, 5, padding=2)
    conv_norm_relu(net, f"{path}.branch3x3dbl_1", 64, 1, after=source)
    conv_norm_relu(net, f"{path}.branch3x3dbl_2", 96, 3, padding=1)
    double = conv_norm_relu(net, f"{path}.branch3x3dbl_3", 96, 3, padding=1)
    net.add(f"{path}.pool", avg_pool(3, 1, 1), after=source)
    pooled = conv_norm_relu(net, f"{path}.branch_pool", pool_features, 1)
    net.block(path, "Inception-A")
    return net.add(f"{path}.concat", Concat(), after=(one, five, double, pooled))


def inception_b(net: Builder, path: str, source: str) -> str:
    """Halves the size: strided 3×3, two 3×3, and a pooling that keeps its channels."""
    three = conv_norm_relu(net, f"{path}.branch3x3", 384, 3, 2, after=source)
    conv_norm_relu(net, f"{path}.branch3x3dbl_1", 64, 1, after=source)
    conv_norm_relu(net, f"{path}.branch3x3dbl_2", 96, 3, padding=1)
    double = conv_norm_relu(net, f"{path}.branch3x3dbl_3", 96, 3, 2)
    pooled = net.add(f"{path}.pool", max_pool(3, 2), after=source)
    net.block(path, "Inception-B")
    return net.add(f"{path}.concat", Concat(), after=(three, double, pooled))


def inception_c(net: Builder, path: str, source: str, width: int) -> str:
    """7×7 kernels taken apart into 1×7 and 7×1 ones: 768 channels.

    Args:
        width: channels inside the two long branches.
    """
    one = conv_norm_relu(net, f"{path}.branch1x1", 192, 1, after=source)
    conv_norm_relu(net, f"{path}.branch7x7_1", width, 1, after=source)
    conv_norm_relu(net, f"{path}.branch7x7_2", width, (1, 7), padding=(0, 3))
    seven = conv_norm_relu(net, f"{path}.branch7x7_3", 192, (7, 1), padding=(3, 0))
    conv_norm_relu(net, f"{path}.branch7x7dbl_1", width, 1, after=source)
    conv_norm_relu(net, f"{path}.branch7x7dbl_2", width, (7, 1), padding=(3, 0))
    conv_norm_relu(net, f"{path}.branch7x7dbl_3", width, (1, 7), padding=(0, 3))
    conv_norm_relu(net, f"{path}.branch7x7dbl_4", width, (7, 1), padding=(3, 0))
    double = conv_norm_relu(net, f"{path}.branch7x7dbl_5", 192, (1, 7), padding=(0, 3))
    net.add(f"{path}.pool", avg_pool(3, 1, 1), after=source)
    pooled = conv_norm_relu(net, f"{path}.branch_pool", 192, 1)
    net.block(path, "Inception-C")
    return net.add(f"{path}.concat", Concat(), after=(one, seven, double, pooled))


def inception_d(net: Builder, path: str, source: str) -> str:
    """Halves the size again: 512 channels more than arrive."""
    conv_norm_relu(net, f"{path}.branch3x3_1", 192, 1, after=source)
    three = conv_norm_relu(net, f"{path}.branch3x3_2", 320, 3, 2)
    conv_norm_relu(net, f"{path}.branch7x7x3_1", 192, 1, after=source)
    conv_norm_relu(net, f"{path}.branch7x7x3_2", 192, (1, 7), padding=(0, 3))
    conv_norm_relu(net, f"{path}.branch7x7x3_3", 192, (7, 1), padding=(3, 0))
    seven = conv_norm_relu(net, f"{path}.branch7x7x3_4", 192, 3, 2)
    pooled = net.add(f"{path}.pool", max_pool(3, 2), after=source)
    net.block(path, "Inception-D")
    return net.add(f"{path}.concat", Concat(), after=(three, seven, pooled))


def inception_e(net: Builder, path: str, source: str) -> str:
    """The widest block, whose 3×3 kernels lie side by side as 1×3 and 3×1: 2,048 channels."""
    one = conv_norm_relu(net, f"{path}.branch1x1", 320, 1, after=source)
    fork = conv_norm_relu(net, f"{path}.branch3x3_1", 384, 1, after=source)
    lying = conv_norm_relu(net, f"{path}.branch3x3_2a", 384, (1, 3), padding=(0, 1), after=fork)
    standing = conv_norm_relu(net, f"{path}.branch3x3_2b", 384, (3, 1), padding=(1, 0), after=fork)
    three = net.add(f"{path}.concat3x3", Concat(), after=(lying, standing))
    conv_norm_relu(net, f"{path}.branch3x3dbl_1", 448, 1, after=source)
    fork = conv_norm_relu(net, f"{path}.branch3x3dbl_2", 384, 3, padding=1)
    lying = conv_norm_relu(net, f"{path}.branch3x3dbl_3a", 384, (1, 3), padding=(0, 1), after=fork)
    standing = conv_norm_relu(net, f"{path}.branch3x3dbl_3b", 384, (3, 1), padding=(1, 0), after=fork)
    double = net.add(f"{path}.concat3x3dbl", Concat(), after=(lying, standing))
    net.add(f"{path}.pool", avg_pool(3, 1, 1), after=source)
    pooled = conv_norm_relu(net, f"{path}.branch_pool", 192, 1)
    net.block(path, "Inception-E")
    return net.add(f"{path}.concat", Concat(), after=(one, three, double, pooled))
