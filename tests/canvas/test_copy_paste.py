"""Cut, copy, paste, duplicate, group, ungroup and repeat by their keys; also between two windows."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from explorer.canvas import GraphView
from explorer.canvas.group_dialog import GroupDialog
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection, Snapshot
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def _new(canvas: Canvas, known: object) -> list[str]:
    return [node.id for node in canvas.architecture if node.id not in known]  # type: ignore[operator]


def test_copy_and_paste_put_the_same_behind_the_current_node(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv1", "tanh1"))
    canvas.key(Qt.Key.Key_C, CTRL)
    assert canvas.architecture is before
    canvas.selection.set(("pool1",))
    canvas.key(Qt.Key.Key_V, CTRL)
    conv, tanh = _new(canvas, before)
    assert canvas.architecture[conv].inputs == ("pool1",)
    assert canvas.architecture[tanh].inputs == (conv,)
    assert canvas.architecture["conv2"].inputs == (tanh,)
    assert canvas.architecture[conv].layer == before["conv1"].layer
    assert canvas.selection.ids == (conv, tanh)
    assert canvas.document.undo_stack.undoText() == "Paste 2 layers"
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_cut_heals_the_wire_and_paste_brings_it_back(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("tanh1",))
    canvas.key(Qt.Key.Key_X, CTRL)
    assert canvas.architecture["pool1"].inputs == ("conv1",)
    assert canvas.document.undo_stack.undoText() == "Cut tanh1"
    assert canvas.selection.ids == ("conv1",)
    canvas.key(Qt.Key.Key_V, CTRL)
    assert canvas.architecture == before
    canvas.check()


def test_paste_works_between_windows_and_from_text_alone(canvas: Canvas, qtbot: QtBot) -> None:
    other = Document()
    selection = Selection(other)
    view = GraphView(other, selection, ThemeSource())
    qtbot.addWidget(view)
    other.open(entry("resnet18").build())
    selection.set(node.id for node in other.architecture if node.id.startswith("layer1.0."))
    view._hands.copying.copy()
    before = canvas.architecture
    for _ in range(2):
        canvas.selection.set(("conv1",))
        canvas.key(Qt.Key.Key_V, CTRL)
        new = _new(canvas, before)
        assert {i.partition(".")[0] for i in new} == {"0"}
        assert canvas.document.snapshot.inference.nodes[new[-1]].layer.type_name == "ReLU"
        assert any(block.kind == "residual block" for block in canvas.architecture.blocks)
        canvas.check()
        canvas.document.undo_stack.undo()
        QGuiApplication.clipboard().setText(QGuiApplication.clipboard().text())
    view.close()


def test_what_cannot_be_copied_or_pasted_says_why(canvas: Canvas) -> None:
    before = canvas.architecture
    QGuiApplication.clipboard().setText("hello")
    canvas.key(Qt.Key.Key_V, CTRL)
    assert "holds no layers" in canvas.messages[-1]
    canvas.key(Qt.Key.Key_C, CTRL)
    assert "nothing is selected" in canvas.messages[-1]
    canvas.selection.set(("input",))
    canvas.key(Qt.Key.Key_X, CTRL)
    assert "network's input" in canvas.messages[-1]
    assert canvas.architecture is before
    canvas.key(Qt.Key.Key_A, CTRL)
    canvas.key(Qt.Key.Key_C, CTRL)
    assert '"conv1"' in QGuiApplication.clipboard().text().replace("copied.", "")


def test_duplicate_leaves_the_clipboard_alone(canvas: Canvas) -> None:
    before = canvas.architecture
    QGuiApplication.clipboard().setText("mine")
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_D, CTRL)
    (new,) = _new(canvas, before)
    assert canvas.architecture[new].inputs == ("conv1",)
    assert canvas.architecture["tanh1"].inputs == (new,)
    assert QGuiApplication.clipboard().text() == "mine"
    canvas.check()


def test_a_folded_block_is_duplicated_beside_itself(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    canvas.selection.set(canvas.scene.nodes_of("layer4"))
    canvas.key(Qt.Key.Key_D, CTRL)
    new = _new(canvas, before)
    assert {i.partition(".")[0] for i in new} == {"layer5"}
    assert canvas.document.undo_stack.count() == 1
    canvas.check()


def test_group_ungroup_and_repeat_by_key(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("conv1", "tanh1"))
    canvas.key(Qt.Key.Key_G, CTRL)
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, GroupDialog) and w.isVisible())
    dialog.name.setText("stem")
    dialog.accept()
    assert canvas.selection.ids == ("stem.conv1", "stem.tanh1")
    canvas.key(Qt.Key.Key_R, CTRL)
    assert "stem" in canvas.messages[-1], "a second one would make something else of it, as is said"
    canvas.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert [node.id for node in canvas.architecture] == [node.id for node in before]
    assert canvas.document.undo_stack.count() == 2
    canvas.check()


def test_one_more_of_a_block_by_key(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    before = canvas.architecture
    canvas.view.reveal("layer1.1.conv1")
    canvas.selection.set(("layer1.1.conv1",))
    canvas.key(Qt.Key.Key_R, CTRL)
    assert {i.rpartition(".")[0] for i in canvas.selection.ids} == {"layer1.2"}
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_hovering_a_repetition_previews_it(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.view.reveal("layer1.1.conv1")
    canvas.view._folding.motion.finish()
    previews: list[Snapshot | None] = []
    canvas.document.previewed.connect(previews.append)
    menu = canvas.view.menu_at(canvas.at("layer1.1.conv1"))
    action = next(a for a in menu.actions() if a.text().startswith("Repeat block layer1.1"))
    repeats = action.menu()
    assert isinstance(repeats, QMenu)
    repeats.actions()[2].hover()
    repeats.aboutToHide.emit()
    shown, ended = previews[-2:]
    assert shown is not None
    assert len(shown.architecture) > len(canvas.architecture)
    assert ended is None
    canvas.check()
