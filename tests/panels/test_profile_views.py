"""What the panels say of measured times: the strip above the canvas, the table's columns, the line beside Start."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture
from explorer.inference import infer
from explorer.look import numbers
from explorer.look.theme import ThemeSource
from explorer.panels.estimate_line import EstimateLine
from explorer.panels.profile_strip import OVERLAYS, ProfileStrip
from explorer.panels.table.columns import MEASURED, Place
from explorer.panels.table.panel import LayerTable
from explorer.runs import EpochFinished, RunConfig, RunStarted, StepsRecorded
from explorer.runs.profile import NodeProfile
from explorer.session.document import Snapshot
from explorer.session.profile_session import Measured, measured_now, node_facts
from tests.panels.stage import Stage, stage
from tests.runs.test_profile import profile
from tests.session.test_speed_session import ESTIMATE

THIN = numbers.THIN_SPACE


def measured_of(architecture: Architecture) -> Measured:
    """Each node takes a millisecond more than the one before."""
    nodes = {
        node.id: NodeProfile(forward_s=i * 1e-3, backward_s=2e-3 * i, kept_bytes=1024 * i, peak_bytes=None)
        for i, node in enumerate(architecture.nodes)
    }
    now = Snapshot(architecture, infer(architecture))
    return measured_now(node_facts(now), profile(nodes), now)


@pytest.fixture
def open_stage() -> Stage:
    return stage()


@pytest.fixture
def table(qtbot: QtBot, open_stage: Stage) -> LayerTable:
    table = LayerTable(open_stage.document, open_stage.selection, open_stage.themes)
    qtbot.addWidget(table)
    return table


def hidden(table: LayerTable) -> set[int]:
    header = table.view.horizontalHeader()
    return {column for column in range(table.model.columnCount()) if header.isSectionHidden(column)}


def test_the_measured_columns_are_there_as_long_as_a_profile_is(table: LayerTable, open_stage: Stage) -> None:
    assert hidden(table) >= set(MEASURED)
    before = table.copied_text().splitlines()[0]
    assert "Forward" not in before
    table.show_measured(measured_of(open_stage.document.architecture))
    assert not hidden(table) & set(MEASURED)
    row = table.model.row_of("conv1")
    assert row is not None
    assert [table.model.text(row, column) for column in MEASURED] == [
        f"1.00{THIN}ms",
        f"2.00{THIN}ms",
        f"1.00{THIN}kB",
        # 64 images of 117,600 products in a millisecond.
        numbers.short_count(2 * 117_600 * 64 / 1e-3),
    ]
    total = sum(range(len(open_stage.document.architecture.nodes)))
    assert table.model.total(Place.FORWARD, previewed=False) == f"{total:.1f}{THIN}ms"
    assert "Forward" in table.copied_text().splitlines()[0]
    table.show_measured(None)
    assert hidden(table) >= set(MEASURED)
    assert table.copied_text().splitlines()[0] == before


def test_a_measured_column_that_the_user_hid_stays_hidden(table: LayerTable, open_stage: Stage) -> None:
    measured = measured_of(open_stage.document.architecture)
    table.show_measured(measured)
    table.show_column(Place.BACKWARD, False)
    table.show_measured(None)
    table.show_measured(measured)
    assert hidden(table) & set(MEASURED) == {Place.BACKWARD}


def test_rows_sort_by_what_was_measured(table: LayerTable, open_stage: Stage) -> None:
    table.show_measured(measured_of(open_stage.document.architecture))
    table.view.sortByColumn(Place.FORWARD, Qt.SortOrder.DescendingOrder)
    first = table.view.model().index(0, Place.ID).data()
    assert first == open_stage.document.architecture.nodes[-1].id


def test_there_is_no_sum_while_layers_are_stale(table: LayerTable, open_stage: Stage) -> None:
    measured = measured_of(open_stage.document.architecture)
    stale = measured._replace(nodes={i: node for i, node in measured.nodes.items() if i != "fc3"})
    table.show_measured(stale)
    row = table.model.row_of("fc3")
    assert row is not None
    assert table.model.text(row, Place.FORWARD) == numbers.UNKNOWN
    assert table.model.total(Place.FORWARD, previewed=False) == ""


def test_the_strip_tells_the_parts_of_a_step(qtbot: QtBot, open_stage: Stage) -> None:
    strip = ProfileStrip(open_stage.themes)
    qtbot.addWidget(strip)
    asked: list[str] = []
    strip.overlay_asked.connect(asked.append)
    measured = measured_of(open_stage.document.architecture)
    strip.show_measured(measured)
    assert strip.isVisible()
    assert strip.text.startswith(f"64 images in 8.00{THIN}s · forward ")
    assert "CPU, 2 threads ·" in strip.text
    mixed = replace(measured.profile, precision="bfloat16")
    strip.show_measured(measured._replace(profile=mixed))
    assert "CPU, 2 threads in bfloat16 ·" in strip.text
    assert "Measured on digits." in strip.text
    assert "left out" not in strip.text
    strip.show_overlay("kept")
    assert strip.overlays.current == OVERLAYS.index("kept")
    strip.show_overlay("macs")
    assert strip.overlays.current == -1
    for place in range(len(OVERLAYS)):
        strip.overlays.button(place).click()
    assert asked == list(OVERLAYS)
    strip.show_measured(measured._replace(nodes={}))
    assert "left out" in strip.text


def test_the_strip_waits_before_it_shows_progress(qtbot: QtBot, open_stage: Stage) -> None:
    strip = ProfileStrip(open_stage.themes)
    qtbot.addWidget(strip)
    strip.show_progress("Step 1 of 9", 0.1)
    assert not strip.isVisible()
    qtbot.waitUntil(strip.isVisible)
    assert strip.cancel_button.isVisible()
    assert strip.bar.value() == 10
    strip.end()
    assert not strip.isVisible()


def line(qtbot: QtBot) -> EstimateLine:
    line = EstimateLine(ThemeSource())
    qtbot.addWidget(line)
    return line


def test_the_estimate_is_words_beside_start(qtbot: QtBot) -> None:
    shown = line(qtbot)
    assert shown.text == ""
    assert shown.button.text() == "Time an epoch"
    shown.show_estimate(None, 10, is_probing=True, why_not="")
    assert shown.text == "timing a step…"
    assert not shown.button.isEnabled()
    # 640 images at 640 a second, and a second for the test.
    shown.show_estimate(ESTIMATE, 10, is_probing=False, why_not="")
    assert shown.text == f"≈ 2.0{THIN}s per epoch, 20{THIN}s in all, on CPU"
    assert "20 steps of 64 images, 640 images/s" in shown.label.toolTip()
    shown.show_estimate(replace(ESTIMATE, num_images=None), 10, is_probing=False, why_not="")
    assert shown.text == "≈ 640 images/s on CPU"
    shown.show_estimate(None, 10, is_probing=False, why_not="fc1: everything is frozen")
    assert shown.text == "no estimate"
    assert shown.label.toolTip() == "fc1: everything is frozen"


def started(**changes: int) -> RunStarted:
    """A run of ten steps an epoch, of 64 images each, with a test of 96."""
    event = RunStarted(
        run_id="r",
        config=RunConfig(),
        architecture_name="",
        device="CPU",
        num_train=640,
        num_test=96,
        steps_per_epoch=10,
        num_parameters=1,
        notes=(),
    )
    return replace(event, **changes)  # type: ignore[arg-type]  # numbers only


def steps(count: int = 1, epoch: int = 1, images_per_second: float = 320.0) -> StepsRecorded:
    some = np.zeros(count, dtype=np.float32)
    return StepsRecorded(
        run_id="r",
        first_step=1,
        losses=some,
        accuracies=some,
        learning_rate=0.1,
        epoch=epoch,
        images_per_second=images_per_second,
        seconds_left=10.0,
        num_steps_total=100,
    )


def finished(epoch: int, seconds: float) -> EpochFinished:
    return EpochFinished(
        run_id="r",
        epoch=epoch,
        step=10 * epoch,
        seconds=seconds,
        train_loss=1.0,
        train_accuracy=0.5,
        test_loss=1.0,
        test_accuracy=0.5,
        images_per_second=200.0,
    )


def test_a_run_corrects_it_as_it_goes_on(qtbot: QtBot) -> None:
    shown = line(qtbot)
    shown.show_estimate(ESTIMATE, 10, is_probing=False, why_not="")
    shown.take([started()])
    assert shown.text == ""
    # A second is the estimate's for the test.
    shown.take([steps()])
    assert shown.text == f"3.0{THIN}s per epoch, 2.0{THIN}s estimated"
    shown.take([finished(1, 4.0)])
    assert shown.text == f"4.0{THIN}s per epoch, 2.0{THIN}s estimated"
    # An epoch that something else held up does not stand for all.
    shown.take([finished(2, 6.0)])
    assert shown.text == f"5.0{THIN}s per epoch, 2.0{THIN}s estimated"
    # What one step takes says less than whole epochs.
    shown.take([steps(epoch=3, images_per_second=1.0)])
    assert shown.text == f"5.0{THIN}s per epoch, 2.0{THIN}s estimated"
    shown.forget_run()
    assert shown.text.startswith("≈ 2.0")


def test_a_machine_that_got_slower_is_soon_seen(qtbot: QtBot) -> None:
    shown = line(qtbot)
    shown.take([started(), *(finished(epoch, 4.0) for epoch in range(1, 50))])
    assert shown.text == f"4.0{THIN}s per epoch"
    shown.take(finished(epoch, 8.0) for epoch in range(50, 53))
    assert shown.text == f"8.0{THIN}s per epoch"


def test_steps_that_were_slow_count_once(qtbot: QtBot) -> None:
    """At 64 images a second five steps took 5 s; at 640 the other five take 0.5 s, and the test of 96 images, at a
    third of a step's time for as many, 0.05 s."""
    shown = line(qtbot)
    shown.take([started(), steps(5, images_per_second=64.0)])
    assert shown.text == f"10{THIN}s per epoch"
    shown.take([steps(1, images_per_second=640.0)])
    assert shown.text == f"5.5{THIN}s per epoch"
    shown.take([steps(4, images_per_second=640.0)])
    assert shown.text == f"5.5{THIN}s per epoch"


def test_what_is_left_of_a_resumed_epoch_is_no_whole_one(qtbot: QtBot) -> None:
    shown = line(qtbot)
    shown.show_estimate(ESTIMATE, 10, is_probing=False, why_not="")
    shown.take([started(resumed_step=28), steps(epoch=3)])
    assert shown.text == f"3.0{THIN}s per epoch, 2.0{THIN}s estimated"
    shown.take([finished(3, 1.4)])
    assert shown.text == f"3.0{THIN}s per epoch, 2.0{THIN}s estimated"
    shown.take([steps(epoch=4), finished(4, 4.0)])
    assert shown.text == f"4.0{THIN}s per epoch, 2.0{THIN}s estimated"
    # After a whole number of epochs the next one is whole.
    shown.take([started(resumed_step=30), finished(4, 6.0)])
    assert shown.text == f"6.0{THIN}s per epoch, 2.0{THIN}s estimated"


def test_times_are_said_as_one_says_them() -> None:
    rough = {0.0: "0.0 s", 0.0421: "42 ms", 0.097: "0.1 s", 0.82: "0.8 s"}
    rough |= {9.96: "10 s", 41: "41 s", 130: "2 min", 3900: "65 min", 7500: "2 h 05 min"}
    assert {seconds: numbers.rough_duration(seconds).replace(THIN, " ") for seconds in rough} == rough
    short = {0.0: "0 s", 12e-6: "12.0 µs", 999.6e-6: "1.00 ms", 0.0456: "45.6 ms", 1.234: "1.23 s"}
    assert {seconds: numbers.short_time(seconds).replace(THIN, " ") for seconds in short} == short
    assert numbers.rough_duration(None) == numbers.short_time(None) == numbers.UNKNOWN
