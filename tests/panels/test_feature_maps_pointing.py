"""A value that is pointed at in the Feature maps tab: its number, what it sees of the image, what it rests on."""

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.inference.receptive_field import Box
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.runs import LayersOpened
from explorer.runs.looks import Pixel
from explorer.runs.observed import FieldMeasured
from explorer.session.sources import Source
from tests.panels.maps_panel import bare, maps_panel, panel_at_conv1, point_at, random_values, show_opened
from tests.panels.stage import click


def _framed(panel: FeatureMapsPanel) -> Box | None:
    return panel.field.box


def _heat(panel: FeatureMapsPanel) -> np.ndarray | None:
    return panel.field.heat


def test_hovering_tells_the_value_how_it_comes_about_and_what_it_sees(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    point_at(panel, 4, 3, 7)
    patch = opened.inputs[0][0, 3:8, 7:12].astype(np.float64)
    products = float((patch * opened.parameters["weight"][4, 0]).sum())
    bias = float(opened.parameters["bias"][4])
    plus = f"− {-bias:.4g}" if bias < 0 else f"+ {bias:.4g}"
    said = f"channel 4 · row 3, column 7 = Σ 25 products + bias = {products:.4g} {plus} = {opened.output[4, 3, 7]:.6g}"
    assert panel.readout.text == said.replace("-", "−")
    assert _framed(panel) == Box(3, 7, 5, 5)
    assert _heat(panel) is None
    assert panel.field.text == "sees 5×5"
    point_at(panel, 4, 10, 20)
    assert _framed(panel) == Box(10, 20, 5, 5)
    panel.maps.leaveEvent(None)
    assert _framed(panel) is None
    assert panel.readout.text == ""


def test_a_box_that_hangs_over_the_rim_is_cut_near_it(qtbot: QtBot) -> None:
    panel, at = maps_panel(qtbot, zoo.entry("resnet20").build())
    at.selection.set(["layer3.0.conv1"])
    layers = {"input": bare(random_values(3, 32, 32)), "layer3.0.conv1": bare(random_values(64, 8, 8))}
    event = LayersOpened(run_id="r", step=1, probe="p", layers=layers)
    panel.show_observed([event], Source("step 1", 1, "r"))
    point_at(panel, 0, 0, 0)
    box = panel.field.box
    assert box is not None
    assert box.top < -10
    inside = f"{box.left + box.width}×{box.top + box.height} inside"
    assert panel.field.text == f"sees {box.width}×{box.height}, {inside}"
    image, rect = panel.field.image_rect(), panel.field.box_rect()
    assert image.top() - rect.top() < 0.2 * image.height()
    assert rect.top() < image.top()
    assert panel.field.rect().toRectF().contains(rect)


def test_a_lens_shows_what_a_small_box_holds(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    heat = np.zeros((32, 32), np.float32)
    heat[3, 7] = 1
    measured = FieldMeasured(run_id="r", step=1240, probe="p", pixel=Pixel("conv1", 4, 3, 7), heat=heat)
    panel.show_observed([measured], Source("step 1,240", 1240, "r"))
    panel.resize(900, 300)
    show_opened(panel, 1241, conv1=opened)
    QApplication.processEvents()
    point_at(panel, 4, 3, 7)
    field = panel.field
    assert _framed(panel) == Box(3, 7, 5, 5)
    assert _heat(panel) is heat
    lens, box = field.lens_rect(), field.box_rect()
    assert box.width() < 36
    assert lens.width() > 1.5 * box.width()
    assert not lens.intersects(box)
    assert field.image_rect().adjusted(-2, -2, 2, 2).contains(lens)
    screen = field.grab().toImage()
    hot, cold = (
        screen.pixelColor(QPointF(lens.left() + lens.width() * x, lens.top() + lens.height() * x).toPoint())
        for x in (0.1, 0.9)
    )
    assert hot.red() > hot.blue() + 60, "the corner that counts"
    assert abs(cold.red() - cold.blue()) < 10


def test_what_a_value_rests_on_is_asked_once_the_pointer_rests(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    asked: list[Pixel | None] = []
    panel.wanted_changed.connect(lambda: asked.append(panel.wanted().pointed))
    point_at(panel, 4, 3, 7)
    point_at(panel, 4, 3, 8)
    assert asked == []
    pixel = Pixel("conv1", 4, 3, 8)
    qtbot.waitUntil(lambda: asked == [pixel])
    heat = np.zeros((32, 32), np.float32)
    heat[3:8, 8:13] = 1
    measured = FieldMeasured(run_id="r", step=1240, probe="p", pixel=pixel, heat=heat)
    panel.show_observed([measured], Source("step 1,240", 1240, "r"))
    assert _heat(panel) is heat
    show_opened(panel, 1250, conv1=opened)
    assert _heat(panel) is heat, "the newer one follows soon"
    show_opened(panel, 3, conv1=opened)
    assert panel.field.text == "sees 5×5"
    assert _heat(panel) is None, "a look back"
    panel.maps.leaveEvent(None)
    qtbot.waitUntil(lambda: asked == [pixel, None])


def test_a_moment_looked_back_at_shows_no_other_moments_heat(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    asked: list[Pixel | None] = []
    panel.wanted_changed.connect(lambda: asked.append(panel.wanted().pointed))
    point_at(panel, 4, 3, 8)
    pixel = Pixel("conv1", 4, 3, 8)
    qtbot.waitUntil(lambda: asked == [pixel])
    heat = np.zeros((32, 32), np.float32)
    heat[3:8, 8:13] = 1
    measured = FieldMeasured(run_id="r", step=10, probe="p", pixel=pixel, heat=heat)

    def look_back(step: int, *more: FieldMeasured) -> None:
        layers = LayersOpened(run_id="r", step=step, probe="p", layers={"conv1": opened})
        panel.show_observed([layers, *more], Source(f"step {step}", step, "r", is_past=True))

    look_back(10, measured)
    assert _heat(panel) is heat
    look_back(12)
    assert _heat(panel) is None, "of an earlier moment"
    without = panel.field.grab().toImage()
    panel.show_observed(
        [LayersOpened(run_id="r", step=12, probe="p", layers={"conv1": opened})], Source("step 12", 12, "r")
    )
    assert panel.field.grab().toImage() != without, "says that this moment keeps none"
    look_back(10, measured)
    assert _heat(panel) is heat


def test_a_click_on_the_enlarged_channel_holds_a_value_and_the_sentence_leads_on(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    panel.maps.choose(2)
    QApplication.processEvents()
    click(panel.side.view, panel.side.view.pixel_rect(5, 6).center().toPoint())
    panel.side.view.leaveEvent(None)
    assert panel.readout.text.startswith("channel 2 · row 5, column 6 = Σ 25")
    show_opened(panel, 1241, conv1=opened._replace(output=opened.output + 1))
    assert "≈" in panel.readout.text, "what is worked out is not what is shown"
    walked: list[tuple[object, ...]] = []
    panel.walk_requested.connect(lambda *place: walked.append(place))
    click(panel.readout)
    assert walked == [("conv1", 2, 5, 6)]
    click(panel.side.view, panel.side.view.pixel_rect(5, 6).center().toPoint())
    panel.side.view.leaveEvent(None)
    assert panel.readout.text == ""


def test_a_value_that_an_edit_took_away_is_asked_no_more(qtbot: QtBot) -> None:
    panel, at, _ = panel_at_conv1(qtbot)
    panel.pointing.hold(Pixel("conv1", 4, 3, 27))
    qtbot.waitUntil(lambda: panel.wanted().pointed == Pixel("conv1", 4, 3, 27))
    at.set_value("conv1", "out_channels", 4)
    assert panel.wanted().pointed is None
    at.set_value("conv1", "out_channels", 6)
    assert panel.pointing.current is None
