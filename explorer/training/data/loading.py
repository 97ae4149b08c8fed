"""A data set by its name: found, read and kept in memory. What is not on this computer is fetched by `fetch`."""

import difflib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from explorer.assets import resource
from explorer.layers import Shape
from explorer.runs.data_facts import DataState
from explorer.runs.data_sources import (
    DATA_IDS,
    DATA_SOURCES,
    DIGITS,
    FOLDER_FORM,
    data_source,
    data_title,
    folder_of,
)
from explorer.training.data import torchvision_sets
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.decoded_cache import DataCancelled
from explorer.training.data.decoded_folder import Cancelled, load_folder, stored_shape
from explorer.training.data.folders import Listing, list_folder
from explorer.training.data.pace import Progress

_MOST_KEPT = 3
_LOOK_S = 0.1

_Key = tuple[str, Shape | None]
_kept: OrderedDict[_Key, DataSet] = OrderedDict()
"""The data sets that were used last, the latest at the end."""
_lock = threading.Lock()
_doing: list[tuple[str, float]] = []
"""What the thread does that has the lock, for those who wait for it: nothing or one report."""


class DataNotHere(ValueError):  # noqa: N818 - it says what happened
    """A data set is not on this computer; says what it would take, and what can be used at once."""


def load_data(
    name: str,
    input_shape: Shape | None = None,
    progress: Progress | None = None,
    is_cancelled: Cancelled | None = None,
    *,
    again: bool = False,
) -> DataSet:
    """The data set of that name; loaded once, and nothing is fetched over a network.

    Args:
        name: as `RunConfig.data`: an id of `DATA_SOURCES`, or `folder:` and a path.
        input_shape: the network's `(C, H, W)`. Photographs of many sizes are decoded to it; for sets whose images
            all have one size it says nothing.
        progress: receives what is being done, and the share done.
        is_cancelled: looked at between images.
        again: look at the files anew, also where the data set is in memory.

    Raises:
        ValueError: unknown (the message lists near matches), damaged, unfit, or photographs without `input_shape`.
        DataNotHere: it is to be downloaded first.
        FileNotFoundError: it belongs to the program but its installation lacks it.
        DataCancelled: the user ended it.
    """
    looked = is_cancelled or _never
    key = _key(name, input_shape)
    known = None if again else _kept.get(key)
    if known is not None:
        _touch(key)
        return known
    say = progress or _silent
    with _held(say, looked):
        if again:
            _kept.pop(key, None)
        if key not in _kept:
            _kept[key] = _load(name, key[1], _heard_by_all(say), looked)
        _kept.move_to_end(key)
        for old in [*_kept][:-_MOST_KEPT]:
            del _kept[old]
        return _kept[key]


def is_at_hand(name: str, input_shape: Shape | None = None) -> bool:
    """Whether `load_data` would answer at once, or within a second."""
    if folder_of(name) is None and (source := data_source(name)) is not None and source.image_shape is not None:
        return name == DIGITS or torchvision_sets.find(name) is not None
    return input_shape is not None and _key(name, input_shape) in _kept


def data_at_hand(name: str) -> tuple[str, str | None]:
    """The data set if it is on this computer, else the digits, and a note that says so.

    For what needs some images, and must not fail for want of those that a network was trained on.
    """
    folder = folder_of(name)
    if folder is not None:
        is_here = folder.is_dir()
    else:
        is_here = name == DIGITS or (name in torchvision_sets.SETS and torchvision_sets.find(name) is not None)
    return (name, None) if is_here else (DIGITS, f"Checked on digits: {data_title(name)} is not on this computer.")


def data_folder(name: str) -> tuple[Path, dict[str, str] | None] | None:
    """The folder of images that a name stands for, and what its classes are called; None for other data sets.

    Raises:
        ValueError: it is none that `load_data` knows.
        DataNotHere: it is to be downloaded first.
    """
    _key(name, (3, 1, 1))
    folder = folder_of(name)
    if folder is not None:
        return folder, None
    source = data_source(name)
    if source is None or source.image_shape is not None:
        return None
    return _found(name), torchvision_sets.IMAGENETTE_CLASSES


def data_set_names() -> tuple[str, ...]:
    """All ids that `load_data` knows, sorted."""
    return tuple(sorted(DATA_IDS))


def data_states() -> tuple[DataState, ...]:
    """Which data sets are on this computer, in the order of `DATA_SOURCES`."""
    states = []
    for source in DATA_SOURCES:
        place = None if source.id == DIGITS else torchvision_sets.find(source.id)
        is_here = source.id == DIGITS or place is not None
        states.append(DataState(source.id, is_here, "" if place is None else str(place)))
    return tuple(states)


def _key(name: str, input_shape: Shape | None) -> _Key:
    source = data_source(name)
    if source is None and folder_of(name) is None:
        near = difflib.get_close_matches(name, DATA_IDS, n=3, cutoff=0.5) or [*DATA_IDS, FOLDER_FORM]
        raise ValueError(f"unknown data set {name!r}; did you mean {' or '.join(near)}?")
    if source is not None and source.image_shape is not None:
        return name, None
    if input_shape is None:
        raise ValueError(f"{name}: photographs are decoded to the network's size; pass its input_shape")
    return name, stored_shape(input_shape)


def _load(name: str, shape: Shape | None, progress: Progress, is_cancelled: Cancelled) -> DataSet:
    if name == DIGITS:
        return _digits()
    progress(f"Reading {data_title(name)}", 0.0)
    folder = folder_of(name)
    if folder is not None:
        assert shape is not None
        return _load_folder(name, folder, shape, progress, is_cancelled)
    place = _found(name)
    try:
        if shape is None:
            return torchvision_sets.read(name, place)
    except OSError as error:
        raise ValueError(f"{name}: {place} cannot be read: {error.strerror or error}") from None
    return _load_folder(name, place, shape, progress, is_cancelled, torchvision_sets.IMAGENETTE_CLASSES)


def _found(name: str) -> Path:
    place = torchvision_sets.find(name)
    if place is None:
        source = data_source(name)
        assert source is not None
        raise DataNotHere(
            f"{source.title} is not on this computer; download its {source.download_bytes / 1024**2:,.0f} MB in the "
            f"Data tab or with `arch-explorer data {name} --download`, or use digits, which need no network"
        )
    return place


def _load_folder(
    name: str,
    folder: Path,
    shape: Shape,
    progress: Progress,
    is_cancelled: Cancelled,
    titles: dict[str, str] | None = None,
) -> DataSet:
    def look_out(num_files: int) -> None:
        if is_cancelled():
            raise DataCancelled
        progress(f"Looking through {folder.name}: {num_files:,} files", 0.0)

    return load_folder(name, listed(name, folder, titles, look_out), shape, progress, is_cancelled)


def listed(
    name: str, folder: Path, titles: dict[str, str] | None, look_out: Callable[[int], None] | None = None
) -> Listing:
    """As `list_folder`, but a folder that is not there or not to be read is a ValueError too."""
    try:
        return list_folder(folder, titles, look_out)
    except OSError as error:
        raise ValueError(
            f"{name}: the folder cannot be looked into: {(error.strerror or str(error)).lower()}; choose one "
            "that is there"
        ) from None


def _digits() -> DataSet:
    with np.load(resource("digits", "digits.npz"), allow_pickle=False) as file:
        parts = [
            (torch.from_numpy(file[f"{part}_images"]).unsqueeze(1), torch.from_numpy(file[f"{part}_labels"]))
            for part in ("train", "test")
        ]
    return make_data_set(DIGITS, parts[0], parts[1], tuple("0123456789"))


def _touch(key: _Key) -> None:
    """Note that it was used, unless a thread reads another one: what is in memory must not wait for that."""
    if _lock.acquire(blocking=False):
        try:
            if key in _kept:
                _kept.move_to_end(key)
        finally:
            _lock.release()


@contextmanager
def _held(progress: Progress, is_cancelled: Cancelled) -> Iterator[None]:
    """One thread loads at a time; who waits hears how far it is, and can be cancelled."""
    heard: tuple[str, float] | None = None
    while not _lock.acquire(timeout=_LOOK_S):
        if is_cancelled():
            raise DataCancelled
        for report in tuple(_doing):
            if report != heard:
                heard = report
                progress(*report)
    try:
        yield
    finally:
        _doing.clear()
        _lock.release()


def _heard_by_all(progress: Progress) -> Progress:
    def say(text: str, share: float) -> None:
        _doing[:] = [(text, share)]
        progress(text, share)

    return say


def _never() -> bool:
    return False


def _silent(_text: str, _share: float) -> None:
    pass
