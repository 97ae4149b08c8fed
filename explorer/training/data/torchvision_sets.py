"""torchvision's data sets: which files each has, where they lie, and how they become arrays.

torchvision says where files come from and what their checksums are; they are read here, since its own readers need
scipy, run what a pickle says, and hold each image as a Python object. Fetching is `fetch`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.runtime.torchvision_door import torchvision
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.formats import DamagedFile, read_idx, read_mat, read_pickled, read_raw_images
from explorer.training.data.places import roots

Labelled = tuple[Tensor, Tensor]


class RemoteFile(NamedTuple):
    """A file as it is published."""

    urls: tuple[str, ...]
    """The same file in several places, the likeliest first."""
    path: str
    """Where it goes, below a root as torchvision's."""
    md5: str


class Archive(NamedTuple):
    """What of a set's one tar file is unpacked, beside it."""

    folder: str
    """What its members lie in."""
    members: tuple[str, ...]
    """The members that are needed; empty for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchvisionSet:
    """One of torchvision's data sets."""

    folders: tuple[str, ...]
    """Below a root, where its files may lie; the first is torchvision's own."""
    needed: tuple[str, ...]
    """The files in that folder without which it is not here; any of them may be packed by gzip."""
    remote: Callable[[], tuple[RemoteFile, ...]]
    """What is to be fetched; asks torchvision, so the first call takes a second."""
    read: Callable[[Path], tuple[Labelled, Labelled, tuple[str, ...]]] | None
    """Training and test images with labels, and the names of the classes; None for folders of images."""
    archive: Archive | None = None


def find(name: str) -> Path | None:
    """The folder with the files of a data set; None if it is not on this computer.

    Raises:
        KeyError: torchvision has no such set.
    """
    known = SETS[name]
    for root in roots():
        for folder in known.folders:
            place = root / folder
            if all(_found(place, file) is not None for file in known.needed):
                return place
    return None


def read(name: str, place: Path) -> DataSet:
    """The data set in a folder that `find` gave.

    Raises:
        ValueError: a file is damaged; says which and what helps.
        OSError: a file cannot be read.
    """
    reader = SETS[name].read
    assert reader is not None  # Photographs are read as folders of images.
    return make_data_set(name, *reader(place))


def _found(place: Path, file: str) -> Path | None:
    path = place / file
    if path.exists():
        return path
    packed = path.with_name(f"{path.name}.gz")
    return packed if packed.exists() else None


def _at(place: Path, file: str) -> Path:
    return _found(place, file) or place / file


# IDX: MNIST and its kin

_IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_NUMERALS = tuple("0123456789")


def _idx_set(kind: str, id: str, class_names: tuple[str, ...]) -> TorchvisionSet:
    def remote() -> tuple[RemoteFile, ...]:
        published = getattr(torchvision().datasets, kind)
        return tuple(
            RemoteFile(tuple(f"{mirror}{file}" for mirror in published.mirrors), f"{kind}/raw/{file}", md5)
            for file, md5 in published.resources
        )

    def read_files(place: Path) -> tuple[Labelled, Labelled, tuple[str, ...]]:
        arrays = [read_idx(_at(place, file)) for file in _IDX_FILES]
        for file, array, dimensions in zip(_IDX_FILES, arrays, (3, 1, 3, 1), strict=True):
            if array.ndim != dimensions:
                raise DamagedFile(f"{place / file}: has {array.ndim} dimensions, not {dimensions}")
        train_images, train_labels, test_images, test_labels = (torch.from_numpy(array) for array in arrays)
        return (train_images.unsqueeze(1), train_labels), (test_images.unsqueeze(1), test_labels), class_names

    folders = (f"{kind}/raw", id, kind)
    return TorchvisionSet(folders=folders, needed=_IDX_FILES, remote=remote, read=read_files)


# CIFAR


def _cifar_set(kind: str, folder: str, train: tuple[str, ...], test: str, labels: str, names: str) -> TorchvisionSet:
    meta = "batches.meta" if kind == "CIFAR10" else "meta"

    def remote() -> tuple[RemoteFile, ...]:
        published = getattr(torchvision().datasets, kind)
        return (RemoteFile((published.url,), published.filename, published.tgz_md5),)

    def read_batches(place: Path, files: tuple[str, ...]) -> Labelled:
        images, found = [], []
        for file in files:
            batch = read_pickled(place / file)
            try:
                images.append(np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32))
                found += [int(label) for label in batch[labels]]
            except (KeyError, ValueError, TypeError) as error:
                raise DamagedFile(f"{place / file}: is no batch of {kind} ({error}); download it again") from None
        return torch.from_numpy(np.concatenate(images)), torch.tensor(found)

    def read_files(place: Path) -> tuple[Labelled, Labelled, tuple[str, ...]]:
        class_names = tuple(str(name).replace("_", " ") for name in read_pickled(place / meta).get(names, ()))
        return read_batches(place, train), read_batches(place, (test,)), class_names

    return TorchvisionSet(
        folders=(folder,),
        needed=(*train, test, meta),
        remote=remote,
        read=read_files,
        archive=Archive(folder, ()),
    )


# SVHN


def _svhn_remote() -> tuple[RemoteFile, ...]:
    published = torchvision().datasets.SVHN.split_list
    return tuple(RemoteFile((url,), file, md5) for url, file, md5 in (published["train"], published["test"]))


def _read_svhn(place: Path) -> tuple[Labelled, Labelled, tuple[str, ...]]:
    def part(file: str) -> Labelled:
        arrays = read_mat(place / file)
        try:
            # (H, W, C, N), with the class 10 for the numeral 0.
            images = np.ascontiguousarray(arrays["X"].transpose(3, 2, 0, 1).astype(np.uint8, copy=False))
            labels = arrays["y"].reshape(-1).astype(np.int64) % 10
        except (KeyError, ValueError) as error:
            raise DamagedFile(f"{place / file}: is no file of SVHN ({error}); download it again") from None
        return torch.from_numpy(images), torch.from_numpy(labels)

    return part("train_32x32.mat"), part("test_32x32.mat"), _NUMERALS


# STL-10

_STL_FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
_STL_CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


def _stl_remote() -> tuple[RemoteFile, ...]:
    published = torchvision().datasets.STL10
    return (RemoteFile((published.url,), published.filename, published.tgz_md5),)


def _read_stl(place: Path) -> tuple[Labelled, Labelled, tuple[str, ...]]:
    def part(images: str, labels: str) -> Labelled:
        pixels = read_raw_images(place / images, (3, 96, 96))
        # Classes count from 1; 0 would wrap round to 255, which no class is.
        numbers = np.fromfile(place / labels, np.uint8).astype(np.int64) - 1
        return torch.from_numpy(pixels), torch.from_numpy(numbers)

    return part(*_STL_FILES[:2]), part(*_STL_FILES[2:]), _STL_CLASSES


# Imagenette

IMAGENETTE_CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
"""Names of its folders' WordNet ids."""


def _imagenette_remote() -> tuple[RemoteFile, ...]:
    url, md5 = torchvision().datasets.Imagenette._ARCHIVES["320px"]
    return (RemoteFile((url,), "imagenette2-320.tgz", md5),)


SETS: dict[str, TorchvisionSet] = {
    "fashion-mnist": _idx_set("FashionMNIST", "fashion-mnist", _FASHION),
    "mnist": _idx_set("MNIST", "mnist", _NUMERALS),
    "kmnist": _idx_set("KMNIST", "kmnist", _KUZUSHIJI),
    "cifar10": _cifar_set(
        "CIFAR10",
        "cifar-10-batches-py",
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test_batch",
        "labels",
        "label_names",
    ),
    "cifar100": _cifar_set("CIFAR100", "cifar-100-python", ("train",), "test", "fine_labels", "fine_label_names"),
    "svhn": TorchvisionSet(
        folders=("", "svhn", "SVHN"),
        needed=("train_32x32.mat", "test_32x32.mat"),
        remote=_svhn_remote,
        read=_read_svhn,
    ),
    "stl10": TorchvisionSet(
        folders=("stl10_binary",),
        needed=_STL_FILES,
        remote=_stl_remote,
        read=_read_stl,
        # The 100,000 unlabelled images are nine tenths of it.
        archive=Archive("stl10_binary", _STL_FILES),
    ),
    "imagenette": TorchvisionSet(
        folders=("imagenette2-320", "imagenette2", "imagenette2-160"),
        needed=("train", "val"),
        remote=_imagenette_remote,
        read=None,
        archive=Archive("imagenette2-320", ()),
    ),
}
