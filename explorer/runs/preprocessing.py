"""How images become numbers before a network sees them, as plain values, and their one written form.

`RunConfig.normalization` holds that form and `runtime.images` computes with the values. Nothing here needs torch.
"""

import math
from dataclasses import dataclass
from typing import Literal

_MOST_CHANNELS = 64
_LARGEST = 1000.0
_SMALLEST_STD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """What is subtracted from each channel, and then divided by; pixels count from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def text(self) -> str:
        """For people: "mean 0.485, 0.456, 0.406, std 0.229, 0.224, 0.225"."""
        mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, std {std}"

    @property
    def written(self) -> str:
        """As `parse_normalization` reads it, to the last bit: "0.485,0.456,0.406/0.229,0.224,0.225"."""
        return "/".join(",".join(repr(value) for value in values) for values in (self.mean, self.std))


IMAGENET = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Of ImageNet's training images: what most published networks were trained with, torchvision's and others'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resizing:
    """How a photograph comes to the size that a network was trained on."""

    shorter_side: int
    """What the shorter side is brought to, in pixels."""
    crop: int
    """The side of the square that is then cut from the middle, in pixels; at most `shorter_side`."""
    interpolation: Literal["bilinear", "bicubic"]
    """Always with antialiasing."""


def parse_normalization(text: str) -> Normalization:
    """The normalisation in its written form: the means, a slash, the standard deviations, one of each a channel.

    Raises:
        ValueError: of another form, or values out of range.
    """
    parts = text.split("/")
    if len(parts) != 2:
        raise ValueError(f"{text!r}: use the means, a slash and the standard deviations: 0.5,0.5,0.5/0.25,0.25,0.25")
    mean, std = (tuple(float(value) for value in part.split(",")) for part in parts)
    if len(mean) != len(std) or len(mean) > _MOST_CHANNELS:
        raise ValueError(f"{text!r}: {len(mean)} means and {len(std)} standard deviations; one of each a channel")
    if not all(math.isfinite(value) and abs(value) <= _LARGEST for value in mean):
        raise ValueError(f"{text!r}: a mean lies from {-_LARGEST:g} to {_LARGEST:g}")
    if not all(_SMALLEST_STD <= value <= _LARGEST for value in std):
        raise ValueError(f"{text!r}: a standard deviation lies from {_SMALLEST_STD:g} to {_LARGEST:g}")
    return Normalization(mean=mean, std=std)
