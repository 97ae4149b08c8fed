"""A canvas on LeNet-5 in a shown window, and the gestures that tests make on it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture
from explorer.canvas import GraphView
from explorer.canvas.node_item import NodeItem
from explorer.canvas.scene import GraphScene
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
        assert set(scene.nodes) == {node.id for node in snapshot.architecture}
        assert {(w.source, w.target, w.port) for w in scene.wires} == {
            (source, node.id, port) for node in snapshot.architecture for port, source in enumerate(node.inputs)
        }
        assert len(scene.items()) == len(scene.nodes) + len(scene.wires), "no item is left over"
        for node_id, item in scene.nodes.items():
            assert item.report is snapshot.inference.nodes[node_id]
            assert item.preview is None
            assert item.is_selected == (node_id in self.selection.ids)
        for wire, line in scene.wires.items():
            shape = snapshot.inference.nodes[wire.source].output_shape
            assert line.label == ("–" if shape is None else "×".join(map(str, shape)))
            target = snapshot.inference.nodes[wire.target]
            is_unmeasured = isinstance(target.layer, Opaque) and not target.layer.measured
            assert line.is_fault == (target.fault is not None and not is_unmeasured)


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
