"""Which data sets there are by name, and what is known of each before it is here; and folders of images as names.

`RunConfig.data` holds an id of `DATA_SOURCES`, or `folder:` and a path. Reading and fetching are `training.data`'s.
"""

import os
from dataclasses import dataclass
from pathlib import Path

DIGITS = "digits"
"""The data set that comes along."""
FOLDER_PREFIX = "folder:"
FOLDER_FORM = f"{FOLDER_PREFIX}PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A data set that is known by name."""

    id: str
    title: str
    about: str
    """What it shows, in half a sentence."""
    num_classes: int
    num_train: int
    num_test: int
    image_shape: tuple[int, int, int] | None
    """`(C, H, W)`; None for photographs of many sizes, which are stored at the size that the network takes."""
    download_bytes: int
    """Of all its files, as published; 0 if it comes along."""


DATA_SOURCES: tuple[DataSource, ...] = (
    DataSource(
        id=DIGITS,
        title="Digits",
        about="5,000 handwritten digits of MNIST, which come along",
        num_classes=10,
        num_train=4_000,
        num_test=1_000,
        image_shape=(1, 28, 28),
        download_bytes=0,
    ),
    DataSource(
        id="fashion-mnist",
        title="Fashion-MNIST",
        about="pieces of clothing in grey; as small as MNIST, and harder",
        num_classes=10,
        num_train=60_000,
        num_test=10_000,
        image_shape=(1, 28, 28),
        download_bytes=30_878_645,
    ),
    DataSource(
        id="mnist",
        title="MNIST",
        about="handwritten digits",
        num_classes=10,
        num_train=60_000,
        num_test=10_000,
        image_shape=(1, 28, 28),
        download_bytes=11_594_722,
    ),
    DataSource(
        id="kmnist",
        title="KMNIST",
        about="handwritten Japanese characters (kuzushiji)",
        num_classes=10,
        num_train=60_000,
        num_test=10_000,
        image_shape=(1, 28, 28),
        download_bytes=21_240_888,
    ),
    DataSource(
        id="cifar10",
        title="CIFAR-10",
        about="small photographs of animals and vehicles",
        num_classes=10,
        num_train=50_000,
        num_test=10_000,
        image_shape=(3, 32, 32),
        download_bytes=170_498_071,
    ),
    DataSource(
        id="cifar100",
        title="CIFAR-100",
        about="small photographs in a hundred classes",
        num_classes=100,
        num_train=50_000,
        num_test=10_000,
        image_shape=(3, 32, 32),
        download_bytes=169_001_437,
    ),
    DataSource(
        id="svhn",
        title="SVHN",
        about="digits of house numbers, photographed in streets",
        num_classes=10,
        num_train=73_257,
        num_test=26_032,
        image_shape=(3, 32, 32),
        download_bytes=246_316_178,
    ),
    DataSource(
        id="stl10",
        title="STL-10",
        about="photographs of animals and vehicles; few for training",
        num_classes=10,
        num_train=5_000,
        num_test=8_000,
        image_shape=(3, 96, 96),
        download_bytes=2_640_397_119,
    ),
    DataSource(
        id="imagenette",
        title="Imagenette",
        about="photographs of ten easy classes of ImageNet, 320 pixels and more",
        num_classes=10,
        num_train=9_469,
        num_test=3_925,
        image_shape=None,
        download_bytes=341_663_724,
    ),
)
"""In the order in which a menu offers them."""

DATA_IDS: tuple[str, ...] = tuple(source.id for source in DATA_SOURCES)


def data_source(name: str) -> DataSource | None:
    """What is known of a data set; None for a folder, and for a name that nobody knows."""
    return next((source for source in DATA_SOURCES if source.id == name), None)


def folder_of(name: str) -> Path | None:
    """The folder that a name of the form `folder:PATH` stands for; None for other names."""
    return Path(name.removeprefix(FOLDER_PREFIX)) if name.startswith(FOLDER_PREFIX) else None


def read_folder_name(text: str) -> str:
    """A name of the form `folder:PATH` with its path whole, so that it means the same from everywhere.

    The folder need not exist: the record of a run outlives its images.

    Raises:
        ValueError: of another form.
    """
    path = text.removeprefix(FOLDER_PREFIX).strip()
    if not text.startswith(FOLDER_PREFIX) or not path or "\0" in path:
        raise ValueError(f"{text!r} is no folder of images; use {FOLDER_FORM}")
    return f"{FOLDER_PREFIX}{os.path.abspath(Path(path).expanduser())}"  # noqa: PTH100 - resolve() follows links


def data_title(name: str) -> str:
    """What a screen calls a data set: "Fashion-MNIST", or a folder's own name."""
    folder = folder_of(name)
    if folder is not None:
        return folder.name or str(folder)
    source = data_source(name)
    return name if source is None else source.title
