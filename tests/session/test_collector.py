"""The collector's setting: what is there becomes permanent, and garbage is collected in the window's thread alone."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from explorer.session import collector
from explorer.session.collector import Collector, settle


class Node:
    """Part of a circle; says where it ends."""

    def __init__(self, ended_in: list[str]) -> None:
        self.other: Node | None = None
        weakref.finalize(self, lambda: ended_in.append(threading.current_thread().name))


@pytest.fixture(autouse=True)
def pythons_own() -> Iterator[None]:
    was_on, before = gc.isenabled(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    if was_on:
        gc.enable()
    else:
        gc.disable()


def make_circles(ended_in: list[str], count: int) -> None:
    for _ in range(count):
        first, second = Node(ended_in), Node(ended_in)
        first.other, second.other = second, first


def test_what_start_up_made_is_not_walked_again() -> None:
    kept = [[number] for number in range(1000)]
    settle()
    assert gc.get_freeze_count() > len(kept)


def test_circles_of_another_thread_end_in_the_windows(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.enable()
    # Python itself would collect in the thread that makes them, at once.
    gc.set_threshold(50, 1, 1)
    monkeypatch.setattr(collector, "_YOUNG", 500)
    ended_in: list[str] = []
    keeper = Collector()
    worker = threading.Thread(target=make_circles, args=(ended_in, 1000), name="worker")
    worker.start()
    worker.join()
    assert ended_in == []
    qtbot.waitUntil(lambda: len(ended_in) == 2000, timeout=5_000)
    assert set(ended_in) == {threading.main_thread().name}
    del keeper
