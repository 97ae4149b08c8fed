"""Test images of a data set as small pictures, to lie beside what a network says of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.training.data import DataSet


def pictures_of(data: DataSet, positions: Sequence[int], side: int | None) -> npt.NDArray[np.uint8]:
    """Test images, `(N, C, H, W)` with 1 or 3 channels.

    Args:
        positions: among the test images.
        side: the longer side at most, in pixels; None for as they are stored.

    Raises:
        ValueError: there is no such image, so it is another data set than was tested.
    """
    count = len(data.test_images)
    if positions and not 0 <= min(positions) <= max(positions) < count:
        raise ValueError(f"{data.name}: received test image {max(positions):,}; it has {count:,} now")
    images = data.test_images[torch.tensor(positions, dtype=torch.int64)]
    longest = max(images.shape[2:])
    if side is not None and longest > side and len(images):
        size = [max(1, round(length * side / longest)) for length in images.shape[2:]]
        # In parts: a float copy of many large images takes more memory than they do.
        split = torch.split(images, 32)
        parts = [F.interpolate(part.float(), size=size, mode="bilinear", antialias=True) for part in split]
        images = torch.cat([part.round_().clamp_(0, 255).to(torch.uint8) for part in parts])
    shown: npt.NDArray[np.uint8] = (images if images.shape[1] in (1, 3) else images[:, :1]).numpy()
    return shown
