"""The probe bar by real clicks, keys, files, the clipboard and the mouse: what becomes a probe, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from explorer.assets import resource
from explorer.look import numbers
from explorer.panels.probes.bar import ProbeBar
from explorer.panels.probes.pad import DrawingPad
from explorer.runs import Probe
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import ProbeImageError, pixels, probe_images, read_image, to_qimage
from tests.panels.stage import click, press, shown, stage, wheel


def _bar(qtbot: QtBot) -> tuple[ProbeBar, ProbeSet, QWidget]:
    """A bar in a panel, with the first digit."""
    probes = ProbeSet()
    panel = QWidget()
    bar = ProbeBar(probes, stage().themes, panel)
    bar.setGeometry(0, 0, 900, 80)
    shown(qtbot, panel, 900, 200)
    qtbot.waitUntil(lambda: bar.current is not None)
    return bar, probes, panel


def _labels(probes: ProbeSet) -> list[str]:
    return [probe.label for probe in probes.probes]


def _picture(path: Path, seed: int = 0) -> Path:
    to_qimage(np.random.default_rng(seed).integers(0, 256, (3, 9, 7), np.uint8)).save(str(path))
    return path


def _drop(panel: QWidget, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(panel, QDragEnterEvent(QPoint(50, 150), Qt.DropAction.CopyAction, data, left, none))
    QApplication.sendEvent(panel, QDropEvent(QPoint(50, 150), Qt.DropAction.CopyAction, data, left, none))


# Where images come from


def test_the_embedded_digits_are_the_data_sets_test_images() -> None:
    with np.load(resource("digits", "digits.npz")) as arrays:
        images, labels = arrays["test_images"], arrays["test_labels"]
    probes = probe_images()
    assert len(probes) == 200
    for probe in probes[:30]:
        assert any(np.array_equal(probe.image, image) for image in images[labels == probe.target])
    assert not probes[0].image.flags.writeable


def test_grey_and_colour_files_keep_their_pixels(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    grey, colour = draw.integers(0, 256, (9, 7), np.uint8), draw.integers(0, 256, (3, 9, 7), np.uint8)
    to_qimage(grey).save(str(tmp_path / "grey.png"))
    to_qimage(colour).save(str(tmp_path / "colour.png"))
    assert np.array_equal(read_image(tmp_path / "grey.png").image, grey)
    assert np.array_equal(read_image(tmp_path / "colour.png").image, colour)


def test_transparency_becomes_white_and_giants_are_scaled(tmp_path: Path) -> None:
    clear = QImage(4, 4, QImage.Format.Format_ARGB32)
    clear.fill(0)
    assert (pixels(clear) == 255).all()
    giant = QImage(3000, 1000, QImage.Format.Format_Grayscale8)
    giant.fill(7)
    giant.save(str(tmp_path / "giant.png"))
    assert read_image(tmp_path / "giant.png").image.shape == (341, 1024)


# The strip


def test_the_first_digit_is_taken_when_the_bar_shows(qtbot: QtBot) -> None:
    bar, _, _ = _bar(qtbot)
    probe = bar.current
    assert probe is not None
    assert (probe.target, probe.label, probe.image.shape) == (0, "digit 0, no. 1", (28, 28))
    assert bar._name.whole == "digit 0, no. 1 · 28×28 pixels"


def test_a_probe_chosen_before_the_bar_shows_stays(qtbot: QtBot, tmp_path: Path) -> None:
    probes = ProbeSet()
    bar = ProbeBar(probes, stage().themes)
    qtbot.addWidget(bar)
    bar.open_image(_picture(tmp_path / "photo.png"))
    bar.load()
    assert _labels(probes) == ["photo.png"]


def test_numbers_arrows_and_the_wheel_go_through_classes_and_their_images(qtbot: QtBot) -> None:
    bar, probes, _ = _bar(qtbot)
    seen: list[str] = []
    probes.changed.connect(lambda: seen.extend(_labels(probes)))
    for key in (Qt.Key.Key_7, Qt.Key.Key_7, Qt.Key.Key_3, Qt.Key.Key_Down, Qt.Key.Key_Space):
        press(bar.strip, key)
    assert wheel(bar.strip, 1)
    press(bar.strip, Qt.Key.Key_Up)
    press(bar.strip, Qt.Key.Key_Up)
    numbers = ["7, no. 1", "7, no. 2", "3, no. 1", "3, no. 2", "3, no. 3", "3, no. 2", "3, no. 1", "3, no. 20"]
    assert seen == [f"digit {number}" for number in numbers]


def test_clicks_and_keys_choose_and_take_out(qtbot: QtBot) -> None:
    bar, probes, _ = _bar(qtbot)
    for label in "abc":
        probes.add(Probe(label=label, image=np.zeros((4, 4), np.uint8)))
    click(bar.strip, bar.strip.tile_rect(1).center())
    assert probes.place == 1
    press(bar.strip, Qt.Key.Key_Right)
    press(bar.strip, Qt.Key.Key_Right)
    press(bar.strip, Qt.Key.Key_Right)
    assert probes.place == 3
    press(bar.strip, Qt.Key.Key_Left)
    press(bar.strip, Qt.Key.Key_Delete)
    assert _labels(probes) == ["digit 0, no. 1", "a", "c"]
    QTest.mouseMove(bar.strip, bar.strip.tile_rect(0).center())
    click(bar.strip, bar.strip.cross_rect(0).center())
    assert _labels(probes) == ["a", "c"]
    bar.add_button.menu().actions()[-1].trigger()
    assert _labels(probes) == ["c"]
    # The last one has no cross and stays.
    click(bar.strip, bar.strip.cross_rect(0).center())
    press(bar.strip, Qt.Key.Key_Delete)
    assert _labels(probes) == ["c"]
    qtbot.waitUntil(lambda: bar.strip.width() == bar.strip.sizeHint().width())


def test_test_images_are_taken_and_given_back_in_the_popup(qtbot: QtBot) -> None:
    bar, probes, _ = _bar(qtbot)
    bar.choose_images()
    assert bar.popup is not None
    grid = bar.popup.grid
    for row, column in ((3, 4), (9, 0), (3, 4)):
        click(grid, grid.tile_rect(row, column).center())
    assert _labels(probes) == ["digit 0, no. 1", "digit 9, no. 1"]
    for column in range(7):
        click(grid, grid.tile_rect(5, column).center())
    assert len(probes.probes) == 8
    assert "there are 8 already" in bar.popup._title.text()
    click(grid, grid.tile_rect(5, 0).center())
    assert "7 of 8 probes" in bar.popup._title.text()
    assert probes.origin("digit 5, no. 3").number == 2
    press(bar.popup, Qt.Key.Key_Escape)
    assert not bar.popup.isVisible()


def test_a_data_set_that_is_not_read_yet_can_be_asked_for(qtbot: QtBot) -> None:
    bar, probes, _ = _bar(qtbot)
    asked: list[bool] = []
    probes.fetch_asked.connect(lambda: asked.append(True))
    menu = bar.add_button.menu()
    menu.aboutToShow.emit()
    assert menu.actions()[0].text() == "Test images of Digits…"
    assert not menu.actions()[1].isVisible()
    probes.wanted_data = "cifar10"
    menu.aboutToShow.emit()
    assert menu.actions()[1].isVisible()
    assert menu.actions()[1].text() == "Read CIFAR-10 for its test images"
    menu.actions()[1].trigger()
    assert asked == [True]
    probes.fetching.emit("Reading CIFAR-10", 0.25)
    assert bar._name.whole == f"Reading CIFAR-10 · {numbers.percent(0.25, 0)}"
    probes.fetching.emit("", 1.0)
    assert bar._name.whole.startswith("digit 0")


# Pictures of the user's


def test_several_dropped_pictures_become_probes(qtbot: QtBot, tmp_path: Path) -> None:
    bar, probes, panel = _bar(qtbot)
    (tmp_path / "other").mkdir()
    paths = [_picture(tmp_path / "a.png"), _picture(tmp_path / "b.png", 1), _picture(tmp_path / "other" / "a.png", 2)]
    _drop(panel, *paths)
    assert _labels(probes) == ["digit 0, no. 1", "a.png", "b.png", "other/a.png"]
    probe = bar.current
    assert probe is not None
    assert (probe.target, probe.image.shape) == (None, (3, 9, 7))
    # The same file again is the same probe.
    _drop(panel, paths[0])
    assert probes.place == 1
    assert len(probes.probes) == 4


def test_the_ninth_picture_is_refused_in_words(qtbot: QtBot, tmp_path: Path) -> None:
    bar, probes, panel = _bar(qtbot)
    said: list[str] = []
    bar.failed.connect(said.append)
    _drop(panel, *(_picture(tmp_path / f"{i}.png", i) for i in range(8)))
    assert len(probes.probes) == 8
    assert bar.error == "7.png was not added: there are 8 probe images already; take one out first (Del)"
    assert said == [bar.error]
    probes.remove(0)
    assert bar.error == ""


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n broken"])
def test_a_damaged_image_is_said_and_changes_nothing(qtbot: QtBot, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(ProbeImageError, match=r"photo\.png cannot be read"):
        read_image(path)
    bar, probes, _ = _bar(qtbot)
    bar.open_images([path, _picture(tmp_path / "fine.png")])
    assert _labels(probes) == ["digit 0, no. 1", "fine.png"]
    assert "photo.png cannot be read" in bar.error
    bar.choose_class(4)
    assert bar.error == ""


def test_the_clipboards_picture_is_pasted(qtbot: QtBot, tmp_path: Path) -> None:
    bar, probes, panel = _bar(qtbot)
    image = np.random.default_rng(1).integers(0, 256, (3, 6, 5), np.uint8)
    QGuiApplication.clipboard().setImage(to_qimage(image))
    panel.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    panel.setFocus()
    press(panel, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    press(panel, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert _labels(probes) == ["digit 0, no. 1", "pasted 1", "pasted 2"]
    assert np.array_equal(probes.probes[1].image, image)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(_picture(tmp_path / "copied.png")))])
    QGuiApplication.clipboard().setMimeData(data)
    bar.paste()
    assert _labels(probes)[-1] == "copied.png"
    QGuiApplication.clipboard().setText("no picture")
    bar.paste()
    assert bar.error.startswith("There is no picture on the clipboard")
    assert len(probes.probes) == 4


def test_looking_at_one_image_after_the_other_pins_only_the_last(qtbot: QtBot) -> None:
    bar, probes, _ = _bar(qtbot)
    for label in ("first", "second"):
        bar.show_image(np.zeros((4, 4), np.uint8), label)
    assert _labels(probes) == ["digit 0, no. 1", "second"]
    bar.show_image(np.zeros((4, 4), np.uint8), "7, test image 12")
    assert _labels(probes) == ["digit 0, no. 1", "7, test image 12"]
    assert probes.probes[1].target == 7


def test_the_class_of_ones_own_picture_can_be_said(qtbot: QtBot, tmp_path: Path) -> None:
    bar, probes, _ = _bar(qtbot)
    bar.open_image(_picture(tmp_path / "photo.png"))
    menu = bar.menu_of(1)
    (shows,) = menu.findChildren(QMenu)
    shows.actions()[8].trigger()
    menu.deleteLater()
    assert probes.probes[1].target == 7
    assert "shows 7" in bar._name.whole
    assert bar.menu_of(0).actions()[0].text() == "Take out"  # A test image's class is known.


# Drawing


def _pad(qtbot: QtBot, bar: ProbeBar) -> DrawingPad:
    bar.draw()
    assert bar.pad is not None
    qtbot.waitExposed(bar.pad)
    return bar.pad


def _stroke(pad: DrawingPad, *points: tuple[int, int], button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    first, *others = (QPoint(*point) for point in points)
    QTest.mousePress(pad.sheet, button, pos=first)
    for point in others:
        QTest.mouseMove(pad.sheet, point)
    QTest.mouseRelease(pad.sheet, button, pos=QPoint(*points[-1]))


def test_what_is_drawn_is_a_probe_while_it_is_drawn(qtbot: QtBot) -> None:
    bar, probes, _panel = _bar(qtbot)
    pad = _pad(qtbot, bar)
    assert _labels(probes) == ["digit 0, no. 1"]  # An empty sheet is no image.
    told: list[int] = []
    probes.changed.connect(lambda: told.append(1))
    _stroke(pad, *((40 + i, 140) for i in range(0, 200, 2)))
    # Many moves, few images: ten a second.
    qtbot.waitUntil(lambda: np.array_equal(probes.probes[-1].image, pad.picture()))
    assert 1 <= len(told) < 30
    assert _labels(probes) == ["digit 0, no. 1", "drawing 1"]
    probe = bar.current
    assert probe is not None
    assert (probe.label, probe.image.shape, probe.target) == ("drawing 1", (28, 28), None)
    assert probe.image[14].max() == 255
    pad.class_menu.setCurrentIndex(8)
    qtbot.waitUntil(lambda: bar.current is not None and bar.current.target == 7)
    assert probes.origin("drawing 1").kind == "drawn"


def test_undo_clear_eraser_and_width_change_the_probe(qtbot: QtBot) -> None:
    bar, probes, _panel = _bar(qtbot)
    pad = _pad(qtbot, bar)
    pad.fits.setChecked(False)
    pad.pen_slider.setValue(20)
    _stroke(pad, (40, 140), (240, 140))
    one = pad.picture()
    qtbot.waitUntil(lambda: np.array_equal(probes.probes[-1].image, one))
    assert one[14 - 2 : 14 + 2, 10:20].all()
    pad.pen_slider.setValue(4)
    _stroke(pad, (140, 40), (140, 240))
    assert not np.array_equal(pad.picture(), one)
    QTest.mouseClick(pad.undo_button, Qt.MouseButton.LeftButton)
    assert np.array_equal(pad.picture(), one)
    pad.pen_slider.setValue(24)
    _stroke(pad, (40, 140), (140, 140), button=Qt.MouseButton.RightButton)
    assert pad.picture().sum() < 0.6 * one.sum()
    QTest.mouseClick(pad.undo_button, Qt.MouseButton.LeftButton)
    pad.eraser.setChecked(True)
    _stroke(pad, (40, 140), (240, 140))
    assert not pad.picture().any()
    QTest.mouseClick(pad.clear_button, Qt.MouseButton.LeftButton)
    assert not pad.undo_button.isEnabled()
    qtbot.waitUntil(lambda: not probes.probes[-1].image.any())
    # What is drawn right before it is closed is not lost.
    pad.eraser.setChecked(False)
    _stroke(pad, (40, 40), (200, 200))
    QTest.mouseClick(pad.done_button, Qt.MouseButton.LeftButton)
    assert np.array_equal(probes.probes[-1].image, pad.picture())
    bar.draw()
    _stroke(pad, (40, 40), (200, 40))
    assert _labels(probes) == ["digit 0, no. 1", "drawing 1", "drawing 2"]


def test_no_sheet_is_opened_for_a_ninth_probe(qtbot: QtBot) -> None:
    bar, probes, _panel = _bar(qtbot)
    for label in "abcdefg":
        probes.add(Probe(label=label, image=np.zeros((4, 4), np.uint8)))
    bar.draw()
    assert bar.pad is None
    assert bar.error == "There are 8 probe images already; take one out first (Del)"
