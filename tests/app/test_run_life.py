"""A run's life in the real window: closed while it goes, ten in a row, and what breaks around it. Training is real."""

import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PySide6.QtCore import QThreadPool
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.architecture import edits
from explorer.runs import EpochFinished, Event, RunConfig, RunFailed, RunFinished, RunRecord, StepsRecorded, TroubleMet
from explorer.training import load_data
from explorer.training import step as step_module
from explorer.training.data import loading
from tests.small_disk import fill, free, small_disk
from tests.training.test_faults import break_at
from tests.training.test_resume import small_digits

NUM_RUNS = 10
WEIGHTS_BYTES = 4 * 61_706
"""Of LeNet-5: a run that stays has them at least three times, with their gradients and momenta."""
NUM_BLOCKS = 400
"""Blocks of Python's memory that a run may leave: its line in the list of runs, and no more."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`digits` is 90 training and 40 test images: 6 steps an epoch of 16. One thread is quickest for that."""
    monkeypatch.setitem(loading._kept, ("digits", None), load_data("digits"))
    small_digits()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture
def make(qtbot: QtBot) -> Callable[[], MainWindow]:
    def make() -> MainWindow:
        window = MainWindow()
        qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        window.open_target("lenet5")
        window.training.set_config(RunConfig(device="cpu", batch_size=16, epochs=2))
        return window

    return make


@pytest.fixture
def window(make: Callable[[], MainWindow]) -> MainWindow:
    return make()


def heard(window: MainWindow) -> list[Event]:
    events: list[Event] = []
    window.run_session.events_arrived.connect(events.extend)
    return events


def until_idle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)


def set_epochs(window: MainWindow, epochs: int) -> None:
    window.training.set_config(RunConfig(device="cpu", batch_size=16, epochs=epochs))


def all_runs(window: MainWindow) -> tuple[RunRecord, ...]:
    window.runs_session.refresh()
    return window.runs_session.records


def only_run(window: MainWindow) -> RunRecord:
    (record,) = all_runs(window)
    return record


def test_closing_asks_where_there_are_edits_and_the_run_goes_on_if_not_closed(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_epochs(window, 100_000)
    events = heard(window)
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: any(isinstance(event, StepsRecorded) for event in events), timeout=60_000)
    window.document.edit("Set", lambda a: edits.set_value(a, "fc1", "out_features", 77))
    monkeypatch.setattr(QMessageBox, "question", lambda *_args, **_kwargs: QMessageBox.StandardButton.Cancel)
    assert not window.close()
    count = len(events)
    assert window.run_session.is_active
    qtbot.waitUntil(lambda: len(events) > count, timeout=20_000)
    window.training.stop_action.trigger()
    until_idle(window, qtbot)
    assert only_run(window).state == "stopped"


def test_a_run_whose_window_was_closed_goes_on_in_the_next_window(
    make: Callable[[], MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make()
    set_epochs(window, 3)
    trained = window.document.architecture
    events = heard(window)
    window.training.step_action.trigger()
    qtbot.waitUntil(lambda: any(isinstance(event, StepsRecorded) for event in events), timeout=60_000)
    window.document.edit("Set", lambda a: edits.set_value(a, "fc1", "out_features", 77))
    monkeypatch.setattr(QMessageBox, "question", lambda *_args, **_kwargs: QMessageBox.StandardButton.Discard)
    assert window.close()
    assert [thread for thread in threading.enumerate() if thread.name == "training"] == []
    begun = [float(loss) for event in events if isinstance(event, StepsRecorded) for loss in event.losses]
    assert len(begun) < 18

    window = make()
    record = only_run(window)
    assert record.state == "stopped"
    window.runs.select(record.run_id)
    assert window.runs.commands.resume.isEnabled()
    window.runs.commands.resume.trigger()
    assert window.document.architecture == trained, "the edit was never part of the run"
    until_idle(window, qtbot)
    assert only_run(window).state == "completed"
    losses = window.training.curves.data.losses.values.tolist()
    assert losses[: len(begun)] == begun

    window.training.start_action.trigger()
    until_idle(window, qtbot)
    assert window.training.curves.data.losses.values.tolist() == losses, "an unbroken run with the same seed"


class Left(NamedTuple):
    """What is there between two runs."""

    threads: Counter[str]
    num_native_threads: int
    """As the system counts them, Qt's and torch's own included but for the idle ones of Qt's pools, which come and go
    after half a minute; 0 where it does not say."""
    num_pooled: int
    """Busy threads of Qt's pool."""
    tensor_bytes: int
    num_blocks: int
    """Of Python's memory, one or more an object."""


def native_threads() -> list[str]:
    """The names that the system has for this process's threads; none where it does not say."""
    names = []
    for task in Path("/proc/self/task").glob("*"):
        with suppress(OSError):  # it ended just now
            names.append((task / "comm").read_text().strip())
    return names


def left() -> Left:
    gc.collect()
    # Of the classes, since asking some objects for their class runs code of theirs.
    tensors = [value for value in gc.get_objects() if issubclass(type(value), torch.Tensor)]
    # By the place of the storage itself: an exporter that ran in this process leaves some whose data has none.
    storages = {value.untyped_storage()._cdata: value.untyped_storage().nbytes() for value in tensors}
    return Left(
        Counter(thread.name for thread in threading.enumerate()),
        len([name for name in native_threads() if name != "Thread (pooled)"]),
        QThreadPool.globalInstance().activeThreadCount(),
        sum(storages.values()),
        sys.getallocatedblocks(),
    )


def runs_in_a_row(window: MainWindow, qtbot: QtBot, count: int) -> None:
    for _ in range(count):
        window.training.start_action.trigger()
        until_idle(window, qtbot)
    # What a run has left to be read afterwards is read in a thread that ends by itself.
    qtbot.waitUntil(
        lambda: (
            not {"job", "probe", "device"} & {thread.name for thread in threading.enumerate()}
            and QThreadPool.globalInstance().activeThreadCount() == 0
        ),
        timeout=60_000,
    )


def check_nothing_stays(before: Left, after: Left, num_runs: int) -> None:
    """Compare what was there before so many runs with what is there after them.

    Raises:
        AssertionError: threads, tensors or Python objects stay.
    """
    assert after.threads == before.threads
    assert after.num_native_threads <= before.num_native_threads
    assert after.num_pooled == before.num_pooled == 0
    assert after.tensor_bytes - before.tensor_bytes < WEIGHTS_BYTES
    assert after.num_blocks - before.num_blocks < num_runs * NUM_BLOCKS


def test_ten_runs_in_a_row_leave_no_thread_and_no_memory(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_epochs(window, 1)
    # The first runs fill caches: kernels, fonts, the axes of the curves.
    runs_in_a_row(window, qtbot, 3)
    before = left()
    runs_in_a_row(window, qtbot, NUM_RUNS)

    def check(num_runs: int, timeout_ms: int) -> None:
        # The system ends a thread a little after Python does, and a signal to this thread waits for its turn.
        qtbot.waitUntil(lambda: check_nothing_stays(before, left(), num_runs), timeout=timeout_ms)

    check(NUM_RUNS, 60_000)
    assert [record.state for record in all_runs(window)] == ["completed"] * (NUM_RUNS + 3)

    # The check can fail: each kind of leak is seen after a single run.
    train = window.run_session._trainer
    kept: list[object] = []
    done = threading.Event()
    forgotten = threading.Thread(target=done.wait, name="forgotten")
    leaks: tuple[Callable[[], object], ...] = (
        lambda: kept.append(torch.zeros(WEIGHTS_BYTES)),
        lambda: kept.append([str(number) for number in range(10 * NUM_BLOCKS)]),
        forgotten.start,
    )
    try:
        for leak in leaks:

            def leaking(*arguments: object, leak: Callable[[], object] = leak, **named: object) -> None:
                train(*arguments, **named)  # type: ignore[arg-type]  # as it was called
                leak()

            monkeypatch.setattr(window.run_session, "_trainer", leaking)
            before = left()
            runs_in_a_row(window, qtbot, 1)
            with pytest.raises(qtbot.TimeoutError):
                check(1, 500)
    finally:
        done.set()
        forgotten.join()


def test_a_lost_device_leaves_the_window_alive_and_the_run_goes_on_on_the_cpu(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, 9, torch.AcceleratorError("CUDA error: unspecified launch failure"))
    window.training.start_action.trigger()
    until_idle(window, qtbot)
    message = window.training.message
    assert "no longer answers (CUDA error: unspecified launch failure)" in message.text.text()
    assert "the state after step 6 is kept" in message.text.text()
    assert message.offer_button.text() == "Resume on the CPU"
    assert window.training.start_action.isEnabled()
    events = heard(window)
    message.offer_button.click()
    until_idle(window, qtbot)
    assert [event.reason for event in events if isinstance(event, RunFinished)] == ["completed"]
    assert len(window.training.curves.data.losses.values) == 12
    assert window.training.config().device == "cpu"
    assert only_run(window).state == "completed"


def test_a_device_lost_before_the_first_checkpoint_starts_again_on_the_cpu(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, 2, RuntimeError("CUDA error: device-side assert triggered"))
    window.training.start_action.trigger()
    until_idle(window, qtbot)
    record = only_run(window)
    window.runs.select(record.run_id)
    assert not window.runs.commands.resume.isEnabled()
    assert window.runs.commands.resume.toolTip().startswith("It ended before its first checkpoint")
    assert window.training.message.offer_button.text() == "Start again on the CPU"
    events = heard(window)
    window.training.message.offer_button.click()
    until_idle(window, qtbot)
    assert not [event for event in events if isinstance(event, RunFailed)]


def test_a_full_disk_is_told_in_the_window_which_stays_alive(
    make: Callable[[], MainWindow], qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        monkeypatch.setenv("ARCH_EXPLORER_HOME", str(disk))
        window = make()
        set_epochs(window, 3)
        works = vars(step_module.Step)["__call__"]
        made = 0

        def fills(self: step_module.Step, *arguments: object) -> object:
            nonlocal made
            made += 1
            if made == 8:
                fill(disk)
            elif made == 16:
                free(disk)
            return works(self, *arguments)

        monkeypatch.setattr(step_module.Step, "__call__", fills)
        events = heard(window)
        window.training.start_action.trigger()
        until_idle(window, qtbot)
        troubles = [event.message for event in events if isinstance(event, TroubleMet)]
        assert any("after step 12 could not be written: No space left on device" in text for text in troubles)
        assert "free some space on that disk" in window.training.message.text.text()
        assert window.training.message.isVisible()
        assert len([event for event in events if isinstance(event, EpochFinished)]) == 3
        assert only_run(window).state == "completed"
        history = window.runs_session.history(only_run(window))
        assert history is not None
        assert len(history.losses) == 18
        # And the next run works.
        monkeypatch.setattr(step_module.Step, "__call__", works)
        set_epochs(window, 1)
        window.training.start_action.trigger()
        until_idle(window, qtbot)
        assert [record.state for record in all_runs(window)] == ["completed"] * 2
        window.close()
