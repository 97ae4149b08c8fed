"""What the canvas's menus offer, and that a choice of theirs is one edit; what a card tells of its values."""

from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.canvas.menus import insertable
from explorer.layers import Opaque
from explorer.look import catalogue
from tests.canvas.conftest import Canvas


def _insert_menu(menu: QMenu) -> QMenu:
    found = next(action.menu() for action in menu.actions() if action.text() == "Insert after")
    assert isinstance(found, QMenu)
    return found


def _names(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator() and action.menu() is None]


def test_the_most_used_are_offered_directly_and_all_by_category(canvas: Canvas) -> None:
    menu = _insert_menu(canvas.view.menu_at(canvas.at("conv1")))
    fitting = {t.__name__ for t in insertable()}
    assert _names(menu) == [t.__name__ for t in catalogue.most_used() if t.__name__ in fitting]
    groups = {action.text(): action.menu() for action in menu.actions() if action.menu() is not None}
    offered = [name for group in groups.values() if isinstance(group, QMenu) for name in _names(group)]
    assert sorted(offered) == sorted(fitting)
    assert "Add" not in offered
    assert max(len(group.actions()) for group in groups.values() if isinstance(group, QMenu)) < 24


def test_a_choice_of_a_category_is_one_edit(canvas: Canvas) -> None:
    menu = _insert_menu(canvas.view.menu_at(canvas.at("conv1")))
    (group,) = [action.menu() for action in menu.actions() if action.text() == "Activation"]
    assert isinstance(group, QMenu)
    action = next(action for action in group.actions() if action.text() == "GELU")
    assert action.toolTip()
    action.trigger()
    assert canvas.document.undo_stack.undoText() == "Insert GELU after conv1"
    canvas.check()


def test_padding_in_words_steps_on_from_what_it_comes_to(canvas: Canvas) -> None:
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv1", "padding", "same"))
    canvas.close_up()
    canvas.click(canvas.stepper("conv1", "padding", 1))
    assert canvas.architecture["conv1"].layer.values()["padding"] == (3, 3)
    assert canvas.document.undo_stack.undoText() == "Set conv1 padding to 3"
    canvas.hover(canvas.stepper("conv1", "padding", -1))
    preview = canvas.item("conv1").preview
    assert preview is not None
    assert preview.layer.values()["padding"] == (2, 2)


def test_a_card_says_that_torch_is_being_asked_and_shows_no_fault(canvas: Canvas) -> None:
    canvas.document.apply("Insert", edits.insert_after(canvas.architecture, "conv1", Opaque(module="GLU")))
    (new,) = [node.id for node in canvas.architecture if isinstance(node.layer, Opaque)]
    assert canvas.item(new)._shape_text()[0] == "measuring…"
    assert canvas.item(new)._badge_colour() is None
    assert "has not been measured" in canvas.item(new).tool_tip()
    canvas.check()


def test_the_tool_tip_tells_values_and_what_arrives(canvas: Canvas, qtbot: QtBot) -> None:
    architecture = edits.set_value(canvas.architecture, "conv1", "padding", (0, 1, 0, 2))
    canvas.document.apply("Set", edits.set_frozen(architecture, ["conv1"], True))
    tip = canvas.item("conv1").tool_tip()
    for told in ("top 0, bottom 1, left 0, right 2", "kernel_size", "5×5", "1×32×32", "156, frozen"):
        assert told in tip
