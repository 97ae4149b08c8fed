"""The Layer tab as its tests start: shown, with a layer's values that torch computed."""

import torch
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.panels.layer_walk.map import MapView
from explorer.panels.layer_walk.panel import LayerWalkPanel
from explorer.runs import LayersOpened
from explorer.runtime.modules import build_module
from explorer.runtime.observer import runnable_part
from explorer.runtime.opened import open_layers
from explorer.session.sources import Source
from explorer.zoo.lenet import lenet5
from tests.panels.stage import Stage, shown, stage


def feed(panel: LayerWalkPanel, at: Stage, *node_ids: str, step: int = 0, seed: int = 0) -> LayersOpened:
    """Give the panel what the network at rest would."""
    network = build_module(runnable_part(at.document.architecture), seed=seed)
    channels, height, width = at.document.architecture.input_shape
    probe = torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(5))
    event = LayersOpened(run_id="", step=step, probe="digit 7", layers=open_layers(network, probe, node_ids))
    panel.show_observed([event], Source(f"step {step}", step, ""))
    return event


def walk_panel(
    qtbot: QtBot, node_id: str | None = "conv1", architecture: Architecture | None = None, height: int = 420
) -> tuple[LayerWalkPanel, Stage]:
    at = stage(architecture)
    panel = LayerWalkPanel(at.document, at.selection, at.themes)
    shown(qtbot, panel, 1400, height)
    if node_id is not None:
        at.selection.set([node_id])
        feed(panel, at, node_id)
    return panel, at


def lenet5_with(node_id: str, **values: object) -> Architecture:
    architecture = lenet5()
    for name, value in values.items():
        architecture = edits.set_value(architecture, node_id, name, value)
    return architecture


def centre(view: MapView, row: int, column: int) -> QPoint:
    assert view.region is not None
    return view.region.rect(row, column).center().toPoint()
