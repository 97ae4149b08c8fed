"""The Layer tab by real keys, clicks and edits, on values that torch computed."""

from functools import partial

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.layers import MaxPool2d
from explorer.panels.layer_walk.colours import colour, full, short
from explorer.panels.layer_walk.controls import SPEEDS
from explorer.panels.layer_walk.map import MapView
from explorer.panels.layer_walk.panel import LayerWalkPanel
from explorer.panels.values.editors import NumberEditor, PaddingEditor, PairEditor
from explorer.runs import LayersOpened
from explorer.runtime.modules import build_module
from explorer.runtime.observer import runnable_part
from explorer.runtime.opened import open_layers
from explorer.session.sources import Source
from explorer.zoo.lenet import lenet5
from tests.panels.stage import Stage, click, press, shown, stage


def _feed(panel: LayerWalkPanel, at: Stage, *node_ids: str, step: int = 0, seed: int = 0) -> LayersOpened:
    """Give the panel what the network at rest would."""
    network = build_module(runnable_part(at.document.architecture), seed=seed)
    channels, height, width = at.document.architecture.input_shape
    probe = torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(5))
    event = LayersOpened(run_id="", step=step, probe="digit 7", layers=open_layers(network, probe, node_ids))
    panel.show_observed([event], Source(f"step {step}", step, ""))
    return event


def _panel(
    qtbot: QtBot, node_id: str | None = "conv1", architecture: Architecture | None = None, height: int = 420
) -> tuple[LayerWalkPanel, Stage]:
    at = stage(architecture)
    panel = LayerWalkPanel(at.document, at.selection, at.themes)
    shown(qtbot, panel, 1400, height)
    if node_id is not None:
        at.selection.set([node_id])
        _feed(panel, at, node_id)
    return panel, at


def _with(node_id: str, **values: object) -> Architecture:
    architecture = lenet5()
    for name, value in values.items():
        architecture = edits.set_value(architecture, node_id, name, value)
    return architecture


def _centre(view: MapView, row: int, column: int) -> QPoint:
    assert view.region is not None
    return view.region.rect(row, column).center().toPoint()


# What is wanted


def test_the_selected_layer_is_wanted_while_it_is_shown(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, None)
    changes: list[tuple[str, ...]] = []
    panel.wanted_changed.connect(lambda: changes.append(panel.wanted().opened))
    at.selection.set(["conv2"])
    at.selection.set(["tanh1"])
    at.selection.set(["fc1"])
    panel.hide()
    panel.show()
    assert changes == [("conv2",), (), ("fc1",), (), ("fc1",)]


def test_another_kind_of_layer_says_what_it_does_and_what_to_choose(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, None)
    assert "Select a convolution or pooling layer" in panel.empty.text()
    at.selection.set(["tanh1"])
    assert "Squashes values" in panel.empty.text()
    assert panel.empty.isVisible()
    assert not panel.steppers.isVisible()
    panel.empty.linkActivated.emit("conv2")
    assert at.selection.ids == ("conv2",)
    assert "Waiting for the values of conv2" in panel.empty.text()


def test_a_problem_is_said_and_the_next_values_take_it_back(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.show_problem("no probe image is chosen; choose one")
    assert "no probe image" in panel.empty.text()
    _feed(panel, at, "conv1")
    assert panel.board.isVisible()


# The numbers


def test_heading_and_formula_carry_the_numbers(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "conv1", _with("conv1", padding=(2, 2), stride=(3, 3), dilation=(2, 1)))
    assert panel._title.text() == "conv1"
    assert panel._facts.whole == "Conv2d · 1×32×32 → 6×10×11 · digit 7 · step 0"
    size = "height = ⌊(32 + 2·2 − 2·(5 − 1) − 1) / 3⌋ + 1 = 10   width = ⌊(32 + 2·2 − 5) / 3⌋ + 1 = 11"
    assert panel._size.text() == size
    assert at.document.snapshot.inference.nodes["conv1"].output_shape == (6, 10, 11)


@pytest.mark.parametrize("node_id", ["conv1", "pool1", "conv2", "fc1", "fc3"])
def test_every_output_that_is_walked_to_is_torchs(qtbot: QtBot, node_id: str) -> None:
    panel, at = _panel(qtbot, node_id)
    event = _feed(panel, at, node_id)
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


def test_pixels_have_the_colours_of_their_values(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.board.choose(0, 0)
    board = panel.board
    walk = board.walk
    assert walk is not None
    for view, values, scale in (
        (board.input, walk.input_map(0), board.input.scale),
        (board.output, walk.output_map(0), board.output.scale),
    ):
        screen = view.grab().toImage()
        for row, column in ((12, 3), (20, 22)):
            drawn = QColor(screen.pixel(_centre(view, row, column) * screen.devicePixelRatio()))
            assert drawn == colour(float(values[row, column]), scale, at.themes.theme)


def test_numbers_are_short_in_cells_and_four_digits_in_sums() -> None:
    assert [short(v, 2) for v in (0.0, -0.001, -1.234, -np.inf)] == ["0", "0.00", "−1.23", "−∞"]
    assert [full(v) for v in (0.0, 0.42134, -12.3456, 1234.56, 1.5e-7)] == [
        "0",
        "0.4213",
        "−12.346",
        "1234.6",
        "1.500e−7",
    ]


# The window's way


def _moves(panel: LayerWalkPanel) -> bool:
    return panel.board.is_playing


def test_arrows_move_home_and_end_jump(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    board = panel.board
    board.setFocus()
    for key, place in (
        (Qt.Key.Key_Home, (0, 0)),
        (Qt.Key.Key_Left, (0, 0)),
        (Qt.Key.Key_Right, (0, 1)),
        (Qt.Key.Key_Down, (1, 1)),
        (Qt.Key.Key_End, (27, 27)),
        (Qt.Key.Key_Down, (27, 27)),
        (Qt.Key.Key_Up, (26, 27)),
    ):
        press(board, key)
        assert board.place == (0, *place)
    press(board, Qt.Key.Key_PageDown)
    assert board.place == (1, 26, 27)
    assert board.output_chooser.box.value() == 1
    press(board, Qt.Key.Key_PageUp)
    press(board, Qt.Key.Key_PageUp)
    assert board.place == (0, 26, 27)


def test_space_plays_row_by_row_and_hiding_stops(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    board = panel.board
    board.controls.slider.setValue(len(SPEEDS) - 1)
    press(board, Qt.Key.Key_Space)
    assert _moves(panel)
    assert board.place == (0, 0, 0)
    qtbot.waitUntil(lambda: board.place[1] >= 1)
    press(board, Qt.Key.Key_Space)
    assert not _moves(panel)
    place = board.place
    press(board, Qt.Key.Key_Space)
    assert board.place == place  # it goes on from where it was
    panel.hide()
    assert not _moves(panel)


def test_playing_ends_at_the_last_output(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, "pool2")
    board = panel.board
    board.controls.slider.setValue(len(SPEEDS) - 1)
    board.controls.play_button.click()
    qtbot.waitUntil(lambda: not board.is_playing)
    assert board.place == (0, 4, 4)
    board.controls.first_button.click()
    assert board.place == (0, 0, 0)
    board.controls.step_button.click()
    assert board.place == (0, 0, 1)


def test_outputs_that_are_to_come_are_covered(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "pool2")
    board = panel.board
    board.play()
    board.pause()
    board.choose(2, 2)
    screen = board.output.grab().toImage()
    walk = board.walk
    assert walk is not None
    spot = QPointF(0.2, 0.2)

    def seen(row: int, column: int) -> bool:
        assert board.output.region is not None
        rect = board.output.region.rect(row, column)
        point = rect.topLeft() + QPointF(rect.width() * spot.x(), rect.height() * spot.y())
        drawn = QColor(screen.pixel((point * screen.devicePixelRatio()).toPoint()))
        return drawn == colour(float(walk.output_map(0)[row, column]), board.output.scale, at.themes.theme)

    assert seen(0, 0)
    assert seen(2, 0)
    assert not seen(2, 4)
    assert not seen(4, 1)


def test_hovering_an_output_shows_it_until_the_mouse_leaves_and_a_click_keeps_it(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    board = panel.board
    board.choose(3, 3)
    QTest.mouseMove(board.output, _centre(board.output, 10, 20))
    qtbot.waitUntil(lambda: board.place == (0, 10, 20))
    board.output.leaveEvent(None)
    assert board.place == (0, 3, 3)
    click(board.output, _centre(board.output, 7, 9))
    assert board.place == (0, 7, 9)
    assert board.hasFocus()


def test_clicking_a_pixel_marks_the_outputs_that_read_it(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    board = panel.board
    click(board.input, _centre(board.input, 1, 10))
    readers = board.output.readers
    assert readers is not None
    assert {(int(r), int(c)) for r, c in np.argwhere(readers)} == {(r, c) for r in (0, 1) for c in range(6, 11)}
    assert board._input_says.whole == "pixel 1, 10 is read by 10 outputs"
    press(board, Qt.Key.Key_Escape)
    assert board.output.readers is None
    assert board._input_says.whole == "window 5×5, moves by 1"


def test_keys_with_modifiers_stay_the_windows(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    board = panel.board
    taken: list[str] = []
    keys = ("Alt+Left", "Alt+Right", "Alt+End", "Ctrl+Space", "Left", "End")
    shortcuts = [QShortcut(QKeySequence(keys_), panel, partial(taken.append, keys_)) for keys_ in keys]
    board.setFocus()
    board.choose(3, 4)
    alt, ctrl = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_End):
        press(board, key, alt)
    press(board, Qt.Key.Key_Space, ctrl)
    assert taken == ["Alt+Left", "Alt+Right", "Alt+End", "Ctrl+Space"]
    assert board.place == (0, 3, 4)
    press(board, Qt.Key.Key_Left)
    press(board, Qt.Key.Key_Left, Qt.KeyboardModifier.KeypadModifier)
    assert board.place == (0, 3, 2)
    assert len(taken) == len(shortcuts) - 2, "without modifiers they are the board's"


def test_unread_pixels_are_counted_and_said(qtbot: QtBot) -> None:
    architecture = edits.set_value(_with("conv1", stride=(3, 3)), "conv2", "padding", (2, 2))
    panel, _ = _panel(qtbot, "conv1", architecture)
    board = panel.board
    # 32 = 3·9 + 5: all are read. With a kernel of 4 the last one is not.
    assert board._input_says.whole == "window 5×5, moves by 3"
    panel, _ = _panel(qtbot, "conv1", edits.set_value(architecture, "conv1", "kernel_size", (4, 4)))
    assert panel.board._input_says.whole == "63 pixels (6\u2009%) never read, as the size is rounded down"
    click(panel.board.input, _centre(panel.board.input, 31, 4))
    assert panel.board._input_says.whole == "pixel 31, 4 is read by no output"


def test_unread_pixels_are_hatched(qtbot: QtBot) -> None:
    # Windows of 4 begin at 0, 3, ... 27: rows and columns 0 to 30 of 32 are read.
    panel, at = _panel(qtbot, "conv1", _with("conv1", stride=(3, 3), kernel_size=(4, 4)), height=700)
    view, red = panel.board.input, at.themes.theme.error
    screen = view.grab().toImage()

    def hatched(row: int, column: int) -> int:
        """How many pixels of a cell have the colour of the lines."""
        assert view.region is not None
        cell = view.region.rect(row, column).toAlignedRect()
        colours = [
            screen.pixelColor(x, y) for x in range(cell.left(), cell.right()) for y in range(cell.top(), cell.bottom())
        ]
        return sum(
            abs(c.red() - red.red()) + abs(c.green() - red.green()) + abs(c.blue() - red.blue()) < 60 for c in colours
        )

    for place in range(1, 31, 3):
        assert hatched(31, place), "the last row"
        assert hatched(place, 31), "the last column"
        assert not hatched(30, place)
        assert not hatched(place, 30)


def test_padding_has_its_share_in_words_and_as_a_picture(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "conv1", _with("conv1", padding=(2, 2)))
    board = panel.board
    board.choose(0, 0)
    assert board._output_says.whole == "row 0, column 0 · 64\u2009% padding"
    board.controls.share_button.click()
    screen = board.output.grab().toImage()
    for place, share in (((5, 5), 0.0), ((0, 31), 16 / 25), ((31, 8), 10 / 25)):
        drawn = QColor(screen.pixel(_centre(board.output, *place) * screen.devicePixelRatio()))
        assert drawn == colour(share, 1.0, at.themes.theme)
    panel, _ = _panel(qtbot, "pool1")
    assert not panel.board.controls.share_button.isEnabled()


@pytest.mark.parametrize("counts", [True, False])
def test_a_mean_says_what_it_counts(qtbot: QtBot, counts: bool) -> None:
    panel, _ = _panel(qtbot, "pool1", _with("pool1", kernel_size=(3, 3), padding=(1, 1), count_include_pad=counts))
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
    panel, _ = _panel(qtbot, "pool1", pooled)
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
    panel, _ = _panel(qtbot, "conv2", _with("conv2", groups=2))
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
    panel, _ = _panel(qtbot, "pool1")
    panel.board.choose_input_channel(4)
    assert panel.board.place[0] == 4


def test_a_channels_small_picture_chooses_it(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, "conv2")
    board = panel.board
    board.sum.grab()
    area, channel = board.sum._chips[4]
    assert channel == 4
    click(board.sum, area.center().toPoint())
    assert board.input_chooser.box.value() == 4


def test_pointing_at_a_tap_marks_it_everywhere_and_says_its_numbers(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
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
    QTest.mouseMove(board.input, _centre(board.input, 6, 5))
    qtbot.waitUntil(lambda: board.sum._tap == (2, 1))


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
    panel, at = _panel(qtbot, None)
    at.selection.set([asked[0]])
    panel.go_to(*asked)
    at.selection.set([node_id])
    _feed(panel, at, node_id)
    if place is not None:
        assert panel.board.place == place
    else:  # what was asked for is not looked at any more
        at.selection.set([asked[0]])
        _feed(panel, at, asked[0])
        assert panel.board.place != (1, 0, 0)


# While it changes


def test_new_values_keep_window_and_channels(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "conv2")
    board = panel.board
    board.choose_channel(3)
    board.choose_input_channel(2)
    board.choose(6, 1)
    before = board.sum.found
    _feed(panel, at, "conv2", step=40, seed=1)
    assert board.place == (3, 6, 1)
    assert board.input_chooser.box.value() == 2
    assert before is not None
    assert board.sum.found is not None
    assert board.sum.found.total != before.total
    assert panel._facts.whole.endswith("step 40")


def test_values_of_a_layer_before_its_edit_are_shown_as_that(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    network = build_module(at.document.architecture, seed=3)
    values = LayersOpened(
        run_id="r", step=9, probe="", layers=open_layers(network, torch.randn(1, 1, 32, 32), ["conv1"])
    )
    at.set_value("conv1", "kernel_size", (3, 3))
    panel.show_observed([values], Source("step 9", 9, "r"))
    assert panel.board.walk is not None
    assert panel.board.walk.slide.rows.taps == 5
    assert panel._facts.whole.endswith("step 9 · as it was before the edit")
    _feed(panel, at, "conv1")
    assert panel.board.walk.slide.rows.taps == 3
    assert panel._facts.whole.endswith("step 0")


def test_another_network_forgets(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.document.open(lenet5())
    assert panel.board.walk is None
    assert "Select a convolution" in panel.empty.text()
    panel.clear_observed()
    assert panel.board.walk is None


# The steppers


def _kernel(panel: LayerWalkPanel) -> PairEditor:
    assert panel.steppers.form is not None
    editor = panel.steppers.form.editors["kernel_size"]
    assert isinstance(editor, PairEditor)
    return editor


@pytest.mark.parametrize(
    ("node_id", "names"),
    [
        ("conv1", ["kernel_size", "stride", "padding", "dilation", "groups", "padding_mode", "out_channels", "bias"]),
        ("pool1", ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]),
        ("fc1", ["out_features", "bias"]),
    ],
)
def test_what_shapes_the_window_has_a_stepper(qtbot: QtBot, node_id: str, names: list[str]) -> None:
    panel, _ = _panel(qtbot, node_id)
    assert panel.steppers.form is not None
    assert list(panel.steppers.form.editors) == names
    assert all(editor.isVisible() for editor in panel.steppers.form.editors.values())


def test_a_stepper_edits_the_layer_and_undo_takes_it_back(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    press(_kernel(panel).height_box, Qt.Key.Key_Up)
    press(_kernel(panel).height_box, Qt.Key.Key_Up)
    assert at.value("conv1", "kernel_size") == (7, 7)
    assert at.steps == ["Set conv1 kernel_size to 7×7"]  # a row of quick ones is one step
    assert panel._size.text() == "size = ⌊(32 + 2·0 − 7) / 1⌋ + 1 = 26"
    # Until the new layer's values are there, the old ones stay with the layer that they are of.
    assert panel.board.walk is not None
    assert panel.board.walk.slide.rows.taps == 5
    _feed(panel, at, "conv1")
    assert panel.board.walk.slide.rows.taps == 7
    at.document.undo_stack.undo()
    assert at.value("conv1", "kernel_size") == (5, 5)
    assert _kernel(panel).height_box.number == 5


def _groups(panel: LayerWalkPanel) -> NumberEditor:
    assert panel.steppers.form is not None
    editor = panel.steppers.form.editors["groups"]
    assert isinstance(editor, NumberEditor)
    return editor


def test_a_value_that_does_not_fit_is_said_beside_it(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "conv2")
    press(_groups(panel).box, Qt.Key.Key_Up)
    press(_groups(panel).box, Qt.Key.Key_Up)
    press(_groups(panel).box, Qt.Key.Key_Up)
    assert at.value("conv2", "groups") == 4
    assert panel.steppers.fault.isVisible()
    assert "groups 4 must divide the 6 channels" in panel.steppers.fault.text()
    assert "mend the fault" in panel.empty.text()
    assert panel._size.text() == ""
    at.document.undo_stack.undo()
    assert panel.board.isVisible()


def test_padding_is_a_rim_to_scale(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    assert panel.steppers.form is not None
    padding = panel.steppers.form.editors["padding"]
    assert isinstance(padding, PaddingEditor)
    padding.edited.emit((3, 0, 1, 2))
    assert at.value("conv1", "padding") == (3, 0, 1, 2)
    _feed(panel, at, "conv1")
    region = panel.board.input.region
    assert region is not None
    assert region[:4] == (-3, -1, 32, 34)
    at.document.undo_stack.undo()
    assert at.value("conv1", "padding") == (0, 0)


# Large maps


def _large() -> Architecture:
    return edits.set_value(
        edits.set_value(edits.set_input_shape(lenet5(), 3, 224, 224), "conv1", "kernel_size", (11, 11)),
        "conv1",
        "stride",
        (4, 4),
    )


def test_of_a_large_map_the_surroundings_of_the_window_are_shown(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, "conv1", _large(), height=280)
    board = panel.board
    assert board.input.is_part
    for place in ((0, 0), (20, 31), (53, 53)):
        board.choose(*place)
        region = board.input.region
        assert region is not None
        top, left = place[0] * 4, place[1] * 4
        assert region.top <= top
        assert top + 11 <= region.bottom
        assert region.left <= left
        assert left + 11 <= region.right
        assert region.cell >= 4
    # 224 = 4·53 + 11 + 1: the last row and column are left over.
    assert board._input_says.whole.startswith("447 pixels")


def test_the_window_stays_in_the_part_that_is_shown_while_it_can(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, "conv1", _large(), height=280)
    board = panel.board
    board.choose(20, 20)
    region = board.input.region
    board.choose(20, 21)
    assert board.input.region == region


def test_pictures_can_be_drawn_in_any_size_and_theme(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, "conv2", _with("conv2", dilation=(2, 2)))
    walk, output = panel.board.walk, panel.board.output
    assert walk is not None
    values = walk.output_map(0)
    scale = float(np.abs(values).max())
    for theme in ("light", "dark"):
        at.themes.choose(theme)
        for width, height in ((480, 176), (900, 240), (1900, 600)):
            panel.resize(width, height)
            assert not panel.grab().isNull()
            screen = output.grab().toImage()
            # Beside the frame of the window's place and the numbers, which large cells have.
            assert output.region is not None
            cell = output.region.rect(4, 3)
            place = (cell.topLeft() + QPointF(cell.width() / 8 + 1, cell.height() / 8 + 1)) * screen.devicePixelRatio()
            drawn = screen.pixelColor(place.toPoint())
            assert drawn == colour(float(values[4, 3]), scale, at.themes.theme), (theme, width)
