"""Channels that are pinned in the Feature maps tab, and their course over the steps."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.panels.feature_maps.pins import MOST_PINS, Pin
from explorer.panels.feature_maps.values import maps_of_output
from explorer.runs import FeatureMapsCaptured
from explorer.session.sources import Source
from tests.panels.fake_run import atlas
from tests.panels.maps_panel import bare, panel_at_conv1, random_maps, random_values, show_opened
from tests.panels.stage import click, press


def test_pinned_channels_stay_and_follow(qtbot: QtBot) -> None:
    panel, at, opened = panel_at_conv1(qtbot)
    panel.maps.choose(1)
    click(panel.side.pin_button)
    at.selection.set(["conv2"])
    assert panel.pins.pins == (Pin("conv1", 1),)
    assert panel.pins.isVisible()
    assert panel.wanted().maps == ("conv2", "conv1")
    levels = random_maps()
    maps = FeatureMapsCaptured(run_id="r", step=1300, probe="p", atlases={"conv1": atlas(levels, columns=3)})
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(opened.output[1].mean()), rel=1e-5)
    for step in (1300, 1301):
        values = random_values(6, 28, 28, seed=step)
        show_opened(panel, step, conv1=bare(values))
        assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(values[1].mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [1240, 1300, 1301]
    show_opened(panel, 1290, conv1=bare(random_values(6, 28, 28)))
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(random_values(6, 28, 28)[1].mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [1240, 1300, 1301], "a look back"
    panel.pins.grab()
    panel.show_observed([maps], Source("step 5", 5, "another"))
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float((-1 + 2 * (levels[1] / 255)).mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [5], "another run's course"


def test_a_click_on_a_pin_goes_to_its_layer_and_six_are_the_most(qtbot: QtBot) -> None:
    panel, at, _ = panel_at_conv1(qtbot)
    said: list[str] = []
    panel.failed.connect(said.append)
    for channel in range(6):
        panel.maps.choose(channel)
        press(panel.maps, Qt.Key.Key_P)
    assert len(panel.pins.pins) == MOST_PINS
    at.selection.set(["conv2"])
    show_opened(panel, 1250, conv2=bare(random_values(16, 10, 10)))
    panel.maps.choose(7)
    panel.maps.pin_asked.emit(7)
    assert said == ["6 channels are pinned already; unpin one first"]
    QApplication.processEvents()
    click(panel.pins, panel.pins.pin_rect(Pin("conv1", 3)).center().toPoint())
    assert at.selection.current == "conv1"
    assert panel.maps.chosen == 3
    press(panel.maps, Qt.Key.Key_P)
    assert Pin("conv1", 3) not in panel.pins.pins
    at.set_value("conv1", "out_channels", 2)
    assert panel.pins.pins == (Pin("conv1", 0), Pin("conv1", 1))


def test_the_course_of_a_long_run_is_thinned(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot, step=0)
    panel.pins.toggle(Pin("conv1", 0))
    for step in range(1, 700):
        panel.pins.show_maps("conv1", maps_of_output(opened.output[:1]), step, "r", None)
    steps = [step for step, _ in panel.pins.course(Pin("conv1", 0))]
    assert len(steps) <= 240
    assert steps[0] == 0
    assert steps[-1] == 699
    assert steps == sorted(steps)
