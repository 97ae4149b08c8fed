"""Wires drawn and moved with the mouse: ports, live preview, refusals, letting go over nothing, Esc and undo."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from explorer.architecture import edits
from explorer.canvas.drop_hint import DropHint
from explorer.canvas.overlay import Drawn
from explorer.layers import Add, Conv2d
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


def _border(canvas: Canvas, key: str, *, is_output: bool) -> QPoint:
    box = canvas.item(key).card.rect
    return canvas.on_card(key, QPointF(box.center().x(), box.bottom() if is_output else box.top()))


def _end(canvas: Canvas, source: str, target: str, *, is_target: bool) -> QPoint:
    """Near an end of a wire, beyond the port's own reach."""
    placement = canvas.scene.placement
    assert placement is not None
    (points,) = (points for w, points in placement.wires.items() if (w.source, w.target) == (source, target))
    place = points[-1] if is_target else points[0]
    return canvas.view.mapFromScene(QPointF(place.x, place.y + (-12 if is_target else 12)))


def _let_go(canvas: Canvas, place: QPoint) -> None:
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _hint(canvas: Canvas) -> DropHint:
    return canvas.view._hands.hint


def _drawn(canvas: Canvas) -> Drawn:
    return canvas.view._hands._overlay.drawn


def _branched(canvas: Canvas) -> None:
    """LeNet-5 with a sum of conv1 and tanh1, and a smaller branch beside; at 100 %."""
    network = edits.join(canvas.architecture, Add(), ("conv1", "tanh1"))
    small = Conv2d(out_channels=6, kernel_size=(3, 3), stride=(2, 2))
    canvas.document.open(edits.add_node(network, small, ("input",), "small"))
    canvas.view.fit(animated=False)


def test_ports_appear_under_the_pointer_and_go_with_it(canvas: Canvas) -> None:
    _branched(canvas)
    canvas.hover(canvas.at("conv1"))
    assert [port.is_output for port in _drawn(canvas).ports] == [True, False]
    canvas.hover(canvas.at("add1"))
    assert [port.wire is None for port in _drawn(canvas).ports] == [True, False, False, True], "room for one more"
    canvas.hover(QPoint(5, 5))
    assert _drawn(canvas).ports == ()
    canvas.hover(_border(canvas, "conv1", is_output=True))
    assert _drawn(canvas).lit is not None
    assert canvas.view.viewport().cursor().shape() == Qt.CursorShape.CrossCursor
    canvas.check()


def test_a_wire_drawn_from_port_to_card_connects_in_one_step(canvas: Canvas) -> None:
    before = canvas.architecture
    start, end = _border(canvas, "conv1", is_output=True), canvas.at("conv2")
    canvas.drag(start, end)
    assert _hint(canvas).title.text() == "Connect conv1 to conv2 in place of pool1"
    assert _hint(canvas).facts.text() == "6×28×28 → 16×24×24"
    preview = canvas.item("pool2").preview
    assert preview is not None
    assert preview.output_shape == (16, 12, 12)
    assert _drawn(canvas).line is not None
    assert canvas.item("conv1").card.rect.translated(canvas.item("conv1").pos()) not in _drawn(canvas).fitting
    _let_go(canvas, end)
    assert canvas.architecture["conv2"].inputs == ("conv1",)
    assert canvas.document.undo_stack.undoText() == "Connect conv1 to conv2 in place of pool1"
    assert canvas.document.undo_stack.count() == 1
    assert _drawn(canvas) == Drawn()
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()


def test_escape_takes_it_back_at_any_point(canvas: Canvas) -> None:
    before = canvas.document.snapshot
    canvas.drag(_border(canvas, "conv1", is_output=True), canvas.at("conv2"))
    canvas.key(Qt.Key.Key_Escape)
    assert not _hint(canvas).isVisible()
    assert _drawn(canvas) == Drawn()
    _let_go(canvas, canvas.at("conv2"))
    assert canvas.document.snapshot is before
    assert canvas.document.undo_stack.count() == 0
    canvas.check()


def test_a_cycle_is_refused_while_it_hangs_there_and_when_it_drops(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.drag(_border(canvas, "conv2", is_output=True), canvas.at("conv1"))
    assert "no cycles" in _hint(canvas).title.text()
    assert _drawn(canvas).is_refused
    _let_go(canvas, canvas.at("conv1"))
    assert canvas.architecture is before
    assert "no cycles" in canvas.messages[-1]
    canvas.check()


def test_a_sum_refuses_another_shape_unless_ctrl_is_held(canvas: Canvas) -> None:
    _branched(canvas)
    before = canvas.architecture
    canvas.drag(_border(canvas, "small", is_output=True), canvas.at("add1"))
    assert "cannot add" in _hint(canvas).title.text()
    assert "Hold Ctrl" in _hint(canvas).facts.text()
    _let_go(canvas, canvas.at("add1"))
    assert canvas.architecture is before
    assert _border(canvas, "add1", is_output=False) is not None
    canvas.drag(_border(canvas, "input", is_output=True), canvas.at("small"))
    assert "already" in _hint(canvas).title.text()
    _let_go(canvas, canvas.at("small"))
    assert canvas.architecture is before


def test_what_the_wire_may_lead_to_stands_out(canvas: Canvas) -> None:
    _branched(canvas)
    canvas.drag(_border(canvas, "tanh1", is_output=True), QPoint(20, 20))
    drawn = _drawn(canvas)

    def box(key: str) -> object:
        return canvas.item(key).card.rect.translated(canvas.item(key).pos())

    assert box("conv2") in drawn.fitting
    assert box("conv1") in drawn.dimmed, "a cycle"
    assert box("input") in drawn.dimmed
    canvas.key(Qt.Key.Key_Escape)
    _let_go(canvas, QPoint(20, 20))


def test_the_upper_end_of_a_wire_goes_to_another_source(canvas: Canvas) -> None:
    _branched(canvas)
    canvas.view.zoom_by(1 / canvas.view.zoom)
    canvas.view.reveal("tanh1")
    before = canvas.architecture
    canvas.drag(_end(canvas, "pool1", "conv2", is_target=False), canvas.at("tanh1"))
    assert _hint(canvas).title.text() == "Connect tanh1 to conv2 in place of pool1"
    _let_go(canvas, canvas.at("tanh1"))
    assert canvas.architecture["conv2"].inputs == ("tanh1",)
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_the_lower_end_goes_on_only_where_the_target_can_do_without(canvas: Canvas) -> None:
    _branched(canvas)
    canvas.drag(_end(canvas, "pool1", "conv2", is_target=True), canvas.at("pool2"))
    assert "conv2 needs one input" in _hint(canvas).title.text()
    canvas.key(Qt.Key.Key_Escape)
    _let_go(canvas, canvas.at("pool2"))
    wire = next(w for w in canvas.scene.wires.values() if w.wire.target == "conv2")
    assert wire.opacity() == 1.0
    more = edits.connect(canvas.architecture, "input", "add1")
    canvas.document.apply("Connect", edits.set_value(more, "conv1", "out_channels", 1))
    canvas.view.fit(animated=False)
    before = canvas.architecture
    canvas.drag(_end(canvas, "input", "add1", is_target=True), canvas.at("conv2"))
    assert _hint(canvas).title.text() == "Move the wire of input from add1 to conv2 in place of pool1"
    _let_go(canvas, canvas.at("conv2"))
    assert canvas.architecture["conv2"].inputs == ("input",)
    assert canvas.architecture["add1"].inputs == ("conv1", "tanh1")
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()


def test_let_go_over_nothing_disconnects_where_enough_inputs_remain(canvas: Canvas) -> None:
    _branched(canvas)
    canvas.document.apply("Connect", edits.connect(canvas.architecture, "input", "add1"))
    canvas.view.fit(animated=False)
    nowhere = QPoint(15, 15)
    canvas.drag(_end(canvas, "input", "add1", is_target=True), nowhere)
    assert _hint(canvas).title.text() == "Let go here: Disconnect input from add1"
    _let_go(canvas, nowhere)
    assert canvas.architecture["add1"].inputs == ("conv1", "tanh1")
    before = canvas.architecture
    canvas.view.fit(animated=False)
    canvas.drag(_end(canvas, "pool1", "conv2", is_target=True), nowhere)
    assert "stays as it is" in _hint(canvas).title.text()
    _let_go(canvas, nowhere)
    assert canvas.architecture is before
    canvas.check()


def test_a_wire_let_go_over_nothing_asks_what_to_add(canvas: Canvas) -> None:
    box = canvas.view._hands.adding.box
    place = QPoint(20, 60)
    canvas.drag(_border(canvas, "conv1", is_output=True), place)
    assert "here to add one" in _hint(canvas).title.text()
    _let_go(canvas, place)
    assert box.title.text() == "Add as a new branch of conv1"
    QTest.keyClicks(box.line, "conv 8 1")
    QTest.keyClick(box.line, Qt.Key.Key_Return)
    assert canvas.architecture["conv3"].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == ("conv1",)
    canvas.check()


def test_a_click_on_a_port_does_nothing(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.click(_border(canvas, "conv1", is_output=True))
    assert canvas.architecture is before
    assert not _hint(canvas).isVisible()
    assert canvas.messages == []


def test_folded_blocks_have_ports_too(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.view.fit(animated=False)
    before = canvas.architecture
    item = canvas.scene.blocks["layer2"]
    box = item.card.rect
    start = canvas.view.mapFromScene(item.mapToScene(QPointF(box.center().x(), box.bottom())))
    target = canvas.scene.blocks["layer4"]
    end = canvas.view.mapFromScene(target.mapToScene(target.card.maps.center()))
    canvas.drag(start, end)
    assert _hint(canvas).title.text().startswith("Connect layer2.1.relu to layer4.")
    _let_go(canvas, end)
    assert canvas.architecture is not before
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
