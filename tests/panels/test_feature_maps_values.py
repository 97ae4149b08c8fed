"""What feature maps are drawn from, against numpy: values, order, levels, tiles, and the colours of the levels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor

from explorer.look.theme import DARK, LIGHT, Theme, contrast
from explorer.panels.feature_maps.colours import colours, picture
from explorer.panels.feature_maps.pointing import pixel_of
from explorer.panels.feature_maps.tiles import (
    SCALES,
    Tiles,
    Tiling,
    averaged,
    device_size,
    fitting,
    grid_size,
    laid_out,
)
from explorer.panels.feature_maps.values import (
    GAP,
    LAST_LEVEL,
    NOT_A_NUMBER,
    References,
    dead_channels,
    levels_of,
    maps_of_atlas,
    maps_of_output,
    ordered,
    scale_of,
)
from tests.panels.fake_run import atlas


def _output(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# Values


def test_an_output_is_taken_as_it_is() -> None:
    output = _output(5, 4, 3)
    maps = maps_of_output(output)
    assert maps.is_exact
    assert maps.values is output or np.shares_memory(maps.values, output)
    assert (maps.minimum, maps.maximum) == (output.min(), output.max())
    assert maps_of_output(_output(7)).values.shape == (7, 1, 1)
    assert maps_of_output(_output(2, 6)).values.shape == (2, 1, 6)
    assert maps_of_output(_output(2, 3, 4, 5)).values.shape == (2, 12, 5)
    assert maps_of_output(_output(1, 6)).is_vector


def test_what_is_not_finite_does_not_count_for_the_range() -> None:
    output = np.array([[[1, np.nan], [np.inf, -2]]], np.float32)
    maps = maps_of_output(output)
    assert (maps.minimum, maps.maximum) == (-2, 1)
    nothing = maps_of_output(np.full((1, 2, 2), np.nan, np.float32))
    assert (nothing.minimum, nothing.maximum) == (0, 0)
    levels = levels_of(maps, scale_of(maps, per_channel=False, diverging=False))
    assert levels.tolist() == [[[LAST_LEVEL, NOT_A_NUMBER], [LAST_LEVEL, 0]]]


def test_a_pictures_values_are_right_to_half_a_level() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
    maps = maps_of_atlas(atlas(levels, columns=4, low=-3, high=5))
    assert not maps.is_exact
    assert np.allclose(maps.values, -3 + 8 * (levels / 255), atol=1e-5)
    vector = maps_of_atlas(atlas(levels[:1, :1], columns=1))
    assert vector.is_vector
    assert vector.num_channels == 4


def test_dead_channels_are_those_that_are_zero_everywhere() -> None:
    output = _output(4, 3, 3)
    output[1] = 0
    output[2] = 0
    output[2, 2, 2] = 1e-30
    assert dead_channels(maps_of_output(output)).tolist() == [False, True, False, False]


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 5), st.integers(0, 9))
def test_channels_stand_in_numpys_order(count: int, height: int, width: int, seed: int) -> None:
    now, before = _output(count, height, width, seed=seed), _output(count, height, width, seed=seed + 100)
    maps = maps_of_output(now)
    if maps.values.shape != now.shape:
        return
    keys = {
        "mean": now.mean((1, 2), np.float64),
        "variance": now.var((1, 2), np.float64),
        "first": np.abs(now - before).mean((1, 2), np.float64),
    }
    for order, key in keys.items():
        found = ordered(maps, order, before)
        assert sorted(found.tolist()) == list(range(count))
        assert (np.diff(key[found]) <= 0).all()
    assert ordered(maps, "index").tolist() == list(range(count))
    assert ordered(maps, "last", None).tolist() == list(range(count))
    assert ordered(maps, "last", now[:, :1] if height > 1 else None).tolist() == list(range(count))


def test_equal_channels_stand_by_their_number_and_nan_last() -> None:
    output = np.ones((4, 2, 2), np.float32)
    output[1] = np.nan
    output[3] = 2
    assert ordered(maps_of_output(output), "mean").tolist() == [3, 0, 2, 1]


# Levels


def test_one_scale_for_the_layer_or_one_for_each_channel() -> None:
    output = np.stack([np.linspace(0, 1, 9), np.linspace(2, 10, 9)]).reshape(2, 3, 3).astype(np.float32)
    maps = maps_of_output(output)
    layer = scale_of(maps, per_channel=False)
    assert (layer.of(0), layer.of(1), layer.is_diverging) == ((0, 10), (0, 10), False)
    expected = np.floor(output / 10 * LAST_LEVEL + 0.5)
    assert np.abs(levels_of(maps, layer) - expected).max() <= 1
    each = scale_of(maps, per_channel=True)
    assert (each.of(0), each.of(1)) == ((0, 1), (2, 10))
    levels = levels_of(maps, each)
    assert (levels.min((1, 2)).tolist(), levels.max((1, 2)).tolist()) == ([0, 0], [LAST_LEVEL] * 2)


def test_zero_is_the_middle_where_colours_part() -> None:
    output = np.array([[[-1, 0, 4]], [[0, 0, 0]]], np.float32)
    maps = maps_of_output(output)
    for per_channel in (False, True):
        scale = scale_of(maps, per_channel=per_channel)
        assert scale.is_diverging
        levels = levels_of(maps, scale)
        middle = LAST_LEVEL // 2
        assert levels[0, 0].tolist() == [math.floor(LAST_LEVEL * 3 / 8 + 0.5), middle, LAST_LEVEL]
        assert levels[1, 0].tolist() == [middle] * 3
    assert not scale_of(maps, per_channel=False, diverging=False).is_diverging
    assert scale_of(maps_of_output(np.ones((1, 2, 2), np.float32)), per_channel=False, diverging=True).of(0) == (-1, 1)


# Places


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 7), st.integers(1, 9), st.integers(0, 5))
def test_laying_out_keeps_every_pixel(count: int, height: int, width: int, columns: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    levels = draw.integers(0, LAST_LEVEL + 1, (count, height, width), dtype=np.uint8)
    order = draw.permutation(count)
    columns = min(columns, count)
    tiles = Tiles(count, height, width)
    image = laid_out(levels, columns, order)
    assert image.shape == grid_size(tiles, columns)
    for place, channel in enumerate(order):
        row, column = divmod(place, columns)
        top, left = row * (height + tiles.gap), column * (width + tiles.gap)
        assert np.array_equal(image[top : top + height, left : left + width], levels[channel])
    assert (image == GAP).sum() == image.size - levels.size


@given(st.integers(1, 600), st.integers(1, 64), st.integers(50, 2000), st.integers(50, 2000))
def test_fitting_shows_all_channels_at_once(count: int, size: int, height: int, width: int) -> None:
    tiles = Tiles(count, size, size)
    tiling = fitting(tiles, height, width)
    shown_height, shown_width = device_size(tiles, tiling)
    if tiling.scale > SCALES[0]:
        assert shown_height <= height
        assert shown_width <= width
    assert tiling.columns <= count


@pytest.mark.parametrize(("size", "factor"), [((6, 8), 2), ((7, 5), 3), ((4, 4), 8)])
def test_averaging_down_is_the_mean_of_blocks(size: tuple[int, int], factor: int) -> None:
    levels = np.random.default_rng(0).integers(0, 253, (3, *size), dtype=np.uint8)
    small = averaged(levels, factor)
    rows, columns = -(-size[0] // factor), -(-size[1] // factor)
    assert small.shape == (3, rows, columns)
    for row in range(size[0] // factor):
        for column in range(size[1] // factor):
            block = levels[:, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            assert np.array_equal(small[:, row, column], block.reshape(3, -1).mean(1).astype(np.uint8))
    assert Tiling(1, 1 / factor).factor == factor


def test_a_place_on_screen_is_a_place_of_the_output() -> None:
    maps = maps_of_output(_output(3, 4, 5))
    assert pixel_of("n", maps, (3, 4, 5), 2, 3, 4) == ("n", 2, 3, 4)
    reduced = maps_of_atlas(atlas(np.zeros((3, 2, 2), np.uint8), columns=3))
    assert pixel_of("n", reduced, (3, 8, 8), 1, 1, 0) == ("n", 1, 6, 2)
    assert pixel_of("n", maps_of_output(_output(9)), (9,), 7, 0, 0) == ("n", 7, 0, 0)
    assert pixel_of("n", maps_of_output(_output(9, 1, 1)), (9, 1, 1), 7, 0, 0) == ("n", 7, 0, 0)
    assert pixel_of("n", maps_of_output(_output(1, 1, 9)), (1, 1, 9), 7, 0, 0) == ("n", 0, 0, 7)


# Change


def test_change_is_measured_from_the_first_picture_and_the_one_before() -> None:
    kept = References()
    a, b, c = (_output(2, 3, 3, seed=seed) for seed in range(3))
    kept.take(("conv", "p"), a, "initial weights", "")
    known = kept.of(("conv", "p"))
    assert known is not None
    assert known.last is None
    kept.take(("conv", "p"), b, "step 1", "r")
    known = kept.of(("conv", "p"))
    assert known is not None
    assert known.first is b, "a run begins with its own first picture"
    kept.take(("conv", "p"), c, "step 2", "r")
    kept.take(("conv", "p"), c.copy(), "step 2", "r")
    known = kept.of(("conv", "p"))
    assert known is not None
    assert (known.first is b, known.last is b, known.newest is c, known.first_text) == (True, True, True, "step 1")
    kept.take(("conv", "p"), c[:1], "step 3", "r")
    known = kept.of(("conv", "p"))
    assert known is not None
    assert known.first.shape == (1, 3, 3)


def test_only_so_many_layers_are_remembered() -> None:
    kept = References()
    for number in range(30):
        kept.take((f"n{number}", "p"), _output(2, 3, 3), "x", "r")
    assert kept.of(("n0", "p")) is None
    assert kept.of(("n29", "p")) is not None
    assert kept.of(("n20", "p")) is not None


# Colours


@pytest.mark.parametrize("shown", [LIGHT, DARK])
def test_colours_tell_signs_and_zero(shown: Theme) -> None:
    table = [QColor(rgb) for rgb in colours(shown, True)]
    low, zero, high = table[0], table[LAST_LEVEL // 2], table[LAST_LEVEL]
    quarter = LAST_LEVEL // 4
    assert table[quarter].blue() > table[quarter].red()
    assert table[3 * quarter].red() > table[3 * quarter].blue()
    assert contrast(zero, low) > 4.5
    assert contrast(zero, high) > 4.5
    assert max(_parts(zero)) - min(_parts(zero)) < 16
    # Away from zero lightness goes one way only, on both sides.
    light = [0.3 * c.redF() + 0.59 * c.greenF() + 0.11 * c.blueF() for c in table[: LAST_LEVEL + 1]]
    outwards = np.diff(light[LAST_LEVEL // 2 :]), np.diff(light[LAST_LEVEL // 2 :: -1])
    for steps in outwards:
        assert (steps <= 1e-3).all() if shown is LIGHT else (steps >= -1e-3).all()
    grey = colours(shown, False)
    assert [QColor(grey[0]).name(), QColor(grey[LAST_LEVEL]).name()] == ["#000000", "#ffffff"]
    assert len(grey) == len(table) == 256


def test_a_picture_has_the_levels_colours() -> None:
    table = colours(LIGHT, True)
    levels = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)
    image = picture(levels, table)
    found = [[image.pixel(x, y) for x in range(7)] for y in range(5)]
    assert found == [[table[level] for level in row] for row in levels]


def _parts(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()
