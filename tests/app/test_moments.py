"""Looking back in the window: during a run, after it, and for runs of before. Training here is the real one."""

import shutil
from collections.abc import Sequence
from html import escape

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.architecture import files
from explorer.runs import Event, FeatureMapsCaptured, LayersOpened, WeightsCaptured
from explorer.runs.looks import Pixel
from explorer.runs.moments import read_moment
from explorer.runs.observed import FieldMeasured
from explorer.session.moments_session import ReadMoment
from tests.app.moments_window import Seen, looked_back, started, trained


def test_a_run_is_looked_back_at_and_left_again(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    assert machine.bar.isVisible()
    assert machine.session.steps[0] == 0
    seen = Seen()
    window.looking._viewers = (*window.looking._viewers, seen)
    looked_back(window, qtbot, 0)
    assert seen.sources[-1][:2] == ("step 0 (looking back)", 0)
    assert machine.session.folder is not None
    (kept,) = [event for event in read_moment(machine.session.folder, 0) if isinstance(event, FeatureMapsCaptured)]
    np.testing.assert_array_equal(seen.maps[-1].atlases["conv1"].image, kept.atlases["conv1"].image)
    assert machine.chip.isVisible()
    window.looking._viewers = window.looking._viewers[:-1]
    tabs_show_the_moment(window, qtbot, read_moment(machine.session.folder, 0))

    machine.bar.live.trigger()
    assert "Waiting" in window.layer_walk.empty.text()
    assert machine.bar.step is None
    assert not machine.chip.isVisible()
    assert not window.looking._is_looking_back


def tabs_show_the_moment(window: MainWindow, qtbot: QtBot, events: Sequence[Event]) -> None:
    """Of every layer that is selected meanwhile, as far as the moment holds it."""
    (weights,) = [event for event in events if isinstance(event, WeightsCaptured)]
    (opened,) = [event for event in events if isinstance(event, LayersOpened)]
    assert "fc1" not in {*opened.layers, *weights.layers}, "too large"
    window.docks["layer"].raise_()
    for node_id in ("conv1", "conv2"):
        window.selection.set([node_id])
        qtbot.waitUntil(lambda: window.layer_walk.board.walk is not None, timeout=5000)
        assert window.layer_walk.board.walk is not None
        np.testing.assert_array_equal(
            window.layer_walk.board.walk.opened.parameters["weight"], opened.layers[node_id].parameters["weight"]
        )
        assert "step 0 (looking back)" in window.layer_walk._facts.text()
    window.docks["weights"].raise_()
    for node_id in ("conv1", "conv2"):
        window.selection.set([node_id])
        qtbot.waitUntil(lambda: not window.weights_panel.pictures.sentence, timeout=5000)
        pictures = window.weights_panel.pictures._pictures
        assert pictures is not None
        np.testing.assert_array_equal(pictures.weight, weights.layers[node_id].weight)
    window.selection.set(["fc1"])
    said = "This moment does not hold fc1's {0}; press Now (Alt+End) to see the present."
    qtbot.waitUntil(lambda: window.weights_panel.pictures.sentence == said.format("weights"), timeout=5000)
    window.docks["layer"].raise_()
    said = escape(said)
    qtbot.waitUntil(lambda: window.layer_walk.empty.text() == said.format("values"), timeout=5000)


def test_what_was_pointed_at_while_it_trained_is_measured_in_the_past(window: MainWindow, qtbot: QtBot) -> None:
    window.selection.set(["conv1"])
    pixel, panel, machine = Pixel("conv1", 2, 3, 4), window.feature_maps, window.time_machine
    panel.pointing.hold(pixel)
    started(window, epochs=3)
    window.docks["feature-maps"].raise_()
    qtbot.waitUntil(lambda: panel.wanted().pointed == pixel, timeout=5000)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    qtbot.waitUntil(lambda: machine.session.steps[-1:] == (24,), timeout=10_000)
    assert machine.session.folder is not None
    (field,) = [event for event in read_moment(machine.session.folder, 24) if isinstance(event, FieldMeasured)]
    assert (field.pixel, field.step) == (pixel, 24)
    looked_back(window, qtbot, 24)
    shown = panel.field.heat
    assert shown is not None
    np.testing.assert_array_equal(shown, field.heat)
    # Of another value the moment has nothing, and nothing is drawn.
    panel.pointing.hold(Pixel("conv1", 0, 9, 9))
    assert panel.field.heat is None
    machine.bar.live.trigger()


def test_keys_and_the_curves_lead_to_moments(window: MainWindow, qtbot: QtBot) -> None:
    machine = window.time_machine
    assert not machine.bar.isVisible()
    trained(window, qtbot)
    steps = machine.session.steps
    window.activateWindow()
    window.canvas.setFocus()
    for _ in range(2):
        QTest.keyClick(window.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert machine.bar.step == steps[-2]
    QTest.keyClick(window.canvas, Qt.Key.Key_End, Qt.KeyboardModifier.AltModifier)
    shown = [machine.bar.step]
    assert shown == [None]

    window.training.curves.step_chosen.emit(machine.session.run_id, 2)
    near = min(steps, key=lambda step: abs(step - 2))
    assert machine.bar.step == near
    looked_back(window, qtbot, near)
    (plot, _) = window.training.curves.plots
    assert plot._moment.isVisible()
    assert plot._moment.value() == near
    machine.look_at_present()
    assert not plot._moment.isVisible()

    window.show_gallery()
    assert not machine.bar.isVisible()
    assert not machine.bar.previous.isEnabled()
    window.show_canvas()
    assert machine.bar.isVisible()
    assert machine.bar.previous.isEnabled()
    # What was measured while nobody looked is there afterwards.
    qtbot.waitUntil(lambda: window.weights_panel.history.last_step == steps[-1])
    assert "conv1" in window.weights_panel.history.names


def test_while_it_is_looked_back_at_a_run_that_goes_on_changes_nothing_on_screen(
    window: MainWindow, qtbot: QtBot
) -> None:
    started(window, epochs=500)
    machine = window.time_machine
    qtbot.waitUntil(lambda: len(machine.session.steps) >= 3, timeout=60_000)
    looked_back(window, qtbot, 0)
    seen = Seen()
    window.looking._viewers = (*window.looking._viewers, seen)
    before = window.training.curves.data.last_step
    qtbot.waitUntil(lambda: window.training.curves.data.last_step > before + 20, timeout=60_000)
    assert seen.sources == []
    machine.bar.live.trigger()
    qtbot.waitUntil(lambda: any((source.step or 0) > before for source in seen.sources), timeout=60_000)
    window.looking._viewers = window.looking._viewers[:-1]
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)


def test_the_classes_are_those_of_the_last_test_before(window: MainWindow, qtbot: QtBot) -> None:
    started(window, epochs=3)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    machine, classes = window.time_machine, window.classes_session
    qtbot.waitUntil(lambda: machine.session.steps[-1:] == (24,), timeout=10_000)
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: classes.epochs == (1, 2, 3))
    for step in machine.session.steps:
        looked_back(window, qtbot, step)
        assert classes.shown is not None
        assert classes.shown.epoch == max(1, step // 8)
    machine.bar.choose(0)
    machine.bar.live.trigger()
    assert classes.is_newest
    newest = window.classes_session.shown
    assert newest is not None
    assert newest.epoch == 3


def test_a_past_run_has_its_moments_and_another_network_none(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    steps = machine.session.steps
    window.runs_session.refresh()
    (record,) = window.runs_session.records
    looked_back(window, qtbot, 0)
    machine.compare()
    window.open_target("alexnet-28")
    assert not machine.bar.isVisible()
    assert not machine.chip.isVisible()
    assert machine._pair is None
    # Neither a key nor the curves lead to moments of a network that is not open.
    window.activateWindow()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    window.training.curves.step_chosen.emit(machine.session.run_id, 2)
    assert machine.bar.step is None
    machine.session.ask(0)
    machine.bar.show_moment(0)
    qtbot.waitUntil(lambda: 0 in machine.session._at_hand)
    machine.session.arrived.emit(ReadMoment(machine.session.run_id, 0, ()))
    assert not window.looking._is_looking_back
    window.runs.open_asked.emit(record.run_id)
    qtbot.waitUntil(lambda: machine.session.steps == steps)
    assert machine.bar.isVisible()
    looked_back(window, qtbot, steps[1])
    # What was measured over the steps comes back, too.
    qtbot.waitUntil(lambda: window.weights_panel.history.newest is not None)


def test_the_history_of_a_run_is_not_that_of_another_network(window: MainWindow, qtbot: QtBot) -> None:
    machine = window.time_machine
    started(window, epochs=500)
    qtbot.waitUntil(lambda: len(machine.session.steps) >= 3, timeout=60_000)
    window.document.undo_stack.setClean()
    window.open_target("alexnet-28")
    read: list[object] = []
    machine.history_read.connect(read.append)
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    qtbot.waitUntil(lambda: machine._reading is None)
    assert read == []
    assert not window.weights_panel.history.run_id


def test_a_run_that_ends_after_the_window_closed_is_not_read(window: MainWindow, qtbot: QtBot) -> None:
    machine = window.time_machine
    started(window, epochs=500)
    qtbot.waitUntil(lambda: len(machine.session.steps) >= 3, timeout=60_000)
    assert machine.close()
    assert window.run_session.close(60)
    assert not window.run_session.is_active
    assert machine._reading is None


def test_it_plays_all_moments_but_those_that_cannot_be_read(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    steps, folder = machine.session.steps, machine.session.folder
    assert folder is not None
    (folder / "moments" / f"step-{steps[1]:09}.npz").write_bytes(b"")
    shown: list[int] = []
    machine.session.arrived.connect(lambda moment: shown.append(moment.step))
    machine.bar.speed.setCurrentIndex(machine.bar.speed.count() - 1)
    machine.bar.play.trigger()
    qtbot.waitUntil(lambda: not machine.bar.is_playing, timeout=20_000)
    assert sorted(set(shown)) == [step for step in steps if step != steps[1]]


def test_a_new_run_leads_back_to_the_present(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    looked_back(window, qtbot, 0)
    started(window)
    assert window.time_machine.bar.step is None
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)


def test_a_followed_run_is_looked_back_at(
    window: MainWindow, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trained(window, qtbot)
    window.runs_session.refresh()
    (record,) = window.runs_session.records
    copy = tmp_path_factory.mktemp("mount") / record.run_id
    shutil.copytree(record.folder, copy)
    window.open_target("alexnet-28")
    assert window.follow_docks.follow(copy) is not None
    window.document.open(files.load(copy / "architecture.arch.json").architecture)
    machine = window.time_machine
    qtbot.waitUntil(lambda: machine.session.folder == copy and bool(machine.session.steps), timeout=10_000)
    assert machine.bar.isVisible()
    looked_back(window, qtbot, 0)


def test_its_keys_stand_in_the_menu(window: MainWindow) -> None:
    titles = [action.text() for action in window.actions_.run_menu.actions()]
    assert "Look back" in titles
