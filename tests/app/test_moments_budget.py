"""The budget of the moments: none, chosen in the menu, or set by hand."""

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from explorer.app.moments_budget import make_budget_menu
from explorer.app.window import MainWindow
from explorer.runs.moments import BUDGET_VARIABLE, budget_bytes
from explorer.session.places import settings
from tests.app.moments_window import started


def test_without_a_budget_there_is_no_time_machine(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUDGET_VARIABLE, "0")
    started(window)
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    assert window.time_machine.session.steps == ()
    assert not window.time_machine.bar.isVisible()


def test_the_budget_is_chosen_in_the_menu_and_remembered(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Set and taken away, so that what the menu sets is taken back after the test.
    monkeypatch.setenv(BUDGET_VARIABLE, "1")
    monkeypatch.delenv(BUDGET_VARIABLE)
    menu = make_budget_menu(QMenu(window))
    assert [action.data() for action in menu.actions() if action.isChecked()] == [256]
    next(action for action in menu.actions() if action.data() == 0).trigger()
    assert budget_bytes() == 0
    again = make_budget_menu(QMenu(window))
    assert [action.data() for action in again.actions() if action.isChecked()] == [0]
    monkeypatch.delenv(BUDGET_VARIABLE)
    make_budget_menu(QMenu(window))
    assert budget_bytes() == 0, "the next start of the program"


def test_a_budget_that_was_set_by_hand_is_only_shown(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    settings().setValue("moments/megabytes", 64)
    monkeypatch.setenv(BUDGET_VARIABLE, "1024")
    menu = make_budget_menu(QMenu(window))
    assert budget_bytes() == 1024 * 1024**2
    assert [action.data() for action in menu.actions() if action.isChecked()] == [1024]
    assert not any(action.isEnabled() for action in menu.actions())
    # What was chosen in the menu holds again as soon as nobody says otherwise.
    monkeypatch.delenv(BUDGET_VARIABLE)
    menu = make_budget_menu(QMenu(window))
    assert budget_bytes() == 64 * 1024**2
    assert all(action.isEnabled() for action in menu.actions())
