"""Each test image's latest answer: the last whole test, and over it what was evaluated since. Pure numpy."""

import numpy as np
import numpy.typing as npt

from explorer.runs.class_figures import TestedImages
from explorer.runs.observed import ImagesEvaluated


class LatestAnswers:
    """Takes events as they come; the same answer may come more than once."""

    def __init__(self, base: TestedImages | None) -> None:
        """Begin with a whole test; None for before the first one of a run."""
        self._base = base
        self._names: tuple[str, ...] | None = None
        self._is_new: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        if base is not None:
            self._begin(base.class_names, base.count)
            self._labels[:], self._predicted[:] = base.labels, base.predicted
            self._probabilities[:] = base.probabilities

    def _begin(self, class_names: tuple[str, ...], num_images: int) -> None:
        self._names = class_names
        self._is_new = np.zeros(num_images, np.bool_)
        self._labels = np.zeros(num_images, np.uint16)
        self._predicted = np.zeros(num_images, np.uint16)
        self._probabilities = np.zeros(num_images, np.float16)

    @property
    def num_images(self) -> int:
        """All test images; 0 before anything is known of them."""
        return len(self._is_new)

    @property
    def num_new(self) -> int:
        """Those that were evaluated since the whole test."""
        return int(self._is_new.sum())

    def take(self, event: ImagesEvaluated) -> None:
        """Put answers over what was answered before.

        Raises:
            ValueError: they are to other images than those of the test.
        """
        if self._names is None:
            self._begin(event.class_names, event.num_images)
        if (self._names, self.num_images) != (event.class_names, event.num_images):
            raise ValueError(f"received answers to {event.num_images:,} images; the test had {self.num_images:,}")
        places = event.positions
        if int(places.max(initial=0)) >= max(1, self.num_images):
            raise ValueError(f"positions: received {int(places.max())}; there are {self.num_images:,} images")
        if int(event.labels.max(initial=0)) >= max(1, len(event.class_names)):
            raise ValueError(f"labels: received {int(event.labels.max())}; there are {len(event.class_names)} classes")
        # Of an image that comes twice numpy keeps the later one.
        self._predicted[places], self._probabilities[places] = event.predicted, event.probabilities
        self._labels[places], self._is_new[places] = event.labels, True

    def tested(self) -> TestedImages:
        """The latest answers as they are now, which later ones leave alone; to the images that have one.

        Raises:
            ValueError: nothing was answered yet.
        """
        if self._names is None:
            raise ValueError("received no answers yet")
        known = None if self._base is not None or self._is_new.all() else np.flatnonzero(self._is_new)
        places: slice | npt.NDArray[np.int64] = slice(None) if known is None else known
        return TestedImages(
            class_names=self._names,
            labels=self._labels[places].copy(),
            predicted=self._predicted[places].copy(),
            probabilities=self._probabilities[places].copy(),
            positions=known,
        )
