"""AlexNet as figure 2 of its paper draws it: two towers side by side, which meet where two GPUs spoke with each other.

The other forms are `alexnet`'s. There the towers are one chain, of which three convolutions have two groups.
"""

from explorer.architecture import Architecture
from explorer.layers import Concat, Dropout, Layer, LocalResponseNorm, ReLU
from explorer.zoo.builder import Builder, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, classes, register, switch

_PAPER = "Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep convolutional neural networks"
_LRN = LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0)
"""Section 3.3, over the maps of one tower, since a GPU had no others."""


def alexnet_towers(classes: int = 1000, dropout: bool = True) -> Architecture:
    """The paper's network, of which each tower has half of the kernels: 60,965,224 parameters, as in one chain.

    The towers meet in front of conv3 and of each fully connected layer, and nowhere else (section 3.5).

    Args:
        classes: scores that leave.
        dropout: drop half of the values behind the first two fully connected layers.
    """
    net = Builder("AlexNet, two towers", 3, 227, 227)
    ends = ["input", "input"]

    def stage(number: int, name: str, layer: Layer, *more: tuple[str, Layer]) -> None:
        for i, tower in enumerate("ab"):
            ends[i] = net.add(f"{name}{number}{tower}", layer, after=ends[i])
            for kind, next_layer in (("relu", ReLU()), *more):
                ends[i] = net.add(f"{kind}{number}{tower}", next_layer)

    def meet(number: int) -> None:
        ends[:] = [net.add(f"both{number}", Concat(), after=ends)] * 2

    normed = (("norm", _LRN), ("pool", max_pool(3, 2)))
    stage(1, "conv", conv(48, 11, 4), *normed)
    stage(2, "conv", conv(128, 5, padding=2), *normed)
    meet(2)
    stage(3, "conv", conv(192, 3, padding=1))
    stage(4, "conv", conv(192, 3, padding=1))
    stage(5, "conv", conv(128, 3, padding=1), ("pool", max_pool(3, 2)))
    meet(5)
    ends[:] = [net.add("flatten", flatten())] * 2
    dropped = (("dropout", Dropout(p=0.5)),) if dropout else ()
    for number in (6, 7):
        stage(number, "fc", linear(2048), *dropped)
        meet(number)
    net.add("fc8", linear(classes))
    return net.build()


register(
    Entry(
        id="alexnet-two-towers",
        title="AlexNet, two towers",
        family="AlexNet",
        year=2012,
        idea="The two GPUs of the paper as two towers; with two devices each trains on one of its own.",
        paper=_PAPER,
        make=alexnet_towers,
        recipes=("alexnet-2012",),
        parameters=(
            classes(1000),
            switch("dropout", "Dropout", True, "Drops half of the values behind the first two fully connected layers."),
        ),
    )
)
