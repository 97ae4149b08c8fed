"""The Layer tab: what it wants, says and keeps while the network, the selection and the values change."""

import pytest
import torch
from pytestqt.qtbot import QtBot

from explorer.runs import LayersOpened
from explorer.runtime.modules import build_module
from explorer.runtime.opened import open_layers
from explorer.session.sources import Source
from explorer.zoo.lenet import lenet5
from tests.panels.walk_panel import feed, lenet5_with, walk_panel


def test_the_selected_layer_is_wanted_while_it_is_shown(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, None)
    changes: list[tuple[str, ...]] = []
    panel.wanted_changed.connect(lambda: changes.append(panel.wanted().opened))
    at.selection.set(["conv2"])
    at.selection.set(["tanh1"])
    at.selection.set(["fc1"])
    panel.hide()
    panel.show()
    assert changes == [("conv2",), (), ("fc1",), (), ("fc1",)]


def test_another_kind_of_layer_says_what_it_does_and_what_to_choose(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, None)
    assert "Select a convolution or pooling layer" in panel.empty.text()
    at.selection.set(["tanh1"])
    assert "Squashes values" in panel.empty.text()
    assert panel.empty.isVisible()
    assert not panel.steppers.isVisible()
    panel.empty.linkActivated.emit("conv2")
    assert at.selection.ids == ("conv2",)
    assert "Waiting for the values of conv2" in panel.empty.text()


def test_a_problem_is_said_and_the_next_values_take_it_back(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
    panel.show_problem("no probe image is chosen; choose one")
    assert "no probe image" in panel.empty.text()
    feed(panel, at, "conv1")
    assert panel.board.isVisible()


def test_heading_and_formula_carry_the_numbers(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, "conv1", lenet5_with("conv1", padding=(2, 2), stride=(3, 3), dilation=(2, 1)))
    assert panel._title.text() == "conv1"
    assert panel._facts.whole == "Conv2d · 1×32×32 → 6×10×11 · digit 7 · step 0"
    size = "height = ⌊(32 + 2·2 − 2·(5 − 1) − 1) / 3⌋ + 1 = 10   width = ⌊(32 + 2·2 − 5) / 3⌋ + 1 = 11"
    assert panel._size.text() == size
    assert at.document.snapshot.inference.nodes["conv1"].output_shape == (6, 10, 11)


@pytest.mark.parametrize(
    ("node_id", "asked", "place"),
    [
        ("conv2", ("conv2", 5, 7, 2), (5, 7, 2)),
        ("fc1", ("fc1", 37, 0, 0), (0, 3, 1)),  # of 10×12
        ("conv2", ("conv1", 1, 0, 0), None),
    ],
)
def test_another_view_may_ask_for_an_output(
    qtbot: QtBot, node_id: str, asked: tuple[str, int, int, int], place: tuple[int, int, int] | None
) -> None:
    panel, at = walk_panel(qtbot, None)
    at.selection.set([asked[0]])
    panel.go_to(*asked)
    at.selection.set([node_id])
    feed(panel, at, node_id)
    if place is not None:
        assert panel.board.place == place
    else:  # what was asked for is not looked at any more
        at.selection.set([asked[0]])
        feed(panel, at, asked[0])
        assert panel.board.place != (1, 0, 0)


def test_new_values_keep_window_and_channels(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, "conv2")
    board = panel.board
    board.choose_channel(3)
    board.choose_input_channel(2)
    board.choose(6, 1)
    before = board.sum.found
    feed(panel, at, "conv2", step=40, seed=1)
    assert board.place == (3, 6, 1)
    assert board.input_chooser.box.value() == 2
    assert before is not None
    assert board.sum.found is not None
    assert board.sum.found.total != before.total
    assert panel._facts.whole.endswith("step 40")


def test_values_of_a_layer_before_its_edit_are_shown_as_that(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
    network = build_module(at.document.architecture, seed=3)
    values = LayersOpened(
        run_id="r", step=9, probe="", layers=open_layers(network, torch.randn(1, 1, 32, 32), ["conv1"])
    )
    at.set_value("conv1", "kernel_size", (3, 3))
    panel.show_observed([values], Source("step 9", 9, "r"))
    assert panel.board.walk is not None
    assert panel.board.walk.slide.rows.taps == 5
    assert panel._facts.whole.endswith("step 9 · as it was before the edit")
    feed(panel, at, "conv1")
    assert panel.board.walk.slide.rows.taps == 3
    assert panel._facts.whole.endswith("step 0")


def test_another_network_forgets(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
    at.document.open(lenet5())
    assert panel.board.walk is None
    assert "Select a convolution" in panel.empty.text()
    panel.clear_observed()
    assert panel.board.walk is None
