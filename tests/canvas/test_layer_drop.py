"""Layers and blocks dragged over the canvas and dropped on it, as the palette drags them."""

import warnings

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.architecture.paths import inside, parent, ports
from explorer.canvas.drop_hint import DropHint
from explorer.canvas.moving import SNAP
from explorer.layers import Add, Dropout
from explorer.session import Snapshot
from explorer.session.dragging import block_data, layer_data
from explorer.zoo import entry
from explorer.zoo.blocks import block_entry
from tests.canvas.conftest import NO_KEY, Canvas


def _drag(canvas: Canvas, place: QPoint, data: QMimeData) -> bool:
    """Move over a place; whether a drop would be taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        event = QDragMoveEvent(place, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NO_KEY)
    event.ignore()
    assert canvas.view._layer_drop.eventFilter(canvas.view.viewport(), event)
    return event.isAccepted()


def _leave(canvas: Canvas) -> None:
    """What Qt sends when the pointer leaves, and when Esc takes the drag back."""
    assert canvas.view._layer_drop.eventFilter(canvas.view.viewport(), QDragLeaveEvent())


def _hint(canvas: Canvas) -> DropHint:
    return canvas.view._layer_drop.hint


def _previews(canvas: Canvas) -> list[Snapshot | None]:
    previews: list[Snapshot | None] = []
    canvas.document.previewed.connect(previews.append)
    return previews


def _on_wire(canvas: Canvas, source: str, target: str) -> QPoint:
    """A place on the wire between two nodes."""
    wire = next(w for w in canvas.scene.wires.values() if (w.wire.source, w.wire.target) == (source, target))
    canvas.view.reveal(source)
    return canvas.view.mapFromScene(wire.mapToScene(wire.shape().boundingRect().center()))


def _drop(canvas: Canvas, place: QPoint, data: QMimeData) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        event = QDropEvent(
            QPointF(place),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    event.ignore()
    # Qt delivers a drop only within a drag of its own, which a test has none of; this is where it would arrive.
    viewport = canvas.view.viewport()
    assert canvas.view._layer_drop.eventFilter(viewport, event)
    return event.isAccepted()


def test_a_layer_dropped_on_a_node_comes_behind_it_in_one_step(canvas: Canvas) -> None:
    before = canvas.architecture
    assert _drop(canvas, canvas.at("conv1"), layer_data("BatchNorm2d"))
    assert canvas.architecture["norm1"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("norm1",)
    assert canvas.selection.ids == ("norm1",)
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_layer_dropped_on_a_wire_is_inserted_there(canvas: Canvas) -> None:
    assert _drop(canvas, _on_wire(canvas, "conv1", "tanh1"), layer_data("ReLU"))
    assert canvas.architecture["relu1"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("relu1",)


def test_anything_else_is_left_to_the_window(canvas: Canvas) -> None:
    before = canvas.architecture
    data = QMimeData()
    data.setText("a project, perhaps")
    assert not _drop(canvas, canvas.at("conv1"), data)
    assert not _drop(canvas, canvas.at("conv1"), layer_data("Conv9d"))
    assert canvas.architecture is before


@pytest.mark.parametrize("on_wire", [False, True])
def test_a_block_is_wired_at_both_ends_in_one_step_and_selected(canvas: Canvas, on_wire: bool) -> None:
    before = canvas.architecture
    place = _on_wire(canvas, "conv1", "tanh1") if on_wire else canvas.at("conv1")
    assert _drop(canvas, place, block_data("residual", {"stride": 2}))
    added = [node.id for node in canvas.architecture if node.id not in before]
    assert canvas.architecture["tanh1"].inputs == (added[-1],)
    assert canvas.architecture[added[0]].inputs == ("conv1",)
    assert canvas.document.snapshot.inference.nodes["tanh1"].output_shape == (6, 14, 14)
    assert canvas.selection.ids == tuple(added)
    assert canvas.document.undo_stack.count() == 1
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_drag_over_a_place_previews_the_drop_and_says_it(canvas: Canvas) -> None:
    before, previews = canvas.architecture, _previews(canvas)
    place = _on_wire(canvas, "conv1", "tanh1")
    assert _drag(canvas, place, block_data("residual", {"stride": 2}))
    assert previews[-1] is not None
    assert previews[-1].architecture == block_entry("residual").insert(before, "conv1", stride=2)
    tanh = canvas.item("tanh1").preview
    assert tanh is not None
    assert tanh.output_shape == (6, 14, 14)
    hint = _hint(canvas)
    assert hint.isVisible()
    assert hint.title.text() == "Residual block between conv1 and tanh1"
    gained = previews[-1].inference.totals.num_parameters - canvas.document.snapshot.inference.totals.num_parameters
    assert gained == -45_360, "smaller maps leave fc1 fewer features"
    assert "6×28×28 → 6×14×14  ·  −45.4\u2009k parameters" in hint.facts.text()
    assert canvas.view.viewport().rect().contains(hint.geometry())
    assert canvas.architecture is before


def test_the_same_place_is_asked_about_once(canvas: Canvas) -> None:
    previews, data = _previews(canvas), block_data("fire", {})
    place = canvas.at("conv1")
    _drag(canvas, place, data)
    _drag(canvas, place + QPoint(1, 0), data)
    assert len(previews) == 1
    _drag(canvas, canvas.at("pool1"), data)
    assert len(previews) == 2


def test_the_node_under_the_pointer_gets_a_frame(canvas: Canvas) -> None:
    assert _drag(canvas, canvas.at("conv1"), block_data("fire", {}))
    frame = _hint(canvas).frame
    assert frame.isVisible()
    assert frame.geometry().contains(canvas.at("conv1"))
    assert not frame.geometry().contains(canvas.at("tanh1"))
    _drag(canvas, _on_wire(canvas, "conv1", "tanh1"), block_data("fire", {}))
    assert not frame.isVisible()


def test_esc_takes_everything_back(canvas: Canvas) -> None:
    before, previews = canvas.architecture, _previews(canvas)
    _drag(canvas, canvas.at("conv1"), block_data("residual", {}))
    _leave(canvas)
    assert previews[-1] is None
    assert not _hint(canvas).isVisible()
    assert not _hint(canvas).frame.isVisible()
    assert canvas.architecture is before
    assert canvas.document.undo_stack.count() == 0
    canvas.check()


def test_a_block_that_cannot_work_is_refused_while_it_hangs_there_and_when_it_drops(canvas: Canvas) -> None:
    before, previews = canvas.architecture, _previews(canvas)
    data = block_data("residual", {})
    assert _drag(canvas, canvas.at("fc1"), data), "or else nobody would be told of the drop"
    assert "fc1 makes 120" in _hint(canvas).title.text()
    assert "behind pool2" in _hint(canvas).facts.text()
    assert previews == []
    _drop(canvas, canvas.at("fc1"), data)
    (message,) = canvas.messages
    assert "fc1 makes 120. It fits behind pool2, which makes 16×5×5." in message
    assert canvas.architecture is before
    assert not _hint(canvas).isVisible()


def test_from_a_place_that_works_to_one_that_does_not_ends_the_preview(canvas: Canvas) -> None:
    previews, data = _previews(canvas), block_data("residual", {})
    _drag(canvas, canvas.at("conv1"), data)
    _drag(canvas, canvas.at("fc1"), data)
    assert len(previews) == 2
    assert previews[-1] is None


def test_beside_a_node_a_drop_on_empty_canvas_is_a_branch_of_the_nearest(canvas: Canvas) -> None:
    before = canvas.architecture
    place = QPoint(20, canvas.at("conv1").y())
    assert canvas.scene.card_at(canvas.view.mapToScene(place)) is None
    assert _drag(canvas, place, layer_data("ReLU"))
    assert _hint(canvas).title.text() == "ReLU as a new branch of conv1"
    assert _drop(canvas, place, layer_data("ReLU"))
    assert canvas.architecture["relu1"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("conv1",), "what read it still does"
    assert canvas.architecture.outputs == ("fc3", "relu1")
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def _middle(canvas: Canvas, key: str) -> QPointF:
    item = canvas.scene.card(key)
    assert item is not None
    return item.mapToScene(item.card.rect.center())


def test_what_is_dropped_on_empty_canvas_stays_there_in_the_same_step(canvas: Canvas) -> None:
    before = canvas.architecture
    place = QPoint(40, canvas.at("pool1").y())
    at = canvas.view.mapToScene(place)
    _drop(canvas, place, layer_data("ReLU"))
    assert (_middle(canvas, "relu1") - at).manhattanLength() <= 2 * SNAP / canvas.view.zoom + 2
    assert canvas.document.undo_stack.count() == 1
    there = _middle(canvas, "relu1")
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    assert canvas.view._hands.arrangement.positions == {}
    canvas.check()
    canvas.document.undo_stack.redo()
    assert _middle(canvas, "relu1") == there
    canvas.document.apply("Insert", edits.insert_before(canvas.architecture, "conv1", Dropout()))
    assert _middle(canvas, "relu1") == there, "it stays put, whatever comes"
    canvas.check()


def test_dropped_where_there_is_no_room_it_lies_over_nothing(canvas: Canvas) -> None:
    placement = canvas.scene.placement
    assert placement is not None
    box = placement.nodes["conv1"]
    place = canvas.view.mapFromScene(QPointF(box.x - 12, box.centre.y))
    _drop(canvas, place, layer_data("ReLU"))
    placement = canvas.scene.placement
    assert placement is not None
    own = placement.nodes["relu1"]
    assert not any(own.overlaps(other) for key, other in placement.nodes.items() if key != "relu1")
    assert abs(own.centre.x - box.x) < 2 * own.width


def test_dropped_outside_an_open_block_it_is_none_of_it(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    canvas.view.fit(animated=False)
    frame = canvas.scene.frames["layer2"]
    outside = QPointF(frame.pos().x() - 700, frame.mapToScene(frame.rect.center()).y())
    before = canvas.architecture
    _drop(canvas, canvas.view.mapFromScene(outside), layer_data("ReLU"))
    (added,) = (node.id for node in canvas.architecture if node.id not in before)
    assert "." not in added
    assert not QRectF(canvas.scene.frames["layer2"].sceneBoundingRect()).contains(_middle(canvas, added))
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_block_dropped_on_empty_canvas_stays_as_a_whole(canvas: Canvas) -> None:
    place = QPoint(60, canvas.at("pool1").y())
    at = canvas.view.mapToScene(place)
    _drop(canvas, place, block_data("residual", {}))
    assert canvas.scene.shown is not None
    held = {canvas.scene.shown.holders[i] for i in canvas.selection.ids}
    rect = QRectF()
    for key in held:
        item = canvas.scene.card(key)
        assert item is not None
        rect = rect.united(item.card.rect.translated(item.pos()))
    assert abs(rect.center().x() - at.x()) < rect.width()
    assert canvas.document.undo_stack.count() == 1
    canvas.check()
    canvas.document.undo_stack.undo()
    canvas.check()


def test_a_block_beside_a_node_branches_too(canvas: Canvas) -> None:
    assert _drop(canvas, QPoint(20, canvas.at("conv1").y()), block_data("residual", {}))
    assert canvas.architecture["tanh1"].inputs == ("conv1",)
    assert len(canvas.architecture.outputs) == 2
    assert not canvas.document.snapshot.inference.errors
    canvas.check()


def test_below_the_end_it_goes_on_from_there(canvas: Canvas) -> None:
    canvas.view.zoom_by(0.8)
    place = QPoint(canvas.at("fc3").x(), canvas.view.viewport().height() - 40)
    assert _drag(canvas, place, layer_data("Softmax"))
    assert _hint(canvas).title.text() == "Softmax after fc3, where the network ends"
    assert _drop(canvas, place, layer_data("Softmax"))
    assert canvas.architecture.outputs == ("softmax1",)


def test_near_the_edge_the_view_scrolls_until_the_drag_ends(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    place = QPoint(450, canvas.view.viewport().height() - 4)
    top = canvas.view.mapToScene(QPoint(0, 0)).y()
    _drag(canvas, place, layer_data("ReLU"))
    qtbot.waitUntil(lambda: canvas.view.mapToScene(QPoint(0, 0)).y() > top + 60, timeout=3000)
    _leave(canvas)
    assert not canvas.view._hands.edge_scroll.is_running


def test_a_drag_that_comes_in_across_the_edge_does_not_scroll(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    data = layer_data("ReLU")
    edge, middle = QPoint(2, 200), QPoint(300, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        enter = QDragEnterEvent(edge, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NO_KEY)

    def scrolls() -> bool:
        return canvas.view._hands.edge_scroll.is_running

    assert canvas.view._layer_drop.eventFilter(canvas.view.viewport(), enter)
    _drag(canvas, edge, data)
    assert not scrolls()
    _drag(canvas, middle, data)
    left = canvas.view.mapToScene(QPoint(0, 0)).x()
    _drag(canvas, edge, data)
    assert scrolls(), "back at the edge it is meant"
    qtbot.waitUntil(lambda: canvas.view.mapToScene(QPoint(0, 0)).x() < left, timeout=3000)
    _leave(canvas)
    assert not scrolls()


def test_a_merge_dropped_beside_joins_what_is_selected(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("tanh1", "conv1"))
    beside = QPoint(20, canvas.at("conv1").y())
    assert _drag(canvas, beside, layer_data("Add"))
    assert _hint(canvas).title.text() == "Add joining conv1 and tanh1"
    assert _drop(canvas, beside, layer_data("Add"))
    (added,) = canvas.selection.ids
    assert set(canvas.architecture[added].inputs) == {"conv1", "tanh1"}
    assert canvas.architecture["pool1"].inputs == (added,)
    assert not canvas.document.snapshot.inference.errors
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_merge_dropped_on_a_card_joins_it_with_what_is_selected(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    assert _drop(canvas, canvas.at("tanh1"), layer_data("Add"))
    (added,) = canvas.selection.ids
    assert set(canvas.architecture[added].inputs) == {"conv1", "tanh1"}


def test_a_merge_joins_a_folded_block_by_its_end(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    (first, second), items = list(canvas.scene.blocks)[:2], canvas.scene.blocks
    canvas.selection.set(node.id for node in inside(before, first))
    canvas.view.reveal(second)
    place = canvas.view.mapFromScene(items[second].mapToScene(items[second].card.rect.center()))
    assert _drag(canvas, place, layer_data("Concat"))
    assert _hint(canvas).title.text() == f"Concat joining {first} and {second}"
    assert _drop(canvas, place, layer_data("Concat"))
    (added,) = canvas.selection.ids
    ends = {ports(before, inside(before, path)).exits[0] for path in (first, second)}
    assert set(canvas.architecture[added].inputs) == ends
    assert "." not in added.removeprefix(parent(second)).removeprefix("."), "in no folded block"
    canvas.check()


def test_a_layer_on_a_merged_wire_lies_beside_the_folded_block(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    line = next(w for w in canvas.scene.wires.values() if len(w.connections) > 1)
    canvas.view.reveal(line.wire.source)
    place = canvas.view.mapFromScene(line.mapToScene(line.shape().boundingRect().center()))
    assert _drop(canvas, place, layer_data("ReLU"))
    (added,) = (node.id for node in canvas.architecture if node.id not in before)
    assert "." not in added.removeprefix(parent(line.wire.source)).removeprefix("."), "in no folded block"
    assert {canvas.architecture[c.target].inputs[c.port] for c in line.connections} == {added}
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_a_layer_previews_too_and_one_that_joins_is_refused(canvas: Canvas) -> None:
    previews = _previews(canvas)
    _drag(canvas, canvas.at("conv1"), layer_data("MaxPool2d"))
    assert previews[-1] is not None
    assert previews[-1].inference.nodes["tanh1"].output_shape == (6, 14, 14)
    _drop(canvas, canvas.at("conv1"), layer_data("Add"))
    assert "select two nodes" in canvas.messages[-1]


def test_a_drop_on_a_branch_to_a_sum_fits_its_widths(canvas: Canvas) -> None:
    canvas.document.open(block_entry("residual").insert(canvas.architecture, "conv1"))
    before = canvas.architecture
    (add,) = (node.id for node in before if isinstance(node.layer, Add))
    assert _drop(canvas, canvas.at(before[add].inputs[0]), block_data("fire", {}))
    assert canvas.architecture[add].inputs != before[add].inputs
    assert canvas.document.snapshot.inference.errors == ()
    assert canvas.document.snapshot.inference.nodes[add].output_shape == (6, 28, 28)


def test_a_block_dropped_on_a_folded_block_comes_behind_it(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    path, item = next(iter(canvas.scene.blocks.items()))
    canvas.view.reveal(path)
    place = canvas.view.mapFromScene(item.mapToScene(item.card.rect.center()))
    assert _drop(canvas, place, block_data("residual", {}))
    added = [node.id for node in canvas.architecture if node.id not in before]
    assert not any(node_id.startswith(f"{path}.") for node_id in added)
    (end,) = ports(before, inside(before, path)).exits
    assert {i for reader in before.consumers(end) for i in canvas.architecture[reader].inputs} == {added[-1]}
    assert canvas.document.undo_stack.count() == 1
