"""The augmentation's preview in the window: real images of the chosen data set, drawn anew as strengths move."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.app.data_engine import make_pictures
from explorer.app.window import MainWindow
from explorer.runs import RunConfig
from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.training.data import is_at_hand, load_data, loading
from tests.panels.stage import click
from tests.training.data_files import picture_folder


def test_the_preview_follows_the_form_the_data_set_and_the_input(qtbot: QtBot, tmp_path: Path) -> None:
    picture_folder(tmp_path / "shapes")
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("lenet5")
    panel = window.training
    preview, form = panel.preview, panel.form.augmentation
    heading = panel.form.groups["augmentation"].heading
    assert heading is not None
    assert not preview.isVisible()
    with qtbot.waitSignal(preview.shown, timeout=30_000):
        click(heading)
    first = preview.pictures
    assert first is not None
    digits = load_data("digits").train_images
    assert first.originals.shape == (12, 1, 32, 32)
    assert first.labels[:3] == ("0", "1", "2")
    assert any(np.array_equal(first.originals[0, 0, 2:-2, 2:-2], image[0].numpy()) for image in digits)
    assert not form.box("jitter", "hue").isEnabled()

    with qtbot.waitSignal(preview.shown):
        form.switch("rotate").click()
    turned = preview.pictures
    assert turned is not None
    assert not np.array_equal(turned.results, first.results)
    with qtbot.waitSignal(preview.shown):
        form.box("rotate", "degrees").stepBy(5)
    farther = preview.pictures
    assert farther is not None
    assert not np.array_equal(farther.results, turned.results)
    assert np.array_equal(farther.originals, first.originals)

    name = f"folder:{tmp_path / 'shapes'}"
    with qtbot.waitSignal(preview.shown):
        panel.set_config(RunConfig.from_plain({**panel.config().to_plain(), "data": name}))
    assert preview.pictures is not None
    assert set(preview.pictures.labels) == {"red", "blue"}
    assert not is_at_hand(name, (1, 32, 32)), "a preview does not decode a whole folder"
    window.close()


def test_a_data_set_that_is_not_here_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one that is there"):
        make_pictures(f"folder:{tmp_path / 'nowhere'}", (3, 8, 8))(Augmentation(), 0)


def test_a_folder_is_sampled_once_and_evenly(tmp_path: Path) -> None:
    picture_folder(tmp_path, per_class=200)
    loading._kept.clear()
    make = make_pictures(f"folder:{tmp_path}", (3, 8, 8))
    pictures = make(parse_augmentation("mixup:1"), 0)
    assert pictures.originals.shape == (12, 3, 8, 8)
    assert {*pictures.labels} == {"red", "blue"}
    assert any(" + " in text for row in pictures.result_labels for text in row)
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    assert np.array_equal(make(parse_augmentation("mixup:1"), 0).results, pictures.results)
