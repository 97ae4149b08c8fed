"""The scene equals the document after any edits; items are reused; changes light up; maps and previews come and go."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, EditRefused, edits
from explorer.canvas.maps_strip import strip
from explorer.canvas.menus import insertable
from explorer.canvas.scene import GraphScene
from explorer.layers import ReLU
from explorer.look.theme import DARK, LIGHT
from explorer.runs import Atlas
from explorer.session import Document
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


def _atlas(num_channels: int, height: int, width: int) -> Atlas:
    columns, gap = 3, 1
    rows = -(-num_channels // columns)
    image = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), 128, np.uint8)
    return Atlas(
        image=image,
        num_channels=num_channels,
        columns=columns,
        tile_height=height,
        tile_width=width,
        gap=gap,
        minimum=0.0,
        maximum=1.0,
    )


@st.composite
def random_edit(draw: st.DrawFn, architecture: Architecture) -> Architecture:
    """An edit that the canvas offers; a refused one leaves the network as it is."""
    ids = [node.id for node in architecture]
    node_id = draw(st.sampled_from(ids))
    layer = draw(st.sampled_from(insertable())).suggested((4, 9, 9))
    kind = draw(st.sampled_from(("after", "before", "remove", "value", "output", "branch")))
    try:
        match kind:
            case "after":
                return edits.insert_after(architecture, node_id, layer)
            case "before":
                return edits.insert_before(architecture, node_id, layer)
            case "remove":
                return edits.remove(architecture, draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3)))
            case "value":
                return edits.set_input_shape(architecture, 1, draw(st.integers(1, 64)), 32)
            case "output":
                return edits.set_outputs(architecture, (*architecture.outputs, node_id))
            case _:
                return edits.add_node(architecture, layer, (node_id,))
    except EditRefused:
        return architecture


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_scene_equals_the_document_after_any_edits(canvas: Canvas, data: st.DataObject) -> None:
    document = canvas.document
    document.open(entry("lenet5").build())
    versions = [document.architecture]
    for _ in range(data.draw(st.integers(1, 6))):
        count = document.undo_stack.count()
        document.apply("Edit", data.draw(random_edit(document.architecture)))
        canvas.check()
        if document.undo_stack.count() > count:
            versions.append(document.architecture)
    for version in reversed(versions[:-1]):
        document.undo_stack.undo()
        assert document.architecture is version
        canvas.check()
    for version in versions[1:]:
        document.undo_stack.redo()
        assert document.architecture is version
        canvas.check()


def test_items_are_reused_and_values_do_not_move_them(canvas: Canvas) -> None:
    items, placement = dict(canvas.scene.nodes), canvas.scene.placement
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv1", "out_channels", 512))
    assert canvas.scene.nodes == items
    assert canvas.scene.placement is placement, "no layout for a value"
    canvas.document.apply("Insert", edits.insert_after(canvas.architecture, "conv1", ReLU()))
    assert all(canvas.scene.nodes[node_id] is item for node_id, item in items.items())
    assert canvas.scene.placement is not placement


def test_another_document_leaves_no_item(canvas: Canvas) -> None:
    # Items take weak references through Python's wrapper; what C++ kept would keep that alive.
    gone = [weakref.ref(item) for item in (*canvas.scene.nodes.values(), *canvas.scene.wires.values())]
    canvas.document.open(entry("lenet5-max").build())
    gc.collect()
    assert [ref for ref in gone if ref() is not None] == []
    canvas.check()


def test_what_changed_lights_up_and_fades(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv2", "padding", 2))
    assert canvas.item("conv2").glow > 0.9
    assert canvas.item("conv1").glow == 0.0
    qtbot.waitUntil(lambda: all(item.glow == 0 for item in canvas.scene.nodes.values()), timeout=2000)


def test_a_preview_does_not_touch_the_document(canvas: Canvas) -> None:
    before = canvas.document.snapshot
    canvas.document.preview(lambda a: edits.set_value(a, "conv1", "stride", 2))
    assert canvas.document.snapshot is before
    assert canvas.item("conv1").preview is not None
    assert canvas.item("input").preview is None
    canvas.document.preview(lambda a: edits.set_value(a, "fc2", "out_features", 20))
    assert canvas.item("conv1").preview is None
    assert canvas.item("fc2").preview is not None
    canvas.view.to_image(0.5)
    canvas.document.preview(None)
    canvas.check()


@pytest.fixture
def quiet_scene(qtbot: QtBot) -> Iterator[GraphScene]:
    """A scene without a view."""
    scene, document = GraphScene(LIGHT), Document()
    document.changed.connect(scene.apply)
    document.open(entry("lenet5").build())
    yield scene
    scene.show_theme(DARK)


def test_maps_stay_on_their_nodes_until_cleared(quiet_scene: GraphScene) -> None:
    quiet_scene.set_maps({"conv1": _atlas(6, 28, 28), "gone": _atlas(1, 4, 4)})
    quiet_scene.set_maps({"fc3": _atlas(10, 1, 1)})
    assert [i for i, item in quiet_scene.nodes.items() if item.strip is not None] == ["conv1", "fc3"]
    quiet_scene.clear_maps()
    assert all(item.strip is None for item in quiet_scene.nodes.values())


@pytest.mark.parametrize(
    ("channels", "height", "width"), [(6, 28, 28), (1, 1, 7), (3, 224, 224), (64, 5, 9), (400, 1, 1), (2, 300, 2)]
)
def test_a_strip_fits_its_room(channels: int, height: int, width: int) -> None:
    picture = strip(_atlas(channels, height, width), 160, 48)
    assert 0 < picture.size.width() <= 160.01
    assert 0 < picture.size.height() <= 48.01
    assert picture.image.width() <= 1000
    assert QColor(picture.image.pixel(0, 0)) == QColor(128, 128, 128)


def test_small_maps_keep_their_pixels() -> None:
    atlas = _atlas(1, 2, 2)
    atlas.image[0, 1] = 255
    image = strip(atlas, 160, 48).image
    grey = {image.pixelColor(x, y).red() for x in range(image.width()) for y in range(image.height())}
    assert grey == {128, 255}, "no grey in between"


def test_the_nodes_large_enough_for_maps_are_announced(canvas: Canvas, qtbot: QtBot) -> None:
    announced: list[tuple[str, ...]] = []
    canvas.view.wanted_changed.connect(lambda: announced.append(canvas.view.wanted().maps))
    qtbot.waitUntil(lambda: announced == [tuple(canvas.scene.nodes)], timeout=2000)
    canvas.close_up()
    qtbot.waitUntil(lambda: len(announced) == 2, timeout=2000)
    assert announced[1] == canvas.view.wanted().maps
    assert announced[1][0] == "input"
    assert "fc3" not in announced[1]
    canvas.view.zoom_by(0.1)
    qtbot.waitUntil(lambda: announced[-1] == (), timeout=2000)
