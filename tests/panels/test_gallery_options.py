"""The gallery's families and their parameters: what is asked, what is said meanwhile, what is opened."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.look import numbers
from explorer.look.theme import ThemeSource
from explorer.panels.gallery.card import Card
from explorer.panels.gallery.options import outcome
from explorer.panels.gallery.panel import Gallery
from explorer.panels.parameters.dialog import ParameterDialog
from explorer.panels.parameters.form import ParameterForm
from explorer.zoo import Value, entries, entry
from tests.panels.stage import press, shown, write

Opened = list[tuple[str, dict[str, Value]]]


@pytest.fixture
def gallery(qtbot: QtBot) -> Gallery:
    gallery = Gallery(ThemeSource())
    shown(qtbot, gallery, 1100, 800)
    qtbot.waitUntil(lambda: gallery.is_filled)
    return gallery


def _opened(gallery: Gallery) -> Opened:
    opened: Opened = []
    gallery.options_chosen.connect(lambda network_id, values: opened.append((network_id, values)))
    return opened


def _card(gallery: Gallery, network_id: str) -> Card:
    return next(card for card in gallery.cards() if card.card_text.title == entry(network_id).title)


def _dialogs(gallery: Gallery) -> list[ParameterDialog]:
    return [dialog for dialog in gallery.findChildren(ParameterDialog) if dialog.isVisible()]


def _field(dialog: ParameterDialog, name: str) -> QWidget:
    return dialog.form.fields[name]


def test_families_stand_together_with_a_count_that_follows_the_search(gallery: Gallery) -> None:
    for name, part in gallery.page.families.items():
        titles = [card.card_text.title for card in part.grid.cards]
        assert titles == [e.title for e in entries() if e.family == name]
        assert part.count.text() == str(len(titles))
    write(gallery.search, "vgg batch")
    shown_families = {name: part.count.text() for name, part in gallery.page.families.items() if part.isVisible()}
    assert shown_families == {"VGG": "4"}
    gallery.search.clear()
    assert all(part.isVisible() for part in gallery.page.families.values())


def test_the_dialog_counts_live_and_opens_what_was_chosen(gallery: Gallery, qtbot: QtBot) -> None:
    opened = _opened(gallery)
    dialog = gallery.ask_options("vgg11")
    assert "133\u2009M parameters" in dialog.totals.text()
    depth, norm, classes = (_field(dialog, name) for name in ("depth", "batch_norm", "classes"))
    assert isinstance(depth, QComboBox)
    assert isinstance(norm, QCheckBox)
    assert isinstance(classes, QSpinBox)
    depth.setCurrentIndex(3)
    norm.setChecked(True)
    classes.setValue(10)
    wanted: dict[str, Value] = {"depth": 19, "batch_norm": True, "classes": 10, "width": 64}
    totals = infer(entry("vgg11").build(**wanted)).totals
    qtbot.waitUntil(lambda: numbers.short_count(totals.num_parameters) in dialog.totals.text())
    assert numbers.short_count(totals.macs) in dialog.totals.text()
    assert opened == []
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert opened == [("vgg11", wanted)]


def test_defaults_open_unless_options_are_asked_for(gallery: Gallery) -> None:
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    opened = _opened(gallery)
    card = _card(gallery, "resnet18")
    card.click()
    assert chosen == ["resnet18"]
    assert _dialogs(gallery) == []
    card.setFocus()
    press(card, Qt.Key.Key_O)
    (dialog,) = _dialogs(gallery)
    press(dialog, Qt.Key.Key_Escape)
    assert _dialogs(gallery) == []
    assert opened == []
    assert chosen == ["resnet18"]


def test_the_button_on_the_card_and_its_menu_ask_too(gallery: Gallery) -> None:
    card = _card(gallery, "alexnet")
    card.setFocus()
    (button,) = card.findChildren(QPushButton)
    assert button.isVisible()
    assert card.rect().contains(button.geometry())
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    (dialog,) = _dialogs(gallery)
    dialog.reject()
    next(action for action in card.menu().actions() if action.text().startswith("Options")).trigger()
    assert len(_dialogs(gallery)) == 1


def test_a_card_without_parameters_offers_none_and_o_is_typed(gallery: Gallery) -> None:
    card = _card(gallery, "lenet5-1998")
    card.setFocus()
    assert card.findChildren(QPushButton) == []
    assert [action.text() for action in card.menu().actions()] == ["Open"]
    press(card, Qt.Key.Key_O)
    assert gallery.search.text() == "o"


@pytest.mark.parametrize("network_id", [e.id for e in entries() if e.parameters])
def test_every_form_starts_at_the_defaults(qtbot: QtBot, network_id: str) -> None:
    chosen = entry(network_id)
    form = ParameterForm(chosen.parameters, ThemeSource())
    qtbot.addWidget(form)
    values = form.values()
    assert values == {p.name: p.default for p in chosen.parameters}
    assert all(p.check(values[p.name]) == values[p.name] for p in chosen.parameters)


def test_what_cannot_be_had_says_why_and_cannot_be_opened(qtbot: QtBot) -> None:
    def refuse() -> Architecture:
        raise ValueError("width 3 does not divide by 2")

    dialog = ParameterDialog("A", "b", (), lambda _: outcome(refuse), ThemeSource(), button="Open")
    qtbot.addWidget(dialog)
    chosen: list[object] = []
    dialog.chosen.connect(chosen.append)
    assert dialog.issue.text() == "width 3 does not divide by 2"
    assert not dialog.accept_button.isEnabled()
    dialog.accept()
    assert chosen == []


def test_a_network_with_a_fault_shows_the_first_one() -> None:
    broken = edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", (99, 99))
    said = outcome(lambda: broken)
    assert said.is_possible
    assert said.issue == infer(broken).errors[0].text
    assert said.text == ""
