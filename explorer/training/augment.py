"""Random changes to batches of images, drawn for each image by itself, on the device.

What there is, and how strong, is said by `runs.augmentation`; `augment_colour` and `augment_mixing` compute their part.

Every random number comes from one `torch.Generator` on the CPU: equal states give equal batches whatever the device,
and a run that keeps the state goes on with the same images. torch's global state is neither read nor moved, so that a
preview in another thread disturbs no run. All geometric transforms of an image make one sampling, so it is blurred at
most once; flips and crops alone move whole pixels and blur nothing.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs.augmentation import Augmentation
from explorer.runs.augmentation_transforms import Crop, Erase, Flip, Jitter, ResizedCrop
from explorer.training.augment_colour import (
    Colours,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    colours_of,
    shift_colours,
)
from explorer.training.augment_mixing import mix
from explorer.training.to_device import to_device

Values = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
_CROP_TRIES = 10
"""As torchvision's RandomResizedCrop: so often is a part drawn until one lies within the image."""
_SMALLEST_ERASED = 0.02
_ERASED_ASPECT = 1 / 0.3
"""Both as torchvision's RandomErasing and Zhong et al. 2020, section 4.2."""


class Augmenter:
    """Applies one augmentation to batches."""

    def __init__(self, augmentation: Augmentation, train_images: Tensor, device: torch.device) -> None:
        """Look at the training images where a transform needs their colours.

        Args:
            augmentation: what is on.
            train_images: `(N, C, H, W)`, uint8, with the channels of the batches to come.
            device: of the batches to come.
        """
        self._augmentation = augmentation
        self._colours: Colours | None = None
        if augmentation.lighting is not None or augmentation.erase is not None:
            self._colours = colours_of(train_images).to(device)

    @property
    def mixes(self) -> bool:
        """Whether labels are mixed too, by `mix`."""
        return self._augmentation.mixup is not None or self._augmentation.cutmix is not None

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Everything but mixing.

        Args:
            x: `(N, C, H, W)`, float from 0 to 1, not yet normalised, at the size that the network takes.
            generator: on the CPU; its state moves on by the same amount whatever is on.

        Returns:
            Of the same shape, from 0 to 1. `x` is left as it was.

        Raises:
            ValueError: the generator is not on the CPU.
        """
        random = random_of(generator)
        return self._erased(self._recoloured(self._moved(x, random), random), random)

    def mix(self, x: Tensor, target: Tensor, num_classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mixup and CutMix: each image with another of the batch, and the labels in the same shares.

        Args:
            x: `(N, C, H, W)`, float.
            target: `(N,)`, int64.
            num_classes: of the network's output.
            generator: on the CPU.

        Returns:
            The images, and the share of each class in each, `(N, num_classes)` in float32, which `F.cross_entropy`
            takes as a target. Without Mixup and CutMix the images as they were.

        Raises:
            ValueError: the generator is not on the CPU.
        """
        random = random_of(generator)
        mixup, cutmix = self._augmentation.mixup, self._augmentation.cutmix
        alphas = (None if mixup is None else mixup.alpha, None if cutmix is None else cutmix.alpha)
        return mix(x, target, num_classes, *alphas, random)

    def _moved(self, x: Tensor, random: np.random.Generator) -> Tensor:
        a, (count, _, height, width) = self._augmentation, x.shape
        flipped = _flipped(a.flip, count, random)
        down, right = _crop_shifts(a.crop, count, random)
        if a.resized_crop is None and a.translate is None and a.rotate is None:
            return x if a.flip is None and a.crop is None else move_pixels(x, down, right, flipped)
        share = 0.0 if a.translate is None else a.translate.share
        degrees = 0.0 if a.rotate is None else a.rotate.degrees
        matrices = matrices_of(
            (height, width),
            flipped=flipped,
            down=down + random.uniform(-share, share, count) * height,
            right=right + random.uniform(-share, share, count) * width,
            degrees=random.uniform(-degrees, degrees, count),
            parts=_parts(a.resized_crop, count, random),
        )
        return sample(x, matrices)

    def _recoloured(self, x: Tensor, random: np.random.Generator) -> Tensor:
        a, count = self._augmentation, len(x)
        if a.jitter is not None:
            x = _jittered(x, a.jitter, random)
        if a.contrast is not None:
            x = adjust_contrast(x, _on(x, _factors(count, a.contrast.factor, random)))
        if a.lighting is not None:
            assert self._colours is not None
            amounts = random.standard_normal((count, x.shape[1])) * a.lighting.sigma
            x = shift_colours(x, _on(x, amounts), self._colours)
        return x

    def _erased(self, x: Tensor, random: np.random.Generator) -> Tensor:
        erase = self._augmentation.erase
        if erase is None:
            return x
        assert self._colours is not None
        top, left, height, width = erased_boxes(erase, x.shape[2:], len(x), random)
        rows, columns = (torch.arange(size, device=x.device).view(1, -1) for size in x.shape[2:])
        edges = _on(x, np.stack([top, top + height, left, left + width])).unsqueeze(2)
        first_row, last_row, first_column, last_column = edges
        in_rows = (rows >= first_row) & (rows < last_row)
        in_columns = (columns >= first_column) & (columns < last_column)
        covered = (in_rows.unsqueeze(2) & in_columns.unsqueeze(1)).unsqueeze(1)
        return torch.where(covered, self._colours.mean.to(x.dtype).view(1, -1, 1, 1), x)


def random_of(generator: torch.Generator) -> np.random.Generator:
    """The random numbers of one batch. numpy draws them: torch has no Beta distribution that takes a generator.

    Raises:
        ValueError: the generator is not on the CPU, where it is read without waiting for the device.
    """
    if generator.device.type != "cpu":
        raise ValueError(f"augmentation: received a generator on {generator.device}; use one on the CPU")
    return np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))


def move_pixels(x: Tensor, down: Values, right: Values, flipped: npt.NDArray[np.bool_]) -> Tensor:
    """Each image flipped where so wanted, and then moved by whole pixels; black comes in.

    Args:
        x: `(N, C, H, W)`.
        down: `(N,)`, whole numbers.
        right: `(N,)`, likewise.
        flipped: `(N,)`.

    Returns:
        The images, which lie in memory as `x` does.
    """
    move = moved_one_by_one if x.device.type == "cpu" else moved_at_once
    return move(x, down.astype(np.int64), right.astype(np.int64), flipped)


def moved_one_by_one(x: Tensor, down: Whole, right: Whole, flipped: npt.NDArray[np.bool_]) -> Tensor:
    """`move_pixels` on the CPU: rows are copied whole, which is several times as fast as a look-up of each pixel."""
    height, width = x.shape[2:]
    images = x.numpy()
    moved = np.zeros_like(images)
    for source, target, dy, dx, is_flipped in zip(
        images, moved, down.tolist(), right.tolist(), flipped.tolist(), strict=True
    ):
        seen = source[:, :, ::-1] if is_flipped else source
        target[:, max(dy, 0) : max(height + dy, 0), max(dx, 0) : max(width + dx, 0)] = seen[
            :, max(-dy, 0) : max(height - dy, 0), max(-dx, 0) : max(width - dx, 0)
        ]
    return torch.from_numpy(moved)


def moved_at_once(x: Tensor, down: Whole, right: Whole, flipped: npt.NDArray[np.bool_]) -> Tensor:
    """`move_pixels` on a GPU: what was drawn goes there in one small copy, and few kernels do the rest."""
    height, width = x.shape[2:]
    rim = int(np.abs([down, right]).max(initial=0))
    drawn = to_device(np.stack([np.arange(len(x)), rim - down, rim - right, flipped]), x.device)
    image, top, left, is_flipped = drawn
    if flipped.any():
        x = torch.where(is_flipped.bool().view(-1, 1, 1, 1), x.flip(3), x)
    if rim == 0:
        return x
    # Every part of the padded image, as a view; no part of it is there before it is chosen.
    windows = F.pad(x, (rim, rim, rim, rim)).unfold(2, height, 1).unfold(3, width, 1)
    return windows[image, :, top, left]


def matrices_of(
    size: tuple[int, int],
    *,
    flipped: npt.NDArray[np.bool_],
    down: Values,
    right: Values,
    degrees: Values,
    parts: tuple[Values, Values, Values, Values],
) -> Values:
    """Where each pixel of the results comes from, `(N, 2, 3)` as `F.affine_grid` takes it.

    The image is flipped, its part is brought to the whole size, turned, and moved.

    Args:
        size: `(H, W)`.
        flipped: `(N,)`.
        down: `(N,)`, in pixels of the result.
        right: `(N,)`, likewise.
        degrees: `(N,)`, counter-clockwise.
        parts: top, left, height and width of the part, `(N,)` each, as shares of the sides.
    """
    height, width = size
    top, left, part_height, part_width = parts
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    # From -1 to 1 both ways, as grid_sample counts; a turn is one only where both sides have the same unit.
    dx, dy = 2 * right / width, 2 * down / height
    xx, xy = part_width * cos, -part_width * sin * height / width
    yx, yy = part_height * sin * width / height, part_height * cos
    x0 = 2 * left + part_width - 1 - xx * dx - xy * dy
    y0 = 2 * top + part_height - 1 - yx * dx - yy * dy
    mirror = np.where(flipped, -1.0, 1.0)
    return np.stack([np.stack([mirror * xx, mirror * xy, mirror * x0], 1), np.stack([yx, yy, y0], 1)], 1)


def sample(x: Tensor, matrices: Values) -> Tensor:
    """Each image `(N, C, H, W)` seen through its matrix, bilinearly; black outside."""
    grid = F.affine_grid(_on(x, matrices), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def erased_boxes(
    erase: Erase, size: tuple[int, ...], count: int, random: np.random.Generator
) -> tuple[Values, Values, Values, Values]:
    """Top, left, height and width of each image's rectangle in whole pixels, `(N,)` each; of height 0 where none is."""
    height, width = size
    area = random.uniform(min(_SMALLEST_ERASED, erase.area), erase.area, count) * height * width
    aspect = np.exp(random.uniform(-math.log(_ERASED_ASPECT), math.log(_ERASED_ASPECT), count))
    is_erased = random.random(count) < erase.p
    tall = np.minimum(np.rint(np.sqrt(area * aspect)), height) * is_erased
    wide = np.minimum(np.rint(np.sqrt(area / aspect)), width)
    top = np.floor(random.random(count) * (height - tall + 1))
    left = np.floor(random.random(count) * (width - wide + 1))
    return top, left, tall, wide


def _flipped(flip: Flip | None, count: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    return np.zeros(count, bool) if flip is None else random.random(count) < flip.p


def _crop_shifts(crop: Crop | None, count: int, random: np.random.Generator) -> tuple[Values, Values]:
    if crop is None:
        return np.zeros(count), np.zeros(count)
    shifts = random.integers(-crop.padding, crop.padding, (2, count), endpoint=True).astype(np.float64)
    return shifts[0], shifts[1]


def _parts(crop: ResizedCrop | None, count: int, random: np.random.Generator) -> tuple[Values, Values, Values, Values]:
    """Top, left, height and width of what is kept, as shares of the sides."""
    if crop is None:
        return np.zeros(count), np.zeros(count), np.ones(count), np.ones(count)
    area = random.uniform(crop.area, 1.0, (_CROP_TRIES, count))
    aspect = np.exp(random.uniform(-math.log(crop.aspect), math.log(crop.aspect), (_CROP_TRIES, count)))
    wide, tall = np.sqrt(area * aspect), np.sqrt(area / aspect)
    fits = (wide <= 1) & (tall <= 1)
    tried = fits.argmax(0), np.arange(count)
    wide, tall = np.minimum(wide[tried], 1.0), np.minimum(tall[tried], 1.0)
    return random.random(count) * (1 - tall), random.random(count) * (1 - wide), tall, wide


def _jittered(x: Tensor, jitter: Jitter, random: np.random.Generator) -> Tensor:
    # All four are drawn for each image of every data set, so that grey images do not change what follows.
    strengths = (jitter.brightness, jitter.contrast, jitter.saturation)
    factors = [_factors(len(x), strength, random) for strength in strengths]
    turns = random.uniform(-jitter.hue, jitter.hue, len(x))
    brightness, contrast, saturation, turned = _on(x, np.stack([*factors, turns]))
    if jitter.brightness:
        x = adjust_brightness(x, brightness)
    if jitter.contrast:
        x = adjust_contrast(x, contrast)
    if jitter.saturation:
        x = adjust_saturation(x, saturation)
    return adjust_hue(x, turned) if jitter.hue else x


def _factors(count: int, strength: float, random: np.random.Generator) -> Values:
    return random.uniform(1 - strength, 1 + strength, count)


def _on(x: Tensor, values: Values) -> Tensor:
    """Few numbers on the images' device, in their type; the host does not wait for it."""
    return to_device(values, x.device, x.dtype)
