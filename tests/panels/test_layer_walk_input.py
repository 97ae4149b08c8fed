"""The two maps of the Layer tab: colours, padding, what is read by nobody, and parts of large maps."""

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.panels.layer_walk.colours import colour
from explorer.panels.values.editors import PaddingEditor
from explorer.zoo.lenet import lenet5
from tests.panels.stage import click, press
from tests.panels.walk_panel import centre, feed, lenet5_with, walk_panel


def test_pixels_have_the_colours_of_their_values(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
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
            drawn = QColor(screen.pixel(centre(view, row, column) * screen.devicePixelRatio()))
            assert drawn == colour(float(values[row, column]), scale, at.themes.theme)


def test_clicking_a_pixel_marks_the_outputs_that_read_it(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot)
    board = panel.board
    click(board.input, centre(board.input, 1, 10))
    readers = board.output.readers
    assert readers is not None
    assert {(int(r), int(c)) for r, c in np.argwhere(readers)} == {(r, c) for r in (0, 1) for c in range(6, 11)}
    assert board._input_says.whole == "pixel 1, 10 is read by 10 outputs"
    press(board, Qt.Key.Key_Escape)
    assert board.output.readers is None
    assert board._input_says.whole == "window 5×5, moves by 1"


def test_unread_pixels_are_counted_and_said(qtbot: QtBot) -> None:
    architecture = edits.set_value(lenet5_with("conv1", stride=(3, 3)), "conv2", "padding", (2, 2))
    panel, _ = walk_panel(qtbot, "conv1", architecture)
    board = panel.board
    # 32 = 3·9 + 5: all are read. With a kernel of 4 the last one is not.
    assert board._input_says.whole == "window 5×5, moves by 3"
    panel, _ = walk_panel(qtbot, "conv1", edits.set_value(architecture, "conv1", "kernel_size", (4, 4)))
    assert panel.board._input_says.whole == "63 pixels (6\u2009%) never read, as the size is rounded down"
    click(panel.board.input, centre(panel.board.input, 31, 4))
    assert panel.board._input_says.whole == "pixel 31, 4 is read by no output"


def test_unread_pixels_are_hatched(qtbot: QtBot) -> None:
    # Windows of 4 begin at 0, 3, ... 27: rows and columns 0 to 30 of 32 are read.
    panel, at = walk_panel(qtbot, "conv1", lenet5_with("conv1", stride=(3, 3), kernel_size=(4, 4)), height=700)
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
    panel, at = walk_panel(qtbot, "conv1", lenet5_with("conv1", padding=(2, 2)))
    board = panel.board
    board.choose(0, 0)
    assert board._output_says.whole == "row 0, column 0 · 64\u2009% padding"
    board.controls.share_button.click()
    screen = board.output.grab().toImage()
    for place, share in (((5, 5), 0.0), ((0, 31), 16 / 25), ((31, 8), 10 / 25)):
        drawn = QColor(screen.pixel(centre(board.output, *place) * screen.devicePixelRatio()))
        assert drawn == colour(share, 1.0, at.themes.theme)
    panel, _ = walk_panel(qtbot, "pool1")
    assert not panel.board.controls.share_button.isEnabled()


def test_padding_is_a_rim_to_scale(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot)
    assert panel.steppers.form is not None
    padding = panel.steppers.form.editors["padding"]
    assert isinstance(padding, PaddingEditor)
    padding.edited.emit((3, 0, 1, 2))
    assert at.value("conv1", "padding") == (3, 0, 1, 2)
    feed(panel, at, "conv1")
    region = panel.board.input.region
    assert region is not None
    assert region[:4] == (-3, -1, 32, 34)
    at.document.undo_stack.undo()
    assert at.value("conv1", "padding") == (0, 0)


def _large() -> Architecture:
    return edits.set_value(
        edits.set_value(edits.set_input_shape(lenet5(), 3, 224, 224), "conv1", "kernel_size", (11, 11)),
        "conv1",
        "stride",
        (4, 4),
    )


def test_of_a_large_map_the_surroundings_of_the_window_are_shown(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot, "conv1", _large(), height=280)
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
    panel, _ = walk_panel(qtbot, "conv1", _large(), height=280)
    board = panel.board
    board.choose(20, 20)
    region = board.input.region
    board.choose(20, 21)
    assert board.input.region == region


def test_pictures_can_be_drawn_in_any_size_and_theme(qtbot: QtBot) -> None:
    panel, at = walk_panel(qtbot, "conv2", lenet5_with("conv2", dilation=(2, 2)))
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
