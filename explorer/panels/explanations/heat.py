"""Pictures of explanations from arrays: the image as the network got it, and heat laid over it. Cards are drawn in
`cards`.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from explorer.look import ramps

_Bytes = npt.NDArray[np.uint8]

_CRISP_UP_TO = 64
"""Pixels of an image's longer side up to which each is shown as a square of its own."""
_MOST_PADDING = 8
"""Pixels by which an image may be smaller than the network's input, and is padded (`runtime.images`)."""
_PER_MILLE = 995
"""Of a saliency map's values that the scale reaches; single pixels above it would leave the rest black."""


@lru_cache(maxsize=1)
def heat_colours() -> _Bytes:
    """`(256, 3)`: red, green and blue of `ramps.heat`."""
    levels = ramps.heat(256)
    return np.stack([levels >> shift & 0xFF for shift in (16, 8, 0)], 1).astype(np.uint8)


def seen(image: npt.NDArray[np.float32]) -> _Bytes:
    """What the network was given, `(C, H, W)` with any scale, as `(H, W, 3)` from its least to its greatest value."""
    shown = image if len(image) == 3 else image[:1]
    low, high = float(shown.min()), float(shown.max())
    levels = (shown - low) * (255 / (high - low) if high > low else 0)
    return np.ascontiguousarray(
        np.broadcast_to(levels, (3, *shown.shape[1:])).round().astype(np.uint8).transpose(1, 2, 0)
    )


def given(image: npt.NDArray[Any], height: int, width: int) -> _Bytes:
    """A stored image `(H, W)` or `(3, H, W)` at a network's size, as `(height, width, 3)`, in its true colours.

    A little smaller ones lie on black, others are resized, as training does it.
    """
    stored = image if image.dtype == np.uint8 else (image * 255).clip(0, 255).astype(np.uint8)
    rows = np.stack([stored] * 3, 2) if stored.ndim == 2 else stored.transpose(1, 2, 0)
    rows = np.ascontiguousarray(np.broadcast_to(rows, (*rows.shape[:2], 3)))
    down, right = height - rows.shape[0], width - rows.shape[1]
    if not (0 <= down <= _MOST_PADDING and 0 <= right <= _MOST_PADDING):
        return resized(rows, width, height, smooth=True)
    return np.pad(rows, ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)))


def saliency_levels(saliency: npt.NDArray[np.float32]) -> _Bytes:
    """`(H, W)` from none to most; the largest half per cent of the pixels are all most."""
    return _levels(saliency, float(np.quantile(saliency, _PER_MILLE / 1000)) or float(saliency.max()))


def cam_levels(cam: npt.NDArray[np.float32]) -> _Bytes:
    """`(h, w)` from none to most."""
    return _levels(cam, float(cam.max()))


def resized(picture: _Bytes, width: int, height: int, *, smooth: bool) -> _Bytes:
    """`(H, W)` or `(H, W, 3)` at another size: pixel for pixel, or with bilinear weights, as Grad-CAM's authors do it.

    In numpy, which takes a fifth of the time that Qt does: saliency and Grad-CAM change with each answer.
    """
    if smooth:
        down, across = _weights(picture.shape[0], height), _weights(picture.shape[1], width)
        made = np.tensordot(across, np.tensordot(down, picture.astype(np.float32), (1, 0)), (1, 1)).swapaxes(0, 1)
        levels: _Bytes = made.round().clip(0, 255).astype(np.uint8)
        return levels
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    taken: _Bytes = picture[rows[:, None], columns]
    return taken


@lru_cache(maxsize=64)
def _weights(length: int, wanted: int) -> npt.NDArray[np.float32]:
    """`(wanted, length)`: how much of each pixel is in a pixel of another size; a triangle, wider where it shrinks."""
    scale = max(1.0, length / wanted)
    centres = (np.arange(wanted) + 0.5) * length / wanted - 0.5
    weights = np.maximum(0.0, 1 - np.abs(np.arange(length)[None] - centres[:, None]) / scale)
    shares: npt.NDArray[np.float32] = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return shares


def is_crisp(picture: npt.NDArray[Any]) -> bool:
    """Whether its pixels are to be seen one by one."""
    height, width = picture.shape[:2]
    return max(int(height), int(width)) <= _CRISP_UP_TO


def blended(ground: _Bytes, levels: _Bytes, opacity: float) -> _Bytes:
    """Heat `(H, W)` over a picture `(H, W, 3)`; with an opacity of 0 the picture, of 1 the heat alone."""
    part = round(opacity * 256)
    heat = (heat_colours().astype(np.uint16) * part)[levels]
    return ((ground.astype(np.uint16) * (256 - part) + heat) >> 8).astype(np.uint8)


def as_qimage(picture: _Bytes) -> QImage:
    """A picture `(H, W, 3)`, with memory of its own, in the form that is drawn fastest."""
    height, width = picture.shape[:2]
    rows = np.full((height, width, 4), 255, np.uint8)
    rows[..., :3] = picture[..., ::-1]
    return QImage(rows.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def _levels(values: npt.NDArray[np.float32], most: float) -> _Bytes:
    finite = np.nan_to_num(values, nan=0.0, posinf=most if np.isfinite(most) else 0.0, neginf=0.0)
    if not most > 0 or not np.isfinite(most):
        return np.zeros(values.shape, np.uint8)
    return (finite * (255 / most)).clip(0, 255).round().astype(np.uint8)
