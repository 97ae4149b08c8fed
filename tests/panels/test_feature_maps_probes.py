"""The probe image of the Feature maps tab: which one it is, and how another becomes it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.runs import Probe
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import to_qimage
from tests.panels.maps_panel import (
    maps_panel,
    panel_at_conv1,
    random_maps,
)
from tests.panels.stage import shown, stage


def test_the_image_is_named_where_it_is_not_the_current_one(qtbot: QtBot) -> None:
    panel, _, _ = panel_at_conv1(qtbot)
    probes, facts = panel._probes, panel.controls.facts
    assert "p" not in {probe.label for probe in probes.probes}, "what a look back was made of"
    assert facts.text == "Conv2d · 6×28×28 · p · step 1,240"
    probes.add(Probe(label="p", image=random_maps(1)[0]))
    assert facts.text == "Conv2d · 6×28×28 · step 1,240"
    probes.choose(0)
    assert facts.text == "Conv2d · 6×28×28 · p · step 1,240"


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
    probes.add(Probe(label="first", image=random_maps(1)[0]))
    assert panel.body.sentence == "Waiting for the maps of conv1…"


# Qt 6.12 wants another constructor, which 6.11 does not have.
@pytest.mark.filterwarnings("ignore:Function. 'QD:DeprecationWarning")
def test_a_picture_dropped_on_the_panel_becomes_the_probe(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    to_qimage(random_maps(3, 9, 7)).save(str(path))
    panel, _ = maps_panel(qtbot)
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
