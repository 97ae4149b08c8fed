"""Data sets by name, held in memory as uint8. What a network makes of the images is `runtime.images`."""

import difflib
import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.assets import resource
from explorer.layers import Shape
from explorer.runtime.images import Normalization, normalization_of


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """An image to look at feature maps of."""

    label: str
    image: npt.NDArray[np.uint8]
    """`(C, H, W)`."""


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


def probe_images(data: DataSet, per_class: int = 1) -> tuple[Probe, ...]:
    """The first `per_class` test images of each class, class by class."""
    probes = []
    for label, name in enumerate(data.class_names):
        for position in (data.test_labels == label).nonzero().flatten()[:per_class].tolist():
            probes.append(Probe(label=name, image=data.test_images[position].numpy().copy()))
    return tuple(probes)


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
