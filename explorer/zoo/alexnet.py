"""AlexNet: the network that won ImageNet in 2012 (Krizhevsky, Sutskever and Hinton), and its later forms."""

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, Layer, LocalResponseNorm, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, one_of, register, switch

_PAPER = "Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep convolutional neural networks"
_D2L = f"{_PAPER}; form of Zhang, Lipton, Li and Smola 2023, Dive into Deep Learning, section 8.1"
_D2L_EXERCISE = (
    f"{_PAPER}; answer to an exercise of Zhang, Lipton, Li and Smola 2023, Dive into Deep Learning, section 8.1"
)
_LRN = LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0)
"""Section 3.3: n = 5, α = 10⁻⁴, β = 0.75, k = 2. The paper does not divide α by n as torch does; nothing is learned."""


def alexnet(
    classes: int = 1000,
    groups: int = 2,
    response_norm: bool = True,
    overlapping: bool = True,
    dropout: bool = True,
    name: str = "AlexNet",
) -> Architecture:
    """The paper's network, each of its ideas to switch: 60,965,224 parameters with all of them.

    Args:
        classes: scores that leave.
        groups: 2 splits conv2, conv4 and conv5 between two GPUs as the paper did; 1 is a single tower.
        response_norm: normalise behind the first two convolutions.
        overlapping: pool 3×3 windows at stride 2; otherwise 2×2, side by side.
        dropout: drop half of the values behind the first two fully connected layers.
        name: what the network is called.
    """
    net = Builder(name, 3, 227, 227)
    pool = max_pool(3, 2) if overlapping else max_pool(2)

    def tower(i: int, layer: Layer, *, norm: bool = False, pooled: bool = False) -> None:
        net.add(f"conv{i}", layer)
        net.add(f"relu{i}", ReLU())
        if norm and response_norm:
            net.add(f"norm{i}", _LRN)
        if pooled:
            net.add(f"pool{i}", pool)

    tower(1, conv(96, 11, 4), norm=True, pooled=True)
    tower(2, conv(256, 5, padding=2, groups=groups), norm=True, pooled=True)
    tower(3, conv(384, 3, padding=1))
    tower(4, conv(384, 3, padding=1, groups=groups))
    tower(5, conv(256, 3, padding=1, groups=groups), pooled=True)
    net.add("flatten", flatten())
    for i in (6, 7):
        net.add(f"fc{i}", linear(4096))
        net.add(f"relu{i}", ReLU())
        if dropout:
            net.add(f"dropout{i}", Dropout(p=0.5))
    net.add("fc8", linear(classes))
    return net.build()


def one_tower(classes: int = 1000, dropout: bool = True) -> Architecture:
    """All channels connected, no response normalisation: 62,378,344 parameters."""
    return alexnet(classes, 1, response_norm=False, dropout=dropout, name="AlexNet, one tower")


def torchvision_form(classes: int = 1000) -> Architecture:
    """Krizhevsky's later one-tower network of 2014, as torchvision has it: 61,100,840 parameters."""
    net = Builder("AlexNet, torchvision", 3, 224, 224)
    net.chain(
        "features",
        [
            *(conv(64, 11, 4, 2), ReLU(), max_pool(3, 2)),
            *(conv(192, 5, padding=2), ReLU(), max_pool(3, 2)),
            *(conv(384, 3, padding=1), ReLU()),
            *(conv(256, 3, padding=1), ReLU()),
            *(conv(256, 3, padding=1), ReLU(), max_pool(3, 2)),
        ],
    )
    net.add("avgpool", adaptive_avg_pool(6))
    net.add("flatten", flatten())
    net.chain(
        "classifier",
        [Dropout(p=0.5), linear(4096), ReLU(), Dropout(p=0.5), linear(4096), ReLU(), linear(classes)],
    )
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def d2l_form(classes: int = 10) -> Architecture:
    """One channel, padding 1 in the first convolution, ten classes: 46,764,746 parameters."""
    net = Builder("AlexNet, d2l", 1, 224, 224)
    _numbered(
        net,
        [
            *(conv(96, 11, 4, 1), ReLU(), max_pool(3, 2)),
            *(conv(256, 5, padding=2), ReLU(), max_pool(3, 2)),
            *(conv(384, 3, padding=1), ReLU()),
            *(conv(384, 3, padding=1), ReLU()),
            *(conv(256, 3, padding=1), ReLU(), max_pool(3, 2)),
            flatten(),
            *(linear(4096), ReLU(), Dropout(p=0.5)),
            *(linear(4096), ReLU(), Dropout(p=0.5)),
            linear(classes),
        ],
    )
    return net.build()


def for_28(classes: int = 10) -> Architecture:
    """The shape of AlexNet at the size of a handwritten digit: 2,466,250 parameters."""
    net = Builder("AlexNet for 28×28", 1, 28, 28)
    _numbered(
        net,
        [
            *(conv(64, 5, 2, 2), ReLU(), max_pool(3, 1)),
            *(conv(128, 3, padding=1), ReLU()),
            *(conv(128, 3, padding=1), ReLU()),
            *(conv(64, 3, padding=1), ReLU(), max_pool(3, 2)),
            flatten(),
            *(linear(1024), ReLU(), Dropout(p=0.3)),
            *(linear(512), ReLU(), Dropout(p=0.3)),
            linear(classes),
        ],
    )
    return net.build()


def batch_norm_form(classes: int = 10) -> Architecture:
    """`same` padding, also at stride 4, and batch norm behind the pooling: 58,323,018 parameters, 704 statistics."""
    net = Builder("AlexNet, batch norm", 3, 227, 227)
    # Keras counts its momentum the other way round: 0.99 there is 0.01 here.
    norm = BatchNorm2d(eps=1e-3, momentum=0.01)
    _numbered(
        net,
        [
            *(conv(96, 11, 4, "same"), ReLU(), max_pool(3, 2), norm),
            *(conv(256, 5, padding="same"), ReLU(), max_pool(3, 2), norm),
            *(conv(384, 3, padding="same"), ReLU()),
            *(conv(384, 3, padding="same"), ReLU()),
            *(conv(256, 3, padding="same"), ReLU(), max_pool(3, 2)),
            flatten(),
            *(linear(4096), ReLU(), Dropout(p=0.5)),
            *(linear(4096), ReLU(), Dropout(p=0.5)),
            linear(classes),
        ],
    )
    return net.build()


_NAMES = {
    "Conv2d": "conv",
    "ReLU": "relu",
    "MaxPool2d": "pool",
    "BatchNorm2d": "norm",
    "Linear": "fc",
    "Dropout": "dropout",
}


def _numbered(net: Builder, layers: list[Layer]) -> None:
    """Add layers one behind another, each called after its type and how many there have been: conv1, relu1, ..."""
    counts: dict[str, int] = {}
    for layer in layers:
        name = _NAMES.get(layer.type_name)
        if name is None:
            net.add(layer.type_name.lower(), layer)
            continue
        counts[name] = counts.get(name, 0) + 1
        net.add(f"{name}{counts[name]}", layer)


_DROPOUT = switch("dropout", "Dropout", True, "Drops half of the values behind the first two fully connected layers.")

register(
    Entry(
        id="alexnet",
        title="AlexNet",
        family="AlexNet",
        year=2012,
        idea="ReLU, dropout, response normalisation and two GPUs made a deep network learn a million photographs.",
        paper=_PAPER,
        make=alexnet,
        recipes=("alexnet-2012",),
        parameters=(
            classes(1000),
            one_of("groups", "Towers", 2, (1, 2), "2 splits three convolutions between two GPUs."),
            switch("response_norm", "Response normalisation", True, "Normalises behind the first two convolutions."),
            switch("overlapping", "Overlapping pooling", True, "Pools 3×3 windows at stride 2; otherwise 2×2 ones."),
            _DROPOUT,
        ),
    )
)
register(
    Entry(
        id="alexnet-one-tower",
        title="AlexNet, one tower",
        family="AlexNet",
        year=2012,
        idea="The same on one GPU: every kernel reads all channels, for half as many multiplications again.",
        paper=_PAPER,
        make=one_tower,
        recipes=("alexnet-2012",),
        parameters=(classes(1000), _DROPOUT),
    )
)
register(
    Entry(
        id="alexnet-torchvision",
        title="AlexNet, torchvision",
        family="AlexNet",
        year=2014,
        idea="The slimmer single tower that torchvision trained: 64 and 192 kernels first, no response normalisation.",
        paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
        make=torchvision_form,
        recipes=("alexnet-2012",),
        parameters=(classes(1000),),
        pretrained=Pretrained("alexnet", "IMAGENET1K_V1", 56.522, 256, 224),
    )
)
register(
    Entry(
        id="alexnet-d2l",
        title="AlexNet, d2l",
        family="AlexNet",
        year=2012,
        idea="For grey images and ten classes, as a first look at what depth does for Fashion-MNIST.",
        paper=_D2L,
        make=d2l_form,
        recipes=("alexnet-d2l",),
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="alexnet-28",
        title="AlexNet for 28×28",
        family="AlexNet",
        year=2012,
        idea="Cut down until it works on 28×28 images as they are.",
        paper=_D2L_EXERCISE,
        make=for_28,
        recipes=("alexnet-28",),
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="alexnet-bn",
        title="AlexNet, batch norm",
        family="AlexNet",
        year=2015,
        idea="Batch norm takes the place of response normalisation; padding keeps sizes as TensorFlow does.",
        paper=f"{_PAPER}; Ioffe and Szegedy 2015, Batch normalization",
        make=batch_norm_form,
        parameters=(classes(10),),
    )
)
