"""The training panel: its form, its actions and what it says, with the real events of a run that the test writes."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.look.island import Island
from explorer.look.theme import ThemeSource
from explorer.panels.augmentation.form import AugmentationForm
from explorer.panels.training.form import ConfigForm
from explorer.panels.training.form_editors import RealBox
from explorer.panels.training.panel import TrainingPanel
from explorer.panels.training.parts_label import Part, PartsLabel
from explorer.runs import CONFIG_FIELDS, Normalization, RunConfig, RunFailed
from explorer.runs.data_facts import DataFacts
from explorer.session.views_cost import ViewsCost
from tests.panels.fake_run import FakeRun, epoch_finished, run_finished, run_started, steps
from tests.panels.stage import Stage, click, press, shown, stage, write


class MeasuredRun(FakeRun):
    """A run whose views take what the test says."""

    cost: ViewsCost | None = None

    @property
    def views_cost(self) -> ViewsCost | None:
        return self.cost


def _panel(qtbot: QtBot, at: Stage | None = None) -> tuple[TrainingPanel, MeasuredRun, Stage]:
    at = at or stage()
    run = MeasuredRun()
    panel = TrainingPanel(at.document, run, at.themes)
    run.setParent(panel)
    shown(qtbot, panel, 1200, 320)
    return panel, run, at


def _running(qtbot: QtBot) -> tuple[TrainingPanel, MeasuredRun, Stage]:
    panel, run, at = _panel(qtbot)
    panel.start_action.trigger()
    run.say([run_started(notes=("Images are padded.",))])
    run.enter("running")
    return panel, run, at


def test_there_is_an_editor_for_every_field(qtbot: QtBot) -> None:
    panel, _, _ = _panel(qtbot)
    for field in CONFIG_FIELDS:
        if field.name != "augmentation":  # which has a form of its own
            assert field.help in panel.form.editor(field.name).toolTip()
    assert isinstance(panel.form.editor("augmentation"), AugmentationForm)
    assert panel.config() == RunConfig()


def test_edits_are_kept_in_the_project(qtbot: QtBot) -> None:
    panel, _, at = _panel(qtbot)
    changes: list[RunConfig] = []
    panel.config_changed.connect(changes.append)
    epochs, optimizer, rate = (panel.form.editor(name) for name in ("epochs", "optimizer", "learning_rate"))
    assert isinstance(epochs, QSpinBox)
    epochs.selectAll()
    write(epochs, "3")
    press(epochs, Qt.Key.Key_Return)
    assert isinstance(optimizer, QComboBox)
    optimizer.setFocus()
    press(optimizer, Qt.Key.Key_Down)
    assert isinstance(rate, QDoubleSpinBox)
    rate.selectAll()
    write(rate, "1e-3")
    press(rate, Qt.Key.Key_Return)
    config = RunConfig(epochs=3, optimizer="adam", learning_rate=0.001)
    assert changes[-1] == config
    assert panel.config() == config
    assert at.document.sections["training"] == config.to_plain()
    assert not panel.form.editor("momentum").isEnabled()
    assert "Adam and AdamW do not use it" in panel.form.editor("momentum").toolTip()


def test_a_project_brings_its_configuration(qtbot: QtBot) -> None:
    panel, _, at = _panel(qtbot)
    config = RunConfig(epochs=2, device="cuda:1", weight_decay=0.0005)
    at.document.open(at.document.architecture, sections={"training": config.to_plain()})
    assert panel.config() == config
    at.document.open(at.document.architecture)
    assert panel.config() == config, "what the user set last stays where a project says nothing"


def test_a_broken_section_is_said_and_not_used(qtbot: QtBot) -> None:
    panel, _, at = _panel(qtbot)
    at.document.open(at.document.architecture, sections={"training": {"epochs": -1}})
    assert panel.config() == RunConfig()
    assert "epochs" in panel.status.text()


def test_an_unknown_device_is_refused_with_what_fits(qtbot: QtBot) -> None:
    panel, _, _ = _panel(qtbot)
    device = panel.form.editor("device")
    assert isinstance(device, QComboBox)
    device.setFocus()
    line = device.lineEdit()
    assert line is not None
    line.selectAll()
    write(line, "tpu")
    press(line, Qt.Key.Key_Return)
    assert device.currentText() == "auto"
    assert "tpu" in panel.status.text()
    assert "cuda:N" in panel.status.text()


@pytest.mark.parametrize(
    ("value", "up", "down"), [(0.05, 0.06, 0.04), (0.001, 0.002, 0.0009), (0.1, 0.2, 0.09), (1e-6, 2e-6, 9e-7)]
)
def test_real_numbers_step_in_their_own_digit(qtbot: QtBot, value: float, up: float, down: float) -> None:
    box = RealBox()
    qtbot.addWidget(box)
    box.setRange(1e-8, 100)
    for key, expected in ((Qt.Key.Key_Up, up), (Qt.Key.Key_Down, down)):
        box.setValue(value)
        press(box, key)
        assert box.value() == pytest.approx(expected)


def test_shortcuts_start_pause_resume_step_and_stop(qtbot: QtBot) -> None:
    panel, run, _ = _panel(qtbot)
    press(panel, Qt.Key.Key_F5)
    run.enter("running")
    press(panel, Qt.Key.Key_F6)
    run.enter("paused")
    assert panel.pause_action.text() == "Resume"
    press(panel, Qt.Key.Key_F6)
    run.enter("running")
    press(panel, Qt.Key.Key_F10)
    press(panel, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    assert run.commands == ["start", "pause", "resume", "step", "stop"]


@pytest.mark.parametrize(("name", "typed", "taken"), [("epochs", "3", 3), ("learning_rate", "0.5", 0.5)])
def test_a_run_starts_with_what_is_being_typed(qtbot: QtBot, name: str, typed: str, taken: float) -> None:
    panel, run, _ = _panel(qtbot)
    configs: list[RunConfig] = []
    run.started.connect(lambda _architecture, config: configs.append(config))
    editor = panel.form.editor(name)
    assert isinstance(editor, (QSpinBox, QDoubleSpinBox))
    editor.setFocus()
    editor.selectAll()
    write(editor, typed)
    press(editor, Qt.Key.Key_F5)
    assert [getattr(config, name) for config in configs] == [taken]


def test_a_run_does_not_start_with_something_else_than_what_is_being_typed(qtbot: QtBot) -> None:
    panel, run, _ = _panel(qtbot)
    steps_editor = panel.form.editor("step_epochs")
    assert isinstance(steps_editor, QLineEdit)
    panel.form.set_config(RunConfig(schedule="step"))
    heading = panel.form.groups["schedule"].heading
    assert heading is not None
    heading.setChecked(True)
    steps_editor.setFocus()
    steps_editor.selectAll()
    write(steps_editor, "never")
    panel.start_action.trigger()
    assert run.commands == []
    assert "received 'never'" in panel.status.text()
    steps_editor.selectAll()
    write(steps_editor, "2,4")
    panel.start_action.trigger()
    assert run.commands == ["start"]
    assert panel.config().step_epochs == "2,4"


def test_step_from_rest_starts_with_one_step(qtbot: QtBot) -> None:
    panel, run, _ = _panel(qtbot)
    panel.step_action.trigger()
    assert run.commands == ["start", "step"]


def test_disabled_actions_say_why(qtbot: QtBot) -> None:
    panel, run, at = _panel(qtbot)
    assert not panel.stop_action.isEnabled()
    assert "No run is active" in panel.stop_action.toolTip()
    at.set_value("conv2", "kernel_size", (99, 99))
    assert not panel.start_action.isEnabled()
    assert "conv2" in panel.start_action.toolTip()
    press(panel, Qt.Key.Key_F5)
    assert run.commands == []
    at.document.undo_stack.undo()
    assert panel.start_action.isEnabled()
    run.enter("running")
    assert "stop it first" in panel.start_action.toolTip()


def test_a_network_without_weights_cannot_be_trained(qtbot: QtBot) -> None:
    at = stage()
    weighty = [node.id for node in at.document.architecture if node.id.startswith(("conv", "fc"))]
    at.document.apply("Remove", edits.remove(at.document.architecture, weighty))
    panel, _, _ = _panel(qtbot, at)
    assert "nothing to train" in panel.start_action.toolTip()


def test_only_the_learning_rate_changes_in_mid_run(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    names = {field.name for field in CONFIG_FIELDS} - {"augmentation"}
    assert {name for name in names if panel.form.editor(name).isEnabled()} == {"learning_rate"}
    assert not panel.form.augmentation.switch("flip").isEnabled()
    assert not panel.form.recipes.menu.isEnabled()
    assert "stop it" in panel.form.recipes.menu.toolTip()
    rate = panel.form.editor("learning_rate")
    assert isinstance(rate, QDoubleSpinBox)
    rate.setValue(0.25)
    assert run.commands == ["start", 0.25]
    assert "0.25 from the next step on" in panel.status.text()


def test_progress_is_written_out(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say([steps(1, [0.5] * 63), epoch_finished(1), steps(64, [0.25] * 95)])
    assert panel.progress_text.whole == "epoch 3/10 · 25\u2009% · 12,400 images/s · 00:41 left"
    assert panel.progress.value() == round(1000 * 158 / 630)
    assert panel.device_text.text() == "cuda:0"
    assert panel.status.text() == "Images are padded."
    assert len(panel.curves.data.losses) == 158
    run.enter("paused")
    assert panel.progress_text.whole.startswith("paused at step 158 · epoch 3/10")


def test_the_threads_of_a_run_on_the_cpu_are_said_once(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say([replace(run_started(), device="CPU, 2 threads")])
    assert panel.device_text.text() == "CPU, 2 threads"
    run.say([replace(steps(1, [0.5] * 63), num_threads=1)])
    assert "images/s with 1 thread ·" in panel.progress_text.whole
    assert panel.device_text.text() == "CPU"


def test_what_looking_takes_is_said_while_a_run_goes(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    assert panel.views_text.isHidden()
    panel.resize(300, 600)
    QApplication.processEvents()
    narrowest = panel.minimumSizeHint()

    run.cost = ViewsCost(captures=0.021, painting=0.014, numbers=0.004)
    run.say([steps(1, [0.5])])
    assert panel.views_text.isVisible()
    assert panel.views_text.text() == "views 4\u2009%"
    QApplication.processEvents()
    assert panel.minimumSizeHint() == narrowest
    told = panel.views_text.toolTip().splitlines()[1:]
    assert told == [
        "captured between steps 2.1\u2009%, limit 3.0\u2009%, and 1.5\u2009% for moments to look back at",
        "painting pictures 1.4\u2009%, limit 2.0\u2009%",
        "numbers and curves 0.4\u2009%, limit 1.5\u2009%",
    ]

    run.cost = ViewsCost(captures=0.001, painting=0.0, numbers=0.002)
    run.say([steps(2, [0.5])])
    assert panel.views_text.text() == "views <1\u2009%"
    run.cost = None
    run.enter("idle")
    assert panel.views_text.isHidden()


def test_the_empty_curves_say_whether_a_run_is_on_its_way(qtbot: QtBot) -> None:
    panel, run, at = _panel(qtbot)
    panel.start_action.trigger()
    assert "is starting" in panel.curves._empty.text()
    run.enter("running")
    run.say([run_started()])
    assert "The first step is under way" in panel.curves._empty.text()
    at.set_value("conv2", "out_channels", 7)
    assert "The first step is under way" in panel.curves._empty.text()
    run.enter("idle")
    assert "Start a run (F5)" in panel.curves._empty.text()
    panel.start_action.trigger()
    assert "is starting" in panel.curves._empty.text()


def test_a_first_step_that_takes_long_is_counted_in_seconds(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("explorer.panels.training.progress.time.monotonic", lambda: now[0])
    panel, run, _ = _panel(qtbot)
    seconds = panel._progress.seconds
    assert seconds is not None
    panel.start_action.trigger()
    assert panel.progress_text.whole == "starting…"
    assert not seconds.isActive()
    run.enter("running")
    run.say([run_started(epochs=20)])
    assert panel.progress_text.whole == "step 1 of 1,260 · 00:00"
    assert seconds.isActive()
    now[0] += 32.0
    seconds.timeout.emit()
    assert panel.progress_text.whole == "step 1 of 1,260 · 00:32"
    run.enter("paused")
    assert panel.progress_text.whole == "paused before the first step"
    assert not seconds.isActive()
    run.enter("running")
    assert seconds.isActive()
    run.say([steps(1, [0.5], total=1260)])
    assert panel.progress_text.whole.startswith("epoch 1/20")
    assert not seconds.isActive()


def test_a_resumed_run_says_the_step_that_it_is_at_and_stops_counting_when_stopped(qtbot: QtBot) -> None:
    panel, run, _ = _panel(qtbot)
    seconds = panel._progress.seconds
    assert seconds is not None
    panel.start_action.trigger()
    run.enter("running")
    run.say([replace(run_started(), resumed_step=126)])
    assert panel.progress_text.whole.startswith("step 127 of 630 · 00:0")
    run.enter("stopping")
    assert panel.progress_text.whole == "stopping…"
    assert not seconds.isActive()


def test_the_empty_curves_say_what_keeps_a_run_from_starting(qtbot: QtBot) -> None:
    panel, _, at = _panel(qtbot)
    assert "Start a run (F5)" in panel.curves._empty.text()
    at.set_value("conv2", "kernel_size", (99, 99))
    assert not panel.start_action.isEnabled()
    assert panel.curves._empty.text().startswith("The network has faults (1); mend them first. ")
    at.document.undo_stack.undo()
    assert "Start a run (F5)" in panel.curves._empty.text()


def test_the_end_is_said(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say([steps(1, [0.5] * 630), run_finished()])
    run.enter("idle")
    assert panel.progress_text.whole == "finished · test accuracy 96.1\u2009% · 630 steps · 00:58 · 12,000 images/s"
    assert panel.start_action.isEnabled()


def _fits_whole(panel: TrainingPanel) -> tuple[str, ...]:
    """The parts of the line that are shown, all of them whole and in their order."""
    label = panel.progress_text
    assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()
    whole, shown = label.whole.split(" · "), label.text().split(" · ")
    assert shown == [part for part in whole if part in shown]
    assert label.toolTip() == ("" if shown == whole else label.whole)
    return tuple(shown)


@pytest.mark.parametrize("rate", [231.0, 7_806.0, 120_344.0])
def test_no_number_of_the_end_is_cut_in_two_however_narrow_the_panel(rate: float, qtbot: QtBot) -> None:
    """1280 is a window of 1280x800 at its first layout, where the buttons have no words yet; 1440 has them."""
    panel, run, _ = _running(qtbot)
    run.say([replace(run_started(), device="CPU, 2 threads")])
    run.say([steps(1, [0.5] * 630), replace(run_finished(), images_per_second=rate)])
    run.enter("idle")
    seen = set()
    # Narrow docks have the form above the line.
    for width in (1920, 1600, 1440, 1280, 1071, 1000, 700, 560):
        panel.resize(width, 264)
        QApplication.processEvents()
        shown = _fits_whole(panel)
        assert shown[:2] == ("finished", "test accuracy 96.1\u2009%"), width
        seen.add(shown)
    assert max(map(len, seen)) == 5, "with room for all of them, all are there"
    assert min(map(len, seen)) < 5


def test_while_it_runs_the_time_that_is_left_stays_longest(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say([replace(run_started(), device="NVIDIA H200 (cuda:0)"), steps(1, [0.5] * 63)])
    for width in (1920, 1280, 1000, 860):
        panel.resize(width, 264)
        QApplication.processEvents()
        assert _fits_whole(panel)[-1] == "00:41 left"


@pytest.mark.parametrize("device", ["CPU, 2 threads", "NVIDIA H100 80GB HBM3 (cuda:0)"])
def test_a_wide_panel_can_be_made_narrow_again_at_once(device: str, qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say([replace(run_started(), device=device), steps(1, [0.5] * 630), run_finished()])
    run.enter("idle")
    # As in a dock.
    island = Island(panel)
    shown(qtbot, island, 1920, 264)
    least = island.minimumSizeHint().width()
    assert least <= 1000
    island.resize(least, 264)
    QApplication.processEvents()
    assert panel.width() == least
    assert QWidget.minimumSizeHint(panel).width() <= least, "there is room for everything"
    island.resize(1000, 264)
    QApplication.processEvents()
    assert _fits_whole(panel)[0] == "finished"


def test_a_part_does_not_come_and_go_with_a_digit(qtbot: QtBot) -> None:
    label = PartsLabel(ThemeSource())
    qtbot.addWidget(label)
    label.show()
    longer, shorter = (Part("epoch 3/10", 1), Part("100,000", 2)), (Part("epoch 3/10", 1), Part("99,999", 2))
    width = label.fontMetrics().horizontalAdvance("epoch 3/10 · 100,000")
    label.resize(width - 1, 20)
    for parts in (longer, shorter, longer, shorter):
        label.show_parts(parts)
        assert label.text() == "epoch 3/10"
    label.resize(width, 20)
    QApplication.processEvents()
    assert label.text() == "epoch 3/10 · 99,999"
    # Another sentence has nothing to do with it.
    label.resize(width - 1, 20)
    label.show_parts(longer)
    label.show_parts([Part("starting…", 0)])
    label.show_parts(shorter)
    assert label.text() == "epoch 3/10 · 99,999"


def test_editing_meanwhile_says_that_the_run_is_untouched(qtbot: QtBot) -> None:
    panel, _, at = _running(qtbot)
    at.set_value("conv1", "out_channels", 8)
    assert "your edits do not touch it" in panel.status.text()
    at.document.undo_stack.undo()
    assert panel.status.text() == "Images are padded."


def test_a_failure_is_shown_with_details_and_can_be_dismissed(qtbot: QtBot) -> None:
    panel, run, _ = _running(qtbot)
    run.say(
        [RunFailed(run_id="r", message="out of memory; use a smaller batch_size", details="Traceback", checkpoint=None)]
    )
    run.enter("idle")
    assert panel.message.isVisible()
    assert panel.message.text.text() == "out of memory; use a smaller batch_size"
    assert not panel.message.details.isVisible()
    QTest.mouseClick(panel.message.details_button, Qt.MouseButton.LeftButton)
    assert panel.message.details.isVisible()
    QTest.mouseClick(panel.message.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "out of memory; use a smaller batch_size\n\nTraceback"
    QTest.mouseClick(panel.message.close_button, Qt.MouseButton.LeftButton)
    assert not panel.message.isVisible()
    assert panel.start_action.isEnabled()


def test_another_project_in_mid_run_waits_with_its_configuration(qtbot: QtBot) -> None:
    panel, run, at = _running(qtbot)
    other = RunConfig(epochs=7)
    at.document.open(at.document.architecture, sections={"training": other.to_plain()})
    assert panel.config() == RunConfig()
    run.enter("idle")
    assert panel.config() == other


def test_the_normalisation_of_the_weights_is_offered_and_shown(qtbot: QtBot) -> None:
    form = ConfigForm(ThemeSource())
    qtbot.addWidget(form)
    menu = form.editor("normalization")
    assert isinstance(menu, QComboBox)
    assert menu.currentText() == "by this data set's own mean and standard deviation"
    known = Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    form.set_weights_normalization(known)
    assert menu.currentText() == f"as the weights were trained: {known.text}"
    assert form.config.normalization == "auto"
    menu.setCurrentIndex(menu.findData("data"))
    menu.activated.emit(menu.currentIndex())
    assert form.config.normalization == "data"
    form.set_weights_normalization(None)
    assert menu.currentText() == "by this data set's own mean and standard deviation"
    form.set_config(RunConfig(normalization="0.5/0.25"))
    assert menu.currentText() == "by mean 0.5, std 0.25"
    form.set_active(True)
    assert not menu.isEnabled()


def _facts(name: str, num_classes: int) -> DataFacts:
    return DataFacts(
        name=name,
        class_names=tuple(f"class {number}" for number in range(num_classes)),
        train_counts=(20,) * num_classes,
        test_counts=(4,) * num_classes,
        image_shape=(3, 32, 32),
        sizes=(),
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        num_bytes=0,
        fingerprint="",
        problems=(),
        input_notes=(),
        input_problem="",
    )


def test_another_number_of_classes_than_the_data_has_is_said_and_mended(qtbot: QtBot) -> None:
    panel, _, at = _panel(qtbot)
    line = panel.classes
    assert line.isHidden()  # ten digits, ten scores
    panel.set_config(RunConfig(data="folder:/photos/flowers"))
    assert line.isHidden()  # nobody has counted yet
    line.learn(_facts("folder:/photos/flowers", 5))
    assert line.isVisible()
    assert line.text.text() == "The network scores 10 classes, and flowers has 5: the other 5 are never right."
    assert line.button.text() == "Set fc3 to 5"
    click(line.button)
    assert at.value("fc3", "out_features") == 5
    assert line.isHidden()
    assert at.steps == ["Set fc3 to 5 classes"]
    at.document.undo_stack.undo()
    assert line.isVisible()
    panel.set_config(RunConfig(data="cifar100"))
    assert "and CIFAR-100 has 100: a run needs a score for each." in line.text.text()
    # What is no size of one layer has no button.
    at.document.edit("Return", lambda a: edits.set_outputs(a, ["conv2"]))
    assert line.isHidden()
