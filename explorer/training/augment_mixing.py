"""Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019): a batch mixed with itself in another order.

How much is drawn for each image by itself. Which of the two is on is `runs.augmentation`'s to say.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.training.to_device import to_device

Values = npt.NDArray[np.float64]


def mix(
    x: Tensor,
    target: Tensor,
    num_classes: int,
    mixup_alpha: float | None,
    cutmix_alpha: float | None,
    random: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """The images `(N, C, H, W)` mixed, and the shares of the classes `(N, num_classes)` in float32.

    Args:
        x: `(N, C, H, W)`, float.
        target: `(N,)`, int64.
        num_classes: of the network's output.
        mixup_alpha: None for no Mixup.
        cutmix_alpha: None for no CutMix. With both, each image gets one of the two, with equal chances.
        random: drawn from.
    """
    classes = F.one_hot(target, num_classes).to(torch.float32)
    if mixup_alpha is None and cutmix_alpha is None:
        return x, classes
    count, _, height, width = x.shape
    partner = to_device(random.permutation(count), x.device)
    is_cut = random.random(count) < _share_of_cutmix(mixup_alpha, cutmix_alpha)
    kept = _kept_shares(mixup_alpha, count, random)
    top, bottom, left, right = boxes_of(_kept_shares(cutmix_alpha, count, random), height, width, random)
    cut_away = (bottom - top) * (right - left) / (height * width)
    rows, columns = np.arange(height), np.arange(width)
    in_rows = (rows >= top[:, None]) & (rows < bottom[:, None]) & is_cut[:, None]
    in_columns = (columns >= left[:, None]) & (columns < right[:, None])
    both_on = to_device(np.concatenate([in_rows, in_columns], 1), x.device)
    in_rows_on, in_columns_on = torch.split(both_on, [height, width], 1)
    is_pasted = (in_rows_on.unsqueeze(2) & in_columns_on.unsqueeze(1)).unsqueeze(1)
    other = x[partner]
    # An image has either a rectangle or a blend: where it is cut, its blend is all its own.
    both = np.stack([np.where(is_cut, 1.0, kept), np.where(is_cut, 1 - cut_away, kept)])
    own, shares = to_device(both, x.device, torch.float32)
    mixed = torch.where(is_pasted, other, torch.lerp(other, x, own.to(x.dtype).view(-1, 1, 1, 1)))
    return mixed, torch.lerp(classes[partner], classes, shares.view(-1, 1))


def share_text(shares: Tensor, class_names: Sequence[str]) -> str:
    """What is in a mixed image: "boot", or "0.70 boot + 0.30 bag"; shares that round to nothing are left out.

    Args:
        shares: `(num_classes,)`, which sum to 1.
        class_names: of as many classes.
    """
    order = shares.argsort(descending=True).tolist()
    said = [(class_names[place], text) for place in order if (text := f"{float(shares[place]):.2f}") != "0.00"]
    return said[0][0] if len(said) == 1 else " + ".join(f"{share} {name}" for name, share in said)


def boxes_of(kept: Values, height: int, width: int, random: np.random.Generator) -> tuple[npt.NDArray[np.int64], ...]:
    """Top, bottom, left and right of each image's rectangle, `(N,)` each, the ends exclusive.

    As Yun et al. 2019, section 3.1: of the image's aspect ratio, covering `1 - kept` of it, about a centre anywhere, so
    that what lies beyond the border is lost.
    """
    side = np.sqrt(1 - kept)
    edges = []
    for length in (height, width):
        centre = random.random(len(kept)) * length
        half = side * length / 2
        edges += [np.rint(centre - half), np.rint(centre + half)]
    limits = (height, height, width, width)
    top, bottom, left, right = (edge.clip(0, limit).astype(np.int64) for edge, limit in zip(edges, limits, strict=True))
    return top, bottom, left, right


def _share_of_cutmix(mixup_alpha: float | None, cutmix_alpha: float | None) -> float:
    if cutmix_alpha is None:
        return 0.0
    return 1.0 if mixup_alpha is None else 0.5


def _kept_shares(alpha: float | None, count: int, random: np.random.Generator) -> Values:
    """What each image keeps of itself; everything where alpha is 0, which no Beta distribution has: mixing is off."""
    return random.beta(alpha, alpha, count) if alpha else np.ones(count)
