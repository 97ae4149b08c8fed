"""The palette by real keys and clicks: what each type becomes, where it goes, and what cannot be added."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference import infer
from explorer.layers import BatchNorm1d, Category, Conv2d, Linear, RadialBasis, ReLU, layer_types
from explorer.look import catalogue
from explorer.panels.palette.panel import LayerPalette
from explorer.session import Document, Selection
from explorer.session.dragging import LAYER_MIME_TYPE, dragged
from explorer.session.measuring import is_waiting
from explorer.zoo import entry
from tests.panels.stage import Stage, press, shown, stage, write


def _palette(qtbot: QtBot, at: Stage) -> LayerPalette:
    palette = LayerPalette(at.document, at.selection, at.themes)
    shown(qtbot, palette, 280, 900)
    return palette


def _items(palette: LayerPalette, type_name: str) -> list[QTreeWidgetItem]:
    return palette.tree.findItems(type_name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive)


def _item(palette: LayerPalette, type_name: str) -> QTreeWidgetItem:
    """Where the type stands in its category; its group is open."""
    item = _items(palette, type_name)[-1]
    group = item.parent()
    assert group is not None
    group.setExpanded(True)
    palette.tree.scrollToItem(item)
    return item


def _groups(palette: LayerPalette) -> dict[str, QTreeWidgetItem]:
    groups = [palette.tree.topLevelItem(i) for i in range(palette.tree.topLevelItemCount())]
    return {group.text(0): group for group in groups if group is not None}


def _names(group: QTreeWidgetItem) -> list[str]:
    children = [group.child(k) for k in range(group.childCount())]
    return [child.text(0) for child in children if child is not None]


def _shown(palette: LayerPalette) -> list[str]:
    """The names in sight, were the list long enough."""
    found = []
    for group in _groups(palette).values():
        if group.isExpanded() and not group.isHidden():
            children = [group.child(k) for k in range(group.childCount())]
            found += [child.text(0) for child in children if child is not None and not child.isHidden()]
    return found


def _double_click(palette: LayerPalette, type_name: str) -> None:
    place = palette.tree.visualItemRect(_item(palette, type_name)).center()
    QTest.mouseClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    # QTest holds the button after a double-click, for all later tests too.
    QTest.mouseRelease(palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_type_but_the_input_is_offered_in_its_category_and_the_most_used_first(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    most_used, _blocks, *categories = _groups(palette).values()
    names = [name for category in categories for name in _names(category)]
    assert sorted(names) == sorted({cls.__name__ for cls in layer_types()} - {"Input"})
    assert [category.text(1) for category in categories] == [str(category.childCount()) for category in categories]
    assert _names(most_used)[:3] == ["Conv2d", "MaxPool2d", "AdaptiveAvgPool2d"]
    assert _shown(palette) == [cls.__name__ for cls in catalogue.most_used()]


def test_all_categories_are_in_sight_at_first(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    palette.resize(200, 640)
    assert all(palette.tree.visualItemRect(group).isValid() for group in _groups(palette).values())
    last = palette.tree.visualItemRect(list(_groups(palette).values())[-1])
    assert palette.tree.viewport().rect().contains(last)


def test_a_click_and_the_keyboard_fold_a_group(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    group = _groups(palette)["Pooling"]
    QTest.mouseClick(
        palette.tree.viewport(), Qt.MouseButton.LeftButton, pos=palette.tree.visualItemRect(group).center()
    )
    assert group.isExpanded()
    palette.tree.setFocus()
    palette.tree.setCurrentItem(group)
    press(palette.tree, Qt.Key.Key_Return)
    assert not group.isExpanded()
    press(palette.tree, Qt.Key.Key_Right)
    assert group.isExpanded()
    press(palette.tree, Qt.Key.Key_Space)
    assert not group.isExpanded()


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
def test_every_type_fits_where_it_is_at_home(qtbot: QtBot, cls: type) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["fc1" if cls in {BatchNorm1d, RadialBasis} else "conv2"])
    palette.insert(cls.__name__)
    report = at.document.snapshot.inference.nodes[at.selection.ids[0]]
    # What torch has to be asked about is not known at once, but nothing is wrong with it.
    assert report.fault is None or is_waiting(report.layer, report.input_shapes)


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


def test_a_search_opens_what_it_finds_and_leaves_the_groups_as_they_were(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    _groups(palette)["Activation"].setExpanded(True)
    _groups(palette)["Most used"].setExpanded(False)
    before = _shown(palette)
    write(palette.search, "dropout")
    assert _shown(palette) == ["Dropout", "Dropout2d"]
    assert _groups(palette)["Regularisation"].text(1) == "2"
    write(palette.search, "2")
    palette.search.clear()
    assert _shown(palette) == before
    assert _groups(palette)["Regularisation"].text(1) == "3"


def test_enter_inserts_the_best_match_which_is_marked(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    at.selection.set(["conv1"])
    write(palette.search, "swish")
    current = palette.tree.currentItem()
    assert current is not None
    assert current.text(0) == "SiLU"
    press(palette.search, Qt.Key.Key_Return)
    assert at.steps == ["Insert SiLU after conv1"]


def test_a_search_without_a_match_says_so(qtbot: QtBot) -> None:
    at = stage()
    palette = _palette(qtbot, at)
    write(palette.search, "xyzzy")
    assert "xyzzy" in palette.nothing.text()
    assert palette.nothing.isVisible()
    press(palette.search, Qt.Key.Key_Return)
    assert at.steps == []
    press(palette.search, Qt.Key.Key_Escape)
    assert palette.nothing.isHidden()


def test_nothing_open_nothing_enabled(qtbot: QtBot) -> None:
    document = Document()
    at = Stage(document, Selection(document), stage().themes)
    palette = _palette(qtbot, at)
    assert not palette.is_enabled("Conv2d")
    assert _item(palette, "Conv2d").toolTip(0).endswith("<p>Open a network first.</p>")
    palette.insert("Conv2d")
    assert at.steps == []


def test_a_drag_carries_the_type_name(qtbot: QtBot) -> None:
    palette = _palette(qtbot, stage())
    data = palette.tree.mimeData([_item(palette, "MaxPool2d")])
    assert bytes(data.data(LAYER_MIME_TYPE).data()) == b"MaxPool2d"


@pytest.mark.parametrize(("search", "name"), [("linear", "Linear"), ("residual", "Residual block")])
def test_a_drag_carries_a_chip_of_the_node_and_not_the_line(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, search: str, name: str
) -> None:
    palette = _palette(qtbot, stage(entry("lenet5").build()))
    qtbot.waitUntil(lambda: palette._icons_shown)
    write(palette.search, search)
    item = next(i for i in _items(palette, name) if not i.isHidden())
    drags: list[QDrag] = []

    def taken(drag: QDrag, *_actions: object) -> Qt.DropAction:
        drags.append(drag)
        return Qt.DropAction.IgnoreAction

    monkeypatch.setattr(QDrag, "exec", taken)
    viewport, start = palette.tree.viewport(), palette.tree.visualItemRect(item).center()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for away in (QPoint(0, 12), QPoint(4, 24)):
        where = QPointF(start + away)
        QApplication.sendEvent(
            viewport,
            QMouseEvent(
                QEvent.Type.MouseMove,
                where,
                QPointF(viewport.mapToGlobal(where.toPoint())),
                Qt.MouseButton.NoButton,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            ),
        )
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start + QPoint(4, 24))
    (drag,) = drags
    assert dragged(drag.mimeData()) is not None
    picture = drag.pixmap()
    size = picture.deviceIndependentSize()
    assert size.width() < 0.75 * viewport.width()
    assert size.height() <= 40
    assert QRectF(QPointF(), size).contains(drag.hotSpot())
    theme, image = palette._themes.theme, picture.toImage()
    category = Linear.category if name == "Linear" else Category.OTHER
    assert image.pixelColor(3, image.height() // 2) == theme.category(category)
    assert image.pixelColor(image.width() - 12, 8) == theme.card
