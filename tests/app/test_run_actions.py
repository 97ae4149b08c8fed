"""Runs reopened and resumed in the window, and what it says of a run's troubles. Training here is the real one."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.architecture import edits
from explorer.runs import RunConfig, RunFailed, RunRecord, TroubleMet
from explorer.runtime.weights import load_weights


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    return window


def stopped_run(window: MainWindow, qtbot: QtBot) -> RunRecord:
    """A run of the window that was stopped after a step."""
    plain = {**window.training.config().to_plain(), "device": "cpu", "epochs": 3, "learning_rate": 0.03}
    window.training.set_config(RunConfig.from_plain(plain))
    # A single step, after which it waits: it would be over before a slow window has seen the first one.
    window.training.step_action.trigger()
    qtbot.waitUntil(lambda: not window.training.curves.data.is_empty, timeout=60_000)
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    window.runs_session.refresh()
    (record,) = window.runs_session.records
    assert record.state == "stopped"
    return record


def test_a_run_reopens_with_everything_as_it_was_and_goes_on(window: MainWindow, qtbot: QtBot) -> None:
    trained = window.document.architecture
    record = stopped_run(window, qtbot)
    losses = window.training.curves.data.losses.values.tolist()
    weights = window.run_session.checkpoint

    window.open_target("alexnet-28")
    window.training.set_config(RunConfig(epochs=77))
    assert not window.run_session.is_checkpoint_trained
    window.runs.open_asked.emit(record.run_id)
    assert window.document.architecture == trained
    assert not window.document.is_modified
    assert window.training.config() == replace(record.config, normalization="auto"), "data is what the run settled on"
    assert window.training.curves.data.losses.values.tolist() == losses
    assert window.run_session.checkpoint == weights == str(record.weights_path)
    assert "stopped" in window.training.progress_text.whole

    window.runs.resume_asked.emit(record.run_id)
    assert window.run_session.is_active
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=120_000)
    assert "finished" in window.training.progress_text.whole
    values = window.training.curves.data.losses.values.tolist()
    assert values[: len(losses)] == losses
    assert len(values) == 3 * 63
    window.runs_session.refresh()
    (record,) = window.runs_session.records
    assert (record.state, record.epoch) == ("completed", 3)
    assert load_weights(record.weights_path)


def test_an_active_run_is_not_taken_away(window: MainWindow, qtbot: QtBot) -> None:
    record = stopped_run(window, qtbot)
    window.training.start()
    window.runs.open_asked.emit(record.run_id)
    assert "stop it first" in window.bar.text
    window.runs.resume_asked.emit(record.run_id)
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)


def test_unsaved_changes_are_asked_for(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    record = stopped_run(window, qtbot)
    window.document.edit("Set", lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))
    edited = window.document.architecture
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    window.runs.open_asked.emit(record.run_id)
    assert window.document.architecture is edited


def test_what_cannot_be_resumed_is_said(window: MainWindow, qtbot: QtBot) -> None:
    record = stopped_run(window, qtbot)
    for checkpoint in record.folder.glob("checkpoint-*"):
        checkpoint.rename(record.folder / "gone")
    window.runs.resume_asked.emit(record.run_id)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    assert "ended before its first checkpoint" in window.training.message.text.text()


def test_after_a_lack_of_memory_a_batch_that_fits_is_offered(window: MainWindow) -> None:
    said = "step 1: cuda:0 has too little memory for a batch of 64 images; use a batch_size of 17 or less"
    failed = RunFailed(run_id="r", message=said, details="", checkpoint=None, fitting_batch_size=17)
    window.run_session.events_arrived.emit([failed])
    message = window.training.message
    assert message.text.text() == said
    assert message.offer_button.text() == "Start with a batch of 17"
    configs: list[RunConfig] = []
    window.run_session.started.connect(lambda _architecture, config: configs.append(config))
    message.offer_button.click()
    assert [config.batch_size for config in configs] == [17]
    assert message.isHidden()
    window.run_session.close()


def test_a_trouble_beside_the_run_is_said_and_offers_nothing(window: MainWindow) -> None:
    window.run_session.events_arrived.emit([TroubleMet(run_id="r", message="The disk is full; the run goes on.")])
    assert window.training.message.text.text() == "The disk is full; the run goes on."
    assert window.training.message.offer_button.isHidden()
