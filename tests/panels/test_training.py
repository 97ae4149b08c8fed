"""The training panel: its form, its actions and what it says, with the real events of a run that the test writes."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.look.theme import ThemeSource
from explorer.panels.augmentation.form import AugmentationForm
from explorer.panels.training.form import ConfigForm
from explorer.panels.training.form_editors import RealBox
from explorer.runs import CONFIG_FIELDS, Normalization, RunConfig, RunFailed
from explorer.runs.data_facts import DataFacts
from tests.panels.stage import click, press, stage, write
from tests.panels.training_panel import running, training_panel


def test_there_is_an_editor_for_every_field(qtbot: QtBot) -> None:
    panel, _, _ = training_panel(qtbot)
    for field in CONFIG_FIELDS:
        if field.name != "augmentation":  # which has a form of its own
            assert field.help in panel.form.editor(field.name).toolTip()
    assert isinstance(panel.form.editor("augmentation"), AugmentationForm)
    assert panel.config() == RunConfig()


def test_edits_are_kept_in_the_project(qtbot: QtBot) -> None:
    panel, _, at = training_panel(qtbot)
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
    panel, _, at = training_panel(qtbot)
    config = RunConfig(epochs=2, device="cuda:1", weight_decay=0.0005)
    at.document.open(at.document.architecture, sections={"training": config.to_plain()})
    assert panel.config() == config
    at.document.open(at.document.architecture)
    assert panel.config() == config, "what the user set last stays where a project says nothing"


def test_a_broken_section_is_said_and_not_used(qtbot: QtBot) -> None:
    panel, _, at = training_panel(qtbot)
    at.document.open(at.document.architecture, sections={"training": {"epochs": -1}})
    assert panel.config() == RunConfig()
    assert "epochs" in panel.status.text()


def test_an_unknown_device_is_refused_with_what_fits(qtbot: QtBot) -> None:
    panel, _, _ = training_panel(qtbot)
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
    panel, run, _ = training_panel(qtbot)
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
    panel, run, _ = training_panel(qtbot)
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
    panel, run, _ = training_panel(qtbot)
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
    panel, run, _ = training_panel(qtbot)
    panel.step_action.trigger()
    assert run.commands == ["start", "step"]


def test_disabled_actions_say_why(qtbot: QtBot) -> None:
    panel, run, at = training_panel(qtbot)
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
    panel, _, _ = training_panel(qtbot, at)
    assert "nothing to train" in panel.start_action.toolTip()


def test_only_the_learning_rate_changes_in_mid_run(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
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


def test_editing_meanwhile_says_that_the_run_is_untouched(qtbot: QtBot) -> None:
    panel, _, at = running(qtbot)
    at.set_value("conv1", "out_channels", 8)
    assert "your edits do not touch it" in panel.status.text()
    at.document.undo_stack.undo()
    assert panel.status.text() == "Images are padded."


def test_a_failure_is_shown_with_details_and_can_be_dismissed(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
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
    panel, run, at = running(qtbot)
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
    panel, _, at = training_panel(qtbot)
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
