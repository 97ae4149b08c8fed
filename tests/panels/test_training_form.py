"""The form of a run's configuration: its groups, what resets a field, and the recipes' line."""

import dataclasses
import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QFileDialog, QLineEdit, QScrollArea, QSpinBox
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.training.form import ALL_FIELDS, ConfigForm
from explorer.panels.training.form_editors import RealBox
from explorer.panels.training.form_group import Heading
from explorer.panels.training.form_save import SaveDialog
from explorer.runs import RunConfig
from explorer.runs.recipe import Recipe, find_recipe, own_recipes, save_recipe
from explorer.runs.shipped_recipes import SHIPPED
from tests.panels.stage import click, press, shown, wheel, write


def _form(qtbot: QtBot) -> ConfigForm:
    form = ConfigForm(ThemeSource())
    shown(qtbot, form, 480, 1200)
    return form


def _heading(form: ConfigForm, group: str) -> Heading:
    heading = form.groups[group].heading  # type: ignore[index]  # a name of a group
    assert heading is not None
    return heading


def _choose(form: ConfigForm, name: str) -> None:
    """As a user does: open the menu, which fills it, and take a line."""
    menu = form.recipes.menu
    menu.showPopup()
    menu.hidePopup()
    index = next(i for i in range(menu.count()) if menu.itemText(i).split(" · ")[0] == name)
    menu.setCurrentIndex(index)
    menu.activated.emit(index)


def test_the_essentials_are_open_and_the_rest_is_folded(qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert [group for group, part in form.groups.items() if part.is_open] == ["essentials"]
    assert form.editor("epochs").isVisible()
    assert not form.editor("gamma").isVisible()
    opened: list[object] = []
    form.opened.connect(opened.append)
    heading = _heading(form, "schedule")
    press(heading, Qt.Key.Key_Right)
    assert form.editor("gamma").isVisible()
    assert opened == [form.groups["schedule"]]
    press(heading, Qt.Key.Key_Left)
    assert not form.editor("gamma").isVisible()


def test_a_folded_group_says_what_is_set_in_it(qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert _heading(form, "schedule").summary.whole == ""
    form.set_config(RunConfig(schedule="step", step_epochs="30,60", gamma=0.5, warmup_epochs=2, plateau_patience=9))
    assert _heading(form, "schedule").summary.whole == "warm-up epochs 2 · step after 30,60 · gamma 0.5"
    form.set_config(RunConfig(augmentation="flip,crop:4", nesterov=True))
    assert _heading(form, "augmentation").summary.whole == "horizontal flip, random crop"
    assert _heading(form, "optimizer").summary.whole == "nesterov"


def test_what_means_nothing_is_held_and_says_why(qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert not form.editor("gamma").isEnabled()
    assert "Only the step and plateau schedules use it" in form.editor("gamma").toolTip()
    schedule = form.editor("schedule")
    assert isinstance(schedule, QComboBox)
    schedule.setFocus()
    press(schedule, Qt.Key.Key_Down)
    assert form.config.schedule == "step"
    assert form.editor("gamma").isEnabled()
    assert form.editor("step_epochs").isEnabled()
    assert not form.editor("rise_share").isEnabled()


def test_texts_are_brought_to_one_spelling_and_mistakes_refused(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.set_config(RunConfig(schedule="step"))
    click(_heading(form, "schedule"))
    refusals: list[str] = []
    form.refused.connect(refusals.append)
    line = form.editor("step_epochs")
    assert isinstance(line, QLineEdit)
    line.selectAll()
    write(line, "60, 30")
    press(line, Qt.Key.Key_Return)
    assert (form.config.step_epochs, line.text()) == ("30,60", "30,60")
    line.selectAll()
    write(line, "soon")
    press(line, Qt.Key.Key_Return)
    assert line.text() == "30,60"
    assert "every 5" in refusals[0]


def test_a_changed_field_can_be_taken_back_without_moving_others(qtbot: QtBot) -> None:
    form = _form(qtbot)
    epochs = form.editor("epochs")
    assert isinstance(epochs, QSpinBox)
    reset = form.row("epochs").reset
    before = epochs.geometry(), form.editor("batch_size").geometry()
    assert not reset.isVisible()
    epochs.setValue(3)
    assert reset.isVisible()
    assert reset.toolTip() == "Back to 10, the default"
    assert (epochs.geometry(), form.editor("batch_size").geometry()) == before
    press(reset, Qt.Key.Key_Space)
    assert form.config == RunConfig()
    assert not reset.isVisible()


def test_flags_are_edited(qtbot: QtBot) -> None:
    form = _form(qtbot)
    edits: list[str] = []
    form.edited.connect(edits.append)
    click(_heading(form, "optimizer"))
    box = form.editor("nesterov")
    assert isinstance(box, QCheckBox)
    box.setFocus()
    press(box, Qt.Key.Key_Space)
    assert form.config.nesterov is True
    assert edits == ["nesterov"]


def test_the_augmentation_form_is_part_of_it(qtbot: QtBot) -> None:
    form = _form(qtbot)
    click(_heading(form, "augmentation"))
    edits: list[str] = []
    form.edited.connect(edits.append)
    switch = form.augmentation.switch("flip")
    switch.setFocus()
    press(switch, Qt.Key.Key_Space)
    assert form.config.augmentation == "flip:0.5"
    assert edits == ["augmentation"]
    form.set_config(RunConfig())
    assert not switch.isChecked()


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "optimizer"])
def test_a_passing_wheel_changes_nothing(qtbot: QtBot, name: str) -> None:
    form = _form(qtbot)
    form.editor("batch_size").setFocus()
    assert not wheel(form.editor(name), -1)
    assert form.config == RunConfig()


# Recipes


def test_a_recipe_sets_all_but_device_and_seed(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.set_config(RunConfig(device="cpu", seed=5))
    edits: list[str] = []
    form.edited.connect(edits.append)
    _choose(form, "alexnet-28")
    assert form.config == find_recipe("alexnet-28").applied_to(RunConfig(device="cpu", seed=5))
    assert (form.config.learning_rate, form.config.device, form.config.seed) == (0.01, "cpu", 5)
    assert edits == [ALL_FIELDS]
    assert form.recipes.menu.currentText() == "alexnet-28"
    assert "0.843" in form.recipes.menu.toolTip()


def test_a_changed_recipe_says_so_and_goes_back(qtbot: QtBot) -> None:
    form = _form(qtbot)
    _choose(form, "alexnet-28")
    epochs = form.editor("epochs")
    assert isinstance(epochs, QSpinBox)
    assert not form.recipes.back_button.isEnabled()
    epochs.setValue(12)
    assert form.recipes.menu.currentText() == "alexnet-28 · changed"
    assert form.recipes.back_button.toolTip() == "Back to alexnet-28:\nEpochs: 12 → 10"
    assert form.row("epochs").reset.toolTip() == "Back to 10, alexnet-28"
    form.set_config(form.config)
    assert form.recipes.menu.currentText() == "alexnet-28 · changed", "a run that starts changes nothing here"
    seed = form.editor("seed")
    assert isinstance(seed, QSpinBox)
    press(form.recipes.back_button, Qt.Key.Key_Space)
    assert form.config.epochs == 10
    seed.setValue(3)
    assert form.recipes.menu.currentText() == "alexnet-28", "the seed is no part of it"


def test_what_differs_from_a_recipe_is_said_in_words(qtbot: QtBot) -> None:
    form = _form(qtbot)
    words = form.recipes.words
    assert words.whole == "The defaults"
    _choose(form, "alexnet-28")
    assert words.whole == find_recipe("alexnet-28").note
    rate, epochs, nesterov = form.editor("learning_rate"), form.editor("epochs"), form.editor("nesterov")
    assert isinstance(rate, RealBox)
    assert isinstance(epochs, QSpinBox)
    assert isinstance(nesterov, QCheckBox)
    rate.setValue(0.05)
    assert words.whole == "learning rate 0.05 instead of 0.01"
    epochs.setValue(12)
    assert words.whole == "epochs 12 instead of 10, learning rate 0.05 instead of 0.01"
    momentum, gamma = form.editor("momentum"), form.editor("gamma")
    assert isinstance(momentum, RealBox)
    assert isinstance(gamma, RealBox)
    gamma.setValue(0.5)
    momentum.setValue(0.9)
    nesterov.click()
    press(form.row("epochs").reset, Qt.Key.Key_Space)
    press(form.row("learning_rate").reset, Qt.Key.Key_Space)
    assert words.whole == "momentum 0.9 instead of 0, nesterov on", "gamma means nothing beside a constant rate"
    nesterov.click()
    press(form.row("momentum").reset, Qt.Key.Key_Space)
    # Where nothing else differs it is said all the same: the menu says "changed".
    assert words.whole == "gamma 0.5 instead of 0.1"
    _choose(form, "own settings")
    form.set_config(RunConfig(batch_size=32))
    assert words.whole == "Other than the defaults: batch size 32 instead of 64"


def test_the_essentials_and_all_headings_fit_where_there_is_width(qtbot: QtBot) -> None:
    form = ConfigForm(ThemeSource())
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(form)
    shown(qtbot, area, 606, 206)
    assert area.verticalScrollBar().maximum() > 0
    form.set_room(590)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    assert area.horizontalScrollBar().maximum() == 0
    headings = [_heading(form, group) for group in form.groups if group != "essentials"]

    def tops() -> list[int]:
        return [heading.mapTo(form, QPoint(0, 0)).y() for heading in headings]

    assert len(set(tops())) == -(-len(headings) // 3)
    # An open one takes the whole width, and the others stay in order.
    headings[1].click()
    qtbot.waitUntil(lambda: tops()[0] < tops()[1] < tops()[2])
    assert tops() == sorted(tops())
    assert form.groups["optimizer"].width() > 2 * form.groups["schedule"].width()
    form.set_room(460)
    assert form.editor("epochs").isVisible()


def test_a_recipe_is_imported_from_a_file(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = _form(qtbot)
    said: list[str] = []
    form.told.connect(said.append)
    form.refused.connect(said.append)
    path = tmp_path / "given.json"
    recipe = Recipe(name="given", note="by a colleague", config=RunConfig(epochs=3, learning_rate=0.5))
    path.write_text(json.dumps(recipe.to_plain()), encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    _choose(form, "Import…")
    assert form.config == RunConfig(epochs=3, learning_rate=0.5)
    assert form.recipes.menu.currentText() == "given"
    # Once more changes nothing; another of that name gets one of its own.
    _choose(form, "Import…")
    assert own_recipes() == (recipe,)
    path.write_text(json.dumps(dataclasses.replace(recipe, config=RunConfig(epochs=4)).to_plain()), encoding="utf-8")
    _choose(form, "Import…")
    assert form.config.epochs == 4
    assert {known.name: known.config.epochs for known in own_recipes()} == {"given": 3, "given 2": 4}
    path.write_text("{}", encoding="utf-8")
    _choose(form, "Import…")
    assert form.recipes.menu.currentText() == "given 2"
    assert said == [
        "Recipe given is imported.",
        "Recipe given is imported.",
        "Recipe given 2 is imported.",
        "given.json: recipe: no object with the format arch-explorer-recipe; use a file that this program wrote",
    ]


def test_own_settings_come_back(qtbot: QtBot) -> None:
    form = _form(qtbot)
    epochs = form.editor("epochs")
    assert isinstance(epochs, QSpinBox)
    epochs.setValue(7)
    _choose(form, "cifar-quick")
    assert form.config.epochs == 24
    _choose(form, "own settings")
    assert form.config == RunConfig(epochs=7)


def test_a_project_that_follows_a_recipe_shows_it(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.set_config(find_recipe("resnet-cifar").applied_to(RunConfig(seed=2)))
    assert form.recipes.menu.currentText() == "resnet-cifar"
    form.set_config(RunConfig(epochs=77))
    assert form.recipes.menu.currentText() == "own settings"


def test_recipes_made_for_the_network_come_first(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.set_network("ResNet-56, CIFAR")
    menu = form.recipes.menu
    menu.showPopup()
    menu.hidePopup()
    texts = [menu.itemText(i) for i in range(menu.count()) if menu.itemText(i)]
    assert texts[:3] == ["own settings", "resnet-cifar", "cifar-quick"]
    assert sorted(texts[1:-1]) == sorted(recipe.name for recipe in SHIPPED)
    assert texts[-1] == "Import…"


def test_settings_are_saved_under_a_name_chosen_and_deleted(qtbot: QtBot) -> None:
    form = _form(qtbot)
    told: list[str] = []
    form.told.connect(told.append)
    form.set_config(RunConfig(epochs=4, seed=9))
    press(form.recipes.save_button, Qt.Key.Key_Space)
    dialog = next(child for child in form.recipes.children() if isinstance(child, SaveDialog))
    save = dialog.buttons.button(QDialogButtonBox.StandardButton.Save)
    assert not save.isEnabled()
    write(dialog.name, "alexnet-28")
    save.click()
    assert "comes with the program" in dialog.remark.text()
    dialog.name.setText("mine")
    write(dialog.note, "quick look")
    save.click()
    assert own_recipes() == (Recipe(name="mine", note="quick look", config=RunConfig(epochs=4)),)
    assert form.recipes.menu.currentText() == "mine"
    assert form.config.seed == 9
    assert form.recipes.delete_button.isEnabled()
    QTest.mouseClick(form.recipes.delete_button, Qt.MouseButton.LeftButton)
    assert own_recipes() == ()
    assert form.recipes.menu.currentText() == "own settings"
    assert form.config == RunConfig(epochs=4, seed=9)
    assert "still here" in told[-1]
    assert not form.recipes.delete_button.isEnabled()


def test_a_recipe_saved_elsewhere_is_offered_at_once(qtbot: QtBot) -> None:
    form = _form(qtbot)
    save_recipe(Recipe(name="from a terminal", config=RunConfig(batch_size=8)))
    _choose(form, "from a terminal")
    assert form.config.batch_size == 8


def test_it_fits_its_column_beside_a_scroll_bar(qtbot: QtBot) -> None:
    form = ConfigForm(ThemeSource())
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(form)
    shown(qtbot, area, 460, 200)
    for part in form.groups.values():
        if part.heading is not None:
            part.heading.click()
    assert form.minimumSizeHint().width() <= area.viewport().width()
    assert area.horizontalScrollBar().maximum() == 0


@pytest.mark.parametrize(
    ("name", "typed", "kept"), [("learning_rate", "1000", 0.02), ("epochs", "0", 10), ("batch_size", "0", 64)]
)
def test_a_number_out_of_range_is_refused_in_words(qtbot: QtBot, name: str, typed: str, kept: float) -> None:
    form = _form(qtbot)
    refused: list[str] = []
    form.refused.connect(refused.append)
    box = form.editor(name)
    assert isinstance(box, (QSpinBox, RealBox))
    box.setFocus()
    box.selectAll()
    write(box, typed)
    press(box, Qt.Key.Key_Return)
    assert box.value() == kept == getattr(form.config, name)
    assert len(refused) == 1
    assert f"received {typed}" in refused[0]
    assert "use a" in refused[0]


def test_editors_side_by_side_are_of_one_height(qtbot: QtBot) -> None:
    form = _form(qtbot)
    form.groups["schedule"].heading.setChecked(True)  # type: ignore[union-attr]  # it has one
    heights = {form.editor(name).height() for name in ("epochs", "optimizer", "learning_rate", "data", "step_epochs")}
    assert len(heights) == 1


def test_the_recipe_is_named_as_a_shell_takes_it(qtbot: QtBot) -> None:
    dialog = SaveDialog(ThemeSource(), RunConfig(), None)
    qtbot.addWidget(dialog)
    dialog.name.setText("my recipe")
    assert dialog.remark.text().endswith("--recipe 'my recipe'")
