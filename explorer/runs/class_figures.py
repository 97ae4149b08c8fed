"""What a network gets right: the answer to each test image, and what follows from all of them. Pure numpy.

A class is one of the data set's. A network may have more scores than there are classes; an answer beyond them is kept
as it is in `TestedImages`, and counted in a last column of the confusion matrix.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int64]
MOST_CLASSES = 2**16
"""As many as labels of 16 bits tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestedImages:
    """The answer to each test image, or to some, in the order of the data set. Compared by identity, as it holds
    arrays."""

    __test__ = False

    class_names: tuple[str, ...]
    labels: npt.NDArray[np.uint16]
    """The true class of each image, `(N,)`."""
    predicted: npt.NDArray[np.uint16]
    """The class with the highest score, `(N,)`."""
    probabilities: npt.NDArray[np.float16]
    """Its softmax probability, 0 to 1, `(N,)`; NaN where the scores are no numbers."""
    positions: Positions | None = None
    """Where each is among the test images, `(N,)`, ascending; None where all of them are here."""

    def __post_init__(self) -> None:
        for name, kind in (("labels", np.uint16), ("predicted", np.uint16), ("probabilities", np.float16)):
            array = getattr(self, name)
            if array.dtype != kind or array.shape != self.labels.shape or array.ndim != 1:
                raise ValueError(f"{name}: received {array.dtype} {array.shape}; use {np.dtype(kind)} ({self.count},)")
        if self.count and int(self.labels.max()) >= len(self.class_names):
            raise ValueError(f"labels: received {int(self.labels.max())}; there are {len(self.class_names)} classes")
        if self.positions is not None and self.positions.shape != self.labels.shape:
            raise ValueError(f"positions: received {self.positions.shape}; use {self.labels.shape}")

    def position(self, place: int) -> int:
        """Where the image that is `place`-th here is among the test images."""
        return place if self.positions is None else int(self.positions[place])

    @property
    def count(self) -> int:
        """How many images."""
        return len(self.labels)

    @property
    def num_right(self) -> int:
        return int((self.labels == self.predicted).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """How often each class was taken for each; rows are true classes, columns predicted ones."""

    class_names: tuple[str, ...]
    counts: Counts
    """`(C, C)`, or `(C, C + 1)` where some answers were none of the classes."""

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def num_columns(self) -> int:
        return int(self.counts.shape[1])

    @property
    def images(self) -> Counts:
        """Test images of each class, `(C,)`."""
        images: Counts = self.counts.sum(1)
        return images

    @property
    def right(self) -> Counts:
        """Images of each class that were recognised, `(C,)`."""
        return np.diagonal(self.counts).copy()

    @property
    def answers(self) -> Counts:
        """How often each class was the answer, `(C,)`."""
        answers: Counts = self.counts[:, : self.num_classes].sum(0)
        return answers


class ClassFigures(NamedTuple):
    """Each class in numbers, `(C,)` each; NaN where nothing was there to divide by."""

    images: Counts
    right: Counts
    accuracy: npt.NDArray[np.float64]
    """Share of its images that were recognised, which is also called recall."""
    precision: npt.NDArray[np.float64]
    """Share of the answers of this class that were right."""
    f1: npt.NDArray[np.float64]
    """Harmonic mean of both."""


class Pair(NamedTuple):
    """A class taken for another one."""

    true: int
    predicted: int
    num_images: int


def confusion(tested: TestedImages) -> Confusion:
    """Count the answers."""
    size = len(tested.class_names)
    predicted = np.minimum(tested.predicted.astype(np.int64), size)
    columns = size + int((predicted == size).any())
    flat = np.bincount(tested.labels.astype(np.int64) * columns + predicted, minlength=size * columns)
    return Confusion(class_names=tested.class_names, counts=flat.reshape(size, columns))


def class_figures(found: Confusion) -> ClassFigures:
    """Accuracy, precision and F1 of each class."""
    images, right, answers = found.images, found.right, found.answers
    return ClassFigures(
        images, right, _share(right, images), _share(right, answers), _share(2 * right, images + answers)
    )


def confident_mistakes(tested: TestedImages, count: int) -> Positions:
    """Which of the answers are wrong with the highest probabilities, by their places here, the surest first."""
    wrong = np.flatnonzero(tested.labels != tested.predicted)
    return _surest(tested, wrong)[:count]


def images_of(tested: TestedImages, true: Sequence[int], predicted: Sequence[int]) -> Positions:
    """Which images are of these classes with an answer among those, by their places here, the surest answer first.

    Args:
        predicted: as columns of the confusion matrix: the number of classes stands for every answer beyond them.
    """
    answers = np.minimum(tested.predicted, len(tested.class_names))
    return _surest(tested, np.flatnonzero(np.isin(tested.labels, true) & np.isin(answers, predicted)))


def confused_pairs(found: Confusion, count: int) -> tuple[Pair, ...]:
    """The commonest mistakes, the commonest first; equal ones in the order of the classes."""
    wrong = _mistakes(found.counts)
    # A thousand classes have a million pairs, most of which are never confused.
    places = np.flatnonzero(wrong)
    places = places[np.argsort(-wrong.flat[places], kind="stable")[:count]]
    rows, columns = np.unravel_index(places, wrong.shape)
    return tuple(Pair(int(r), int(c), int(wrong[r, c])) for r, c in zip(rows, columns, strict=True))


def by_mistakes(found: Confusion) -> Positions:
    """The classes, that with the most mistakes first; equal ones in their own order."""
    return np.argsort(found.right - found.images, kind="stable")


def by_likeness(found: Confusion) -> Positions:
    """The classes so that those that are taken for each other stand together.

    From the class with the most mistakes on, each is followed by the one that it is confused with most, of those left.
    """
    size = found.num_classes
    wrong = _mistakes(found.counts)[:, :size]
    between = (wrong + wrong.T).astype(np.float64)
    left = np.ones(size, bool)
    fallback = by_mistakes(found)
    order: list[int] = []
    for start in fallback.tolist():
        current = start
        while left[current]:
            left[current] = False
            order.append(current)
            following = np.where(left, between[current], 0.0)
            if not following.any():
                break
            current = int(following.argmax())
    return np.array(order, np.int64)


def confusion_csv(found: Confusion, order: Sequence[int] | None = None) -> str:
    """The matrix as a table, a row a true class."""
    rows = list(range(found.num_classes)) if order is None else list(order)
    columns = [*rows, *range(found.num_classes, found.num_columns)]
    names = [*found.class_names, "other"]
    table = [["true \\ predicted", *(names[column] for column in columns)]]
    table += [[names[row], *(str(found.counts[row, column]) for column in columns)] for row in rows]
    return _csv(table)


def classes_csv(found: Confusion) -> str:
    """Each class with its figures, a row a class; a figure that is unknown is empty."""
    figures = class_figures(found)
    table = [["class", "images", "right", "accuracy", "precision", "f1"]]
    for place, name in enumerate(found.class_names):
        shares = (figures.accuracy[place], figures.precision[place], figures.f1[place])
        written = ["" if np.isnan(share) else f"{share:.7g}" for share in shares]
        table.append([name, str(figures.images[place]), str(figures.right[place]), *written])
    return _csv(table)


def images_csv(tested: TestedImages) -> str:
    """Each test image with its answer, a row an image."""
    names, size = [*tested.class_names, "other"], len(tested.class_names)
    table = [["position", "true", "predicted", "probability"]]
    answers = np.minimum(tested.predicted, size)
    rows = zip(tested.labels.tolist(), answers.tolist(), tested.probabilities.tolist(), strict=True)
    for place, (true, answer, probability) in enumerate(rows):
        table.append([str(tested.position(place)), names[true], names[answer], f"{probability:.4g}"])
    return _csv(table)


def _share(part: Counts, whole: Counts) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def _surest(tested: TestedImages, positions: Positions) -> Positions:
    # NaN sorts to the end, whichever way.
    order = np.argsort(-tested.probabilities[positions].astype(np.float32), kind="stable")
    return positions[order]


def _mistakes(counts: Counts) -> Counts:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    return wrong


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
