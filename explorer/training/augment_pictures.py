"""Examples of what training may see: real images, and several random results of each, as pictures for a view."""

import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs.augmentation import Augmentation
from explorer.runs.augmented_pictures import AugmentedPictures
from explorer.runs.preprocessing import Normalization
from explorer.runtime.images import to_network_input
from explorer.training.augment import Augmenter
from explorer.training.augment_mixing import share_text
from explorer.training.data import DataSet

UNNORMALIZED = Normalization(mean=(0.0,), std=(1.0,))
"""For `to_network_input`: the images from 0 to 1, as the augmenter takes them."""


def at_network_size(images: Tensor, input_shape: Shape) -> Tensor:
    """Images as the augmenter takes them: at the network's size, from 0 to 1, with the channels of the data set.

    Colours are turned to grey only afterwards, by `to_network_input`, so that what changes colours has some.

    Args:
        images: `(N, C, H, W)`, uint8.
        input_shape: the network's `(channels, height, width)`.
    """
    return to_network_input(images, (images.shape[1], *input_shape[1:]), UNNORMALIZED)


def augmented_pictures(
    augmentation: Augmentation, data: DataSet, input_shape: Shape, positions: tuple[int, ...], count: int, seed: int
) -> AugmentedPictures:
    """Training images, and results of each as the training would make them.

    Args:
        augmentation: what is on.
        data: of the run.
        input_shape: the network's `(channels, height, width)`.
        positions: of the training images; they make one batch, in which Mixup and CutMix find their partners.
        count: results of each.
        seed: equal seeds give equal results.

    Raises:
        ValueError: the images have neither 1 nor 3 channels, or none are asked for.
    """
    stored = data.train_images.shape[1]
    if stored not in (1, 3):
        raise ValueError(f"images of {stored} channels cannot be shown; use 1 or 3")
    if not positions or count < 1:
        raise ValueError(f"received {len(positions)} images and {count} results of each; use at least one of both")
    places = torch.tensor(positions)
    originals = at_network_size(data.train_images[places], input_shape)
    augmenter = Augmenter(augmentation, data.train_images, originals.device)
    generator = torch.Generator().manual_seed(seed)
    target, names = data.train_labels[places], data.class_names
    rounds, labels = [], []
    for _ in range(count):
        results = augmenter(originals, generator)
        shares = torch.nn.functional.one_hot(target, len(names)).float()
        if augmenter.mixes:
            results, shares = augmenter.mix(results, target, len(names), generator)
        rounds.append(_bytes(results))
        labels.append([share_text(row, names) for row in shares])
    return AugmentedPictures(
        originals=_bytes(originals).numpy(),
        results=torch.stack(rounds, 1).numpy(),
        labels=tuple(names[place] for place in target.tolist()),
        result_labels=tuple(zip(*labels, strict=True)),
    )


def _bytes(x: Tensor) -> Tensor:
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).contiguous()
