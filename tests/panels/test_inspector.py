"""The inspector against the document: which edits real events make, and that what it shows is what was inferred."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.layers import Opaque, PartialConv2d, layer_types
from explorer.look.theme import ThemeSource
from explorer.panels.inspector.form import Form
from explorer.panels.inspector.panel import Inspector
from explorer.panels.values.editors import (
    ChoiceEditor,
    ConnectionsEditor,
    FollowsEditor,
    NumberEditor,
    PaddingEditor,
    PairEditor,
    TextEditor,
    ValueEditor,
)
from explorer.panels.values.grid import Cell
from explorer.panels.values.padding import Way
from explorer.session import Document, Selection, Snapshot
from tests.networks import branching, deep_chain
from tests.panels.stage import Stage, click, enter, press, shown, stage, wheel, write


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def inspector_of(qtbot: QtBot, on: Stage, *selected: str) -> Inspector:
    inspector = Inspector(on.document, on.selection, on.themes)
    shown(qtbot, inspector)
    on.selection.set(selected)
    return inspector


def editor(inspector: Inspector, name: str) -> ValueEditor:
    form = inspector.node_page.form
    assert form is not None
    return form.editors[name]


def pair(inspector: Inspector, name: str) -> PairEditor:
    found = editor(inspector, name)
    assert isinstance(found, PairEditor)
    return found


def test_a_form_is_generated_for_every_layer_type(qtbot: QtBot) -> None:
    for layer_type in layer_types():
        form = Form(layer_type, ThemeSource())
        qtbot.addWidget(form)
        assert list(form.editors) == [parameter.name for parameter in layer_type.hyper_parameters]
        for parameter in layer_type.hyper_parameters:
            assert parameter.help in form.editors[parameter.name].toolTip()


def test_an_arrow_key_edits_the_document_in_one_named_step(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    box = pair(inspector, "kernel_size").height_box
    box.setFocus()
    press(box, Qt.Key.Key_Up)
    assert lenet.value("conv1", "kernel_size") == (6, 6)
    assert lenet.document.undo_stack.undoText() == "Set conv1 kernel_size to 6×6"
    lenet.document.undo_stack.undo()
    assert box.value() == 5


def test_a_turn_of_the_wheel_is_one_step_and_a_rest_ends_it(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    box = pair(inspector, "kernel_size").height_box
    box.setFocus()
    for _ in range(3):
        wheel(box, 1)
    assert lenet.value("conv1", "kernel_size") == (8, 8)
    assert lenet.steps == ["Set conv1 kernel_size to 8×8"]
    qtbot.waitUntil(lambda: not inspector._gesture.isActive(), timeout=2000)
    wheel(box, 1)
    assert len(lenet.steps) == 2
    lenet.document.undo_stack.undo()
    assert lenet.value("conv1", "kernel_size") == (8, 8)


def test_leaving_an_editor_ends_the_gesture(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    kernel, stride = pair(inspector, "kernel_size").height_box, pair(inspector, "stride").height_box
    kernel.setFocus()
    press(kernel, Qt.Key.Key_Up)
    stride.setFocus()
    kernel.setFocus()
    press(kernel, Qt.Key.Key_Up)
    assert len(lenet.steps) == 2


def test_the_text_of_a_flag_and_of_following(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "fc1")
    box = editor(inspector, "bias").findChild(QCheckBox)
    assert box is not None
    click(box, QPoint(8, box.height() // 2))
    follows = editor(inspector, "in_features")
    assert isinstance(follows, FollowsEditor)
    click(follows.link)
    assert lenet.value("fc1", "in_features") == 400
    click(follows.link)
    assert lenet.steps == [
        "Set fc1 bias to off",
        "Set fc1 in_features to 400",
        "Let fc1 in_features follow the input",
    ]


def test_rarely_set_values_stand_behind_a_line_unless_they_are_set(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    form = inspector.node_page.form
    assert form is not None
    hidden = ["dilation", "groups", "bias", "padding_mode"]
    assert [name for name, e in form.editors.items() if e.isHidden()] == hidden
    assert form.more.accessibleName() == "More: " + ", ".join(hidden)
    lenet.set_value("conv1", "groups", 1)
    lenet.set_value("conv1", "bias", False)
    assert [name for name, e in form.editors.items() if e.isHidden()] == ["dilation", "groups", "padding_mode"]
    lenet.set_value("conv1", "bias", True)
    assert not form.editors["bias"].isHidden(), "a row stays while its node is shown"
    form.more.setFocus()
    press(form.more, Qt.Key.Key_Space)
    assert not any(e.isHidden() for e in form.editors.values())
    lenet.selection.set(["conv2"])
    assert not any(e.isHidden() for e in form.editors.values()), "what the user opened stays open"
    press(form.more, Qt.Key.Key_Left)
    assert [name for name, e in form.editors.items() if e.isHidden()] == hidden


def test_what_a_list_or_menu_points_at_is_previewed_and_taken_back(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    found = editor(inspector, "padding")
    assert isinstance(found, PaddingEditor)
    previews: list[Snapshot | None] = []
    lenet.document.previewed.connect(previews.append)
    found._actions[Way.SAME].hover()
    assert previews[-1] is not None
    assert previews[-1].inference.nodes["conv1"].output_shape == (6, 32, 32)
    assert inspector.node_page.facts.text("output") == "6×28×28 → 6×32×32"
    assert found.boxes[0].isVisible()
    found.choose.menu().aboutToHide.emit()
    assert previews.pop() is None
    assert lenet.steps == []
    found._actions[Way.SAME].trigger()
    found._actions[Way.SIDES].trigger()
    assert lenet.steps == ["Set conv1 padding to same", "Set conv1 padding to 2"]
    assert [box.value() for box in found.sides] == [2, 2, 2, 2]


def test_a_drag_over_connections_is_previewed_and_is_one_step(qtbot: QtBot, lenet: Stage) -> None:
    lenet.document.apply(
        "Insert", edits.insert_after(lenet.document.architecture, "pool1", PartialConv2d.suggested((6, 14, 14)))
    )
    (new,) = [node.id for node in lenet.document.architecture if isinstance(node.layer, PartialConv2d)]
    inspector = inspector_of(qtbot, lenet, new)
    found = editor(inspector, "connections")
    assert isinstance(found, ConnectionsEditor)
    before = lenet.value(new, "connections")
    previews: list[Snapshot | None] = []
    lenet.document.previewed.connect(previews.append)
    grid = found.grid
    column = next(i for i, row in enumerate(grid.rows) if len(row) > 2)
    place = grid.place(Cell(column, grid.rows[column][0])).center()
    QTest.mousePress(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert previews[-1] is not None
    assert lenet.value(new, "connections") == before
    QTest.mouseRelease(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert lenet.value(new, "connections") == grid.rows != before
    assert len(lenet.steps) == 2
    assert lenet.steps[-1].startswith(f"Set {new} connections to ")


def test_a_text_that_the_layer_refuses_is_said_in_place(qtbot: QtBot, lenet: Stage) -> None:
    lenet.document.apply(
        "Insert", edits.insert_after(lenet.document.architecture, "pool1", Opaque(module="GLU", arguments="dim=1"))
    )
    (new,) = [node.id for node in lenet.document.architecture if isinstance(node.layer, Opaque)]
    inspector = inspector_of(qtbot, lenet, new)
    found = editor(inspector, "arguments")
    assert isinstance(found, TextEditor)
    found.field.setFocus()
    found.field.selectAll()
    write(found.field, "dim=")
    press(found.field, Qt.Key.Key_Return)
    assert "cannot be read" in found.message.text()
    assert lenet.value(new, "arguments") == "dim=1"
    write(found.field, "2")
    press(found.field, Qt.Key.Key_Return)
    assert found.message.isHidden()
    assert lenet.value(new, "arguments") == "dim=2"
    assert lenet.steps[-1] == f"Set {new} arguments to dim=2"


def test_several_nodes_take_each_kind_of_value_together(qtbot: QtBot, lenet: Stage) -> None:
    lenet.set_value("conv1", "padding", "same")
    lenet.set_value("conv1", "padding_mode", "reflect")
    inspector = inspector_of(qtbot, lenet, "conv1", "conv2")
    padding, mode = editor(inspector, "padding"), editor(inspector, "padding_mode")
    assert isinstance(padding, PaddingEditor)
    assert isinstance(mode, ChoiceEditor)
    assert mode.box.currentIndex() == -1
    padding._actions[Way.VALID].trigger()
    mode.box.setFocus()
    press(mode.box, Qt.Key.Key_Down)
    assert {lenet.value(node, "padding") for node in ("conv1", "conv2")} == {"valid"}
    assert {lenet.value(node, "padding_mode") for node in ("conv1", "conv2")} == {"zeros"}
    assert lenet.steps[-2:] == ["Set 2 layers padding to valid", "Set 2 layers padding_mode to zeros"]


def test_applying_never_writes_and_keeps_the_focus(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv2")
    box = pair(inspector, "kernel_size").width_box
    box.setFocus()
    form = inspector.node_page.form
    lenet.set_value("conv1", "out_channels", 12)
    lenet.set_value("conv2", "kernel_size", (3, 3))
    assert lenet.steps == ["Set conv1 out_channels", "Set conv2 kernel_size"]
    assert box.hasFocus()
    assert inspector.node_page.form is form
    assert box.value() == 3


def test_a_value_that_cannot_work_is_shown_with_its_repairs(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    box = pair(inspector, "kernel_size").height_box
    box.setFocus()
    box.selectAll()
    write(box, "40")
    press(box, Qt.Key.Key_Return)
    (card,) = inspector.node_page.issues.cards
    assert "kernel_size 40 does not fit" in card.message
    assert card.isVisible()
    assert inspector.node_page.facts.text("output") == "–"
    assert "issue" in inspector.node_page.facts.tip("output")
    repair = next(button for button in card.buttons if button.text() == "padding 4")
    previews: list[object] = []
    lenet.document.previewed.connect(previews.append)
    enter(repair)
    assert previews[-1] is not None
    assert lenet.value("conv1", "padding") == (0, 0)
    assert inspector.node_page.facts.text("output") == "– → 6×1×1"
    QApplication.sendEvent(repair, QEvent(QEvent.Type.Leave))
    assert previews[-1] is None
    assert inspector.node_page.facts.text("output") == "–"
    click(repair)
    assert lenet.value("conv1", "padding") == (4, 4)
    assert lenet.document.undo_stack.undoText() == "Repair conv1: padding 4"
    assert lenet.document.undo_stack.count() == 2
    assert inspector.node_page.facts.text("output") == "6×1×1"
    lenet.document.undo_stack.undo()
    assert inspector.node_page.facts.text("output") == "–"


def test_what_is_unknown_leads_to_the_node_at_fault(qtbot: QtBot, lenet: Stage) -> None:
    lenet.set_value("conv1", "kernel_size", (40, 40))
    inspector = inspector_of(qtbot, lenet, "pool2")
    assert "conv1" in inspector.node_page.why.text()
    inspector.node_page.why.linkActivated.emit("conv1")
    assert lenet.selection.ids == ("conv1",)


def test_renaming_keeps_the_node_selected(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    name = inspector.node_page.name
    name.setFocus()
    name.selectAll()
    write(name, "stem")
    press(name, Qt.Key.Key_Return)
    assert lenet.selection.ids == ("stem",)
    assert lenet.document.architecture["tanh1"].inputs == ("stem",)
    assert lenet.steps == ["Rename conv1 to stem"]
    assert inspector.node_page.isVisible()
    assert name.text() == "stem"


@pytest.mark.parametrize("refused", ["conv2", "a b", ""])
def test_a_name_that_cannot_be_is_refused_in_place(qtbot: QtBot, lenet: Stage, refused: str) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    name = inspector.node_page.name
    name.setFocus()
    name.selectAll()
    press(name, Qt.Key.Key_Delete)
    write(name, refused)
    press(name, Qt.Key.Key_Return)
    assert inspector.node_page.refusal.isVisible()
    assert inspector.node_page.refusal.text()
    assert lenet.steps == []
    assert name.text() == refused
    press(name, Qt.Key.Key_Escape)
    assert name.text() == "conv1"
    assert not inspector.node_page.refusal.isVisible()


def test_several_layers_of_a_type_are_edited_in_one_step(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1", "conv2")
    channels = editor(inspector, "out_channels")
    assert isinstance(channels, NumberEditor)
    assert channels.box.is_blank
    kernel = pair(inspector, "kernel_size")
    assert kernel.height_box.value() == 5
    kernel.height_box.setFocus()
    press(kernel.height_box, Qt.Key.Key_Down)
    assert lenet.value("conv1", "kernel_size") == lenet.value("conv2", "kernel_size") == (4, 4)
    assert lenet.steps == ["Set 2 layers kernel_size to 4×4"]
    lenet.document.undo_stack.undo()
    assert lenet.value("conv2", "kernel_size") == (5, 5)


def test_layers_of_several_types_have_no_form_but_sums(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1", "fc1")
    assert inspector.node_page.form is None
    assert inspector.node_page.no_form.isVisible()
    assert inspector.node_page.facts.tip("parameters").startswith(f"{156 + 400 * 120 + 120:,}")


def test_nothing_selected_shows_the_network(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    page = inspector.network_page
    assert page.isVisible()
    assert page.facts.tip("parameters") == "61,706"
    assert page.facts.text("input") == "1×32×32"
    assert [(name.whole, shape.text()) for name, shape in page.outputs] == [("fc3", "10")]
    assert sum(share.amount for share in page.bars.shares) == 61_706
    click(page.measure.button(1))
    assert sum(share.amount for share in page.bars.shares) == 416_520
    click(page.measure.button(2))
    nodes = lenet.document.snapshot.inference.nodes.values()
    assert sum(share.amount for share in page.bars.shares) == sum(report.output_bytes or 0 for report in nodes)
    click(page.measure.button(3))
    found = inspector.estimates.memory(lenet.document.snapshot)
    assert sum(share.amount for share in page.bars.shares) == sum(found.nodes.values()) > 0
    click(page.measure.button(1))
    click(page.bars, QPoint(8, 8))
    assert lenet.selection.ids == ("conv1",)


def test_freezing_is_one_step_and_only_for_what_has_weights(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "tanh1")
    frozen = inspector.node_page.frozen
    assert not frozen.isVisible()
    lenet.selection.set(("conv1", "tanh1", "conv2"))
    assert frozen.isVisible()
    click(frozen, QPoint(8, frozen.height() // 2))
    architecture = lenet.document.architecture
    assert [node.id for node in architecture if node.frozen] == ["conv1", "conv2"]
    assert lenet.steps == ["Freeze 2 layers"]
    lenet.selection.set(())
    facts = inspector.network_page.facts
    assert facts.tip("frozen") == f"{156 + 2416:,}"
    assert facts.tip("trainable") == f"{61_706 - 156 - 2416:,}"
    lenet.selection.set(("conv1",))
    assert frozen.isChecked()
    assert inspector.node_page.facts.text("trainable") == "0"
    click(frozen, QPoint(8, frozen.height() // 2))
    assert lenet.document.undo_stack.undoText() == "Train conv1 again"
    lenet.selection.set(("conv1", "conv2"))
    assert frozen.checkState() is Qt.CheckState.PartiallyChecked
    lenet.document.undo_stack.undo()
    lenet.document.undo_stack.undo()
    assert not any(node.frozen for node in lenet.document.architecture)


def test_the_network_can_be_renamed(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    page = inspector.network_page
    page.name.setFocus()
    page.name.selectAll()
    write(page.name, "Mine")
    press(page.name, Qt.Key.Key_Return)
    assert lenet.document.architecture.name == "Mine"
    assert lenet.steps == ["Rename the network to Mine"]


def test_totals_say_how_far_they_reach(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    page = inspector.network_page
    assert not page.known.isVisible()
    lenet.set_value("conv2", "kernel_size", (40, 40))
    assert page.known.text() == "Totals reach up to conv2."


def test_bars_of_many_layers_keep_the_whole_sum(qtbot: QtBot) -> None:
    chain = stage(deep_chain(90))
    inspector = inspector_of(qtbot, chain)
    page = inspector.network_page
    others, rest = page.bars.others
    assert others > 0
    total = chain.document.snapshot.inference.totals.num_parameters
    assert sum(share.amount for share in page.bars.shares) + rest == total


def test_every_node_of_a_branching_network_can_be_shown_in_a_narrow_dock(qtbot: QtBot) -> None:
    network = stage(branching())
    inspector = inspector_of(qtbot, network)
    inspector.resize(260, 600)
    for node in network.document.architecture:
        network.selection.set((node.id,))
        QApplication.processEvents()
        assert inspector.horizontalScrollBar().maximum() == 0, node.id
        network.document.preview(lambda a: edits.set_input_shape(a, 4096, 1024, 1024))
        QApplication.processEvents()
        assert inspector.horizontalScrollBar().maximum() == 0, node.id
        network.document.preview(None)


def test_another_document_starts_over(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    lenet.document.open(edits.set_name(branching(), "other"))
    assert inspector.network_page.isVisible()
    assert inspector.network_page.name.text() == "other"


def test_without_a_document_it_says_so(qtbot: QtBot) -> None:
    document = Document()
    inspector = Inspector(document, Selection(document), ThemeSource())
    shown(qtbot, inspector)
    assert not inspector.node_page.isVisible()
    assert not inspector.network_page.isVisible()
