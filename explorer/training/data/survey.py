"""A folder of images that does not fit into memory, as a data set: looked through once, with nothing kept but facts.

Looking through decodes every file: which can be read, their mean and deviation and their fingerprint are then those
that the data set has in memory, so that a run may begin in one way and be resumed in the other. That takes about as
long as the images of one epoch, once; the facts are kept on disk until a file changes.
"""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runs.data_facts import Problem, SizeCount
from explorer.runtime.images import count_values, normalization_of_counts
from explorer.training.data.batch_stream import BatchStream
from explorer.training.data.data_set import DataSet, Fingerprint
from explorer.training.data.decode_workers import Outcome, SharedWorkers
from explorer.training.data.decoded_cache import DataCancelled, cache_path
from explorer.training.data.folders import ImageFile, Listing, check_parts, missing_classes, readable
from explorer.training.data.pace import Pace, Progress
from explorer.training.data.streamed import StreamedImages

_logger = logging.getLogger(__name__)
_BATCH = 32
_MOST_SIZES = 200
Cancelled = Callable[[], bool]


class Facts(NamedTuple):
    """What only decoding tells."""

    taken: tuple[int, ...]
    """Positions in the listing of the files that can be read."""
    problems: tuple[Problem, ...]
    sizes: tuple[SizeCount, ...]
    normalization: Normalization
    fingerprint: str


def streamed_folder(name: str, listing: Listing, shape: Shape, progress: Progress, is_cancelled: Cancelled) -> DataSet:
    """The images of a folder, left where they are.

    Args:
        name: what the data set is called.
        shape: `(C, H, W)` to decode to.

    Raises:
        ValueError: too few images can be read.
        DataCancelled: the user ended it.
    """
    path = cache_path(listing, shape).with_suffix(".json")
    facts = _read(path)
    if facts is None:
        facts = look_through(name, listing, shape, progress, is_cancelled)
        if not any(problem.reason.startswith("cannot be read") for problem in facts.problems):
            _write(facts, path)
    taken = [listing.files[place] for place in facts.taken]
    num_train = sum(not file.is_test for file in taken)
    workers, labels = SharedWorkers(), _labels(taken)

    def images(files: Sequence[ImageFile]) -> StreamedImages:
        return StreamedImages(listing.root, [file.path for file in files], shape, workers)

    return DataSet(
        name=name,
        train_images=images(taken[:num_train]),
        train_labels=labels[:num_train],
        test_images=images(taken[num_train:]),
        test_labels=labels[num_train:],
        class_names=listing.class_names,
        normalization=facts.normalization,
        fingerprint=facts.fingerprint,
        problems=facts.problems,
        sizes=facts.sizes,
        train_files=tuple(str(listing.root / file.path) for file in taken[:num_train]),
    )


def look_through(name: str, listing: Listing, shape: Shape, progress: Progress, is_cancelled: Cancelled) -> Facts:
    """Decode every file once, and those that can be read once more if some cannot: the fingerprint begins with their
    number.

    Raises:
        ValueError: too few images can be read.
        DataCancelled: the user ended it.
    """
    taken = [*range(len(listing.files))]
    problems = [*listing.problems]
    while True:
        sizes: Counter[tuple[int, int]] = Counter()
        remarks: list[Problem] = []
        refused: dict[int, str] = {}
        counts = torch.zeros(shape[0], 256, dtype=torch.int64)
        fingerprint = Fingerprint()
        for places, images, outcomes in _decoded(listing, taken, shape, fingerprint, progress, is_cancelled):
            for place, outcome in zip(places, outcomes, strict=True):
                title = readable(listing.files[place].path)
                if not outcome.is_decoded:
                    refused[place] = outcome.text
                    problems.append(Problem(title, outcome.text))
                    continue
                sizes[outcome.height, outcome.width] += 1
                if outcome.text:
                    remarks.append(Problem(title, outcome.text, is_skipped=False))
            if not refused and not listing.files[places[0]].is_test:
                counts += count_values(images)
        taken = [place for place in taken if place not in refused]
        check_parts(name, listing, [listing.files[place] for place in taken], problems)
        if not refused:
            break
    # In the files' order, as they are found in one go.
    order = {readable(file.path): place for place, file in enumerate(listing.files)}
    found = [*problems[len(listing.problems) :], *remarks]
    problems = [*listing.problems, *sorted(found, key=lambda problem: order[problem.path])]
    problems += missing_classes(listing, [listing.files[place] for place in taken])
    return Facts(
        taken=tuple(taken),
        problems=tuple(problems),
        sizes=tuple(SizeCount(height, width, count) for (height, width), count in sizes.most_common(_MOST_SIZES)),
        normalization=normalization_of_counts(counts),
        fingerprint=fingerprint.text,
    )


def _decoded(
    listing: Listing,
    taken: Sequence[int],
    shape: Shape,
    fingerprint: Fingerprint,
    progress: Progress,
    is_cancelled: Cancelled,
) -> Iterator[tuple[Sequence[int], Tensor, list[Outcome]]]:
    """Places in the listing, pixels `(n, C, H, W)` and what became of each file, in order; all go into the
    fingerprint."""
    files = [listing.files[place] for place in taken]
    num_train = sum(not file.is_test for file in files)
    stream = BatchStream(
        StreamedImages(listing.root, [file.path for file in files], shape, SharedWorkers()), None, torch.device("cpu")
    )
    parts = (range(num_train), range(num_train, len(files)))
    pace = Pace("Looking through {done} of {total} images", len(files), progress)
    try:
        stream.prefetch(slice(start, min(start + _BATCH, part.stop)) for part in parts for start in part[::_BATCH])
        for part in parts:
            fingerprint.begin(np.dtype(np.uint8), (len(part), *shape))
            for start in part[::_BATCH]:
                if is_cancelled():
                    raise DataCancelled
                places = slice(start, min(start + _BATCH, part.stop))
                with stream.looked_at(places) as (images, outcomes):
                    fingerprint.add(images)
                    yield taken[places], images, outcomes
                pace.done(places.stop)
            labels = _labels(files[part.start : part.stop])
            fingerprint.begin(labels.numpy().dtype, labels.shape)
            fingerprint.add(labels)
    finally:
        stream.close()


def _labels(files: Sequence[ImageFile]) -> Tensor:
    return torch.tensor([file.label for file in files], dtype=torch.int64)


def _read(path: Path) -> Facts | None:
    """What was kept; None where nothing is, or it is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Facts(
            taken=tuple(int(place) for place in kept["taken"]),
            problems=tuple(Problem(*problem) for problem in kept["problems"]),
            sizes=tuple(SizeCount(*size) for size in kept["sizes"]),
            normalization=Normalization(mean=tuple(kept["mean"]), std=tuple(kept["std"])),
            fingerprint=str(kept["fingerprint"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.info("%s is worked out again, since what was kept is damaged: %s", path, error)
        return None


def _write(facts: Facts, path: Path) -> None:
    kept = {**facts._asdict(), "mean": facts.normalization.mean, "std": facts.normalization.std}
    del kept["normalization"]
    temporary = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.replace(path)
    except (OSError, UnicodeError) as error:
        _logger.warning("what was found out about %s is not kept: %s", path, error)
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
