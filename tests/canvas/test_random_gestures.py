"""Random gestures one after another: after each, undo gives the very value back, redo the next, the scene agrees."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.architecture import Architecture
from explorer.canvas import GraphView
from explorer.canvas.overlay import Drawn
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.zoo import entry
from explorer.zoo.blocks import block_entry
from tests.canvas.conftest import Canvas

CTRL = Qt.KeyboardModifier.ControlModifier
LINES = ("conv 8 3", "relu", "maxpool 2", "bn", "linear 10", "residual 8", "conv 0", "add", "flatten", "qq")
PICKS = st.integers(0, 1000)


class Hands(RuleBasedStateMachine):
    """One canvas on LeNet-5 with a residual block, and what hands may do to it."""

    @initialize()
    def open(self) -> None:
        QApplication.instance() or QApplication([])
        document = Document()
        selection, themes = Selection(document), ThemeSource()
        view = GraphView(document, selection, themes)
        view.resize(900, 700)
        view.show()
        view.setFocus()
        self.messages: list[str] = []
        view.message.connect(self.messages.append)
        document.open(block_entry("residual").insert(entry("lenet5").build(), "conv1"))
        self.canvas = Canvas(document, selection, themes, view, self.messages)

    def teardown(self) -> None:
        if hasattr(self, "canvas"):
            self.canvas.view.close()
            self.canvas.view.deleteLater()

    def _keys(self) -> list[str]:
        return [item.key for item in self.canvas.scene.cards()]

    def _key(self, pick: int) -> str:
        keys = self._keys()
        return keys[pick % len(keys)]

    def _middle(self, key: str) -> QPoint:
        card = self.canvas.scene.card(key)
        assert card is not None
        return self.canvas.view.mapFromScene(card.mapToScene(card.card.maps.center()))

    def _output(self, key: str) -> QPoint:
        card = self.canvas.scene.card(key)
        assert card is not None
        rect = card.card.rect
        return self.canvas.view.mapFromScene(card.mapToScene(QPointF(rect.center().x(), rect.bottom())))

    def _release(self, place: QPoint) -> None:
        QTest.mouseRelease(self.canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)

    @rule(pick=PICKS, more=st.booleans())
    def select(self, pick: int, more: bool) -> None:
        nodes = self.canvas.scene.nodes_of(self._key(pick))
        self.canvas.selection.set((*(self.canvas.selection.ids if more else ()), *nodes))

    @rule(a=PICKS, b=PICKS, escape=st.booleans())
    def draw_a_wire(self, a: int, b: int, escape: bool) -> None:
        self.canvas.view.fit(animated=False)
        end = self._middle(self._key(b))
        self.canvas.drag(self._output(self._key(a)), end)
        if escape:
            self.canvas.key(Qt.Key.Key_Escape)
        self._release(end)

    @rule(pick=PICKS, dx=st.integers(-300, 300), dy=st.integers(-300, 300), escape=st.booleans())
    def move_a_card(self, pick: int, dx: int, dy: int, escape: bool) -> None:
        self.canvas.view.fit(animated=False)
        start = self._middle(self._key(pick))
        self.canvas.drag(start, start + QPoint(dx, dy))
        if escape:
            self.canvas.key(Qt.Key.Key_Escape)
        self._release(start + QPoint(dx, dy))

    @rule(line=st.sampled_from(LINES))
    def add(self, line: str) -> None:
        self.canvas.key(Qt.Key.Key_A)
        box = self.canvas.view._hands.adding.box
        if box.isVisible():
            QTest.keyClicks(box.line, line)
            QTest.keyClick(box.line, Qt.Key.Key_Return)
            QTest.keyClick(box.line, Qt.Key.Key_Escape)

    @rule(key=st.sampled_from("CXVDR"))
    def by_clipboard(self, key: str) -> None:
        if len(self.canvas.architecture) < 60:
            self.canvas.key(Qt.Key[f"Key_{key}"], CTRL)

    @rule(key=st.sampled_from(["Delete", "T", "BracketLeft", "BracketRight", "Down", "Up"]))
    def press(self, key: str) -> None:
        self.canvas.key(Qt.Key[f"Key_{key}"])

    @rule(text=st.sampled_from(["1", "7", "0", "3x5", "same"]))
    def type_a_value(self, text: str) -> None:
        self.canvas.key(Qt.Key.Key_E)
        field = self.canvas.view._hands.in_place.field
        if field.isVisible():
            QTest.keyClicks(field, text)
            QTest.keyClick(field, Qt.Key.Key_Return)
            QTest.keyClick(field, Qt.Key.Key_Escape)

    @rule()
    def undo_all_and_redo(self) -> None:
        stack = self.canvas.document.undo_stack
        there = stack.index()
        values: list[Architecture] = [self.canvas.architecture]
        while stack.canUndo():
            stack.undo()
            values.append(self.canvas.architecture)
        for value in reversed(values[:-1]):
            stack.redo()
            assert self.canvas.architecture == value
        assert stack.index() == there

    @invariant()
    def the_scene_is_the_document(self) -> None:
        if not hasattr(self, "canvas"):
            return
        hands = self.canvas.view._hands
        assert not self.canvas.view._pointer.is_busy
        assert not hands.edge_scroll.is_running
        assert not hands.adding.box.isVisible()
        assert not hands.in_place.is_open
        assert hands._overlay.drawn == Drawn()
        self.canvas.check()
        stack = self.canvas.document.undo_stack
        if stack.canUndo():
            now, placed = self.canvas.architecture, dict(hands.arrangement.positions)
            stack.undo()
            self.canvas.check()
            stack.redo()
            assert self.canvas.architecture == now
            assert dict(hands.arrangement.positions) == placed
            self.canvas.check()


TestHands = Hands.TestCase
TestHands.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
