"""Pushing the drawing moves what is drawn already, under legend and map too, and leaves nothing wrong behind."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QLabel

from explorer.canvas.blitting import free_parts, lying_over
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

_ROUNDING = 24
"""Of 255, by how much an edge may be softer or sharper for having been moved instead of drawn."""


class _Paints(QObject):
    """How many pixels of the viewport each of its paint events was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.areas: list[int] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.areas.append(sum(r.width() * r.height() for r in _rects(event.region())))
        return False


def _rects(region: QRegion) -> Iterator[QRect]:
    yield from region  # type: ignore[misc]  # the stubs do not say that a region is its rectangles


@pytest.fixture
def large(canvas: Canvas) -> Canvas:
    """GoogLeNet, all open, with a map and a legend over it."""
    canvas.document.open(entry("googlenet").build())
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    canvas.view.zoom_by(1 / canvas.view.zoom)
    QApplication.processEvents()
    assert canvas.view.reading.minimap.isVisible()
    assert canvas.view.reading.legend.isVisible()
    return canvas


def _on_screen(canvas: Canvas) -> QImage:
    QApplication.processEvents()
    screen = canvas.view.screen()
    assert screen is not None
    return screen.grabWindow(canvas.view.winId()).toImage()


def _difference(one: QImage, other: QImage) -> int:
    """The most that a colour of any pixel differs."""
    assert one.size() == other.size()
    channels = zip(bytes(one.constBits()), bytes(other.constBits()), strict=True)
    return max(abs(a - b) for a, b in channels)


def test_the_free_parts_are_all_that_lies_under_nothing() -> None:
    viewport = QRect(0, 0, 100, 80)
    covers = [QRect(0, 60, 30, 20), QRect(90, 0, 20, 10), QRect(40, 30, 5, 5)]
    parts = free_parts(viewport, covers)
    for x in range(100):
        for y in range(80):
            at = QPoint(x, y)
            assert sum(part.contains(at) for part in parts) == (not any(cover.contains(at) for cover in covers))
    assert free_parts(viewport, [viewport]) == ()


def test_only_what_comes_into_sight_is_painted(large: Canvas) -> None:
    view, paints = large.view, _Paints()
    view._camera.pan(QPoint(0, -1))
    QApplication.processEvents()
    view.viewport().installEventFilter(paints)
    view._camera.pan(QPoint(0, -10))
    QApplication.processEvents()
    view.viewport().removeEventFilter(paints)
    assert sum(paints.areas) < 0.2 * view.viewport().width() * view.viewport().height()


def test_what_was_moved_is_what_would_be_painted(large: Canvas) -> None:
    view = large.view
    for zoom in (1.0, 0.5):
        view.zoom_by(zoom / view.zoom)
        QApplication.processEvents()
        for by in (QPoint(3, -37), QPoint(-7, 12), QPoint(0, 60), QPoint(-90, 0), QPoint(1, 1)):
            view._camera.pan(by)
            QApplication.processEvents()
        moved = _on_screen(large)
        view.viewport().update()
        assert _difference(moved, _on_screen(large)) <= _ROUNDING


def test_an_item_that_moves_after_a_push_leaves_nothing_behind(large: Canvas) -> None:
    view = large.view
    view._camera.pan(QPoint(5, -40))
    QApplication.processEvents()
    item = next(card for card in view.items(view.viewport().rect()) if card in set(large.scene.nodes.values()))
    view._camera.pan(QPoint(0, -15))
    item.setPos(item.pos().x() + 30, item.pos().y() + 10)
    QApplication.processEvents()
    item.setPos(item.pos().x() + 30, item.pos().y() + 10)
    moved = _on_screen(large)
    view.viewport().update()
    assert _difference(moved, _on_screen(large)) <= _ROUNDING


def test_what_lies_in_the_viewport_moves_with_it_and_all_is_painted(large: Canvas) -> None:
    view = large.view
    note = QLabel("a note on a node", view.viewport())
    note.move(200, 200)
    note.show()
    QApplication.processEvents()
    view._camera.pan(QPoint(0, -30))
    assert note.pos() == QPoint(200, 170)
    moved = _on_screen(large)
    view.viewport().update()
    assert _difference(moved, _on_screen(large)) <= _ROUNDING


def test_what_lies_over_the_viewport_is_known(large: Canvas) -> None:
    reading = large.view.reading
    assert set(lying_over(large.view)) == {reading.legend, reading.minimap}
    reading.open_find()
    assert reading.finding.bar in lying_over(large.view)
