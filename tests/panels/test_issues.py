"""The issues panel: what it lists, what a click does, and that every repair it offers mends."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.panels.issues import IssuesPanel
from tests.panels.stage import Stage, click, enter, press, shown, stage


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def panel_of(qtbot: QtBot, on: Stage) -> IssuesPanel:
    panel = IssuesPanel(on.document, on.selection, on.themes)
    shown(qtbot, panel, 400, 300)
    return panel


def test_no_issues_is_said(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    assert panel.empty_text == "No issues: every layer fits."
    assert panel.count == (0, 0)


def test_issues_are_counted_and_listed_with_errors_first(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    counts: list[tuple[int, int]] = []
    panel.count_changed.connect(lambda errors, warnings: counts.append((errors, warnings)))
    lenet.document.edit("Remove flatten", lambda a: edits.remove(a, ["flatten"]))
    assert counts == [(0, 3)]  # fc1, fc2 and fc3 act on one dimension alone
    lenet.set_value("fc3", "in_features", 5)
    issues = lenet.document.snapshot.inference.issues
    assert panel.count == counts[-1] == (1, len(issues) - 1)
    assert sorted(card.message for card in panel.cards.cards) == sorted(issue.message for issue in issues)
    severities = [card.issue.severity for card in panel.cards.cards if card.issue is not None]
    assert severities == sorted(severities)
    assert panel.empty_text == ""


def test_a_click_selects_the_node(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("fc2", "in_features", 5)
    (card,) = panel.cards.cards
    click(card, QPoint(8, 8))
    assert lenet.selection.ids == ("fc2",)
    lenet.selection.set(())
    card.setFocus()
    press(card, Qt.Key.Key_Return)
    assert lenet.selection.ids == ("fc2",)


def test_every_repair_mends_in_one_step(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("conv1", "kernel_size", (40, 40))
    (card,) = panel.cards.cards
    for position in range(len(card.buttons)):
        button = card.buttons[position]
        text = button.text()
        click(button)
        assert lenet.document.snapshot.inference.nodes["conv1"].issues == (), text
        assert lenet.document.undo_stack.undoText() == f"Repair conv1: {text}"
        lenet.document.undo_stack.undo()
        assert len(panel.cards.cards) == 1


def test_hovering_previews_and_a_vanishing_button_ends_it(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("fc1", "in_features", 256)
    (card,) = panel.cards.cards
    previews: list[object] = []
    lenet.document.previewed.connect(previews.append)
    enter(card.buttons[0])
    assert previews[-1] is not None
    assert lenet.value("fc1", "in_features") == 256
    QApplication.sendEvent(card.buttons[0], QEvent(QEvent.Type.Leave))
    assert previews[-1] is None
    enter(card.buttons[0])
    panel.hide()
    assert previews[-1] is None
