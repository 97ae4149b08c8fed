"""Probes in the window: they follow the run's data set, are explained live, and are there again at the next start."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.app.probe_engine import offer_probes
from explorer.app.window import MainWindow
from explorer.panels.explanations.tab import PROBE_IMAGES
from explorer.runs import RunConfig
from explorer.training import load_data
from explorer.training.data import loading
from tests.training.data_files import picture, picture_folder


@pytest.fixture(autouse=True)
def own_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here is forgotten again."""
    monkeypatch.setattr(loading, "_kept", loading._kept.copy())


def _window(qtbot: QtBot) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1440, 900)
    window.show()
    qtbot.waitExposed(window)
    return window


def _folder(tmp_path: Path) -> str:
    picture_folder(tmp_path / "shapes")
    for i in range(12):
        picture(tmp_path / "shapes" / "green" / f"{i}.png", (0, 200 + i, 0))
    return f"folder:{tmp_path / 'shapes'}"


def test_the_offer_is_the_first_test_images_of_each_class(tmp_path: Path) -> None:
    name, shape = _folder(tmp_path), (3, 24, 24)
    assert offer_probes(name, shape, False, _silent, _never) is None  # Nothing is read for it.
    offer = offer_probes(name, shape, True, _silent, _never)
    assert offer is not None
    data = load_data(name, shape)
    assert offer.class_names == data.class_names
    for label, probes in offer.by_class.items():
        images = data.test_images[data.test_labels == label].numpy()
        assert 1 <= len(probes) <= 20
        for place, probe in enumerate(probes):
            assert np.array_equal(probe.image, images[place])
            assert (probe.target, probe.label) == (label, f"{data.class_names[label]}, no. {place + 1}")
    assert offer_probes(name, shape, False, _silent, _never) is not None
    digits = offer_probes("digits", (1, 32, 32), False, _silent, _never)
    assert digits is not None
    assert len(digits.by_class) == 10


def test_probes_follow_the_data_set_of_a_run_and_are_explained(qtbot: QtBot, tmp_path: Path) -> None:
    window = _window(qtbot)
    window.open_target("lenet5")
    window.docks["classes"].raise_()
    window.answers.show_page(PROBE_IMAGES)
    qtbot.waitUntil(lambda: [probe.label for probe in window.probes.probes] == ["digit 0, no. 1"])
    window.probe_source.enable()
    plain = {**RunConfig().to_plain(), "data": _folder(tmp_path), "device": "cpu", "epochs": 2, "batch_size": 4}
    window.training.set_config(RunConfig.from_plain(plain))
    window.training.start()
    window.docks["classes"].raise_()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    qtbot.waitUntil(lambda: window.probes.offer is not None and window.probes.offer.data == plain["data"])
    (probe,) = window.probes.probes
    assert probe.target is not None
    assert probe.image.shape[-2:] == (32, 32)
    window.looking.enable()
    qtbot.waitUntil(lambda: [card.answer.probe for card in window.explanations.cards.cards] == [probe.label])
    (card,) = window.explanations.cards.cards
    assert card.target == probe.target
    assert card.layer == "pool2"
    assert len(card.answer.probabilities) == 10


def test_probes_are_there_again_at_the_next_start(qtbot: QtBot) -> None:
    window = _window(qtbot)
    window.open_target("lenet5")
    bar = window.explanations.probe_bar
    bar.load()
    bar.choose_class(7)
    image = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    bar.show_image(image, "seen")
    window.document.undo_stack.setClean()
    window.close()
    again = _window(qtbot)
    again.preload()
    assert [probe.label for probe in again.probes.probes] == ["digit 7, no. 1", "seen"]
    assert np.array_equal(again.probes.probes[1].image, image)
    assert again.probes.place == 1


def _silent(_text: str, _share: float) -> None:
    pass


def _never() -> bool:
    return False
