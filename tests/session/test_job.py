"""One piece of work in a background thread, seen as signals."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from explorer.session.job import Job


def test_a_result_and_how_far_it_is_arrive(qtbot: QtBot) -> None:
    told: list[tuple[str, float]] = []

    def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> str:
        progress("half", 0.5)
        return "done"

    job = Job(work)
    job.progressed.connect(lambda text, share: told.append((text, share)))
    with qtbot.waitSignal(job.finished) as result:
        job.start()
    assert result.args == ["done"]
    assert told == [("half", 0.5)]


def test_what_fails_says_why_and_what_is_cancelled_nothing(qtbot: QtBot) -> None:
    begun = threading.Event()

    def broken(progress: object, cancelled: object) -> None:
        raise OSError("No space left on device")

    def endless(progress: object, cancelled: Callable[[], bool]) -> None:
        begun.set()
        while not cancelled():
            threading.Event().wait(0.001)
        raise InterruptedError

    job = Job(broken)
    with qtbot.waitSignal(job.failed) as why:
        job.start()
    assert why.args == ["No space left on device"]
    job = Job(endless)
    with qtbot.waitSignal(job.failed) as why:
        job.start()
        assert begun.wait(10)
        job.cancel()
    assert why.args == [""]


def test_a_job_that_is_closed_says_nothing_and_is_waited_for(qtbot: QtBot) -> None:
    said: list[object] = []
    job = Job(lambda _progress, cancelled: [threading.Event().wait(0.001) for _ in iter(cancelled, True)])
    job.finished.connect(said.append)
    job.failed.connect(said.append)
    job.start()
    assert job.close()
    qtbot.wait(20)
    assert said == []


def test_a_job_whose_owner_is_gone_ends_without_a_word(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: raised.append(failure.exc_value))
    may_end, threads = threading.Event(), set(threading.enumerate())
    owner = QObject()
    Job(lambda _progress, _cancelled: may_end.wait(10), owner).start()
    (thread,) = set(threading.enumerate()) - threads
    delete(owner)
    may_end.set()
    thread.join(10)
    assert not thread.is_alive()
    assert raised == []
