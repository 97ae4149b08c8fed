"""Each test image's latest answer: the last whole test, and over it what was evaluated since. Pure numpy.

Answers and whole tests come by different ways, and answers may be there before the test that they came after. Each
image keeps the step of its answer, so that the test can be put below those that are newer than it.
"""

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
        self._steps: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        """Of the event that held each image's answer; -1 where the whole test is all there is."""
        if base is not None:
            self._begin(base.class_names, base.count)
            self._put(base, np.ones(base.count, np.bool_))

    def _begin(self, class_names: tuple[str, ...], num_images: int) -> None:
        self._names = class_names
        self._steps = np.full(num_images, -1, np.int64)
        self._labels = np.zeros(num_images, np.uint16)
        self._predicted = np.zeros(num_images, np.uint16)
        self._probabilities = np.zeros(num_images, np.float16)

    @property
    def num_images(self) -> int:
        """All test images; 0 before anything is known of them."""
        return len(self._steps)

    def num_since(self, step: int) -> int:
        """Images that were evaluated anew after a whole test that came after `step` updates; -1 for all of them."""
        return int((self._steps > step).sum())

    def put_below(self, base: TestedImages, step: int) -> None:
        """Let a whole test take the place of the one before, and of all answers that it is newer than.

        Args:
            base: the test.
            step: updates made before it.

        Raises:
            ValueError: it is of other images.
        """
        if self._names is not None and (self._names, self.num_images) != (base.class_names, base.count):
            raise ValueError(f"received a test of {base.count:,} images; answers were to {self.num_images:,}")
        if self._names is None:
            self._begin(base.class_names, base.count)
        self._base = base
        self._put(base, self._steps <= step)

    def _put(self, base: TestedImages, places: npt.NDArray[np.bool_]) -> None:
        self._labels[:] = base.labels
        self._predicted[places], self._probabilities[places] = base.predicted[places], base.probabilities[places]
        self._steps[places] = -1

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
        self._labels[places], self._steps[places] = event.labels, event.step

    def tested(self) -> TestedImages:
        """The latest answers as they are now, which later ones leave alone; to the images that have one.

        Raises:
            ValueError: nothing was answered yet.
        """
        if self._names is None:
            raise ValueError("received no answers yet")
        is_new = self._steps >= 0
        known = None if self._base is not None or is_new.all() else np.flatnonzero(is_new)
        places: slice | npt.NDArray[np.int64] = slice(None) if known is None else known
        return TestedImages(
            class_names=self._names,
            labels=self._labels[places].copy(),
            predicted=self._predicted[places].copy(),
            probabilities=self._probabilities[places].copy(),
            positions=known,
        )
