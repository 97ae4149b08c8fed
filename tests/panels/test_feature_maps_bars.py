"""Maps of one row of values: bars for few, pixels for many."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QPoint
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.inference.receptive_field import Box
from explorer.look.theme import ThemeSource
from explorer.panels.feature_maps.bars import BarsView
from explorer.runs import OpenedLayer
from tests.panels.maps_panel import (
    maps_panel,
    panel_at_conv1,
    point_at,
    random_values,
    show_opened,
)
from tests.panels.stage import shown


def test_ten_logits_are_bars_and_many_features_pixels(qtbot: QtBot) -> None:
    panel, at = maps_panel(qtbot)
    at.selection.set(["fc3"])
    logits = random_values(10)
    show_opened(panel, 1, fc3=OpenedLayer((random_values(84),), logits, {}))
    assert panel.bars.isVisible()
    QTest.mouseMove(panel.bars, QPoint(12, 40))
    qtbot.waitUntil(lambda: panel.readout.text == f"feature 0 = {logits[0]:.6g}".replace("-", "−"))
    assert panel.field.box == Box(0, 0, 32, 32)
    at.selection.set(["flatten"])
    show_opened(panel, 1, flatten=OpenedLayer((random_values(16, 5, 5),), random_values(16, 5, 5).reshape(-1), {}))
    assert panel.maps.isVisible()
    assert not panel.bars.isVisible()
    assert panel.maps.picture().width() * panel.maps.picture().height() >= 400
    point_at(panel, 137, 0, 0)
    assert panel.readout.text.startswith("feature 137 = the input's value at (5, 2, 2)")


def _written(bars: BarsView) -> list[str]:
    """The texts on screen, in the order in which they are painted."""
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    bars.render(generator)
    picture = ET.fromstring(bytes(buffer.data().data()))
    return [(text.text or "").strip() for text in picture.iter("{http://www.w3.org/2000/svg}text")]


def test_what_is_no_number_is_said_and_has_no_bar(qtbot: QtBot) -> None:
    themes = ThemeSource()
    bars = BarsView(themes)
    shown(qtbot, bars, 600, 200)
    bars.show_values(np.array([-1.0, np.nan, -2.5, np.inf], np.float32), np.arange(4))
    assert _written(bars) == ["−1.00", "0", "NaN", "1", "−2.50", "2", "∞", "3"]
    screen = bars.grab().toImage()
    ratio = screen.devicePixelRatio()
    tops = [_coloured_rows(screen, round((8 + (place + 0.4) * 64) * ratio), themes) for place in range(4)]
    assert tops[1] <= 2
    assert tops[3] <= 2
    assert tops[2] > 2 * tops[0] > 20
    accent = [screen.pixelColor(round((8 + (place + 0.4) * 64) * ratio), screen.height() // 4) for place in (0, 2)]
    assert accent == [themes.theme.accent, themes.theme.wire], "the largest number is the accented one"


def _coloured_rows(screen: QImage, x: int, themes: ThemeSource) -> int:
    colours_ = {themes.theme.accent.rgb(), themes.theme.wire.rgb()}
    return sum(screen.pixel(x, y) in colours_ for y in range(screen.height()))


@pytest.mark.parametrize("has_maps_before", [True, False])
def test_bars_are_saved_as_they_are_seen(qtbot: QtBot, tmp_path: Path, has_maps_before: bool) -> None:
    panel, at = panel_at_conv1(qtbot)[:2] if has_maps_before else maps_panel(qtbot)
    said: list[str] = []
    panel.failed.connect(said.append)
    at.selection.set(["fc3"])
    show_opened(panel, 1241, fc3=OpenedLayer((random_values(84),), random_values(10), {}))
    panel.save_picture(tmp_path / "fc3.png")
    assert said == []
    seen = panel.bars.grab().toImage()
    saved = QImage(str(tmp_path / "fc3.png"))
    assert saved.convertToFormat(seen.format()) == seen
    panel.body.copy()
    assert QGuiApplication.clipboard().image().convertToFormat(seen.format()) == seen
