"""The room of the curves in a window of usual size: what is said above takes nothing from it, and moves nothing."""

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.architecture import edits
from explorer.panels.training.panel import TrainingPanel
from tests.panels.fake_run import run_started, steps
from tests.session.test_data_session import facts_of

_NOTES = (
    "28×28 images are padded with black to the network's 32×32.",
    "Grey images are repeated on the network's 3 channels.",
    "Convolutions multiply in bfloat16 from here on: 178 ms a step instead of 251 ms; weights stay in float32.",
)
_WARNING = (
    "The project's settings were not used: batch_size has to be at least 1 and at most 65536, and -4 was received."
)
_WARNINGS = ("Left out: fc1.", _WARNING, f"{_WARNING} {_WARNING} {_WARNING}")


@pytest.fixture(params=[(1440, 880, 160), (1280, 800, 120)], ids=["1440x880", "1280x800"])
def training(request: pytest.FixtureRequest, qtbot: QtBot) -> tuple[TrainingPanel, int]:
    """A run with three notes, and the least pixels that its curves may have."""
    width, height, least = request.param
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(width, height)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panel = window.training
    window.run_session.events_arrived.emit([run_started(notes=_NOTES), steps(1, [0.5] * 63)])
    qtbot.waitUntil(lambda: panel.curves.height() >= least)
    return panel, least


def curves_of(panel: TrainingPanel) -> QRect:
    """Where they are in the window."""
    for _ in range(4):
        QApplication.processEvents()
    return QRect(panel.curves.mapTo(panel.window(), QPoint(0, 0)), panel.curves.size())


def lies_within(inner: QWidget, outer: QWidget) -> bool:
    return outer.rect().contains(QRect(inner.mapTo(outer, QPoint(0, 0)), inner.size()))


def score_1000(panel: TrainingPanel) -> None:
    document = panel._document
    document.apply("Set fc3", edits.set_value(document.architecture, "fc3", "out_features", 1000))


def test_warnings_of_any_length_leave_the_curves_their_room(training: tuple[TrainingPanel, int]) -> None:
    panel, least = training
    before = curves_of(panel)
    assert before.height() >= least
    for warning in _WARNINGS:
        panel._say_notes(warning)
        assert curves_of(panel) == before
        assert warning.startswith(panel.status.urgent.text().splitlines()[0])
        assert lies_within(panel.status, panel)


def test_a_wrong_number_of_classes_is_said_whole_beside_the_notes(training: tuple[TrainingPanel, int]) -> None:
    panel, least = training
    before = curves_of(panel)
    score_1000(panel)
    assert curves_of(panel) == before
    assert before.height() >= least
    text = panel.classes.text
    assert panel.classes.isVisible()
    assert text.heightForWidth(text.width()) <= text.height()
    assert lies_within(text, panel)
    assert lies_within(panel.classes.button, panel)
    assert panel.status.more_button.isVisible()
    panel.classes.button.click()
    assert curves_of(panel) == before
    assert not panel.classes.isVisible()


def test_what_is_more_urgent_than_the_classes_has_the_whole_room(training: tuple[TrainingPanel, int]) -> None:
    panel, _ = training
    score_1000(panel)
    before = curves_of(panel)
    panel._say_notes("Left out: fc1.", "error")
    assert curves_of(panel) == before
    assert not panel.classes.isVisible()
    first, second = panel.status.urgent.text().splitlines()
    assert first == "Left out: fc1."
    assert second.startswith("The network scores 1,000 classes")
    panel._say_notes()
    assert panel.classes.isVisible()
    assert curves_of(panel) == before


def test_another_number_of_classes_is_said_at_once(training: tuple[TrainingPanel, int]) -> None:
    panel, _ = training
    document = panel._document
    score_1000(panel)
    document.apply("Set fc3", edits.set_value(document.architecture, "fc3", "out_features", 100_000))
    curves_of(panel)
    text = panel.classes.text
    assert text.text().startswith("The network scores 100,000 classes")
    assert text.heightForWidth(text.width()) <= text.height()
    panel._say_notes("Left out: fc1.")
    document.apply("Set fc3", edits.set_value(document.architecture, "fc3", "out_features", 11))
    assert "scores 11 classes" in panel.status.text()
    assert "the other one is never right" in panel.status.text()


def test_a_long_name_of_a_folder_leaves_the_notes_room(training: tuple[TrainingPanel, int]) -> None:
    panel, _ = training
    facts = facts_of(f"folder:/images/{'x' * 60}")
    panel.classes.learn(facts)
    panel.classes.show_data(facts.name)
    curves_of(panel)
    assert panel.classes.isVisible()
    assert panel.status.width() >= panel.classes.width() // 2
    assert panel.status.lines.isVisible()
