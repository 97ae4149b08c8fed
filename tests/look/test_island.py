"""What an island lets out: that it needs more room, and nothing else."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.look.island import Island


class Requests(QObject):
    """Counts how often a widget is asked to lay out anew."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def shown(qtbot: QtBot) -> tuple[QWidget, Island, QLabel, Requests]:
    """A window whose layout holds an island with a label in a layout."""
    window = QMainWindow()
    qtbot.addWidget(window)
    central, content, label = QWidget(), QWidget(), QLabel("0.123")
    QVBoxLayout(content).addWidget(label)
    island = Island(content)
    QVBoxLayout(central).addWidget(island)
    window.setCentralWidget(central)
    window.resize(300, 200)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.wait(20)
    return window, island, label, Requests(central)


def settled(qtbot: QtBot) -> None:
    for _ in range(5):
        qtbot.wait(1)


def test_a_number_that_changes_lays_out_nothing_outside(qtbot: QtBot) -> None:
    _window, _island, label, requests = shown(qtbot)

    for text in ("0.124", "0.225", "0.1"):
        label.setText(text)
        settled(qtbot)

    assert requests.count == 0


def test_what_needs_more_room_gets_it(qtbot: QtBot) -> None:
    window, island, label, requests = shown(qtbot)

    label.setText("a text that is wider than the window was made to be, by far, at any size of letters")
    qtbot.waitUntil(lambda: requests.count > 0)
    settled(qtbot)

    assert island.width() >= island.content.minimumSizeHint().width() > 300
    assert window.width() > 300
    assert island.content.geometry() == island.rect()


def test_sizes_are_those_of_the_content(qtbot: QtBot) -> None:
    _window, island, label, _requests = shown(qtbot)

    assert island.sizeHint() == island.content.sizeHint()
    island.content.setMinimumSize(120, 90)
    assert island.minimumSizeHint().width() >= 120
    assert island.minimumSizeHint().height() >= 90
    assert label.isVisible()
