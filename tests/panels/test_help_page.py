"""The help window: what is selected, links to the rest, back again, in both themes."""

import pytest
from PySide6.QtCore import Qt, QUrl
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.layers import Conv2d, layer_types
from explorer.layers.explained import explanation
from explorer.look.theme import DARK, LIGHT
from explorer.panels.help.page import HelpPage
from explorer.panels.help.text import CONTENTS, topic_html, type_tooltip
from explorer.session import Document, Selection
from explorer.zoo.explained import explained_kinds
from tests.panels.stage import Stage, press, stage


@pytest.fixture
def here() -> Stage:
    return stage(zoo.entry("resnet18").build())


@pytest.fixture
def page(qtbot: QtBot, here: Stage) -> HelpPage:
    made = HelpPage(here.document, here.selection, here.themes)
    qtbot.addWidget(made)
    made.open()
    return made


def shown(page: HelpPage) -> str:
    return page.browser.toPlainText()


def test_it_shows_the_layer_its_block_and_the_network(page: HelpPage, here: Stage) -> None:
    assert "ResNet-18" in shown(page)
    assert "Conv2d" not in shown(page).splitlines()[0]
    here.selection.set(("layer1.0.conv1",))
    text = shown(page)
    assert text.startswith("Conv2d")
    assert explanation("Conv2d").text in text
    assert "Residual block" in text
    assert "layer1.0" in text
    assert "ResNet-18" in text
    for parameter in Conv2d.hyper_parameters:
        assert parameter.help in text
        assert parameter.range_text() in text
    assert "now 64" in text


def test_links_lead_on_and_back(page: HelpPage, here: Stage) -> None:
    here.selection.set(("layer1.0.conv1",))
    page.browser.anchorClicked.emit(QUrl("block:residual%20block"))
    assert shown(page).startswith("Residual block")
    here.selection.set(("fc",))
    assert shown(page).startswith("Residual block"), "a link stays until the user comes back"
    page.back_button.click()
    assert shown(page).startswith("Linear")
    page.contents_button.click()
    assert page.topic == CONTENTS
    page.selected_button.click()
    assert shown(page).startswith("Linear")


def test_every_link_of_the_contents_leads_somewhere(page: HelpPage) -> None:
    page.contents_button.click()
    block = page.browser.document().begin()
    links = set()
    while block.isValid():
        links |= {span.format.anchorHref() for span in block.textFormats() if span.format.isAnchor()}
        block = block.next()
    assert len(links) == len(layer_types()) - 1 + len(explained_kinds()) + len(zoo.entries())
    for link in links:
        page.show_topic(link)
        assert shown(page)


def test_colours_follow_the_theme(page: HelpPage, here: Stage) -> None:
    for choice, theme in (("dark", DARK), ("light", LIGHT)):
        here.themes.choose(choice)
        assert page.browser.palette().base().color() == theme.panel
        assert theme.muted.name() in page.browser.toHtml()


def test_escape_closes_and_the_place_is_remembered(qtbot: QtBot, page: HelpPage, here: Stage) -> None:
    page.resize(500, 420)
    press(page, Qt.Key.Key_Escape)
    assert not page.isVisible()
    again = HelpPage(here.document, here.selection, here.themes)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (500, 420)


def test_without_a_network_it_lists_everything(qtbot: QtBot, here: Stage) -> None:
    document = Document()
    page = HelpPage(document, Selection(document), here.themes)
    qtbot.addWidget(page)
    page.open()
    assert page.topic == CONTENTS
    assert not page.selected_button.isEnabled()


def test_an_unknown_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="no help on 'verse:1'"):
        topic_html("verse:1", LIGHT)


def test_a_tooltip_holds_formula_and_explanation() -> None:
    tip = type_tooltip(Conv2d)
    assert "out = " in tip
    assert explanation("Conv2d").text in tip
