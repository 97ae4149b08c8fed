"""Folders of images by class: which files belong to what, and which are for training. Decoding is `decoding`'s.

Laid out as torchvision's `ImageFolder` wants them: one folder a class, at the top or in `train` and `val` (or `test`).
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.runs.data_facts import Problem

TEST_SHARE = 0.2
"""Of each class, where the folder says nothing of training and test."""
_TRAIN_NAMES = ("train", "training")
_TEST_NAMES = ("val", "valid", "validation", "test", "testing")
"""The first that is there tests after each epoch."""
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """One file that may be an image."""

    path: str
    """Below the listing's root, with slashes."""
    label: int
    is_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a folder holds, before any file was opened."""

    root: Path
    class_names: tuple[str, ...]
    files: tuple[ImageFile, ...]
    """Sorted by part, class and path."""
    problems: tuple[Problem, ...]
    digest: str
    """Changes when a file is added, removed or written to."""


def list_folder(
    root: Path, titles: dict[str, str] | None = None, look_out: Callable[[int], None] | None = None
) -> Listing:
    """Look through a folder of images.

    Where there is no split, a fifth of each class is for testing, chosen by the files' names, so that it is the same
    on every computer and adding images moves none of the others.

    Args:
        root: one folder a class, or folders of these named train and val.
        titles: what to call the classes whose folders have these names.
        look_out: receives the number of files found, folder by folder; what it raises ends the search.

    Raises:
        ValueError: it holds no classes; says how it should be laid out.
        FileNotFoundError, NotADirectoryError, PermissionError: it cannot be looked into.
    """
    problems: list[Problem] = []
    # Names of parts count in any case; those of classes as they are, since "a" may lie beside "A".
    top = {name.lower(): name for name in _folders(root)}
    train = next((top[name] for name in _TRAIN_NAMES if name in top), None)
    tests = [top[name] for name in _TEST_NAMES if name in top]
    if train is not None and _folders(root / train):
        problems += [Problem(other, "is left aside, since training is tested on " + tests[0]) for other in tests[1:]]
        parts = [(train, False), *((test, True) for test in tests[:1])]
    else:
        parts = [("", False)]
    found: dict[tuple[bool, str], list[tuple[str, int, int]]] = defaultdict(list)
    num_found = 0
    for part, is_test in parts:
        problems += _loose_files(root, part)
        for folder in _folders(root / part):
            below = f"{part}/{folder}" if part else folder
            if look_out is not None:
                look_out(num_found)
            files = sorted(_walk(root, below, problems))
            num_found += len(files)
            if files:
                found[is_test, folder] = files
            else:
                problems.append(Problem(readable(below), "holds no files; its class is left out"))
    names = sorted({name for _, name in found})
    if len(names) < 2:
        raise ValueError(_layout(root, names))
    listed: list[ImageFile] = []
    digest = hashlib.sha256()
    for (is_test, name), entries in sorted(found.items()):
        tested = {path for path, _, _ in entries} if is_test else set()
        if len(parts) == 1:
            tested = _chosen([path for path, _, _ in entries])
        for path, num_bytes, changed_ns in entries:
            digest.update(f"{path}\0{num_bytes}\0{changed_ns}\0{path in tested}\n".encode(errors="surrogateescape"))
            listed.append(ImageFile(path=path, label=names.index(name), is_test=path in tested))
    shown = titles or {}
    return Listing(
        root=root,
        class_names=tuple(shown.get(name, readable(name)) for name in names),
        files=tuple(sorted(listed, key=lambda file: (file.is_test, file.label, file.path))),
        problems=tuple(problems),
        digest=digest.hexdigest(),
    )


def readable(name: str) -> str:
    """A file's name as it can be shown and written: bytes that are no text become question marks."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def check_parts(name: str, listing: Listing, taken: Sequence[ImageFile], problems: Sequence[Problem]) -> None:
    """Make sure that something is left to train on and to test with.

    Args:
        name: of the data set.
        listing: all files.
        taken: those that can be read.
        problems: of the others.

    Raises:
        ValueError: one of the two parts is empty.
    """
    num_train = sum(not file.is_test for file in taken)
    if not 0 < num_train < len(taken):
        part = "training" if num_train == 0 else "test"
        raise ValueError(
            f"{name}: none of its {len(listing.files):,} files is a readable {part} image"
            + (f"; the first fault: {problems[0].path}: {problems[0].reason}" if problems else "")
            + "; use at least two images a class"
        )


def missing_classes(listing: Listing, taken: Sequence[ImageFile]) -> list[Problem]:
    """The classes of which no training image can be read."""
    trained = {file.label for file in taken if not file.is_test}
    return [
        Problem(title, "has no image to train on")
        for label, title in enumerate(listing.class_names)
        if label not in trained
    ]


def _chosen(paths: list[str]) -> set[str]:
    """The files of a class that test: those whose names have the lowest hashes."""
    count = max(1, round(TEST_SHARE * len(paths))) if len(paths) > 1 else 0
    return set(sorted(paths, key=lambda path: hashlib.sha256(path.encode(errors="surrogateescape")).digest())[:count])


def _folders(root: Path) -> list[str]:
    """The names of the folders right below, sorted."""
    with os.scandir(root) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith((".", "__MACOSX")))


def _loose_files(root: Path, part: str) -> list[Problem]:
    """What lies beside the folders of the classes, and so belongs to none."""
    with os.scandir(root / part) as entries:
        names = sorted(e.name for e in entries if not e.is_dir() and not _is_the_systems(e.name))
    return [Problem(readable(f"{part}/{name}" if part else name), "lies in no class' folder") for name in names]


def _is_the_systems(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def _walk(root: Path, below: str, problems: list[Problem]) -> Iterator[tuple[str, int, int]]:
    """Path, size in bytes and time of change of each file, however deep."""
    waiting, seen = [below], set()
    while waiting:
        folder = waiting.pop()
        try:
            # A link may lead back up.
            if (real := os.path.realpath(root / folder)) in seen:
                continue
            seen.add(real)
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if _is_the_systems(entry.name):
                        continue
                    path = f"{folder}/{entry.name}"
                    if entry.is_dir():
                        waiting.append(path)
                        continue
                    try:
                        known = entry.stat()
                        yield path, known.st_size, known.st_mtime_ns
                    except OSError:
                        yield path, 0, 0  # A link to nothing, or just deleted; opening it will say so.
        except OSError as error:
            problems.append(Problem(readable(folder), f"cannot be looked into: {error.strerror or error}"))


def _layout(root: Path, names: list[str]) -> str:
    received = f"one class, {readable(names[0])}" if names else "no folders of images"
    return (
        f"{root}: holds {received}; use one folder a class, at least two: {root.name}/cats, {root.name}/dogs, or "
        f"{root.name}/train/cats, {root.name}/val/cats and so on"
    )
