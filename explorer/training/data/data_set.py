"""Labelled images as uint8, in memory or in files of which some are decoded at a time (`streamed`). Where they come
from is `loading`'s; what a network makes of them `runtime.images`'."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runs.data_facts import Problem, SizeCount
from explorer.runtime.images import normalization_of, to_network_input
from explorer.training.data.streamed import StreamedImages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """Labelled images, on the CPU. Nobody writes to the tensors."""

    name: str
    """As `RunConfig.data`."""
    train_images: Tensor
    """`(N, C, H, W)`, uint8; `StreamedImages` where they do not fit into memory."""
    train_labels: Tensor
    """`(N,)`, int64, positions in `class_names`."""
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]
    normalization: Normalization
    """Of the training images."""
    fingerprint: str
    """SHA-256 of all images and labels, in hexadecimal: equal data, equal text."""
    problems: tuple[Problem, ...] = ()
    """Files that were skipped, or not taken as they are."""
    sizes: tuple[SizeCount, ...] = ()
    """Of the images as they were found, the commonest first; empty where all have `image_shape`."""
    train_files: tuple[str, ...] = ()
    """The file of each training image; empty where images have no files of their own."""

    @property
    def image_shape(self) -> Shape:
        """`(C, H, W)`."""
        return tuple(self.train_images.shape[1:])

    @property
    def is_streamed(self) -> bool:
        """Whether the images lie in files, and are decoded when they are needed."""
        return isinstance(self.train_images, StreamedImages)

    @property
    def streaming_note(self) -> str:
        """One sentence on why images lie in files; empty where they do not."""
        if not self.is_streamed:
            return ""
        size = f"{self.num_bytes / 1e9:,.1f} GB"
        return f"The images would take {size}, more than there is memory for; they are decoded as they are needed."

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody who trains on it should know, one sentence each."""
        notes = [self.streaming_note] if self.is_streamed else []
        skipped = [problem for problem in self.problems if problem.is_skipped]
        if skipped:
            first = f"{skipped[0].path}: {skipped[0].reason}"
            is_one = len(skipped) == 1
            notes.append(
                f"One file was skipped: {first}."
                if is_one
                else f"{len(skipped):,} files were skipped, the first {first}."
            )
        return tuple(notes)

    @property
    def num_bytes(self) -> int:
        """In memory, or if they were."""
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def make_data_set(
    name: str,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    class_names: Sequence[str],
    *,
    problems: Sequence[Problem] = (),
    sizes: Sequence[SizeCount] = (),
    train_files: Sequence[str] = (),
) -> DataSet:
    """The data set of these images `(N, C, H, W)` in uint8 and labels `(N,)`, with what follows from them.

    Raises:
        ValueError: the images and labels do not go together; says what was received.
    """
    for part, (images, labels) in (("training", train), ("test", test)):
        if len(images) != len(labels) or not len(images):
            raise ValueError(f"{name}: {len(images):,} {part} images and {len(labels):,} labels; one label an image")
        if (highest := int(labels.max())) >= len(class_names) or int(labels.min()) < 0:
            raise ValueError(f"{name}: a {part} label is {highest}, but there are {len(class_names)} classes")
    return DataSet(
        name=name,
        train_images=train[0],
        train_labels=train[1].long(),
        test_images=test[0],
        test_labels=test[1].long(),
        class_names=tuple(class_names),
        normalization=normalization_of(train[0]),
        fingerprint=_fingerprint(*train, *test),
        problems=tuple(problems),
        sizes=tuple(sizes),
        train_files=tuple(train_files),
    )


def network_inputs(
    data: DataSet, input_shape: Shape, count: int, normalization: Normalization | None = None
) -> tuple[Tensor, str | None]:
    """The first test images as a network takes them, `(count, *input_shape)`, and a note where they cannot be.

    A network whose channels the images do not fit gets seeded random ones, which the note says.

    Args:
        normalization: None for the data set's own.
    """
    try:
        return to_network_input(data.test_images[:count], input_shape, normalization or data.normalization), None
    except ValueError as error:
        random = torch.rand(count, *input_shape, generator=torch.Generator().manual_seed(0))
        return random, f"Checked on random images: {error}."


def _fingerprint(*tensors: Tensor) -> str:
    fingerprint = Fingerprint()
    for tensor in tensors:
        fingerprint.begin(tensor.numpy().dtype, tensor.shape)
        fingerprint.add(tensor)
    return fingerprint.text


class Fingerprint:
    """SHA-256 of a data set: training images, training labels, test images and test labels, in parts of any size."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._keys = iter(("train_images", "train_labels", "test_images", "test_labels"))

    def begin(self, dtype: "np.dtype[Any]", shape: Sequence[int]) -> None:
        """The next of the four comes, and will be of this type and shape."""
        self._digest.update(f"{next(self._keys)} {dtype} {tuple(shape)}".encode())

    def add(self, part: Tensor) -> None:
        """More of what was begun."""
        self._digest.update(np.ascontiguousarray(part.numpy()).data)

    @property
    def text(self) -> str:
        """In hexadecimal."""
        return self._digest.hexdigest()
