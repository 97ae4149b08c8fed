"""Layouts: remembered, and where many items make one slow, made aside while the canvas shows what it had."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import edits, folding
from explorer.architecture.placement import Placement, lay_out
from explorer.canvas import layouts
from explorer.canvas.layouts import Layouts, meanwhile
from explorer.layers import ReLU
from explorer.zoo import entry
from tests.architecture.layout_quality import CARD, laid_out, measured
from tests.canvas.conftest import Canvas
from tests.networks import branching


@pytest.fixture
def slow(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canvas]:
    """A canvas on which every layout but the first takes its time."""
    canvas.document.open(entry("resnet18").build())
    monkeypatch.setattr(layouts, "MANY_ITEMS", 0)
    yield canvas
    canvas.scene.close()


def _arrive(qtbot: QtBot, canvas: Canvas) -> None:
    qtbot.waitUntil(lambda: not canvas.scene.is_laying_out)
    canvas.view._folding.motion.finish()


def test_what_was_laid_out_is_not_again(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas.document.open(entry("resnet18").build())
    made: list[object] = []

    def counted(*arguments: Any) -> Placement:
        made.append(arguments)
        return lay_out(*arguments)

    monkeypatch.setattr(layouts, "lay_out", counted)
    folds = canvas.view._folding
    folds.unfold("layer1")
    opened = canvas.scene.placement
    folds.fold("layer1")
    assert len(made) == 1
    folds.unfold("layer1")
    assert canvas.scene.placement is opened
    canvas.document.apply("insert", edits.insert_after(canvas.architecture, "conv1", ReLU()))
    assert len(made) == 2
    canvas.document.undo_stack.undo()
    canvas.document.undo_stack.redo()
    canvas.document.undo_stack.undo()
    assert len(made) == 2
    assert canvas.scene.placement == opened


def test_meanwhile_what_was_there_stays(qtbot: QtBot, slow: Canvas) -> None:
    before = dict(slow.scene.placement.nodes) if slow.scene.placement is not None else {}
    slow.view._folding.unfold("layer2")
    scene = slow.scene
    assert scene.is_laying_out
    assert scene.placement is not None
    kept = before.keys() & scene.placement.nodes.keys()
    assert {key: scene.placement.nodes[key] for key in kept} == {key: before[key] for key in kept}
    assert not any(item.isVisible() for key, item in scene.blocks.items() if key.startswith("layer2."))
    assert not scene.frames["layer2"].isVisible()
    _arrive(qtbot, slow)
    assert all(item.isVisible() for item in (*scene.cards(), *scene.frames.values()))
    assert scene.placement.nodes.keys() == {*scene.nodes, *scene.blocks}
    slow.check()


def test_only_the_last_layout_counts(qtbot: QtBot, slow: Canvas) -> None:
    seen: list[Placement | None] = []
    slow.scene.laid_out.connect(lambda: seen.append(slow.scene.placement))
    folds = slow.view._folding
    folds.unfold("layer1")
    folds.unfold("layer2")
    folds.fold("layer1")
    _arrive(qtbot, slow)
    assert set(slow.scene.frames) == {"layer2"}
    assert slow.scene.placement is not None
    assert set(slow.scene.placement.frames) == {"layer2"}
    assert seen[-1] is slow.scene.placement
    slow.check()


def test_edits_while_a_layout_is_made(qtbot: QtBot, slow: Canvas) -> None:
    slow.view._folding.unfold_all()
    slow.document.apply("insert", edits.insert_after(slow.architecture, "layer1.0.conv1", ReLU()))
    slow.document.apply("remove", edits.remove(slow.architecture, ["bn1"]))
    slow.document.undo_stack.undo()
    _arrive(qtbot, slow)
    slow.check()
    assert slow.scene.placement is not None
    quality = measured(slow.scene.placement, slow.scene.shown.inside if slow.scene.shown is not None else {})
    assert not quality.overlaps


def _is_waiting(canvas: Canvas) -> bool:
    return canvas.scene.is_laying_out


def test_another_document_drops_what_was_being_made(slow: Canvas) -> None:
    slow.view._folding.unfold_all()
    assert _is_waiting(slow)
    slow.document.open(entry("lenet5").build())
    assert not _is_waiting(slow)
    placement = slow.scene.placement
    slow.scene.close()
    assert slow.scene.placement is placement
    slow.check()


@pytest.mark.usefixtures("qapp")
def test_closing_waits_for_what_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    found, made = Layouts(), list[Placement]()
    found.made.connect(made.append)
    network = entry("densenet201").build()
    shown = folding.shown(network, frozenset())
    monkeypatch.setattr(layouts, "MANY_ITEMS", 0)
    assert found.find(dict.fromkeys(shown.items, CARD), shown, may_wait=True) is None
    found.close()
    QApplication.processEvents()
    assert made == []


def test_what_comes_has_a_place_near_what_it_belongs_to() -> None:
    network = branching()
    _, before = laid_out(network, ("layer1", "mixed"))
    shown = folding.shown(network, {"layer1"})
    placement, hidden = meanwhile(before, dict.fromkeys(shown.items, CARD), shown)
    assert hidden == {"mixed", "mixed.left", "mixed.right", "mixed.cat"}
    assert placement.nodes["mixed.left"].x == before.nodes["mixed"].x
    assert placement.nodes["pool"] == before.nodes["pool"]
    folded = folding.shown(network, {"layer1", "mixed", "stem"})
    placement, hidden = meanwhile(before, dict.fromkeys(folded.items, CARD), folded)
    assert hidden == {"stem"}
    assert placement.nodes["stem"].y == before.frames["stem"].y
