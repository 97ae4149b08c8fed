"""All channels of one layer as a single picture with crisp pixels; one channel enlarged; a vector as bars."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QGuiApplication,
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

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.feature_maps_tiles import (
    SCALES,
    Tiling,
    columns_within,
    fitting,
    gap_of,
    grid_size,
    reflowed,
    tiles,
)
from explorer.runs import Atlas


class MapsView(QAbstractScrollArea):
    """The picture. Arrow keys move from channel to channel, the wheel with Ctrl zooms.

    Signals:
        hovered(int | None, int, int): channel under the mouse, with row and column in its map; None outside.
        channel_chosen(int | None): the channel to enlarge; None for none.
        scaled(float): device pixels for a map pixel.
    """

    hovered = Signal(object, int, int)
    channel_chosen = Signal(object)
    scaled = Signal(float)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._atlas: Atlas | None = None
        self._zoom: float | None = None
        self._tiling = Tiling(1, 1.0)
        self._image = QImage()
        self._chosen: int | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        themes.changed.connect(self.viewport().update)

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

    def show_atlas(self, atlas: Atlas | None) -> None:
        """Show these maps; place, zoom and the marked channel stay."""
        self._atlas = atlas
        if atlas is not None and self._chosen is not None and self._chosen >= atlas.num_channels:
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

    def channel_rect(self, channel: int) -> QRectF:
        """Where a channel's tile lies in the viewport."""
        assert self._atlas is not None
        row, column = divmod(channel, self._tiling.columns)
        scale, origin = self._logical_scale(), self._origin()
        height, width, gap = self._atlas.tile_height, self._atlas.tile_width, gap_of(self._atlas)
        return QRectF(
            origin.x() + column * (width + gap) * scale,
            origin.y() + row * (height + gap) * scale,
            width * scale,
            height * scale,
        )

    def picture(self) -> QImage:
        """All channels, one pixel for a pixel."""
        return self._image.copy()

    def sizeHint(self) -> QSize:
        return QSize(60 * GRID, 24 * GRID)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._atlas is not None:
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._tiling.columns,
            Qt.Key.Key_Down: self._tiling.columns,
        }
        if event.key() in steps and self._atlas is not None:
            start = -1 if self._chosen is None and event.key() == Qt.Key.Key_Right else self._chosen or 0
            channel = start + steps[Qt.Key(event.key())]
            if 0 <= channel < self._atlas.num_channels:
                self.choose(channel)
                self._reveal(channel)
        elif event.key() == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.panel)
        if self._atlas is None or self._image.isNull():
            return
        scale = self._logical_scale()
        target = QRectF(self._origin(), QSize(self._image.width(), self._image.height()) * 1.0)
        target.setSize(target.size() * scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._tiling.scale < 1)
        painter.drawImage(target, self._image)
        self._paint_gaps(painter, target, scale)
        if self._chosen is not None:
            painter.setPen(QPen(theme.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.channel_rect(self._chosen).adjusted(-1, -1, 1, 1))

    def _paint_gaps(self, painter: QPainter, target: QRectF, scale: float) -> None:
        """Gaps and unused places take the ground's colour, so that no black frame is mistaken for values."""
        assert self._atlas is not None
        ground, atlas, columns = self._themes.theme.panel, self._atlas, self._tiling.columns
        gap = gap_of(atlas) * scale
        step_x, step_y = atlas.tile_width * scale + gap, atlas.tile_height * scale + gap
        rows = -(-atlas.num_channels // columns)
        for column in range(1, columns):
            painter.fillRect(QRectF(target.left() + column * step_x - gap, target.top(), gap, target.height()), ground)
        for row in range(1, rows):
            painter.fillRect(QRectF(target.left(), target.top() + row * step_y - gap, target.width(), gap), ground)
        used = atlas.num_channels - (rows - 1) * columns
        if used < columns:
            corner = QPointF(target.left() + used * step_x - gap, target.top() + (rows - 1) * step_y)
            painter.fillRect(QRectF(corner, target.bottomRight()), ground)

    def _arrange(self) -> None:
        if self._atlas is None:
            self.verticalScrollBar().setRange(0, 0)
            self.horizontalScrollBar().setRange(0, 0)
            return
        ratio = self.devicePixelRatioF()
        view = self.viewport().size() * ratio
        if self._zoom is None:
            # Room for the mark around the outermost tiles.
            self._tiling = fitting(self._atlas, view.height() - 4, view.width() - 4)
        else:
            self._tiling = Tiling(columns_within(self._atlas, view.width() - 4, self._zoom) or 1, self._zoom)
        height, width = grid_size(self._atlas, self._tiling.columns)
        for bar, whole, seen in (
            (self.verticalScrollBar(), height, view.height()),
            (self.horizontalScrollBar(), width, view.width()),
        ):
            excess = whole * self._tiling.scale + 4 - seen
            bar.setRange(0, max(0, round(excess / ratio)))
            bar.setPageStep(round(seen / ratio))
            bar.setSingleStep(3 * GRID)
        self.scaled.emit(self._tiling.scale)

    def _redraw(self) -> None:
        self._image = QImage() if self._atlas is None else grey_image(reflowed(self._atlas, self._tiling.columns))
        self.viewport().update()

    def _logical_scale(self) -> float:
        return self._tiling.scale / self.devicePixelRatioF()

    def _origin(self) -> QPointF:
        return QPointF(2 - self.horizontalScrollBar().value(), 2 - self.verticalScrollBar().value())

    def _under(self, position: QPointF) -> tuple[int | None, int, int]:
        if self._atlas is None:
            return None, 0, 0
        place = (position - self._origin()) / self._logical_scale()
        column, x = divmod(int(np.floor(place.x())), self._atlas.tile_width + gap_of(self._atlas))
        row, y = divmod(int(np.floor(place.y())), self._atlas.tile_height + gap_of(self._atlas))
        channel = row * self._tiling.columns + column
        inside = 0 <= column < self._tiling.columns and row >= 0 and channel < self._atlas.num_channels
        if not inside or x >= self._atlas.tile_width or y >= self._atlas.tile_height:
            return None, 0, 0
        return channel, y, x

    def _reveal(self, channel: int) -> None:
        rect, view = self.channel_rect(channel), self.viewport().height()
        bar = self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()) - 4)
        elif rect.bottom() > view:
            bar.setValue(bar.value() + round(rect.bottom()) - view + 4)


class ChannelView(QWidget):
    """One channel, as large as whole pixels allow.

    Signals:
        hovered(int | None, int, int): as `MapsView.hovered`.
    """

    hovered = Signal(object, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._image = QImage()
        self._channel = 0
        self.setMouseTracking(True)
        self.setMinimumSize(12 * GRID, 12 * GRID)
        themes.changed.connect(self.update)

    def show_channel(self, atlas: Atlas, channel: int) -> None:
        """Show this channel of these maps."""
        self._channel = channel
        self._image = grey_image(tiles(atlas)[channel])
        self.update()

    def copy(self) -> None:
        """Put the channel on the clipboard, pixel for pixel."""
        QGuiApplication.clipboard().setImage(self._image)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        rect = self._target()
        place = event.position() - rect.topLeft()
        if rect.contains(event.position()) and not self._image.isNull():
            x = int(place.x() * self._image.width() / rect.width())
            y = int(place.y() * self._image.height() / rect.height())
            self.hovered.emit(self._channel, min(y, self._image.height() - 1), min(x, self._image.width() - 1))
        else:
            self.hovered.emit(None, 0, 0)

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        target = self._target()
        smooth = target.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, self._image)
        painter.setPen(QPen(self._themes.theme.border, 1))
        painter.drawRect(target.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _target(self) -> QRectF:
        if self._image.isNull():
            return QRectF()
        ratio = self.devicePixelRatioF()
        room = QRect(QPoint(0, 0), self.size()).adjusted(1, 1, -1, -1)
        fit = min(room.width() / self._image.width(), room.height() / self._image.height()) * ratio
        scale = (int(fit) if fit >= 1 else fit) / ratio
        return QRectF(1, 1, self._image.width() * scale, self._image.height() * scale)


class BarsView(QWidget):
    """A vector of up to a hundred features as bars from zero; the largest is accented.

    Signals:
        hovered(int | None, int, int): the feature under the mouse; the other two are 0.
    """

    hovered = Signal(object, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._values: npt.NDArray[np.float64] = np.zeros(0)
        self._under: int | None = None
        self.setMouseTracking(True)
        self.setMinimumHeight(10 * GRID)
        themes.changed.connect(self.update)

    def show_values(self, values: npt.NDArray[np.float64]) -> None:
        """Show these values, one bar each."""
        self._values = values
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = int((event.position().x() - GRID) // self._pitch()) if len(self._values) else -1
        self._under = index if 0 <= index < len(self._values) else None
        self.hovered.emit(self._under, 0, 0)
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._under = None
        self.hovered.emit(None, 0, 0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        values, theme = self._values, self._themes.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.panel)
        if not len(values):
            return
        painter.setFont(small_font())
        line = painter.fontMetrics().height()
        pitch = self._pitch()
        top, bottom = line + GRID, self.height() - line - GRID
        highest, lowest = max(0.0, float(values.max())), min(0.0, float(values.min()))
        # Bars below zero need room for their number above the axis labels.
        bottom -= line if lowest < 0 else 0
        unit = (bottom - top) / ((highest - lowest) or 1.0)
        zero = top + highest * unit
        widest = painter.fontMetrics().horizontalAdvance("−00.00")
        largest = int(values.argmax())
        for index, value in enumerate(values):
            left, width = GRID + index * pitch, max(1.0, pitch - max(1.0, min(6.0, pitch / 4)))
            end = zero - float(value) * unit
            colour = theme.accent if index == largest else theme.wire
            painter.fillRect(QRectF(left, min(zero, end), width, max(1.0, abs(zero - end))), colour)
            lit = index in (self._under, largest)
            painter.setPen(theme.text if lit else theme.muted)
            if pitch >= widest:
                place = QRectF(left - pitch, end - line - 1 if value >= 0 else end + 1, width + 2 * pitch, line)
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, f"{value:.2f}".replace("-", "−"))
            every = max(1, -(-3 * GRID // max(1, int(pitch))))
            if index % every == 0 or lit:
                place = QRectF(left - pitch - 3 * GRID, self.height() - line - 2, width + 2 * pitch + 6 * GRID, line)
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, str(index))
        painter.setPen(QPen(theme.border, 1))
        painter.drawLine(QPointF(GRID, zero), QPointF(GRID + pitch * len(values), zero))

    def _pitch(self) -> float:
        return min(8.0 * GRID, (self.width() - 2 * GRID) / max(1, len(self._values)))


def grey_image(levels: npt.NDArray[np.uint8]) -> QImage:
    """A picture of grey levels `(H, W)`."""
    rows = np.ascontiguousarray(levels)
    height, width = rows.shape
    return QImage(rows.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
