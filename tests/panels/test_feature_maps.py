"""Feature maps on screen against the arrays they were made of, by real clicks, keys and pointers."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference.receptive_field import Box
from explorer.look.theme import ThemeSource
from explorer.panels.feature_maps import order as orders
from explorer.panels.feature_maps import taken as store
from explorer.panels.feature_maps import wanted as wants
from explorer.panels.feature_maps.bars import BarsView
from explorer.panels.feature_maps.colours import colours
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.panels.feature_maps.pins import MOST_PINS, Pin
from explorer.panels.feature_maps.values import Maps, levels_of, maps_of_output, scale_of
from explorer.runs import HOME_VARIABLE, Atlas, FeatureMapsCaptured, LayersOpened, OpenedLayer, Probe
from explorer.runs.looks import Pixel
from explorer.runs.observed import ChannelCompared, FieldMeasured
from explorer.session.places import settings
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import to_qimage
from explorer.session.sources import Source
from tests.panels.fake_run import atlas
from tests.panels.stage import Stage, click, press, shown, stage


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


def _maps(count: int = 6, height: int = 28, width: int = 28) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width), dtype=np.uint8)


def _values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _panel(qtbot: QtBot, architecture: Architecture | None = None) -> tuple[FeatureMapsPanel, Stage]:
    at = stage(architecture)
    panel = FeatureMapsPanel(at.document, at.selection, ProbeSet(at.document), at.themes)
    shown(qtbot, panel, 1200, 400)
    qtbot.waitUntil(lambda: panel.probe_bar.current is not None)
    return panel, at


def _conv1(qtbot: QtBot, step: int = 1240) -> tuple[FeatureMapsPanel, Stage, OpenedLayer]:
    """LeNet-5's first convolution, computed with numpy."""
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    opened = _computed()
    _open(panel, step, conv1=opened, input=_bare(opened.inputs[0]))
    return panel, at, opened


def _computed(seed: int = 0) -> OpenedLayer:
    image, weight, bias = _values(1, 32, 32, seed=seed), _values(6, 1, 5, 5, seed=seed + 1), _values(6, seed=seed + 2)
    windows = np.lib.stride_tricks.sliding_window_view(image[0], (5, 5))
    output = np.einsum("yxij,oij->oyx", windows.astype(np.float64), weight[:, 0].astype(np.float64))
    output = (output + bias[:, None, None]).astype(np.float32)
    return OpenedLayer((image,), output, {"weight": weight, "bias": bias})


def _bare(output: np.ndarray) -> OpenedLayer:
    return OpenedLayer((), output, {})


def _open(panel: FeatureMapsPanel, step: int | None, run_id: str = "r", **layers: OpenedLayer) -> None:
    event = LayersOpened(run_id=run_id, step=step or 0, probe="p", layers=layers)
    text = "initial weights" if step is None else f"step {step:,}"
    panel.show_observed([event], Source(text, step, run_id))


def _give(panel: FeatureMapsPanel, source: str, **atlases: Atlas) -> None:
    maps = FeatureMapsCaptured(run_id="", step=0, probe="p", atlases=atlases)
    panel.show_observed([maps], Source(source, None, ""))


def _choose(menu: Any, key: str) -> None:
    menu.setCurrentIndex(menu.findData(key))


def _point(panel: FeatureMapsPanel, channel: int, row: int, column: int) -> None:
    scale = panel.maps.tiling.zoom / panel.devicePixelRatioF()
    corner = panel.maps.channel_rect(channel).topLeft()
    place = (corner + QPointF((column + 0.5) * scale, (row + 0.5) * scale)).toPoint()
    # Where the pointer is already, nothing moves.
    QTest.mouseMove(panel.maps.viewport(), QPoint(0, 0))
    QTest.mouseMove(panel.maps.viewport(), place)
    QApplication.processEvents()


def _framed(panel: FeatureMapsPanel) -> Box | None:
    return panel.field.box


def _heat(panel: FeatureMapsPanel) -> np.ndarray | None:
    return panel.field.heat


# What is drawn


def test_every_value_has_its_colour(qtbot: QtBot) -> None:
    panel, at, opened = _conv1(qtbot)
    maps = maps_of_output(opened.output)
    levels = levels_of(maps, scale_of(maps, per_channel=False))
    table = colours(at.themes.theme, True)
    screen = panel.maps.viewport().grab().toImage()
    scale = panel.maps.tiling.scale
    assert scale == int(scale) >= 2
    ratio = screen.devicePixelRatio()
    for channel in range(6):
        corner = panel.maps.channel_rect(channel).topLeft() * ratio
        for y, x in ((0, 0), (27, 27), (5, 20)):
            centre = corner + QPointF((x + 0.5) * scale, (y + 0.5) * scale)
            assert screen.pixelColor(centre.toPoint()) == QColor(table[levels[channel, y, x]])


def test_grey_where_nothing_is_below_zero_and_as_is_chosen_otherwise(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    assert not panel.maps.picture().allGray()
    assert panel.controls.bar.text == "−{0} … {0}".format(f"{np.abs(opened.output).max():.3g}")
    _choose(panel.controls.colours_menu, "sequential")
    assert panel.maps.picture().allGray()
    _choose(panel.controls.colours_menu, "auto")
    _open(panel, 1241, conv1=opened._replace(output=np.abs(opened.output)))
    assert panel.maps.picture().allGray()


def test_a_scale_for_each_channel_and_what_is_chosen_is_remembered(qtbot: QtBot) -> None:
    panel, at, opened = _conv1(qtbot)
    _choose(panel.controls.scale_menu, "channel")
    _choose(panel.controls.colours_menu, "sequential")
    _choose(panel.controls.order_menu, "variance")
    assert panel.controls.bar.text == "each channel by its own range"
    panel.maps.choose(2)
    _open(panel, 1241, conv1=opened)
    low, high = opened.output[2].min(), opened.output[2].max()
    assert panel.controls.bar.text == f"{low:.3g} … {high:.3g}".replace("-", "−")
    again = FeatureMapsPanel(at.document, at.selection, ProbeSet(at.document), at.themes)
    qtbot.addWidget(again)
    assert (again.controls.order, again.controls.per_channel, again.controls.diverging) == ("variance", True, False)
    assert settings().value("feature-maps/order") == "variance"


def test_heading_says_shape_range_source_and_dead_channels(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    controls = panel.controls
    low, high = f"{opened.output.min():.3g}".replace("-", "−"), f"{opened.output.max():.3g}"
    assert controls.title.text == "conv1"
    assert controls.facts.text == "Conv2d · 6×28×28 · step 1,240 · p"
    assert controls.source.text == f"values {low} to {high}"
    assert controls.dead.text == "no channel is all zero"
    output = opened.output.copy()
    output[[1, 4]] = 0
    _open(panel, 1241, conv1=opened._replace(output=output))
    assert controls.dead.text == "2 of 6 channels all zero"


def test_the_image_is_named_where_it_is_not_the_current_one(qtbot: QtBot) -> None:
    panel, _, _ = _conv1(qtbot)
    probes, facts = panel._probes, panel.controls.facts
    assert "p" not in {probe.label for probe in probes.probes}, "what a look back was made of"
    assert facts.text == "Conv2d · 6×28×28 · step 1,240 · p"
    probes.add(Probe(label="p", image=_maps(1)[0]))
    assert facts.text == "Conv2d · 6×28×28 · step 1,240"
    probes.choose(0)
    assert facts.text == "Conv2d · 6×28×28 · step 1,240 · p"


def test_channels_are_sorted_and_stay_while_somebody_points_at_one(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, _, opened = _conv1(qtbot)
    _choose(panel.controls.order_menu, "mean")
    means = opened.output.mean((1, 2), np.float64)
    assert panel.maps.order.tolist() == np.argsort(-means).tolist()
    best = int(means.argmax())
    assert panel.maps.channel_rect(best).topLeft() == QPointF(2, 2)
    turned = opened._replace(output=-opened.output)
    monkeypatch.setattr(orders, "_SORT_AFTER_S", 0.0)
    _point(panel, best, 2, 2)
    _open(panel, 1241, conv1=turned)
    assert panel.maps.order.tolist() == np.argsort(-means).tolist()
    QTest.mouseMove(panel.probe_bar, QPoint(2, 2))
    panel.maps.leaveEvent(None)
    _open(panel, 1242, conv1=turned)
    assert panel.maps.order.tolist() == np.argsort(means).tolist()


def test_channels_by_their_change(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_SORT_AFTER_S", 0.0)
    panel, _, opened = _conv1(qtbot)
    _choose(panel.controls.order_menu, "first")
    assert panel.controls.dead.text == "nothing has changed yet"
    output = opened.output.copy()
    output[4] += 1
    output[2] -= 3
    _open(panel, 1241, conv1=opened._replace(output=output))
    assert panel.maps.order.tolist()[:2] == [2, 4]
    assert panel.controls.dead.text == "changed since step 1,240"
    last = output.copy()
    last[5] += 0.5
    _open(panel, 1242, conv1=opened._replace(output=last))
    assert panel.maps.order.tolist()[:3] == [2, 4, 5]
    _choose(panel.controls.order_menu, "last")
    assert panel.maps.order.tolist()[0] == 5


def test_a_picture_is_shown_until_the_values_are_there(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    _give(panel, "x", conv1=atlas(_maps(), columns=3))
    _point(panel, 4, 3, 7)
    level = _maps()[4, 3, 7]
    assert panel.readout.text == f"channel 4 · row 3, column 7 ≈ {-1 + 2 * level / 255:.3g}".replace("-", "−")
    output = _values(6, 28, 28)
    _open(panel, None, run_id="", conv1=_bare(output), input=_bare(_values(1, 32, 32)))
    assert panel.readout.text == f"channel 4 · row 3, column 7 = {output[4, 3, 7]:.6g}".replace("-", "−")
    # A picture of another moment takes their place, as of a run that is followed from elsewhere.
    _give(panel, "initial weights", conv1=atlas(_maps(), columns=3))
    assert " = " in panel.readout.text
    monkeypatch.setattr(store, "STALE_AFTER_S", 0.0)
    _give(panel, "initial weights", conv1=atlas(_maps(), columns=3))
    assert " ≈ " in panel.readout.text


def test_layers_too_large_to_follow_keep_their_picture_and_say_so(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wants, "_MOST_VALUES", 1000)
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    assert panel.wanted().maps == ("conv1",)
    assert panel.wanted().opened == ("input",)
    _give(panel, "x", conv1=atlas(_maps(), columns=3))
    assert panel.controls.source.text == "values −1 to 1, as a picture: too many to follow in full"
    at.selection.set(["fc3"])
    assert panel.wanted().opened == ("fc3", "input")


# A value


def test_hovering_tells_the_value_how_it_comes_about_and_what_it_sees(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    _point(panel, 4, 3, 7)
    patch = opened.inputs[0][0, 3:8, 7:12].astype(np.float64)
    products = float((patch * opened.parameters["weight"][4, 0]).sum())
    bias = float(opened.parameters["bias"][4])
    plus = f"− {-bias:.4g}" if bias < 0 else f"+ {bias:.4g}"
    said = f"channel 4 · row 3, column 7 = Σ 25 products + bias = {products:.4g} {plus} = {opened.output[4, 3, 7]:.6g}"
    assert panel.readout.text == said.replace("-", "−")
    assert _framed(panel) == Box(3, 7, 5, 5)
    assert _heat(panel) is None
    assert panel.field.text == "sees 5×5"
    _point(panel, 4, 10, 20)
    assert _framed(panel) == Box(10, 20, 5, 5)
    panel.maps.leaveEvent(None)
    assert _framed(panel) is None
    assert panel.readout.text == ""


def test_a_box_that_hangs_over_the_rim_is_cut_near_it(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, zoo.entry("resnet20").build())
    at.selection.set(["layer3.0.conv1"])
    layers = {"input": _bare(_values(3, 32, 32)), "layer3.0.conv1": _bare(_values(64, 8, 8))}
    event = LayersOpened(run_id="r", step=1, probe="p", layers=layers)
    panel.show_observed([event], Source("step 1", 1, "r"))
    _point(panel, 0, 0, 0)
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
    panel, _, opened = _conv1(qtbot)
    heat = np.zeros((32, 32), np.float32)
    heat[3, 7] = 1
    measured = FieldMeasured(run_id="r", step=1240, probe="p", pixel=Pixel("conv1", 4, 3, 7), heat=heat)
    panel.show_observed([measured], Source("step 1,240", 1240, "r"))
    panel.resize(900, 300)
    _open(panel, 1241, conv1=opened)
    QApplication.processEvents()
    _point(panel, 4, 3, 7)
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
    panel, _, opened = _conv1(qtbot)
    asked: list[Pixel | None] = []
    panel.wanted_changed.connect(lambda: asked.append(panel.wanted().pointed))
    _point(panel, 4, 3, 7)
    _point(panel, 4, 3, 8)
    assert asked == []
    pixel = Pixel("conv1", 4, 3, 8)
    qtbot.waitUntil(lambda: asked == [pixel])
    heat = np.zeros((32, 32), np.float32)
    heat[3:8, 8:13] = 1
    measured = FieldMeasured(run_id="r", step=1240, probe="p", pixel=pixel, heat=heat)
    panel.show_observed([measured], Source("step 1,240", 1240, "r"))
    assert _heat(panel) is heat
    _open(panel, 1250, conv1=opened)
    assert _heat(panel) is heat, "the newer one follows soon"
    _open(panel, 3, conv1=opened)
    assert panel.field.text == "sees 5×5"
    assert _heat(panel) is None, "a look back"
    panel.maps.leaveEvent(None)
    qtbot.waitUntil(lambda: asked == [pixel, None])


def test_a_click_on_the_enlarged_channel_holds_a_value_and_the_sentence_leads_on(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    panel.maps.choose(2)
    QApplication.processEvents()
    click(panel.side.view, panel.side.view.pixel_rect(5, 6).center().toPoint())
    panel.side.view.leaveEvent(None)
    assert panel.readout.text.startswith("channel 2 · row 5, column 6 = Σ 25")
    _open(panel, 1241, conv1=opened._replace(output=opened.output + 1))
    assert "≈" in panel.readout.text, "what is worked out is not what is shown"
    walked: list[tuple[object, ...]] = []
    panel.walk_requested.connect(lambda *place: walked.append(place))
    click(panel.readout)
    assert walked == [("conv1", 2, 5, 6)]
    click(panel.side.view, panel.side.view.pixel_rect(5, 6).center().toPoint())
    panel.side.view.leaveEvent(None)
    assert panel.readout.text == ""


def test_a_value_that_an_edit_took_away_is_asked_no_more(qtbot: QtBot) -> None:
    panel, at, _ = _conv1(qtbot)
    panel.pointing.hold(Pixel("conv1", 4, 3, 27))
    qtbot.waitUntil(lambda: panel.wanted().pointed == Pixel("conv1", 4, 3, 27))
    at.set_value("conv1", "out_channels", 4)
    assert panel.wanted().pointed is None
    at.set_value("conv1", "out_channels", 6)
    assert panel.pointing.current is None


# Channels


def test_click_enlarges_arrows_move_and_escape_closes(qtbot: QtBot) -> None:
    panel, _, _ = _conv1(qtbot)
    assert panel.side.text.text == "Click a channel to enlarge it"
    click(panel.maps.viewport(), panel.maps.channel_rect(2).center().toPoint())
    assert panel.maps.chosen == 2
    assert panel.side.view.isVisible()
    assert panel.side.text.text.startswith("channel 2 ·")
    press(panel.maps, Qt.Key.Key_Right)
    assert panel.side.text.text.startswith("channel 3 ·")
    _choose(panel.controls.order_menu, "mean")
    order = panel.maps.order.tolist()
    panel.maps.choose(order[1])
    press(panel.maps, Qt.Key.Key_Left)
    assert panel.maps.chosen == order[0]
    press(panel.maps, Qt.Key.Key_Escape)
    assert not panel.side.view.isVisible()


def test_new_maps_keep_the_enlarged_channel(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    panel.maps.choose(1)
    _open(panel, 1300, conv1=opened._replace(output=opened.output * 2))
    assert panel.maps.chosen == 1
    assert "step 1,300" in panel.controls.facts.text


def test_pinned_channels_stay_and_follow(qtbot: QtBot) -> None:
    panel, at, opened = _conv1(qtbot)
    panel.maps.choose(1)
    click(panel.side.pin_button)
    at.selection.set(["conv2"])
    assert panel.pins.pins == (Pin("conv1", 1),)
    assert panel.pins.isVisible()
    assert panel.wanted().maps == ("conv2", "conv1")
    levels = _maps()
    maps = FeatureMapsCaptured(run_id="r", step=1300, probe="p", atlases={"conv1": atlas(levels, columns=3)})
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(opened.output[1].mean()), rel=1e-5)
    for step in (1300, 1301):
        values = _values(6, 28, 28, seed=step)
        _open(panel, step, conv1=_bare(values))
        assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(values[1].mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [1240, 1300, 1301]
    _open(panel, 1290, conv1=_bare(_values(6, 28, 28)))
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float(_values(6, 28, 28)[1].mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [1240, 1300, 1301], "a look back"
    panel.pins.grab()
    panel.show_observed([maps], Source("step 5", 5, "another"))
    assert panel.pins.mean(Pin("conv1", 1)) == pytest.approx(float((-1 + 2 * (levels[1] / 255)).mean()), rel=1e-4)
    assert [step for step, _ in panel.pins.course(Pin("conv1", 1))] == [5], "another run's course"


def test_a_click_on_a_pin_goes_to_its_layer_and_six_are_the_most(qtbot: QtBot) -> None:
    panel, at, _ = _conv1(qtbot)
    said: list[str] = []
    panel.failed.connect(said.append)
    for channel in range(6):
        panel.maps.choose(channel)
        press(panel.maps, Qt.Key.Key_P)
    assert len(panel.pins.pins) == MOST_PINS
    at.selection.set(["conv2"])
    _open(panel, 1250, conv2=_bare(_values(16, 10, 10)))
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


def test_a_channel_for_all_probes_side_by_side(qtbot: QtBot) -> None:
    panel, at, opened = _conv1(qtbot)
    panel.maps.choose(2)
    assert not panel.side.compare_button.isVisible(), "there is one image only"
    probes = panel._probes
    probes.add(Probe(label="another", image=_maps(1)[0]))
    probes.add(Probe(label="third", image=_maps(1)[0]))
    QApplication.processEvents()
    assert panel.wanted().compared is None
    click(panel.side.compare_button)
    assert panel.wanted().compared == ("conv1", 2)
    assert panel.maps.isVisible(), "until they are there"
    maps = _values(3, 28, 28)
    labels = tuple(probe.label for probe in probes.probes)

    def give(channel: int, step: int) -> None:
        event = ChannelCompared(run_id="r", step=step, node_id="conv1", channel=channel, probes=labels, maps=maps)
        panel.show_observed([event], Source(f"step {step}", step, "r"))

    give(5, 1241)
    assert panel.maps.isVisible(), "another channel's"
    give(2, 1242)
    assert panel.compared.isVisible()
    assert panel.compared.labels == labels
    np.testing.assert_allclose(panel.compared.means, maps.mean((1, 2)), rtol=1e-4)
    assert panel.controls.bar.text == "−{0} … {0}".format(f"{np.abs(maps).max():.3g}")
    _open(panel, 1243, conv1=opened)
    assert panel.compared.isVisible()
    screen = panel.compared.grab().toImage()
    rect = panel.compared.tile_rect(1)
    shown_maps = Maps(maps, True, float(maps.min()), float(maps.max()))
    levels = levels_of(shown_maps, scale_of(shown_maps, per_channel=False))
    spot = rect.topLeft() + QPointF(rect.width() * 10.5 / 28, rect.height() * 20.5 / 28)
    table = colours(at.themes.theme, True)
    assert screen.pixelColor((spot * screen.devicePixelRatio()).toPoint()) == QColor(table[levels[1, 20, 10]])
    click(panel.compared, rect.center().toPoint())
    assert probes.place == 1
    press(panel.compared, Qt.Key.Key_Right)
    assert panel.wanted().compared == ("conv1", 3)
    press(panel.compared, Qt.Key.Key_Escape)
    assert panel.maps.isVisible()
    assert panel.wanted().compared is None


@pytest.fixture
def compared(qtbot: QtBot) -> tuple[FeatureMapsPanel, Stage, OpenedLayer]:
    """Channel 2 of conv1 for three images, of which the last is the current one, at step 1,241."""
    panel, at, opened = _conv1(qtbot)
    probes = panel._probes
    for label in ("another", "third"):
        probes.add(Probe(label=label, image=_maps(1)[0]))
    panel.maps.choose(2)
    click(panel.side.compare_button)
    labels = tuple(probe.label for probe in probes.probes)
    event = ChannelCompared(
        run_id="r", step=1241, node_id="conv1", channel=2, probes=labels, maps=_values(3, 28, 28, seed=9)
    )
    panel.show_observed([event], Source("step 1,241", 1241, "r"))
    assert panel.compared.isVisible()
    return panel, at, opened


def test_a_look_back_takes_the_images_of_the_present_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, opened = compared
    _open(panel, 1242, conv1=opened)
    assert panel.compared.isVisible()
    _open(panel, 3, conv1=opened)
    assert panel.maps.isVisible()
    assert not panel.compared.isVisible()
    maps, labels = _values(3, 28, 28), panel.compared.labels
    event = ChannelCompared(run_id="r", step=3, node_id="conv1", channel=2, probes=labels, maps=maps)
    panel.show_observed([event], Source("step 3", 3, "r"))
    assert panel.compared.isVisible(), "of the same moment"
    np.testing.assert_allclose(panel.compared.means, maps.mean((1, 2)), rtol=1e-4)


def test_a_look_back_at_other_layers_takes_the_images_of_the_present_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, _ = compared
    _open(panel, 3, conv2=_bare(_values(16, 10, 10)))
    assert not panel.compared.isVisible()


def test_other_weights_of_a_network_at_rest_take_the_images_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, opened = compared
    labels = panel.compared.labels
    _open(panel, None, "", conv1=opened)
    event = ChannelCompared(run_id="", step=0, node_id="conv1", channel=2, probes=labels, maps=_values(3, 28, 28))
    panel.show_observed([event], Source("initial weights", None, ""))
    _open(panel, None, "", conv1=opened)
    assert panel.compared.isVisible(), "the same once more"
    _open(panel, None, "", conv1=_computed(seed=7))
    assert panel.maps.isVisible()


def test_an_edit_takes_what_was_compared_before_it_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, at, _ = compared
    at.set_value("fc1", "out_features", 60)
    assert panel.maps.isVisible()


def test_other_probes_take_the_images_of_the_old_ones_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, opened = compared
    probes, place = panel._probes, panel.compared.tile_rect(2).center().toPoint()
    probes.remove(1)
    assert panel.maps.isVisible()
    assert not panel.compared.isVisible()
    click(panel.compared, place)
    assert probes.place in {0, 1}
    _open(panel, 1242, conv1=opened)
    assert not panel.compared.isVisible()
    labels = tuple(probe.label for probe in probes.probes)
    maps = _values(2, 28, 28)
    event = ChannelCompared(run_id="r", step=1243, node_id="conv1", channel=2, probes=labels, maps=maps)
    panel.show_observed([event], Source("step 1,243", 1243, "r"))
    assert panel.compared.isVisible()
    assert panel.compared.labels == labels


def test_the_course_of_a_long_run_is_thinned(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot, step=0)
    panel.pins.toggle(Pin("conv1", 0))
    for step in range(1, 700):
        panel.pins.show_maps("conv1", maps_of_output(opened.output[:1]), step, "r", None)
    steps = [step for step, _ in panel.pins.course(Pin("conv1", 0))]
    assert len(steps) <= 240
    assert steps[0] == 0
    assert steps[-1] == 699
    assert steps == sorted(steps)


# The rest of the panel


def test_zooming_by_slider_and_wheel_and_fitting_again(qtbot: QtBot) -> None:
    panel, _, _ = _conv1(qtbot)
    fitted = panel.maps.tiling
    panel.zoom.slider.setFocus()
    press(panel.zoom.slider, Qt.Key.Key_Left)
    assert panel.maps.tiling.scale < fitted.scale
    assert not panel.zoom.fit_button.isChecked()
    click(panel.zoom.fit_button)
    assert panel.maps.tiling == fitted
    panel.maps.set_zoom(24.0)
    assert panel.maps.verticalScrollBar().maximum() > 0
    assert panel.zoom.text.text() == "24×"


def test_ten_logits_are_bars_and_many_features_pixels(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["fc3"])
    logits = _values(10)
    _open(panel, 1, fc3=OpenedLayer((_values(84),), logits, {}))
    assert panel.bars.isVisible()
    QTest.mouseMove(panel.bars, QPoint(12, 40))
    qtbot.waitUntil(lambda: panel.readout.text == f"feature 0 = {logits[0]:.6g}".replace("-", "−"))
    assert panel.field.box == Box(0, 0, 32, 32)
    at.selection.set(["flatten"])
    _open(panel, 1, flatten=OpenedLayer((_values(16, 5, 5),), _values(16, 5, 5).reshape(-1), {}))
    assert panel.maps.isVisible()
    assert not panel.bars.isVisible()
    assert panel.maps.picture().width() * panel.maps.picture().height() >= 400
    _point(panel, 137, 0, 0)
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


def test_a_probe_that_is_chosen_takes_the_call_for_one_back(qtbot: QtBot) -> None:
    at = stage()
    probes = ProbeSet(at.document)
    panel = FeatureMapsPanel(at.document, at.selection, probes, at.themes)
    panel.resize(1200, 400)
    at.selection.set(["conv1"])
    shown(qtbot, panel, 1200, 400)
    probes._set((), 0)
    panel.clear_observed()
    assert panel.body.sentence == "Choose a probe image above."
    probes.add(Probe(label="first", image=_maps(1)[0]))
    assert panel.body.sentence == "Waiting for the maps of conv1…"


def test_empty_states_say_what_to_do(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    assert "Select a layer" in panel.body.sentence
    at.selection.set(["conv1"])
    assert "Waiting for the maps of conv1" in panel.body.sentence
    panel.show_problem("torch is not installed")
    assert panel.body.sentence == "torch is not installed"
    _give(panel, "initial weights", conv1=atlas(_maps(), columns=3))
    assert panel.maps.isVisible()
    at.set_value("conv2", "kernel_size", (99, 99))
    at.selection.set(["conv2"])
    assert "mend the fault" in panel.body.sentence


def test_maps_of_another_shape_are_dropped_with_the_edit(qtbot: QtBot) -> None:
    panel, at, _ = _conv1(qtbot)
    at.set_value("conv2", "out_channels", 8)
    assert panel.maps.isVisible()
    at.set_value("conv1", "out_channels", 8)
    assert not panel.maps.isVisible()


def test_only_the_selected_node_of_a_visible_panel_is_wanted(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    wanted: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    panel.wanted_changed.connect(lambda: wanted.append((panel.wanted().maps, panel.wanted().opened)))
    at.selection.set(["conv1"])
    at.selection.set(["conv1", "conv2"])
    panel.hide()
    panel.show()
    second = (("conv2",), ("conv2", "input"))
    assert wanted == [(("conv1",), ("conv1", "input")), second, ((), ()), second]


def test_the_picture_can_be_copied_and_saved(qtbot: QtBot, tmp_path: Path) -> None:
    panel, _, _ = _conv1(qtbot)
    said: list[str] = []
    panel.failed.connect(said.append)
    panel.save_picture(tmp_path / "maps.png")
    assert QImage(str(tmp_path / "maps.png")).size() == panel.maps.picture().size()
    panel.save_picture(tmp_path / "no" / "maps.png")
    assert len(said) == 1
    menu = panel.menu()
    menu.actions()[0].trigger()
    assert QGuiApplication.clipboard().image().size() == panel.maps.picture().size()
    menu.deleteLater()


@pytest.mark.parametrize("has_maps_before", [True, False])
def test_bars_are_saved_as_they_are_seen(qtbot: QtBot, tmp_path: Path, has_maps_before: bool) -> None:
    panel, at = _conv1(qtbot)[:2] if has_maps_before else _panel(qtbot)
    said: list[str] = []
    panel.failed.connect(said.append)
    at.selection.set(["fc3"])
    _open(panel, 1241, fc3=OpenedLayer((_values(84),), _values(10), {}))
    panel.save_picture(tmp_path / "fc3.png")
    assert said == []
    seen = panel.bars.grab().toImage()
    saved = QImage(str(tmp_path / "fc3.png"))
    assert saved.convertToFormat(seen.format()) == seen
    panel.body.copy()
    assert QGuiApplication.clipboard().image().convertToFormat(seen.format()) == seen


def test_forgetting_leaves_nothing_on_screen(qtbot: QtBot) -> None:
    panel, _, _ = _conv1(qtbot)
    panel.pins.toggle(Pin("conv1", 1))
    panel.clear_observed()
    assert not panel.maps.isVisible()
    assert panel.pins.mean(Pin("conv1", 1)) is None
    assert "Waiting" in panel.body.sentence


def test_a_narrow_panel_leaves_the_image_out(qtbot: QtBot) -> None:
    panel, _, opened = _conv1(qtbot)
    assert panel.field.isVisible()
    panel.resize(620, 400)
    _open(panel, 1241, conv1=opened)
    assert not panel.field.isVisible()
    assert panel.maps.isVisible()


# Qt 6.12 wants another constructor, which 6.11 does not have.
@pytest.mark.filterwarnings("ignore:Function. 'QD:DeprecationWarning")
def test_a_picture_dropped_on_the_panel_becomes_the_probe(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    to_qimage(_maps(3, 9, 7)).save(str(path))
    panel, _ = _panel(qtbot)
    _drop(panel, path)
    probe = panel.probe_bar.current
    assert probe is not None
    assert (probe.target, probe.image.shape) == (None, (3, 9, 7))


def _drop(widget: QWidget, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, none))
    QApplication.sendEvent(widget, QDropEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, none))
