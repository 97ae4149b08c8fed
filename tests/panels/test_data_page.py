"""The data page, with events as a user makes them; what it shows is worked out by a stand-in without torch."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.data.page import DataPage
from explorer.panels.data.pictures import ReceivedPictures
from explorer.runs import RunConfig
from explorer.runs.data_facts import Problem, Received
from explorer.session.data_session import DataSession, DataView
from tests.panels.stage import Stage, click, press, shown, stage
from tests.session.test_data_session import Work, facts_of, sheet_of


class _Work(Work):
    """Two problems, and what the network receives."""

    def look(self, *arguments: object) -> DataView:
        super().look(*arguments)  # type: ignore[arg-type]
        config = arguments[0]
        assert isinstance(config, RunConfig)
        problems = (
            Problem("cat/1.jpg", "is cut off"),
            Problem("cat/2.jpg", "is cut off"),
            Problem("dog/3.gif", "palette turned to colour", is_skipped=False),
        )
        facts = dataclasses.replace(facts_of(config.data), problems=problems)
        received = Received(
            stored=(np.zeros((3, 12, 8), np.uint8),),
            received=np.zeros((1, 2, 3, 32, 32), np.uint8),
            labels=("cat",),
            is_augmented=True,
        )
        return DataView(facts, sheet_of(config.data, None), received)


class _Scene:
    """A page with its parts."""

    def __init__(self, qtbot: QtBot) -> None:
        self.stage: Stage = stage()
        self.work = _Work()
        self.session = DataSession(self.work)
        self.page = DataPage(self.stage.document, self.session, self.stage.themes)
        self.chosen: list[str] = []
        self.page.chosen.connect(self.chosen.append)
        self.page.set_config(RunConfig())
        shown(qtbot, self.page, 1280, 300)
        qtbot.waitUntil(lambda: self.session.view is not None and len(self.session.states) > 0)


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[_Scene]:
    scene = _Scene(qtbot)
    yield scene
    scene.work.released.set()
    assert scene.session.close()


def _text(scene: _Scene) -> str:
    return scene.page.sheet_text.whole


def test_it_shows_the_data_set(scene: _Scene) -> None:
    page = scene.page
    assert page.choice.menu.currentData() == "digits"
    assert page.sheet.num_shown == 10
    assert _text(scene) == "10 of 10 training images"
    assert page.tabs.button(2).text() == "Problems (3)"
    texts = [value.text() for _, value in page.choice._rows]
    assert "10 for training, 3 for tests" in texts
    assert "8×8, grey" in texts


def test_a_click_on_a_class_shows_its_images_alone(qtbot: QtBot, scene: _Scene) -> None:
    bars = scene.page.classes
    click(bars, bars.row_rect(1).center())
    qtbot.waitUntil(lambda: _text(scene) == "dog · 4 of 4 training images")
    assert scene.page.sheet.num_shown == 4
    press(bars, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: _text(scene) == "10 of 10 training images")
    press(bars, Qt.Key.Key_Down)
    assert bars.only == 0


def test_a_click_on_an_image_makes_it_the_probe(qtbot: QtBot, scene: _Scene) -> None:
    with qtbot.waitSignal(scene.page.probe_chosen) as chosen:
        click(scene.page.sheet, scene.page.sheet.tile_rect(2).center())
    image, label = chosen.args
    assert label == "image 2"
    assert image[0, 0] == 2


def test_the_menu_chooses_and_the_form_is_followed(qtbot: QtBot, scene: _Scene) -> None:
    menu = scene.page.choice.menu
    menu.setFocus()
    press(menu, Qt.Key.Key_Down)
    assert scene.chosen == ["fashion-mnist"]
    scene.page.set_config(RunConfig(data="svhn"))
    assert menu.currentData() == "svhn"
    qtbot.waitUntil(lambda: scene.session.view is not None and scene.session.view.facts.name == "svhn")
    assert scene.chosen == ["fashion-mnist"]


def test_what_is_missing_can_be_downloaded_or_left(qtbot: QtBot, scene: _Scene) -> None:
    scene.work.is_here = False
    scene.work.error = "MNIST is not on this computer"
    scene.session.look_up()
    qtbot.waitUntil(lambda: not all(state.is_here for state in scene.session.states))
    scene.page.set_config(RunConfig(data="mnist"))
    choice = scene.page.choice
    qtbot.waitUntil(lambda: "Once it is downloaded" in scene.page.hint.text())
    assert choice.download_button.text().startswith("Download 11.1")
    click(choice.download_button)
    qtbot.waitUntil(lambda: choice.progress_text.whole == "Downloading: 1 MB of 2 MB")
    assert choice.cancel_button.isVisible()
    assert choice.progress.value() == choice.progress.maximum() / 2
    click(choice.cancel_button)
    qtbot.waitUntil(choice.cancel_button.isHidden)
    click(choice.download_button)
    scene.work.error = "127.0.0.1 cannot be reached"
    scene.work.released.set()
    qtbot.waitUntil(lambda: choice.message.text() == "127.0.0.1 cannot be reached.")
    click(choice.digits_button)
    assert scene.chosen == ["digits"]


def test_problems_are_grouped_and_copied(scene: _Scene) -> None:
    scene.page.tabs.button(2).click()
    tree = scene.page.problems.tree
    assert [tree.topLevelItem(row).text(0) for row in range(tree.topLevelItemCount())] == [  # type: ignore[union-attr]
        "is cut off (2)",
        "palette turned to colour (1)",
    ]
    assert scene.page.problems.summary.text() == "2 skipped · 1 taken, but changed"
    click(scene.page.problems.copy_button)
    assert QGuiApplication.clipboard().text().splitlines()[2] == "dog/3.gif: palette turned to colour"


def test_what_the_network_receives_says_at_which_size(scene: _Scene) -> None:
    scene.page.tabs.button(1).click()
    assert _text(scene) == "→ 1×32×32, augmented at random, then normalised"
    assert scene.page.received.height() > 88


def test_mixed_images_are_shown_with_their_shares_and_as_many_as_fit(qtbot: QtBot) -> None:
    pictures = ReceivedPictures(ThemeSource())
    random = np.random.default_rng(0)
    labels = tuple(("boot", "0.70 boot + 0.30 bag", *(("boot",) * 4)) for _ in range(4))
    plain = Received(
        stored=tuple(random.integers(0, 256, (1, 28, 28), np.uint8) for _ in range(4)),
        received=random.integers(0, 256, (4, 6, 1, 28, 28)).astype(np.uint8),
        labels=("boot",) * 4,
        is_augmented=True,
    )
    pictures.show_received(plain)
    shown(qtbot, pictures, 640, 300)
    without = pictures.height()
    pictures.show_received(dataclasses.replace(plain, result_labels=labels))
    assert pictures.height() == without + 4 * pictures.fontMetrics().height(), "a second line below each row"
    for width, num_results, num_rows in ((300, 3, 4), (640, 5, 4), (1280, 5, 2)):
        pictures.resize(width, 300)
        assert pictures._num_results() == num_results
        last = pictures._cell(3)
        assert last.top() == (num_rows - 1) * last.height()
    place = pictures._cell(0).topLeft() + QPoint(88 + 24 + 92 + 40, 40)
    assert pictures._tip(place) == "0.70 boot + 0.30 bag"


def test_a_folder_is_chosen_by_dialog_or_dropped(
    scene: _Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(scene.page.choice.folder_button)
    assert scene.chosen == [f"folder:{tmp_path}"]
    (tmp_path / "b").mkdir()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "b"))])
    held = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(10, 10), Qt.DropAction.CopyAction, *held)
    QApplication.sendEvent(scene.page, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(scene.page, QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, *held))
    assert scene.chosen[-1] == f"folder:{tmp_path / 'b'}"
    assert scene.page.choice.menu.currentText() == "b (folder)"


def test_a_run_holds_the_choice(scene: _Scene, tmp_path: Path) -> None:
    scene.page.set_held(True)
    assert not scene.page.choice.menu.isEnabled()
    scene.page.take_folder(tmp_path)
    assert scene.chosen == []
    scene.page.set_held(False)
    assert scene.page.choice.menu.isEnabled()
