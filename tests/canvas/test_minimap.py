"""The map: when it is there, what it shows, and where clicks and drags on it lead."""

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.architecture import edits
from explorer.canvas.minimap import Minimap
from explorer.look.theme import LIGHT
from explorer.zoo import entry
from tests.canvas.conftest import Canvas
from tests.networks import deep_chain


@pytest.fixture
def map_of(canvas: Canvas) -> Minimap:
    """Of GoogLeNet, all open, at a zoom at which most is out of sight."""
    canvas.document.open(entry("googlenet").build())
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    canvas.view.zoom_by(1 / canvas.view.zoom)
    QApplication.processEvents()
    return canvas.view.reading.minimap


def _middle(canvas: Canvas) -> QPointF:
    return canvas.view.mapToScene(canvas.view.viewport().rect().center())


def test_it_is_there_only_where_one_could_get_lost(canvas: Canvas) -> None:
    minimap = canvas.view.reading.minimap
    assert not minimap.isVisible(), "LeNet is small and in sight"
    canvas.document.open(entry("googlenet").build())
    canvas.view._folding.unfold_all()
    canvas.view.zoom_by(1 / canvas.view.zoom)
    assert minimap.isVisible()
    canvas.view.fit(animated=False)
    assert not minimap.isVisible(), "all of it is in sight"
    canvas.view.zoom_by(1 / canvas.view.zoom)
    canvas.view.reading.show_map(False)
    assert not minimap.isVisible()
    canvas.view.reading.show_map(True)
    assert minimap.isVisible()


def test_it_stays_in_its_corner(canvas: Canvas, map_of: Minimap) -> None:
    for size in ((900, 700), (500, 400), (1300, 800)):
        canvas.view.resize(*size)
        canvas.view.zoom_by(1 / canvas.view.zoom)
        QApplication.processEvents()
        assert canvas.view.rect().contains(map_of.geometry())
        assert canvas.view.rect().bottomRight().x() - map_of.geometry().right() <= 8


def test_every_node_has_its_place_and_its_colour(canvas: Canvas, map_of: Minimap) -> None:
    room = QRectF(map_of.rect())
    places = {key: map_of.place_of(key) for key in canvas.scene.nodes}
    assert all(room.contains(place) for place in places.values())
    assert places["conv1"].top() < places["inception4a.concat"].top() < places["fc"].top()
    picture = map_of._drawn(1.0).toImage()
    for key in ("conv1", "inception3a.conv3x3", "fc"):
        at = places[key].center()
        ((colour, _share),) = canvas.item(key).colours
        assert picture.pixelColor(at.toPoint()) == colour


def test_a_click_goes_there_and_a_drag_moves_what_is_in_sight(canvas: Canvas, map_of: Minimap) -> None:
    there = map_of.place_of("inception5a.concat").center().toPoint()
    QTest.mouseClick(map_of, Qt.MouseButton.LeftButton, pos=there)
    assert canvas.selection.ids == (), "the canvas below is not clicked"
    place = canvas.scene.place_of("inception5a.concat")
    assert place is not None
    assert canvas.view.mapToScene(canvas.view.viewport().rect()).boundingRect().intersects(place)
    assert (map_of.in_sight.center() - there.toPointF()).manhattanLength() < 3
    before, start = _middle(canvas), map_of.in_sight.center().toPoint()
    QTest.mousePress(map_of, Qt.MouseButton.LeftButton, pos=start)
    assert (_middle(canvas) - before).manhattanLength() < 2, "taking hold of it moves nothing"
    QTest.mouseMove(map_of, start + QPoint(0, -40))
    QTest.mouseRelease(map_of, Qt.MouseButton.LeftButton, pos=start + QPoint(0, -40))
    assert _middle(canvas).y() < before.y() - 100
    assert abs(map_of.in_sight.center().y() - (start.y() - 40)) < 3


def test_faults_and_what_is_found_are_pointed_out(canvas: Canvas, map_of: Minimap) -> None:
    canvas.document.apply("Break", edits.set_value(canvas.architecture, "inception5a.conv3x3", "kernel_size", 99))
    place = map_of.place_of("inception5a.conv3x3").center().toPoint()
    assert map_of.grab().toImage().pixelColor(place) == LIGHT.error
    canvas.document.undo_stack.undo()
    canvas.view.reading.open_find()
    canvas.view.reading.finding.bar.field.setText("inception5b.concat")
    place = map_of.place_of("inception5b.concat").center().toPoint()
    assert map_of.grab().toImage().pixelColor(place) == LIGHT.accent


def test_a_long_chain_is_wider_than_true(canvas: Canvas) -> None:
    canvas.document.open(deep_chain(500))
    canvas.view._folding.unfold_all()
    canvas.view.zoom_by(1 / canvas.view.zoom)
    minimap = canvas.view.reading.minimap
    assert minimap.isVisible()
    assert canvas.view.rect().contains(minimap.geometry())
    first = minimap.place_of(canvas.architecture.input.id)
    assert first.width() >= 3
    canvas.view.grab()
