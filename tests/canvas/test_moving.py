"""Cards moved with the mouse: snapping, staying put through edits, folding and files, Esc, undo, Tidy."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.canvas.moving import snapped
from explorer.layers import ReLU
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

CTRL = Qt.KeyboardModifier.ControlModifier


def _let_go(canvas: Canvas, place: QPoint) -> None:
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _move(canvas: Canvas, key: str, by: QPoint) -> None:
    start = canvas.at(key)
    canvas.drag(start, start + by)
    _let_go(canvas, start + by)


def _place(canvas: Canvas, key: str) -> tuple[float, float]:
    return canvas.item(key).x(), canvas.item(key).y()


def test_a_drag_moves_a_card_and_its_wires_in_one_step(canvas: Canvas) -> None:
    before, others = _place(canvas, "conv1"), _place(canvas, "fc3")
    _move(canvas, "conv1", QPoint(200, 0))
    x, y = _place(canvas, "conv1")
    assert x - before[0] == pytest.approx(200 / canvas.view.zoom, abs=9 / canvas.view.zoom)
    assert _place(canvas, "fc3") == others
    assert canvas.selection.ids == ("conv1",)
    placement = canvas.scene.placement
    assert placement is not None
    for wire, points in placement.wires.items():
        assert points[0].y == placement.nodes[wire.source].bottom
        assert points[-1].y == placement.nodes[wire.target].y
    assert canvas.document.undo_stack.undoText() == "Move conv1"
    canvas.check()
    canvas.document.undo_stack.undo()
    assert _place(canvas, "conv1") == before
    canvas.document.undo_stack.redo()
    assert _place(canvas, "conv1") == (x, y)
    canvas.check()


def test_escape_puts_it_back(canvas: Canvas) -> None:
    before = _place(canvas, "conv1")
    start = canvas.at("conv1")
    canvas.drag(start, start + QPoint(150, 40))
    assert _place(canvas, "conv1") != before
    canvas.key(Qt.Key.Key_Escape)
    assert _place(canvas, "conv1") == before
    _let_go(canvas, start)
    assert canvas.document.undo_stack.count() == 0
    canvas.check()


def test_a_few_pixels_are_a_click(canvas: Canvas) -> None:
    before = _place(canvas, "conv1")
    _move(canvas, "conv1", QPoint(2, 2))
    assert _place(canvas, "conv1") == before
    assert canvas.document.undo_stack.count() == 0


def test_what_is_selected_moves_together(canvas: Canvas) -> None:
    canvas.click(canvas.at("conv1"))
    canvas.click(canvas.at("tanh1"), CTRL)
    before = {key: _place(canvas, key) for key in ("conv1", "tanh1", "pool1")}
    _move(canvas, "tanh1", QPoint(-180, 0))
    moved = {key: _place(canvas, key)[0] - place[0] for key, place in before.items()}
    assert moved["conv1"] == moved["tanh1"] < -100
    assert moved["pool1"] == 0
    assert canvas.selection.ids == ("conv1", "tanh1")
    assert canvas.document.undo_stack.count() == 1
    canvas.click(canvas.at("tanh1"))
    assert list(canvas.selection.ids) == ["tanh1"], "a click without a movement selects that one"


def test_it_stays_put_through_edits_and_saving(canvas: Canvas) -> None:
    _move(canvas, "conv1", QPoint(250, 0))
    there = _place(canvas, "conv1")
    canvas.document.apply("Insert", edits.insert_after(canvas.architecture, "fc3", ReLU()))
    assert _place(canvas, "conv1") == there
    canvas.document.apply("Insert", edits.insert_before(canvas.architecture, "conv1", ReLU()))
    assert _place(canvas, "conv1") == there
    canvas.document.open(canvas.architecture, sections=canvas.document.sections)
    assert _place(canvas, "conv1") == there
    canvas.document.open(entry("lenet5").build())
    assert _place(canvas, "conv1") != there
    canvas.check()


def _overlaps(canvas: Canvas) -> list[tuple[str, str]]:
    """What lies over what that is not inside it: cards and open blocks."""
    placement, shown = canvas.scene.placement, canvas.scene.shown
    assert placement is not None
    assert shown is not None
    boxes = {**placement.nodes, **placement.frames}

    def is_in(key: str, path: str) -> bool:
        around = shown.inside.get(key)
        return around is not None and (around == path or is_in(around, path))

    pairs = itertools.combinations(boxes, 2)
    return [(a, b) for a, b in pairs if boxes[a].overlaps(boxes[b]) and not is_in(a, b) and not is_in(b, a)]


def test_a_card_let_go_over_another_lands_beside_it_and_nothing_makes_way(canvas: Canvas) -> None:
    others = {key: _place(canvas, key) for key in canvas.scene.nodes if key != "conv1"}
    before = _place(canvas, "conv1")
    over = canvas.at("pool2")
    canvas.drag(canvas.at("conv1"), over)
    card = canvas.item("conv1")
    assert card.opacity() < 1, "it hangs over the other"
    assert card.sceneBoundingRect().contains(canvas.view.mapToScene(over))
    (outline,) = canvas.view._hands._overlay.drawn.fitting
    assert _overlaps(canvas) == []
    _let_go(canvas, over)
    assert card.opacity() == 1
    assert _place(canvas, "conv1") == (outline.x(), outline.y()), "where the outline was"
    assert {key: _place(canvas, key) for key in others} == others
    assert _overlaps(canvas) == []
    canvas.check()
    assert canvas.document.undo_stack.count() == 1
    there = _place(canvas, "conv1")
    canvas.document.undo_stack.undo()
    assert _place(canvas, "conv1") == before
    canvas.document.undo_stack.redo()
    assert _place(canvas, "conv1") == there
    _move(canvas, "fc3", canvas.at("conv1") - canvas.at("fc3"))
    assert _overlaps(canvas) == []
    canvas.check()


def test_escape_over_another_card_puts_it_back_whole(canvas: Canvas) -> None:
    before = _place(canvas, "conv1")
    canvas.drag(canvas.at("conv1"), canvas.at("pool2"))
    canvas.key(Qt.Key.Key_Escape)
    assert (_place(canvas, "conv1"), canvas.item("conv1").opacity()) == (before, 1)
    _let_go(canvas, canvas.at("pool2"))
    assert canvas.document.undo_stack.count() == 0
    canvas.check()


def test_a_card_lies_over_no_header_and_a_block_that_grows_over_nothing(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.view._folding.unfold("layer2")
    canvas.view._folding.motion.finish()
    canvas.view.fit(animated=False)
    frame = canvas.scene.frames["layer2"]
    header = canvas.view.mapFromScene(frame.mapToScene(frame.header.center()))
    _move(canvas, "maxpool", header - canvas.at("maxpool"))
    assert _overlaps(canvas) == []
    inner = canvas.scene.blocks["layer2.0"]
    start = canvas.view.mapFromScene(inner.mapToScene(inner.card.maps.center()))
    end = canvas.at("fc")
    canvas.drag(start, end)
    _let_go(canvas, end)
    assert _overlaps(canvas) == []
    assert canvas.document.undo_stack.count() == 2
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    assert _overlaps(canvas) == [], "unfolded, too: what was moved stays, what it would cover goes aside"
    canvas.check()


def test_tidy_lays_out_again_and_is_undone_in_one_step(canvas: Canvas, qtbot: QtBot) -> None:
    before = {key: _place(canvas, key) for key in canvas.scene.nodes}
    _move(canvas, "conv1", QPoint(250, 0))
    _move(canvas, "fc1", QPoint(-250, 0))
    moved = {key: _place(canvas, key) for key in canvas.scene.nodes}
    canvas.key(Qt.Key.Key_T)
    assert canvas.view._folding.motion.is_running
    assert {key: _place(canvas, key) for key in canvas.scene.nodes} == before
    qtbot.waitUntil(lambda: not canvas.view._folding.motion.is_running, timeout=2000)
    canvas.document.undo_stack.undo()
    assert {key: _place(canvas, key) for key in canvas.scene.nodes} == moved
    canvas.check()


def test_an_open_block_is_moved_by_its_header(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet18").build())
    canvas.view._folding.unfold("layer2")
    canvas.view._folding.motion.finish()
    canvas.view.fit(animated=False)
    frame = canvas.scene.frames["layer2"]
    inner = [key for key in (*canvas.scene.nodes, *canvas.scene.blocks) if key.startswith("layer2.")]
    cards = [item for key in inner if (item := canvas.scene.card(key)) is not None]
    before, there = frame.pos(), [item.pos() for item in cards]
    start = canvas.view.mapFromScene(frame.mapToScene(frame.header.center()))
    canvas.drag(start, start + QPoint(160, 0))
    _let_go(canvas, start + QPoint(160, 0))
    assert frame.pos().x() - before.x() > 100
    assert len({item.x() - place.x() for item, place in zip(cards, there, strict=True)}) == 1
    canvas.check()


def test_near_the_edge_the_view_scrolls_along(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    start, end = canvas.at("conv1"), QPoint(450, canvas.view.viewport().height() - 4)
    top = canvas.view.mapToScene(QPoint(0, 0)).y()
    canvas.drag(start, end)
    qtbot.waitUntil(lambda: canvas.view.mapToScene(QPoint(0, 0)).y() > top + 80, timeout=3000)
    under = canvas.item("conv1").sceneBoundingRect()
    assert under.adjusted(-20, -20, 20, 20).contains(canvas.view.mapToScene(end)), "it is still under the pointer"
    canvas.key(Qt.Key.Key_Escape)
    assert not canvas.view._hands.edge_scroll.is_running
    _let_go(canvas, end)


def test_snapping_takes_the_nearest_axis_within_reach() -> None:
    box, above, beside = QRectF(5, 100, 40, 20), QRectF(0, 0, 40, 20), QRectF(200, 96, 40, 20)
    snap = snapped(box, [above, beside], 8)
    assert snap.by == QPointF(-5, -4)
    assert len(snap.guides) == 2
    assert snap.guides[0].x1() == snap.guides[0].x2() == above.center().x()
    assert snap.guides[1].y1() == snap.guides[1].y2() == beside.center().y()
    assert snapped(box, [above, beside], 3) == (QPointF(), ())
