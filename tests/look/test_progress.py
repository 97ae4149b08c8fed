"""The bar shows its share, and no animation runs behind it."""

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QColor, QImage, QPalette
from pytestqt.qtbot import QtBot

from explorer.look.progress import StillProgressBar


def shown(bar: StillProgressBar) -> list[QColor]:
    picture: QImage = bar.grab().toImage()
    return [picture.pixelColor(x, picture.height() // 2) for x in range(picture.width())]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_is_filled(qtbot: QtBot, share: float) -> None:
    bar = StillProgressBar()
    qtbot.addWidget(bar)
    bar.resize(200, 8)
    bar.setRange(0, 1000)
    bar.setValue(round(1000 * share))
    full = bar.palette().color(QPalette.ColorRole.Highlight)
    filled = sum(colour.rgb() == full.rgb() for colour in shown(bar))
    assert filled == pytest.approx(200 * share, abs=5)


def test_it_stands_still(qtbot: QtBot) -> None:
    class Updates(QObject):
        count = 0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            self.count += event.type() == QEvent.Type.StyleAnimationUpdate
            return super().eventFilter(watched, event)

    bar, updates = StillProgressBar(), Updates()
    qtbot.addWidget(bar)
    bar.installEventFilter(updates)
    for most in (0, 1000):
        bar.setRange(0, most)
        bar.show()
        qtbot.waitExposed(bar)
        bar.repaint()
        qtbot.wait(100)
    assert not updates.count
