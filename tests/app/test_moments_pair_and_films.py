"""Several moments at once in the window: two beside each other, and films of what is on screen."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.app.moments_export import MomentsExport
from explorer.app.moments_views import Stage, wait_until_painted
from explorer.app.window import MainWindow
from explorer.look.numbers import MINUS
from explorer.look.theme import ThemeSource
from explorer.panels.moments.pair import MomentPair
from explorer.runs import Event, FeatureMapsCaptured, ProbesExplained, WeightsCaptured
from explorer.runs.class_files import read_test
from explorer.runs.moments import read_moment
from tests.app.moments_window import Seen, looked_back, started, trained


def conv1_maps(events: Sequence[Event]) -> npt.NDArray[np.float64]:
    """`(channels, height, width)`"""
    (maps,) = [event for event in events if isinstance(event, FeatureMapsCaptured)]
    atlas = maps.atlases["conv1"]
    levels = np.stack([atlas.tile(channel) for channel in range(atlas.num_channels)]).astype(np.float64)
    return atlas.minimum + (atlas.maximum - atlas.minimum) / 255 * levels


def conv1_weights(events: Sequence[Event]) -> npt.NDArray[np.float64]:
    (weights,) = [event for event in events if isinstance(event, WeightsCaptured)]
    return weights.layers["conv1"].weight.astype(np.float64)


def pair_says(pair: MomentPair, left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> None:
    """The least and the greatest of both, and of their difference, with its root mean square."""
    said = [
        [float(number.replace(MINUS, "-")) for number in re.findall(rf"[-{MINUS}]?\d[\d.]*(?:e[-+{MINUS}]\d+)?", text)]
        for text in (facts.whole for facts in pair._facts)
    ]
    change = right - left
    rms = float(np.sqrt((change**2).mean()))
    expected = ((left.min(), left.max()), (right.min(), right.max()), (change.min(), change.max(), rms))
    for numbers, wanted in zip(said, expected, strict=True):
        # Three digits are shown.
        assert numbers == pytest.approx(wanted, rel=6e-3, abs=1e-6)


def test_two_moments_beside_each_other_and_their_difference(window: MainWindow, qtbot: QtBot) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    window.selection.set(["conv1"])
    looked_back(window, qtbot, 0)
    machine.compare()
    pair = machine._pair
    assert pair is not None
    qtbot.waitUntil(lambda: not pair.pictures[2].image.isNull(), timeout=5000)
    last = machine.session.steps[-1]
    assert pair.steps == (0, last)
    assert pair.layer.currentText() == "conv1"
    assert machine.session.folder is not None
    first, newest = (read_moment(machine.session.folder, step) for step in (0, last))
    pair_says(pair, conv1_maps(first), conv1_maps(newest))
    # Where the values changed the most, the picture has the colour of that end.
    change = conv1_maps(newest) - conv1_maps(first)
    channel, row, column = np.unravel_index(np.abs(change).argmax(), change.shape)
    height, width = change.shape[1:]
    image = pair.pictures[2].image
    columns = (image.width() + 1) // (width + 1)
    x, y = (channel % columns) * (width + 1) + column, (channel // columns) * (height + 1) + row
    fell, rose = ("#9ad3ff", "#ffc78f") if window.themes.theme.is_dark else ("#0a437f", "#963a00")
    assert image.pixelColor(int(x), int(y)).name() == (rose if change[channel, row, column] > 0 else fell)
    pair.what.setCurrentIndex(1)
    pair_says(pair, conv1_weights(first), conv1_weights(newest))
    pair.what.setCurrentIndex(pair.what.findData("statistics"))
    assert pair.layer.currentText() == "conv1"
    assert pair.statistics.columns[2].outlines[0].kind == "weights"
    pair.what.setCurrentIndex(pair.what.findData("classes"))
    qtbot.waitUntil(lambda: pair.classes.change.shares.shape == (10, 10), timeout=5000)
    test = read_test(machine.session.folder, 1).tested
    assert f"{100 * test.num_right / test.count:.1f}" in pair._facts[0].whole
    pair.what.setCurrentIndex(pair.what.findData("answers"))
    (answers,) = [event for event in newest if isinstance(event, ProbesExplained)]
    assert [card.answer.probe for card in pair.answers.cards[1].cards] == [one.probe for one in answers.answers]
    pair.what.setCurrentIndex(1)
    looked_back(window, qtbot, machine.session.steps[1])
    assert pair.steps == (0, machine.session.steps[1]), "the scrubber moves the other"
    # Of the last moment, which is the other already, nothing could be compared.
    for look_back_to in (machine.session.steps[-1], None):
        if look_back_to is None:
            machine.bar.live.trigger()
        else:
            looked_back(window, qtbot, look_back_to)
        machine.compare()
        again = machine._pair
        assert again is not None
        assert again.steps == (0, machine.session.steps[-1])
        again.close()
    assert machine._pair is None


def as_file(image: QImage, place: Path) -> npt.NDArray[np.uint8]:
    image.convertToFormat(QImage.Format.Format_RGB888).save(str(place))
    with Image.open(place) as picture:
        return np.asarray(picture.convert("RGB"))


def filmed(
    window: MainWindow, qtbot: QtBot, key: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[Path]]:
    """The titles that the dialog offers, and the pictures of one view that it makes."""
    titles: list[str] = []

    def film(
        folder: Path, steps: tuple[int, ...], layer: str | None, stage: Stage, themes: ThemeSource, parent: QWidget
    ) -> None:
        dialog = MomentsExport(folder, steps, layer, stage, themes, parent)
        titles.extend(view.title for view in stage.views)
        (view,) = (view for view in stage.views if view.key == key)
        dialog.what.setCurrentIndex(dialog.what.findText(f"Film: {view.title}, as it is on screen"))
        dialog.form.setCurrentIndex(dialog.form.findData("png"))
        dialog.export_to(place)
        qtbot.waitUntil(lambda: dialog.status.text().startswith("Written"), timeout=10_000)
        dialog.close()
        dialog.deleteLater()

    monkeypatch.setattr("explorer.app.moments.ask_export", film)
    window.time_machine.bar.export.trigger()
    return titles, sorted(place.iterdir())


def test_a_film_of_what_is_on_screen_shows_each_moment_as_scrubbing_does(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(window, qtbot)
    machine = window.time_machine
    window.selection.set(["conv1"])
    window.docks["weights"].raise_()
    looked_back(window, qtbot, machine.session.steps[1])
    machine.bar.play.trigger()
    titles, frames = filmed(window, qtbot, "weights", tmp_path / "frames", monkeypatch)
    assert titles == ["Weights", "Canvas", "The whole window"], "none of a tab behind another"
    assert not machine.bar.is_playing
    # What was on screen before is again.
    assert machine.bar.step == machine.session.steps[1]
    said = f"step {machine.bar.step:,}"
    qtbot.waitUntil(lambda: said in window.weights_panel._facts.whole, timeout=5000)
    assert [int(path.stem[-9:]) for path in frames] == list(machine.session.steps)
    shown = window.docks["weights"].widget()
    assert shown is not None
    for path, step in zip(frames, machine.session.steps, strict=True):
        looked_back(window, qtbot, step)
        wait_until_painted((window.looking, window), window.classes_session)
        expected = as_file(shown.grab().toImage(), tmp_path / "expected.png")
        with Image.open(path) as picture:
            found = np.asarray(picture.convert("RGB"))
        np.testing.assert_array_equal(found[: len(expected)], expected)
    machine.bar.live.trigger()


def test_after_a_film_a_run_that_goes_on_is_shown_again(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(window, epochs=500)
    machine = window.time_machine
    qtbot.waitUntil(lambda: len(machine.session.steps) >= 3, timeout=60_000)
    window.docks["training"].raise_()
    titles, frames = filmed(window, qtbot, "window", tmp_path / "frames", monkeypatch)
    assert titles == ["Training", "Canvas", "The whole window"]
    assert len(frames) >= 3
    assert machine.bar.step is None
    assert not machine.chip.isVisible()
    assert not window.looking._is_looking_back
    seen = Seen()
    window.looking._viewers = (*window.looking._viewers, seen)
    before = window.training.curves.data.last_step
    qtbot.waitUntil(lambda: any((source.step or 0) > before for source in seen.sources), timeout=60_000)
    window.looking._viewers = window.looking._viewers[:-1]
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
