"""What leads to a node and what follows from it, against networkx-free reachability, and the keys and menu for it."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from explorer.architecture import Architecture
from explorer.canvas.reading import HOLD_MS
from explorer.canvas.tracing import Trace, traced
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


def _ancestors(architecture: Architecture, node_id: str) -> set[str]:
    """By the definition: a fixed point over all connections."""
    found = {node_id}
    while True:
        more = {source for node in architecture if node.id in found for source in node.inputs} - found
        if not more:
            return found
        found |= more


@pytest.fixture
def googlenet(canvas: Canvas) -> Canvas:
    canvas.document.open(entry("googlenet").build())
    return canvas


@pytest.mark.parametrize("node_id", ["input", "inception4a.conv3x3", "inception4a.concat", "fc"])
def test_both_ways_are_what_connections_say(node_id: str) -> None:
    architecture = entry("googlenet").build()
    assert traced(architecture, [node_id], Trace.UPSTREAM) == _ancestors(architecture, node_id)
    below = {node.id for node in architecture if node_id in _ancestors(architecture, node.id)}
    assert traced(architecture, [node_id], Trace.DOWNSTREAM) == below
    both = traced(architecture, [node_id], Trace.UPSTREAM | Trace.DOWNSTREAM)
    assert both == _ancestors(architecture, node_id) | below


def _lit(canvas: Canvas) -> set[str]:
    return {card.key for card in canvas.scene.cards() if card.opacity() == 1.0}


def _items_of(canvas: Canvas, node_ids: set[str]) -> set[str]:
    assert canvas.scene.shown is not None
    return {canvas.scene.shown.holders[node_id] for node_id in node_ids}


def test_u_and_d_light_what_leads_there_and_what_follows(canvas: Canvas) -> None:
    everything = {node.id for node in canvas.architecture}
    canvas.key(Qt.Key.Key_U)
    assert _lit(canvas) == everything, "nothing is selected"
    canvas.selection.set(("pool1",))
    canvas.key(Qt.Key.Key_U)
    above = _ancestors(canvas.architecture, "pool1")
    assert _lit(canvas) == above
    lines = {wire for wire, item in canvas.scene.wires.items() if item.opacity() == 1.0}
    assert lines == {wire for wire in canvas.scene.wires if {wire.source, wire.target} <= above}
    canvas.key(Qt.Key.Key_D)
    assert _lit(canvas) == everything, "a chain is all above or below"
    canvas.key(Qt.Key.Key_U)
    assert _lit(canvas) == everything - above | {"pool1"}
    canvas.key(Qt.Key.Key_Escape)
    assert _lit(canvas) == everything
    assert canvas.selection.ids == ("pool1",), "the first Escape ends the trace alone"


def test_a_trace_follows_the_selection_and_ends_with_it(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_U)
    assert _lit(canvas) == {"input", "conv1"}
    canvas.selection.set(("conv2",))
    assert _lit(canvas) == _ancestors(canvas.architecture, "conv2")
    canvas.selection.set(())
    assert _lit(canvas) == {node.id for node in canvas.architecture}
    canvas.selection.set(("conv1",))
    assert _lit(canvas) == {node.id for node in canvas.architecture}


def test_folded_blocks_are_lit_where_something_in_them_is(googlenet: Canvas) -> None:
    node_id = "inception4a.conv3x3"
    googlenet.selection.set((node_id,))
    googlenet.view._folding.motion.finish()
    googlenet.key(Qt.Key.Key_U)
    above = _ancestors(googlenet.architecture, node_id)
    assert _lit(googlenet) == _items_of(googlenet, above)
    assert "inception3b" in googlenet.scene.blocks
    assert "inception3b" in _lit(googlenet)
    assert "inception4b" not in _lit(googlenet)
    assert googlenet.scene.frames["inception4a"].opacity() == 1.0


def _send(canvas: Canvas, kind: QEvent.Type, key: Qt.Key, at_ms: int) -> None:
    event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier)
    event.setTimestamp(at_ms)
    QApplication.sendEvent(canvas.view, event)


def test_a_held_key_ends_with_its_release_and_a_tapped_one_stays(canvas: Canvas) -> None:
    canvas.selection.set(("conv1",))
    _send(canvas, QEvent.Type.KeyPress, Qt.Key.Key_U, 1000)
    assert _lit(canvas) == {"input", "conv1"}
    _send(canvas, QEvent.Type.KeyRelease, Qt.Key.Key_U, 1000 + HOLD_MS)
    assert _lit(canvas) == {node.id for node in canvas.architecture}
    _send(canvas, QEvent.Type.KeyPress, Qt.Key.Key_U, 5000)
    _send(canvas, QEvent.Type.KeyRelease, Qt.Key.Key_U, 5000 + HOLD_MS // 4)
    assert _lit(canvas) == {"input", "conv1"}


def test_find_comes_before_a_trace_which_is_there_again_after(canvas: Canvas) -> None:
    canvas.selection.set(("pool1",))
    canvas.key(Qt.Key.Key_U)
    canvas.view.reading.open_find()
    canvas.view.reading.finding.bar.field.setText("fc")
    assert all("fc" in key for key in _lit(canvas))
    canvas.view.reading.finding.close()
    assert _lit(canvas) == _ancestors(canvas.architecture, "pool1")


def test_cards_that_appear_while_unfolding_stay_dimmed(googlenet: Canvas) -> None:
    googlenet.selection.set(("conv1",))
    googlenet.key(Qt.Key.Key_U)
    googlenet.view._folding.unfold("inception5b")
    googlenet.view._folding.motion.finish()
    assert googlenet.item("inception5b.concat").opacity() < 1.0
