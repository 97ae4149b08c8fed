"""Brightness, contrast, saturation, hue and lighting of batches `(N, C, H, W)` from 0 to 1, a factor for each image.

The first four compute what torchvision's functions of the same names do, which take one factor for a whole batch.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from explorer.runtime.images import per_channel

_LUMA = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in grey, as torchvision's `rgb_to_grayscale` has them."""
_MOST_PIXELS = 4_000_000
_MOST_IMAGES = 4096
_CHUNK_VALUES = 2**20
"""On the CPU the parts of a hue's computation stay in its cache."""


class Colours(NamedTuple):
    """How the training images' pixels are spread over colours."""

    mean: Tensor
    """`(C,)`, from 0 to 1."""
    components: Tensor
    """`(C, C)`: a principal component in each column, as long as the standard deviation along it."""

    def to(self, device: torch.device) -> "Colours":
        """In float32, on a device."""
        return Colours(self.mean.float().to(device), self.components.float().to(device))


def colours_of(images: Tensor) -> Colours:
    """The colours of uint8 images `(N, C, H, W)`, on the CPU in float64; of large sets, of pixels spread evenly.

    Krizhevsky et al. 2012, section 4.1, add each principal component of the RGB values times its eigenvalue times a
    normal number. An eigenvalue is a variance and depends on the square of a pixel's unit; its root, which is taken
    here, goes with it, and images from 0 to 1 and from 0 to 255 get the same noise.
    """
    count, channels, height, width = images.shape
    every = -(-count // _MOST_IMAGES)
    apart = max(1, math.ceil(math.sqrt(-(-count // every) * height * width / _MOST_PIXELS)))
    pixels = images[::every, :, ::apart, ::apart].to("cpu", torch.float64) / 255
    pixels = pixels.transpose(0, 1).reshape(channels, -1)
    mean = pixels.mean(1)
    centred = pixels - mean[:, None]
    eigenvalues, eigenvectors = torch.linalg.eigh(centred @ centred.T / pixels.shape[1])
    return Colours(mean, eigenvectors * eigenvalues.clamp(min=0).sqrt())


def adjust_brightness(x: Tensor, factors: Tensor) -> Tensor:
    """All values times `factors` `(N,)`, kept in 0 to 1."""
    return (x * _per_image(factors)).clamp_(0, 1)


def adjust_contrast(x: Tensor, factors: Tensor) -> Tensor:
    """Differences from the image's mean grey times `factors` `(N,)`, kept in 0 to 1."""
    return torch.lerp(_grey(x).mean((1, 2, 3), keepdim=True), x, _per_image(factors)).clamp_(0, 1)


def adjust_saturation(x: Tensor, factors: Tensor) -> Tensor:
    """Differences from each pixel's grey times `factors` `(N,)`, kept in 0 to 1; other images than RGB stay."""
    return torch.lerp(_grey(x), x, _per_image(factors)).clamp_(0, 1) if x.shape[1] == 3 else x


def adjust_hue(x: Tensor, turns: Tensor) -> Tensor:
    """Hues turned by `turns` `(N,)` of the colour circle; other images than RGB stay.

    By way of hue, chroma and value (Smith 1978, "Color gamut transform pairs"), as torchvision does.
    """
    if x.shape[1] != 3:
        return x
    size = max(1, _CHUNK_VALUES // x[0].numel()) if x.device.type == "cpu" else len(x)
    parts = zip(torch.split(x, size), torch.split(turns, size), strict=True)
    return torch.cat([_turned(part, turn) for part, turn in parts])


def shift_colours(x: Tensor, amounts: Tensor, colours: Colours) -> Tensor:
    """Each image shifted by `amounts` `(N, C)` of the principal components, kept in 0 to 1."""
    shifts = amounts @ colours.components.to(x.dtype).T
    return (x + shifts.view(len(x), -1, 1, 1)).clamp_(0, 1)


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    red, green, blue = x.unbind(1)
    value = x.amax(1)
    chroma = value - x.amin(1)
    divisor = torch.where(chroma == 0, 1.0, chroma)
    # In sixths of the circle: 0 is red, 2 green, 4 blue.
    from_red = (green - blue) / divisor
    from_green = (blue - red) / divisor + 2
    from_blue = (red - green) / divisor + 4
    hue = torch.where(value == red, from_red, torch.where(value == green, from_green, from_blue))
    hue = hue + 6 * turns.view(-1, 1, 1)
    places = (per_channel((5.0, 3.0, 1.0), x.device, x.dtype) + hue.unsqueeze(1)).remainder_(6)
    away = torch.minimum(places, 4 - places).clamp_(0, 1)
    return value.unsqueeze(1) - chroma.unsqueeze(1) * away


def _grey(x: Tensor) -> Tensor:
    """`(N, 1, H, W)`: by luma where the channels are red, green and blue, else their mean."""
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    return (x * per_channel(_LUMA, x.device, x.dtype)).sum(1, keepdim=True)


def _per_image(factors: Tensor) -> Tensor:
    return factors.view(-1, 1, 1, 1)
