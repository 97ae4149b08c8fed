"""LeNet: the network that read cheques, the original and its later forms (LeCun, Bottou, Bengio and Haffner 1998)."""

from functools import partial

from explorer.architecture import Architecture
from explorer.layers import (
    Dropout,
    Layer,
    PartialConv2d,
    RadialBasis,
    ReLU,
    ScaledTanh,
    Softmax,
    Subsampling,
    Tanh,
)
from explorer.layers.lenet import C3_CONNECTIONS, DIGIT_PATTERNS
from explorer.zoo.builder import Builder, avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, classes, register

_PAPER = "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition"
_TAUGHT = f"{_PAPER}; a form from later courses"


def lenet5_1998() -> Architecture:
    """The original of section II.B: 60,000 trainable parameters up to F6, and an output that compares with bitmaps."""
    net = Builder("LeNet-5, 1998", 1, 32, 32)

    def squashed(node_id: str, layer: Layer) -> None:
        net.add(node_id, layer)
        net.add(f"{node_id}_tanh", ScaledTanh(amplitude=1.7159, slope=2 / 3))

    squashed("c1", conv(6, 5))
    squashed("s2", Subsampling(kernel_size=(2, 2), stride=(2, 2)))
    squashed("c3", PartialConv2d(connections=C3_CONNECTIONS, kernel_size=(5, 5)))
    squashed("s4", Subsampling(kernel_size=(2, 2), stride=(2, 2)))
    squashed("c5", conv(120, 5))
    net.add("flatten", flatten())
    squashed("f6", linear(84))
    net.add("output", RadialBasis(patterns=DIGIT_PATTERNS))
    return net.build()


def lenet5(classes: int = 10) -> Architecture:
    """LeNet-5 as it is taught today: full connections in C3, no weights in the pooling, 61,706 parameters."""
    net = Builder("LeNet-5", 1, 32, 32)
    net.add("conv1", conv(6, 5))
    net.add("tanh1", Tanh())
    net.add("pool1", avg_pool(2))
    net.add("conv2", conv(16, 5))
    net.add("tanh2", Tanh())
    net.add("pool2", avg_pool(2))
    net.add("flatten", flatten())
    net.add("fc1", linear(120))
    net.add("tanh3", Tanh())
    net.add("fc2", linear(84))
    net.add("tanh4", Tanh())
    net.add("fc3", linear(classes))
    return net.build()


def lenet5_tanh84() -> Architecture:
    """The form whose classifier stops at the 84-wide layer, with a softmax over it: 60,856 parameters."""
    net = Builder("LeNet-5, softmax over 84", 1, 32, 32)
    net.add("conv1", conv(6, 5))
    net.add("tanh1", Tanh())
    net.add("pool1", avg_pool(2))
    net.add("conv2", conv(16, 5))
    net.add("tanh2", Tanh())
    net.add("pool2", avg_pool(2))
    net.add("flatten", flatten())
    net.add("fc1", linear(120))
    net.add("tanh3", Tanh())
    net.add("fc2", linear(84))
    net.add("softmax", Softmax())
    return net.build()


def lenet_plain(classes: int = 10) -> Architecture:
    """Convolutions, max pooling and nothing between: 61,610 parameters, linear but for the pooling."""
    net = Builder("LeNet, no activations", 1, 28, 28)
    net.add("layer1.conv1", conv(6, 3, padding=1))
    net.add("layer1.pool1", max_pool(2))
    net.add("layer2.conv2", conv(16, 5))
    net.add("layer2.pool2", max_pool(2))
    net.add("flatten", flatten())
    net.add("layer3.fc1", linear(120))
    net.add("layer3.fc2", linear(84))
    net.add("layer3.fc3", linear(classes))
    for path in ("layer1", "layer2"):
        net.block(path, "convolution and pooling")
    net.block("layer3", "classifier")
    return net.build()


def lenet5_max(channels: int = 1, classes: int = 10) -> Architecture:
    """Max pooling, no activations, grey or colour; returns the logits and their probabilities."""
    net = Builder("LeNet-5, max pooling" + (", colour" if channels == 3 else ""), channels, 32, 32)
    net.add("features.0", conv(6, 5))
    net.add("features.1", max_pool(2))
    net.add("features.2", conv(16, 5))
    net.add("features.3", max_pool(2))
    net.add("flatten", flatten())
    net.add("classifier.0", linear(120))
    net.add("classifier.1", linear(84))
    logits = net.add("classifier.2", linear(classes))
    probabilities = net.add("softmax", Softmax())
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build(outputs=(logits, probabilities))


def lenet5_relu_dropout(classes: int = 10) -> Architecture:
    """LeNet-5 with AlexNet's two ideas, ReLU and dropout, on 28×28 images."""
    net = Builder("LeNet-5, ReLU and dropout", 1, 28, 28)
    layers: list[Layer] = [
        conv(6, 5, padding=2),
        ReLU(),
        avg_pool(2),
        conv(16, 5),
        ReLU(),
        avg_pool(2),
        flatten(),
        linear(120),
        ReLU(),
        Dropout(p=0.2),
        linear(84),
        ReLU(),
        Dropout(p=0.2),
        linear(classes),
    ]
    names = ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten"]
    names += ["fc1", "relu3", "dropout1", "fc2", "relu4", "dropout2", "fc3"]
    for name, layer in zip(names, layers, strict=True):
        net.add(name, layer)
    return net.build()


register(
    Entry(
        id="lenet5",
        title="LeNet-5",
        family="LeNet",
        year=1998,
        idea="Learned convolutions, subsampling and a classifier, trained together from pixels to digits.",
        paper=_TAUGHT,
        make=lenet5,
        recipes=("lenet5-digits", "lenet5-mnist"),
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="lenet5-1998",
        title="LeNet-5, 1998",
        family="LeNet",
        year=1998,
        idea="The original: subsampling that learns, a sparse third layer, and outputs that compare with drawn digits.",
        paper=_PAPER,
        make=lenet5_1998,
    )
)
register(
    Entry(
        id="lenet5-tanh84",
        title="LeNet-5, softmax over 84",
        family="LeNet",
        year=1998,
        idea="The form that stops at the 84-wide layer and takes a softmax over it.",
        paper=_TAUGHT,
        make=lenet5_tanh84,
    )
)
register(
    Entry(
        id="lenet-plain",
        title="LeNet, no activations",
        family="LeNet",
        year=1998,
        idea="Without activations only the max pooling bends: see what that costs in accuracy.",
        paper=_TAUGHT,
        make=lenet_plain,
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="lenet5-max",
        title="LeNet-5, max pooling",
        family="LeNet",
        year=1998,
        idea="Max pooling in place of averages; returns logits and probabilities side by side.",
        paper=_TAUGHT,
        make=lenet5_max,
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="lenet5-max-colour",
        title="LeNet-5, max pooling, colour",
        family="LeNet",
        year=1998,
        idea="The same for colour images: only the first convolution grows.",
        paper=_TAUGHT,
        make=partial(lenet5_max, channels=3),
        parameters=(classes(10),),
    )
)
register(
    Entry(
        id="lenet5-relu-dropout",
        title="LeNet-5, ReLU and dropout",
        family="LeNet",
        year=2012,
        idea="AlexNet's ReLU and dropout brought back to the older network.",
        paper=f"{_PAPER}; Krizhevsky, Sutskever and Hinton 2012; a form from later courses",
        make=lenet5_relu_dropout,
        recipes=("lenet5-relu-dropout",),
        parameters=(classes(10),),
    )
)
