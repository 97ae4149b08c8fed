"""Colouring by what is measured of the layers, in the window: at rest, while a real run trains, and after it."""

from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.runs import RunConfig

WAIT_MS = 60_000


def test_colours_follow_a_run_and_stay_after_it(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5-relu-dropout")
    window.looking.enable()
    colouring, legend = window.canvas.reading.colouring, window.canvas.reading.legend
    colouring.choose("dead")
    qtbot.waitUntil(lambda: legend.texts[-1] == "initial weights · 64 images", timeout=WAIT_MS)
    assert colouring.now is not None
    assert set(colouring.now.values.values) == {"relu1", "relu2", "relu3", "relu4"}
    colouring.choose("ratio")
    assert legend.texts[-1] == "train to measure it"
    plain = {**window.training.config().to_plain(), "device": "cpu", "data": "digits", "epochs": 2}
    window.training.set_config(RunConfig.from_plain(plain))
    window.training.start_action.trigger()
    qtbot.waitUntil(lambda: legend.texts[-1].startswith("step "), timeout=WAIT_MS)
    assert set(colouring.now.values.values) == {"conv1", "conv2", "fc1", "fc2", "fc3"}
    assert all(0 < ratio < 1 for ratio in colouring.now.values.values.values())
    qtbot.waitUntil(lambda: window.run_session.state == "idle", timeout=WAIT_MS)
    colouring.choose("dead")
    qtbot.waitUntil(lambda: legend.texts[-1] == "trained weights · 64 images", timeout=WAIT_MS)
    colouring.choose("ratio")
    assert legend.texts[-1].startswith("step ")
