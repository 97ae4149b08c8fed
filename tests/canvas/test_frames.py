"""Open blocks: their sums, words clear of wires, and light as equals; labels clear of both."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, QSizeF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from explorer import layers
from explorer.architecture import edits
from explorer.architecture.placement import FRAME_HEADER, Box
from explorer.canvas import card as cards
from explorer.canvas.block_facts import Sums
from explorer.canvas.frame_item import sums_text
from explorer.canvas.labels import free_ends, place_labels
from explorer.canvas.maps_strip import Strip
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


@pytest.fixture
def resnet(canvas: Canvas) -> Canvas:
    """ResNet-50, all open."""
    canvas.document.open(entry("resnet50").build())
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    return canvas


def _sums(canvas: Canvas, path: str) -> tuple[int, int]:
    reports = canvas.document.snapshot.inference.nodes
    own = [report for node_id, report in reports.items() if node_id.startswith(f"{path}.")]
    return (sum(r.num_parameters or 0 for r in own), sum(r.macs or 0 for r in own))


def test_open_blocks_say_their_sums_after_every_edit(resnet: Canvas) -> None:
    def check() -> None:
        for path, frame in resnet.scene.frames.items():
            assert frame.sums == _sums(resnet, path)

    assert {"layer1", "layer1.0", "layer1.0.downsample"} <= resnet.scene.frames.keys()
    check()
    before = resnet.scene.frames["layer4"].sums
    resnet.document.apply("Set", edits.set_value(resnet.architecture, "layer4.1.conv2", "kernel_size", 5))
    check()
    assert resnet.scene.frames["layer4"].sums != before
    resnet.document.apply("Remove", edits.remove(resnet.architecture, ["layer2.1.relu1"]))
    check()
    resnet.view._folding.fold("layer3.2")
    check()


def test_a_preview_is_in_the_sums_of_all_blocks_around_it(resnet: Canvas) -> None:
    frames = resnet.scene.frames
    before = {path: frame.sums for path, frame in frames.items()}
    resnet.view.zoom_by(1 / resnet.view.zoom)
    resnet.view.reveal("layer2.0.conv2")
    QApplication.processEvents()
    resnet.hover(resnet.stepper("layer2.0.conv2", "kernel_size", 1))
    preview = resnet.document._preview
    assert preview is not None
    reports = preview.inference.nodes
    for path in ("layer2", "layer2.0"):
        own = [report for node_id, report in reports.items() if node_id.startswith(f"{path}.")]
        wanted = (sum(r.num_parameters or 0 for r in own), sum(r.macs or 0 for r in own))
        assert frames[path].preview == wanted != before[path]
        assert frames[path].sums == before[path]
    assert frames["layer1"].preview is None
    resnet.hover(QPoint(2, 2))
    assert all(frame.preview is None for frame in frames.values())
    place = resnet.stepper("layer2.0.conv2", "kernel_size")
    for _ in range(2):
        resnet.wheel(place, 1)
        assert all(frame.sums == _sums(resnet, path) for path, frame in frames.items())
    resnet.view._pointer._stepping.finish()
    assert resnet.document.undo_stack.count() == 1
    resnet.document.undo_stack.undo()
    assert {path: frame.sums for path, frame in frames.items()} == before


def test_words_of_sums_say_what_was_and_what_would_be() -> None:
    now, after = Sums(1_000, 2_000_000), Sums(1_000, 3_000_000)
    assert sums_text(None, None, in_full=True) == ""
    assert sums_text(now, None, in_full=True) == "2.00\u2009M MACs  1,000 params"
    assert sums_text(now, after, in_full=True) == "2.00\u2009M → 3.00\u2009M MACs  1,000 params"
    assert sums_text(now, after, in_full=False) == "→ 3.00\u2009M MACs  1,000 params"


def test_equals_light_up_open_and_folded(resnet: Canvas) -> None:
    resnet.view._folding.fold("layer3.2")
    resnet.scene.hover("layer3.1", None, None)
    equals = resnet.scene.likenesses["layer3.1"].equals
    lit = {path for path, frame in resnet.scene.frames.items() if frame.is_highlighted}
    assert lit == set(equals) - {"layer3.2"}
    assert resnet.scene.blocks["layer3.2"].is_highlighted
    resnet.scene.hover(None, None, None)
    assert not any(frame.is_highlighted for frame in resnet.scene.frames.values())


@pytest.mark.parametrize("network_id", ["resnet50", "googlenet"])
def test_no_wire_crosses_the_end_of_a_header_and_no_label_any_of_it(canvas: Canvas, network_id: str) -> None:
    canvas.document.open(entry(network_id).build())
    canvas.view._folding.unfold_all()
    placement = canvas.scene.placement
    assert placement is not None
    ends = free_ends(placement)
    labels = place_labels(placement, 80, 16)
    assert labels
    for path, box in placement.frames.items():
        header = Box(box.x, box.y, box.width, FRAME_HEADER)
        assert not any(label.box.overlaps(header) for label in labels.values())
        for edge in (Box(box.x, box.y, 1, box.height), Box(box.right - 1, box.y, 1, box.height)):
            assert not any(label.box.overlaps(edge) for label in labels.values())
        assert box.x <= ends[path] <= box.right
        for points in placement.wires.values():
            for start, end in itertools.pairwise(points):
                crosses = min(start.y, end.y) < header.bottom and max(start.y, end.y) > header.y
                assert not crosses or max(start.x, end.x) <= ends[path] or min(start.x, end.x) >= header.right


def test_the_second_sheet_of_a_folded_block_covers_no_label(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet20").build())
    canvas.view.reveal("layer3.2.conv2")
    placement = canvas.scene.placement
    assert placement is not None
    assert {"layer1", "layer2"} <= canvas.scene.blocks.keys()
    labels = {wire.source: label.box for wire, label in place_labels(placement, 80, 16).items()}
    # What leaves layer2 crosses the header of layer3, so that its label stands next to the card.
    assert "layer2" in labels
    for path in canvas.scene.blocks:
        box = placement.nodes[path]
        sheet = Box(box.x + 4, box.bottom, box.width, 4)
        assert not any(label.overlaps(sheet) for label in labels.values()), path


def test_wires_of_one_source_say_once_what_they_carry_where_they_run_together(resnet: Canvas) -> None:
    placement = resnet.scene.placement
    assert placement is not None
    labels = place_labels(placement, 80, 16)
    beside = [(wire.source, label.box.x + (86 if label.is_left else -6)) for wire, label in labels.items()]
    assert len(beside) == len(set(beside))


def test_the_chevron_answers_where_it_is_drawn(resnet: Canvas) -> None:
    frame = resnet.scene.frames["layer1"]
    box = resnet.scene.placement.frames["layer1"] if resnet.scene.placement is not None else None
    assert box is not None
    # Where a wire comes in at the left, the words stand right of it, and the chevron with them.
    frame.show_box(box, Box(box.x + 120, box.y, box.width - 120, FRAME_HEADER))
    y = frame.header.center().y()
    assert frame.has_chevron_at(QPointF(132, y), 1.0)
    assert not frame.has_chevron_at(QPointF(12, y), 1.0)
    assert not frame.has_chevron_at(QPointF(170, y), 1.0), "that is the name, by which it is moved"
    assert frame.has_chevron_at(QPointF(120 + 11 / cards.TITLE_ZOOM, y), cards.TITLE_ZOOM)
    assert not frame.has_chevron_at(QPointF(132, y), 0.9 * cards.TITLE_ZOOM), "nothing is drawn there"


# Level of detail


def test_words_are_large_enough_to_read_or_left_out() -> None:
    lowest = min(cards.card(layer_type, "").rect.height() for layer_type in layers.layer_types())
    assert 0.8 * lowest * cards.TITLE_ZOOM >= cards.READABLE_PX


def test_without_maps_large_words_have_their_room(resnet: Canvas) -> None:
    item = resnet.item("layer1.0.conv1")
    assert item._large_end > item.card.maps.right() - 8
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    item.show_strip(Strip(image, QSizeF(40, 40)))
    assert item._large_end <= item.card.maps.left()
