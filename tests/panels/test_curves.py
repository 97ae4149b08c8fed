"""Every point is kept, no peak is lost on the way to the screen, and nothing is drawn that nobody sees."""

import csv
import io
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.look.theme import GRID, ThemeSource
from explorer.panels.curves import data as curves_data
from explorer.panels.curves.data import Measurements, RunCurves, envelope_at, nice_limit
from explorer.panels.curves.panel import Curves
from tests.panels.fake_run import epoch_finished, run_started, steps
from tests.panels.stage import shown


def _curves(qtbot: QtBot) -> Curves:
    curves = Curves(ThemeSource())
    shown(qtbot, curves, 900, 300)
    return curves


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_every_value_is_kept_in_order(sizes: list[int]) -> None:
    measured = Measurements()
    expected: list[float] = []
    for size in sizes:
        values = np.arange(len(expected), len(expected) + size, dtype=np.float32)
        measured.put(len(expected) + 1, values)
        expected += values.tolist()
    assert measured.values.tolist() == expected
    assert measured.last_step == len(expected)
    assert measured.at(1) == 0
    assert measured.at(len(expected) + 1) is None


def _brute(values: list[float], steps: list[int], first: int, last: int, columns: int) -> dict[int, set[float]]:
    """The extremes of each pixel, by exact arithmetic, one value at a time."""
    pixels: dict[int, list[float]] = {}
    for step, value in zip(steps, values, strict=True):
        pixel = math.floor(Fraction(step - first) * columns / (last - first))
        if -1 <= pixel <= columns and not math.isnan(value):
            pixels.setdefault(pixel, []).append(value)
    return {pixel: {min(held), max(held)} for pixel, held in pixels.items()}


def _by_pixel(places: np.ndarray, values: np.ndarray, first: int, last: int, columns: int) -> dict[int, set[float]]:
    drawn: dict[int, set[float]] = {}
    for place, value in zip(places.tolist(), values.tolist(), strict=True):
        if not math.isnan(value):
            drawn.setdefault(math.floor((place - first) * columns / (last - first)), set()).add(value)
    return drawn


@pytest.mark.parametrize("fewest_blocks", [2, 32])
@given(st.data(), st.integers(1, 40_000), st.integers(10, 120), st.integers(1, 3000), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_each_pixel_shows_its_least_and_greatest(
    fewest_blocks: int, data: st.DataObject, count: int, columns: int, first_step: int, seed: int
) -> None:
    """Any part of a run in pieces of any size, with steps that were never reported and steps that came twice."""
    random = np.random.default_rng(seed)
    values = random.standard_normal(count).astype(np.float32)
    values[random.random(count) < 0.05] = np.nan
    measured = Measurements()
    cuts = sorted({0, count, *random.integers(1, count + 1, 8).tolist()})
    for start, end in pairwise(cuts):
        measured.put(first_step + max(0, start - 3), values[max(0, start - 3) : end])
    first = data.draw(st.integers(0, first_step + count), "first")
    last = data.draw(st.integers(first + 4, first + 4 + 2 * count), "last")
    with pytest.MonkeyPatch.context() as patch:
        # As for pixels of many blocks, where the data are few enough to be counted by hand.
        patch.setattr(curves_data, "_FEWEST_BLOCKS", fewest_blocks)
        places, shown_values = measured.envelope(first, last, columns)
    assert (np.diff(places) >= 0).all()
    steps = list(range(first_step, first_step + count))
    visible = [step for step in steps if first <= step <= last]
    if len(shown_values) > 2 * columns + 4:
        raise AssertionError(f"{len(shown_values)} points for {columns} pixels")
    if len(visible) + 2 <= 2 * columns:
        assert set(visible) <= set(places.tolist())
        assert all(
            np.array_equal(v, measured.values[int(s) - first_step], equal_nan=True)
            for s, v in zip(places, shown_values, strict=True)
        )
    elif len(visible) > 2 * columns:
        expected = _brute(values.tolist(), steps, first, last, columns)
        assert _by_pixel(places, shown_values, first, last, columns) == expected


@pytest.mark.parametrize("fewest_blocks", [2, 32])
def test_a_million_points_take_four_bytes_each_and_the_extremes_a_little(
    fewest_blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves_data, "_FEWEST_BLOCKS", fewest_blocks)
    measured = Measurements()
    values = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)
    for start in range(0, len(values), 400):
        measured.put(1 + start, values[start : start + 400])
    assert np.array_equal(measured.values, values)
    assert measured.num_bytes <= 2 * 4 * len(values) * (1 + 2 / 64)
    places, drawn = measured.envelope(0, 1_000_000, 700)
    assert _by_pixel(places, drawn, 0, 1_000_000, 700) == {
        pixel: {values[start:end].min().item(), values[start:end].max().item()}
        for pixel in range(700)
        # The value of step s lies at s - 1.
        for start, end in [(max(0, -(-pixel * 1_000_000 // 700) - 1), -(-(pixel + 1) * 1_000_000 // 700) - 1)]
    } | {700: {values[-1].item()}}


def test_a_new_point_touches_only_its_own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the run, adding and drawing cost as much: the older extremes are not looked at again."""
    monkeypatch.setattr(curves_data, "_FEWEST_BLOCKS", 2)
    measured = Measurements()
    measured.put(1, np.zeros(100_000, np.float32))
    measured.envelope(0, 100_000, 100)
    measured._least[: 100_000 // 64] = -7
    measured.put(100_001, np.ones(10, np.float32))
    measured.envelope(0, 100_010, 100)
    assert (measured._least[: 100_000 // 64] == -7).all()
    assert measured._least[100_009 // 64] == 0


def test_what_comes_after_a_plot_was_drawn_is_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """New steps, the rest of a block that was drawn half full, and steps of before that a resumed run tells anew."""
    monkeypatch.setattr(curves_data, "_FEWEST_BLOCKS", 2)
    measured = Measurements()
    values = np.zeros(100_000, np.float32)
    for start, end, value in ((0, 50_010, 1), (50_010, 50_020, 9), (50_020, 100_000, 2), (700, 705, -7)):
        values[start:end] = value
        measured.put(1 + start, values[start:end])
        places, drawn = measured.envelope(0, 100_000, 20)
        known = values[: len(measured)].tolist()
        assert _by_pixel(places, drawn, 0, 100_000, 20) == _brute(known, list(range(1, len(known) + 1)), 0, 100_000, 20)


def test_pixels_stand_still_while_panning() -> None:
    measured = Measurements()
    measured.put(1, np.random.default_rng(0).random(10_000, dtype=np.float32))
    per_pixel = 8000 / 300
    here = measured.envelope(1000, 9000, 300)
    there = measured.envelope(1000 + 7 * per_pixel, 9000 + 7 * per_pixel, 300)
    assert here[1][14:].tolist() == there[1][: len(here[1]) - 14].tolist()


@given(st.integers(1, 3000), st.integers(10, 80), st.integers(0, 2**32 - 1))
def test_epochs_closer_than_pixels_keep_their_extremes(count: int, columns: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.integers(1, 9, count)).astype(np.float64)
    values = random.standard_normal(count)
    last = int(steps[-1]) + 1
    places, drawn = envelope_at(steps, values, 0, last, columns)
    if count <= 2 * columns:
        assert (places.tolist(), drawn.tolist()) == (steps.tolist(), values.tolist())
    else:
        expected = _brute(values.tolist(), [int(step) for step in steps], 0, last, columns)
        assert _by_pixel(places, drawn, 0, last, columns) == expected


def test_a_gap_and_a_resumed_run() -> None:
    measured = Measurements()
    measured.put(101, np.array([1, 2], np.float32))
    measured.put(105, np.array([5], np.float32))
    assert [measured.at(step) for step in (100, 101, 102, 103, 105)] == [None, 1, 2, None, 5]


def test_limits_are_round() -> None:
    assert [nice_limit(v) for v in (0.2, 2.31, 630, 0, float("nan"))] == [0.2, 2.5, 800, 1, 1]


def test_events_arrive_on_both_plots(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.5] * 63), epoch_finished(1)])
    loss, accuracy = curves.plots
    assert loss.batch.values.tolist() == [0.5] * 63
    assert accuracy.batch.values.tolist() == [50.0] * 63
    assert loss._legend.values == ("0.5000", "0.2500", "0.5000")
    assert accuracy._legend.values == ("50.0\u2009%", "87.5\u2009%", "90.0\u2009%")


def test_a_new_run_forgets_the_last(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.5] * 63), epoch_finished(1)])
    curves.put([run_started(), steps(1, [0.75])])
    assert curves.data.losses.values.tolist() == [0.75]
    assert curves.data.epochs == []


def test_nothing_is_drawn_while_hidden_and_nothing_lost(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.5])])
    curves.hide()
    curves.put([steps(2, [0.25] * 9)])
    assert len(curves.plots[0].batch.values) == 1
    curves.show()
    assert len(curves.plots[0].batch.values) == 10


def test_nothing_is_drawn_behind_another_tab_and_nothing_lost(qtbot: QtBot) -> None:
    """Where to Qt it is visible; nor is what the size of its place changes meanwhile."""
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, np.full(5_000, 0.5))])
    plot = curves.plots[0]
    num_points = len(plot.batch.values)
    curves.set_in_front(False)
    assert curves.isVisible()
    curves.put([steps(5_001, [0.25])])
    curves.resize(1500, 300)
    assert len(plot.batch.values) == num_points
    curves.set_in_front(True)
    assert len(plot.batch.values) > num_points
    assert plot.batch.values[-1] == 0.25


def test_hovering_reads_out_the_step_on_both(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, np.linspace(1, 0, 126)), epoch_finished(1), epoch_finished(2)])
    loss, accuracy = curves.plots
    viewport = loss._view.viewport()
    qtbot.waitUntil(lambda: viewport.height() < curves.height())
    # Some place inside the plot; the step under it is asked of pyqtgraph's own transform.
    place = QPoint(viewport.width() // 2, viewport.height() // 2)
    QTest.mouseMove(viewport, QPoint(1, 1))
    QTest.mouseMove(viewport, place)
    qtbot.waitUntil(lambda: curves._hovered is not None)
    step = round(loss._box.mapSceneToView(loss._view.mapToScene(place)).x())
    expected = curves.data.losses.at(step)
    assert loss._legend.values[0] == f"{expected:.4f}"
    assert f"step {step} · epoch" in accuracy._view.getPlotItem().getAxis("bottom").labelText
    assert accuracy._cross.isVisible()


@pytest.mark.parametrize("width", [480, 560, 641, 760, 1201, 1500])
def test_both_legends_stand_alike_and_have_room_for_the_widest_values(width: int, qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.0] * 63), epoch_finished(1)])
    curves.resize(width, 200)
    loss, accuracy = curves.plots
    qtbot.waitUntil(lambda: abs(loss.width() + accuracy.width() + GRID - width) <= 1)
    assert loss._legend.places == accuracy._legend.places
    assert loss._heading.width() == accuracy._heading.width()
    legend = accuracy._legend
    qtbot.waitUntil(lambda: 0 <= legend.width() - legend._room <= 1)
    assert legend.values[0] == "100.0\u2009%"
    advance = legend.fontMetrics().horizontalAdvance
    ends = [*legend.places[1:], legend.width() + 1]
    for place, name, end in zip(legend.places, ("batch", "train", "test")[-len(legend.places) :], ends, strict=True):
        assert place + advance(name) + 4 + advance(legend.values[0]) < end


def test_zooming_stops_following_until_all_is_shown_again(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.5] * 100)])
    loss, accuracy = curves.plots
    loss._box.setXRange(10, 20, padding=0)
    assert list(accuracy.range) == [10, 20]
    curves.put([steps(101, [0.5] * 100)])
    assert list(loss.range) == [10, 20]
    curves.show_all()
    assert loss.range[1] >= 200


def test_csv_has_every_point(qtbot: QtBot, tmp_path: Path) -> None:
    curves = _curves(qtbot)
    losses = np.random.default_rng(0).random(126, dtype=np.float32)
    curves.put([run_started(), steps(1, losses), epoch_finished(1), epoch_finished(2)])
    curves.save_csv(tmp_path / "c.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text(encoding="utf-8"))))
    assert [int(row["step"]) for row in rows] == list(range(1, 127))
    assert np.allclose([float(row["batch_loss"]) for row in rows], losses, rtol=1e-6)
    assert [row["epoch"] for row in rows if row["test_accuracy"]] == ["1", "2"]


def test_an_unwritable_target_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    curves = _curves(qtbot)
    said: list[str] = []
    curves.failed.connect(said.append)
    curves.put([run_started(), steps(1, [0.5])])
    curves.save_csv(tmp_path / "no" / "c.csv")
    curves.save_image(tmp_path / "no" / "c.png")
    assert len(said) == 2
    assert all("c." in text for text in said)


def test_the_menu_copies_a_picture(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    curves.put([run_started(), steps(1, [0.5] * 10)])
    menu = curves.menu()
    next(action for action in menu.actions() if action.text() == "Copy image").trigger()
    assert QGuiApplication.clipboard().image().width() > 100
    menu.deleteLater()


def test_epochs_are_known_from_steps() -> None:
    data = RunCurves(63)
    assert [data.epoch_of(step) for step in (1, 63, 64, 126, 127)] == [1, 1, 2, 2, 3]
    assert RunCurves().epoch_of(5) is None


def test_thousands_of_epochs_are_drawn_as_lines_without_points(qtbot: QtBot) -> None:
    curves = _curves(qtbot)
    random = np.random.default_rng(0)
    ends = [epoch_finished(n, test_accuracy=float(a)) for n, a in enumerate(random.random(4000), 1)]
    curves.put([run_started(), *ends[:20]])
    loss, accuracy = curves.plots
    symbols = [accuracy._test.opts["symbol"]]
    curves.put(ends[20:])
    steps, shares = accuracy._test.getData()
    assert len(steps) <= 2 * accuracy.num_columns + 4
    assert shares.max() == 100 * max(epoch.test_accuracy for epoch in ends)
    symbols.append(accuracy._test.opts["symbol"])
    # Close enough, every epoch is a point again.
    loss._box.setXRange(63 * 1000, 63 * 1010, padding=0)
    symbols.append(accuracy._test.opts["symbol"])
    assert symbols == ["o", None, "o"]
    assert {63 * 1003, 63 * 1004} <= set(accuracy._test.getData()[0].tolist())
