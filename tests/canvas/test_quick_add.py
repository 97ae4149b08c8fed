"""The quick-add box: where it opens, what it previews, what Enter, Esc, Tab and a click do."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.canvas.moving import SNAP
from explorer.canvas.quick_add import QuickAdd
from explorer.layers import Conv2d
from explorer.session import Snapshot
from explorer.session.placing import Placed
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


def _box(canvas: Canvas) -> QuickAdd:
    return canvas.view._hands.adding.box


def _ask(canvas: Canvas, text: str) -> QuickAdd:
    canvas.key(Qt.Key.Key_A)
    box = _box(canvas)
    assert box.isVisible()
    QTest.keyClicks(box.line, text)
    return box


def test_enter_inserts_behind_the_selection_in_one_step(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv1",))
    box = _ask(canvas, "conv 64 3")
    assert box.title.text() == "Add after conv1"
    assert "6×28×28 → 64×28×28" in box.facts.text()
    assert "out 64  k 3×3" in box.facts.text()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert not box.isVisible()
    new = canvas.architecture["conv3"]
    assert (new.inputs, new.layer) == (("conv1",), Conv2d(out_channels=64, kernel_size=(3, 3), padding=(1, 1)))
    assert canvas.architecture["tanh1"].inputs == ("conv3",)
    assert canvas.selection.ids == ("conv3",)
    assert canvas.document.undo_stack.count() == 1
    assert canvas.view.hasFocus()
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_shift_and_enter_ask_at_once_for_the_next(canvas: Canvas) -> None:
    canvas.selection.set(("fc2",))
    before = len(canvas.architecture)
    box = _ask(canvas, "linear 20")
    QTest.keyClick(box.line, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert (box.isVisible(), box.title.text(), box.line.text()) == (True, "Add after fc4", "")
    QTest.keyClicks(box.line, "relu")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert not box.isVisible()
    assert canvas.architecture["relu1"].inputs == ("fc4",)
    assert len(canvas.architecture) == before + 2
    assert canvas.document.undo_stack.count() == 2


def test_what_is_typed_is_previewed_and_escape_takes_it_back(canvas: Canvas) -> None:
    before = canvas.document.snapshot
    previews: list[Snapshot | None] = []
    canvas.document.previewed.connect(previews.append)
    canvas.selection.set(("conv1",))
    box = _ask(canvas, "maxpool 2")
    tanh = canvas.item("tanh1").preview
    assert tanh is not None
    assert tanh.output_shape == (6, 14, 14)
    QTest.keyClick(box.line, Qt.Key.Key_Escape)
    assert previews[-1] is None
    assert not box.isVisible()
    assert canvas.view.hasFocus()
    assert canvas.selection.ids == ("conv1",), "Esc closed the box, and nothing more"
    assert canvas.document.snapshot is before
    canvas.check()


def test_what_cannot_be_says_why_and_enter_keeps_the_box(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("fc1",))
    box = _ask(canvas, "residual 64")
    assert "fc1 makes 120" in box.facts.text()
    assert "behind pool2" in box.facts.text()
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert box.isVisible()
    box.line.setText("conv 0")
    assert "use a whole number" in box.facts.text()
    box.line.setText("add")
    assert "select two nodes" in box.facts.text()
    assert canvas.architecture is before
    QTest.keyClick(box.line, Qt.Key.Key_Escape)


def test_tab_and_the_arrows_complete(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    box = _ask(canvas, "max")
    QTest.keyClick(box.line, Qt.Key.Key_Tab)
    assert box.line.text() == "MaxPool2d "
    assert box.line.hasFocus()
    titles = [box.list.item(row).text() for row in range(box.list.count())]
    assert titles[:2] == ["kernel_size", "stride"]
    QTest.keyClick(box.line, Qt.Key.Key_Down)
    QTest.keyClick(box.line, Qt.Key.Key_Down)
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert box.line.text() == "MaxPool2d stride="
    QTest.keyClicks(box.line, "1")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert not box.isVisible()
    assert canvas.architecture["pool3"].inputs == ("conv1",)


def test_a_click_in_the_list_adds_a_layer_as_it_fits(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    box = _ask(canvas, "")
    QApplication.processEvents()
    place = box.list.visualItemRect(box.list.item(0)).center()
    QTest.mouseClick(box.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert canvas.architecture["conv3"].layer == Conv2d.suggested((6, 28, 28))


def test_over_a_wire_it_goes_onto_the_wire(canvas: Canvas) -> None:
    QApplication.processEvents()
    wire = next(w for w in canvas.scene.wires.values() if w.wire.target == "pool1")
    canvas.hover(canvas.view.mapFromScene(wire.mapToScene(wire.shape().boundingRect().center())))
    box = _ask(canvas, "relu")
    assert box.title.text() == "Add between tanh1 and pool1"
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert canvas.architecture["pool1"].inputs == ("relu1",)
    canvas.check()


def test_with_nothing_selected_it_goes_on_at_the_end(canvas: Canvas) -> None:
    box = _ask(canvas, "softmax")
    assert box.title.text() == "Add after fc3"
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert canvas.architecture.outputs == ("softmax1",)


def test_several_selected_nodes_are_joined(canvas: Canvas) -> None:
    canvas.selection.set(("conv1", "tanh1"))
    box = _ask(canvas, "add")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert set(canvas.architecture["add1"].inputs) == {"conv1", "tanh1"}
    assert canvas.architecture["pool1"].inputs == ("add1",)
    canvas.check()


@pytest.mark.parametrize("text", ["relu", "residual 6"])
def test_a_double_click_on_empty_canvas_asks_there(canvas: Canvas, text: str) -> None:
    place = QPoint(20, canvas.at("conv1").y())
    assert canvas.scene.card_at(canvas.view.mapToScene(place)) is None
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    box = _box(canvas)
    assert box.title.text() == "Add as a new branch of conv1"
    QTest.keyClicks(box.line, text)
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert canvas.architecture["tanh1"].inputs == ("conv1",)
    assert len(canvas.architecture.outputs) == 2
    canvas.check()


def test_a_click_elsewhere_closes_it(canvas: Canvas) -> None:
    before = canvas.architecture
    box = _ask(canvas, "relu")
    canvas.view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not box.isVisible()
    assert canvas.architecture is before
    canvas.check()


def test_it_stays_in_sight_and_behind_a_folded_block_it_stands_beside(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    canvas.selection.set(canvas.scene.nodes_of("layer3"))
    box = _ask(canvas, "relu")
    assert canvas.view.rect().contains(box.geometry())
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    (added,) = (node.id for node in canvas.architecture if node.id not in before)
    assert "." not in added
    canvas.check()


def test_the_pointer_on_the_box_is_not_on_the_canvas(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    box = _ask(canvas, "relu")
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPointF(4, 4).toPoint())
    assert box.isVisible()
    assert canvas.selection.ids == ("conv1",)
    QTest.keyClick(box.line, Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("selected", "example", "offered"),
    [
        (("conv1",), "conv 64 3,  maxpool 2,  residual 64", "Conv2d"),
        (("fc1",), "linear 128,  relu,  dropout 0.5", "ReLU"),
        (("conv1", "tanh1"), "add,  concat,  conv 64 3", "Add"),
    ],
)
def test_it_names_what_works_at_the_place(
    canvas: Canvas, selected: tuple[str, ...], example: str, offered: str
) -> None:
    canvas.selection.set(selected)
    box = _ask(canvas, "")
    assert box.line.placeholderText() == example
    titles = [box.list.item(row).text() for row in range(box.list.count())]
    assert titles[0] == offered
    assert ("Add" in titles) is (len(selected) > 1)
    before = canvas.architecture
    for line in example.split(",  "):
        box.line.setText(line)
        assert isinstance(box._answer, Placed)
        assert not box._answer.issue, line
    for title in titles:
        box.line.setText(title)
        assert isinstance(box._answer, Placed)
        assert not [e for e in box._answer.inference.errors if e.node_id in box._answer.added], title
    QTest.keyClick(box.line, Qt.Key.Key_Escape)
    assert canvas.architecture is before


def test_added_by_double_click_it_stays_where_the_pointer_was(canvas: Canvas) -> None:
    before = canvas.architecture
    place = QPoint(40, canvas.at("conv1").y())
    at = canvas.view.mapToScene(place)
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    box = _box(canvas)
    QTest.keyClicks(box.line, "relu")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert (canvas.item("relu1").sceneBoundingRect().center() - at).manhattanLength() <= 2 * SNAP / canvas.view.zoom + 2
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()
    canvas.selection.set(("fc1",))
    QTest.keyClick(_ask(canvas, "relu").line, Qt.Key.Key_Return)
    assert canvas.view._hands.arrangement.positions == {}, "by key it has no place of its own"


def test_by_key_the_box_stands_where_the_new_card_will_and_covers_no_other_above(canvas: Canvas) -> None:
    canvas.view.zoom_by(1 / canvas.view.zoom)
    canvas.selection.set(("fc3",))
    canvas.view.reveal("fc3")
    QApplication.processEvents()
    box = _ask(canvas, "")
    viewport = canvas.view.viewport()
    card = canvas.view.mapFromScene(canvas.item("fc3").sceneBoundingRect()).boundingRect().translated(viewport.pos())
    assert not box.geometry().intersects(card.adjusted(8, 8, -8, -8))
    assert viewport.geometry().contains(box.geometry())
    assert viewport.geometry().contains(card.adjusted(8, 8, -8, -8))
    QTest.keyClick(box.line, Qt.Key.Key_Escape)
