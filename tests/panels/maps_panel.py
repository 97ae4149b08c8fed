"""The Feature maps tab as its tests start: shown, with maps computed by numpy, and what a user does in it."""

from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.runs import Atlas, FeatureMapsCaptured, LayersOpened, OpenedLayer
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source
from tests.panels.stage import Stage, shown, stage


def random_maps(count: int = 6, height: int = 28, width: int = 28) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width), dtype=np.uint8)


def random_values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def maps_panel(qtbot: QtBot, architecture: Architecture | None = None) -> tuple[FeatureMapsPanel, Stage]:
    at = stage(architecture)
    panel = FeatureMapsPanel(at.document, at.selection, ProbeSet(at.document), at.themes)
    shown(qtbot, panel, 1200, 400)
    qtbot.waitUntil(lambda: panel.probe_bar.current is not None)
    return panel, at


def panel_at_conv1(qtbot: QtBot, step: int = 1240) -> tuple[FeatureMapsPanel, Stage, OpenedLayer]:
    """LeNet-5's first convolution, computed with numpy."""
    panel, at = maps_panel(qtbot)
    at.selection.set(["conv1"])
    opened = computed_conv1()
    show_opened(panel, step, conv1=opened, input=bare(opened.inputs[0]))
    return panel, at, opened


def computed_conv1(seed: int = 0) -> OpenedLayer:
    image, weight, bias = (
        random_values(1, 32, 32, seed=seed),
        random_values(6, 1, 5, 5, seed=seed + 1),
        random_values(6, seed=seed + 2),
    )
    windows = np.lib.stride_tricks.sliding_window_view(image[0], (5, 5))
    output = np.einsum("yxij,oij->oyx", windows.astype(np.float64), weight[:, 0].astype(np.float64))
    output = (output + bias[:, None, None]).astype(np.float32)
    return OpenedLayer((image,), output, {"weight": weight, "bias": bias})


def bare(output: np.ndarray) -> OpenedLayer:
    return OpenedLayer((), output, {})


def show_opened(panel: FeatureMapsPanel, step: int | None, run_id: str = "r", **layers: OpenedLayer) -> None:
    event = LayersOpened(run_id=run_id, step=step or 0, probe="p", layers=layers)
    text = "initial weights" if step is None else f"step {step:,}"
    panel.show_observed([event], Source(text, step, run_id))


def show_atlases(panel: FeatureMapsPanel, source: str, **atlases: Atlas) -> None:
    maps = FeatureMapsCaptured(run_id="", step=0, probe="p", atlases=atlases)
    panel.show_observed([maps], Source(source, None, ""))


def choose(menu: Any, key: str) -> None:
    menu.setCurrentIndex(menu.findData(key))


def point_at(panel: FeatureMapsPanel, channel: int, row: int, column: int) -> None:
    scale = panel.maps.tiling.zoom / panel.devicePixelRatioF()
    corner = panel.maps.channel_rect(channel).topLeft()
    place = (corner + QPointF((column + 0.5) * scale, (row + 0.5) * scale)).toPoint()
    # Where the pointer is already, nothing moves.
    QTest.mouseMove(panel.maps.viewport(), QPoint(0, 0))
    QTest.mouseMove(panel.maps.viewport(), place)
    QApplication.processEvents()
