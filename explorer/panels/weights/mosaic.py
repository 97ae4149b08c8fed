"""Tiles of values on screen, side by side or in rows of a matrix, drawn once for each change and then only copied."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from explorer.look.ramps import diverging, picture, rgb
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.weights.arrangement import Arrangement, colours, enlarged
from explorer.panels.weights.kernels import Floats, Tiles, averaged

_MARGIN = 3


class MosaicView(QAbstractScrollArea):
    """Tiles. A click or the arrow keys choose an output, Esc none.

    Signals:
        hovered(int, int, int): tile, row and column of the value under the mouse; -1 when there is none.
        output_chosen(object): the output that is chosen; None for none.
        arranged(): tiles have another size.
    """

    hovered = Signal(int, int, int)
    output_chosen = Signal(object)
    arranged = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._tiles: Tiles | None = None
        self._limits: Floats = np.zeros(0, np.float32)
        self._at: Arrangement | None = None
        self._pixmap = QPixmap()
        self._chosen: int | None = None
        self.block_limit = 0.0
        """The magnitude at the scale's end where several values share a pixel."""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(12 * GRID, 6 * GRID)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Weights as pictures"))
        themes.changed.connect(self._redraw)

    @property
    def chosen(self) -> int | None:
        """The output that is marked."""
        return self._chosen

    @property
    def arrangement(self) -> Arrangement | None:
        """Where tiles lie; None while there are none."""
        return self._at

    @property
    def num_tiles(self) -> int:
        """How many tiles are shown."""
        return 0 if self._tiles is None else len(self._tiles.values)

    def show_tiles(self, tiles: Tiles | None, limits: Floats) -> None:
        """Show these.

        Args:
            tiles: None for none.
            limits: the magnitude at the scale's end of each tile, `(tiles,)`.
        """
        self._tiles, self._limits = tiles, limits
        if tiles is None or not len(tiles.values):
            self._tiles = None
        elif self._chosen is not None and self._chosen >= tiles.num_outputs:
            self._chosen = None
        self._arrange()
        self._redraw()

    def choose(self, output: int | None) -> None:
        """Mark an output and say so."""
        if output != self._chosen:
            self._chosen = output
            if output is not None:
                self._reveal(output)
            self.viewport().update()
            self.output_chosen.emit(output)

    def image(self) -> QImage:
        """All tiles as they are drawn."""
        return self._pixmap.toImage()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        before = self._at
        self._arrange()
        same = before is not None and self._at is not None and before.__dict__ == self._at.__dict__
        if not same:
            self._redraw()
            self.arranged.emit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), self._themes.theme.panel)
        if self._tiles is None or self._at is None:
            return
        origin = self._origin()
        painter.drawPixmap(origin, self._pixmap)
        if self._chosen is not None:
            painter.setPen(QPen(self._themes.theme.accent, 2))
            painter.drawRect(self.output_rect(self._chosen).adjusted(-1.5, -1.5, 1.5, 1.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._under(event.position())
        if event.button() == Qt.MouseButton.LeftButton and self._tiles is not None:
            self.choose(None if found is None else self._tiles.output(found[0]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._under(event.position())
        self.hovered.emit(*(found or (-1, 0, 0)))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.hovered.emit(-1, 0, 0)
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._tiles is None or self._at is None:
            super().keyPressEvent(event)
            return
        is_free, is_upright, count = self._tiles.columns is None, self._tiles.is_upright, self._tiles.num_outputs
        across = 1 if is_free or is_upright else 0
        down = self._at.columns if is_free else 0 if is_upright else 1
        steps = {
            Qt.Key.Key_Left: -across,
            Qt.Key.Key_Right: across,
            Qt.Key.Key_Up: -down,
            Qt.Key.Key_Down: down,
            Qt.Key.Key_Home: -count,
            Qt.Key.Key_End: count,
        }
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        elif key in steps:
            place = 0 if self._chosen is None else self._chosen + steps[key]
            if abs(steps[key]) >= count or 0 <= place < count:
                self.choose(max(0, min(count - 1, place)))
        else:
            super().keyPressEvent(event)

    # Placing and drawing

    def output_rect(self, output: int) -> QRectF:
        """Where an output lies in the viewport: its tile, its row or its column."""
        assert self._tiles is not None
        assert self._at is not None
        ratio = self.devicePixelRatioF()
        rect, whole = self._at.rect(output), self._at.size
        if self._tiles.is_upright:
            rect.setHeight(whole.height())
        elif self._tiles.columns is not None:
            rect = self._at.rect(output * self._tiles.columns)
            rect.setWidth(whole.width())
        return QRectF(rect.topLeft() / ratio + QPointF(self._origin()), rect.size() / ratio)

    def _arrange(self) -> None:
        if self._tiles is None:
            self._at = None
            self.verticalScrollBar().setRange(0, 0)
            self.horizontalScrollBar().setRange(0, 0)
            return
        ratio = self.devicePixelRatioF()
        # As if without bars, so that bars which appear do not make room for themselves and vanish again.
        room = self.maximumViewportSize() * ratio
        margin = 2 * _MARGIN * ratio
        at = Arrangement(self._tiles, room.width() - margin, room.height() - margin, round(_MARGIN * ratio))
        if at.size.height() > room.height() - margin and self._tiles.columns is None:
            bar = self.verticalScrollBar().sizeHint().width() * ratio
            at = Arrangement(self._tiles, room.width() - margin - bar, room.height() - margin, at.gap)
        self._at = at
        for bar_, whole, seen in (
            (self.verticalScrollBar(), at.size.height(), room.height()),
            (self.horizontalScrollBar(), at.size.width(), room.width()),
        ):
            excess = (whole + margin - seen) / ratio
            bar_.setRange(0, max(0, math.ceil(excess)))
            bar_.setPageStep(round(seen / ratio))
            bar_.setSingleStep(3 * GRID)

    def _redraw(self) -> None:
        if self._tiles is None or self._at is None:
            self._pixmap = QPixmap()
        else:
            ramp, ground = diverging(self._themes.theme), rgb(self._themes.theme.panel)
            tiles = self._tiles.values
            if self._at.block > 1:
                matrix = averaged(tiles.reshape(self._at.rows, self._at.columns), self._at.block)
                self.block_limit = float(np.abs(np.nan_to_num(matrix)).max())
                drawn = colours(matrix[None], np.array([self.block_limit], np.float32), ramp)[0]
            else:
                drawn = enlarged(colours(tiles, self._limits, ramp), self._at, ground)
            self._pixmap = QPixmap.fromImage(picture(drawn))
            self._pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.viewport().update()

    def _origin(self) -> QPoint:
        return QPoint(_MARGIN - self.horizontalScrollBar().value(), _MARGIN - self.verticalScrollBar().value())

    def _under(self, position: QPointF) -> tuple[int, int, int] | None:
        if self._tiles is None or self._at is None:
            return None
        place = (position - QPointF(self._origin())) * self.devicePixelRatioF()
        found = self._at.under(place.x(), place.y())
        return found if found is not None and found[0] < len(self._tiles.values) else None

    def _reveal(self, output: int) -> None:
        if self._tiles is None or self._at is None:
            return
        rect, room = self.output_rect(output), self.viewport().size()
        for bar, start, end, seen in (
            (self.verticalScrollBar(), rect.top(), rect.bottom(), room.height()),
            (self.horizontalScrollBar(), rect.left(), rect.right(), room.width()),
        ):
            if end - start > seen:
                continue
            if start < 0:
                bar.setValue(bar.value() + math.floor(start) - _MARGIN)
            elif end > seen:
                bar.setValue(bar.value() + math.ceil(end) - seen + _MARGIN)
