"""The Classes tab in the window, with a real run: live, and again when the run is opened later."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.panels.classes.layout import Cell
from explorer.runs import RunConfig
from explorer.runs.class_figures import images_of
from explorer.training import load_data
from explorer.training.data import loading
from tests.training.test_resume import small_digits


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """`digits` is few training and test images, so that an epoch takes a moment."""
    monkeypatch.setitem(loading._kept, ("digits", None), load_data("digits"))
    small_digits()


def test_a_run_is_looked_at_live_and_afterwards(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1440, 900)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panel, session = window.classes, window.classes_session
    window.training.set_config(RunConfig(device="cpu", epochs=2, batch_size=16))
    window.training.start()
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.epoch == 2, timeout=120_000)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=120_000)
    assert session.epochs == (1, 2)
    assert session.shown is not None
    tested = session.shown.tested
    data = load_data("digits")
    images, labels = data.test_images[:, 0].numpy(), data.test_labels
    assert tested.labels.tolist() == labels.tolist()
    assert tested.num_right / tested.count == window.training.curves.data.epochs[-1].test_accuracy

    # The images of a cell are those of the data set.
    matrix = panel.matrix
    true, answer = int(tested.labels[0]), int(tested.predicted[0])
    QTest.mouseClick(
        matrix.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        matrix.cell_rect(Cell(true, answer)).center(),
    )
    places = images_of(tested, [true], [answer]).tolist()
    assert [answer.position for answer in panel.images.answers] == places[:60]
    qtbot.waitUntil(lambda: not panel.images.missing(), timeout=20_000)
    shown = panel.images._images[places[0]]
    pixels = np.array([[shown.pixelColor(x, y).red() for x in range(28)] for y in range(28)])
    assert np.array_equal(pixels, images[places[0]])

    # One of them becomes the probe.
    bar = window.feature_maps.probe_bar
    QTest.mouseClick(panel.images, Qt.MouseButton.LeftButton, pos=panel.images.tile_rect(0).center())
    qtbot.waitUntil(
        lambda: bar.current is not None and bar.current.label.startswith(f"{true}, test image"), timeout=20_000
    )
    assert bar.current is not None
    assert np.array_equal(np.squeeze(bar.current.image), images[places[0]])

    # Another network is opened, then the run once more.
    assert "LeNet-5" not in panel.facts.text()
    window.open_target("alexnet-28")
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: "of LeNet-5, which is not what is open" in panel.facts.text())
    window.runs_session.refresh()
    (record,) = window.runs_session.records
    window.runs.open_asked.emit(record.run_id)
    window.docks["classes"].raise_()
    qtbot.waitUntil(panel.isVisible)
    assert session.epochs == (1, 2)
    assert session.shown is not None
    assert np.array_equal(session.shown.tested.predicted, tested.predicted)
    assert "LeNet-5" not in panel.facts.text()
    panel.epoch_slider.setValue(0)
    assert panel.title.text() == "After epoch 1"


def test_it_is_live_within_an_epoch(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1440, 900)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panel, session = window.classes, window.classes_session
    window.training.set_config(RunConfig(device="cpu", epochs=100_000, batch_size=128))
    window.training.start()
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: session.live is not None and session.live.num_new >= 3, timeout=120_000)
    live = session.live
    assert live is not None
    data = load_data("digits")
    places = [live.tested.position(place) for place in range(live.tested.count)]
    assert live.tested.labels.tolist() == data.test_labels[places].tolist()
    qtbot.waitUntil(lambda: panel.title.text() == "Live", timeout=120_000)
    # An earlier epoch, and nothing is asked for any more.
    qtbot.waitUntil(lambda: len(session.epochs) > 1, timeout=120_000)
    run = window.run_session

    def is_asked() -> bool:
        return run._look.tested

    assert is_asked()
    session.choose(session.epochs[0])
    assert not is_asked()
    assert panel.title.text() == f"After epoch {session.epochs[0]}"
    session.choose(None)
    assert is_asked()
    window.docks["training"].raise_()
    qtbot.waitUntil(lambda: not is_asked())
    run.stop()
    qtbot.waitUntil(lambda: not run.is_active, timeout=60_000)
