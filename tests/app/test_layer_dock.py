"""The Layer tab in the window: the values of the network at rest, an edit by its steppers, and a run in sight."""

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.panels.values.editors import PairEditor
from explorer.runs import RunConfig
from tests.panels.stage import press


def test_it_shows_the_network_at_rest_follows_its_own_edit_and_then_a_run(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    window.docks["layer"].raise_()
    window.selection.set(["conv2"])
    window.preload()
    board = window.layer_walk.board
    qtbot.waitUntil(lambda: board.walk is not None, timeout=30_000)
    assert board.walk is not None
    assert "initial weights" in window.layer_walk._facts.whole
    first = board.walk.opened.output
    assert board.sum.found is not None
    assert board.sum.found.agrees

    board.choose(1, 2)
    assert window.layer_walk.steppers.form is not None
    kernel = window.layer_walk.steppers.form.editors["kernel_size"]
    assert isinstance(kernel, PairEditor)
    press(kernel.height_box, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: board.walk is not None and board.walk.slide.rows.taps == 4, timeout=30_000)
    assert board.place == (0, 1, 2)
    # The flatten behind it is of another size, and all that follows fits itself.
    assert not window.document.snapshot.inference.errors
    window.document.undo_stack.undo()
    qtbot.waitUntil(lambda: board.walk is not None and board.walk.slide.rows.taps == 5, timeout=30_000)

    window.training.set_config(
        RunConfig.from_plain({**window.training.config().to_plain(), "device": "cpu", "epochs": 1})
    )
    window.run_session.started.connect(lambda *_: window.docks["layer"].raise_())
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: "step" in window.layer_walk._facts.whole, timeout=60_000)
    assert board.place == (0, 1, 2)
    assert board.sum.found.agrees
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=120_000)
    qtbot.waitUntil(lambda: "trained weights" in window.layer_walk._facts.whole, timeout=30_000)
    assert board.walk is not None
    assert not np.array_equal(board.walk.opened.output, first)
