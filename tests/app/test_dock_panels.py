"""Who is told that nobody sees it: whatever stands behind another tab, which to Qt is visible."""

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.panels.explanations.tab import PROBE_IMAGES, TEST_IMAGES


def test_only_what_is_in_front_is_seen(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panels = {
        "ideas": window.ideas,
        "training": window.training,
        "data": window.data_page,
        "feature-maps": window.feature_maps,
        "layer": window.layer_walk,
        "weights": window.weights_panel,
        "tested": window.classes,
        "explained": window.explanations,
        "table": window.table,
        "runs": window.runs,
    }

    def seen() -> set[str]:
        QApplication.processEvents()
        return {name for name, panel in panels.items() if panel.is_seen}

    assert seen() == {"training"}
    assert sum(panel.isVisible() for panel in panels.values()) > 1, "what Qt says of them"
    for name in ("data", "feature-maps", "layer", "weights", "table", "runs"):
        window.docks[name].raise_()
        assert seen() == {name}
    window.docks["classes"].raise_()
    window.answers.show_page(TEST_IMAGES)
    assert seen() == {"tested"}
    window.answers.show_page(PROBE_IMAGES)
    assert seen() == {"explained"}
    window.docks["ideas"].raise_()
    assert seen() == {"explained", "ideas"}
    window.docks["source"].raise_()
    window.show_gallery()
    assert seen() == set()
    window.show_canvas()
    assert seen() == {"ideas"}


def test_curves_behind_another_tab_are_not_seen(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    curves = window.training.curves
    window.docks["training"].raise_()
    QApplication.processEvents()
    assert curves.is_seen
    window.docks["data"].raise_()
    QApplication.processEvents()
    assert curves.isVisible(), "what Qt says of them"
    assert not curves.is_seen
