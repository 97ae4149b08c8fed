"""One channel for all probe images side by side, and what takes it away again, as a look back does."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.panels.feature_maps.colours import colours
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.panels.feature_maps.values import Maps, levels_of, scale_of
from explorer.runs import OpenedLayer, Probe
from explorer.runs.observed import ChannelCompared
from explorer.session.sources import Source
from tests.panels.maps_panel import (
    bare,
    choose,
    computed_conv1,
    panel_at_conv1,
    random_maps,
    random_values,
    show_opened,
)
from tests.panels.stage import Stage, click, press


def test_a_channel_for_all_probes_side_by_side(qtbot: QtBot) -> None:
    panel, at, opened = panel_at_conv1(qtbot)
    panel.maps.choose(2)
    assert not panel.side.compare_button.isVisible(), "there is one image only"
    probes = panel._probes
    probes.add(Probe(label="another", image=random_maps(1)[0]))
    probes.add(Probe(label="third", image=random_maps(1)[0]))
    QApplication.processEvents()
    assert panel.wanted().compared is None
    click(panel.side.compare_button)
    assert panel.wanted().compared == ("conv1", 2)
    assert panel.maps.isVisible(), "until they are there"
    maps = random_values(3, 28, 28)
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
    show_opened(panel, 1243, conv1=opened)
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
    panel, at, opened = panel_at_conv1(qtbot)
    probes = panel._probes
    for label in ("another", "third"):
        probes.add(Probe(label=label, image=random_maps(1)[0]))
    panel.maps.choose(2)
    click(panel.side.compare_button)
    labels = tuple(probe.label for probe in probes.probes)
    event = ChannelCompared(
        run_id="r", step=1241, node_id="conv1", channel=2, probes=labels, maps=random_values(3, 28, 28, seed=9)
    )
    panel.show_observed([event], Source("step 1,241", 1241, "r"))
    assert panel.compared.isVisible()
    return panel, at, opened


def test_a_look_back_takes_the_images_of_the_present_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, opened = compared
    show_opened(panel, 1242, conv1=opened)
    assert panel.compared.isVisible()
    show_opened(panel, 3, conv1=opened)
    assert panel.maps.isVisible()
    assert not panel.compared.isVisible()
    maps, labels = random_values(3, 28, 28), panel.compared.labels
    event = ChannelCompared(run_id="r", step=3, node_id="conv1", channel=2, probes=labels, maps=maps)
    panel.show_observed([event], Source("step 3", 3, "r"))
    assert panel.compared.isVisible(), "of the same moment"
    np.testing.assert_allclose(panel.compared.means, maps.mean((1, 2)), rtol=1e-4)


def test_a_look_back_at_other_layers_takes_the_images_of_the_present_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, _ = compared
    show_opened(panel, 3, conv2=bare(random_values(16, 10, 10)))
    assert not panel.compared.isVisible()


def test_other_weights_of_a_network_at_rest_take_the_images_away(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer],
) -> None:
    panel, _, opened = compared
    labels = panel.compared.labels
    show_opened(panel, None, "", conv1=opened)
    event = ChannelCompared(run_id="", step=0, node_id="conv1", channel=2, probes=labels, maps=random_values(3, 28, 28))
    panel.show_observed([event], Source("initial weights", None, ""))
    show_opened(panel, None, "", conv1=opened)
    assert panel.compared.isVisible(), "the same once more"
    show_opened(panel, None, "", conv1=computed_conv1(seed=7))
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
    show_opened(panel, 1242, conv1=opened)
    assert not panel.compared.isVisible()
    labels = tuple(probe.label for probe in probes.probes)
    maps = random_values(2, 28, 28)
    event = ChannelCompared(run_id="r", step=1243, node_id="conv1", channel=2, probes=labels, maps=maps)
    panel.show_observed([event], Source("step 1,243", 1243, "r"))
    assert panel.compared.isVisible()
    assert panel.compared.labels == labels


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_colour_bar_says_what_is_on_screen_again(
    compared: tuple[FeatureMapsPanel, Stage, OpenedLayer], per_channel: bool
) -> None:
    panel, _, opened = compared
    if per_channel:
        choose(panel.controls.scale_menu, "channel")
    bar = panel.controls.bar
    assert bar.text == "−{0} … {0}".format(f"{np.abs(random_values(3, 28, 28, seed=9)).max():.3g}")
    press(panel.compared, Qt.Key.Key_Escape)
    assert panel.maps.isVisible()
    for channel in (2, 4):
        panel.maps.choose(channel)
        values = opened.output[channel] if per_channel else opened.output
        assert bar.text == "−{0} … {0}".format(f"{np.abs(values).max():.3g}")
    panel.maps.choose(None)
    if per_channel:
        assert bar.text == "each channel by its own range"
