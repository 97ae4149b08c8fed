"""The tests of a run, kept in its folder: a small file an epoch, thinned evenly where they become too much.

They hold arrays and names only and are read without unpickling. What they say of a run is `class_figures`'.
"""

import contextlib
import io
import math
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from explorer.runs.class_figures import TestedImages

FOLDER_NAME = "tests"
MOST_BYTES = 32 * 1024**2
"""Of all tests of one run."""
_FILE = re.compile(r"epoch-([0-9]{6})\.npz")
_ARRAYS = ("class_names", "labels", "predicted", "probabilities")


class TestFileError(ValueError):
    """A file of a test is damaged or of something else; the message names it."""

    __test__ = False


class EpochTest(NamedTuple):
    """A test, and when it was."""

    epoch: int
    step: int
    """Updates made before it."""
    tested: TestedImages


def write_test(folder: Path, test: EpochTest, *, most_bytes: int = MOST_BYTES) -> None:
    """Keep a test in a run's folder.

    Args:
        folder: the run's.
        test: one of an epoch that is there already takes its place.
        most_bytes: what all of them may take; beyond it, every second, fourth, ... epoch is kept, and the newest.

    Raises:
        OSError: it cannot be written.
    """
    place = folder / FOLDER_NAME
    place.mkdir(exist_ok=True)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        step=np.int64(test.step),
        class_names=np.array(test.tested.class_names, np.str_),
        labels=test.tested.labels,
        predicted=test.tested.predicted,
        probabilities=test.tested.probabilities,
    )
    path = place / f"epoch-{test.epoch:06}.npz"
    staged = path.with_suffix(".part")
    try:
        # Whole or not there for whoever reads; not waited for the disk, which would hold training up: after a power cut
        # a test may be lost, as `read_test` says then.
        staged.write_bytes(content.getvalue())
        staged.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise
    _thin(place, test.epoch, most_bytes)


def kept_epochs(folder: Path) -> tuple[int, ...]:
    """The epochs whose tests lie in a run's folder, in order."""
    return tuple(sorted(_files(folder / FOLDER_NAME)))


def read_test(folder: Path, epoch: int) -> EpochTest:
    """The test of an epoch.

    Raises:
        TestFileError: there is none that can be read.
    """
    path = folder / FOLDER_NAME / f"epoch-{epoch:06}.npz"
    try:
        # Opened here: numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names, labels, predicted, probabilities = (arrays[name] for name in _ARRAYS)
            tested = TestedImages(
                class_names=tuple(names.tolist()), labels=labels, predicted=predicted, probabilities=probabilities
            )
            return EpochTest(epoch, int(arrays["step"]), tested)
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise TestFileError(f"{path}: cannot be read as a test: {error}") from error


def _files(place: Path) -> dict[int, Path]:
    found = ((path, _FILE.fullmatch(path.name)) for path in place.glob("epoch-*.npz"))
    return {int(name[1]): path for path, name in found if name is not None}


def _thin(place: Path, newest: int, most_bytes: int) -> None:
    files = _files(place)
    sizes = {epoch: path.stat().st_size for epoch, path in files.items()}
    # As it was thinned before, but for the newest of now and of the last time.
    older = sorted(files.keys() - {newest})[:-1]
    stride = math.gcd(*older, 2 ** max(files).bit_length()) if older else 1
    while stride <= max(files) and sum(sizes[e] for e in files if _stays(e, stride, newest)) > most_bytes:
        stride *= 2
    for epoch, path in files.items():
        if not _stays(epoch, stride, newest):
            # Whoever looks at it right now, on a system that guards open files, keeps it until the next time.
            with contextlib.suppress(OSError):
                path.unlink()


def _stays(epoch: int, stride: int, newest: int) -> bool:
    return epoch % stride == 0 or epoch == newest
