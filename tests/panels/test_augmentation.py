"""The form of an augmentation, and its pictures: what is switched and typed, and what a thread draws of it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.augmentation.form import AugmentationForm
from explorer.panels.augmentation.preview import AugmentationPreview
from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.runs.augmentation_transforms import TRANSFORMS, Crop, Flip, Jitter, Mixup
from explorer.runs.augmented_pictures import AugmentedPictures
from tests.panels.stage import click, press, shown, wheel, write


def _form(qtbot: QtBot) -> tuple[AugmentationForm, list[Augmentation]]:
    form = AugmentationForm(ThemeSource())
    edits: list[Augmentation] = []
    form.edited.connect(edits.append)
    shown(qtbot, form, 400, 640)
    return form, edits


def test_every_transform_has_its_switch_and_every_strength_its_box(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    for kind in TRANSFORMS:
        assert not form.switch(kind.name).isChecked()
        assert kind.help in form.switch(kind.name).toolTip()
        for strength in kind.strengths():
            box = form.box(kind.name, strength.name)
            assert box.value() == strength.default
            assert not box.isEnabled()
            assert "Switch" in box.toolTip()
            assert strength.help in box.toolTip()
    assert form.augmentation == Augmentation()
    assert form.line.text() == "none"
    assert edits == []


def test_switching_and_stepping_edits(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    form.switch("crop").setFocus()
    press(form.switch("crop"), Qt.Key.Key_Space)
    assert edits == [Augmentation(crop=Crop(padding=4))]
    padding = form.box("crop", "padding")
    assert padding.isEnabled()
    padding.setFocus()
    press(padding, Qt.Key.Key_Up)
    assert edits[-1] == Augmentation(crop=Crop(padding=5))
    assert form.line.text() == "crop:5"
    press(form.switch("crop"), Qt.Key.Key_Space)
    assert edits[-1] == Augmentation()
    press(form.switch("crop"), Qt.Key.Key_Space)
    assert edits[-1] == Augmentation(crop=Crop(padding=5)), "what is off keeps its strength"


def test_typing_a_strength_counts_when_it_is_whole(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    form.set_augmentation(parse_augmentation("mixup:0.123456789,jitter"))
    box = form.box("jitter", "hue")
    box.setFocus()
    box.selectAll()
    write(box, "0.25")
    assert edits == []
    press(box, Qt.Key.Key_Return)
    assert edits == [Augmentation(mixup=Mixup(alpha=0.123456789), jitter=Jitter(hue=0.25))]


def test_the_wheel_passes_boxes_by(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    form.set_augmentation(Augmentation(flip=Flip()))
    form.switch("flip").setFocus()
    box = form.box("flip", "p")
    assert not wheel(box, 1)
    assert edits == []
    box.setFocus()
    assert wheel(box, 1)
    assert edits == [Augmentation(flip=Flip(p=0.55))]


def test_text_is_read_and_what_is_wrong_is_said(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    refused: list[str] = []
    form.refused.connect(refused.append)
    form.line.setFocus()
    form.line.selectAll()
    write(form.line, "flip, crop:x")
    press(form.line, Qt.Key.Key_Return)
    assert edits == []
    assert refused == ["augmentation crop: padding received 'x'; use a whole number from 0 to 256"]
    assert form.error == refused[0]
    form.line.selectAll()
    write(form.line, "flip, crop:8")
    assert form.error == ""
    press(form.line, Qt.Key.Key_Return)
    assert edits == [Augmentation(flip=Flip(), crop=Crop(padding=8))]
    assert form.line.text() == "flip:0.5,crop:8"
    assert form.switch("flip").isChecked()
    assert form.box("crop", "padding").value() == 8


def test_showing_another_emits_nothing(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    augmentation = parse_augmentation("rotate:30,jitter:0.4/0.3/0.2/0.1")
    form.set_augmentation(augmentation)
    assert form.augmentation == augmentation
    assert [form.box("jitter", s.name).value() for s in Jitter.strengths()] == [0.4, 0.3, 0.2, 0.1]
    assert edits == []


def test_grey_images_have_no_hue_and_a_held_form_says_why(qtbot: QtBot) -> None:
    form, edits = _form(qtbot)
    form.set_augmentation(Augmentation(jitter=Jitter()))
    form.set_channels(1)
    enabled = {s.name: form.box("jitter", s.name).isEnabled() for s in Jitter.strengths()}
    assert enabled == {"brightness": True, "contrast": True, "saturation": False, "hue": False}
    assert "no colours" in form.box("jitter", "hue").toolTip()
    form.set_channels(3)
    assert form.box("jitter", "hue").isEnabled()
    form.set_held("Fixed while a run is active.")
    assert not form.switch("flip").isEnabled()
    assert "Fixed while a run is active." in form.switch("flip").toolTip()
    assert form.line.isReadOnly()
    form.set_held("")
    assert form.switch("flip").isEnabled()
    assert edits == []


class Painter:
    """Makes pictures when it is let, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.threads: list[threading.Thread] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error = ""

    def __call__(self, augmentation: Augmentation, seed: int) -> AugmentedPictures:
        self.asked.append((augmentation.written, seed))
        self.threads.append(threading.current_thread())
        assert self.gate.wait(10)
        if self.error:
            raise ValueError(self.error)
        random = np.random.default_rng(seed)
        return AugmentedPictures(
            originals=random.integers(0, 256, (3, 1, 8, 8)).astype(np.uint8),
            results=random.integers(0, 256, (3, 4, 1, 8, 8)).astype(np.uint8),
            labels=("a", "b", "c"),
            result_labels=tuple(tuple(f"{row}{column}" for column in range(4)) for row in range(3)),
        )


@pytest.fixture
def preview(qtbot: QtBot) -> Iterator[AugmentationPreview]:
    widget = AugmentationPreview(ThemeSource())
    shown(qtbot, widget, 600, 500)
    yield widget
    assert widget.close_job()


def _made(qtbot: QtBot, preview: AugmentationPreview, count: int, painter: Painter) -> None:
    qtbot.waitUntil(lambda: len(painter.asked) >= count and preview._job is None)


def test_without_images_the_preview_says_what_to_do(preview: AugmentationPreview) -> None:
    assert "Choose a data set" in preview.message
    assert not preview.again_button.isEnabled()
    preview.show_augmentation(Augmentation(flip=Flip()))
    assert preview.pictures is None


def test_pictures_come_from_another_thread_and_again_with_another_seed(
    qtbot: QtBot, preview: AugmentationPreview
) -> None:
    painter = Painter()
    with qtbot.waitSignal(preview.shown):
        preview.set_source(painter)
    first = preview.pictures
    assert first is not None
    assert preview.message == ""
    with qtbot.waitSignal(preview.shown):
        click(preview.again_button)
    second = preview.pictures
    assert second is not None
    assert not np.array_equal(first.results, second.results)
    with qtbot.waitSignal(preview.shown):
        preview.show_augmentation(Augmentation(flip=Flip()))
    preview.show_augmentation(Augmentation(flip=Flip()))
    _made(qtbot, preview, 3, painter)
    assert painter.asked == [("none", 0), ("none", 1), ("flip:0.5", 1)]
    assert threading.main_thread() not in painter.threads


def test_while_pictures_are_made_only_the_newest_wish_waits(qtbot: QtBot, preview: AugmentationPreview) -> None:
    painter = Painter()
    painter.gate.clear()
    preview.set_source(painter)
    qtbot.waitUntil(lambda: len(painter.asked) == 1)
    for padding in range(1, 9):
        preview.show_augmentation(Augmentation(crop=Crop(padding=padding)))
    painter.gate.set()
    _made(qtbot, preview, 2, painter)
    assert painter.asked == [("none", 0), ("crop:8", 0)]


def test_what_nobody_sees_is_not_made(qtbot: QtBot, preview: AugmentationPreview) -> None:
    painter = Painter()
    preview.hide()
    preview.set_source(painter)
    preview.show_augmentation(Augmentation(flip=Flip()))
    assert painter.asked == []
    preview.set_in_front(False)
    preview.show()
    assert painter.asked == []
    with qtbot.waitSignal(preview.shown):
        preview.set_in_front(True)
    assert painter.asked == [("flip:0.5", 0)]


def test_a_fault_is_said_and_the_next_pictures_end_it(qtbot: QtBot, preview: AugmentationPreview) -> None:
    painter = Painter()
    painter.error = "images of 5 channels cannot be shown; use 1 or 3"
    preview.set_source(painter)
    qtbot.waitUntil(lambda: preview.message == painter.error)
    assert preview.pictures is None
    painter.error = ""
    with qtbot.waitSignal(preview.shown):
        preview.again()
    assert preview.message == ""


def test_pictures_of_a_data_set_that_is_gone_are_not_shown(qtbot: QtBot, preview: AugmentationPreview) -> None:
    old = Painter()
    old.gate.clear()
    preview.set_source(old)
    qtbot.waitUntil(lambda: len(old.asked) == 1)
    preview.set_source(None, "Load a data set.")
    old.gate.set()
    _made(qtbot, preview, 1, old)
    assert preview.pictures is None
    assert preview.message == "Load a data set."


def test_pictures_lie_side_by_side_and_can_be_named_and_saved(
    qtbot: QtBot, preview: AugmentationPreview, tmp_path: Path
) -> None:
    with qtbot.waitSignal(preview.shown):
        preview.set_source(Painter())
    strip = preview.strip
    tiles = [strip.tile(row, column) for row in range(3) for column in range(5)]
    assert all(not a.intersects(b) for place, a in enumerate(tiles) for b in tiles[:place])
    assert all(strip.rect().contains(tile) for tile in tiles)
    for place, said in ((strip.tile(1, 0), "b"), (strip.tile(2, 3), "22")):
        centre = place.center()
        QApplication.sendEvent(strip, QHelpEvent(QHelpEvent.Type.ToolTip, centre, strip.mapToGlobal(centre)))
        assert QToolTip.text() == said
    QToolTip.hideText()
    path = tmp_path / "strip.png"
    assert strip.save_picture(path)
    assert QImage(str(path)).size() == strip.size() * strip.devicePixelRatioF()
    colour = QImage(str(path)).pixelColor(strip.tile(0, 0).center() - QPoint(1, 1))
    assert colour.red() == colour.green() == colour.blue(), "a grey picture"
