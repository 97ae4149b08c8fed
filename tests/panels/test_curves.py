"""Every point is kept, no peak is lost on the way to the screen, and nothing is drawn that nobody sees."""

import csv
import io
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.curves import Curves
from explorer.panels.curves_data import Measurements, RunCurves, nice_limit
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


@given(st.integers(1, 5000), st.integers(10, 500), st.integers(0, 2**32 - 1))
def test_the_envelope_keeps_the_extremes(count: int, columns: int, seed: int) -> None:
    measured = Measurements()
    values = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    measured.put(1, values)
    places, shown_values = measured.envelope(0, count, columns)
    assert shown_values.min() == values.min()
    assert shown_values.max() == values.max()
    assert len(shown_values) <= 2 * columns + 2
    assert (np.diff(places) > 0).all()


def test_groups_stand_still_while_panning() -> None:
    measured = Measurements()
    measured.put(1, np.random.default_rng(0).random(10_000, dtype=np.float32))
    a = dict(zip(*(part.tolist() for part in measured.envelope(1000, 9000, 300)), strict=True))
    b = dict(zip(*(part.tolist() for part in measured.envelope(1007, 9007, 300)), strict=True))
    common = sorted(a.keys() & b.keys())[:-4]
    assert len(common) > 200
    assert all(a[place] == b[place] for place in common)


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
