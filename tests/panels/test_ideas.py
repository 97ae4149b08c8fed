"""The ideas panel: what it shows of a network, what pointing and clicking do, and that it never delays an edit."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.ideas import IDEAS, SCALINGS, Presence, effect, idea, scaling
from explorer.layers import LocalResponseNorm, ReLU, Tanh
from explorer.look import numbers
from explorer.look.theme import ThemeSource
from explorer.panels.estimates import Estimates
from explorer.panels.ideas.button import OfferButton
from explorer.panels.ideas.panel import IdeasPanel
from explorer.session import Document, Snapshot
from tests.panels.stage import Stage, click, enter, press, shown, stage, write


@pytest.fixture
def alexnet(qtbot: QtBot) -> Stage:
    return stage(zoo.entry("alexnet").build())


def panel_of(qtbot: QtBot, on: Stage) -> IdeasPanel:
    panel = IdeasPanel(on.document, on.themes)
    shown(qtbot, panel, 304, 900)
    qtbot.waitUntil(lambda: panel.is_current)
    return panel


def settled(qtbot: QtBot, panel: IdeasPanel) -> None:
    qtbot.waitUntil(lambda: panel.is_current)


def all_buttons(panel: IdeasPanel) -> list[OfferButton]:
    return [button for row in panel.rows.values() for button in row.buttons]


@pytest.mark.parametrize("network", ["alexnet", "lenet5", "resnet18"])
def test_every_form_shows_whether_the_network_has_it_or_why_it_cannot(qtbot: QtBot, network: str) -> None:
    on = stage(zoo.entry(network).build())
    panel = panel_of(qtbot, on)
    assert list(panel.rows) == [idea.id for idea in IDEAS]
    assert list(panel.scalings) == [scaling.id for scaling in SCALINGS]
    now = on.document.architecture
    for each in IDEAS:
        for form in each.forms:
            button = panel.rows[each.id].button(form.id)
            refusal = each.refusal(now, form.id)
            assert button.presence == each.presence(now, form.id), (each.id, form.id)
            assert button.isEnabled() == (refusal is None)
            assert button.toolTip() == button.refusal == (refusal or "")


def test_pointing_previews_and_shows_the_effect_and_a_click_is_one_step(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    before = document.snapshot
    previews: list[Snapshot | None] = []
    document.previewed.connect(previews.append)
    button = panel.rows["towers"].button("one")
    enter(button)
    assert previews[-1] is not None
    wanted = idea("towers").apply(before.architecture, "one")
    assert previews[-1].architecture == wanted
    form = idea("towers").form("one")
    assert (panel.effect.explanation.text(), panel.effect.paper.text()) == (form.explanation, form.paper)
    found = effect((before.architecture, before.inference), (wanted, infer(wanted)))
    assert panel.effect.figures["parameters"].after == numbers.short_count(found.num_parameters[1])
    assert panel.effect.figures["macs"].after == numbers.short_count(found.macs[1])
    gained = found.num_parameters[1] - found.num_parameters[0]
    assert gained > 0
    assert panel.effect.figures["parameters"].change == f"+{numbers.short_count(gained)}"
    memory = Estimates().memory(Snapshot(wanted, infer(wanted))).training_bytes
    assert panel.effect.figures["memory"].after == numbers.short_bytes(memory)
    QApplication.sendEvent(button, QEvent(QEvent.Type.Leave))
    assert previews.pop() is None
    assert all(not figure.change for figure in panel.effect.figures.values())
    assert document.snapshot is before
    click(button)
    assert document.architecture == wanted
    assert alexnet.steps == [form.text]
    settled(qtbot, panel)
    assert (button.presence, panel.rows["towers"].button("two").presence) == ("on", "off")
    document.undo_stack.undo()
    settled(qtbot, panel)
    assert (button.presence, panel.rows["towers"].button("two").presence) == ("off", "on")


def test_a_part_of_the_network_shows_as_mixed(qtbot: QtBot, alexnet: Stage) -> None:
    panel = panel_of(qtbot, alexnet)
    first = next(node.id for node in alexnet.document.architecture if isinstance(node.layer, ReLU))
    alexnet.document.apply("Replace", edits.set_layer(alexnet.document.architecture, first, Tanh()))
    settled(qtbot, panel)
    row = panel.rows["activation"]
    assert [row.button(form).presence for form in ("relu", "tanh", "gelu")] == ["mixed", "mixed", "off"]
    assert "part" in row.button("tanh").accessibleDescription()


def test_what_a_switch_took_out_comes_back_with_its_values(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    norm = next(node.id for node in document.architecture if isinstance(node.layer, LocalResponseNorm))
    alexnet.set_value(norm, "size", 9)
    mine = document.architecture
    settled(qtbot, panel)
    click(panel.rows["response-norm"].button("off"))
    assert norm not in document.architecture
    settled(qtbot, panel)
    click(panel.rows["response-norm"].button("on"))
    assert {node.id: node.layer for node in document.architecture} == {node.id: node.layer for node in mine}


def test_nothing_is_worked_out_in_the_frame_of_an_edit_or_while_hidden(
    qtbot: QtBot, alexnet: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = panel_of(qtbot, alexnet)
    tried: list[OfferButton] = []
    evaluate = OfferButton.evaluate

    def recorded(
        button: OfferButton, architecture: Architecture, presence_of: Callable[[Architecture], Presence]
    ) -> None:
        tried.append(button)
        evaluate(button, architecture, presence_of)

    monkeypatch.setattr(OfferButton, "evaluate", recorded)
    click(panel.rows["activation"].button("tanh"))
    assert tried == []
    assert not panel.is_current
    settled(qtbot, panel)
    assert set(all_buttons(panel)) <= set(tried)
    panel.hide()
    tried.clear()
    alexnet.document.undo_stack.undo()
    qtbot.wait(100)  # longer than the panel waits for a lull: had it started, it would have been seen
    assert tried == []
    panel.show()
    settled(qtbot, panel)
    assert panel.rows["activation"].button("relu").presence == "on"


def test_a_click_before_the_rows_have_followed_makes_the_switch_on_the_network_now(
    qtbot: QtBot, alexnet: Stage
) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    click(panel.rows["activation"].button("tanh"))
    between = document.architecture
    click(panel.rows["dropout"].button("off"))
    assert document.architecture == idea("dropout").apply(between, "off")
    assert alexnet.steps == [idea("activation").form("tanh").text, idea("dropout").form("off").text]


def test_the_keyboard_reaches_previews_and_applies(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    previews: list[Snapshot | None] = []
    document.previewed.connect(previews.append)
    row = panel.rows["activation"]
    row.button("relu").setFocus(Qt.FocusReason.TabFocusReason)
    press(row.button("relu"), Qt.Key.Key_Right)
    assert row.button("leaky-relu").hasFocus()
    assert previews[-1] is not None
    assert previews[-1].architecture == idea("activation").apply(document.architecture, "leaky-relu")
    press(row.button("leaky-relu"), Qt.Key.Key_Left)
    press(row.button("relu"), Qt.Key.Key_Left)
    assert row.button("relu").hasFocus()
    press(row.button("relu"), Qt.Key.Key_Right)
    press(row.button("leaky-relu"), Qt.Key.Key_Return)
    assert alexnet.steps == [idea("activation").form("leaky-relu").text]


def test_widths_by_button_and_by_a_free_factor(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    first = document.architecture
    row = panel.scalings["width"]
    assert [button.text() for button in row.presets] == ["×0.5", "×0.75", "×1.5", "×2"]
    click(row.presets[0])
    half = document.architecture
    assert half == scaling("width").apply(first, factor=0.5)
    assert alexnet.steps == ["Scale the width: ×0.5"]
    settled(qtbot, panel)
    box = row.boxes["factor"]
    assert box.value() == 1
    box.setFocus()
    box.selectAll()
    write(box, "1.25")
    assert document.architecture is half
    assert panel.effect.figures["parameters"].change.startswith("+")
    press(box, Qt.Key.Key_Return)
    assert document.architecture == scaling("width").apply(half, factor=1.25)
    settled(qtbot, panel)
    assert box.value() == 1


def test_classes_and_images_follow_and_change_the_network(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    classes, images = panel.scalings["classes"].boxes["classes"], panel.scalings["images"].boxes
    assert classes.value() == 1000
    assert tuple(box.value() for box in images.values()) == document.architecture.input_shape
    classes.setFocus()
    classes.selectAll()
    write(classes, "10")
    previewed = panel.effect.figures["parameters"]
    press(classes, Qt.Key.Key_Return)
    assert document.snapshot.inference.nodes[document.architecture.outputs[0]].output_shape == (10,)
    assert previewed.after == numbers.short_count(document.snapshot.inference.totals.num_parameters)
    settled(qtbot, panel)
    images["height"].setFocus()
    press(images["height"], Qt.Key.Key_Up)
    click(panel.scalings["images"].set_button)
    assert document.architecture.input_shape == (3, 228, 227)
    assert len(alexnet.steps) == 2


def test_amounts_that_cannot_be_are_refused_with_the_reason(qtbot: QtBot, alexnet: Stage) -> None:
    panel, document = panel_of(qtbot, alexnet), alexnet.document
    row = panel.scalings["images"]
    before = document.architecture
    row.boxes["height"].setFocus()
    row.boxes["height"].selectAll()
    write(row.boxes["height"], "1")
    assert not row.set_button.isEnabled()
    assert row.set_button.toolTip()
    assert panel.effect.explanation.text() == row.set_button.toolTip()
    press(row.boxes["height"], Qt.Key.Key_Return)
    assert document.architecture is before
    panel.rows["dropout"].buttons[0].setFocus()
    assert "click to apply" in panel.effect.explanation.text()


def test_nothing_open_is_said(qtbot: QtBot) -> None:
    document = Document()
    panel = IdeasPanel(document, ThemeSource())
    shown(qtbot, panel)
    assert not panel.rows["dropout"].isVisible()
    document.open(zoo.entry("lenet5").build())
    settled(qtbot, panel)
    assert panel.rows["dropout"].isVisible()


def test_the_history_is_unpacked_latest_first_and_no_further_than_asked(qtbot: QtBot, alexnet: Stage) -> None:
    document = alexnet.document
    versions = [document.architecture]
    for size in (3, 7, 9):
        alexnet.set_value("conv1", "kernel_size", (size, size))
        versions.append(document.architecture)
    assert list(document.earlier()) == versions[2::-1]
    assert list(document.earlier(2)) == versions[2:0:-1]
    document.undo_stack.undo()
    assert list(document.earlier()) == versions[1::-1]
    assert document.earlier()[-1] == versions[0]
    assert list(document.earlier()[1:]) == [versions[0]]
