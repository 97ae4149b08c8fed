"""ConvNeXt: ResNet-50 brought up to date step by step (Liu et al. 2022)."""

from explorer.architecture import Architecture
from explorer.layers import GELU, LayerNorm, LayerNorm2d, LayerScale, Permute, StochasticDepth
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear
from explorer.zoo.catalogue import Entry, Pretrained, classes, number, register
from explorer.zoo.mobile_blocks import add_shortcut

_PAPER = "Liu, Mao, Wu, Feichtenhofer, Darrell and Xie 2022, A ConvNet for the 2020s"
_BLOCKS = (3, 3, 9, 3)
_NORM = LayerNorm2d(eps=1e-6)
_DROPPED = 0.1
"""Probability that the last block is skipped in training; it grows from 0 at the first."""


def convnext_tiny(classes: int = 1000, width: int = 96) -> Architecture:
    """ConvNeXt-T, with torchvision's names but for `layer_scale`, which is a layer here: 28,589,128 parameters.

    Args:
        classes: scores that leave.
        width: channels of the first stage; each further one doubles them.
    """
    net = Builder("ConvNeXt-Tiny", 3, 224, 224)
    net.add("features.0.0", conv(width, 4, 4))
    net.add("features.0.1", _NORM)
    net.block("features.0", "stem")
    done = 0
    for stage, count in enumerate(_BLOCKS):
        channels = width * 2**stage
        if stage > 0:
            net.add(f"features.{2 * stage}.0", _NORM)
            net.add(f"features.{2 * stage}.1", conv(channels, 2, 2))
            net.block(f"features.{2 * stage}", "downsampling")
        net.block(f"features.{2 * stage + 1}", "stage")
        for k in range(count):
            _block(net, f"features.{2 * stage + 1}.{k}", channels, _DROPPED * done / (sum(_BLOCKS) - 1))
            done += 1
    net.add("avgpool", adaptive_avg_pool(1))
    net.chain("classifier", [_NORM, flatten(), linear(classes)])
    net.block("features", "features")
    net.block("classifier", "classifier")
    return net.build()


def _block(net: Builder, path: str, channels: int, dropped: float) -> None:
    """A 7×7 depthwise convolution, then a perceptron at every pixel, with the channels last (figure 4, right)."""
    source = net.last
    net.chain(
        f"{path}.block",
        [
            conv(channels, 7, padding=3, groups=channels),
            Permute(dims=(2, 3, 1)),
            LayerNorm(eps=1e-6),
            *(linear(4 * channels), GELU(), linear(channels)),
            Permute(dims=(3, 1, 2)),
        ],
    )
    net.add(f"{path}.layer_scale", LayerScale(init_value=1e-6))
    net.add(f"{path}.stochastic_depth", StochasticDepth(p=dropped, mode="row"))
    add_shortcut(net, path, source)
    net.block(path, "ConvNeXt block")


register(
    Entry(
        id="convnext-tiny",
        title="ConvNeXt-Tiny",
        family="ConvNeXt",
        year=2022,
        idea="What transformers had learned, given back to convolutions: large depthwise kernels and layer norm.",
        paper=_PAPER,
        make=convnext_tiny,
        recipes=("modern-adamw",),
        parameters=(
            classes(1000),
            number("width", "Width", 96, 1, 1024, "Channels of the first stage; each further one doubles them."),
        ),
        pretrained=Pretrained(
            "convnext_tiny", "IMAGENET1K_V1", 82.52, 236, 224, renamed=((".layer_scale", ".layer_scale.weight"),)
        ),
    )
)
