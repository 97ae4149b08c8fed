"""From stored images to what a network takes: channels, size and scale. Which images there are is `training.data`."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.layers import Shape, format_shape
from explorer.runs.preprocessing import Normalization

_MOST_PADDING = 4
"""Pixels on each side up to which a larger input is padded: MNIST's 28×28 lie in the middle of LeNet-5's 32×32."""
_COUNTED_VALUES = 2**25
_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey: ITU-R BT.601, 2.5.1."""


def normalization_of(images: Tensor) -> Normalization:
    """Mean and standard deviation of each channel of uint8 images `(N, C, H, W)`."""
    return normalization_of_counts(count_values(images))


def count_values(images: Tensor) -> Tensor:
    """How often each value occurs in each channel of uint8 images `(N, C, H, W)`: `(C, 256)` in int64, on the CPU."""
    # In parts, without a copy of the data set.
    size = max(1, _COUNTED_VALUES // max(1, images[:1, 0].numel()))
    counts = torch.zeros(images.shape[1], 256, dtype=torch.int64)
    for part in torch.split(images, size):
        for channel in range(images.shape[1]):
            counts[channel] += torch.bincount(part[:, channel].reshape(-1), minlength=256).cpu()
    return counts


def normalization_of_counts(counts: Tensor) -> Normalization:
    """Mean and standard deviation of each channel, exactly, from the counts `(C, 256)` of its values."""
    values = torch.arange(256, dtype=torch.float64) / 255
    mean, std = [], []
    for channel in counts:
        share = channel.double() / int(channel.sum())
        centre = float((share * values).sum())
        mean.append(centre)
        std.append(float((share * (values - centre) ** 2).sum().sqrt()) or 1.0)
    return Normalization(mean=tuple(mean), std=tuple(std))


def to_network_input(images: Tensor, input_shape: Shape, normalization: Normalization) -> Tensor:
    """Images as the network takes them: `(N, *input_shape)` in float32, on the images' device.

    Padding happens before the scale, so that the border is black as the images' ground is.

    Args:
        images: `(N, C, H, W)`, uint8 from 0 to 255 or float from 0 to 1.
        input_shape: the network's `(channels, height, width)`.
        normalization: of the images' own channels, or else of the network's: grey images for a network that was
            trained in colour are repeated first and then treated as colour; with one value for all, of either.

    Raises:
        ValueError: the images' channels cannot become the network's, or the normalisation is of neither.
    """
    channels, height, width = input_shape
    _check_channels(images.shape[1], channels)
    check_normalization(normalization, images.shape[1], channels)
    x = images.to(torch.float32).div_(255) if images.dtype == torch.uint8 else images.to(torch.float32)
    down, right = height - x.shape[2], width - x.shape[3]
    if _is_padded(down, right):
        if down or right:
            x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
    else:
        x = F.interpolate(x, size=(height, width), mode="bilinear", antialias=True)
    mean, std = (per_channel(values, x.device, x.dtype) for values in (normalization.mean, normalization.std))
    if len(normalization.mean) in (x.shape[1], 1):
        # In place where the memory is new: that saves two fifths of the time on photographs.
        return _to_channels((x - mean).div_(std), channels)
    return (_to_channels(x, channels) - mean).div_(std)


@lru_cache(maxsize=64)
def per_channel(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """A number for each channel, `(1, C, 1, 1)`, made once for all batches; not to be changed in place.

    They are filled in there: a copy from the host, as `new_tensor` makes it, waits for all that a GPU has to do.
    """
    # Made in a test it is of use in training too.
    with torch.inference_mode(mode=False):
        return torch.cat([torch.full((1, 1, 1, 1), value, device=device, dtype=dtype) for value in values], 1)


def check_normalization(normalization: Normalization, stored: int, wanted: int) -> None:
    """Make sure that a normalisation is for the images' channels or for the network's.

    Raises:
        ValueError: neither; says what would fit.
    """
    given = len(normalization.mean)
    if given not in (stored, wanted, 1):
        fits = " or ".join(str(count) for count in sorted({1, stored, wanted}))
        raise ValueError(
            f"normalization: received {given} means and standard deviations for images of {stored} channels and a "
            f"network that takes {wanted}; use {fits} of each"
        )


def _to_channels(x: Tensor, channels: int) -> Tensor:
    if x.shape[1] == channels:
        return x
    if channels == 1:
        return (x * per_channel(_LUMA, x.device, x.dtype)).sum(1, keepdim=True)
    return x.expand(-1, channels, -1, -1).contiguous()


def input_notes(image_shape: Shape, input_shape: Shape) -> tuple[str, ...]:
    """What `to_network_input` does to images of a `(C, H, W)` beyond their scale, one sentence each.

    Raises:
        ValueError: as for `to_network_input`.
    """
    _check_channels(image_shape[0], input_shape[0])
    notes = []
    if image_shape[1:] != input_shape[1:]:
        sizes = f"{format_shape(image_shape[1:])} images are {{}} the network's {format_shape(input_shape[1:])}."
        is_padded = _is_padded(input_shape[1] - image_shape[1], input_shape[2] - image_shape[2])
        notes.append(sizes.format("padded with black to" if is_padded else "resized to"))
    if image_shape[0] != input_shape[0]:
        if input_shape[0] == 1:
            notes.append("Colour images are turned to grey.")
        else:
            notes.append(f"Grey images are repeated on the network's {input_shape[0]} channels.")
    return tuple(notes)


def probe_tensor(image: npt.NDArray[np.uint8] | npt.NDArray[np.floating]) -> Tensor:
    """A picture `(C, H, W)` or `(H, W)` as a batch of one `(1, C, H, W)`, with its values as they are.

    Raises:
        ValueError: of another shape or type.
    """
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"probe image: received the shape {image.shape}; use (H, W) or (C, H, W)")
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"probe image: received {image.dtype}; use uint8 from 0 to 255 or float from 0 to 1")
    # Copied: torch warns of arrays that must not be written, as pinned probes are.
    tensor = torch.from_numpy(np.array(image if image.ndim == 3 else image[None]))
    return tensor[None]


def _is_padded(down: int, right: int) -> bool:
    return 0 <= down <= 2 * _MOST_PADDING and 0 <= right <= 2 * _MOST_PADDING


def _check_channels(stored: int, wanted: int) -> None:
    if stored in (wanted, 1) or (stored == 3 and wanted == 1):
        return
    fits = f"{stored}, or 1 for grey" if stored == 3 else str(stored)
    raise ValueError(f"the network takes {wanted} channels, but the images have {stored}; set the input's to {fits}")
