"""Every layer's histograms over time in small, to compare them; a click looks at one of them alone."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from explorer.look.theme import GRID, Theme, ThemeSource, small_font
from explorer.panels.weights.history import Columns, History, Kind, common_range, one_column, strip
from explorer.panels.weights.kernel_view import short
from explorer.panels.weights.strip import heat

_ROWS = 48
_MOST_COLUMNS = 128
_CELL_WIDTH = 22 * GRID
_STRIP_HEIGHT = 6 * GRID


class Overview(QAbstractScrollArea):
    """A strip for each layer, in the architecture's order.

    Signals:
        layer_chosen(str): its strip was clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._history = History()
        self._kind: Kind = "weights"
        self._names: tuple[str, ...] = ()
        self._hovered: int | None = None
        self._drawn: dict[str, tuple[QImage, float, float]] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(small_font())
        self.setMinimumSize(_CELL_WIDTH, 10 * GRID)
        self.viewport().setMouseTracking(True)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.setAccessibleName(self.tr("Histograms of all layers"))
        themes.changed.connect(self._recolour)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers that are shown."""
        return self._names

    def show_history(self, history: History, kind: Kind, names: tuple[str, ...]) -> None:
        """Show one kind of values of these layers, as far as they have such.

        Args:
            history: of the run.
            kind: of values.
            names: layers in order.
        """
        self._history, self._kind = history, kind
        self._names = tuple(name for name in names if history.histogram(name, kind) is not None)
        self._drawn.clear()
        self._fit()
        self.viewport().update()

    def rect_of(self, place: int) -> QRectF:
        """Where a layer's cell lies in the viewport."""
        row, column = divmod(place, self._columns)
        width = (self.viewport().width() - (self._columns - 1) * 2 * GRID) / self._columns
        top = row * self._cell_height - self.verticalScrollBar().value()
        return QRectF(column * (width + 2 * GRID), top, width, self._cell_height - GRID)

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 24 * GRID)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._drawn.clear()
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.layer_chosen.emit(self._names[place])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position()))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self.viewport())
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        seen = QRectF(self.viewport().rect())
        for place, name in enumerate(self._names):
            rect = self.rect_of(place)
            if not rect.intersects(seen):
                continue
            image, low, high = self._picture(name, rect.width())
            words = QRectF(rect.left(), rect.top(), rect.width(), metrics.height())
            ends = f"{short(low)} … {short(high)}"
            painter.setPen(theme.muted)
            painter.drawText(words, Qt.AlignmentFlag.AlignRight, ends)
            room = int(rect.width()) - metrics.horizontalAdvance(ends) - GRID
            painter.setPen(theme.text)
            painter.drawText(
                words, Qt.AlignmentFlag.AlignLeft, metrics.elidedText(name, Qt.TextElideMode.ElideLeft, room)
            )
            target = QRectF(rect.left() + 0.5, words.bottom() + 2, rect.width() - 1, rect.bottom() - words.bottom() - 4)
            painter.drawImage(target, image)
            if low < 0 < high:
                zero = target.bottom() + low / (high - low) * target.height()
                painter.setPen(QPen(theme.muted, 1, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(target.left(), zero), QPointF(target.right(), zero))
            painter.setPen(QPen(theme.accent if place == self._hovered else theme.border, 1))
            painter.drawRect(target)

    # Placing

    @property
    def _columns(self) -> int:
        return max(1, (self.viewport().width() + 2 * GRID) // (_CELL_WIDTH + 2 * GRID))

    @property
    def _cell_height(self) -> int:
        rows = -(-len(self._names) // self._columns) or 1
        return self.fontMetrics().height() + 2 + self._strip_height(rows) + GRID + 2

    def _strip_height(self, rows: int) -> int:
        room = self.viewport().height() // rows - self.fontMetrics().height() - GRID - 4
        return max(_STRIP_HEIGHT, min(3 * _STRIP_HEIGHT, room))

    def _fit(self) -> None:
        rows = -(-len(self._names) // self._columns)
        self.verticalScrollBar().setRange(0, max(0, rows * self._cell_height - self.viewport().height()))
        self.verticalScrollBar().setPageStep(self.viewport().height())
        self.verticalScrollBar().setSingleStep(self._cell_height // 2)

    def _at(self, position: QPointF) -> int | None:
        return next((i for i in range(len(self._names)) if self.rect_of(i).contains(position)), None)

    def _hover(self, place: int | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.viewport().setCursor(
                Qt.CursorShape.ArrowCursor if place is None else Qt.CursorShape.PointingHandCursor
            )
            self.viewport().update()

    def _picture(self, name: str, width: float) -> tuple[QImage, float, float]:
        if name not in self._drawn:
            columns = self._shown(name)
            low, high = common_range(columns)
            shares = strip(columns, np.linspace(low, high, _ROWS + 1))
            pixels = max(1, round(width * self.devicePixelRatioF()))
            self._drawn[name] = (heat(columns, shares, pixels, self._themes.theme), low, high)
        return self._drawn[name]

    def _shown(self, name: str) -> Columns:
        columns = self._history.columns(name, self._kind, _MOST_COLUMNS)
        newest = self._history.histogram(name, self._kind)
        return columns if len(columns.steps) or newest is None else one_column(newest)

    def _recolour(self, _theme: Theme) -> None:
        self._drawn.clear()
        self.viewport().update()
