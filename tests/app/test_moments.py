"""The time machine in the window: during a run, after it, and for runs of before. Training here is the real one."""

import re
import shutil
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from explorer.app.moments_budget import make_budget_menu
from explorer.app.moments_export import MomentsExport
from explorer.app.moments_views import Stage, wait_until_painted
from explorer.app.window import MainWindow
from explorer.architecture import files
from explorer.look.numbers import MINUS
from explorer.look.theme import ThemeSource
from explorer.panels.moments.pair import MomentPair
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    ProbesExplained,
    RunConfig,
    WeightsCaptured,
)
from explorer.runs.class_files import read_test
from explorer.runs.looks import Pixel
from explorer.runs.moments import BUDGET_VARIABLE, budget_bytes, read_moment
from explorer.runs.observed import FieldMeasured
from explorer.session.moments_session import ReadMoment
from explorer.session.places import settings
from explorer.session.sources import Source


class Seen(QObject):
    """A view that wants nothing and keeps what it is shown."""

    wanted_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.maps: list[FeatureMapsCaptured] = []

    def wanted(self) -> Look:
        return Look()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        self.sources.append(source)
        self.maps += [event for event in events if isinstance(event, FeatureMapsCaptured)]

    def clear_observed(self) -> None:
        pass

    def show_problem(self, text: str) -> None:
        pass


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    yield window
    assert window.time_machine.close()


def started(window: MainWindow, **changes: int) -> None:
    plain = {**window.training.config().to_plain(), "device": "cpu", "epochs": 1, "batch_size": 512, **changes}
    window.training.set_config(RunConfig.from_plain(plain))
    window.training.start()


def trained(window: MainWindow, qtbot: QtBot) -> None:
    """A run of a few steps, from its start to its end."""
    started(window)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    last = window.training.curves.data.last_step
    qtbot.waitUntil(lambda: window.time_machine.session.steps[-1:] == (last,), timeout=10_000)


def looked_back(window: MainWindow, qtbot: QtBot, step: int) -> None:
    window.time_machine.bar.choose(step)
    qtbot.waitUntil(lambda: f"step {step:,}" in window.time_machine.chip.text, timeout=5000)


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

    window.training.curves.step_chosen.emit(2)
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
    window.training.curves.step_chosen.emit(2)
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


def test_without_a_budget_there_is_no_time_machine(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUDGET_VARIABLE, "0")
    started(window)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    assert window.time_machine.session.steps == ()
    assert not window.time_machine.bar.isVisible()


def conv1_maps(events: Sequence[Event]) -> npt.NDArray[np.float64]:
    """`(channels, height, width)`"""
    (maps,) = [event for event in events if isinstance(event, FeatureMapsCaptured)]
    atlas = maps.atlases["conv1"]
    levels = np.stack([atlas.tile(channel) for channel in range(atlas.num_channels)]).astype(np.float64)
    return atlas.minimum + (atlas.maximum - atlas.minimum) / 255 * levels


def conv1_weights(events: Sequence[Event]) -> npt.NDArray[np.float64]:
    (weights,) = [event for event in events if isinstance(event, WeightsCaptured)]
    return weights.layers["conv1"].weight.astype(np.float64)


def pair_says(pair: MomentPair, left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> None:
    """The least and the greatest of both, and of their difference, with its root mean square."""
    said = [
        [float(number.replace(MINUS, "-")) for number in re.findall(rf"[-{MINUS}]?\d[\d.]*(?:e[-+{MINUS}]\d+)?", text)]
        for text in (facts.whole for facts in pair._facts)
    ]
    change = right - left
    rms = float(np.sqrt((change**2).mean()))
    expected = ((left.min(), left.max()), (right.min(), right.max()), (change.min(), change.max(), rms))
    for numbers, wanted in zip(said, expected, strict=True):
        # Three digits are shown.
        assert numbers == pytest.approx(wanted, rel=6e-3, abs=1e-6)


def test_two_moments_beside_each_other_and_their_difference(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    window.selection.set(["conv1"])
    looked_back(window, qtbot, 0)
    machine.compare()
    pair = machine._pair
    assert pair is not None
    qtbot.waitUntil(lambda: not pair.pictures[2].image.isNull(), timeout=5000)
    last = machine.session.steps[-1]
    assert pair.steps == (0, last)
    assert pair.layer.currentText() == "conv1"
    assert machine.session.folder is not None
    first, newest = (read_moment(machine.session.folder, step) for step in (0, last))
    pair_says(pair, conv1_maps(first), conv1_maps(newest))
    # Where the values changed the most, the picture has the colour of that end.
    change = conv1_maps(newest) - conv1_maps(first)
    channel, row, column = np.unravel_index(np.abs(change).argmax(), change.shape)
    height, width = change.shape[1:]
    image = pair.pictures[2].image
    columns = (image.width() + 1) // (width + 1)
    x, y = (channel % columns) * (width + 1) + column, (channel // columns) * (height + 1) + row
    fell, rose = ("#9ad3ff", "#ffc78f") if window.themes.theme.is_dark else ("#0a437f", "#963a00")
    assert image.pixelColor(int(x), int(y)).name() == (rose if change[channel, row, column] > 0 else fell)
    pair.what.setCurrentIndex(1)
    pair_says(pair, conv1_weights(first), conv1_weights(newest))
    pair.what.setCurrentIndex(pair.what.findData("statistics"))
    assert pair.layer.currentText() == "conv1"
    assert pair.statistics.columns[2].outlines[0].kind == "weights"
    pair.what.setCurrentIndex(pair.what.findData("classes"))
    qtbot.waitUntil(lambda: pair.classes.change.shares.shape == (10, 10), timeout=5000)
    test = read_test(machine.session.folder, 1).tested
    assert f"{100 * test.num_right / test.count:.1f}" in pair._facts[0].whole
    pair.what.setCurrentIndex(pair.what.findData("answers"))
    (answers,) = [event for event in newest if isinstance(event, ProbesExplained)]
    assert [card.answer.probe for card in pair.answers.cards[1].cards] == [one.probe for one in answers.answers]
    pair.what.setCurrentIndex(1)
    looked_back(window, qtbot, machine.session.steps[1])
    assert pair.steps == (0, machine.session.steps[1]), "the scrubber moves the other"
    # Of the last moment, which is the other already, nothing could be compared.
    for look_back_to in (machine.session.steps[-1], None):
        if look_back_to is None:
            machine.bar.live.trigger()
        else:
            looked_back(window, qtbot, look_back_to)
        machine.compare()
        again = machine._pair
        assert again is not None
        assert again.steps == (0, machine.session.steps[-1])
        again.close()
    assert machine._pair is None


def as_file(image: QImage, place: Path) -> npt.NDArray[np.uint8]:
    image.convertToFormat(QImage.Format.Format_RGB888).save(str(place))
    with Image.open(place) as picture:
        return np.asarray(picture.convert("RGB"))


def filmed(
    window: MainWindow, qtbot: QtBot, key: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[Path]]:
    """The titles that the dialog offers, and the pictures of one view that it makes."""
    titles: list[str] = []

    def film(
        folder: Path, steps: tuple[int, ...], layer: str | None, stage: Stage, themes: ThemeSource, parent: QWidget
    ) -> None:
        dialog = MomentsExport(folder, steps, layer, stage, themes, parent)
        titles.extend(view.title for view in stage.views)
        (view,) = (view for view in stage.views if view.key == key)
        dialog.what.setCurrentIndex(dialog.what.findText(f"Film: {view.title}, as it is on screen"))
        dialog.form.setCurrentIndex(dialog.form.findData("png"))
        dialog.export_to(place)
        qtbot.waitUntil(lambda: dialog.status.text().startswith("Written"), timeout=10_000)
        dialog.close()
        dialog.deleteLater()

    monkeypatch.setattr("explorer.app.moments.ask_export", film)
    window.time_machine.bar.export.trigger()
    return titles, sorted(place.iterdir())


def test_a_film_of_what_is_on_screen_shows_each_moment_as_scrubbing_does(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    window.selection.set(["conv1"])
    window.docks["weights"].raise_()
    looked_back(window, qtbot, machine.session.steps[1])
    machine.bar.play.trigger()
    titles, frames = filmed(window, qtbot, "weights", tmp_path / "frames", monkeypatch)
    assert titles == ["Weights", "Canvas", "The whole window"], "none of a tab behind another"
    assert not machine.bar.is_playing
    # What was on screen before is again.
    assert machine.bar.step == machine.session.steps[1]
    said = f"step {machine.bar.step:,}"
    qtbot.waitUntil(lambda: said in window.weights_panel._facts.whole, timeout=5000)
    assert [int(path.stem[-9:]) for path in frames] == list(machine.session.steps)
    shown = window.docks["weights"].widget()
    assert shown is not None
    for path, step in zip(frames, machine.session.steps, strict=True):
        looked_back(window, qtbot, step)
        wait_until_painted((window.looking, window), window.classes_session)
        expected = as_file(shown.grab().toImage(), tmp_path / "expected.png")
        with Image.open(path) as picture:
            found = np.asarray(picture.convert("RGB"))
        np.testing.assert_array_equal(found[: len(expected)], expected)
    machine.bar.live.trigger()


def test_after_a_film_a_run_that_goes_on_is_shown_again(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(window, epochs=500)
    machine = window.time_machine
    qtbot.waitUntil(lambda: len(machine.session.steps) >= 3, timeout=60_000)
    window.docks["training"].raise_()
    titles, frames = filmed(window, qtbot, "window", tmp_path / "frames", monkeypatch)
    assert titles == ["Training", "Canvas", "The whole window"]
    assert len(frames) >= 3
    assert machine.bar.step is None
    assert not machine.chip.isVisible()
    assert not window.looking._is_looking_back
    seen = Seen()
    window.looking._viewers = (*window.looking._viewers, seen)
    before = window.training.curves.data.last_step
    qtbot.waitUntil(lambda: any((source.step or 0) > before for source in seen.sources), timeout=60_000)
    window.looking._viewers = window.looking._viewers[:-1]
    window.run_session.stop()
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


def test_the_budget_is_chosen_in_the_menu_and_remembered(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Set and taken away, so that what the menu sets is taken back after the test.
    monkeypatch.setenv(BUDGET_VARIABLE, "1")
    monkeypatch.delenv(BUDGET_VARIABLE)
    menu = make_budget_menu(QMenu(window))
    assert [action.data() for action in menu.actions() if action.isChecked()] == [256]
    next(action for action in menu.actions() if action.data() == 0).trigger()
    assert budget_bytes() == 0
    again = make_budget_menu(QMenu(window))
    assert [action.data() for action in again.actions() if action.isChecked()] == [0]
    monkeypatch.delenv(BUDGET_VARIABLE)
    make_budget_menu(QMenu(window))
    assert budget_bytes() == 0, "the next start of the program"


def test_a_budget_that_was_set_by_hand_is_only_shown(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    settings().setValue("moments/megabytes", 64)
    monkeypatch.setenv(BUDGET_VARIABLE, "1024")
    menu = make_budget_menu(QMenu(window))
    assert budget_bytes() == 1024 * 1024**2
    assert [action.data() for action in menu.actions() if action.isChecked()] == [1024]
    assert not any(action.isEnabled() for action in menu.actions())
    # What was chosen in the menu holds again as soon as nobody says otherwise.
    monkeypatch.delenv(BUDGET_VARIABLE)
    menu = make_budget_menu(QMenu(window))
    assert budget_bytes() == 64 * 1024**2
    assert all(action.isEnabled() for action in menu.actions())
