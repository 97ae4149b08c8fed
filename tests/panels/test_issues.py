"""The issues panel: what it lists, what a click does, and that every repair it offers mends."""

from functools import partial

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference import Issue, Repair
from explorer.panels.issues.card import IssueCard
from explorer.panels.issues.panel import IssuesPanel
from tests.networks import branching
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
    issues = lenet.document.snapshot.inference.issues
    assert counts == [(0, sum(issue.severity == "warning" for issue in issues))] != [(0, 0)]
    lenet.set_value("fc3", "in_features", 5)
    issues = lenet.document.snapshot.inference.issues
    num_notes = sum(issue.severity == "note" for issue in issues)
    assert panel.count == counts[-1] == (1, len(issues) - num_notes - 1)
    panel.sections["note"].set_open(True)
    assert sorted(card.message for card in panel.cards) == sorted(issue.message for issue in issues)
    severities = [card.issue.severity for card in panel.cards if card.issue is not None]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert panel.empty_text == ""


def test_a_click_selects_the_node(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("fc2", "in_features", 5)
    (card,) = panel.cards
    click(card, QPoint(8, 8))
    assert lenet.selection.ids == ("fc2",)
    lenet.selection.set(())
    card.setFocus()
    press(card, Qt.Key.Key_Return)
    assert lenet.selection.ids == ("fc2",)


def test_every_repair_mends_in_one_step(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("conv1", "kernel_size", (40, 40))
    (card,) = panel.cards
    for position in range(len(card.buttons)):
        button = card.buttons[position]
        text = button.text()
        click(button)
        assert lenet.document.snapshot.inference.nodes["conv1"].fault is None, text
        assert lenet.document.undo_stack.undoText() == f"Repair conv1: {text}"
        lenet.document.undo_stack.undo()
        assert len(panel.cards) == 1


def test_hovering_previews_and_a_vanishing_button_ends_it(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("fc1", "in_features", 256)
    (card,) = panel.cards
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


def test_notes_are_folded_at_first_and_how_they_are_is_remembered(qtbot: QtBot) -> None:
    network = stage(branching())
    biased = edits.set_value(network.document.architecture, "stem.conv", "bias", True)
    network.document.apply("Bias", biased)
    notes = [issue for issue in network.document.snapshot.inference.issues if issue.severity == "note"]
    assert notes
    panel = panel_of(qtbot, network)
    section = panel.sections["note"]
    warnings = [issue for issue in network.document.snapshot.inference.issues if issue.severity == "warning"]
    assert panel.count == (0, len(warnings))
    assert section.isVisible()
    assert section.heading.accessibleName().split() == ["Notes", str(len(notes))]
    assert section.cards.cards == []
    click(section.heading)
    assert [card.message for card in section.cards.cards] == [issue.message for issue in notes]
    again = panel_of(qtbot, network)
    assert len(again.sections["note"].cards.cards) == len(notes)


def test_of_many_repairs_the_first_are_shown_until_more_are_asked_for(qtbot: QtBot, lenet: Stage) -> None:
    repairs = tuple(
        Repair(f"padding {n}", partial(edits.set_value, node_id="conv1", name="padding", value=(n, n)))
        for n in range(7)
    )
    card = IssueCard(lenet.document, lenet.themes, shows_node=True)
    shown(qtbot, card, 400, 200)
    card.show_issue(Issue("conv1", "error", "too small", repairs))
    assert [button.text() for button in card.buttons] == ["padding 0", "padding 1", "padding 2"]
    assert card.more.text() == "4 more"
    click(card.more)
    assert [button.text() for button in card.buttons] == [repair.text for repair in repairs]
    assert all(button.isVisible() for button in card.buttons)
    click(card.more)
    assert len(card.buttons) == 3
    card.show_issue(Issue("conv1", "error", "too small", repairs[:4]))
    assert len(card.buttons) == 4
    assert not card.more.isVisible()


def test_a_repair_is_previewed_and_applied_by_keyboard(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("fc1", "in_features", 256)
    (card,) = panel.cards
    previews: list[object] = []
    lenet.document.previewed.connect(previews.append)
    card.setFocus()
    press(card, Qt.Key.Key_Tab)
    button = card.buttons[0]
    assert button.hasFocus()
    assert previews[-1] is not None
    press(button, Qt.Key.Key_Escape)
    assert previews[-1] is None
    press(button, Qt.Key.Key_Return)
    assert lenet.steps[-1] == f"Repair fc1: {button.text()}"
    assert lenet.document.snapshot.inference.errors == ()


def test_nothing_scrolls_that_fits(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    panel.resize(1200, 210)
    lenet.set_value("conv1", "kernel_size", (40, 40))
    QApplication.processEvents()
    assert panel.cards
    assert panel.verticalScrollBar().maximum() == 0
    panel.resize(200, 120)
    QApplication.processEvents()
    assert panel.verticalScrollBar().maximum() > 0


def test_a_section_folds_by_keyboard(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.set_value("conv1", "kernel_size", (40, 40))
    heading = panel.sections["error"].heading
    heading.setFocus()
    for key, num_cards in (
        (Qt.Key.Key_Return, 0),
        (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Space, 0),
        (Qt.Key.Key_Enter, 1),
    ):
        press(heading, key)
        assert len(panel.cards) == num_cards, key
    assert panel.count == (1, 0)
