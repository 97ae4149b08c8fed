"""Which whole states of a run lie in its folder, by their names; `training.checkpoint` writes and reads them.

A state appears under its name in one move, once all of it is on the disk: a folder of such a name is whole.
"""

import re
from pathlib import Path

_FOLDER = re.compile(r"checkpoint-([0-9]{9})-([0-9]{6})")


def checkpoint_name(step: int, epoch: int) -> str:
    """The name of the folder of a state: names sort as the states follow each other.

    Args:
        step: updates made before it.
        epoch: what the next step belongs to.
    """
    return f"checkpoint-{step:09}-{epoch:06}"


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest whole state in a run's folder; None where there is none."""
    found = [path for path in folder.glob("checkpoint-*") if _FOLDER.fullmatch(path.name)]
    return max(found, key=lambda path: path.name, default=None)


def checkpoint_place(path: Path) -> tuple[int, int]:
    """The step after which a state was kept, and the epoch that its next step belongs to, by its folder's name."""
    found = _FOLDER.fullmatch(path.name)
    assert found is not None, path
    return int(found[1]), int(found[2])
