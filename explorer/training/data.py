"""Data sets by name, held in memory as uint8. What a network makes of the images is `runtime.images`."""

import difflib
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.assets import resource
from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runtime.images import normalization_of, to_network_input


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """Labelled images, on the CPU. Nobody writes to the tensors."""

    name: str
    train_images: Tensor
    """`(N, C, H, W)`, uint8."""
    train_labels: Tensor
    """`(N,)`, int64, positions in `class_names`."""
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]
    normalization: Normalization
    """Of the training images."""
    fingerprint: str
    """SHA-256 of all images and labels, in hexadecimal: equal data, equal text."""

    @property
    def image_shape(self) -> Shape:
        """`(C, H, W)`."""
        return tuple(self.train_images.shape[1:])


def load_data(name: str) -> DataSet:
    """The data set of that name; loaded once.

    Raises:
        ValueError: unknown; the message lists near matches.
        FileNotFoundError: it belongs to the program but its installation lacks it.
    """
    try:
        load = _DATA_SETS[name]
    except KeyError:
        near = difflib.get_close_matches(name, _DATA_SETS, n=3, cutoff=0.5) or sorted(_DATA_SETS)
        raise ValueError(f"unknown data set {name!r}; did you mean {' or '.join(near)}?") from None
    return load()


def data_set_names() -> tuple[str, ...]:
    """All names that `load_data` knows, sorted."""
    return tuple(sorted(_DATA_SETS))


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


@functools.cache
def _digits() -> DataSet:
    return _from_npz("digits", resource("digits", "digits.npz"), tuple("0123456789"))


def _from_npz(name: str, path: Path, class_names: tuple[str, ...]) -> DataSet:
    """A data set of grey images `(N, H, W)` and labels in four arrays."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in ("train_images", "train_labels", "test_images", "test_labels")}
    digest = hashlib.sha256()
    for key, array in arrays.items():
        digest.update(f"{key} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    train_images = torch.from_numpy(arrays["train_images"]).unsqueeze(1)
    return DataSet(
        name=name,
        train_images=train_images,
        train_labels=torch.from_numpy(arrays["train_labels"]).long(),
        test_images=torch.from_numpy(arrays["test_images"]).unsqueeze(1),
        test_labels=torch.from_numpy(arrays["test_labels"]).long(),
        class_names=class_names,
        normalization=normalization_of(train_images),
        fingerprint=digest.hexdigest(),
    )


_DATA_SETS: dict[str, Callable[[], DataSet]] = {"digits": _digits}
"""What loads each data set; what is loaded stays in memory."""
