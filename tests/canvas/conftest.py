"""A canvas on LeNet-5 in a shown window, and the gestures that tests make on it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, grouping
from explorer.canvas import GraphView
from explorer.canvas.block_item import BlockItem
from explorer.canvas.node_item import NodeItem
from explorer.canvas.scene import GraphScene
from explorer.inference import NodeReport
from explorer.layers import Opaque
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.zoo import entry

NO_KEY = Qt.KeyboardModifier.NoModifier


@dataclass
class Canvas:
    """Everything around one view."""

    document: Document
    selection: Selection
    themes: ThemeSource
    view: GraphView
    messages: list[str]

    @property
    def scene(self) -> GraphScene:
        scene = self.view.scene()
        assert isinstance(scene, GraphScene)
        return scene

    @property
    def architecture(self) -> Architecture:
        return self.document.architecture

    def item(self, node_id: str) -> NodeItem:
        return self.scene.nodes[node_id]

    def at(self, node_id: str) -> QPoint:
        """A place on the node without a control."""
        return self.on_card(node_id, self.item(node_id).card.maps.center())

    def on_card(self, node_id: str, place: QPointF) -> QPoint:
        return self.view.mapFromScene(self.item(node_id).mapToScene(place))

    def stepper(self, node_id: str, name: str, steps: int = 0) -> QPoint:
        """On an arrow of a stepper (1 up, −1 down), or on its value."""
        found = next(s for s in self.item(node_id).card.steppers if s.name == name)
        place = QPointF(found.rect.left() + 8, found.rect.center().y())
        return self.on_card(node_id, found.arrow(steps > 0).center() if steps else place)

    def close_up(self) -> None:
        """100 %, from the top: where steppers are."""
        self.view.zoom_by(1 / self.view.zoom)
        self.view.reveal("pool2")
        self.view.reveal("input")
        QApplication.processEvents()

    def click(self, place: QPoint, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
        QTest.mouseClick(self.view.viewport(), Qt.MouseButton.LeftButton, modifiers, place)

    def drag(self, start: QPoint, end: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        """Press and move, without a release."""
        QTest.mousePress(self.view.viewport(), button, NO_KEY, start)
        for place in (start + (end - start) / 2, end):
            self._mouse(place, button)

    def hover(self, place: QPoint) -> None:
        self._mouse(place, Qt.MouseButton.NoButton)

    def _mouse(self, place: QPoint, buttons: Qt.MouseButton) -> None:
        viewport = self.view.viewport()
        where, on_screen = QPointF(place), QPointF(viewport.mapToGlobal(place))
        no_button = Qt.MouseButton.NoButton
        QApplication.sendEvent(
            viewport, QMouseEvent(QEvent.Type.MouseMove, where, on_screen, no_button, buttons, NO_KEY)
        )

    def wheel(
        self,
        place: QPoint,
        notches: float,
        modifiers: Qt.KeyboardModifier = NO_KEY,
        phase: Qt.ScrollPhase = Qt.ScrollPhase.NoScrollPhase,
    ) -> None:
        viewport, turned = self.view.viewport(), QPoint(0, round(120 * notches))
        pixels = QPoint() if phase is Qt.ScrollPhase.NoScrollPhase else turned
        where, on_screen = QPointF(place), QPointF(viewport.mapToGlobal(place))
        event = QWheelEvent(where, on_screen, pixels, turned, Qt.MouseButton.NoButton, modifiers, phase, False)
        QApplication.sendEvent(viewport, event)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
        QTest.keyClick(self.view, key, modifiers)

    def check(self) -> None:
        """The scene shows the document, and nothing else."""
        snapshot, scene = self.document.snapshot, self.scene
        folded = {node_id: path for path in scene.blocks for node_id in _inside(snapshot.architecture, path)}
        assert set(scene.nodes) == {node.id for node in snapshot.architecture if node.id not in folded}
        connections = {
            (source, node.id, port) for node in snapshot.architecture for port, source in enumerate(node.inputs)
        }
        drawn = [tuple(connection) for item in scene.wires.values() for connection in item.connections]
        assert sorted(drawn) == sorted(c for c in connections if folded.get(c[0], c[0]) != folded.get(c[1], c[1]))
        shown = (scene.nodes, scene.blocks, scene.frames, scene.wires)
        assert len(scene.items()) == sum(len(held) for held in shown), "no item is left over"
        for node_id, item in scene.nodes.items():
            assert _told(item.report) == _told(snapshot.inference.nodes[node_id])
            assert item.preview is None
            assert item.is_selected == (node_id in self.selection.ids)
        for path, block in scene.blocks.items():
            self._check_block(path, block)
        for line in scene.wires.values():
            shapes = list(dict.fromkeys(snapshot.inference.nodes[c.source].output_shape for c in line.connections))
            written = ["–" if shape is None else "×".join(map(str, shape)) for shape in shapes]
            assert line.label == (" + ".join(written) if len(written) <= 2 else f"×{len(written)}")
            targets = [snapshot.inference.nodes[connection.target] for connection in line.connections]
            faulty = [
                t.fault is not None and not (isinstance(t.layer, Opaque) and not t.layer.measured) for t in targets
            ]
            assert line.is_fault == any(faulty)

    def _check_block(self, path: str, block: BlockItem) -> None:
        reports = self.document.snapshot.inference.nodes
        ids = _inside(self.architecture, path)
        assert block.facts.num_layers == len(ids)
        assert block.facts.num_parameters == sum(reports[i].num_parameters or 0 for i in ids)
        assert block.facts.macs == sum(reports[i].macs or 0 for i in ids)
        first = next((report.fault for i in ids if (report := reports[i]).fault is not None), None)
        assert (block.facts.fault and block.facts.fault.text) == (first and first.text)
        assert block.preview is None
        assert block.is_selected == all(node_id in self.selection.ids for node_id in ids)
        alike = next((paths for paths in grouping.identical_blocks(self.architecture) if path in paths), ())
        marked = block.likeness.equals if block.likeness is not None and not block.likeness.is_odd else ()
        assert marked == alike


def _inside(architecture: Architecture, path: str) -> list[str]:
    return [node.id for node in architecture if node.id.startswith(f"{path}.")]


def _told(report: NodeReport) -> tuple[object, ...]:
    """What of a report can be compared: its repairs hold functions."""
    numbers = (report.num_parameters, report.num_buffers, report.macs, report.output_bytes, report.receptive_field)
    texts = tuple(issue.text for issue in report.issues)
    return (report.layer, report.context.node, report.input_shapes, report.output_shape, *numbers, texts)


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    document = Document()
    selection, themes = Selection(document), ThemeSource()
    themes.choose("light")
    view = GraphView(document, selection, themes)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    qtbot.waitExposed(view)
    view.activateWindow()
    view.setFocus()
    document.open(entry("lenet5").build())
    messages: list[str] = []
    view.message.connect(messages.append)
    yield Canvas(document, selection, themes, view, messages)
    view.close()


@pytest.fixture(autouse=True)
def no_qt_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever Qt complains about is a fault of ours, but for what the offscreen platform cannot do."""
    log = request.getfixturevalue("qtlog")
    yield
    complaints = [record.message for record in log.records if "This plugin does not support" not in record.message]
    assert not complaints, complaints
