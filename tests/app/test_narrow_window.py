"""How narrow the window may be with each dock in front, once there is something in it."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.panels.explanations.tab import PROBE_IMAGES, TEST_IMAGES
from explorer.runs.looks import Pixel

_WIDEST = 1000


@pytest.mark.parametrize("width", [1024, 1800])
def test_no_dock_needs_more_than_a_small_screen(width: int, qtbot: QtBot) -> None:
    """Of a wide window too: else it could be made wide, and not narrow again."""
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(width, 700)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    window.looking.enable()
    window.selection.set(["conv2"])
    window.docks["feature-maps"].raise_()
    panel = window.feature_maps
    qtbot.waitUntil(lambda: panel.controls.facts.text.startswith("Conv2d · 16×10×10"), timeout=30_000)
    panel.maps.choose(2)
    panel.pointing.hold(Pixel("conv2", 2, 4, 3))
    qtbot.waitUntil(lambda: panel.field.box is not None, timeout=30_000)
    window.docks["layer"].raise_()
    qtbot.waitUntil(lambda: window.layer_walk.board.walk is not None, timeout=30_000)
    window.docks["weights"].raise_()
    qtbot.waitUntil(lambda: not window.weights_panel.pictures.sentence, timeout=30_000)
    window.docks["classes"].raise_()
    window.answers.show_page(PROBE_IMAGES)
    qtbot.waitUntil(lambda: len(window.explanations.cards.cards) > 0, timeout=30_000)
    for page in (PROBE_IMAGES, TEST_IMAGES):
        window.answers.show_page(page)
        QApplication.processEvents()
        assert window.answers.minimumSizeHint().width() <= _WIDEST
    for name, dock in window.docks.items():
        dock.raise_()
        QApplication.processEvents()
        assert window.minimumSizeHint().width() <= _WIDEST, name
        assert window.minimumSizeHint().height() <= 700, name
    window.resize(1024, 700)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (1024, 700)
