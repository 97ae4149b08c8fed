"""The way of the window in the Layer tab, by real keys and clicks, and as it plays."""

from functools import partial

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.panels.layer_walk.colours import colour
from explorer.panels.layer_walk.controls import SPEEDS
from explorer.panels.layer_walk.panel import LayerWalkPanel
from tests.panels.stage import click, press
from tests.panels.walk_panel import centre, walk_panel


def _moves(panel: LayerWalkPanel) -> bool:
    return panel.board.is_playing


def test_arrows_move_home_and_end_jump(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot)
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
    panel, _ = walk_panel(qtbot)
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
    panel, _ = walk_panel(qtbot, "pool2")
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
    panel, at = walk_panel(qtbot, "pool2")
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
    panel, _ = walk_panel(qtbot)
    board = panel.board
    board.choose(3, 3)
    QTest.mouseMove(board.output, centre(board.output, 10, 20))
    qtbot.waitUntil(lambda: board.place == (0, 10, 20))
    board.output.leaveEvent(None)
    assert board.place == (0, 3, 3)
    click(board.output, centre(board.output, 7, 9))
    assert board.place == (0, 7, 9)
    assert board.hasFocus()


def test_keys_with_modifiers_stay_the_windows(qtbot: QtBot) -> None:
    panel, _ = walk_panel(qtbot)
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
