"""The palette by real keys and clicks: what each type becomes, where it goes, and what cannot be added."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference import infer
from explorer.layers import Conv2d, Linear, ReLU, layer_types
from explorer.panels.palette import LayerPalette
from explorer.session import Document, Selection
from explorer.session.dragging import LAYER_MIME_TYPE
from tests.panels.stage import Stage, press, shown, stage, write


def _palette(qtbot: QtBot, at: Stage) -> LayerPalette:
    palette = LayerPalette(at.document, at.selection, at.themes)
    shown(qtbot, palette, 280, 900)
    return palette


def _item(palette: LayerPalette, type_name: str) -> QTreeWidgetItem:
    (item,) = palette.tree.findItems(type_name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)
    return item


def _double_click(palette: LayerPalette, type_name: str) -> None:
    place = palette.tree.visualItemRect(_item(palette, type_name)).center()
    QTest.mouseClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    # QTest holds the button after a double-click, for all later tests too.
    QTest.mouseRelease(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_type_but_the_input_is_offered(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    names = set()
    for i in range(palette.tree.topLevelItemCount()):
        group = palette.tree.topLevelItem(i)
        assert group is not None
        children = [group.child(k) for k in range(group.childCount())]
        names |= {child.text(0) for child in children if child is not None}
    assert names == {cls.__name__ for cls in layer_types()} - {"Input"}


def test_double_click_inserts_after_the_selected_node_and_selects_the_new_one(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["pool1"])
    _double_click(palette, "Conv2d")
    assert at.steps == ["Insert Conv2d after pool1"]
    (new,) = at.selection.ids
    node = at.document.architecture[new]
    assert node.inputs == ("pool1",)
    assert node.layer == Conv2d(out_channels=6, kernel_size=(3, 3), padding=(1, 1))
    report = at.document.snapshot.inference.nodes
    assert report[new].output_shape == report["pool1"].output_shape
    assert at.document.snapshot.inference.errors == ()
    at.document.undo_stack.undo()
    assert new not in at.document.architecture


def test_without_a_selection_it_goes_before_the_output(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    palette.tree.setFocus()
    palette.tree.setCurrentItem(_item(palette, "ReLU"))
    press(palette.tree, Qt.Key.Key_Return)
    assert at.steps == ["Insert ReLU before fc3"]
    assert at.document.architecture["fc3"].inputs == at.selection.ids
    assert at.document.architecture.outputs == ("fc3",)


def test_linear_gets_ten_outputs(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["fc3"])
    palette.insert("Linear")
    assert at.document.architecture[at.selection.ids[0]].layer == Linear(out_features=10)


@pytest.mark.parametrize("cls", [cls for cls in layer_types() if cls.max_inputs == 1], ids=lambda cls: cls.__name__)
def test_every_type_fits_where_maps_arrive(qtbot: QtBot, cls: type) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["conv2"])
    palette.insert(cls.__name__)
    inference = at.document.snapshot.inference
    assert inference.nodes[at.selection.ids[0]].fault is None


def test_merges_need_two_nodes_and_say_so(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["conv1"])
    assert not palette.is_enabled("Add")
    assert "select two nodes" in _item(palette, "Add").toolTip(0)
    _double_click(palette, "Add")
    assert at.steps == []
    at.selection.set(["tanh1", "conv1"])
    assert palette.is_enabled("Add")


def test_a_merge_stands_after_the_deepest_and_feeds_its_readers(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["tanh1", "conv1"])
    _double_click(palette, "Add")
    assert at.steps == ["Join 2 nodes with Add"]
    (new,) = at.selection.ids
    architecture = at.document.architecture
    assert architecture[new].inputs == ("conv1", "tanh1")
    assert architecture["pool1"].inputs == (new,)
    assert architecture.outputs == ("fc3",)
    assert infer(architecture).errors == ()


def test_a_merge_of_the_output_becomes_the_output(qtbot: QtBot) -> None:
    at = stage()
    architecture = edits.insert_after(at.document.architecture, "fc3", ReLU())
    last = architecture.outputs[0]
    at.document.apply("Insert", architecture)
    palette = _palette(qtbot, at)
    at.selection.set(["fc3", last])
    palette.insert("Add")
    assert at.document.architecture.outputs == at.selection.ids


def test_search_finds_by_name_and_by_what_it_does(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    write(palette.search, "averag")
    assert not _item(palette, "AvgPool2d").isHidden()
    assert _item(palette, "ReLU").isHidden()
    palette.search.clear()
    write(palette.search, "relu")
    press(palette.search, Qt.Key.Key_Return)
    assert at.steps == ["Insert ReLU before fc3"]


def test_nothing_open_nothing_enabled(qtbot: QtBot) -> None:
    document = Document()
    at = Stage(document, Selection(document), stage().themes)
    palette = _palette(qtbot, at)
    assert not palette.is_enabled("Conv2d")
    assert _item(palette, "Conv2d").toolTip(0).endswith("Open a network first.")
    palette.insert("Conv2d")
    assert at.steps == []


def test_a_drag_carries_the_type_name(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    data = palette.tree.mimeData([_item(palette, "MaxPool2d")])
    assert bytes(data.data(LAYER_MIME_TYPE).data()) == b"MaxPool2d"
