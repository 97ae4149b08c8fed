"""The window as a person uses it: real keys and mouse, offscreen. Training here is the real one, on the real digits."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.app.window import MainWindow
from explorer.architecture import Project, edits, files
from explorer.look.numbers import rough_share
from explorer.look.theme import GRID
from explorer.runs import (
    EpochFinished,
    Event,
    FeatureMapsCaptured,
    Look,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    StepsRecorded,
)
from explorer.session.painting import PaintingBudget
from explorer.session.recovery import autosave_folder
from explorer.session.sources import Source


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    # Closing asks about unsaved changes, which no test is there to answer.
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    return window


def configured(window: MainWindow, **changes: int | float | str) -> None:
    plain = {**window.training.config().to_plain(), "device": "cpu", **changes}
    window.training.set_config(RunConfig.from_plain(plain))


def test_it_opens_on_the_gallery_without_docks(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.gallery
    assert not any(dock.isVisible() for dock in window.docks.values())
    assert not window.actions_.save.isEnabled()


def test_a_network_opens_with_every_view_on_it(window: MainWindow) -> None:
    window.open_target("lenet5")
    assert window.pages.currentWidget() is window.canvas
    assert window.docks["inspector"].isVisible()
    assert "61.7" in window.totals.text()
    assert window.windowTitle().startswith("LeNet-5")
    assert not window.isWindowModified()


def test_it_fits_a_small_screen_also_once_its_panels_are_reset(window: MainWindow, qtbot: QtBot) -> None:
    """Neither the gallery behind the canvas nor docks side by side may push it wider."""
    window.open_target("lenet5")
    window.resize(1024, 700)
    QApplication.processEvents()
    assert window.width() == 1024
    assert window.docks["layers"].width() > 20 * GRID
    window.reset_layout()
    qtbot.waitUntil(window.docks["training"].isVisible)
    QApplication.processEvents()
    assert window.width() == 1024
    behind = {dock.objectName() for dock in window.tabifiedDockWidgets(window.docks["training"])}
    above = {window.docks[name].objectName() for name in ("layers", "inspector", "ideas", "training")}
    assert behind == {dock.objectName() for dock in window.docks.values()} - above


def test_panels_that_are_reset_behind_the_gallery_stay_there(window: MainWindow) -> None:
    window.open_target("lenet5")
    window.docks["layers"].hide()
    window.show_gallery()
    window.reset_layout()
    assert not any(dock.isVisible() for dock in window.docks.values())
    window.show_canvas()
    assert window.docks["layers"].isVisible()
    assert window.toolbar.isVisible()


def test_the_gallery_begins_a_new_network(window: MainWindow) -> None:
    QTest.mouseClick(window.gallery.new_button, Qt.MouseButton.LeftButton)
    assert window.pages.currentWidget() is window.canvas
    assert [node.id for node in window.document.architecture] == ["input"]


def test_an_edit_undo_and_redo_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    before = window.document.architecture
    window.document.edit("Set", lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))
    after = window.document.architecture
    assert window.isWindowModified()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.document.architecture is before
    QTest.keyClick(window.canvas, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert window.document.architecture is after


def test_undo_works_while_a_number_is_being_edited(window: MainWindow) -> None:
    window.open_target("lenet5")
    before = window.document.architecture
    window.selection.set(["conv1"])
    window.activateWindow()
    window.inspector.focus_first_field()
    box = QApplication.focusWidget()
    assert isinstance(box, QAbstractSpinBox)
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert window.document.architecture["conv1"].layer.values()["out_channels"] == 7
    QTest.keyClick(box, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.document.architecture is before


def test_the_input_boxes_edit_the_network(window: MainWindow) -> None:
    window.open_target("lenet5")
    window.input_editor._boxes["height"].setValue(64)
    assert window.document.architecture.input_shape == (1, 64, 32)
    assert window.document.undo_stack.undoText() == "Set input height to 64"


def test_unknown_targets_are_said_and_the_window_stays(window: MainWindow, tmp_path: Path) -> None:
    window.open_target("lenet6")
    assert "did you mean lenet5" in window.bar.text
    broken = tmp_path / "broken.arch.json"
    broken.write_text('{"format": ')
    window.open_target(str(broken))
    assert "broken.arch.json: line 1" in window.bar.text
    assert window.pages.currentWidget() is window.gallery
    window.open_target("lenet5")
    assert window.document.is_open


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
def test_saving_takes_what_is_being_typed_into_the_training_form(window: MainWindow, tmp_path: Path, name: str) -> None:
    path = tmp_path / "net.arch.json"
    files.save(Project(architecture=zoo.entry("lenet5").build()), path)
    window.open_target(str(path))
    window.activateWindow()
    editor = window.training.form.editor(name)
    assert isinstance(editor, QAbstractSpinBox)
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, "7")
    QTest.keyClick(editor, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert files.load(path).sections["training"][name] == 7
    assert editor.hasFocus()
    assert not window.document.is_modified


def test_saving_where_it_cannot_be_keeps_the_work(window: MainWindow, tmp_path: Path) -> None:
    window.open_target("lenet5")
    window.document.edit("Set", lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))
    assert not window.projects._save_to(tmp_path / "no" / "such" / "net.arch.json")
    assert "Cannot save" in window.bar.text
    modified = [window.document.is_modified]
    assert window.projects._save_to(tmp_path / "net.arch.json")
    modified.append(window.document.is_modified)
    assert modified == [True, False]
    assert window.projects.recent() == [tmp_path / "net.arch.json"]
    assert window.windowTitle().startswith("net")


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_closing_with_unsaved_changes_asks(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    path = tmp_path / "net.arch.json"
    files.save(Project(architecture=zoo.entry("lenet5").build()), path)
    window.open_target(str(path))
    window.document.edit("Set", lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))
    window.autosave.write()
    button = QMessageBox.StandardButton[answer]
    monkeypatch.setattr(QMessageBox, "question", lambda *_args, **_kwargs: button)
    closed = window.close()
    assert closed == (answer != "Cancel")
    saved = files.load(path).architecture == window.document.architecture
    assert saved == (answer == "Save")
    assert any(autosave_folder().iterdir()) == (answer == "Cancel")
    if answer == "Cancel":
        window.document.save(path)


def test_a_signal_keeps_unsaved_work_for_the_next_start(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real one would end every event loop of the tests behind this one.
    monkeypatch.setattr(QApplication, "exit", lambda _code: None)
    window.open_target("lenet5")
    window.document.edit("Set", lambda a: edits.set_value(a, "fc1", "out_features", 77))
    window.quit_without_asking()
    (file,) = autosave_folder().iterdir()
    # As if the process were gone.
    file.rename(file.with_name(f"999999999-left{files.SUFFIX}"))
    window.document.undo_stack.setClean()
    window.projects.offer_recovery()
    assert "LeNet-5 was not saved" in window.bar.text
    (left,) = autosave_folder().iterdir()
    restore = next(b for b in window.bar.findChildren(QPushButton) if b.text() == "Restore")
    restore.click()
    (own,) = autosave_folder().iterdir()
    assert own != left
    assert window.document.is_modified
    assert window.document.architecture["fc1"].layer.values()["out_features"] == 77
    window.document.open(window.document.architecture)  # given up, so that closing does not ask


def test_window_docks_and_configuration_are_remembered(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    window.docks["layers"].hide()
    window.resize(900, 707)
    configured(window, epochs=7)
    window.close()
    again = MainWindow()
    qtbot.addWidget(again)
    again.show()
    again.open_target("lenet5")
    assert not again.docks["layers"].isVisible()
    assert again.docks["inspector"].isVisible()
    assert again.size().height() == 707  # the offscreen screen is narrower than the docks want
    assert again.training.config().epochs == 7
    again.close()


def test_both_themes_and_back(window: MainWindow) -> None:
    window.open_target("lenet5")
    for choice in ("dark", "light", "system"):
        window.choose_theme(choice)
        assert not window.grab().isNull()


class Recorder:
    """Keeps every event of the window's runs."""

    def __init__(self, window: MainWindow) -> None:
        self.events: list[Event] = []
        window.run_session.events_arrived.connect(self.events.extend)

    def of(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def test_train_pause_edit_resume_stop(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    configured(window, epochs=50)
    recorder = Recorder(window)
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: len(recorder.of(StepsRecorded)) > 2, timeout=60_000)
    window.training.pause_action.trigger()
    qtbot.waitUntil(lambda: window.run_session.state == "paused", timeout=20_000)
    trained = window.run_session.architecture
    window.document.edit("Set", lambda a: edits.set_value(a, "fc1", "out_features", 77))
    assert window.run_session.architecture is trained
    window.training.step_action.trigger()
    window.training.pause_action.trigger()
    qtbot.waitUntil(lambda: window.run_session.state == "running", timeout=20_000)
    window.training.stop_action.trigger()
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=20_000)
    (end,) = recorder.of(RunFinished)
    assert isinstance(end, RunFinished)
    assert end.reason == "stopped"
    assert window.run_session.checkpoint is not None
    assert Path(window.run_session.checkpoint).is_file()


def test_a_run_in_the_window_learns_and_shows_maps(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    window.docks["feature-maps"].raise_()
    window.selection.set(["conv1"])
    configured(window, epochs=2)
    recorder = Recorder(window)
    shown: list[str] = []
    show = window.feature_maps.show_observed

    def recording(events: Sequence[Event], source: Source) -> None:
        shown.extend(node_id for e in events if isinstance(e, FeatureMapsCaptured) for node_id in e.atlases)
        show(events, source)

    window.feature_maps.show_observed = recording  # type: ignore[method-assign]
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=120_000)
    epochs = recorder.of(EpochFinished)
    assert len(epochs) == 2
    last = epochs[-1]
    assert isinstance(last, EpochFinished)
    assert last.test_accuracy > 0.8
    assert "conv1" in shown


def test_what_looking_takes_is_what_the_trainer_and_the_window_counted(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_target("lenet5")
    window.docks["training"].raise_()
    window.selection.set(["conv1"])  # whose maps the canvas shows
    configured(window, epochs=200)
    session = window.run_session
    spent_s: dict[PaintingBudget, float] = {}
    counted: list[tuple[float, float, float, float]] = []
    """When the trainer's captures were asked for; they, pictures and numbers until then, in seconds."""
    spend, read = PaintingBudget.spent, RunControl.pictures_seconds.__get__

    def spent(budget: PaintingBudget, seconds: float) -> None:
        spent_s[budget] = spent_s.get(budget, 0.0) + seconds
        spend(budget, seconds)

    def pictures_seconds(control: RunControl) -> float:
        captured_s = float(read(control))
        painted_s, numbers_s = (spent_s.get(budget, 0.0) for budget in (session._pictures, session._numbers))
        counted.append((time.perf_counter(), captured_s, painted_s, numbers_s))
        return captured_s

    begun: list[int] = []
    session.state_changed.connect(lambda state: begun.append(len(counted) - 1) if state == "running" else None)
    monkeypatch.setattr(PaintingBudget, "spent", spent)
    monkeypatch.setattr(RunControl, "pictures_seconds", property(pictures_seconds))
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(window.training.views_text.isVisible, timeout=60_000)
    shown, cost = window.training.views_text.text(), session.views_cost
    session.stop()
    qtbot.waitUntil(lambda: session.state == "idle", timeout=20_000)
    assert window.training.views_text.isHidden()

    first = counted[begun[0]]
    last = next(entry for entry in counted if entry[0] - first[0] >= 1)
    seconds = [now - then for now, then in zip(last, first, strict=True)]
    captures, painting, numbers = (part / seconds[0] for part in seconds[1:])
    assert captures > 0
    assert numbers > 0
    assert cost == pytest.approx((captures, painting, numbers), rel=0.01)
    assert shown == f"views {rough_share(captures + painting + numbers)}"


def test_the_weights_of_another_project_are_not_this_ones(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    configured(window, epochs=1)
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=60_000)
    assert window.run_session.checkpoint is not None
    # Its layers have the same names and shapes, but nobody trained it.
    window.open_target("lenet5-relu-dropout")
    assert window.run_session.checkpoint is None


def test_closing_during_a_run_ends_its_thread(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    configured(window, epochs=100)
    recorder = Recorder(window)
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: bool(recorder.of(StepsRecorded)), timeout=60_000)
    window.close()
    assert not window.run_session.is_active
    assert recorder.of(RunFinished)


def test_a_run_that_cannot_work_says_why_and_the_next_one_runs(window: MainWindow, qtbot: QtBot) -> None:
    window.open_target("lenet5")
    window.document.edit("Set", lambda a: edits.set_value(a, "fc3", "out_features", 3))
    configured(window, epochs=1)
    recorder = Recorder(window)
    window.preload()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: bool(recorder.of(RunFailed)), timeout=60_000)
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=20_000)
    (failure,) = recorder.of(RunFailed)
    assert isinstance(failure, RunFailed)
    assert "10" in failure.message
    window.document.undo_stack.undo()
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: bool(recorder.of(RunFinished)), timeout=60_000)


def test_torch_is_not_imported_before_the_window_shows(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from explorer.app import startup\n"
        "application = startup.make_application()\n"
        "from explorer.app.window import MainWindow\n"
        "window = MainWindow(); window.show(); application.processEvents()\n"
        "window.open_target('lenet5'); application.processEvents()\n"
        "print([m for m in ('torch', 'torchvision', 'pyqtgraph', 'onnx') if m in sys.modules])\n"
    )
    environment = {**os.environ, "ARCH_EXPLORER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment, check=True
    )
    loaded = done.stdout.strip().splitlines()[-1]
    assert "torch" not in loaded
    assert "onnx" not in loaded


def test_nothing_is_captured_for_a_tab_behind_another(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_target("lenet5")
    window.selection.set(["conv1"])
    asked: list[Look] = []
    monkeypatch.setattr(window.run_session, "watch", asked.append)
    window.docks["layer"].raise_()
    qtbot.waitUntil(lambda: bool(asked) and "conv1" in asked[-1].opened, timeout=5_000)
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: not asked[-1].opened and not asked[-1].weighed, timeout=5_000)
    # What the canvas shows is wanted all the same.
    assert asked[-1].maps


def test_the_tested_images_are_not_read_for_a_tab_behind_another(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[bool] = []
    monkeypatch.setattr(window.classes_session, "set_watched", watched.append)
    window.open_target("lenet5")
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: watched[-1:] == [True], timeout=5_000)
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: watched[-1:] == [False], timeout=5_000)


def test_a_project_may_be_dropped_on_the_window_and_a_text_not(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path, other = tmp_path / "net.arch.json", tmp_path / "notes.txt"
    files.save(Project(architecture=zoo.entry("lenet5").build()), path)
    other.touch()
    accepted = []
    for dropped in (other, path):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(dropped))])
        held = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, *held)
        enter.ignore()
        QApplication.sendEvent(window, enter)
        accepted.append(enter.isAccepted())
        window.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, *held))
    assert accepted == [False, True]
    assert not window.document.is_open, "the answer to a drop waits for no question"
    qtbot.waitUntil(lambda: window.document.path == path, timeout=5_000)
