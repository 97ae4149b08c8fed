"""The decoded pixels of a folder of images on disk, so that they are decoded once; `decoded_folder` makes them.

One safetensors file a folder and size. It is read into memory and not mapped: a file that is cut off while a run
computes on it must not end the program. What is not what was written is not taken.
"""

import hashlib
import json
import logging
import math
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from explorer.layers import Shape
from explorer.runs.data_facts import Problem, SizeCount
from explorer.training.data.data_set import DataSet, make_data_set
from explorer.training.data.decoding import VERSION
from explorer.training.data.folders import Listing
from explorer.training.data.pace import Pace, Progress
from explorer.training.data.places import cache_folder

_logger = logging.getLogger(__name__)
_MOST_CACHED_BYTES = 8 * 1024**3
_MOST_HEADER_BYTES = 100_000_000
"""As the format's own limit."""
_CHUNK_BYTES = 32 * 1024**2
_TENSORS = ("train_images", "train_labels", "test_images", "test_labels")
_TYPES: dict[str, np.dtype[Any]] = {"U8": np.dtype(np.uint8), "I64": np.dtype("<i8")}


class DataCancelled(Exception):  # noqa: N818 - it says what happened
    """The user ended it."""


class Damaged(ValueError):  # noqa: N818 - it says what happened
    """A file of the cache that is not what was written."""


def cache_path(listing: Listing, shape: Shape) -> Path:
    """Where the pixels of a folder are kept, as its files are now, at a `(C, H, W)`."""
    key = f"{VERSION}\0{listing.root}\0{listing.digest}\0{shape}\0{listing.class_names}"
    name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
    return cache_folder() / "decoded" / f"{name}.safetensors"


def read_cache(name: str, path: Path, progress: Progress, is_cancelled: Callable[[], bool]) -> DataSet | None:
    """What was kept; None where nothing is, or it is damaged.

    Raises:
        DataCancelled: the user ended it.
    """
    try:
        with path.open("rb") as file:
            facts, tensors = _read(file, progress, is_cancelled)
        with suppress(OSError):
            os.utime(path)  # What was used last is thrown away last.
        train_images, train_labels, test_images, test_labels = (tensors[name] for name in _TENSORS)
        data = make_data_set(
            name,
            (train_images, train_labels),
            (test_images, test_labels),
            facts["class_names"],
            problems=[Problem(*problem) for problem in facts["problems"]],
            sizes=[SizeCount(*size) for size in facts["sizes"]],
            train_files=facts["train_files"],
        )
        if data.fingerprint != facts["fingerprint"]:
            raise Damaged("its pixels are not those that were written")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        _logger.info("%s is decoded again, since what was kept of it is damaged: %s", name, error)
        return None
    return data


def write_cache(data: DataSet, path: Path) -> None:
    """Keep a data set; a disk that refuses is no harm but for the next time."""
    facts = {
        "class_names": data.class_names,
        "problems": data.problems,
        "sizes": data.sizes,
        "train_files": data.train_files,
        "fingerprint": data.fingerprint,
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


def _read(
    file: BinaryIO, progress: Progress, is_cancelled: Callable[[], bool]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The facts and the tensors (https://github.com/huggingface/safetensors, "Format")."""
    (header_bytes,) = struct.unpack("<Q", _exactly(file, 8))
    size = os.fstat(file.fileno()).st_size
    if header_bytes > min(_MOST_HEADER_BYTES, size):
        raise Damaged(f"a header of {header_bytes:,} bytes")
    header = json.loads(_exactly(file, header_bytes))
    facts = json.loads(header["__metadata__"]["facts"])
    start = file.tell()
    whole = sum(_num_bytes(header[name]) for name in _TENSORS)
    if whole > size - start:
        raise Damaged(f"{size - start:,} bytes instead of {whole:,}")
    pace = Pace("Reading {done} of {total} MB that were decoded before", whole // 10**6, progress)
    tensors, done = {}, 0
    for name in _TENSORS:
        entry = header[name]
        array = np.empty(tuple(entry["shape"]), _TYPES[entry["dtype"]])
        file.seek(start + entry["data_offsets"][0])
        room = memoryview(array.reshape(-1).view(np.uint8).data)
        for place in range(0, len(room), _CHUNK_BYTES):
            if is_cancelled():
                raise DataCancelled
            pace.done(done // 10**6)
            part = room[place : place + _CHUNK_BYTES]
            if file.readinto(part) != len(part):  # type: ignore[attr-defined]  # a buffered file has it
                raise Damaged("it ends early")
            done += len(part)
        tensors[name] = torch.from_numpy(array)
    return facts, tensors


def _num_bytes(entry: dict[str, Any]) -> int:
    first, end = entry["data_offsets"]
    needed = _TYPES[entry["dtype"]].itemsize * math.prod(entry["shape"])
    if end - first != needed or first < 0:
        raise Damaged(f"{end - first:,} bytes for a shape of {needed:,}")
    return int(needed)


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) != count:
        raise Damaged("it ends in its header")
    return content


def _prune(folder: Path, newest: Path) -> None:
    files = sorted(folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > _MOST_CACHED_BYTES and file != newest:
            file.unlink()
