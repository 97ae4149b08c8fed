"""The feature maps in the window: values in full of the network at rest, what they rest on, and on to the Layer tab."""

from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.runs.looks import Pixel


def test_a_value_at_rest_its_field_and_its_walk(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panel = window.feature_maps
    window.docks["feature-maps"].raise_()
    window.looking.enable()
    window.selection.set(["conv2"])
    qtbot.waitUntil(lambda: panel.controls.facts.text.startswith("Conv2d · 16×10×10"), timeout=30_000)
    panel.pointing.hold(Pixel("conv2", 5, 4, 3))
    qtbot.waitUntil(lambda: "Σ 150 products + bias" in panel.readout.text, timeout=30_000)
    qtbot.waitUntil(lambda: panel.field.heat is not None, timeout=30_000)
    heat, box = panel.field.heat, panel.field.box
    assert heat is not None
    assert box is not None
    inside = heat[box.top : box.top + box.height, box.left : box.left + box.width]
    assert inside.sum() == heat.sum() > 0
    panel.readout.clicked.emit()
    qtbot.waitUntil(window.layer_walk.isVisible)
    qtbot.waitUntil(lambda: window.layer_walk.board.place == (5, 4, 3), timeout=30_000)
