"""Networks that several tests share."""

from explorer.architecture import Architecture
from explorer.layers import Add, BatchNorm2d, Concat, Conv2d, Linear, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, max_pool


def branching(channels: int = 3, size: int = 16) -> Architecture:
    """A residual addition, a concatenation, batch norm, dotted ids, and two outputs."""
    net = Builder("branching", channels, size, size)
    stem = net.add("stem.conv", conv(8, 3, padding=1, bias=False))
    net.add("stem.norm", BatchNorm2d())
    stem = net.add("stem.relu", ReLU())
    net.add("layer1.0.conv1", conv(8, 3, padding=1, bias=False))
    net.add("layer1.0.norm1", BatchNorm2d())
    branch = net.add("layer1.0.relu", ReLU())
    joined = net.add("layer1.0.add", Add(), after=(branch, stem))
    left = net.add("mixed.left", conv(4, 1), after=joined)
    right = net.add("mixed.right", max_pool(3, 1, 1), after=joined)
    net.add("mixed.cat", Concat(), after=(left, right))
    net.add("pool", adaptive_avg_pool(2))
    net.add("flatten", flatten())
    main = net.add("fc", Linear(out_features=10))
    net.add("aux.conv", conv(5, 3, 2), after=joined)
    net.add("aux.pool", adaptive_avg_pool(1))
    net.add("aux.flatten", flatten())
    aux = net.add("aux.fc", Linear(out_features=10))
    net.block("stem", "stem")
    net.block("layer1", "stage")
    net.block("layer1.0", "residual block")
    net.block("mixed", "Inception")
    net.block("aux", "auxiliary head")
    return net.build(outputs=(main, aux))


def deep_chain(num_layers: int) -> Architecture:
    """Convolution, batch norm and ReLU repeated: `num_layers` nodes beside the input."""
    net = Builder(f"chain of {num_layers}", 3, 32, 32)
    layers = [Conv2d(out_channels=8, kernel_size=(3, 3), padding=(1, 1)), BatchNorm2d(), ReLU()]
    for i in range(num_layers):
        net.add(f"layer{i // 3}.{i % 3}", layers[i % 3])
    return net.build()


def nested(num_nodes: int) -> Architecture:
    """Stages of ten residual blocks, the first of each with a projection: about `num_nodes` nodes."""
    net = Builder(f"nested, {num_nodes} nodes", 3, 64, 64)
    last = net.add("stem", conv(8, 3, padding=1))
    for number in range(num_nodes // 7):
        stage = f"stage{number // 10}"
        if number % 10 == 0:
            net.block(stage, "stage")
        path = f"{stage}.{number % 10}"
        net.block(path, "residual block")
        net.add(f"{path}.conv1", conv(8, 3, padding=1), after=last)
        net.add(f"{path}.norm1", BatchNorm2d())
        net.add(f"{path}.relu1", ReLU())
        net.add(f"{path}.conv2", conv(8, 3, padding=1))
        branch = net.add(f"{path}.norm2", BatchNorm2d())
        skip = net.add(f"{path}.project", conv(8, 1), after=last) if number % 10 == 0 else last
        net.add(f"{path}.add", Add(), after=(branch, skip))
        last = net.add(f"{path}.relu", ReLU())
    return net.build()
