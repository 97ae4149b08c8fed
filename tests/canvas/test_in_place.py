"""Typing on the canvas: values and names, one node and several, by mouse and by keys."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from explorer.canvas.in_place_field import Field
from explorer.layers import Conv2d
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

SHIFT = Qt.KeyboardModifier.ShiftModifier


def _field(canvas: Canvas) -> Field:
    return canvas.view._hands.in_place.field


def _conv(canvas: Canvas, node_id: str = "conv1") -> Conv2d:
    layer = canvas.architecture[node_id].layer
    assert isinstance(layer, Conv2d)
    return layer


def _type(canvas: Canvas, text: str) -> None:
    field = _field(canvas)
    assert field.isVisible()
    field.selectAll()
    QTest.keyClicks(field, text)


def test_a_double_click_on_a_value_types_it(canvas: Canvas) -> None:
    canvas.close_up()
    before = canvas.architecture
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=canvas.stepper("conv1", "kernel_size"))
    assert _field(canvas).text() == "5×5"
    assert _field(canvas).geometry().contains(canvas.stepper("conv1", "kernel_size"))
    _type(canvas, "3x7")
    preview = canvas.item("conv1").preview
    assert preview is not None
    assert preview.output_shape == (6, 30, 26)
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert _conv(canvas).kernel_size == (3, 7)
    assert canvas.document.undo_stack.undoText() == "Set conv1 kernel_size to 3×7"
    assert not _field(canvas).isVisible()
    assert canvas.view.hasFocus()
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_escape_takes_back_what_is_typed(canvas: Canvas) -> None:
    before = canvas.document.snapshot
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "99")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Escape)
    assert canvas.document.snapshot is before
    assert canvas.selection.ids == ("conv1",)
    canvas.check()


def test_what_is_no_value_is_refused_and_typing_goes_on(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "0")
    hint = canvas.view._hands.in_place.hint
    assert "use a whole number from 1" in hint.title.text()
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert _field(canvas).isVisible()
    assert canvas.architecture is before
    _type(canvas, "12")
    assert not hint.isVisible()
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert _conv(canvas).out_channels == 12


def test_tab_goes_to_the_next_value_and_then_to_the_next_node(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    for value in ("8", "3", "2", "1"):
        _type(canvas, value)
        QTest.keyClick(_field(canvas), Qt.Key.Key_Tab)
    assert _conv(canvas) == Conv2d(out_channels=8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    assert canvas.selection.current != "conv1"
    assert _field(canvas).isVisible()
    assert canvas.document.undo_stack.count() == 4
    QTest.keyClick(_field(canvas), Qt.Key.Key_Tab, SHIFT)
    assert canvas.selection.ids == ("conv1",)
    assert _field(canvas).text() == "1"
    QTest.keyClick(_field(canvas), Qt.Key.Key_Escape)
    canvas.check()


def test_the_arrow_keys_step_what_is_typed(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    QTest.keyClick(_field(canvas), Qt.Key.Key_Up)
    assert _field(canvas).text() == "7"
    QTest.keyClick(_field(canvas), Qt.Key.Key_Up, SHIFT)
    assert _field(canvas).text() == "17"
    QTest.keyClick(_field(canvas), Qt.Key.Key_Down)
    assert canvas.document.undo_stack.count() == 0, "nothing is done before it is kept"
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert _conv(canvas).out_channels == 16
    assert canvas.document.undo_stack.count() == 1


def test_several_of_one_type_get_a_value_together(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv2", "conv1"))
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "9")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert (_conv(canvas).out_channels, _conv(canvas, "conv2").out_channels) == (9, 9)
    assert canvas.document.undo_stack.undoText() == "Set out_channels of 2 layers to 9"
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()


def test_steppers_step_all_selected_ones_each_from_its_own(canvas: Canvas) -> None:
    canvas.close_up()
    before = canvas.architecture
    canvas.selection.set(("conv1", "conv2"))
    canvas.click(canvas.stepper("conv1", "out_channels", 1))
    assert (_conv(canvas).out_channels, _conv(canvas, "conv2").out_channels) == (7, 17)
    canvas.wheel(canvas.stepper("conv1", "out_channels"), 1)
    assert (_conv(canvas).out_channels, _conv(canvas, "conv2").out_channels) == (8, 18)
    assert canvas.selection.ids == ("conv1", "conv2")
    while canvas.document.undo_stack.canUndo():
        canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.selection.set(("conv1", "tanh1"))
    canvas.click(canvas.stepper("conv1", "out_channels", 1))
    assert (_conv(canvas).out_channels, _conv(canvas, "conv2").out_channels) == (7, 16), "of unlike ones this alone"


def test_f2_renames_a_node_where_it_stands(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_F2)
    assert _field(canvas).text() == "conv1"
    _type(canvas, "conv2")
    assert "is there already" in canvas.view._hands.in_place.hint.title.text()
    _type(canvas, "a.b")
    assert "dot" in canvas.view._hands.in_place.hint.title.text()
    _type(canvas, "stem")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert canvas.architecture["tanh1"].inputs == ("stem",)
    assert canvas.selection.ids == ("stem",)
    assert canvas.document.undo_stack.undoText() == "Rename conv1 to stem"
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_f2_renames_folded_and_open_blocks(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.selection.set(canvas.scene.nodes_of("layer2"))
    canvas.key(Qt.Key.Key_F2)
    _type(canvas, "stage2")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert "stage2.0.conv1" in canvas.architecture
    assert {i.partition(".")[0] for i in canvas.selection.ids} == {"stage2"}
    canvas.view._folding.unfold("layer3")
    canvas.view._folding.motion.finish()
    canvas.selection.set(canvas.scene.nodes_of("layer3"))
    canvas.key(Qt.Key.Key_F2)
    place = canvas.view.mapFromScene(canvas.scene.frames["layer3"].mapToScene(QPointF(60, 16)))
    assert _field(canvas).geometry().contains(place)
    _type(canvas, "stage3")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    assert "stage3.0.conv1" in canvas.architecture
    canvas.check()


def test_leaving_keeps_a_value_and_takes_back_what_is_none(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "11")
    canvas.view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert _conv(canvas).out_channels == 11
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "none")
    canvas.view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert _conv(canvas).out_channels == 11
    assert not _field(canvas).isVisible()
    canvas.check()


def test_an_undo_meanwhile_closes_it(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_E)
    _type(canvas, "11")
    QTest.keyClick(_field(canvas), Qt.Key.Key_Return)
    canvas.key(Qt.Key.Key_E)
    canvas.document.undo_stack.undo()
    assert not _field(canvas).isVisible()
    canvas.check()
