"""Feature maps on screen against the arrays they were made of, by real clicks, keys and pointers."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.feature_maps import order as orders
from explorer.panels.feature_maps import taken as store
from explorer.panels.feature_maps import wanted as wants
from explorer.panels.feature_maps.colours import colours
from explorer.panels.feature_maps.line import Line
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.panels.feature_maps.pins import Pin
from explorer.panels.feature_maps.values import levels_of, maps_of_output, scale_of
from explorer.runs import FeatureMapsCaptured, LayersOpened, Probe
from explorer.session.places import settings
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source
from tests.panels.fake_run import atlas
from tests.panels.maps_panel import (
    bare,
    choose,
    maps_panel,
    panel_at_conv1,
    point_at,
    random_maps,
    random_values,
    show_atlases,
    show_opened,
)
from tests.panels.stage import click, press


def test_every_value_has_its_colour(qtbot: QtBot) -> None:
    panel, at, opened = panel_at_conv1(qtbot)
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
    panel, _, opened = panel_at_conv1(qtbot)
    assert not panel.maps.picture().allGray()
    assert panel.controls.bar.text == "−{0} … {0}".format(f"{np.abs(opened.output).max():.3g}")
    choose(panel.controls.colours_menu, "sequential")
    assert panel.maps.picture().allGray()
    choose(panel.controls.colours_menu, "auto")
    show_opened(panel, 1241, conv1=opened._replace(output=np.abs(opened.output)))
    assert panel.maps.picture().allGray()


def test_a_scale_for_each_channel_and_what_is_chosen_is_remembered(qtbot: QtBot) -> None:
    panel, at, opened = panel_at_conv1(qtbot)
    choose(panel.controls.scale_menu, "channel")
    choose(panel.controls.colours_menu, "sequential")
    choose(panel.controls.order_menu, "variance")
    assert panel.controls.bar.text == "each channel by its own range"
    panel.maps.choose(2)
    show_opened(panel, 1241, conv1=opened)
    low, high = opened.output[2].min(), opened.output[2].max()
    assert panel.controls.bar.text == f"{low:.3g} … {high:.3g}".replace("-", "−")
    again = FeatureMapsPanel(at.document, at.selection, ProbeSet(at.document), at.themes)
    qtbot.addWidget(again)
    assert (again.controls.order, again.controls.per_channel, again.controls.diverging) == ("variance", True, False)
    assert settings().value("feature-maps/order") == "variance"


def test_heading_says_shape_range_source_and_dead_channels(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    controls = panel.controls
    low, high = f"{opened.output.min():.3g}".replace("-", "−"), f"{opened.output.max():.3g}"
    assert controls.title.text == "conv1"
    assert controls.facts.text == "Conv2d · 6×28×28 · p · step 1,240"
    assert controls.source.text == f"values {low} to {high}"
    assert controls.dead.text == "no channel is all zero"
    output = opened.output.copy()
    output[[1, 4]] = 0
    show_opened(panel, 1241, conv1=opened._replace(output=output))
    assert controls.dead.text == "2 of 6 channels all zero"


@pytest.mark.parametrize("width", [1264, 704])
def test_the_step_is_never_cut(qtbot: QtBot, width: int) -> None:
    """As wide as the panel is in a window of 1280 pixels, and as narrow as it may be."""
    panel, _, opened = panel_at_conv1(qtbot)
    panel._probes.add(Probe(label="p", image=random_maps(1)[0]))
    panel.resize(width, 400)
    facts = panel.controls.facts
    event = LayersOpened(run_id="r", step=1240, probe="p", layers={"conv1": opened})
    panel.show_observed([event], Source("step 1,240 (looking back)", 1240, "r", True))
    assert facts.text == "Conv2d · 6×28×28 · step 1,240 (looking back)"
    assert width < 1264 or facts.shown == facts.text
    assert facts.shown.endswith("step 1,240 (looking back)")
    assert facts.fontMetrics().horizontalAdvance(facts.shown) <= facts.width()
    panel._probes.choose(0)
    assert facts.text == "Conv2d · 6×28×28 · p · step 1,240 (looking back)"
    assert facts.shown.endswith("step 1,240 (looking back)")


def test_moments_that_keep_some_channels_say_how_many(qtbot: QtBot) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
    for count, is_past, said in (
        (4, True, "no channel is all zero · 4 channels kept"),
        (4, False, "no channel is all zero"),
        (6, True, "no channel is all zero"),
    ):
        panel.clear_observed()
        picture = atlas(random_maps(count), columns=2)
        event = FeatureMapsCaptured(run_id="r", step=3, probe="p", atlases={"conv1": picture})
        panel.show_observed([event], Source("step 3", 3, "r", is_past))
        assert panel.controls.dead.text == said


def test_a_line_lets_its_parts_go_one_by_one(qtbot: QtBot) -> None:
    line = Line(ThemeSource())
    qtbot.addWidget(line)
    line.show_parts(("Conv2d", "6×28×28", "step 7"))
    advance = line.fontMetrics().horizontalAdvance
    wholes = ("Conv2d · 6×28×28 · step 7", "6×28×28 · step 7", "step 7")
    for text, shorter in zip(wholes, (*wholes[1:], ""), strict=True):
        line.resize(advance(text), 20)
        assert line.shown == text
        line.resize(advance(text) - 1, 20)
        assert line.shown == shorter or (not shorter and line.shown.endswith("…"))
        assert line.text == wholes[0], "all of it is the tooltip"


def test_channels_are_sorted_and_stay_while_somebody_points_at_one(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    choose(panel.controls.order_menu, "mean")
    means = opened.output.mean((1, 2), np.float64)
    assert panel.maps.order.tolist() == np.argsort(-means).tolist()
    best = int(means.argmax())
    assert panel.maps.channel_rect(best).topLeft() == QPointF(2, 2)
    turned = opened._replace(output=-opened.output)
    monkeypatch.setattr(orders, "_SORT_AFTER_S", 0.0)
    point_at(panel, best, 2, 2)
    show_opened(panel, 1241, conv1=turned)
    assert panel.maps.order.tolist() == np.argsort(-means).tolist()
    QTest.mouseMove(panel.probe_bar, QPoint(2, 2))
    panel.maps.leaveEvent(None)
    show_opened(panel, 1242, conv1=turned)
    assert panel.maps.order.tolist() == np.argsort(means).tolist()


def test_channels_by_their_change(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_SORT_AFTER_S", 0.0)
    panel, _, opened = panel_at_conv1(qtbot)
    choose(panel.controls.order_menu, "first")
    assert panel.controls.dead.text == "nothing has changed yet"
    output = opened.output.copy()
    output[4] += 1
    output[2] -= 3
    show_opened(panel, 1241, conv1=opened._replace(output=output))
    assert panel.maps.order.tolist()[:2] == [2, 4]
    assert panel.controls.dead.text == "changed since step 1,240"
    last = output.copy()
    last[5] += 0.5
    show_opened(panel, 1242, conv1=opened._replace(output=last))
    assert panel.maps.order.tolist()[:3] == [2, 4, 5]
    choose(panel.controls.order_menu, "last")
    assert panel.maps.order.tolist()[0] == 5


def test_a_picture_is_shown_until_the_values_are_there(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, at = maps_panel(qtbot)
    at.selection.set(["conv1"])
    show_atlases(panel, "x", conv1=atlas(random_maps(), columns=3))
    point_at(panel, 4, 3, 7)
    level = random_maps()[4, 3, 7]
    assert panel.readout.text == f"channel 4 · row 3, column 7 ≈ {-1 + 2 * level / 255:.3g}".replace("-", "−")
    output = random_values(6, 28, 28)
    show_opened(panel, None, run_id="", conv1=bare(output), input=bare(random_values(1, 32, 32)))
    assert panel.readout.text == f"channel 4 · row 3, column 7 = {output[4, 3, 7]:.6g}".replace("-", "−")
    # A picture of another moment takes their place, as of a run that is followed from elsewhere.
    show_atlases(panel, "initial weights", conv1=atlas(random_maps(), columns=3))
    assert " = " in panel.readout.text
    monkeypatch.setattr(store, "STALE_AFTER_S", 0.0)
    show_atlases(panel, "initial weights", conv1=atlas(random_maps(), columns=3))
    assert " ≈ " in panel.readout.text


def test_layers_too_large_to_follow_keep_their_picture_and_say_so(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wants, "_MOST_VALUES", 1000)
    panel, at = maps_panel(qtbot)
    at.selection.set(["conv1"])
    assert panel.wanted().maps == ("conv1",)
    assert panel.wanted().opened == ("input",)
    show_atlases(panel, "x", conv1=atlas(random_maps(), columns=3))
    assert panel.controls.source.text == "values −1 to 1, as a picture: too many to follow in full"
    at.selection.set(["fc3"])
    assert panel.wanted().opened == ("fc3", "input")


def test_click_enlarges_arrows_move_and_escape_closes(qtbot: QtBot) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
    assert panel.side.text.text == "Click a channel to enlarge it"
    click(panel.maps.viewport(), panel.maps.channel_rect(2).center().toPoint())
    assert panel.maps.chosen == 2
    assert panel.side.view.isVisible()
    assert panel.side.text.text.startswith("channel 2 ·")
    press(panel.maps, Qt.Key.Key_Right)
    assert panel.side.text.text.startswith("channel 3 ·")
    choose(panel.controls.order_menu, "mean")
    order = panel.maps.order.tolist()
    panel.maps.choose(order[1])
    press(panel.maps, Qt.Key.Key_Left)
    assert panel.maps.chosen == order[0]
    press(panel.maps, Qt.Key.Key_Escape)
    assert not panel.side.view.isVisible()


def test_new_maps_keep_the_enlarged_channel(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    panel.maps.choose(1)
    show_opened(panel, 1300, conv1=opened._replace(output=opened.output * 2))
    assert panel.maps.chosen == 1
    assert "step 1,300" in panel.controls.facts.text


def test_zooming_by_slider_and_wheel_and_fitting_again(qtbot: QtBot) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
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


def test_empty_states_say_what_to_do(qtbot: QtBot) -> None:
    panel, at = maps_panel(qtbot)
    assert "Select a layer" in panel.body.sentence
    at.selection.set(["conv1"])
    assert "Waiting for the maps of conv1" in panel.body.sentence
    panel.show_problem("torch is not installed")
    assert panel.body.sentence == "torch is not installed"
    show_atlases(panel, "initial weights", conv1=atlas(random_maps(), columns=3))
    assert panel.maps.isVisible()
    at.set_value("conv2", "kernel_size", (99, 99))
    at.selection.set(["conv2"])
    assert "mend the fault" in panel.body.sentence


def test_maps_of_another_shape_are_dropped_with_the_edit(qtbot: QtBot) -> None:
    panel, at, _ = panel_at_conv1(qtbot)
    at.set_value("conv2", "out_channels", 8)
    assert panel.maps.isVisible()
    at.set_value("conv1", "out_channels", 8)
    assert not panel.maps.isVisible()


def test_only_the_selected_node_of_a_visible_panel_is_wanted(qtbot: QtBot) -> None:
    panel, at = maps_panel(qtbot)
    wanted: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    panel.wanted_changed.connect(lambda: wanted.append((panel.wanted().maps, panel.wanted().opened)))
    at.selection.set(["conv1"])
    at.selection.set(["conv1", "conv2"])
    panel.hide()
    panel.show()
    second = (("conv2",), ("conv2", "input"))
    assert wanted == [(("conv1",), ("conv1", "input")), second, ((), ()), second]


def test_the_picture_can_be_copied_and_saved(qtbot: QtBot, tmp_path: Path) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
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


def test_forgetting_leaves_nothing_on_screen(qtbot: QtBot) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
    panel.pins.toggle(Pin("conv1", 1))
    panel.clear_observed()
    assert not panel.maps.isVisible()
    assert panel.pins.mean(Pin("conv1", 1)) is None
    assert "Waiting" in panel.body.sentence


def test_a_narrow_panel_leaves_the_image_out(qtbot: QtBot) -> None:
    panel, _, opened = panel_at_conv1(qtbot)
    assert panel.field.isVisible()
    panel.resize(620, 400)
    show_opened(panel, 1241, conv1=opened)
    assert not panel.field.isVisible()
    assert panel.maps.isVisible()
