"""VGG: nothing but 3×3 convolutions, stacked deep (Simonyan and Zisserman 2014)."""

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, Layer, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, one_of, register, switch

_PAPER = "Simonyan and Zisserman 2014, Very deep convolutional networks for large-scale image recognition"

# Table 1, columns A, B, D and E: 3×3 convolutions before each of the five poolings.
_CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
_WIDTHS = (1, 2, 4, 8, 8)

_TOP1 = {11: 69.02, 13: 69.928, 16: 71.592, 19: 72.376}
_TOP1_WITH_NORM = {11: 70.37, 13: 71.586, 16: 73.36, 19: 74.218}


def vgg(depth: int = 16, batch_norm: bool = False, classes: int = 1000, width: int = 64) -> Architecture:
    """A network of table 1, by its number of layers with weights; torchvision's names.

    Args:
        depth: 11, 13, 16 or 19.
        batch_norm: normalise behind every convolution.
        classes: scores that leave.
        width: channels of the first stage; the others have 2, 4, 8 and 8 times as many.
    """
    net = Builder(f"VGG-{depth}{', batch norm' if batch_norm else ''}", 3, 224, 224)
    layers: list[Layer] = []
    for count, factor in zip(_CONVOLUTIONS[depth], _WIDTHS, strict=True):
        for _ in range(count):
            layers.append(conv(width * factor, 3, padding=1))
            if batch_norm:
                layers.append(BatchNorm2d())
            layers.append(ReLU())
        layers.append(max_pool(2))
    net.chain("features", layers)
    net.add("avgpool", adaptive_avg_pool(7))
    net.add("flatten", flatten())
    net.chain(
        "classifier",
        [linear(4096), ReLU(), Dropout(p=0.5), linear(4096), ReLU(), Dropout(p=0.5), linear(classes)],
    )
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


_IDEAS = {
    11: "Two 3×3 convolutions see as much as one 5×5, with fewer weights and one more bend between them.",
    13: "Two convolutions before every pooling.",
    16: "Thirteen convolutions and three fully connected layers: for years the features that others built on.",
    19: "The deepest of the paper, where more layers ceased to lower the error.",
}

for _depth, _idea in _IDEAS.items():
    for _norm in (False, True):
        _top1 = (_TOP1_WITH_NORM if _norm else _TOP1)[_depth]
        register(
            Entry(
                id=f"vgg{_depth}{'-bn' if _norm else ''}",
                title=f"VGG-{_depth}{', batch norm' if _norm else ''}",
                family="VGG",
                year=2015 if _norm else 2014,
                idea=f"VGG-{_depth} normalised behind every convolution: it trains without tricks." if _norm else _idea,
                paper=f"{_PAPER}; Ioffe and Szegedy 2015, Batch normalization" if _norm else _PAPER,
                make=vgg,
                recipes=("vgg-bn-imagenette",) if _norm else (),
                parameters=(
                    one_of("depth", "Depth", _depth, tuple(_CONVOLUTIONS), "Layers with weights."),
                    switch("batch_norm", "Batch norm", _norm, "Normalises behind every convolution."),
                    classes(1000),
                    number("width", "Width", 64, 1, 512, "Channels of the first stage; the last has 8 times as many."),
                ),
                pretrained=Pretrained(f"vgg{_depth}{'_bn' if _norm else ''}", "IMAGENET1K_V1", _top1, 256, 224),
            )
        )
