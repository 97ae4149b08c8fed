"""Blocks on the canvas: folded and unfolded in place by mouse, keys and menus, selected, revealed, alone, edited."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from explorer.architecture import edits, grouping
from explorer.canvas.breadcrumbs import Breadcrumbs
from explorer.canvas.motion import FOLD_MS
from explorer.look.theme import DARK
from explorer.runs import Atlas, FeatureMapsCaptured
from explorer.session.sources import Source
from explorer.zoo import entry
from explorer.zoo.blocks import block_entry
from tests.canvas.conftest import Canvas
from tests.canvas.test_graph_scene import random_edit

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def resnet(canvas: Canvas) -> Canvas:
    canvas.document.open(entry("resnet50").build())
    return canvas


def _on_block(canvas: Canvas, path: str) -> QPoint:
    block = canvas.scene.blocks[path]
    return canvas.view.mapFromScene(block.mapToScene(block.card.maps.center()))


def _on_header(canvas: Canvas, path: str) -> QPoint:
    frame = canvas.scene.frames[path]
    return canvas.view.mapFromScene(frame.mapToScene(QPointF(100, frame.header.center().y())))


def _double_click(canvas: Canvas, place: QPoint) -> None:
    QTest.mouseClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def _settle(canvas: Canvas, qtbot: QtBot) -> None:
    """Wait until nothing glides any more."""

    def is_still() -> bool:
        items = (*canvas.scene.cards(), *canvas.scene.frames.values())
        return all(item.transform().isIdentity() and item.opacity() == 1.0 for item in items)

    qtbot.waitUntil(is_still, timeout=10 * FOLD_MS)


def _ids(canvas: Canvas, path: str) -> tuple[str, ...]:
    return tuple(node.id for node in canvas.architecture if node.id.startswith(f"{path}."))


def _action(menu: QMenu, text: str) -> QAction:
    return next(a for a in menu.actions() if a.text().partition("\t")[0] == text)


def test_a_large_network_opens_as_an_overview(resnet: Canvas) -> None:
    assert list(resnet.scene.blocks) == ["layer1", "layer2", "layer3", "layer4"]
    assert resnet.scene.frames == {}
    facts = resnet.scene.blocks["layer3"].facts
    assert (facts.kind, facts.parts) == ("stage", (6, "bottleneck"))
    assert (facts.arrives, facts.leaves) == (((512, 28, 28),), ((1024, 14, 14),))
    resnet.check()


def test_a_small_network_with_blocks_is_open_in_frames(canvas: Canvas) -> None:
    canvas.document.open(entry("vgg16").build())
    assert canvas.scene.blocks == {}
    assert list(canvas.scene.frames) == ["features", "classifier"]
    canvas.check()


def test_a_double_click_unfolds_in_place_and_another_folds_again(resnet: Canvas, qtbot: QtBot) -> None:
    before, steps = resnet.document.snapshot, resnet.document.undo_stack.count()
    place = _on_block(resnet, "layer3")
    _double_click(resnet, place)
    _settle(resnet, qtbot)
    assert list(resnet.scene.frames) == ["layer3"]
    assert [path for path in resnet.scene.blocks if path.startswith("layer3.")] == [f"layer3.{n}" for n in range(6)]
    under = resnet.scene.frame_at(resnet.view.mapToScene(place))
    assert under is not None
    assert under.key == "layer3", "its header came to be under the pointer"
    resnet.check()
    _double_click(resnet, place)
    _settle(resnet, qtbot)
    item = resnet.scene.card_at(resnet.view.mapToScene(place))
    assert item is resnet.scene.blocks["layer3"], "and its card again"
    assert resnet.scene.frames == {}
    resnet.check()
    assert resnet.document.snapshot is before
    assert resnet.document.undo_stack.count() == steps, "the view is no edit"


def test_the_chevron_folds_at_a_single_click(resnet: Canvas, qtbot: QtBot) -> None:
    resnet.view.zoom_by(1 / resnet.view.zoom)
    resnet.view.reveal("layer2.0.conv1")
    _settle(resnet, qtbot)
    assert "layer2" in resnet.scene.frames
    frame = resnet.scene.frames["layer2"]
    resnet.click(resnet.view.mapFromScene(frame.mapToScene(QPointF(12, frame.header.center().y()))))
    _settle(resnet, qtbot)
    block = resnet.scene.blocks["layer2"]
    assert block.card.chevron is not None
    resnet.click(resnet.view.mapFromScene(block.mapToScene(block.card.chevron.center())))
    assert "layer2" in resnet.scene.frames
    resnet.check()


def test_keys_fold_and_unfold(resnet: Canvas, qtbot: QtBot) -> None:
    resnet.selection.set(_ids(resnet, "layer1"))
    resnet.key(Qt.Key.Key_Return)
    assert "layer1" in resnet.scene.frames
    _settle(resnet, qtbot)
    resnet.selection.set(_ids(resnet, "layer1.1"))
    resnet.key(Qt.Key.Key_BracketRight)
    assert "layer1.1" in resnet.scene.frames
    resnet.key(Qt.Key.Key_BracketLeft)
    assert "layer1.1" in resnet.scene.blocks
    assert set(resnet.selection.ids) == set(_ids(resnet, "layer1.1"))
    resnet.key(Qt.Key.Key_BracketLeft)
    assert "layer1" in resnet.scene.blocks
    resnet.key(Qt.Key.Key_BraceRight, SHIFT)
    assert resnet.scene.blocks == {}
    assert len(resnet.scene.nodes) == len(resnet.architecture)
    resnet.check()
    resnet.key(Qt.Key.Key_BraceLeft, SHIFT)
    assert list(resnet.scene.blocks) == ["layer1", "layer2", "layer3", "layer4"]
    resnet.check()


def test_arrow_keys_and_tab_go_over_blocks_as_one(resnet: Canvas) -> None:
    resnet.selection.set(("maxpool",))
    resnet.key(Qt.Key.Key_Down)
    assert resnet.selection.ids == _ids(resnet, "layer1")
    resnet.key(Qt.Key.Key_Tab)
    assert resnet.selection.ids == _ids(resnet, "layer2")
    resnet.key(Qt.Key.Key_Up)
    resnet.key(Qt.Key.Key_Up)
    assert resnet.selection.ids == ("maxpool",)
    assert len(resnet.scene.blocks) == 4, "nothing opened on the way"
    resnet.check()


def test_a_click_selects_all_of_a_block_and_a_rubber_band_too(resnet: Canvas) -> None:
    resnet.click(_on_block(resnet, "layer2"))
    assert resnet.selection.ids == _ids(resnet, "layer2")
    assert resnet.scene.blocks["layer2"].is_selected
    resnet.click(_on_block(resnet, "layer3"), CTRL)
    assert set(resnet.selection.ids) == {*_ids(resnet, "layer2"), *_ids(resnet, "layer3")}
    resnet.click(_on_block(resnet, "layer2"), CTRL)
    assert resnet.selection.ids == _ids(resnet, "layer3")
    start = resnet.view.mapFromScene(resnet.scene.blocks["layer4"].pos() - QPointF(40, 0))
    resnet.drag(start, _on_block(resnet, "layer4"))
    QTest.mouseRelease(resnet.view.viewport(), Qt.MouseButton.LeftButton, pos=_on_block(resnet, "layer4"))
    assert resnet.selection.ids == _ids(resnet, "layer4")
    assert len(resnet.scene.blocks) == 4
    resnet.check()


def test_a_node_selected_elsewhere_opens_what_hides_it(resnet: Canvas) -> None:
    resnet.selection.set(("layer3.0.downsample.1",))
    assert list(resnet.scene.frames) == ["layer3", "layer3.0", "layer3.0.downsample"]
    assert resnet.item("layer3.0.downsample.1").is_selected
    resnet.view.reveal("layer3.0.downsample.1")
    shown = resnet.view.mapToScene(resnet.view.viewport().rect()).boundingRect()
    assert shown.contains(resnet.item("layer3.0.downsample.1").sceneBoundingRect().center())
    resnet.check()


def test_the_state_survives_edits_and_another_document_starts_anew(resnet: Canvas, qtbot: QtBot) -> None:
    _double_click(resnet, _on_block(resnet, "layer3"))
    _settle(resnet, qtbot)
    resnet.document.apply("Repeat", grouping.repeat(resnet.architecture, "layer3.1", 2))
    assert list(resnet.scene.frames) == ["layer3"]
    assert {"layer3.6", "layer3.7"} <= resnet.scene.blocks.keys(), "new blocks are folded"
    resnet.check()
    resnet.document.undo_stack.undo()
    assert list(resnet.scene.frames) == ["layer3"]
    resnet.check()
    resnet.document.open(entry("resnet50").build())
    assert resnet.scene.frames == {}
    resnet.check()


def test_values_inside_a_folded_block_change_its_sums_and_light_it_up(resnet: Canvas) -> None:
    macs = resnet.scene.blocks["layer1"].facts.macs
    resnet.document.apply("Set", edits.set_value(resnet.architecture, "layer1.1.conv2", "dilation", 2))
    resnet.check()
    resnet.document.apply("Set", edits.set_value(resnet.architecture, "layer1.0.conv1", "out_channels", 32))
    assert resnet.scene.blocks["layer1"].facts.macs < macs
    assert resnet.scene.blocks["layer1"].glow > 0.9
    resnet.check()


def test_a_preview_shows_what_a_block_would_be(resnet: Canvas) -> None:
    resnet.document.preview(lambda a: edits.set_value(a, "conv1", "stride", 1))
    after = resnet.scene.blocks["layer4"].preview
    assert after is not None
    assert after.leaves == ((2048, 14, 14),)
    assert after.macs > resnet.scene.blocks["layer4"].facts.macs
    resnet.view.to_image(1.0)
    resnet.document.preview(None)
    resnet.check()


def test_a_fault_inside_is_told_on_the_card(resnet: Canvas) -> None:
    resnet.document.apply("Break", edits.set_value(resnet.architecture, "layer2.1.conv2", "kernel_size", 99))
    fault = resnet.scene.blocks["layer2"].facts.fault
    assert fault is not None
    assert fault.node_id == "layer2.1.conv2"
    assert "layer2.1.conv2" in resnet.scene.blocks["layer2"].tool_tip()
    resnet.view.to_image(1.0)
    resnet.view.to_image(0.3)
    resnet.view.to_image(0.1)
    resnet.check()


def test_equal_blocks_are_marked_and_light_up_together(resnet: Canvas, qtbot: QtBot) -> None:
    _double_click(resnet, _on_block(resnet, "layer3"))
    _settle(resnet, qtbot)
    resnet.hover(_on_block(resnet, "layer3.2"))
    lit = {path for path, block in resnet.scene.blocks.items() if block.is_highlighted}
    assert lit == {f"layer3.{n}" for n in range(1, 6)}
    first = resnet.scene.blocks["layer3.0"].likeness
    assert first is not None
    assert first.is_odd
    resnet.view.to_image(1.0)
    resnet.hover(QPoint(5, 300))
    assert not any(block.is_highlighted for block in resnet.scene.blocks.values())
    resnet.document.apply("Set", edits.set_value(resnet.architecture, "layer3.4.conv3", "bias", True))
    resnet.check()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Backspace])
def test_a_block_open_alone_and_the_way_back(resnet: Canvas, key: Qt.Key) -> None:
    bar = resnet.view.findChild(Breadcrumbs)
    assert bar is not None
    resnet.selection.set(_ids(resnet, "layer3"))
    resnet.key(Qt.Key.Key_O)
    assert bar.isVisible()
    assert list(resnet.scene.frames) == ["layer3"]
    assert set(resnet.scene.blocks) == {"layer2", "layer4", *(f"layer3.{n}" for n in range(6))}
    assert resnet.scene.nodes == {}
    _action(resnet.view.menu_at(_on_block(resnet, "layer3.2")), "Open block alone").trigger()
    QApplication.processEvents()
    assert [button.text() for button in bar.steps()] == [resnet.architecture.name, "layer3"]
    assert set(resnet.scene.blocks) == {"layer3.1", "layer3.3"}
    resnet.selection.set(())
    resnet.key(key)
    assert set(resnet.scene.blocks) >= {"layer2", "layer4"}
    resnet.key(key)
    assert not bar.isVisible()
    assert {"conv1", "fc"} <= resnet.scene.nodes.keys()
    resnet.check()


def test_breadcrumbs_lead_back_and_what_lies_elsewhere_is_revealed(resnet: Canvas) -> None:
    bar = resnet.view.findChild(Breadcrumbs)
    assert bar is not None
    resnet.selection.set(_ids(resnet, "layer3"))
    resnet.key(Qt.Key.Key_O)
    bar.steps()[0].click()
    assert not bar.isVisible()
    resnet.key(Qt.Key.Key_O)
    resnet.selection.set(("fc",))
    assert not bar.isVisible()
    assert resnet.item("fc").is_selected
    resnet.check()


def test_a_double_click_beside_goes_there(resnet: Canvas) -> None:
    resnet.selection.set(_ids(resnet, "layer3"))
    resnet.key(Qt.Key.Key_O)
    _double_click(resnet, _on_block(resnet, "layer4"))
    assert list(resnet.scene.frames) == ["layer4"]
    resnet.document.apply("Remove", edits.remove(resnet.architecture, _ids(resnet, "layer4")))
    assert {"conv1", "fc"} <= resnet.scene.nodes.keys(), "the block that was alone is gone"
    resnet.check()


def test_a_block_is_removed_as_a_whole(resnet: Canvas) -> None:
    before = resnet.architecture
    resnet.click(_on_block(resnet, "layer4"))
    resnet.key(Qt.Key.Key_Delete)
    assert not _ids(resnet, "layer4")
    assert resnet.selection.ids == _ids(resnet, "layer3"), "what fed it, which stays folded"
    assert "layer3" in resnet.scene.blocks
    resnet.check()
    resnet.document.undo_stack.undo()
    assert resnet.architecture is before
    assert "layer4" in resnet.scene.blocks
    resnet.check()


def _menu_of_block(canvas: Canvas) -> QMenu:
    return canvas.view.menu_at(_on_block(canvas, "layer2"))


def _menu_of_wire(canvas: Canvas) -> QMenu:
    line = next(item for wire, item in canvas.scene.wires.items() if wire[:2] == ("layer2", "layer3"))
    return canvas.view.menu_at(canvas.view.mapFromScene(line.mapToScene(line.shape().boundingRect().center())))


@pytest.mark.parametrize(("menu", "text"), [(_menu_of_block, "Insert after"), (_menu_of_wire, "Insert")])
def test_a_layer_goes_between_two_blocks(resnet: Canvas, menu: Callable[[Canvas], QMenu], text: str) -> None:
    before = resnet.architecture
    below = _action(menu(resnet), text).menu()
    assert isinstance(below, QMenu)
    _action(below, "ReLU").trigger()
    (added,) = (node for node in resnet.architecture if node.id not in before)
    assert "." not in added.id
    assert added.inputs == (before["layer3.0.conv1"].inputs[0],)
    assert resnet.architecture["layer3.0.conv1"].inputs == (added.id,)
    assert resnet.architecture["layer3.0.downsample.0"].inputs == (added.id,)
    assert resnet.selection.ids == (added.id,)
    assert len(resnet.scene.blocks) == 4
    resnet.check()
    resnet.document.undo_stack.undo()
    assert resnet.architecture is before
    resnet.check()


def test_menus_fold(resnet: Canvas, qtbot: QtBot) -> None:
    _action(_menu_of_block(resnet), "Unfold").trigger()
    _settle(resnet, qtbot)
    assert "layer2" in resnet.scene.frames
    _action(resnet.view.menu_at(_on_header(resnet, "layer2")), "Fold").trigger()
    _settle(resnet, qtbot)
    assert "layer2" in resnet.scene.blocks
    empty = QPoint(5, 300)
    _action(resnet.view.menu_at(empty), "Unfold all").trigger()
    assert resnet.scene.blocks == {}
    resnet.view._folding.motion.finish()
    resnet.selection.set(("layer1.0.conv1",))
    resnet.view.reveal("layer1.0.conv1")
    QApplication.processEvents()
    _action(resnet.view.menu_at(resnet.at("layer1.0.conv1")), "Fold layer1.0").trigger()
    assert list(resnet.scene.blocks) == ["layer1.0"]
    _action(resnet.view.menu_at(empty), "Fold all").trigger()
    assert len(resnet.scene.blocks) == 4
    resnet.check()


def test_repeating_from_the_menu_of_a_folded_block(resnet: Canvas, qtbot: QtBot) -> None:
    _double_click(resnet, _on_block(resnet, "layer3"))
    _settle(resnet, qtbot)
    menu = resnet.view.menu_at(_on_block(resnet, "layer3.1"))
    below = _action(menu, "Repeat block layer3.1").menu()
    assert isinstance(below, QMenu)
    below.actions()[0].trigger()
    assert "layer3.6" in resnet.scene.blocks
    assert set(resnet.selection.ids) == set(_ids(resnet, "layer3.6"))
    resnet.check()


def test_a_copy_of_a_folded_block_is_folded_as_its_model_and_undone_in_one_step(canvas: Canvas) -> None:
    before = block_entry("residual").insert(canvas.architecture, "conv1")
    canvas.document.open(before)
    (path,) = canvas.scene.frames
    canvas.view._folding.fold(path)
    canvas.view._folding.motion.finish()
    canvas.selection.set(_ids(canvas, path))
    canvas.key(Qt.Key.Key_R, CTRL)
    copy = next(block.path for block in canvas.architecture.blocks if block.path != path)
    assert set(canvas.scene.blocks) == {path, copy}
    assert set(canvas.selection.ids) == set(_ids(canvas, copy))
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture == before
    assert set(canvas.scene.blocks) == {path}


def test_a_folded_block_shows_the_maps_of_its_last_node(resnet: Canvas) -> None:
    assert "layer2.3.relu" in resnet.view.wanted().maps
    image = np.full((14, 14), 128, np.uint8)
    atlas = Atlas(
        image=image, num_channels=1, columns=1, tile_height=14, tile_width=14, gap=1, minimum=0.0, maximum=1.0
    )
    maps = FeatureMapsCaptured(run_id="", step=0, probe="", atlases={"layer2.3.relu": atlas, "layer2.0.relu": atlas})
    resnet.view.show_observed([maps], Source("initial weights", None, ""))
    assert [path for path, block in resnet.scene.blocks.items() if block.strip is not None] == ["layer2"]
    resnet.view.clear_observed()
    assert resnet.scene.blocks["layer2"].strip is None


def test_both_themes_reach_blocks_and_frames(resnet: Canvas, qtbot: QtBot) -> None:
    _double_click(resnet, _on_block(resnet, "layer3"))
    _settle(resnet, qtbot)
    resnet.themes.choose("dark")
    frame = resnet.scene.frames["layer3"].sceneBoundingRect()
    bounds = resnet.scene.itemsBoundingRect()
    image = resnet.view.to_image(1.0)
    inside = QPoint(round(frame.left() - bounds.left()) + 14, round(frame.bottom() - bounds.top()) - 14)
    assert image.pixelColor(inside).lightness() < 80
    assert image.pixelColor(inside) != DARK.canvas


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_scene_equals_the_document_after_any_folding_and_edits(canvas: Canvas, data: st.DataObject) -> None:
    canvas.document.open(entry("resnet18").build())
    for _ in range(data.draw(st.integers(1, 8))):
        keys = sorted((*canvas.scene.blocks, *canvas.scene.frames, *canvas.scene.nodes))
        key = data.draw(st.sampled_from(keys))
        match data.draw(st.sampled_from(("click", "fold", "unfold", "all", "none", "alone", "edit", "undo", "select"))):
            case "click":
                canvas.selection.set(canvas.scene.nodes_of(key))
            case "fold":
                canvas.key(Qt.Key.Key_BracketLeft)
            case "unfold":
                canvas.key(Qt.Key.Key_BracketRight)
            case "all":
                canvas.key(Qt.Key.Key_BraceLeft, SHIFT)
            case "none":
                canvas.key(Qt.Key.Key_BraceRight, SHIFT)
            case "alone":
                canvas.selection.set(canvas.scene.nodes_of(key))
                canvas.key(Qt.Key.Key_O)
            case "edit":
                canvas.document.apply("Edit", data.draw(random_edit(canvas.architecture)))
            case "undo":
                canvas.document.undo_stack.undo()
            case _:
                canvas.selection.set((data.draw(st.sampled_from(canvas.architecture.nodes)).id,))
        if not canvas.scene.folds.scope:
            canvas.check()
    canvas.selection.set(())
    while canvas.scene.folds.scope:
        canvas.key(Qt.Key.Key_Escape)
    canvas.check()
