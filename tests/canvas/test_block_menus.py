"""Blocks in the canvas's context menu: repeated, taken apart, made; each one step, and refusals said."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from explorer.architecture import grouping
from explorer.canvas.editing import Editing
from explorer.canvas.group_dialog import GroupDialog
from explorer.canvas.menus import node_menu
from explorer.look.theme import ThemeSource
from explorer.zoo import entry
from tests.panels.stage import Stage, stage


class _Menus:
    """The menu of a node and what its actions do, on ResNet-18."""

    def __init__(self, qtbot: QtBot, network_id: str = "resnet18") -> None:
        self.at: Stage = stage(entry(network_id).build())
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        self.editing = Editing(self.at.document, self.at.selection, self.parent)
        self.refusals: list[str] = []
        self.editing.refused.connect(self.refusals.append)

    def menu(self, node_id: str, *others: str) -> QMenu:
        self.at.selection.set((*others, node_id))
        return node_menu(
            self.parent,
            ThemeSource().theme,
            self.at.document.architecture,
            node_id,
            self.at.selection.ids,
            self.editing,
        )


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().partition("\t")[0] == text)


def _submenu(action: QAction) -> QMenu:
    menu = action.menu()
    assert isinstance(menu, QMenu)
    return menu


def test_a_block_is_repeated_as_one_step_and_the_new_ones_are_selected(qtbot: QtBot) -> None:
    menus = _Menus(qtbot)
    before = menus.at.document.architecture
    menu = menus.menu("layer1.1.conv1")
    repeats = _submenu(_action(menu, "Repeat block layer1.1"))
    assert [action.text() for action in repeats.actions()] == [f"×{count}" for count in range(1, 9)]
    repeats.actions()[3].trigger()
    after = menus.at.document.architecture
    assert menus.at.steps == ["Repeat layer1.1 ×4"]
    assert after == grouping.repeat(before, "layer1.1", 4)
    assert set(menus.at.selection.ids) == {node.id for node in after if node.id not in before}
    menus.at.document.undo_stack.undo()
    assert menus.at.document.architecture == before


def test_what_cannot_be_repeated_is_disabled_and_says_why(qtbot: QtBot) -> None:
    menus = _Menus(qtbot)
    action = _action(menus.menu("layer2.0.conv1"), "Repeat block layer2.0")
    assert not action.isEnabled()
    assert action.toolTip() == grouping.repeat_refusal(menus.at.document.architecture, "layer2.0")
    menus.editing.repeat("layer2.0", 1)
    assert menus.refusals == [action.toolTip()]
    assert menus.at.steps == []


def test_all_blocks_around_are_offered_the_innermost_first(qtbot: QtBot) -> None:
    menus = _Menus(qtbot)
    texts = [action.text().partition("\t")[0] for action in menus.menu("layer1.0.conv1").actions()]
    assert [text for text in texts if text.startswith("Ungroup")] == ["Ungroup layer1.0", "Ungroup layer1"]
    texts = [action.text() for action in menus.menu("conv1").actions()]
    assert not [text for text in texts if "roup" in text or "Repeat" in text]


def test_ungroup_is_one_step(qtbot: QtBot) -> None:
    menus = _Menus(qtbot)
    before = menus.at.document.architecture
    _action(menus.menu("layer1.0.conv1"), "Ungroup layer1.0").trigger()
    assert menus.at.document.architecture == grouping.ungroup(before, "layer1.0")
    assert menus.at.steps == ["Ungroup layer1.0"]


def test_several_nodes_are_grouped_under_a_name(qtbot: QtBot) -> None:
    menus = _Menus(qtbot, "lenet5")
    before = menus.at.document.architecture
    _action(menus.menu("pool1", "conv1", "tanh1"), "Group into a block…").trigger()
    (dialog,) = menus.parent.findChildren(GroupDialog)
    dialog.name.setText("first")
    dialog.kind.setText("stage")
    dialog.accept()
    ids = ("conv1", "tanh1", "pool1")
    assert menus.at.document.architecture == grouping.group(before, ids, "first", "stage")
    assert menus.at.steps == ["Group 3 layers into first"]
    assert set(menus.at.selection.ids) == {"first.conv1", "first.tanh1", "first.pool1"}


def test_the_dialog_says_at_once_what_would_not_do(qtbot: QtBot) -> None:
    architecture = entry("resnet18").build()
    dialog = GroupDialog(architecture, ("conv1", "bn1"))
    qtbot.addWidget(dialog)
    assert dialog.accept_button.isEnabled()
    for name, why in (("layer1", "already"), ("a.b", "dot"), ("", "name")):
        dialog.name.setText(name)
        assert not dialog.accept_button.isEnabled()
        assert why in dialog.refusal.text()
    chosen: list[tuple[str, str]] = []
    dialog.chosen.connect(lambda name, kind: chosen.append((name, kind)))
    dialog.accept()
    assert chosen == []


def test_a_selection_that_is_no_block_is_refused(qtbot: QtBot) -> None:
    menus = _Menus(qtbot, "lenet5")
    menus.editing.group(("conv1", "conv2"), "odd", "block")
    assert len(menus.refusals) == 1
    assert "lies between" in menus.refusals[0]
    assert menus.at.steps == []
