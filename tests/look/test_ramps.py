"""Ramps of colours: even in lightness, with the zero in the middle, and standing out from their ground."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from explorer.look.ramps import diverging, in_order, opaque, picture, sequential, shares_levels, signed_levels
from explorer.look.theme import DARK, LIGHT, Theme, contrast

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def _from_ground(levels: np.ndarray, ground: QColor) -> np.ndarray:
    return np.array([contrast(QColor.fromRgb(int(level)), ground) for level in levels])


@THEMES
def test_both_arms_of_the_diverging_ramp_leave_zero_evenly(theme: Theme) -> None:
    ramp = diverging(theme)
    assert ramp.shape == (255,)
    ratios = _from_ground(ramp, QColor.fromRgb(int(ramp[127])))
    assert ratios[127] == pytest.approx(1)
    for arm in (ratios[127:], ratios[127::-1]):
        assert np.all(np.diff(arm) > -0.02)
        assert arm[-1] > 4.5


@THEMES
def test_more_stands_out_more(theme: Theme) -> None:
    ramp = sequential(theme)
    assert QColor.fromRgb(int(ramp[0])) == theme.panel
    ratios = _from_ground(ramp, theme.panel)
    assert np.all(np.diff(ratios) > -0.02)
    assert ratios[-1] > 7


@THEMES
@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_layers_in_order_can_be_seen_on_their_ground(theme: Theme, count: int) -> None:
    colours = in_order(theme, count)
    assert len(colours) == count
    assert all(contrast(colour, theme.panel) > 1.8 for colour in colours)
    assert len({colour.rgb() for colour in colours}) == count


def test_levels() -> None:
    values = np.array([[-2.0, -1.0, -0.5, 0.0], [0.5, 1.0, 3.0, np.nan]], np.float32)
    assert signed_levels(values, 1.0).tolist() == [[0, 0, 64, 127], [190, 254, 254, 127]]
    assert signed_levels(values, np.array([[4.0], [0.0]])).tolist() == [[64, 95, 111, 127], [190, 254, 254, 127]]
    assert shares_levels(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 127, 254, 254]


def test_a_picture_has_its_colours() -> None:
    parts = [np.array([[level, 255]], np.uint32) for level in (10, 20, 30)]
    image = picture(opaque(*parts))
    assert (image.width(), image.height()) == (2, 1)
    assert image.pixelColor(0, 0) == QColor(10, 20, 30)
    assert image.pixelColor(1, 0) == QColor(255, 255, 255)
