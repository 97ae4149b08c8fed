"""The moments of a run, kept in its folder: what was captured after some of its steps, a small file a moment.

The names of the files are the index, so that there is none to be torn: a moment is whole or not there. Their bytes have
a budget; as it fills they are thinned evenly over the steps, and the first and the last stay. What a moment holds is
`moments_packing`'s; who captures it, `training.moments`.
"""

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from explorer.runs.moments_packing import UNREADABLE, Moment, pack, unpack

FOLDER_NAME = "moments"
BUDGET_VARIABLE = "ARCH_EXPLORER_MOMENTS_MB"
DEFAULT_MEGABYTES = 256
MOST_MOMENTS = 1000
"""Of one run: about as many as a scrubber has pixels."""
_FILE = re.compile(r"step-([0-9]{9,})\.npz")


class MomentFileError(ValueError):
    """A moment's file is damaged or gone; the message names it."""


class KeptMoment(NamedTuple):
    """A moment that lies in a run's folder."""

    step: int
    """Updates made before it."""
    num_bytes: int


def budget_bytes() -> int:
    """What the moments of one run may take: megabytes in `ARCH_EXPLORER_MOMENTS_MB`, 0 for no time machine; 256 where
    that says nothing."""
    try:
        megabytes = max(0.0, float(os.environ.get(BUDGET_VARIABLE, DEFAULT_MEGABYTES)))
        return int(megabytes * 1024**2)
    except (ValueError, OverflowError):
        return DEFAULT_MEGABYTES * 1024**2


class MomentStore:
    """Writes the moments of one run; for one thread.

    A process that was killed may leave a part of a file, which is removed here, and one moment more than fits.
    """

    def __init__(self, folder: Path, most_bytes: int, most_moments: int = MOST_MOMENTS) -> None:
        """Keep moments in the folder of a run, beside those that are there.

        Args:
            folder: the run's; nothing is made before the first moment.
            most_bytes: of all files together.
            most_moments: at most so many files, at least 2.
        """
        self._place = folder / FOLDER_NAME
        self._most_bytes = most_bytes
        self._most_moments = max(2, most_moments)
        self._sizes = {moment.step: moment.num_bytes for moment in kept_moments(folder)}
        with contextlib.suppress(OSError):
            for part in self._place.glob("*.part"):
                part.unlink(missing_ok=True)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are kept, in order."""
        return tuple(sorted(self._sizes))

    @property
    def num_bytes(self) -> int:
        return sum(self._sizes.values())

    def put(self, step: int, events: Sequence[Moment]) -> bool:
        """Keep a moment, in place of one of the same step; False if it does not fit even alone with the first.

        An event of which fewer than `_FEWEST` would fit is left out.

        Raises:
            OSError: the disk refuses; what was kept stays.
        """
        content = pack(events)
        if len(content) * _FEWEST > self._most_bytes:
            small = [event for event in events if len(pack([event])) * _FEWEST <= self._most_bytes]
            if not small:
                return False
            content = pack(small)
        if len(content) + min(self._sizes.items(), default=(0, 0))[1] > self._most_bytes:
            return False
        self._place.mkdir(exist_ok=True)
        path = self._path(step)
        staged = path.with_suffix(".part")
        try:
            # Not waited for the disk: after a power cut a moment may be torn, as `read_moment` says then.
            staged.write_bytes(content)
            staged.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                staged.unlink(missing_ok=True)
            raise
        self._sizes[step] = len(content)
        for gone in thinned(self._sizes, self._most_bytes, self._most_moments):
            self._remove(gone)
        return True

    def cut_off(self, step: int) -> None:
        """Forget what came after a step, as a run that goes on from there will come by it anew."""
        for later in [kept for kept in self._sizes if kept > step]:
            self._remove(later)

    def _remove(self, step: int) -> None:
        # On a system that guards open files, one that is being read stays until the run's folder goes.
        with contextlib.suppress(OSError):
            self._path(step).unlink(missing_ok=True)
        del self._sizes[step]

    def _path(self, step: int) -> Path:
        return _path(self._place, step)


_FEWEST = 8
"""Of an event's size must fit, so that there is something to scrub."""


def thinned(sizes: dict[int, int], most_bytes: int, most_moments: int) -> list[int]:
    """The steps to give up so that what stays fits, the first to go first.

    Each time the one goes whose neighbours are closest together, the earliest of several: so no gap becomes wider than
    twice the even one. The first and the last stay.

    Args:
        sizes: bytes of each step's moment.
        most_bytes: of those that stay, unless the first and the last alone are more.
        most_moments: at least 2.
    """
    steps = sorted(sizes)
    total = sum(sizes.values())
    gone = []
    while len(steps) > 2 and (total > most_bytes or len(steps) > most_moments):
        place = min(range(1, len(steps) - 1), key=lambda i: steps[i + 1] - steps[i - 1])
        step = steps.pop(place)
        total -= sizes[step]
        gone.append(step)
    return gone


def kept_moments(folder: Path) -> tuple[KeptMoment, ...]:
    """The moments that lie in a run's folder, by step; none where it cannot be read."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder / FOLDER_NAME) as entries:
        for entry in entries:
            name = _FILE.fullmatch(entry.name)
            if name is not None:
                # Thinned away meanwhile, perhaps.
                with contextlib.suppress(OSError):
                    found.append(KeptMoment(int(name[1]), entry.stat().st_size))
    return tuple(sorted(found))


def remove_moments(folder: Path) -> None:
    """Remove all moments from a run's folder, as far as the disk lets it."""
    for moment in kept_moments(folder):
        with contextlib.suppress(OSError):
            _path(folder / FOLDER_NAME, moment.step).unlink(missing_ok=True)


def read_moment(folder: Path, step: int) -> tuple[Moment, ...]:
    """What was captured after a step.

    Args:
        folder: of the run.
        step: one of `kept_moments`.

    Raises:
        MomentFileError: there is nothing that can be read.
    """
    path = _path(folder / FOLDER_NAME, step)
    try:
        return unpack(path.read_bytes())
    except UNREADABLE as error:
        raise MomentFileError(f"{path}: cannot be read as a moment: {error}") from error


def _path(place: Path, step: int) -> Path:
    return place / f"step-{step:09}.npz"
