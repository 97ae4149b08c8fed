"""Networks that are hard to write as source: awkward names, blocks that wait for each other, frozen parts."""

from dataclasses import replace

from explorer.architecture import Architecture, Node
from explorer.layers import (
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    Flatten,
    Input,
    Layer,
    Linear,
    MaxPool2d,
    PartialConv2d,
    RadialBasis,
    ReLU,
    Softmax,
    Split,
    Tanh,
)


def node(node_id: str, layer: Layer, *inputs: str) -> Node:
    return Node(id=node_id, layer=layer, inputs=inputs)


def conv(out_channels: int) -> Conv2d:
    return Conv2d(out_channels=out_channels, kernel_size=(3, 3), padding=(1, 1))


def awkward() -> Architecture:
    """Names that Python or torch use themselves, blocks of digits and of names, taps, branches, and a dead layer."""
    uneven = Conv2d(out_channels=8, kernel_size=(3, 5), padding=(2, 4), dilation=(2, 2), groups=2, bias=False)
    nodes = [
        node("input", Input(channels=3, height=16, width=16)),
        node("class", conv(8), "input"),
        node("type", BatchNorm2d(), "class"),
        node("forward", ReLU(), "type"),
        node("layer1.0.conv1", uneven, "forward"),
        node("layer1.0.norm", BatchNorm2d(eps=1e-3), "layer1.0.conv1"),
        node("layer1.0.add", Add(), "layer1.0.norm", "forward"),
        *_residual("layer1.1", "layer1.0.add"),
        *_residual("layer1.2", "layer1.1.add"),
        node("a.0", conv(4), "layer1.2.add"),
        node("b.0", conv(4), "a.0"),
        node("a.1", conv(4), "b.0"),
        node("b.1", conv(4), "a.1"),
        node("train.half", conv(4), "b.1"),
        node("train.0", Tanh(), "train.half"),
        node("mix.b1", conv(4), "train.0"),
        node("mix.b2.0", conv(4), "train.0"),
        node("mix.b2.extra", ReLU(), "mix.b2.0"),
        node("mix.b2.1", conv(4), "mix.b2.extra"),
        node("mix.b3a", conv(4), "train.0"),
        node("mix.b3b", conv(4), "mix.b3a"),
        node("mix.cat", Concat(), "mix.b1", "mix.b2.1", "mix.b3b", "train.0"),
        node("self", Tanh(), "mix.cat"),
        node("torch.nn", ReLU(), "self"),
        node("1", MaxPool2d(kernel_size=(2, 2), stride=(2, 2)), "torch.nn"),
        node("__private", Flatten(), "1"),
        node("_modules", Linear(out_features=10), "__private"),
        node("softmax", Softmax(), "_modules"),
        node("dead", conv(5), "forward"),
    ]
    return Architecture(name='We"ird\\\n"""\x07net', nodes=tuple(nodes), outputs=("_modules", "softmax"))


def _residual(path: str, source: str) -> list[Node]:
    return [
        node(f"{path}.conv1", conv(8), source),
        node(f"{path}.norm", BatchNorm2d(), f"{path}.conv1"),
        node(f"{path}.add", Add(), f"{path}.norm", source),
    ]


def frozen() -> Architecture:
    """Frozen layers: all of a block, one of two alike, one in a container, one without parameters."""
    nodes = [
        node("input", Input(channels=3, height=8, width=8)),
        node("stem.0", conv(8), "input"),
        node("stem.1", ReLU(), "stem.0"),
        *_residual("layer1.0", "stem.1"),
        *_residual("layer1.1", "layer1.0.add"),
        node("head.0", conv(4), "layer1.1.add"),
        node("head.1", BatchNorm2d(), "head.0"),
        node("head.2", ReLU(), "head.1"),
        node("flatten", Flatten(), "head.2"),
        node("fc", Linear(out_features=10), "flatten"),
    ]
    still = {"stem.0", "layer1.0.conv1", "layer1.0.norm", "layer1.0.add", "head.0", "head.2"}
    return Architecture(name="frozen", nodes=tuple(replace(n, frozen=n.id in still) for n in nodes), outputs=("fc",))


def long_lines() -> Architecture:
    """Joins of many values, and names, arguments and rows that fill more than a line."""
    names = [f"block.branch_of_the_many_{number}" for number in range(12)]
    rows = tuple(tuple(range(number % 3, 40)) for number in range(4))
    nodes = [
        node("input", Input(channels=3, height=8, width=8)),
        node("block.stem", conv(4), "input"),
        *(node(name, conv(4), "block.stem") for name in names),
        node("block.cat", Concat(), *names),
        node("block.sum", Add(), *names),
        node("block.few", Add(), *names[:4]),
        node("outer.part", ReLU(), "block.sum"),
        node("outer.inner.0", conv(40), "outer.part"),
        node("outer.inner.1.0", PartialConv2d(connections=rows, kernel_size=(3, 3)), "outer.inner.0"),
        node("outer.inner.1.half", uneven(), "outer.inner.1.0"),
        node("outer.inner.1.9", uneven(), "outer.inner.1.half"),
        node("many", Concat(), *names[:7], "block.cat"),
        node("pieces", Split(sizes=(*(1,) * 35, 13), index=2), "block.cat"),
        node("few_pieces", Split(sizes=(10, 26, 40), index=2), "many"),
        node("flat", Flatten(), "block.few"),
        node("classes", RadialBasis(patterns=tuple((i, i + 20, i + 100) for i in range(10))), "flat"),
    ]
    results = ("outer.inner.1.9", "many", "pieces", "few_pieces", "classes")
    return Architecture(name="long", nodes=tuple(nodes), outputs=results)


def uneven() -> Conv2d:
    """A convolution whose arguments need a line each."""
    return Conv2d(
        out_channels=128, kernel_size=(3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=4, bias=False
    )
