"""What is shown of a data set, as plain values: a view takes them, `training.data.describe` makes them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Problem(NamedTuple):
    """Something about one file or folder of a data set."""

    path: str
    """Below the data set's folder."""
    reason: str
    """As it follows the path after a colon: "the file is cut off"."""
    is_skipped: bool = True
    """Whether it is left out; False where it was taken, but not as it is."""


class SizeCount(NamedTuple):
    """How many images have a size."""

    height: int
    width: int
    num_images: int


class DataState(NamedTuple):
    """Whether a data set can be used now."""

    name: str
    is_here: bool
    place: str
    """The folder that it lies in; empty where it is not here, or comes along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """A data set in numbers."""

    name: str
    """As `RunConfig.data`."""
    class_names: tuple[str, ...]
    train_counts: tuple[int, ...]
    """Training images of each class."""
    test_counts: tuple[int, ...]
    image_shape: tuple[int, int, int]
    """`(C, H, W)` as it is kept in memory."""
    sizes: tuple[SizeCount, ...]
    """Of the images as they were found, the commonest first."""
    mean: tuple[float, ...]
    """Of each channel, from 0 to 1; of the training images."""
    std: tuple[float, ...]
    num_bytes: int
    """In memory."""
    fingerprint: str
    problems: tuple[Problem, ...]
    input_notes: tuple[str, ...]
    """What is done to an image for the network, one sentence each."""
    input_problem: str
    """Why the network cannot take these images; empty if it can."""

    @property
    def num_train(self) -> int:
        return sum(self.train_counts)

    @property
    def num_test(self) -> int:
        return sum(self.test_counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """Small pictures of a data set, class after class. Compared by identity, as it holds arrays."""

    name: str
    images: npt.NDArray[np.uint8]
    """`(N, C, H, W)` with 1 or 3 channels, small enough to lie beside many others."""
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    """Of each among the training images."""
    only: int | None
    """The one class that is shown; None for all."""
    num_available: int
    """How many training images there are of what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Received:
    """Images as they lie in the data set, and as the network gets them, before normalisation."""

    stored: tuple[npt.NDArray[np.uint8], ...]
    """N of `(C, H, W)`."""
    received: npt.NDArray[np.uint8]
    """`(N, K, C, H, W)` at the network's size: K results, 1 unless an augmentation makes them at random."""
    labels: tuple[str, ...]
    is_augmented: bool
    result_labels: tuple[tuple[str, ...], ...] = ()
    """N times K: "boot", or "0.70 boot + 0.30 bag"; empty where no images are mixed."""
