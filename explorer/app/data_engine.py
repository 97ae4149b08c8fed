"""Data sets for the window: what its threads run. torch is imported inside the functions, as in `engine`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from explorer.app.loading import load
from explorer.layers import Shape
from explorer.look.transfers import said
from explorer.runs import RunConfig
from explorer.runs.augmentation import NO_AUGMENTATION, Augmentation, parse_augmentation
from explorer.runs.augmented_pictures import AugmentedPictures
from explorer.runs.data_facts import DataState, Sheet
from explorer.session.data_session import Cancelled, DataView, Progress

if TYPE_CHECKING:
    from explorer.training.augment import Augmenter
    from explorer.training.data import DataSet

_MOST_PICTURES = 400
_PICTURE_SIDE = 64
_NUM_RECEIVED = 12
_NUM_RESULTS = 6
_NUM_PREVIEWED = 12
_NUM_LARGE_PREVIEWED = 8
_LARGE = 64 * 64
"""Pixels of an image above which fewer are previewed, so that they come while a strength still moves."""
_NUM_PREVIEWS = 3


class DataEngine:
    """`session.data_session.DataWork`."""

    def states(self, progress: Progress, cancelled: Cancelled) -> tuple[DataState, ...]:
        """Which data sets are here."""
        load()
        from explorer.training.data import data_states

        return data_states()

    def look(
        self, config: RunConfig, input_shape: Shape, again: bool, progress: Progress, cancelled: Cancelled
    ) -> DataView:
        """Read a data set and describe it.

        Raises:
            ValueError: it cannot be read; says why.
        """
        load()
        from explorer.training.data import describe, load_data

        data = load_data(config.data, input_shape, progress, cancelled, again=again)
        facts = describe.describe(data, input_shape)
        received = None
        if not facts.input_problem:
            augment = _augmenter(config, data)
            mix = augment.mix if augment is not None and augment.mixes else None
            received = describe.received(data, input_shape, _NUM_RECEIVED, augment, _NUM_RESULTS, config.seed, mix)
        return DataView(facts, describe.make_sheet(data, _MOST_PICTURES, _PICTURE_SIDE), received)

    def sheet(
        self, config: RunConfig, input_shape: Shape, only: int | None, progress: Progress, cancelled: Cancelled
    ) -> Sheet:
        """Small pictures of one class, or of all.

        Raises:
            ValueError: as `look`.
        """
        load()
        from explorer.training.data import describe, load_data

        data = load_data(config.data, input_shape, progress, cancelled)
        return describe.make_sheet(data, _MOST_PICTURES, _PICTURE_SIDE, only)

    def image(
        self, config: RunConfig, input_shape: Shape, position: int, progress: Progress, cancelled: Cancelled
    ) -> tuple[npt.NDArray[np.uint8], str]:
        """A training image as it is stored, and its label.

        Raises:
            ValueError: as `look`.
        """
        load()
        from explorer.training.data import load_data

        data = load_data(config.data, input_shape, progress, cancelled)
        image = data.train_images[position].numpy()
        label = f"{data.class_names[int(data.train_labels[position])]}, training image {position:,}"
        return (image[0] if len(image) == 1 else image).copy(), label

    def fetch(self, name: str, progress: Progress, cancelled: Cancelled) -> None:
        """Download a data set.

        Raises:
            ValueError, ImportError: why it cannot be; says what helps.
            DownloadCancelled: the user ended it.
        """
        progress("Loading torchvision", 0.0)
        load()
        from explorer.training.data.fetch import fetch_data

        fetch_data(name, said(progress), cancelled)


def make_pictures(data: str, input_shape: Shape) -> Callable[[Augmentation, int], AugmentedPictures]:
    """What makes pictures of augmented images in a thread, from an augmentation and a seed; it reads the images once.

    Args:
        data: as `RunConfig.data`.
        input_shape: the network's `(C, H, W)`.
    """
    read: DataSet | None = None

    def make(augmentation: Augmentation, seed: int) -> AugmentedPictures:
        nonlocal read
        load()
        from explorer.training.augment_pictures import augmented_pictures
        from explorer.training.data.describe import one_of_each
        from explorer.training.data.sample import sample_data

        if read is None:
            read = sample_data(data, input_shape)
        is_large = input_shape[1] * input_shape[2] > _LARGE
        positions = tuple(one_of_each(read, _NUM_LARGE_PREVIEWED if is_large else _NUM_PREVIEWED).tolist())
        return augmented_pictures(augmentation, read, input_shape, positions, _NUM_PREVIEWS, seed)

    return make


def _augmenter(config: RunConfig, data: "DataSet") -> "Augmenter | None":
    augmentation = parse_augmentation(config.augmentation)
    if augmentation == parse_augmentation(NO_AUGMENTATION):
        return None
    from explorer.training.augment import Augmenter

    return Augmenter(augmentation, data.train_images, data.train_images.device)
