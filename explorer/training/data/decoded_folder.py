"""A folder of images as a data set: each file decoded once, faults listed, the pixels kept on disk for next time."""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from explorer.layers import Shape, format_shape
from explorer.runs.data_facts import Problem, SizeCount
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.decoding import VERSION, Decoded, Refused, decode
from explorer.training.data.folders import ImageFile, Listing
from explorer.training.data.places import cache_folder

_logger = logging.getLogger(__name__)
_MEMORY_SHARE = 0.6
"""Of the memory that is free now; the rest is the network's."""
_MOST_CACHED_BYTES = 8 * 1024**3
_REPORTED_EVERY = 32
_MOST_SIZES = 200
_TENSORS = ("train_images", "train_labels", "test_images", "test_labels")

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class DataCancelled(Exception):  # noqa: N818 - it says what happened
    """The user ended it."""


def stored_shape(input_shape: Shape) -> Shape:
    """How photographs are kept for a network: at its size, grey for one channel and in colour for all others."""
    return (1 if input_shape[0] == 1 else 3, *input_shape[1:])


def load_folder(name: str, listing: Listing, shape: Shape, progress: Progress, is_cancelled: Cancelled) -> DataSet:
    """The images of a folder, from the cache on disk where no file has changed since.

    Args:
        name: what the data set is called.
        shape: `(C, H, W)` of each image, as `stored_shape` gives it.

    Raises:
        ValueError: it does not fit into memory, or too few images can be read; says what would fit.
        DataCancelled: the user ended it.
    """
    path = _cache_path(listing, shape)
    kept = _read(name, path)
    if kept is not None:
        return kept
    _check_memory(name, listing, shape)
    data = _decode_all(name, listing, shape, progress, is_cancelled)
    if not any(problem.reason.startswith("cannot be read") for problem in data.problems):
        _write(data, path)
    return data


def _check_memory(name: str, listing: Listing, shape: Shape) -> None:
    needed = len(listing.files) * torch.Size(shape).numel()
    free = psutil.virtual_memory().available
    if needed > _MEMORY_SHARE * free:
        fits = int(_MEMORY_SHARE * free / torch.Size(shape).numel())
        raise ValueError(
            f"{name}: {len(listing.files):,} images of {format_shape(shape)} take {needed / 1e9:,.1f} GB, but of "
            f"{free / 1e9:,.1f} GB of free memory {_MEMORY_SHARE * free / 1e9:,.1f} may be used; use at most {fits:,} "
            "images, or a smaller input"
        )


def _decode_all(name: str, listing: Listing, shape: Shape, progress: Progress, is_cancelled: Cancelled) -> DataSet:
    files = listing.files
    images = np.empty((len(files), *shape), np.uint8)
    taken: list[ImageFile] = []
    problems = list(listing.problems)
    sizes: Counter[tuple[int, int]] = Counter()

    def work(file: ImageFile) -> Decoded | Refused:
        if is_cancelled():
            return Refused("was not reached")
        try:
            return decode(listing.root / file.path, shape)
        except Refused as refused:
            return refused

    # Decoders and resizing let go of Python's lock, so that threads do.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="decode") as pool:
        for place, (file, result) in enumerate(zip(files, pool.map(work, files), strict=True)):
            if is_cancelled():
                pool.shutdown(wait=False, cancel_futures=True)
                raise DataCancelled
            if place % _REPORTED_EVERY == 0:
                progress(f"Reading image {place + 1:,} of {len(files):,}", place / len(files))
            if isinstance(result, Refused):
                problems.append(Problem(file.path, str(result)))
                continue
            images[len(taken)] = result.pixels
            taken.append(file)
            sizes[result.height, result.width] += 1
            if result.remark:
                problems.append(Problem(file.path, result.remark, is_skipped=False))
    problems += _missing_classes(listing, taken)
    num_train = sum(not file.is_test for file in taken)
    if not 0 < num_train < len(taken):
        part = "training" if num_train == 0 else "test"
        raise ValueError(
            f"{name}: none of its {len(files):,} files is a readable {part} image"
            + (f"; the first fault: {problems[0].path}: {problems[0].reason}" if problems else "")
            + "; use at least two images a class"
        )
    whole = torch.from_numpy(images[: len(taken)])
    labels = torch.tensor([file.label for file in taken])
    return make_data_set(
        name,
        (whole[:num_train], labels[:num_train]),
        (whole[num_train:], labels[num_train:]),
        listing.class_names,
        problems=problems,
        sizes=[SizeCount(height, width, count) for (height, width), count in sizes.most_common(_MOST_SIZES)],
        train_files=[str(listing.root / file.path) for file in taken[:num_train]],
    )


def _missing_classes(listing: Listing, taken: list[ImageFile]) -> list[Problem]:
    trained = {file.label for file in taken if not file.is_test}
    return [
        Problem(title, "has no image to train on")
        for label, title in enumerate(listing.class_names)
        if label not in trained
    ]


# The cache


def _cache_path(listing: Listing, shape: Shape) -> Path:
    key = f"{VERSION}\0{listing.root}\0{listing.digest}\0{shape}\0{listing.class_names}"
    return (
        cache_folder() / "decoded" / f"{hashlib.sha256(key.encode(errors='surrogateescape')).hexdigest()}.safetensors"
    )


def _read(name: str, path: Path) -> DataSet | None:
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()["facts"])
            train_images, train_labels, test_images, test_labels = (file.get_tensor(name) for name in _TENSORS)
        with suppress(OSError):
            os.utime(path)  # What was used last is thrown away last.
        return make_data_set(
            name,
            (train_images, train_labels),
            (test_images, test_labels),
            facts["class_names"],
            problems=[Problem(*problem) for problem in facts["problems"]],
            sizes=[SizeCount(*size) for size in facts["sizes"]],
            train_files=facts["train_files"],
        )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None  # Not there, or damaged: decoding makes it again.


def _write(data: DataSet, path: Path) -> None:
    facts = {
        "class_names": data.class_names,
        "problems": data.problems,
        "sizes": data.sizes,
        "train_files": data.train_files,
    }
    temporary = path.with_suffix(f".{os.getpid()}.partial")
    # As they lie: they may be most of the memory there is, so that there is no room for them once more.
    tensors = {name: getattr(data, name) for name in _TENSORS}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary, {"facts": json.dumps(facts)})
        temporary.replace(path)
        _prune(path.parent, path)
    except (OSError, SafetensorError, UnicodeError) as error:
        _logger.warning("the decoded images of %s are not kept: %s", data.name, error)
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _prune(folder: Path, newest: Path) -> None:
    files = sorted(folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > _MOST_CACHED_BYTES and file != newest:
            file.unlink()
