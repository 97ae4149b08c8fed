"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights (Iandola et al. 2016)."""

from explorer.architecture import Architecture
from explorer.layers import Concat, Dropout, ReLU
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, max_pool
from explorer.zoo.catalogue import Entry, Pretrained, classes, one_of, register

_PAPER = (
    "Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer 2016, "
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size"
)
_POOL = "pool"
# Channels of each Fire module's squeeze and of each of its two expands, and where a pooling stands.
_SEQUENCES: dict[str, tuple[tuple[int, int] | str, ...]] = {
    "1.0": ((16, 64), (16, 64), (32, 128), _POOL, (32, 128), (48, 192), (48, 192), (64, 256), _POOL, (64, 256)),
    "1.1": ((16, 64), (16, 64), _POOL, (32, 128), (32, 128), _POOL, (48, 192), (48, 192), (64, 256), (64, 256)),
}


def squeezenet(version: str = "1.0", classes: int = 1000) -> Architecture:
    """SqueezeNet, with torchvision's names: 1,248,424 parameters, version 1.1 1,235,496.

    Args:
        version: "1.0" is the paper's; "1.1" pools earlier and needs 2.4 times fewer multiplications.
        classes: scores that leave.
    """
    net = Builder(f"SqueezeNet {version}", 3, 224, 224)
    pool = max_pool(3, 2, ceil_mode=True)
    net.add("features.0", conv(96, 7, 2) if version == "1.0" else conv(64, 3, 2))
    net.add("features.1", ReLU())
    net.add("features.2", pool)
    for i, part in enumerate(_SEQUENCES[version], 3):
        if isinstance(part, tuple):
            fire(net, f"features.{i}", *part)
        else:
            net.add(f"features.{i}", pool)
    net.chain("classifier", [Dropout(p=0.5), conv(classes, 1), ReLU(), adaptive_avg_pool(1)])
    net.add("flatten", flatten())
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def fire(net: Builder, path: str, squeeze: int, expand: int) -> str:
    """A 1×1 convolution to few channels, then 1×1 and 3×3 ones side by side (figure 1)."""
    net.add(f"{path}.squeeze", conv(squeeze, 1))
    source = net.add(f"{path}.squeeze_activation", ReLU())
    net.add(f"{path}.expand1x1", conv(expand, 1))
    one = net.add(f"{path}.expand1x1_activation", ReLU())
    net.add(f"{path}.expand3x3", conv(expand, 3, padding=1), after=source)
    three = net.add(f"{path}.expand3x3_activation", ReLU())
    net.block(path, "fire")
    return net.add(f"{path}.concat", Concat(), after=(one, three))


for _version, _idea, _top1 in (
    (
        "1.0",
        "Squeeze to a few channels, then expand with 1×1 and 3×3 kernels: AlexNet's accuracy in five megabytes.",
        58.092,
    ),
    ("1.1", "The same accuracy with earlier pooling, for less than half of the arithmetic.", 58.178),
):
    register(
        Entry(
            id=f"squeezenet{_version.replace('.', '-')}",
            title=f"SqueezeNet {_version}",
            family="SqueezeNet",
            year=2016,
            idea=_idea,
            paper=_PAPER,
            make=squeezenet,
            parameters=(
                one_of("version", "Version", _version, tuple(_SEQUENCES), "1.0 is the paper's, 1.1 the cheaper one."),
                classes(1000),
            ),
            pretrained=Pretrained(f"squeezenet{_version.replace('.', '_')}", "IMAGENET1K_V1", _top1, 256, 224),
        )
    )
