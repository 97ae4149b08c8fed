"""Histograms equal to numpy's: on a GPU many at a time and without a wait for it, ranges and counts staying there until
they are fetched with everything else; on the CPU by numpy's kernels, which take a fifth of the time that torch's do."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.runs import Histogram

NUM_BINS = 64
_Floats = npt.NDArray[np.float32]
_BLOCK = 2**16
"""Values that are counted at once on the CPU, so that they stay in its cache."""
_SMALLER = np.float32(0.25)
_SLOTS = NUM_BINS + 1
"""The bins and, last, what is not finite; also the ends of all bins."""


class DeviceHistograms(NamedTuple):
    """Histograms that have not been fetched."""

    ends: Tensor
    """`(K, 2)` float32: where the first bin of each begins and its last one ends."""
    counts: Tensor
    """`(K, NUM_BINS + 1)` int64; the last column counts what is not finite."""


def count_bins(parts: Sequence[Tensor]) -> DeviceHistograms:
    """A histogram of each part, with the counts of `numpy.histogram(part, 64)` to the last one.

    Values are put into a bin by a division and then, as numpy does, compared with the bin's ends, which are computed in
    float32 as numpy's are: what lies at an end by rounding alone is counted where numpy counts it.

    Args:
        parts: one or more, each `(n,)` in float32 with n of 1 or more, on one device.
    """
    if parts[0].device.type != "cpu":
        return count_bins_queued(parts)
    found = [_counted(part.numpy()) for part in parts]
    ends = np.array([(low, high) for low, high, _ in found], np.float32)
    return DeviceHistograms(torch.from_numpy(ends), torch.from_numpy(np.stack([counts for _, _, counts in found])))


def _counted(values: _Floats) -> tuple[np.float32, np.float32, npt.NDArray[np.int64]]:
    """Both ends of one part, and its counts. Not by `numpy.histogram`, which refuses bins narrower than float32 tells
    apart, as those of a norm's weights are at first, and ranges that it cannot hold."""
    finite = np.isfinite(values)
    num_all = len(values)
    if not finite.all():
        values = values[finite]
    low, high = (values.min(), values.max()) if len(values) else (np.float32(0.0), np.float32(1.0))
    if low == high:
        low, high = low - np.float32(0.5), high + np.float32(0.5)
    counts = np.zeros(_SLOTS, np.int64)
    with np.errstate(all="ignore"):
        first, width = low, high - low
        if not np.isfinite(width):
            # What lies between ends so far apart fits into a float32 once all is smaller.
            values, first, last = values * _SMALLER, low * _SMALLER, high * _SMALLER
            width = last - first
        edges = np.append(
            np.arange(NUM_BINS, dtype=np.float32) * (width / np.float32(NUM_BINS)) + first, np.float32("inf")
        )
        for start in range(0, len(values), _BLOCK):
            block = values[start : start + _BLOCK]
            places = (block - first) / width * np.float32(NUM_BINS)
            bins = np.clip(places.astype(np.int64), 0, NUM_BINS - 1)
            bins -= block < edges[bins]
            bins += block >= edges[bins + 1]
            counts += np.bincount(bins, minlength=_SLOTS)
    counts[NUM_BINS] = num_all - len(values)
    return low, high, counts


def count_bins_queued(parts: Sequence[Tensor]) -> DeviceHistograms:
    """As `count_bins`, by kernels alone: some twenty, however many parts there are, and no wait for any."""
    device, count = parts[0].device, len(parts)
    sizes = torch.tensor([len(part) for part in parts])
    values = torch.cat(list(parts))
    finite = torch.isfinite(values)
    low, high = _limits(values, finite, sizes.tolist())
    # As numpy's: half on each side of values that are all equal, and 0 to 1 where there is none.
    is_empty, is_one = low > high, low == high
    low, high = torch.where(is_empty, 0.0, low - 0.5 * is_one), torch.where(is_empty, 1.0, high + 0.5 * is_one)
    owners = torch.arange(count, device=device).repeat_interleave(sizes.to(device), output_size=len(values))
    # What lies between ends too far apart for a float32 fits into one once all is smaller.
    shares = torch.where(torch.isinf(high - low), float(_SMALLER), 1.0)
    values, first = values * shares.take(owners), low * shares
    widths = high * shares - first
    edges = torch.arange(NUM_BINS, dtype=torch.float32, device=device) * (widths / NUM_BINS)[:, None] + first[:, None]
    # A last bin takes whatever lies above its beginning.
    edges = torch.cat([edges, torch.full_like(low, math.inf)[:, None]], 1)
    places = (values - first.take(owners)).div_(widths.take(owners)).mul_(NUM_BINS)
    # What is not finite is at any place until it gets its own.
    bins = places.clamp_(0, NUM_BINS - 1).nan_to_num_(0.0).to(torch.int64).add_(owners, alpha=_SLOTS)
    bins -= (values < edges.take(bins)).to(torch.int64)
    bins += (values >= edges.take(bins + 1)).to(torch.int64)
    bins = torch.where(finite, bins, owners * _SLOTS + NUM_BINS)
    counts = torch.zeros(count * _SLOTS, dtype=torch.int64, device=device)
    counts.scatter_add_(0, bins, torch.ones_like(bins))
    return DeviceHistograms(torch.stack([low, high], 1), counts.view(count, _SLOTS))


def _limits(values: Tensor, finite: Tensor, sizes: list[int]) -> tuple[Tensor, Tensor]:
    """The smallest and largest finite value of each part, `(K,)`; infinite the wrong way round where there is none."""
    highest = torch._foreach_max(list(torch.split(torch.where(finite, values, -math.inf), sizes)))
    lowest = torch._foreach_max(list(torch.split(torch.where(finite, -values, -math.inf), sizes)))
    return -torch.stack(list(lowest)), torch.stack(list(highest))


def to_histogram(ends: npt.NDArray[np.float32], counts: npt.NDArray[np.int64], scale: float = 1.0) -> Histogram:
    """What was fetched of one of `DeviceHistograms`.

    Args:
        ends: `(2,)`.
        counts: `(NUM_BINS + 1,)`.
        scale: what the values were multiplied by.
    """
    return Histogram(
        low=float(ends[0]) / scale,
        high=float(ends[1]) / scale,
        counts=counts[:NUM_BINS].copy(),
        num_not_finite=int(counts[NUM_BINS]),
    )


def spread_sample(tensors: Sequence[Tensor], most: int) -> Tensor:
    """All values of tensors, or every k-th where they are more than `most`: `(n,)` in float32.

    `k` has no divisor in common with a tensor's size, so that the positions go through all images, channels, rows and
    columns alike. Of a part, nothing else is kept in memory.
    """
    total = sum(tensor.numel() for tensor in tensors)
    least = -(-total // most)
    parts = []
    for tensor in tensors:
        flat = _flat(tensor.detach())
        parts.append(flat if least == 1 else flat[:: spread_stride(flat.numel(), least)].clone())
    whole = parts[0] if len(parts) == 1 else torch.cat([part.to(parts[0].device) for part in parts])
    return whole.to(torch.float32)


def _flat(tensor: Tensor) -> Tensor:
    """All values, in the order in which they lie in memory where that saves a copy."""
    if tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last):
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(-1)


def spread_stride(size: int, least: int) -> int:
    """The smallest stride, `least` or more, that has no divisor in common with `size`."""
    stride = least
    while math.gcd(stride, size) != 1:
        stride += 1
    return stride
