"""What a view shows of a data set: its numbers, small pictures, and what the network receives of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runs.data_facts import DataFacts, Received, Sheet, SizeCount
from explorer.runtime.images import input_notes, to_network_input
from explorer.training.augment_mixing import share_text
from explorer.training.data.data_set import DataSet
from explorer.training.data.decoding import read_small

_AS_IT_IS = Normalization(mean=(0.0,), std=(1.0,))
_FOUND_SIDE = 192
Augment = Callable[[Tensor, torch.Generator], Tensor]
"""From float `(N, C, H, W)`, 0 to 1, to the same."""
Mix = Callable[[Tensor, Tensor, int, torch.Generator], tuple[Tensor, Tensor]]
"""From such images, labels `(N,)` and the number of classes to images and each class' share in each."""


def describe(data: DataSet, input_shape: Shape) -> DataFacts:
    """A data set in numbers, and how its images become a network's `(C, H, W)`."""
    channels, height, width = data.image_shape
    num_classes = len(data.class_names)
    notes: tuple[str, ...] = ()
    problem = ""
    try:
        notes = input_notes(data.image_shape, input_shape)
        if any((size.height, size.width) != (height, width) for size in data.sizes):
            colour = "grey" if channels == 1 else "colour"
            fitted = (
                f"Images are brought to {height}×{width} in {colour}: the shorter side resized, the middle cut out."
            )
            notes = (fitted, *notes)
        if data.is_streamed:
            notes = (data.streaming_note, *notes)
    except ValueError as error:
        problem = str(error)
    num_images = len(data.train_images) + len(data.test_images)
    return DataFacts(
        name=data.name,
        class_names=data.class_names,
        train_counts=tuple(torch.bincount(data.train_labels, minlength=num_classes).tolist()),
        test_counts=tuple(torch.bincount(data.test_labels, minlength=num_classes).tolist()),
        image_shape=(channels, height, width),
        sizes=data.sizes or (SizeCount(height, width, num_images),),
        mean=data.normalization.mean,
        std=data.normalization.std,
        num_bytes=data.num_bytes,
        fingerprint=data.fingerprint,
        problems=data.problems,
        input_notes=notes,
        input_problem=problem,
    )


def make_sheet(data: DataSet, count: int, side: int, only: int | None = None) -> Sheet:
    """Small pictures of training images, class after class.

    Args:
        count: how many at most; each class has as many, and at least one.
        side: the longer side of a picture at most, in pixels.
        only: the one class to show; None for all.
    """
    labels = data.train_labels
    classes = range(len(data.class_names)) if only is None else (only,)
    each = max(1, count // len(classes))
    found = [torch.nonzero(labels == label).flatten()[:each] for label in classes]
    positions = torch.cat(found)
    images = data.train_images[positions]
    longest = max(images.shape[2:])
    if longest > side and len(images):
        size = [max(1, round(length * side / longest)) for length in images.shape[2:]]
        # In parts: a float copy of hundreds of large images takes more memory than they do.
        split = torch.split(images, 64)
        parts = [F.interpolate(part.float(), size=size, mode="bilinear", antialias=True) for part in split]
        images = torch.cat([part.round_().clamp_(0, 255).to(torch.uint8) for part in parts])
    return Sheet(
        name=data.name,
        images=_shown(images).numpy(),
        labels=tuple(labels[positions].tolist()),
        positions=tuple(positions.tolist()),
        only=only,
        num_available=len(labels) if only is None else int((labels == only).sum()),
    )


def received(
    data: DataSet,
    input_shape: Shape,
    count: int,
    augment: Augment | None = None,
    num_results: int = 1,
    seed: int = 0,
    mix: Mix | None = None,
) -> Received:
    """Training images as they are kept, and as a network gets them but for the normalisation.

    Args:
        count: of images; one of each class in turn.
        augment: what training does to them at random; None for nothing.
        num_results: of each image, where there is an augmentation.
        seed: of the augmentation's random numbers.
        mix: what training does to them with each other after that, in one batch of all of these; None for nothing.

    Raises:
        ValueError: the network cannot take these images.
    """
    positions = one_of_each(data, count)
    stored, target = data.train_images[positions], data.train_labels[positions]
    mixed: list[list[str]] = []
    # What the network gets, without mean and deviation, so that it can be looked at.
    if augment is None:
        results = to_network_input(stored, input_shape, _AS_IT_IS).unsqueeze(1)
    else:
        # As training does it: at the network's size, but with the images' own channels.
        sized = to_network_input(stored, (stored.shape[1], *input_shape[1:]), _AS_IT_IS)
        generator = torch.Generator().manual_seed(seed)
        rounds = []
        for _ in range(num_results):
            images = augment(sized, generator)
            if mix is not None:
                images, shares = mix(images, target, len(data.class_names), generator)
                mixed.append([share_text(row, data.class_names) for row in shares])
            rounds.append(to_network_input(images, input_shape, _AS_IT_IS))
        results = torch.stack(rounds, dim=1)
    pixels = (results * 255).round_().clamp_(0, 255).to(torch.uint8)
    return Received(
        stored=_as_found(data, positions, stored),
        received=torch.stack([_shown(images) for images in pixels]).numpy(),
        labels=tuple(data.class_names[label] for label in target.tolist()),
        is_augmented=augment is not None,
        result_labels=tuple(zip(*mixed, strict=True)),
    )


def _as_found(data: DataSet, positions: Tensor, stored: Tensor) -> tuple[npt.NDArray[np.uint8], ...]:
    """Images before they were cut to the network's size, where they have files."""
    kept = [np.asarray(image) for image in _shown(stored).numpy()]
    if not data.train_files:
        return tuple(kept)
    found = [read_small(Path(data.train_files[position]), _FOUND_SIDE) for position in positions.tolist()]
    return tuple(image if file is None else file for file, image in zip(found, kept, strict=True))


def one_of_each(data: DataSet, count: int) -> Tensor:
    """The positions of so many training images: one of each class in turn."""
    chosen: list[int] = []
    turn = 0
    by_class = [torch.nonzero(data.train_labels == label).flatten() for label in range(len(data.class_names))]
    count = min(count, len(data.train_labels))
    while len(chosen) < count:
        chosen += [int(found[turn]) for found in by_class if len(found) > turn][: count - len(chosen)]
        turn += 1
    return torch.tensor(chosen)


def _shown(images: Tensor) -> Tensor:
    """With 1 or 3 channels, whatever the network takes."""
    return images if images.shape[-3] in (1, 3) else images[..., :1, :, :]
