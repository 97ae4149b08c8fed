"""A folder of images as a data set: each file decoded once, faults listed. `decoded_cache` keeps the pixels;
`survey` is for what does not fit into memory."""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import psutil
import torch

from explorer.layers import Shape
from explorer.runs.data_facts import Problem, SizeCount
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.decoded_cache import DataCancelled, cache_path, read_cache, write_cache
from explorer.training.data.decoding import Decoded, Refused, decode
from explorer.training.data.folders import ImageFile, Listing, check_parts, missing_classes, readable
from explorer.training.data.pace import Pace, Progress
from explorer.training.data.survey import streamed_folder

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
    """The images of a folder: in memory if they fit, from the cache on disk where no file has changed since; else left
    in their files, from which a run reads them ahead.

    Args:
        name: what the data set is called.
        shape: `(C, H, W)` of each image, as `stored_shape` gives it.

    Raises:
        ValueError: too few images can be read.
        DataCancelled: the user ended it.
    """
    if not _fits_memory(listing, shape):
        return streamed_folder(name, listing, shape, progress, is_cancelled)
    path = cache_path(listing, shape)
    kept = read_cache(name, path, progress, is_cancelled)
    if kept is not None:
        return kept
    data = decode_all(name, listing, shape, progress, is_cancelled)
    if not any(problem.reason.startswith("cannot be read") for problem in data.problems):
        progress("Keeping the decoded images for the next time", 1.0)
        write_cache(data, path)
    return data


def _fits_memory(listing: Listing, shape: Shape) -> bool:
    needed = len(listing.files) * torch.Size(shape).numel()
    return needed <= _MEMORY_SHARE * psutil.virtual_memory().available


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
    problems += missing_classes(listing, taken)
    check_parts(name, listing, taken, problems)
    num_train = sum(not file.is_test for file in taken)
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
