"""Blocks of the palette by real keys and clicks: where they go, with which values, and what is said where none fits."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSpinBox, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from explorer.inference import infer
from explorer.look import numbers
from explorer.panels.palette.panel import LayerPalette
from explorer.panels.parameters.dialog import ParameterDialog
from explorer.session import Document, Selection, Snapshot
from explorer.session.dragging import DraggedBlock, dragged
from explorer.zoo import entry
from explorer.zoo.blocks import block_entries, block_entry
from tests.panels.stage import Stage, press, shown, stage, write


def _palette(qtbot: QtBot, at: Stage) -> LayerPalette:
    palette = LayerPalette(at.document, at.selection, at.themes)
    shown(qtbot, palette, 280, 900)
    return palette


def _item(palette: LayerPalette, block_id: str) -> QTreeWidgetItem:
    item = palette.blocks.items[block_id]
    group = item.parent()
    assert group is not None
    assert group.text(0) == "Blocks"
    group.setExpanded(True)
    return item


def _choose(palette: LayerPalette, block_id: str) -> None:
    palette.tree.setFocus()
    palette.tree.setCurrentItem(_item(palette, block_id))
    press(palette.tree, Qt.Key.Key_Return)


@pytest.mark.parametrize("block_id", [block.id for block in block_entries()])
def test_enter_inserts_after_the_selected_node_as_one_step(qtbot: QtBot, block_id: str) -> None:
    at = stage(entry("resnet18").build())
    palette = _palette(qtbot, at)
    before, block = at.document.architecture, block_entry(block_id)
    at.selection.set(["layer1.1.relu"])
    _choose(palette, block_id)
    assert at.steps == [f"Insert {block.title} after layer1.1.relu"]
    assert at.document.architecture == block.insert(before, "layer1.1.relu")
    assert set(at.selection.ids) == {node.id for node in at.document.architecture if node.id not in before}
    at.document.undo_stack.undo()
    assert at.document.architecture == before


def test_another_goes_behind_the_first(qtbot: QtBot) -> None:
    at = stage(entry("resnet18").build())
    palette = _palette(qtbot, at)
    at.selection.set(["maxpool"])
    _choose(palette, "residual")
    first = at.selection.current
    _choose(palette, "residual")
    assert at.steps[1] == f"Insert Residual block after {first}"
    assert at.document.snapshot.inference.errors == ()


def test_without_a_selection_it_goes_behind_the_last_maps(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    before = at.document.architecture
    assert "pool2" in _item(palette, "fire").toolTip(0)
    _choose(palette, "fire")
    assert at.document.architecture == block_entry("fire").append(before)


def test_tooltips_explain_with_the_paper(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    for block in block_entries():
        tip = _item(palette, block.id).toolTip(0)
        assert block.idea in tip
        assert block.paper in tip


def test_behind_a_vector_none_can_be_inserted_and_the_tooltip_says_why(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["fc1"])
    said: list[str] = []
    palette.refused.connect(said.append)
    item = _item(palette, "residual")
    assert "fc1 makes 120" in item.toolTip(0)
    assert item.foreground(0).color() == at.themes.theme.muted
    actions = [action for action in palette.blocks.menu("residual").actions() if action.isVisible()]
    assert not any(action.isEnabled() for action in actions)
    _choose(palette, "residual")
    assert at.steps == []
    assert "fc1 makes 120" in said[0]
    # It can still be dragged to where maps are.
    assert item.flags() & Qt.ItemFlag.ItemIsDragEnabled
    assert item.flags() & Qt.ItemFlag.ItemIsEnabled


def test_a_refusal_becomes_a_message(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    said: list[str] = []
    palette.refused.connect(said.append)
    at.selection.set(["pool2"])
    palette.blocks.insert("fire", {"squeeze": 0})
    assert len(said) == 1
    assert "squeeze received 0" in said[0]
    assert at.steps == []


def test_options_count_live_and_insert_with_the_values(qtbot: QtBot) -> None:
    at = stage(entry("resnet18").build())
    palette = _palette(qtbot, at)
    before = at.document.architecture
    at.selection.set(["layer1.1.relu"])
    action = next(a for a in palette.blocks.menu("fire").actions() if a.text() == "Insert with options…")
    action.trigger()
    (dialog,) = palette.findChildren(ParameterDialog)
    assert "layer1.1.relu" in _item(palette, "fire").toolTip(0)
    for name, value in (("squeeze", 8), ("expand", 32)):
        field = dialog.form.fields[name]
        assert isinstance(field, QSpinBox)
        field.setValue(value)
    wanted = block_entry("fire").insert(before, "layer1.1.relu", squeeze=8, expand=32)
    old, new = infer(before), infer(wanted)
    gained = [i for i in new.nodes if i not in old.nodes]
    parameters = numbers.short_count(sum(new.nodes[i].num_parameters or 0 for i in gained))
    qtbot.waitUntil(lambda: dialog.totals.text().startswith(f"{parameters} parameters"))
    dialog.accept()
    assert at.document.architecture == wanted
    assert len(at.steps) == 1


def test_search_finds_blocks_and_enter_inserts_them(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["pool1"])
    write(palette.search, "bottleneck")
    assert not palette.blocks.items["bottleneck"].isHidden()
    assert palette.blocks.items["fire"].isHidden()
    assert palette.nothing.isHidden()
    press(palette.search, Qt.Key.Key_Return)
    assert at.steps == ["Insert Bottleneck after pool1"]
    palette.search.clear()
    assert not palette.blocks.items["fire"].isHidden()


def test_nothing_open_nothing_enabled(qtbot: QtBot) -> None:
    document = Document()
    palette = _palette(qtbot, Stage(document, Selection(document), stage().themes))
    assert _item(palette, "dense").toolTip(0).endswith("Open a network first.")
    assert not _item(palette, "dense").flags() & Qt.ItemFlag.ItemIsEnabled


def _action(palette: LayerPalette, block_id: str, text: str) -> QAction:
    return next(action for action in palette.blocks.menu(block_id).actions() if action.text() == text)


def test_a_drag_carries_the_block_with_the_values_chosen_last(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    item = _item(palette, "fire")
    assert dragged(palette.tree.mimeData([item])) == DraggedBlock(block_entry("fire"), {})
    palette.blocks.set_values("fire", {"squeeze": 8, "expand": 64})
    assert item.text(0) == "Fire module · squeeze 8"
    assert dragged(palette.tree.mimeData([item])) == DraggedBlock(block_entry("fire"), {"squeeze": 8})
    at.selection.set(["pool1"])
    before = at.document.architecture
    _choose(palette, "fire")
    assert at.document.architecture == block_entry("fire").insert(before, "pool1", squeeze=8)
    dialog = palette.blocks.ask_options("fire")
    field = dialog.form.fields["squeeze"]
    assert isinstance(field, QSpinBox)
    assert field.value() == 8
    dialog.reject()
    _action(palette, "fire", "Back to the default values").trigger()
    assert item.text(0) == "Fire module"
    assert dragged(palette.tree.mimeData([item])) == DraggedBlock(block_entry("fire"), {})


def test_insert_previews_while_it_is_pointed_at(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["pool1"])
    previews: list[Snapshot | None] = []
    at.document.previewed.connect(previews.append)
    menu = palette.blocks.menu("fire")
    menu.hovered.emit(menu.actions()[0])
    menu.hovered.emit(menu.actions()[1])
    menu.hovered.emit(menu.actions()[0])
    menu.aboutToHide.emit()
    wanted = block_entry("fire").insert(at.document.architecture, "pool1")
    assert [preview and preview.architecture for preview in previews] == [wanted, None, wanted, None]
    assert at.steps == []


def test_options_preview_their_values_until_the_dialog_closes(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["pool1"])
    previews: list[Snapshot | None] = []
    at.document.previewed.connect(previews.append)
    dialog = palette.blocks.ask_options("fire")
    field = dialog.form.fields["expand"]
    assert isinstance(field, QSpinBox)
    field.setValue(24)
    wanted = block_entry("fire").insert(at.document.architecture, "pool1", expand=24)
    qtbot.waitUntil(lambda: previews[-1] is not None and previews[-1].architecture == wanted)
    dialog.reject()
    assert previews[-1] is None
    assert at.steps == []
