"""Photographs as the networks of ImageNet take them: resize, centre crop, scale. Data sets' own form is `images`."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs.preprocessing import Normalization, Resizing


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How an image becomes the input that a network was trained on."""

    resize: int
    """The shorter side that an image is brought to, in pixels."""
    crop: int
    """The side of the square that is cut from its middle, in pixels; at most `resize`."""
    interpolation: Literal["bilinear", "bicubic"]
    """Always with antialiasing."""
    mean: tuple[float, ...]
    """Subtracted from each colour, of 0 to 1."""
    std: tuple[float, ...]
    """Each colour is then divided by it."""

    @property
    def normalization(self) -> Normalization:
        """The last step alone, in the form that data sets have it."""
        return Normalization(mean=self.mean, std=self.std)

    @property
    def resizing(self) -> Resizing:
        """What comes before it."""
        return Resizing(shorter_side=self.resize, crop=self.crop, interpolation=self.interpolation)

    @property
    def text(self) -> str:
        """The steps in words."""
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return (
            f"shorter side to {self.resize} pixels ({self.interpolation}), the middle {self.crop}×{self.crop} cut out, "
            f"colours of 0 to 1 minus {mean} and divided by {std}"
        )


def preprocess(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Images as a network takes them, `(N, 3, crop, crop)` in float32: torchvision's `ImageClassification` preset.

    Args:
        images: `(N, 3, H, W)` in uint8, of any size.
        preprocessing: how.
    """
    height, width = images.shape[-2:]
    shorter, side, crop = min(height, width), preprocessing.resize, preprocessing.crop
    size = (int(side * height / shorter), int(side * width / shorter))
    x = images.to(torch.float32)
    if size != (height, width):
        x = F.interpolate(x, size=size, mode=preprocessing.interpolation, antialias=True, align_corners=False)
        x = x.clamp(0, 255).round()  # torchvision's preset keeps whole numbers here, as stored images do
    top, left = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    x = x[..., top : top + crop, left : left + crop] / 255
    mean, std = (x.new_tensor(values).view(-1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    return (x - mean) / std
