"""A plan's training images on its device, batch by batch, changed at random before each step where the plan says so.

Where the images lie is `feed`'s, what changes them `augment`'s. A run and its rehearsal take their batches here.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from explorer.runs.augmentation import NO_AUGMENTATION, parse_augmentation
from explorer.training.augment import Augmenter
from explorer.training.distributed import Alone
from explorer.training.feed import Feed
from explorer.training.fitting import STEPS_AT_ONCE, predicted_memory
from explorer.training.plan import RunPlan


class TrainBatches:
    """What the steps train on."""

    def __init__(self, plan: RunPlan, memory_format: torch.memory_format, ranks: Alone) -> None:
        """Move the images to the plan's device.

        Args:
            plan: of the run.
            memory_format: how batches lie in memory; as the network's weights do.
            ranks: which share of a batch is this process's.
        """
        data, device = plan.data, plan.device
        augmentation = parse_augmentation(plan.config.augmentation)
        is_augmented = augmentation.written != NO_AUGMENTATION
        self._ranks = ranks
        self._num_classes = len(data.class_names)
        self._augmenter = Augmenter(augmentation, data.train_images, device) if is_augmented else None
        self._feed = Feed(
            data.train_images,
            data.train_labels,
            plan.architecture.input_shape,
            plan.normalization,
            device,
            memory_format=memory_format,
            is_augmented=is_augmented,
            network_bytes=network_bytes_of(plan),
        )

    def __len__(self) -> int:
        """Images of all processes."""
        return len(self._feed)

    @property
    def is_mixed(self) -> bool:
        """Whether targets are shares of the classes, since images are mixed."""
        return self._augmenter is not None and self._augmenter.mixes

    def prefetch(self, batches: Iterable[Tensor]) -> None:
        """Say which positions `batch` will be called with next, in order, so that images in files are read ahead."""
        # An augmented batch is made whole in every process.
        self._feed.prefetch(map(self._ranks.positions, batches) if self._augmenter is None else batches)

    def batch(self, positions: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """This process's share of a batch.

        Args:
            positions: `(n,)`, of the whole batch.
            random: what augmentation draws from.

        Returns:
            Images as the network takes them, `(m, *input_shape)`, and labels `(m,)`; where images are mixed, the
            shares of the classes `(m, classes)`.

        Raises:
            ImagesGone: they lay in files, which are not there any more.
        """
        if self._augmenter is None:
            return self._feed.batch(self._ranks.positions(positions))
        # All of the batch, in every process, so that the random numbers do not depend on how many there are.
        x, target = self._feed.raw(positions)
        x = self._augmenter(x, random)
        if self._augmenter.mixes:
            x, target = self._augmenter.mix(x, target, self._num_classes, random)
        x, target = self._ranks.share((x, target))
        return self._feed.normalised(x), target

    def plain(self, positions: Tensor) -> Tensor:
        """The images at `positions` as the network takes them, unchanged: `(n, *input_shape)`."""
        return self._feed.batch(positions)[0]

    def take_trouble(self) -> str | None:
        """What went wrong with reading images since the last call, for the user; None for nothing."""
        return self._feed.take_trouble()

    def close(self) -> None:
        """End what reads ahead."""
        self._feed.close()


def network_bytes_of(plan: RunPlan) -> int | None:
    """What steps need of a GPU; None elsewhere, where no images are kept instead."""
    if plan.device.type != "cuda":
        return None
    return STEPS_AT_ONCE * predicted_memory(plan, plan.batch_size).training_bytes
