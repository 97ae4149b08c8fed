"""A residual block built by hand from the bare image: once by mouse alone, once by keys alone, with real events."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from explorer.architecture import Architecture, Node
from explorer.canvas.quick_add import QuickAdd
from explorer.layers import Add, BatchNorm2d, Conv2d, Input, ReLU
from tests.canvas.conftest import Canvas


@pytest.fixture
def bare(canvas: Canvas) -> Canvas:
    """Nothing but an image of 16 channels."""
    node = Node(id="image", layer=Input(channels=16, height=32, width=32), inputs=())
    canvas.document.open(Architecture(name="by hand", nodes=(node,), outputs=("image",)))
    return canvas


def _box(canvas: Canvas) -> QuickAdd:
    return canvas.view._hands.adding.box


def _check_built(canvas: Canvas) -> None:
    """He et al. 2015, figure 2, with batch norm."""
    architecture = canvas.architecture
    types = [type(node.layer) for node in architecture]
    assert types == [Input, Conv2d, BatchNorm2d, ReLU, Conv2d, BatchNorm2d, Add, ReLU]
    image, conv1, norm1, relu1, conv2, norm2, add, relu2 = architecture.nodes
    read = [node.inputs for node in (conv1, norm1, relu1, conv2, norm2, relu2)]
    assert read == [(image.id,), (conv1.id,), (norm1.id,), (relu1.id,), (conv2.id,), (add.id,)]
    assert set(add.inputs) == {norm2.id, image.id}
    assert architecture.outputs == (relu2.id,)
    snapshot = canvas.document.snapshot
    assert snapshot.inference.errors == ()
    assert snapshot.inference.nodes[relu2.id].output_shape == (16, 32, 32)
    # Two 3×3 convolutions with bias and two batch norms over 16 channels.
    assert snapshot.inference.totals.num_parameters == 2 * (16 * 16 * 9 + 16) + 2 * 2 * 16
    canvas.check()


def _check_undone(canvas: Canvas, before: Architecture) -> None:
    while canvas.document.undo_stack.canUndo():
        canvas.document.undo_stack.undo()
        canvas.check()
    assert canvas.architecture is before


def test_by_keys_alone(bare: Canvas) -> None:
    """A opens the box behind what is selected, Enter adds and selects: so each line goes behind the one before."""
    before, box = bare.architecture, _box(bare)
    for line in ("conv 16 3", "bn", "relu", "conv 16 3", "bn", "add image", "relu"):
        bare.key(Qt.Key.Key_A)
        assert box.isVisible()
        QTest.keyClicks(box.line, line)
        QTest.keyClick(box.line, Qt.Key.Key_Return)
        assert not box.isVisible(), box.facts.text()
        assert bare.view.hasFocus()
    _check_built(bare)
    assert bare.document.undo_stack.count() == 7
    _check_undone(bare, before)


def _border(canvas: Canvas, key: str, *, is_output: bool) -> QPoint:
    """A card's port: in the middle below, or above."""
    box = canvas.item(key).card.rect
    return canvas.on_card(key, QPointF(box.center().x(), box.bottom() if is_output else box.top()))


def _let_go(canvas: Canvas, place: QPoint) -> None:
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QApplication.processEvents()


def _draw_new(canvas: Canvas, source: str, name: str) -> str:
    """A wire drawn from a card into the empty canvas, and the layer chosen with the mouse from the list there."""
    known = {node.id for node in canvas.architecture}
    start = _border(canvas, source, is_output=True)
    end = start + QPoint(0, 60)
    assert canvas.scene.card_at(canvas.view.mapToScene(end)) is None
    canvas.hover(start)
    canvas.drag(start, end)
    _let_go(canvas, end)
    box = _box(canvas)
    assert box.isVisible()
    (line,) = (i for i in range(box.list.count()) if box.list.item(i).text() == name)
    place = box.list.visualItemRect(box.list.item(line)).center()
    QTest.mouseClick(box.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not box.isVisible()
    QApplication.processEvents()
    canvas.view.fit(animated=False)
    (new,) = (node.id for node in canvas.architecture if node.id not in known)
    return new


def _choose(menu: QMenu, *path: str) -> None:
    """Trigger the action under these texts, submenu by submenu."""
    done: Callable[[], None] | None = None
    for text in path:
        action = next(a for a in menu.actions() if a.text().partition("\t")[0] == text)
        done = action.trigger
        below = action.menu()
        if isinstance(below, QMenu):
            menu = below
    assert done is not None
    done()


def test_by_mouse_alone(bare: Canvas) -> None:
    canvas, before = bare, bare.architecture
    canvas.view.fit(animated=False)
    last, made = "image", []
    for name in ("Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d"):
        last = _draw_new(canvas, last, name)
        made.append(last)
    # Joined with the wrong branch, whose wire is then taken to the image.
    canvas.click(canvas.at(made[0]))
    canvas.click(canvas.at(last), Qt.KeyboardModifier.ControlModifier)
    _choose(canvas.view.menu_at(canvas.at(last)), "Join 2 nodes with", "Add")
    (add,) = canvas.selection.ids
    QApplication.processEvents()
    canvas.view.fit(animated=False)
    _draw_new(canvas, add, "ReLU")
    wire = next(w for w in canvas.scene.wires if w.source == made[0] and w.target == add)
    assert canvas.scene.placement is not None
    first, second = canvas.scene.placement.wires[wire][:2]
    along = 14 if second.y > first.y else -14
    start = canvas.view.mapFromScene(QPointF(first.x, first.y + along))
    canvas.hover(start)
    canvas.drag(start, canvas.at("image"))
    assert canvas.view._hands.hint.title.text() == f"Connect image to {add} in place of {made[0]}"
    _let_go(canvas, canvas.at("image"))
    _check_built(canvas)
    assert canvas.document.undo_stack.count() == 8
    _check_undone(canvas, before)
