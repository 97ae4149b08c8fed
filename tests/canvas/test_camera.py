"""What a view shows after it was given another size: what was fitted stays so, and nothing leaps."""

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView
from pytestqt.qtbot import QtBot

from explorer.canvas.camera import OPENING_ZOOM, Camera

_TALL = QRectF(0, 0, 400, 2000)


@pytest.fixture
def view(qtbot: QtBot) -> QGraphicsView:
    view = QGraphicsView(QGraphicsScene())
    qtbot.addWidget(view)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.resize(600, 560)
    view.show()
    return view


def _opened(view: QGraphicsView, bounds: QRectF = _TALL) -> Camera:
    camera = Camera(view)
    camera.set_bounds(bounds)
    camera.open()
    return camera


def _shown(view: QGraphicsView) -> QRectF:
    return view.mapToScene(view.viewport().rect()).boundingRect()


def test_a_bar_that_takes_a_little_room_leaves_the_whole_in_sight(view: QGraphicsView) -> None:
    camera = _opened(view)
    assert camera.zoom == pytest.approx((view.viewport().height() - 48) / 2000, rel=0.02)
    view.resize(600, 500)  # where it would open at its top
    camera.resized()
    assert camera.zoom < OPENING_ZOOM
    assert _shown(view).contains(_TALL)


def test_much_less_room_shows_the_top(view: QGraphicsView) -> None:
    camera = _opened(view)
    view.resize(600, 300)
    camera.resized()
    assert camera.zoom > OPENING_ZOOM
    assert _shown(view).top() < _TALL.top() < _shown(view).bottom() < _TALL.bottom()


def test_the_top_becomes_the_whole_where_there_is_room(view: QGraphicsView) -> None:
    view.resize(600, 300)
    camera = _opened(view)
    view.resize(600, 560)
    camera.resized()
    assert _shown(view).contains(_TALL)


def test_what_was_asked_to_be_whole_stays_so_at_any_size(view: QGraphicsView) -> None:
    bounds = QRectF(0, 0, 400, 20_000)
    camera = _opened(view, bounds)
    camera.fit(animated=False)
    view.resize(600, 200)
    camera.resized()
    assert _shown(view).contains(bounds)
