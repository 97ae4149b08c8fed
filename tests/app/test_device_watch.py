"""The look-up of the device: behind the window, one at a time, the device that is wanted last, silent once closed."""

import threading
from collections.abc import Callable

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.app.device_watch import DeviceWatch
from explorer.app.window import MainWindow
from explorer.look import numbers
from explorer.panels.estimates import Device
from explorer.runs import RunConfig
from explorer.runtime.devices import device_memory


class LookUp:
    """Answers when it is let; keeps the names that were asked for, and the threads that asked."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.threads: set[int] = set()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, name: str) -> Device:
        self.names.append(name)
        self.threads.add(threading.get_ident())
        self.may_answer.wait(10)
        if name == "mps":
            raise ValueError("device: mps is not available")
        return Device(name, 100, 50)


def watch_of(look_up: Callable[[str], Device]) -> tuple[DeviceWatch, list[Device | None]]:
    watch = DeviceWatch(look_up)
    found: list[Device | None] = []
    watch.found.connect(found.append)
    return watch, found


def test_it_asks_nothing_before_it_is_enabled_and_then_in_a_thread(qtbot: QtBot) -> None:
    look_up = LookUp()
    watch, found = watch_of(look_up)
    watch.set_name("cpu")
    watch.refresh()
    assert look_up.names == []
    watch.enable()
    qtbot.waitUntil(lambda: found == [Device("cpu", 100, 50)])
    assert threading.get_ident() not in look_up.threads
    watch.close()


def test_what_is_wanted_last_is_what_is_found(qtbot: QtBot) -> None:
    look_up = LookUp()
    watch, found = watch_of(look_up)
    look_up.may_answer.clear()
    watch.enable()
    qtbot.waitUntil(lambda: look_up.names == ["auto"])
    watch.set_name("cuda:1")
    watch.refresh()
    assert look_up.names == ["auto"]
    look_up.may_answer.set()
    qtbot.waitUntil(lambda: bool(found))
    assert found == [Device("cuda:1", 100, 50)]
    watch.close()


def test_a_device_that_is_not_there_is_none(qtbot: QtBot) -> None:
    watch, found = watch_of(LookUp())
    watch.set_name("mps")
    watch.enable()
    qtbot.waitUntil(lambda: found == [None])
    watch.close()


def test_a_run_pauses_it_and_its_end_looks_again(qtbot: QtBot) -> None:
    look_up = LookUp()
    watch, found = watch_of(look_up)
    watch.enable()
    qtbot.waitUntil(lambda: len(found) == 1)
    watch.set_paused(True)
    watch.refresh()
    assert len(look_up.names) == 1
    watch.set_paused(False)
    qtbot.waitUntil(lambda: len(found) == 2)
    watch.close()


def test_nothing_is_sent_once_it_is_closed(qtbot: QtBot) -> None:
    look_up = LookUp()
    watch, found = watch_of(look_up)
    look_up.may_answer.clear()
    watch.enable()
    qtbot.waitUntil(lambda: look_up.names == ["auto"])
    watch.close()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "device"]
    look_up.may_answer.set()
    thread.join(10)
    QApplication.processEvents()
    assert found == []


def test_the_window_compares_with_the_device_that_is_there(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window)
    window.open_target("lenet5")
    configured = RunConfig.from_plain({**window.training.config().to_plain(), "device": "cpu"})
    window.training.set_config(configured)
    found: list[Device] = []
    window.devices.found.connect(found.append)
    window.preload()
    qtbot.waitUntil(lambda: bool(found), timeout=60_000)
    (device,) = found
    assert window.estimates.device == device
    there = device_memory("cpu")
    assert (device.name, device.total_bytes) == ("this computer", there.total_bytes)
    assert 0 < device.available_bytes <= device.total_bytes
    assert window.totals.text().endswith(f"of {numbers.short_bytes(there.total_bytes)}")
    section = window.inspector.network_page.memory
    section.largest.click()
    largest = window.estimates.largest_batch(window.document.snapshot)
    assert window.training.config().batch_size == window.batch_editor.value() == largest
    window.close()
