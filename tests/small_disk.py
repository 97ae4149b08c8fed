"""A disk of a few megabytes, for tests of what happens when it is full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FILLER = "filler"


@contextmanager
def small_disk(folder: Path, num_megabytes: int) -> Iterator[Path]:
    """A tmpfs of that size, mounted for as long as the context lasts; skips the test where one cannot be mounted."""
    if shutil.which("mount") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a small disk is mounted as root on Linux only")
    folder.mkdir()
    size = f"size={num_megabytes}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: whoever still has a file open there must not keep the test from ending.
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with (disk / _FILLER).open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def free(disk: Path) -> None:
    """Make room again."""
    (disk / _FILLER).unlink()
