"""What the pictures of a layer's input and output share: a map to scale, a part of it with an overview if it is large.

Places are (row, column) in pixels of the map; the rim around it has places below 0 and beyond its size.
"""

from typing import ClassVar, NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from explorer.look.theme import GRID, ThemeSource, small_font

_MOST_CELL = 44.0
_OVERVIEW = 7 * GRID
"""Least side of the whole map, drawn small."""
_GRID_CELL = 6.0
"""Cells of this size have lines between them."""
VALUE_CELL = 30.0
"""Cells of this size have their number in them."""


class Region(NamedTuple):
    """The part of a map on screen."""

    top: int
    left: int
    bottom: int
    right: int
    """Places, without the last."""
    cell: float
    origin: QPointF
    """Where the top left place lies in the widget."""

    def rect(self, row: float, column: float, height: float = 1, width: float = 1) -> QRectF:
        """Where places lie in the widget."""
        x = self.origin.x() + (column - self.left) * self.cell
        y = self.origin.y() + (row - self.top) * self.cell
        return QRectF(x, y, width * self.cell, height * self.cell)

    @property
    def area(self) -> QRectF:
        """All of it in the widget."""
        return self.rect(self.top, self.left, self.bottom - self.top, self.right - self.left)


class MapView(QWidget):
    """A map with whatever lies around it. Subclasses paint it.

    Signals:
        hovered(object): the (row, column) under the mouse, None outside.
        clicked(int, int): the place that was clicked, which may lie in the rim.
    """

    hovered = Signal(object)
    clicked = Signal(int, int)
    least_cell: ClassVar[float] = 3.0
    """Pixels of the screen below which a cell is too small; then a part of the map is shown."""
    most_zoom: ClassVar[float] = 16.0
    """How large a cell of such a part is at most."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._span = (0, 0, 0, 0)
        self._focus = QRectF()
        self._region: Region | None = None
        self._is_part = False
        self._base: QPixmap | None = None
        self._thumbnail = QImage()
        self._over: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(12 * GRID, 10 * GRID)
        themes.changed.connect(self.refresh)

    @property
    def region(self) -> Region | None:
        """What is on screen; None for nothing."""
        return self._region

    @property
    def is_part(self) -> bool:
        """Whether the map is too large to be shown as a whole."""
        return self._is_part

    def sizeHint(self) -> QSize:
        return QSize(28 * GRID, 24 * GRID)

    def refresh(self) -> None:
        """Draw everything anew."""
        self._base = None
        self._thumbnail = self._overview() if self._is_part else QImage()
        self.update()

    # For subclasses

    def _paint_base(self, painter: QPainter, region: Region) -> None:
        """What changes with the values only."""
        raise NotImplementedError

    def _paint_marks(self, painter: QPainter, region: Region) -> None:
        """What changes from output to output."""
        raise NotImplementedError

    def _overview(self) -> QImage:
        """The whole map, a pixel for a pixel."""
        raise NotImplementedError

    def _set_span(self, top: int, left: int, bottom: int, right: int) -> None:
        """The places that there are."""
        if (top, left, bottom, right) != self._span:
            self._span = (top, left, bottom, right)
            self._region = None

    def _set_focus(self, row: float, column: float, height: float, width: float) -> None:
        """What must be on screen."""
        self._focus = QRectF(column, row, width, height)
        self._arrange()

    def _paint_cells(self, painter: QPainter, region: Region, area: QRectF) -> None:
        """Lines between the cells of an area, where they are large enough."""
        if region.cell < _GRID_CELL:
            return
        line = QColor(self._themes.theme.panel)
        line.setAlpha(90)
        painter.setPen(QPen(line, 1))
        rows = (region.rect(row, 0).top() for row in range(region.top, region.bottom + 1))
        columns = (region.rect(0, column).left() for column in range(region.left, region.right + 1))
        across = [QLineF(area.left(), y, area.right(), y) for y in rows]
        painter.drawLines(across + [QLineF(x, area.top(), x, area.bottom()) for x in columns])

    # Places

    def _arrange(self) -> None:
        """Choose what is shown: all, or what surrounds the focus, moved only when the focus leaves it."""
        top, left, bottom, right = self._span
        if bottom <= top or right <= left:
            self._region = None
            return
        room_width, room_height = self.width() - 2.0, self.height() - 2.0
        cell = min(room_width / (right - left), room_height / (bottom - top), _MOST_CELL)
        was_part = self._is_part
        self._is_part = cell < self.least_cell
        if not self._is_part:
            cell = float(int(cell))
            found = self._placed(top, left, bottom, right, cell, room_width, room_height)
        else:
            longest = max(self._focus.width(), self._focus.height(), 1.0)
            cell = max(2.0, min(self.most_zoom, float(int(min(room_width, room_height) / (2.2 * longest)))))
            rows = min(bottom - top, max(1, int(room_height / cell)))
            columns = min(right - left, max(1, int(room_width / cell)))
            first_row = self._first(self._focus.top(), self._focus.bottom(), rows, top, bottom, is_row=True)
            first_column = self._first(self._focus.left(), self._focus.right(), columns, left, right, is_row=False)
            found = self._placed(
                first_row, first_column, first_row + rows, first_column + columns, cell, room_width, room_height
            )
        if found != self._region or was_part != self._is_part:
            self._region = found
            self.refresh()

    def _first(self, start: float, end: float, count: int, low: int, high: int, *, is_row: bool) -> int:
        """The first place of a part that holds the focus: as it is if it does, else with the focus in its middle."""
        if self._region is not None:
            first = self._region.top if is_row else self._region.left
            last = self._region.bottom if is_row else self._region.right
            if last - first == count and first <= start and end <= last:
                return first
        middle = round((start + end - count) / 2)
        return max(low, min(middle, high - count))

    def _placed(self, top: int, left: int, bottom: int, right: int, cell: float, width: float, height: float) -> Region:
        x = max(0.0, (width - (right - left) * cell) / 2)
        y = max(0.0, (height - (bottom - top) * cell) / 2)
        return Region(top, left, bottom, right, cell, QPointF(1 + int(x), 1 + int(y)))

    def _under(self, position: QPointF) -> tuple[int, int] | None:
        region = self._region
        if region is None or not region.area.contains(position):
            return None
        row = int((position.y() - region.origin.y()) // region.cell) + region.top
        column = int((position.x() - region.origin.x()) // region.cell) + region.left
        return min(row, region.bottom - 1), min(column, region.right - 1)

    def _overview_rect(self) -> QRectF:
        side = max(_OVERVIEW, min(self.width(), self.height()) // 4)
        size = self._thumbnail.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        assert self._region is not None
        area = self._region.area
        corner = QRectF(area.right() - size.width(), area.top(), size.width(), size.height())
        focus = self._region.rect(self._focus.top(), self._focus.left(), self._focus.height(), self._focus.width())
        if corner.intersects(focus.adjusted(-GRID, -GRID, GRID, GRID)):
            corner.moveBottomLeft(area.bottomLeft())
        return corner

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._region = None
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        region = self._region
        if region is None:
            return
        painter = QPainter(self)
        painter.setFont(small_font())
        if self._base is None:
            ratio = self.devicePixelRatioF()
            self._base = QPixmap(self.size() * ratio)
            self._base.setDevicePixelRatio(ratio)
            self._base.fill(Qt.GlobalColor.transparent)
            base = QPainter(self._base)
            base.setFont(small_font())
            base.setClipRect(region.area.adjusted(-1, -1, 1, 1))
            self._paint_base(base, region)
            base.end()
        painter.drawPixmap(0, 0, self._base)
        painter.save()
        painter.setClipRect(region.area.adjusted(-2, -2, 2, 2))
        self._paint_marks(painter, region)
        painter.restore()
        if self._is_part and not self._thumbnail.isNull():
            self._paint_overview(painter, region)

    def _paint_overview(self, painter: QPainter, region: Region) -> None:
        theme, target = self._themes.theme, self._overview_rect()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self._thumbnail)
        top, left, _, right = self._span
        scale = target.width() / (right - left)

        def placed(row: float, column: float, height: float, width: float) -> QRectF:
            return QRectF(
                target.left() + (column - left) * scale,
                target.top() + (row - top) * scale,
                width * scale,
                height * scale,
            )

        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.panel, 4))
        painter.drawRect(target)
        painter.setPen(QPen(theme.text, 1))
        painter.drawRect(target)
        painter.setPen(QPen(theme.text, 1))
        painter.drawRect(placed(region.top, region.left, region.bottom - region.top, region.right - region.left))
        focus = placed(self._focus.top(), self._focus.left(), self._focus.height(), self._focus.width())
        painter.fillRect(focus.adjusted(-0.5, -0.5, 0.5, 0.5), theme.accent)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._under(event.position())
        if place != self._over:
            self._over = place
            self.hovered.emit(place)

    def leaveEvent(self, event: object) -> None:
        if self._over is not None:
            self._over = None
            self.hovered.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = self._in_overview(event.position()) or self._under(event.position())
        if place is not None:
            self.clicked.emit(*place)

    def _in_overview(self, position: QPointF) -> tuple[int, int] | None:
        if not self._is_part or self._region is None or self._thumbnail.isNull():
            return None
        target = self._overview_rect()
        if not target.contains(position):
            return None
        top, left, _, right = self._span
        scale = target.width() / (right - left)
        return int((position.y() - target.top()) / scale) + top, int((position.x() - target.left()) / scale) + left

    def copy(self) -> None:
        """Put the picture into the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.grab())
