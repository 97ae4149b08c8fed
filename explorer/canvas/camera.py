"""What part of the drawing a view shows: zoom at a point, pan, fit, and bringing a node into sight."""

import math
from collections.abc import Iterable

from PySide6.QtCore import QEasingCurve, QObject, QPoint, QPointF, QRect, QRectF, QVariantAnimation, Signal
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QGraphicsView

from explorer.look.theme import GRID

LARGEST_ZOOM = 4.0
SMALLEST_ZOOM = 0.05
OPENING_ZOOM = 0.25
"""A network that would open smaller than this opens at its top instead, at a size to work at."""
_WORKING_ZOOM = 0.8
_STAYS_WHOLE = 0.8
"""Of the zoom before, down to which what is shown whole stays so in less room: a bar that appears must not throw the
view to the top."""
FIT_MS = 160
_MARGIN = 3 * GRID
_CLEAR = GRID
"""Pixels of the screen between what is brought into sight and what lies over the viewport."""


class Camera(QObject):
    """Moves a graphics view over its scene.

    Signals:
        moved(): another part is shown, or at another zoom.
    """

    moved = Signal()

    def __init__(self, view: QGraphicsView) -> None:
        super().__init__(view)
        self._view = view
        self._bounds = QRectF()
        self._is_fitted = True
        self._is_whole = self._is_asked_whole = False
        """Whether all of the drawing was fitted, and whether that was asked for, at whatever zoom."""
        self._from = (1.0, QPointF())
        self._to = (1.0, QPointF())
        self._flight = QVariantAnimation(self)
        self._flight.setStartValue(0.0)
        self._flight.setEndValue(1.0)
        self._flight.setDuration(FIT_MS)
        self._flight.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._flight.valueChanged.connect(self._fly)

    @property
    def zoom(self) -> float:
        """Screen pixels a scene pixel."""
        return self._view.transform().m11()

    @property
    def is_fitted(self) -> bool:
        """Whether the whole drawing was fitted and nothing moved since; resizing then fits again."""
        return self._is_fitted

    def set_bounds(self, bounds: QRectF) -> None:
        """Where the drawing is."""
        self._bounds = bounds
        self._update_reach()
        self.moved.emit()

    def fit(self, *, animated: bool) -> None:
        """Show the whole drawing, at 100 % at most."""
        self._show_whole(animated=animated)
        self._is_asked_whole = True

    def open(self) -> None:
        """Show a new drawing: all of it, or its top where all of it would be too small to read."""
        self._is_asked_whole = False
        self._frame(OPENING_ZOOM)

    def zoom_at(self, position: QPoint, factor: float) -> None:
        """Zoom so that what is under a position of the viewport stays there."""
        self._flight.stop()
        under = self._view.mapToScene(position)
        self._set_zoom(self._clamped(self.zoom * factor))
        moved = self._view.mapFromScene(under) - position
        self._scroll(moved)
        self._is_fitted = False
        self.moved.emit()

    def pan(self, by: QPoint) -> None:
        """Move the drawing by pixels of the screen."""
        self._flight.stop()
        self._scroll(-by)
        self._is_fitted = False
        self.moved.emit()

    def hold(self, position: QPoint, point: QPointF) -> None:
        """Bring a point of the scene under a position of the viewport."""
        self._flight.stop()
        self._scroll(self._view.mapFromScene(point) - position)
        self._is_fitted = False
        self.moved.emit()

    def approach(self, point: QPointF) -> None:
        """Bring a point of the scene into the middle, at a zoom to work at."""
        self._go(_WORKING_ZOOM, point, animated=True)
        self._is_fitted = False

    def reveal(self, rect: QRectF) -> None:
        """Move as little as needed to show a part of the scene."""
        shown = self._view.mapToScene(self._view.viewport().rect()).boundingRect()
        room = _MARGIN / self.zoom
        if not shown.contains(rect):
            was_fitted = self._is_fitted
            self._view.ensureVisible(rect, _MARGIN, _MARGIN)
            self._is_fitted = was_fitted and shown.adjusted(-room, -room, room, room).contains(self._bounds)
            self.moved.emit()

    def uncover(self, rect: QRectF, covers: Iterable[QRect]) -> None:
        """Move a part of the scene that is in sight from under what lies over the viewport, the shortest way.

        Where nothing but another cover, or the edge, would be gained by that, it stays.
        """
        covers = tuple(covers)
        place = self._view.mapFromScene(rect).boundingRect()
        ways = [
            by
            for cover in covers
            if cover.intersects(place)
            for by in (
                QPoint(0, cover.bottom() + _CLEAR - place.top()),
                QPoint(0, cover.top() - _CLEAR - place.bottom()),
                QPoint(cover.right() + _CLEAR - place.left(), 0),
                QPoint(cover.left() - _CLEAR - place.right(), 0),
            )
        ]
        for by in sorted(ways, key=QPoint.manhattanLength):
            moved = place.translated(by)
            if self._view.viewport().rect().contains(moved) and not any(cover.intersects(moved) for cover in covers):
                self.pan(by)
                return

    def resized(self) -> None:
        """The viewport has another size."""
        self._update_reach()
        if self._is_fitted:
            least = min(OPENING_ZOOM, _STAYS_WHOLE * self.zoom) if self._is_whole else OPENING_ZOOM
            self._frame(0.0 if self._is_asked_whole else least)
        self.moved.emit()

    def stop(self) -> None:
        """Arrive at once."""
        if self._flight.state() is QVariantAnimation.State.Running:
            self._flight.stop()
            self._fly(1.0)

    def _frame(self, least: float) -> None:
        """Show all of the drawing, or its top where that would be smaller than a zoom."""
        self._flight.stop()
        if self._bounds.isEmpty() or self._fitting_zoom() >= least:
            self._show_whole(animated=False)
            return
        width = self._bounds.width() + 2 * _MARGIN
        zoom = max(OPENING_ZOOM, min(_WORKING_ZOOM, self._view.viewport().width() / width))
        half = self._view.viewport().height() / zoom / 2
        top = QPointF(self._bounds.center().x(), self._bounds.top() - _MARGIN / zoom + half)
        self._go(zoom, top, animated=False)
        self._is_fitted, self._is_whole = True, False

    def _show_whole(self, *, animated: bool) -> None:
        self._go(min(1.0, max(self._fitting_zoom(), 0.005)), self._bounds.center(), animated)
        self._is_fitted = True
        self._is_whole = not self._bounds.isEmpty()

    def _go(self, zoom: float, centre: QPointF, animated: bool) -> None:
        self._flight.stop()
        self._from = (self.zoom, self._view.mapToScene(self._view.viewport().rect().center()))
        self._to = (zoom, centre)
        if animated and self._view.isVisible():
            self._flight.start()
        else:
            self._fly(1.0)

    def _fly(self, share: float) -> None:
        (zoom, start), (wanted, end) = self._from, self._to
        self._set_zoom(math.exp(math.log(zoom) + (math.log(wanted) - math.log(zoom)) * share))
        self._view.centerOn(start + (end - start) * share)
        self.moved.emit()

    def _fitting_zoom(self) -> float:
        room = self._view.viewport().rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if self._bounds.isEmpty() or room.isEmpty():
            return 1.0
        return min(room.width() / self._bounds.width(), room.height() / self._bounds.height())

    def _clamped(self, zoom: float) -> float:
        return max(min(SMALLEST_ZOOM, self._fitting_zoom()), min(LARGEST_ZOOM, zoom))

    def _set_zoom(self, zoom: float) -> None:
        self._view.setTransform(QTransform.fromScale(zoom, zoom))
        self._update_reach()

    def _update_reach(self) -> None:
        """The drawing can be pushed almost out of sight, but never lost."""
        viewport, zoom = self._view.viewport(), self.zoom
        across, down = viewport.width() / zoom - 8 * GRID / zoom, viewport.height() / zoom - 8 * GRID / zoom
        self._view.setSceneRect(self._bounds.adjusted(-across, -down, across, down))

    def _scroll(self, by: QPoint) -> None:
        horizontal, vertical = self._view.horizontalScrollBar(), self._view.verticalScrollBar()
        horizontal.setValue(horizontal.value() + by.x())
        vertical.setValue(vertical.value() + by.y())
