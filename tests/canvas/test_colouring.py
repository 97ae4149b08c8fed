"""Cards in the colour of a number: which numbers, which colours, what the legend says, and what is remembered."""

import itertools

import pytest
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QAction, QColor, QEnterEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.canvas import GraphView, ramp
from explorer.canvas.card_item import CardItem
from explorer.canvas.colouring import Colouring
from explorer.canvas.measures import NodeValues, Scale, node_values
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.layers import Category
from explorer.look import catalogue
from explorer.look.theme import DARK, LIGHT, Theme, ThemeSource, contrast
from explorer.session import Document, Selection
from explorer.session.document import Snapshot
from explorer.zoo import entry
from tests.canvas.conftest import Canvas


@pytest.fixture
def colouring(canvas: Canvas) -> Colouring:
    return canvas.view.reading.colouring


def _tint(canvas: Canvas, key: str) -> QColor:
    card = canvas.scene.card(key)
    assert isinstance(card, CardItem)
    ((colour, _share),) = card.colours
    return colour


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def _texts(canvas: Canvas) -> tuple[str, ...]:
    """What the legend says."""
    return canvas.view.reading.legend.texts


# Numbers


def test_the_numbers_are_those_of_the_reports() -> None:
    architecture = entry("resnet18").build()
    snapshot = Snapshot(architecture, infer(architecture))
    reports = snapshot.inference.nodes
    assert node_values("parameters", "", snapshot).values == {i: r.num_parameters for i, r in reports.items()}
    assert node_values("macs", "", snapshot).values == {i: r.macs for i, r in reports.items()}
    kept = memory(architecture, snapshot.inference, batch_size=1).nodes
    assert node_values("memory", "", snapshot).values == kept
    fields = {i: r.receptive_field for i, r in reports.items()}
    assert node_values("field", "", snapshot).values == {i: max(f.size) for i, f in fields.items() if f is not None}


def test_what_a_fault_leaves_unknown_has_no_number() -> None:
    architecture = edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", 99)
    snapshot = Snapshot(architecture, infer(architecture))
    for key in ("parameters", "macs", "memory", "field"):
        known = node_values(key, "", snapshot).values
        assert "conv1" in known
        assert "conv2" not in known
        assert "fc1" not in known


def test_a_block_has_the_sum_of_its_nodes_or_the_largest() -> None:
    values = {"a": 1.0, "b": 5.0}
    assert NodeValues(title="", unit="count", values=values).of(("a", "b", "unknown")) == 6.0
    assert NodeValues(title="", unit="pixels", values=values, adds_up=False).of(("a", "b")) == 5.0
    assert NodeValues(title="", unit="count", values=values).of(("unknown",)) is None
    with pytest.raises(ValueError, match=r"furlong.*count, bytes"):
        NodeValues(title="", unit="furlong", values=values)


def test_scales_go_from_the_least_to_the_most() -> None:
    linear, log = Scale.over([0, 10, 1000], is_log=False), Scale.over([0, 10, 1000], is_log=True)
    assert linear is not None
    assert log is not None
    assert (linear.low, linear.high) == (0, 1000)
    assert (log.low, log.high) == (10, 1000)
    assert [linear.share(v) for v in (0, 500, 1000, 2000)] == [0.0, 0.5, 1.0, 1.0]
    assert [round(log.share(v), 9) for v in (1, 10, 100, 1000)] == [0.0, 0.0, 0.5, 1.0]
    assert Scale.over([0, 0], is_log=True) is None
    one = Scale.over([7], is_log=True)
    assert one is not None
    assert one.share(7) == 1.0


# Colours


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_lightness_alone_tells_the_order_and_words_stay_legible(theme: Theme) -> None:
    ground = [contrast(colour, theme.canvas) for colour in ramp.ramp(theme)]
    assert all(more > less for less, more in itertools.pairwise(ground)), "more stands out more, whatever eyes see it"
    readable = ramp.readable(theme)
    for tint in (*ramp.ramp(theme), ramp.nothing(theme)):
        for words in (readable.text, readable.muted):
            assert contrast(words, ramp.body(theme, tint)) >= 4.5


def test_cards_take_the_colour_of_their_number(canvas: Canvas, colouring: Colouring) -> None:
    before = canvas.item("fc1").colours
    colouring.choose("parameters")
    reports = canvas.document.snapshot.inference.nodes
    counts = {i: r.num_parameters or 0 for i, r in reports.items()}
    most = max(counts, key=counts.__getitem__)
    assert _tint(canvas, most) == ramp.ramp(LIGHT)[-1]
    assert _tint(canvas, "input") == ramp.nothing(LIGHT)
    ground = {i: contrast(_tint(canvas, i), LIGHT.canvas) for i, count in counts.items() if count}
    ordered = sorted(ground, key=counts.__getitem__)
    assert [ground[i] for i in ordered] == sorted(ground.values())
    canvas.view.to_image(1.0)
    canvas.view.to_image(0.3)
    canvas.view.to_image(0.1)
    canvas.themes.choose("dark")
    assert _tint(canvas, most) == ramp.ramp(DARK)[-1]
    colouring.choose("category")
    canvas.themes.choose("light")
    assert canvas.item("fc1").colours == before
    canvas.check()


def test_edits_and_previews_are_followed_live(canvas: Canvas, colouring: Colouring) -> None:
    colouring.choose("parameters")
    now = colouring.now
    assert now is not None
    assert now.scale is not None
    edit = edits.set_value(canvas.architecture, "conv1", "out_channels", 4096)
    canvas.document.preview(lambda _architecture: edit)
    assert _tint(canvas, "conv2") == ramp.ramp(LIGHT)[-1]
    canvas.document.preview(None)
    assert colouring.now == now
    canvas.document.apply("Set", edit)
    assert colouring.now is not None
    assert colouring.now.scale != now.scale
    canvas.document.undo_stack.undo()
    assert colouring.now == now


def test_folded_blocks_take_the_colour_of_their_sum(canvas: Canvas, colouring: Colouring) -> None:
    canvas.document.open(entry("resnet50").build())
    colouring.choose("parameters")
    sums = {path: block.facts.num_parameters for path, block in canvas.scene.blocks.items()}
    most = max(sums, key=sums.__getitem__)
    assert _tint(canvas, most) == ramp.ramp(LIGHT)[-1]
    assert colouring.now is not None
    assert colouring.now.scale is not None
    assert colouring.now.scale.high == sums[most]
    canvas.view._folding.unfold(most)
    canvas.view._folding.motion.finish()
    inner = {path: block.facts.num_parameters for path, block in canvas.scene.blocks.items()}
    assert colouring.now.scale.high == max(inner.values()) < sums[most]


def test_measurements_come_from_outside_and_wait_until_they_are_there(canvas: Canvas, colouring: Colouring) -> None:
    menu = canvas.view.reading.legend.menu()
    waiting = [action for action in menu.actions() if action.text() in {"Forward time", "Backward time"}]
    assert [action.isEnabled() for action in waiting] == [False, False]
    assert all(action.toolTip() for action in waiting)
    colouring.choose("forward")
    assert colouring.choice == "category", "nothing is made up meanwhile"
    canvas.view.reading.give("forward", NodeValues(title="Forward time", unit="ms", values={"conv1": 2.0, "fc1": 0.5}))
    assert colouring.choice == "forward"
    assert _tint(canvas, "conv1") == ramp.ramp(LIGHT)[-1]
    assert _tint(canvas, "pool1") == ramp.nothing(LIGHT)
    assert _texts(canvas) == ("Forward time", "0\u2009ms", "2\u2009ms")
    assert _action(canvas.view.reading.legend.menu(), "Forward time").isEnabled()
    canvas.view.reading.give("forward", None)
    assert colouring.choice == "category"
    assert canvas.item("conv1").colours[0][0] == LIGHT.category(Category.CONVOLUTION)
    with pytest.raises(ValueError, match=r"weather.*forward"):
        canvas.view.reading.give("weather", None)


# Legend


def test_the_legend_says_what_colours_mean(canvas: Canvas, colouring: Colouring) -> None:
    legend = canvas.view.reading.legend
    present = {catalogue.category_name(node.layer.category) for node in canvas.architecture}
    assert _texts(canvas)[0] == "Category"
    assert set(_texts(canvas)[1:]) == present
    colouring.choose("parameters")
    counts = [r.num_parameters or 0 for r in canvas.document.snapshot.inference.nodes.values()]
    assert _texts(canvas) == ("Parameters", str(min(c for c in counts if c)), f"{max(counts) / 1e3:.1f}\u2009k")
    colouring.set_log(False)
    assert _texts(canvas)[1] == "0"
    canvas.view.grab()
    _action(legend.menu(), "Legend").trigger()
    assert _texts(canvas)[1:] == (), "the title alone"
    height = legend.height()
    _action(legend.menu(), "Legend").trigger()
    assert legend.height() > height
    assert canvas.view.rect().contains(legend.geometry())


def test_in_a_small_view_categories_come_up_under_the_pointer_alone(canvas: Canvas) -> None:
    legend = canvas.view.reading.legend
    assert len(_texts(canvas)) > 1
    canvas.view.resize(700, 450)
    assert _texts(canvas) == ("Category",)
    inside = QPointF(5, 5)
    QApplication.sendEvent(legend, QEnterEvent(inside, inside, inside))
    assert len(_texts(canvas)) > 1
    assert canvas.view.rect().contains(legend.geometry())
    QApplication.sendEvent(legend, QEvent(QEvent.Type.Leave))
    assert _texts(canvas) == ("Category",)
    canvas.view.reading.colouring.choose("macs")
    assert len(_texts(canvas)) == 3, "a scale without its range says nothing"


def test_the_menu_chooses_and_the_choice_is_remembered(canvas: Canvas, qtbot: QtBot) -> None:
    _action(canvas.view.reading.legend.menu(), "Multiply-accumulates").trigger()
    _action(canvas.view.reading.legend.menu(), "Logarithmic colours").trigger()
    _action(canvas.view.reading.legend.menu(), "Wires by size").trigger()
    _action(canvas.view.reading.legend.menu(), "Map").trigger()
    document, themes = Document(), ThemeSource()
    again = GraphView(document, Selection(document), themes)
    qtbot.addWidget(again)
    document.open(entry("lenet5").build())
    assert again.reading.colouring.choice == "macs"
    assert not again.reading.colouring.is_log
    assert not again.reading.minimap.is_wanted
    menu = again.reading.legend.menu()
    assert not _action(menu, "Wires by size").isChecked()
    assert _action(menu, "Multiply-accumulates").isChecked()
