"""Find: typed with real keys; what is lit, counted and reached, and how it ends."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.architecture import edits
from explorer.canvas.find_bar import FindBar
from explorer.canvas.spotlight import DIMMED, READABLE
from explorer.layers import Conv2d
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def resnet(canvas: Canvas) -> Canvas:
    """ResNet-50, which opens with its stages folded."""
    canvas.document.open(entry("resnet50").build())
    return canvas


def _bar(canvas: Canvas) -> FindBar:
    return canvas.view.reading.finding.bar


def _find(canvas: Canvas, text: str) -> None:
    canvas.key(Qt.Key.Key_F, CTRL)
    QTest.keyClicks(_bar(canvas).field, text)


def _press(canvas: Canvas, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(_bar(canvas).field, key, modifiers)


def _lit(canvas: Canvas) -> set[str]:
    return {card.key for card in canvas.scene.cards() if card.opacity() == 1.0}


def test_what_matches_is_lit_and_counted_and_all_else_dimmed(canvas: Canvas) -> None:
    everything = {node.id for node in canvas.architecture}
    _find(canvas, "type:conv")
    matching = {node.id for node in canvas.architecture if isinstance(node.layer, Conv2d)}
    assert _lit(canvas) == matching
    assert {canvas.item(i).opacity() for i in everything - matching} == {DIMMED}
    assert _bar(canvas).count.text() == f"{len(matching)} found"
    assert _bar(canvas).isVisible()
    QTest.keyClicks(_bar(canvas).field, " kernel>99")
    assert _lit(canvas) == set()
    assert _bar(canvas).count.text() == "0 found"


def test_what_is_selected_stays_readable_while_one_looks_for_something_else(resnet: Canvas) -> None:
    block = [node.id for node in resnet.architecture if node.id.startswith("layer2.")]
    resnet.selection.set(block)
    _find(resnet, "type:linear")
    assert _lit(resnet) == {"fc"}
    readable = {card.key for card in resnet.scene.cards() if card.opacity() == READABLE}
    assert readable == {"layer2"}
    resnet.selection.set(["conv1"])
    assert {card.key for card in resnet.scene.cards() if card.opacity() == READABLE} == {"conv1"}
    assert _lit(resnet) == {"fc"}


def test_enter_goes_through_the_matches_and_round(canvas: Canvas) -> None:
    matching = [node.id for node in canvas.architecture if isinstance(node.layer, Conv2d)]
    _find(canvas, "type:conv")
    seen = []
    for _ in range(len(matching) + 1):
        _press(canvas, Qt.Key.Key_Return)
        seen.append(canvas.selection.current)
    assert seen == [*matching, matching[0]]
    assert _bar(canvas).count.text() == f"1 of {len(matching)}"
    _press(canvas, Qt.Key.Key_Return, SHIFT)
    assert canvas.selection.current == matching[-1]
    assert _bar(canvas).field.hasFocus(), "one goes on typing"


def test_no_match_is_reached_under_the_bar_the_legend_or_the_map(resnet: Canvas) -> None:
    _find(resnet, "type:conv")
    count = 53
    assert _bar(resnet).count.text() == f"{count} found"
    for _ in range(count):
        _press(resnet, Qt.Key.Key_Return)
        current = resnet.selection.current
        assert current is not None
        card = resnet.item(current)
        place = resnet.view.mapFromScene(card.card.rect.translated(card.pos())).boundingRect()
        assert resnet.view.viewport().rect().contains(place)
        for widget in (_bar(resnet), resnet.view.reading.legend, resnet.view.reading.minimap):
            cover = QRect(widget.mapTo(resnet.view, QPoint()) - resnet.view.viewport().pos(), widget.size())
            assert not (widget.isVisible() and cover.intersects(place)), current


def test_going_to_a_match_unfolds_what_hides_it(resnet: Canvas) -> None:
    assert "layer3" in resnet.scene.blocks
    _find(resnet, "name:layer3 kernel=3 stride=2")
    assert _lit(resnet) == {"layer3"}, "the block that holds it is lit"
    _press(resnet, Qt.Key.Key_Return)
    resnet.view._folding.motion.finish()
    assert resnet.selection.ids == ("layer3.0.conv2",)
    assert "layer3.0.conv2" in resnet.scene.nodes
    assert _lit(resnet) == {"layer3.0.conv2"}, "also among the cards that have just come"
    place = resnet.scene.place_of("layer3.0.conv2")
    shown = resnet.view.mapToScene(resnet.view.viewport().rect()).boundingRect()
    assert place is not None
    assert shown.contains(place)


def test_what_is_not_understood_is_said_and_nothing_dimmed(canvas: Canvas) -> None:
    _find(canvas, "kernl>3")
    assert "kernl" in _bar(canvas).note.text()
    assert "kernel" in _bar(canvas).note.text()
    assert _lit(canvas) == {node.id for node in canvas.architecture}
    _bar(canvas).field.clear()
    assert "for example" in _bar(canvas).note.text()
    QTest.keyClicks(_bar(canvas).field, "conv")
    assert not _bar(canvas).note.isVisible()
    assert _bar(canvas).rect().contains(_bar(canvas).field.geometry())
    assert canvas.view.rect().contains(_bar(canvas).geometry())


def test_escape_closes_and_what_was_typed_is_there_the_next_time(canvas: Canvas) -> None:
    _find(canvas, "conv1")
    canvas.selection.set(("pool1",))
    _press(canvas, Qt.Key.Key_Escape)
    assert not _bar(canvas).isVisible()
    assert _lit(canvas) == {node.id for node in canvas.architecture}
    assert canvas.selection.ids == ("pool1",)
    assert canvas.view.hasFocus()
    canvas.key(Qt.Key.Key_F, CTRL)
    assert _bar(canvas).field.selectedText() == "conv1"
    assert _lit(canvas) == {"conv1"}
    # From the canvas too, and the selection stays for the next Escape.
    canvas.view.setFocus()
    canvas.key(Qt.Key.Key_Escape)
    assert not _bar(canvas).isVisible()
    assert canvas.selection.ids == ("pool1",)


def test_a_picture_of_the_whole_is_not_dimmed(canvas: Canvas) -> None:
    whole = canvas.view.to_image(0.5)
    _find(canvas, "fc1")
    assert canvas.view.to_image(0.5) == whole
    assert _lit(canvas) == {"fc1"}


def test_an_edit_is_followed(canvas: Canvas) -> None:
    _find(canvas, "kernel=7")
    assert _bar(canvas).count.text() == "0 found"
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv1", "kernel_size", 7))
    assert _lit(canvas) == {"conv1"}
    canvas.document.undo_stack.undo()
    assert _lit(canvas) == set()


def test_memory_can_be_looked_for(canvas: Canvas) -> None:
    _find(canvas, "memory>=1")
    kept = canvas.view.reading._kept_bytes()
    assert _lit(canvas) == {i for i, count in kept.items() if count >= 1}
    assert _lit(canvas)


def test_another_network_is_looked_through_at_once(canvas: Canvas) -> None:
    _find(canvas, "type:norm")
    assert _bar(canvas).count.text() == "0 found"
    canvas.document.open(entry("resnet18").build())
    QApplication.processEvents()
    count = sum("Norm" in node.layer.type_name for node in canvas.architecture)
    assert _bar(canvas).count.text() == f"{count} found"
