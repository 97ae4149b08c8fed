"""Runs followed in the window by their folders; what grows in them is written by the run's own journal."""

import errno
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.app.window import MainWindow
from explorer.architecture import Project, files
from explorer.panels.explanations.tab import PROBE_IMAGES
from explorer.panels.follow_panel import FollowPanel
from explorer.runs import (
    EpochFinished,
    FeatureMapsCaptured,
    RunConfig,
    RunControl,
    RunFinished,
    RunNoted,
    RunStarted,
    StateChanged,
    StepsRecorded,
)
from explorer.runs.class_files import EpochTest, write_test
from explorer.runs.database import hold_lock
from explorer.runs.follow import Followed
from explorer.runs.follow_journal import Journal
from explorer.runs.follow_looks import LookAnswerer
from explorer.runs.moments import MomentStore
from explorer.runtime.feature_maps import capture_feature_maps
from explorer.runtime.instruments import Subject, make_instruments
from explorer.runtime.modules import build_module
from explorer.runtime.opened import open_layers
from explorer.session.follow_session import FollowSession
from tests.panels.fake_run import epoch_finished, run_started
from tests.runs.test_class_figures import made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "20261122-101500-3f2a"
    folder.mkdir()
    files.save(Project(architecture=zoo.entry("lenet5").build()), folder / "architecture.arch.json")
    return folder


@pytest.fixture
def lock(folder: Path) -> Iterator[sqlite3.Connection]:
    held = hold_lock(folder / "running.lock")
    yield held
    held.close()


@pytest.fixture
def journal(folder: Path, lock: sqlite3.Connection) -> Iterator[Journal]:
    with Journal(folder) as journal:
        journal.put(
            RunStarted(
                run_id="r",
                config=RunConfig(epochs=2),
                architecture_name="LeNet-5",
                device="CPU, 2 threads",
                num_train=128,
                num_test=10,
                steps_per_epoch=2,
                num_parameters=61706,
                notes=("Two processes.",),
            )
        )
        yield journal


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.follow_docks.close()


def steps(first: int, count: int) -> StepsRecorded:
    return StepsRecorded(
        run_id="r",
        first_step=first,
        losses=np.arange(first, first + count, dtype=np.float32),
        accuracies=np.full(count, 0.5, np.float32),
        learning_rate=0.1,
        epoch=1,
        images_per_second=1234.0,
        seconds_left=60.0,
        num_steps_total=4,
    )


def finished() -> RunFinished:
    return RunFinished(
        run_id="r",
        reason="completed",
        step=4,
        seconds=2.0,
        checkpoint=None,
        train_loss=0.1,
        train_accuracy=1.0,
        test_accuracy=0.75,
        images_per_second=1000.0,
    )


def followed(window: MainWindow, folder: Path) -> FollowPanel:
    panel = window.follow_docks.follow(folder)
    assert panel is not None
    return panel


def test_curves_state_and_epochs_move_as_the_folder_grows(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    panel = followed(window, folder)
    assert window.document.architecture.name == "LeNet-5"
    journal.put(steps(1, 2))
    qtbot.waitUntil(lambda: not panel.curves.data.is_empty, timeout=10_000)
    assert panel.curves.data.losses.values.tolist() == [1.0, 2.0]
    assert "epoch 1/2" in panel.progress_text.whole
    qtbot.waitUntil(lambda: "Running on" in panel.state_text.text())
    assert "Two processes." in panel.state_text.text()
    assert panel.progress.value() == 500
    journal.put(
        EpochFinished(
            run_id="r",
            epoch=1,
            step=2,
            seconds=1.0,
            train_loss=1.5,
            train_accuracy=0.5,
            test_loss=1.0,
            test_accuracy=0.625,
            images_per_second=3.0,
        )
    )
    journal.put(StateChanged(run_id="r", state="paused"))
    qtbot.waitUntil(lambda: "Paused on" in panel.state_text.text(), timeout=10_000)
    assert "test accuracy 62.5\u2009% after epoch 1" in panel.state_text.text()
    assert panel.progress_text.whole.startswith("paused at step 2")
    journal.put(StateChanged(run_id="r", state="running"))
    journal.put(steps(3, 2))
    journal.put(finished())
    qtbot.waitUntil(lambda: "Finished" in panel.state_text.text(), timeout=10_000)
    assert panel.curves.data.losses.values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert panel.progress.value() == 1000
    panel.network_button.click()
    assert window.training.curves.data.losses.values.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_its_maps_are_on_the_canvas_while_its_network_is_open(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(window.feature_maps, "show_observed", lambda _events, source: shown.append(source.text))
    control, network = RunControl(), build_module(zoo.entry("lenet5").build(), seed=1)
    with LookAnswerer(control) as answerer:

        def answer(step: int) -> None:
            """What a run does between two steps."""
            maps = capture_feature_maps(network, torch.full((1, 1, 32, 32), float(step)), control.watched.look.maps)
            answerer.hear(FeatureMapsCaptured(run_id="r", step=step, probe="", atlases=maps), folder)

        answerer.hear(StateChanged(run_id="r", state="running"), folder)
        followed(window, folder)
        window.show_canvas()
        window.looking.enable()
        qtbot.waitUntil(lambda: "conv1" in control.watched.look.maps, timeout=10_000)
        journal.put(steps(1, 2))
        answer(2)
        qtbot.waitUntil(lambda: "step 2" in shown, timeout=10_000)
        answer(3)
        qtbot.waitUntil(lambda: "step 3" in shown, timeout=10_000)
        # No probe of the weights before training came in between.
        assert shown.index("step 3") - shown.index("step 2") == 1
        # Another network is looked at by itself.
        window.projects.open_network("lenet5-tanh84")
        qtbot.waitUntil(lambda: control.watched.look.maps == (), timeout=10_000)
        qtbot.waitUntil(lambda: shown[-1] == "initial weights", timeout=20_000)


def test_its_layers_weights_and_answers_are_in_their_tabs(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    control, network = RunControl(), build_module(zoo.entry("lenet5").build(), seed=1)
    mean = torch.zeros(1, 1, 32, 32)
    subject = Subject(
        run_id="r",
        network=network,
        to_input=lambda _probe: mean,
        class_names=tuple("0123456789"),
        sample=lambda: mean,
    )
    instruments = make_instruments(subject)
    with LookAnswerer(control) as answerer:

        def is_asked(wish: str) -> bool:
            return bool(getattr(control.watched.look, wish))

        def is_step(text: Callable[[], str]) -> bool:
            return "step 1,234" in text()

        def serve(step: int) -> None:
            """What a run does between two steps."""
            for instrument in instruments:
                if instrument.aim(control.watched.look):
                    answerer.hear(instrument.capture(step), folder)

        answerer.hear(StateChanged(run_id="r", state="running"), folder)
        followed(window, folder)
        window.show_canvas()
        window.looking.enable()
        window.selection.set(["conv2"])
        window.answers.show_page(PROBE_IMAGES)
        tabs: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("layer", "opened", lambda: window.layer_walk._facts.whole),
            ("weights", "weighed", lambda: window.weights_panel._facts.whole),
            ("classes", "explained", lambda: window.explanations._where.whole),
        )
        for name, wish, text in tabs:
            window.docks[name].raise_()
            qtbot.waitUntil(partial(is_asked, wish), timeout=20_000)
            serve(1234)
            qtbot.waitUntil(partial(is_step, text), timeout=20_000)
        board = window.layer_walk.board
        assert board.walk is not None
        expected = open_layers(network, mean, ("conv2",))["conv2"].output
        np.testing.assert_allclose(board.walk.opened.output, expected, atol=2e-3 * float(np.abs(expected).max()))


def test_why_something_is_missing_is_said_above_the_canvas_and_in_its_tab(
    window: MainWindow, folder: Path, journal: Journal
) -> None:
    panel = followed(window, folder)
    session = window.follow_docks.findChild(FollowSession)
    assert session is not None
    assert not panel.state_text.urgent.text()
    session.remarked.emit("Left out: fc1.")
    assert panel.state_text.urgent.text() == window.bar.text == "Left out: fc1."
    assert panel.state_text.urgent.isVisible()
    assert not window.bar.isHidden()
    session.remarked.emit("")
    assert not panel.state_text.urgent.text()
    assert window.bar.isHidden()
    # What the bar says by then of something else stays, and so it does of another network's.
    session.remarked.emit("Left out: fc1.")
    window.bar.error("No room.")
    session.remarked.emit("")
    assert window.bar.text == "No room."
    assert not window.bar.isHidden()
    session.remarked.emit("Left out: fc2.")
    window.projects.open_network("lenet5-tanh84")
    assert window.bar.isHidden()
    session.remarked.emit("Left out: fc3.")
    assert window.bar.isHidden()
    assert panel.state_text.urgent.text() == "Left out: fc3."


def test_its_tab_needs_no_more_height_than_training_whatever_is_said(
    window: MainWindow, folder: Path, journal: Journal
) -> None:
    panel = followed(window, folder)
    least = panel.minimumSizeHint().height()
    assert least <= window.training.minimumSizeHint().height()
    panel.put([RunNoted(run_id="r", note=f"Note {index}.") for index in range(5)])
    panel.show_remark("Left out: fc1.")
    assert panel.minimumSizeHint().height() == least
    assert panel.state_text.urgent.text() == "Left out: fc1."


def test_its_tab_rests_behind_another(window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot) -> None:
    panel = followed(window, folder)
    qtbot.waitUntil(lambda: panel.is_seen and panel.curves.is_seen)
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: not panel.is_seen and not panel.curves.is_seen)


def test_the_bar_of_moments_has_the_whole_curve_of_a_run_whose_network_is_opened_late(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    window.projects.open_network("lenet5-tanh84")
    panel = followed(window, folder)
    journal.put(steps(1, 2))
    qtbot.waitUntil(lambda: not panel.curves.data.is_empty, timeout=10_000)
    panel.network_button.click()
    qtbot.waitUntil(lambda: window.time_machine.session.folder == folder, timeout=10_000)
    journal.put(steps(3, 2))
    journal.put(finished())
    losses = window.time_machine.bar._curves.losses
    qtbot.waitUntil(lambda: len(losses.values) == 4, timeout=10_000)
    assert losses.values.tolist() == [1.0, 2.0, 3.0, 4.0]
    # Opened again, with its curves in the Training tab, it keeps them.
    qtbot.waitUntil(lambda: "Finished" in panel.state_text.text(), timeout=10_000)
    panel.network_button.click()
    qtbot.waitUntil(lambda: window.time_machine.session.folder == folder, timeout=10_000)
    assert window.time_machine.bar._curves.losses.values.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_its_curves_lead_to_its_moments_and_mark_them_while_the_windows_own_do_not(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    store = MomentStore(folder, 1 << 20)
    for step in (1, 3):
        store.put(step, [FeatureMapsCaptured(run_id="r", step=step, probe="p", atlases={})])
    own = window.training.curves
    own.put([replace(run_started(), run_id="another"), replace(steps(1, 4), run_id="another")])
    panel = followed(window, folder)
    journal.put(steps(1, 4))
    machine = window.time_machine
    qtbot.waitUntil(lambda: machine.session.steps == (1, 3), timeout=10_000)
    own.step_chosen.emit(own.run_id, 1)
    assert machine.bar.step is None
    (plot, _), (others, _) = panel.curves.plots, own.plots
    plot.clicked.emit(3.4)
    qtbot.waitUntil(lambda: bool(plot._moment.isVisible()), timeout=10_000)
    assert plot._moment.value() == 3
    assert not others._moment.isVisible()
    machine.look_at_present()
    assert not plot._moment.isVisible()


@pytest.mark.parametrize(
    ("silent_s", "lifeless_s", "said"),
    [
        (125.0, 3.0, r"No news for 2 min\. Its process on far lives\."),
        (130.0, 129.0, r"No news for 2 min\. No sign of life from far either\."),
        (7300.0, 7300.0, r"No news for 2 h\."),
        (119.0, 119.0, r"Running on far"),
    ],
)
def test_silence_is_said(
    window: MainWindow, folder: Path, journal: Journal, silent_s: float, lifeless_s: float, said: str
) -> None:
    panel = followed(window, folder)
    panel.show_status(Followed("running", "far", 7, silent_s, lifeless_s))
    assert re.match(said, panel.state_text.text())
    panel.show_status(Followed("interrupted", "far", 7, silent_s, lifeless_s))
    assert "7 on far" in panel.state_text.text()


def test_a_run_whose_process_died_has_neither_speed_nor_time_left(
    window: MainWindow, folder: Path, lock: sqlite3.Connection, journal: Journal, qtbot: QtBot
) -> None:
    panel = followed(window, folder)
    panel.show_status(Followed("interrupted", "far", 7, 1.0, 1.0))
    assert panel.progress_text.whole == "interrupted before its first step"
    journal.put(steps(1, 2))
    qtbot.waitUntil(lambda: "images/s" in panel.progress_text.whole, timeout=10_000)
    # Of a process that is no more nothing holds the lock.
    lock.close()
    qtbot.waitUntil(lambda: "Interrupted" in panel.state_text.text(), timeout=20_000)
    assert panel.progress_text.whole == "interrupted after step 2, in epoch 1 of 2"


def test_a_dropped_run_folder_is_followed_and_its_dock_closes(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    journal.put(steps(1, 1))
    path = folder / "events.jsonl"
    qtbot.waitUntil(path.is_file)
    copy, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, buttons, keys))
    name = f"dock-follow-{folder.name}"
    qtbot.waitUntil(lambda: name in window.docks)
    assert not window.docks[name].isHidden()
    window.show_gallery()
    window.show_canvas()
    assert name in window.docks
    panel = window.docks[name].widget()
    assert isinstance(panel, FollowPanel)
    panel.end_button.click()
    qtbot.waitUntil(lambda: name not in window.docks)


def test_what_is_no_run_is_said(window: MainWindow, tmp_path: Path) -> None:
    assert window.follow_docks.follow(tmp_path) is None
    assert "holds no run" in window.bar.text
    files.save(Project(architecture=zoo.entry("lenet5").build()), tmp_path / "architecture.arch.json")
    assert window.follow_docks.follow(tmp_path) is None
    assert "earlier version" in window.bar.text


def test_a_folder_that_cannot_be_looked_into_is_said(window: MainWindow, tmp_path: Path) -> None:
    # Longer than any file system's names; a folder without rights answers with an error likewise.
    folder = tmp_path / ("n" * 300)
    assert window.follow_docks.follow(folder) is None
    assert str(folder) in window.bar.text
    assert os.strerror(errno.ENAMETOOLONG) in window.bar.text
    assert "may be read" in window.bar.text
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    copy, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    assert window.follow_docks.is_run(QDropEvent(QPointF(5, 5), copy, data, buttons, keys)) is None


def test_a_run_of_the_list_is_followed_by_its_folder(window: MainWindow, folder: Path, journal: Journal) -> None:
    window.runs.follow_asked.emit(folder)
    assert f"dock-follow-{folder.name}" in window.docks
    assert window.runs.commands.follow in window.runs.commands.menu(window).actions()


def test_the_classes_tab_shows_what_a_followed_run_gets_right(
    window: MainWindow, folder: Path, journal: Journal, qtbot: QtBot
) -> None:
    tested = made(10, 200)
    write_test(folder, EpochTest(1, 2, tested))
    window.docks["classes"].raise_()
    followed(window, folder)
    window.docks["classes"].raise_()
    journal.put(epoch_finished(1))
    qtbot.waitUntil(lambda: window.classes_session.shown is not None, timeout=10_000)
    assert window.classes_session.shown is not None
    assert np.array_equal(window.classes_session.shown.tested.predicted, tested.predicted)
    assert folder.name in window.classes.facts.whole
    window.follow_docks.close()
    assert window.classes_session.shown is None
