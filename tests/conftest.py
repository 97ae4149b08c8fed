"""What every test gets: a home of its own, an offscreen Qt, and failure on any Qt warning or leaked thread."""

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.runtime import threads

threads.prepare()  # before any test imports torch, as the program itself does
# The tests' networks are small, and two threads that wait for each other on a busy machine are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("PYTEST_QT_API", "pyside6")
# As in the program, no thread but the first may take widgets apart; see `session/collector.py`.
gc.disable()
_MOST_YOUNG = 20_000


OWN_THREADS = frozenset(
    {
        "training",
        "probe",
        "job",
        "moments",
        "maps",
        "follow",
        "journal",
        "decode",
        "signals",
        "commands",
        "device",
        "leaving",
    }
)
"""The names of the threads that the program itself starts and ends."""


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's own files go to a fresh folder."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ARCH_EXPLORER_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Garbage goes between two tests."""
    yield
    if gc.get_count()[0] > _MOST_YOUNG:
        gc.collect()


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """A thread that outlives its test is a leak."""
    before = set(threading.enumerate())
    yield
    leaked = [
        thread
        for thread in threading.enumerate()
        # onnxruntime's, tqdm's and torch's own pools are not ours to end.
        if thread not in before and thread.name in OWN_THREADS and thread.is_alive()
    ]
    for thread in leaked:
        thread.join(5)
    assert not [thread for thread in leaked if thread.is_alive()], f"threads left behind: {leaked}"
