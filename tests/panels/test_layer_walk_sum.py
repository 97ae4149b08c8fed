"""How one output comes about, on values that torch computed: its products, its sum, its channels."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.layers import MaxPool2d
from explorer.panels.layer_walk.colours import full, short
from explorer.zoo.lenet import lenet5
from tests.panels.stage import click, press
from tests.panels.walk_panel import centre, feed, lenet5_with, walk_panel


@pytest.mark.parametrize("node_id", ["conv1", "pool1", "conv2", "fc1", "fc3"])
def test_every_output_that_is_walked_to_is_torchs(qtbot: QtBot, node_id: str) -> None:
    panel, at = walk_panel(qtbot, node_id)
    event = feed(panel, at, node_id)
    output = event.layers[node_id].output
    for _ in range(3):
        press(panel.board, Qt.Key.Key_Down)
        press(panel.board, Qt.Key.Key_Right)
        press(panel.board, Qt.Key.Key_PageDown)
        channel, row, column = panel.board.place
        found = panel.board.sum.found
        assert found is not None
        flat = output.reshape(panel.board.walk.output_shape)  # type: ignore[union-attr]  # it is shown
        assert found.output == pytest.approx(float(flat[channel, row, column]))
        assert found.total == pytest.approx(found.output, rel=1e-4, abs=1e-5)


def test_numbers_are_short_in_cells_and_four_digits_in_sums() -> None:
    assert [short(v, 2) for v in (0.0, -0.001, -1.234, -np.inf)] == ["0", "0.00", "−1.23", "−∞"]
    assert [full(v) for v in (0.0, 0.42134, -12.3456, 1234.56, 1.5e-7)] == [
        "0",
        "0.4213",
        "−12.346",
        "1234.6",
        "1.500e−7",
    ]


@pytest.mark.parametrize("counts", [True, False])
def test_a_mean_says_what_it_counts(qtbot: QtBot, counts: bool) -> None:
    panel, _ = walk_panel(
        qtbot, "pool1", lenet5_with("pool1", kernel_size=(3, 3), padding=(1, 1), count_include_pad=counts)
    )
    board = panel.board
    board.choose(0, 5)
    found = board.sum.found
    assert found is not None
    assert found.divisor == (9 if counts else 6)
    words = board.sum._words.window_sum(found, 0)
    assert words.startswith("the 9 values add up" if counts else "the 6 values that count add up")
    assert words.endswith("; 3 do not count") is not counts


def test_a_maximum_frames_its_tap(qtbot: QtBot) -> None:
    pooled = edits.set_layer(lenet5(), "pool1", MaxPool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 1)))
    panel, _ = walk_panel(qtbot, "pool1", pooled)
    board = panel.board
    board.choose(0, 0)
    found = board.sum.found
    assert found is not None
    assert found.best is not None
    assert board.walk is not None
    corner = board.walk.input_map(0)[:2, :2]
    assert found.total == corner.max() == corner[found.best[0] - 1, found.best[1] - 1]
    assert board.sum._words.window_sum(found, 0).startswith("the largest of 4 values")


def test_a_group_reads_its_own_channels(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot, "conv2", lenet5_with("conv2", groups=2))
    board = panel.board
    board.choose_channel(11)
    assert board.sum.found is not None
    assert board.sum.found.reads == (3, 4, 5)
    assert board.input_chooser.says.whole == "of 3–5"
    assert board.input_chooser.box.value() == 3
    board.choose_input_channel(5)
    assert board.input_chooser.box.value() == 5
    board.choose_input_channel(0)  # not in the group: the nearest that is
    assert board.input_chooser.box.value() in {3, 4}


def test_an_input_channel_of_a_pooling_takes_its_output_along(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot, "pool1")
    panel.board.choose_input_channel(4)
    assert panel.board.place[0] == 4


def test_a_channels_small_picture_chooses_it(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot, "conv2")
    board = panel.board
    board.sum.grab()
    area, channel = board.sum._chips[4]
    assert channel == 4
    click(board.sum, area.center().toPoint())
    assert board.input_chooser.box.value() == 4


def test_pointing_at_a_tap_marks_it_everywhere_and_says_its_numbers(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot)
    board = panel.board
    board.choose(4, 4)
    board.sum.grab()
    patch = board.sum._grids[0]
    spot = patch.area.topLeft() + QPointF(patch.area.width() * 0.7, patch.area.height() * 0.3)
    taps: list[object] = []
    board.sum.pointed.connect(taps.append)
    QTest.mouseMove(board.sum, spot.toPoint())
    qtbot.waitUntil(lambda: taps == [(1, 3)])
    found = board.sum.found
    assert found is not None
    assert found.weights is not None
    numbers = [full(float(part[0][1, 3])) for part in (found.patch, found.weights, found.products)]
    assert board.sum._tap_text(found) == f"row 1, column 3: {numbers[0]} × {numbers[1]} = {numbers[2]}"
    QTest.mouseMove(board.input, centre(board.input, 6, 5))
    qtbot.waitUntil(lambda: board.sum._tap == (2, 1))
