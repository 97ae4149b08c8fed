"""The gallery by real keys, clicks and drops; its numbers against the inference of the same networks."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Project, files
from explorer.inference import infer
from explorer.look.theme import ThemeSource
from explorer.panels.gallery.card import Card
from explorer.panels.gallery.panel import Gallery
from explorer.panels.miniature import silhouette
from explorer.zoo import Entry, entries, entry
from tests.panels.stage import click, press, shown, write


def _gallery(qtbot: QtBot, recent: tuple[Path, ...] = (), width: int = 1100) -> Gallery:
    gallery = Gallery(ThemeSource())
    gallery.set_recent(recent)
    shown(qtbot, gallery, width, 800)
    qtbot.waitUntil(lambda: gallery.is_filled)
    return gallery


def _in_order() -> list[Entry]:
    """The catalogue, family by family, the oldest first."""
    families = list(dict.fromkeys(e.family for e in entries()))
    return sorted(entries(), key=lambda e: families.index(e.family))


def _titles(gallery: Gallery) -> list[str]:
    return [card.card_text.title for card in gallery.cards()]


def _card(gallery: Gallery, title: str) -> Card:
    return next(card for card in gallery.cards() if card.card_text.title == title)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "mine.arch.json"
    files.save(Project(architecture=entry("lenet5").build()), path)
    return path


def test_every_network_has_a_card_and_recent_projects_come_first(qtbot: QtBot, project: Path) -> None:
    gallery = _gallery(qtbot, (project,))
    assert _titles(gallery) == ["mine", *(e.title for e in _in_order())]


def test_cards_stand_before_any_network_is_built(qtbot: QtBot) -> None:
    gallery = Gallery(ThemeSource())
    qtbot.addWidget(gallery)
    assert not gallery.is_filled
    assert _titles(gallery) == [e.title for e in _in_order()]


def test_numbers_are_those_of_the_inference(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    card = _card(gallery, "LeNet-5")
    assert card.card_text.aside == "1998"
    assert card.card_text.numbers == "61.7\u2009k parameters · 417\u2009k MACs · 1×32×32"
    assert "61,706 parameters" in card.toolTip()


def test_click_and_enter_choose(qtbot: QtBot, project: Path) -> None:
    gallery = _gallery(qtbot, (project,))
    chosen: list[object] = []
    gallery.network_chosen.connect(chosen.append)
    gallery.project_chosen.connect(chosen.append)
    click(_card(gallery, "LeNet-5"))
    click(_card(gallery, "mine"))
    press(_card(gallery, "LeNet-5"), Qt.Key.Key_Return)
    assert chosen == ["lenet5", project, "lenet5"]


def test_arrows_move_and_up_from_the_top_reaches_the_search(qtbot: QtBot, project: Path) -> None:
    gallery = _gallery(qtbot, (project,))
    cards = gallery.cards()
    cards[0].setFocus()
    press(cards[0], Qt.Key.Key_Down)
    assert cards[1].hasFocus()
    press(cards[1], Qt.Key.Key_Right)
    assert cards[2].hasFocus()
    press(cards[2], Qt.Key.Key_Down)
    below = QApplication.focusWidget()
    assert isinstance(below, Card)
    assert below.y() > cards[2].y()
    assert below.x() == cards[2].x()
    press(below, Qt.Key.Key_Home)
    assert cards[0].hasFocus()
    press(cards[0], Qt.Key.Key_Up)
    assert gallery.search.hasFocus()
    press(gallery.search, Qt.Key.Key_Down)
    assert cards[0].hasFocus()


def test_typing_searches_and_enter_opens_the_first_match(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    first = gallery.cards()[0]
    first.setFocus()
    write(first, "d")
    assert gallery.search.hasFocus()
    write(gallery.search, "ropout older")
    assert _titles(gallery) == ["LeNet-5, ReLU and dropout"]
    press(gallery.search, Qt.Key.Key_Return)
    assert chosen == ["lenet5-relu-dropout"]
    press(gallery.search, Qt.Key.Key_Escape)
    assert len(gallery.cards()) == len(entries())


def test_a_match_in_the_name_stands_before_one_in_the_description(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    write(gallery.search, "vgg")
    titles = _titles(gallery)
    named = [e.title for e in entries() if "vgg" in f"{e.title} {e.family}".casefold()]
    assert set(titles[: len(named)]) == set(named)
    assert "ResNet-152" in titles[len(named) :]
    assert gallery.page.described.isVisible()
    press(gallery.search, Qt.Key.Key_Return)
    assert entry(chosen[0]).family == "VGG"
    gallery.search.clear()
    assert not gallery.page.described.isVisible()
    assert _titles(gallery) == [e.title for e in _in_order()]


def test_the_best_name_is_opened_by_enter(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    write(gallery.search, "resnet-50")
    press(gallery.search, Qt.Key.Key_Return)
    assert chosen == ["resnet50"]


def test_ctrl_f_searches_from_a_card(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    card = gallery.cards()[1]
    card.setFocus()
    press(card, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert gallery.search.hasFocus()


def test_a_search_without_a_match_says_what_to_try(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    write(gallery.search, "zzz")
    assert gallery.cards() == []
    assert not gallery.page.nothing.isHidden()
    assert "zzz" in gallery.page.nothing.text()


def test_columns_follow_the_width(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot, width=620)
    assert len({card.x() for card in gallery.cards()}) == 2
    gallery.resize(1500, 800)
    assert len({card.x() for card in gallery.cards()}) > 3


def test_missing_and_damaged_projects_do_no_harm(qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "broken.arch.json"
    broken.write_text("{", encoding="utf-8")
    gallery = _gallery(qtbot, (tmp_path / "gone.arch.json", broken))
    chosen: list[Path] = []
    gallery.project_chosen.connect(chosen.append)
    assert not _card(gallery, "gone").isEnabled()
    assert "no longer there" in _card(gallery, "gone").toolTip()
    assert "not valid JSON" in _card(gallery, "broken").toolTip()
    click(_card(gallery, "gone"))
    assert chosen == []


# Qt 6.12 wants another constructor, which 6.11 does not have.
@pytest.mark.filterwarnings("ignore:Function. 'QD:DeprecationWarning")
def test_a_dropped_project_is_chosen_and_anything_else_refused(qtbot: QtBot, project: Path, tmp_path: Path) -> None:
    gallery = _gallery(qtbot)
    chosen: list[Path] = []
    gallery.project_chosen.connect(chosen.append)
    for path, taken in ((project, True), (tmp_path / "photo.png", False)):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        place, left = QPoint(100, 100), Qt.MouseButton.LeftButton
        none = Qt.KeyboardModifier.NoModifier
        entered = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, left, none)
        entered.ignore()
        QApplication.sendEvent(gallery, entered)
        assert entered.isAccepted() is taken
        if taken:
            QApplication.sendEvent(gallery, QDropEvent(place, Qt.DropAction.CopyAction, data, left, none))
    assert chosen == [project]


def test_new_button_asks(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    asked: list[bool] = []
    gallery.new_requested.connect(lambda: asked.append(True))
    QTest.mouseClick(gallery.new_button, Qt.MouseButton.LeftButton)
    assert asked == [True]


def test_open_button_asks(qtbot: QtBot) -> None:
    gallery = _gallery(qtbot)
    asked: list[bool] = []
    gallery.open_requested.connect(lambda: asked.append(True))
    QTest.mouseClick(gallery.open_button, Qt.MouseButton.LeftButton)
    assert asked == [True]


@pytest.mark.parametrize("network_id", [e.id for e in entries()])
def test_miniature_has_a_bar_for_every_layer_in_depth_order(network_id: str) -> None:
    architecture = entry(network_id).build()
    shape = silhouette(architecture, infer(architecture))
    bars = {bar.node_id: bar for bar in shape.bars}
    assert len(bars) == len(shape.bars)
    assert bars.keys() == {node.id for node in architecture}
    for node in architecture:
        assert all(bars[source].left + bars[source].width <= bars[node.id].left for source in node.inputs)
    assert all(0 < bar.height <= 1 for bar in shape.bars)
    thick = silhouette(architecture, infer(architecture), thin=False)
    assert len(thick.bars) < len(shape.bars)
