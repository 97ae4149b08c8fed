"""One click: a real step of LeNet-5 is profiled in the window, and its numbers are where a person looks for them."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from explorer.app import profile_engine
from explorer.app.window import MainWindow
from explorer.architecture import Architecture, edits
from explorer.inference.memory import memory
from explorer.panels.table.columns import Place
from explorer.runs import RunConfig
from explorer.runs.profile import ProfileRefused, SpeedEstimate, StepProfile
from explorer.training.profile import profile_step
from tests.session.test_speed_session import ESTIMATE

Asked = list[RunConfig]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The real profile, of one repetition; and what was asked for."""
    found: Asked = []

    def once(
        architecture: Architecture,
        config: RunConfig,
        progress: Callable[[str, float], None],
        cancelled: Callable[[], bool],
    ) -> StepProfile | ProfileRefused:
        found.append(config)
        if config.batch_size == 4096:
            return ProfileRefused(message="cpu has too little memory", fitting_batch_size=5)
        return profile_step(architecture, config, repetitions=1, progress=progress, is_cancelled=cancelled)

    def estimate(_architecture: Architecture, _config: RunConfig, _cancelled: Callable[[], bool]) -> SpeedEstimate:
        return ESTIMATE

    monkeypatch.setattr(profile_engine, "profile", once)
    monkeypatch.setattr(profile_engine, "probe_speed", estimate)
    return found


@pytest.fixture
def window(qtbot: QtBot, asked: Asked) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    return window


def opened(window: MainWindow, **changes: int | float | str) -> None:
    window.open_target("lenet5")
    configure(window, batch_size=8, **changes)


def configure(window: MainWindow, **changes: int | float | str) -> None:
    plain = {**window.training.config().to_plain(), "device": "cpu", **changes}
    window.training.set_config(RunConfig.from_plain(plain))


def profiled(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.profiling.session.finished, timeout=60_000):
        window.profiling.action.trigger()


def test_it_needs_a_network_without_faults(window: MainWindow) -> None:
    action = window.profiling.action
    assert not action.isEnabled()
    assert "Open a network" in action.toolTip()
    opened(window)
    assert action.isEnabled()
    window.document.edit("Set", lambda a: edits.set_value(a, "conv2", "kernel_size", 99))
    assert not action.isEnabled()
    assert "conv2" in action.toolTip()


def test_its_numbers_are_on_the_canvas_and_in_the_table(window: MainWindow, qtbot: QtBot, asked: Asked) -> None:
    opened(window)
    profiled(window, qtbot)
    assert [config.batch_size for config in asked] == [8]
    colouring = window.canvas.reading.colouring
    assert colouring.choice == "forward"
    assert window.profiling.strip.isVisible()
    predicted = memory(window.document.architecture, window.document.snapshot.inference, batch_size=8).nodes
    row = window.table.model.row_of("tanh1")
    assert row is not None
    shown = window.table.model
    assert shown.text(row, Place.MEASURED_KEPT) == shown.columns[Place.KEPT].text(predicted["tanh1"])
    assert not window.table.view.horizontalHeader().isSectionHidden(Place.FORWARD)
    colouring.choose("rate")
    assert colouring.now is not None
    assert set(colouring.now.values.values) == {"conv1", "conv2", "fc1", "fc2", "fc3"}
    story = window.canvas.reading.tool_tip(QPoint(0, 0), "conv1")
    assert "forward, measured" in story
    assert "backward, measured" in story
    assert [key for key in ("forward", "backward", "kept", "rate") if not colouring.is_there(key)] == []


def test_an_edit_drops_the_numbers_that_no_longer_hold(window: MainWindow, qtbot: QtBot) -> None:
    opened(window)
    profiled(window, qtbot)
    window.document.edit("Set", lambda a: edits.set_value(a, "fc2", "out_features", 60))
    values = window.canvas.reading.colouring.now
    assert values is not None
    assert "fc1" in values.values.values
    assert "fc2" not in values.values.values
    assert "left out" in window.profiling.strip.text
    window.document.undo_stack.undo()
    assert "left out" not in window.profiling.strip.text
    window.show_gallery()
    assert not window.profiling.strip.isVisible()


def test_a_lack_of_memory_offers_the_largest_batch(window: MainWindow, qtbot: QtBot, asked: Asked) -> None:
    opened(window)
    configure(window, batch_size=4096)
    with qtbot.waitSignal(window.profiling.session.refused, timeout=60_000):
        window.profiling.action.trigger()
    assert window.bar.text == "cpu has too little memory"
    with qtbot.waitSignal(window.profiling.session.finished, timeout=60_000):
        buttons = {button.text(): button for button in window.bar.findChildren(QPushButton)}
        buttons["Profile with a batch of 5"].click()
    assert [config.batch_size for config in asked] == [4096, 5]


def test_an_estimate_on_request_stands_beside_start(window: MainWindow, qtbot: QtBot) -> None:
    opened(window, epochs=3)
    window.training.estimate.button.click()
    qtbot.waitUntil(lambda: "in all" in window.training.estimate.text)
    assert "per epoch" in window.training.estimate.text


def test_no_estimate_is_made_by_itself_while_its_tab_is_behind_another(window: MainWindow) -> None:
    opened(window)
    speed = window.profiling.speed
    window.docks["data"].raise_()
    QApplication.processEvents()
    speed.enable()
    configure(window, batch_size=16)
    assert not speed._timer.isActive()
    window.docks["training"].raise_()
    QApplication.processEvents()
    assert speed._timer.isActive()
