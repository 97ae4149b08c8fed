"""A folder of images as a data set: each file decoded once, faults listed. `decoded_cache` keeps the pixels."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import psutil
import torch

from explorer.layers import Shape, format_shape
from explorer.runs.data_facts import Problem, SizeCount
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.decoded_cache import DataCancelled, cache_path, read_cache, write_cache
from explorer.training.data.decoding import Decoded, Refused, decode
from explorer.training.data.folders import ImageFile, Listing, readable
from explorer.training.data.pace import Pace, Progress

_MEMORY_SHARE = 0.6
"""Of the memory that is free now; the rest is the network's."""
_MOST_SIZES = 200
_MOST_WAITING = 64
"""Images that are decoded ahead, so that no thread waits."""

Cancelled = Callable[[], bool]


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
    _check_memory(name, listing, shape)
    path = cache_path(listing, shape)
    kept = read_cache(name, path, progress, is_cancelled)
    if kept is not None:
        return kept
    data = decode_all(name, listing, shape, progress, is_cancelled)
    if not any(problem.reason.startswith("cannot be read") for problem in data.problems):
        progress("Keeping the decoded images for the next time", 1.0)
        write_cache(data, path)
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


def decode_all(name: str, listing: Listing, shape: Shape, progress: Progress, is_cancelled: Cancelled) -> DataSet:
    """The images of a folder, from their files.

    Raises:
        ValueError: too few images can be read.
        DataCancelled: the user ended it.
    """
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

    pace = Pace("Decoding {done} of {total} images", len(files), progress)
    # Decoders and resizing let go of Python's lock, so that threads do.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="decode") as pool:
        for place, (file, result) in enumerate(zip(files, _in_order(pool, work, files), strict=True)):
            if is_cancelled():
                raise DataCancelled
            pace.done(place + 1)
            if isinstance(result, Refused):
                problems.append(Problem(readable(file.path), str(result)))
                continue
            images[len(taken)] = result.pixels
            taken.append(file)
            sizes[result.height, result.width] += 1
            if result.remark:
                problems.append(Problem(readable(file.path), result.remark, is_skipped=False))
    problems += _missing_classes(listing, taken)
    num_train = sum(not file.is_test for file in taken)
    if not 0 < num_train < len(taken):
        part = "training" if num_train == 0 else "test"
        raise ValueError(
            f"{name}: none of its {len(files):,} files is a readable {part} image"
            + (f"; the first fault: {problems[0].path}: {problems[0].reason}" if problems else "")
            + "; use at least two images a class"
        )
    progress("Measuring mean and deviation of the images", 1.0)
    whole = torch.from_numpy(images[: len(taken)])
    labels = torch.tensor([file.label for file in taken])
    data = make_data_set(
        name,
        (whole[:num_train], labels[:num_train]),
        (whole[num_train:], labels[num_train:]),
        listing.class_names,
        problems=problems,
        sizes=[SizeCount(height, width, count) for (height, width), count in sizes.most_common(_MOST_SIZES)],
        train_files=[str(listing.root / file.path) for file in taken[:num_train]],
    )
    if is_cancelled():
        raise DataCancelled
    return data


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[ImageFile], Decoded | Refused], files: Sequence[ImageFile]
) -> Iterator[Decoded | Refused]:
    """The results of all, in order. `pool.map` would take a million files before it gave the first result."""
    waiting: deque[Future[Decoded | Refused]] = deque()
    for file in files:
        waiting.append(pool.submit(work, file))
        if len(waiting) >= _MOST_WAITING:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _missing_classes(listing: Listing, taken: list[ImageFile]) -> list[Problem]:
    trained = {file.label for file in taken if not file.is_test}
    return [
        Problem(title, "has no image to train on")
        for label, title in enumerate(listing.class_names)
        if label not in trained
    ]
