"""An open document with its selection and theme, as the panels' tests start from, and real events."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from explorer.zoo.lenet import lenet5


@dataclass(frozen=True, slots=True)
class Stage:
    """What a panel is made of."""

    document: Document
    selection: Selection
    themes: ThemeSource

    def set_value(self, node_id: str, name: str, value: object) -> None:
        """Edit from elsewhere, as the canvas does."""
        new = edits.set_value(self.document.architecture, node_id, name, value)
        self.document.apply(f"Set {node_id} {name}", new)
        self.document.finish_merge()

    def value(self, node_id: str, name: str) -> object:
        """A hyper-parameter as the document has it now."""
        return getattr(self.document.architecture[node_id].layer, name)

    @property
    def steps(self) -> list[str]:
        """The history, oldest first."""
        stack = self.document.undo_stack
        return [stack.text(index) for index in range(stack.count())]


def stage(architecture: Architecture | None = None) -> Stage:
    """LeNet-5 unless another network is given, nothing selected."""
    document = Document()
    selection = Selection(document)
    document.open(architecture or lenet5())
    return Stage(document, selection, ThemeSource())


def shown(qtbot: QtBot, widget: QWidget, width: int = 320, height: int = 720) -> None:
    """Show a widget in an active window, so that it can have the focus."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    qtbot.waitExposed(widget)
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)


def press(widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press and release a key."""
    QTest.keyClick(widget, key, modifier)


def write(widget: QWidget, text: str) -> None:
    """Type a text."""
    QTest.keyClicks(widget, text)


def click(
    widget: QWidget, place: QPoint | None = None, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click with the left button, in the middle unless a place is given."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, modifier, place or widget.rect().center())


def wheel(widget: QWidget, steps: int) -> bool:
    """Turn the wheel over a widget; whether it took the event."""
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre,
        QPointF(widget.mapToGlobal(centre.toPoint())),
        QPoint(0, 0),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def enter(widget: QWidget) -> None:
    """Bring the pointer over a widget."""
    centre = QPointF(widget.rect().center())
    QApplication.sendEvent(widget, QEnterEvent(centre, centre, QPointF(widget.mapToGlobal(centre.toPoint()))))
