"""All channels of one layer as a single picture with crisp pixels.

Levels become colours here; what they stand for is `values`'. One channel enlarged is
`channel`'s, a vector as bars `bars`'.
"""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from explorer.look.theme import GRID, ThemeSource
from explorer.panels.feature_maps.colours import colours, picture
from explorer.panels.feature_maps.tiles import (
    SCALES,
    Tiles,
    Tiling,
    averaged,
    columns_within,
    device_size,
    fitting,
    laid_out,
)

_Levels = npt.NDArray[np.uint8]


class MapsView(QAbstractScrollArea):
    """The picture. Arrow keys move from channel to channel, the wheel with Ctrl zooms.

    Signals:
        hovered(int | None, int, int): channel under the mouse, with row and column in its map; None outside.
        channel_chosen(int | None): the channel to enlarge; None for none.
        pin_asked(int): a double click on this channel.
        scaled(float): device pixels for a map pixel.
    """

    hovered = Signal(object, int, int)
    channel_chosen = Signal(object)
    pin_asked = Signal(int)
    scaled = Signal(float)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._levels: _Levels = np.zeros((0, 1, 1), np.uint8)
        self._order: npt.NDArray[np.intp] = np.arange(0)
        self._place_of: npt.NDArray[np.intp] = np.arange(0)
        self._is_diverging = False
        self._zoom: float | None = None
        self._tiling = Tiling(1, 1.0)
        self._image = QImage()
        self._chosen: int | None = None
        self._arranged: tuple[object, ...] = ()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        themes.changed.connect(self._redraw)

    @property
    def tiles(self) -> Tiles:
        """How many channels there are, and of which size."""
        return Tiles(*self._levels.shape)

    @property
    def tiling(self) -> Tiling:
        """The columns and the scale on screen."""
        return self._tiling

    @property
    def zoom(self) -> float | None:
        """The scale that the user chose; None while all channels are fitted."""
        return self._zoom

    @property
    def chosen(self) -> int | None:
        """The channel that is marked."""
        return self._chosen

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """The channel at each place."""
        return self._order

    def show_levels(self, levels: _Levels, order: npt.NDArray[np.intp], is_diverging: bool) -> None:
        """Show these maps; zoom and the marked channel stay.

        Args:
            levels: `(channels, height, width)`, 1 channel or more.
            order: the channel at each place.
            is_diverging: which colours they have.
        """
        self._levels, self._order, self._is_diverging = levels, order, is_diverging
        self._place_of = np.argsort(order)
        if self._chosen is not None and self._chosen >= len(levels):
            self.choose(None)
        self._arrange()
        self._redraw()

    def set_zoom(self, scale: float | None) -> None:
        """Show a map pixel as `scale` device pixels; None fits all channels."""
        self._zoom = scale
        self._arrange()
        self._redraw()

    def choose(self, channel: int | None) -> None:
        """Mark a channel."""
        if channel != self._chosen:
            self._chosen = channel
            self.viewport().update()
            self.channel_chosen.emit(channel)

    def turn(self, places: int) -> None:
        """Mark the channel that stands so many places further."""
        if self._chosen is not None and 0 <= (place := int(self._place_of[self._chosen]) + places) < len(self._order):
            self.choose(int(self._order[place]))

    def channel_rect(self, channel: int) -> QRectF:
        """Where a channel's tile lies in the viewport."""
        row, column = divmod(int(self._place_of[channel]), self._tiling.columns)
        scale, origin, left = self._logical_zoom(), self._origin(), self.tiles.reduced(self._tiling.factor)
        return QRectF(
            origin.x() + column * (left.width + left.gap) * scale,
            origin.y() + row * (left.height + left.gap) * scale,
            left.width * scale,
            left.height * scale,
        )

    def picture(self) -> QImage:
        """All channels, one pixel for a pixel."""
        if not len(self._levels):
            return QImage()
        return picture(laid_out(self._levels, self._tiling.columns, self._order), self._table())

    def sizeHint(self) -> QSize:
        return QSize(60 * GRID, 24 * GRID)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and len(self._levels):
            place = SCALES.index(self._tiling.scale) + (1 if event.angleDelta().y() > 0 else -1)
            self.set_zoom(SCALES[max(0, min(len(SCALES) - 1, place))])
            event.accept()
        else:
            super().wheelEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(*self._under(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None, 0, 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            channel, _, _ = self._under(event.position())
            self.choose(None if channel == self._chosen else channel)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        channel, _, _ = self._under(event.position())
        if event.button() == Qt.MouseButton.LeftButton and channel is not None:
            self.choose(channel)
            self.pin_asked.emit(channel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._tiling.columns,
            Qt.Key.Key_Down: self._tiling.columns,
        }
        if event.key() in steps and len(self._levels):
            start = -1 if event.key() == Qt.Key.Key_Right else 0
            if self._chosen is not None:
                start = int(self._place_of[self._chosen])
            place = start + steps[Qt.Key(event.key())]
            if 0 <= place < len(self._levels):
                channel = int(self._order[place])
                self.choose(channel)
                self._reveal(channel)
        elif event.key() == Qt.Key.Key_P and self._chosen is not None:
            self.pin_asked.emit(self._chosen)
        elif event.key() == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.panel)
        if self._image.isNull():
            return
        scale = self._logical_zoom()
        painter.drawImage(QRectF(self._origin(), QSizeF(self._image.size()) * scale), self._image)
        if self.tiles.gap:
            # Zero may have the ground's colour: what is a map ends somewhere.
            painter.setPen(QPen(theme.border, 1))
            seen = QRectF(event.rect())
            rects = [self.channel_rect(channel) for channel in range(len(self._levels))]
            painter.drawRects([rect.adjusted(-0.5, -0.5, 0.5, 0.5) for rect in rects if rect.intersects(seen)])
        if self._chosen is not None:
            painter.setPen(QPen(theme.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.channel_rect(self._chosen).adjusted(-1, -1, 1, 1))

    def _arrange(self) -> None:
        view = self.viewport().size()
        ratio = self.devicePixelRatioF()
        asked = (self.tiles, view.width(), view.height(), self._zoom, ratio)
        if asked == self._arranged:
            return
        self._arranged = asked
        if not len(self._levels):
            self.verticalScrollBar().setRange(0, 0)
            self.horizontalScrollBar().setRange(0, 0)
            return
        seen_height, seen_width = view.height() * ratio, view.width() * ratio
        if self._zoom is None:
            # Room for the mark around the outermost tiles.
            self._tiling = fitting(self.tiles, seen_height - 4, seen_width - 4)
        else:
            self._tiling = Tiling(columns_within(self.tiles, seen_width - 4, self._zoom) or 1, self._zoom)
        height, width = device_size(self.tiles, self._tiling)
        for bar, whole, seen in (
            (self.verticalScrollBar(), height, seen_height),
            (self.horizontalScrollBar(), width, seen_width),
        ):
            bar.setRange(0, max(0, round((whole + 4 - seen) / ratio)))
            bar.setPageStep(round(seen / ratio))
            bar.setSingleStep(3 * GRID)
        self.scaled.emit(self._tiling.scale)

    def _redraw(self) -> None:
        if len(self._levels):
            small = averaged(self._levels, self._tiling.factor)
            self._image = picture(laid_out(small, self._tiling.columns, self._order), self._table())
        else:
            self._image = QImage()
        self.viewport().update()

    def _table(self) -> list[int]:
        return colours(self._themes.theme, self._is_diverging)

    def _logical_zoom(self) -> float:
        return self._tiling.zoom / self.devicePixelRatioF()

    def _origin(self) -> QPointF:
        return QPointF(2 - self.horizontalScrollBar().value(), 2 - self.verticalScrollBar().value())

    def _under(self, position: QPointF) -> tuple[int | None, int, int]:
        if not len(self._levels):
            return None, 0, 0
        factor, left = self._tiling.factor, self.tiles.reduced(self._tiling.factor)
        place = (position - self._origin()) / self._logical_zoom()
        column, x = divmod(place.x(), left.width + left.gap)
        row, y = divmod(place.y(), left.height + left.gap)
        at = int(row) * self._tiling.columns + int(column)
        inside = 0 <= column < self._tiling.columns and row >= 0 and at < len(self._levels)
        if not inside or x >= left.width or y >= left.height:
            return None, 0, 0
        tiles = self.tiles
        return (
            int(self._order[at]),
            min(tiles.height - 1, math.floor(y * factor)),
            min(tiles.width - 1, math.floor(x * factor)),
        )

    def _reveal(self, channel: int) -> None:
        rect, view = self.channel_rect(channel), self.viewport().height()
        bar = self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()) - 4)
        elif rect.bottom() > view:
            bar.setValue(bar.value() + round(rect.bottom()) - view + 4)
