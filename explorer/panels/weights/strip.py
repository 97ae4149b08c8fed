"""One kind of values of one layer: how they were distributed at every step as a heat strip, and now as an outline."""

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.look.ramps import picture, sequential, shares_levels
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.weights.history import SHOWN, Columns, common_range, mean_of, one_column, strip
from explorer.panels.weights.kernel_view import short
from explorer.runs import Histogram

ROWS = 96
"""Bins of the values' axis."""
_AXIS = 7 * GRID
_OUTLINE = 13 * GRID
_GAMMA = 0.4
"""Few values are seen beside many."""


def heat(columns: Columns, shares: npt.NDArray[np.float32], width: int, theme: Theme) -> QImage:
    """The strip as a picture: steps to scale from left to right, values upward.

    Args:
        columns: at least one.
        shares: of each column's values in each bin, `(columns, bins)`, the lowest bin first.
        width: in pixels; a bin is one pixel high.
        theme: whose ground is nothing.
    """
    steps = columns.steps
    at = steps[0] + (np.arange(width) + 0.5) / width * max(1, int(steps[-1] - steps[0]))
    places = np.searchsorted(steps, at, side="right") - 1
    # Against each column's own fullest bin a wide distribution would look as full as a narrow one.
    whole = float(np.quantile(shares.max(1), 0.9)) or 1.0
    levels = shares_levels((shares / whole) ** _GAMMA)
    return picture(sequential(theme)[levels[np.maximum(places, 0)].T[::-1]])


class StripView(QWidget):
    """Steps run to the right, values upward; the darker, the more values. At the right the newest step alone.

    Signals:
        step_hovered(int): the step under the mouse, -1 for none.
    """

    step_hovered = Signal(int)

    def __init__(self, title: str, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._themes = themes
        self._columns: Columns | None = None
        self._newest: Histogram | None = None
        self._why = ""
        self._marked: int | None = None
        self._hovered: int | None = None
        self._range = (-1.0, 1.0)
        self._shares = np.zeros((0, ROWS), np.float32)
        self._image = QImage()
        self.setMouseTracking(True)
        share = numbers.percent(SHOWN)
        self.setToolTip(
            self.tr("The axis holds {0} of the values; the largest and smallest are written above").format(share)
        )
        self.setMinimumSize(24 * GRID, 12 * GRID)
        themes.changed.connect(self._recolour)

    @property
    def shares(self) -> npt.NDArray[np.float32]:
        """What is drawn: the share of each bin of each column, `(columns, ROWS)`, the lowest bin first."""
        return self._shares

    @property
    def value_range(self) -> tuple[float, float]:
        """The ends of the values' axis."""
        return self._range

    @property
    def sentence(self) -> str:
        """What stands in place of values; empty where there are some."""
        return "" if self._newest is not None or len(self._shares) else self._why

    def show_values(self, columns: Columns, newest: Histogram | None, why: str, marked: int | None = None) -> None:
        """Show these.

        Args:
            columns: of the run; none for a network at rest.
            newest: what the outline shows.
            why: said where there is neither.
            marked: a step of before that is looked at.
        """
        self._columns, self._newest, self._why, self._marked = columns, newest, why, marked
        self._range = common_range(columns, newest)
        edges = np.linspace(*self._range, ROWS + 1)
        self._shares = strip(columns, edges) if len(columns.steps) else np.zeros((0, ROWS), np.float32)
        self._recolour()

    @property
    def pointed_step(self) -> int | None:
        """The step whose histogram the outline shows in place of the newest."""
        return self._hovered_step()

    def point_at(self, step: int) -> None:
        """Show the histogram of a step, without saying so; -1 for the newest."""
        steps = None if self._columns is None else self._columns.steps
        column = None
        if step >= 0 and steps is not None and len(steps):
            column = max(0, int(np.searchsorted(steps, step, side="right")) - 1)
        if column != self._hovered:
            self._hovered = column
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(46 * GRID, 24 * GRID)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._recolour()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._strip_rect()
        inside = len(self._shares) > 0 and place.contains(event.position())
        self._hover(self._column_at(event.position().x()) if inside else None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._themes.theme
        painter.setPen(theme.text)
        painter.setFont(body_font(bold=True))
        painter.drawText(QPointF(0, painter.fontMetrics().ascent()), self._title)
        title_width = painter.fontMetrics().horizontalAdvance(self._title)
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        shown = self._shown()
        if shown is None and not len(self._shares):
            painter.setPen(theme.muted)
            room = QRectF(self.rect()).adjusted(0, self._head(), -GRID, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap, self._why)
            return
        painter.setPen(theme.muted)
        head = QRectF(title_width + GRID + 4, 0, self.width() - title_width - GRID - 4, self._head() - 4)
        text = metrics.elidedText(self._facts(shown), Qt.TextElideMode.ElideRight, int(head.width()))
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        place, outline = self._strip_rect(), self._outline_rect()
        if len(self._shares):
            painter.drawImage(place, self._image)
            painter.setPen(QPen(theme.border, 1))
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._paint_axis(painter, theme, metrics, place if len(self._shares) else outline)
        if len(self._shares):
            self._paint_steps(painter, theme, metrics, place)
        if shown is not None:
            self._paint_outline(painter, theme, outline, shown)

    # Drawing

    def _paint_axis(self, painter: QPainter, theme: Theme, metrics: QFontMetrics, place: QRectF) -> None:
        low, high = self._range
        line = metrics.height()
        labels = [(place.top() + line / 2 - 2, high), (place.bottom() - line / 2 + 2, low)]
        zero = self._y(0.0, place)
        if low < 0 < high:
            painter.setPen(QPen(theme.muted, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(place.left(), zero), QPointF(self.width() - 1, zero))
            if all(abs(zero - y) > line for y, _ in labels):
                labels.append((zero, 0.0))
        painter.setPen(theme.muted)
        for y, value in labels:
            text = "0" if value == 0 else short(value)
            box = QRectF(place.left() - _AXIS, y - line / 2, _AXIS - 4, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_steps(self, painter: QPainter, theme: Theme, metrics: QFontMetrics, place: QRectF) -> None:
        assert self._columns is not None
        steps = self._columns.steps
        foot = QRectF(place.left(), place.bottom() + 2, place.width(), metrics.height())
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, self.tr("step {0}").format(f"{int(steps[0]):,}"))
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, f"{int(steps[-1]):,}")
        for step, colour in ((self._marked, theme.accent), (self._hovered_step(), theme.text)):
            if step is not None and steps[0] <= step <= steps[-1]:
                x = self._x(step, place)
                painter.setPen(QPen(colour, 1))
                painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))

    def _paint_outline(self, painter: QPainter, theme: Theme, place: QRectF, shown: Columns) -> None:
        edges = np.linspace(*self._range, ROWS + 1)
        parts = strip(shown, edges)[0]
        most = float(parts.max()) or 1.0
        points = [QPointF(place.left(), place.bottom())]
        step = place.height() / ROWS
        for row, part in enumerate(parts.tolist()):
            x = place.left() + part / most * (place.width() - 4)
            points += [QPointF(x, place.bottom() - row * step), QPointF(x, place.bottom() - (row + 1) * step)]
        points.append(QPointF(place.left(), place.top()))
        fill = QColor(theme.accent)
        fill.setAlpha(60)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(fill)
        painter.setPen(QPen(theme.accent, 1))
        painter.drawPolygon(QPolygonF(points))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _recolour(self, _theme: Theme | None = None) -> None:
        place = self._strip_rect()
        width = max(1, round(place.width() * self.devicePixelRatioF()))
        self._image = QImage()
        if len(self._shares) and self._columns is not None:
            self._image = heat(self._columns, self._shares, width, self._themes.theme)
        self.update()

    # Places

    def _head(self) -> int:
        return QFontMetrics(body_font(bold=True)).height() + 4

    def _strip_rect(self) -> QRectF:
        foot = QFontMetrics(small_font()).height() + 2
        width = self.width() - _AXIS - _OUTLINE - GRID
        return QRectF(_AXIS, self._head(), max(8, width), max(8, self.height() - self._head() - foot))

    def _outline_rect(self) -> QRectF:
        place = self._strip_rect()
        if len(self._shares):
            return QRectF(place.right() + GRID, place.top(), _OUTLINE - 1, place.height())
        return QRectF(place.left(), place.top(), self.width() - place.left() - 1, place.height())

    def _y(self, value: float, place: QRectF) -> float:
        low, high = self._range
        return place.bottom() - (value - low) / (high - low) * place.height()

    def _x(self, step: int, place: QRectF) -> float:
        assert self._columns is not None
        first, last = int(self._columns.steps[0]), int(self._columns.steps[-1])
        return place.left() + (step - first) / max(1, last - first) * (place.width() - 1)

    def _column_at(self, x: float) -> int:
        assert self._columns is not None
        place, steps = self._strip_rect(), self._columns.steps
        step = steps[0] + (x - place.left()) / place.width() * max(1, int(steps[-1] - steps[0]))
        return max(0, int(np.searchsorted(steps, step, side="right")) - 1)

    # What is read

    def _hover(self, column: int | None) -> None:
        if column != self._hovered:
            self._hovered = column
            self.update()
            step = self._hovered_step()
            self.step_hovered.emit(-1 if step is None else step)

    def _hovered_step(self) -> int | None:
        if self._hovered is None or self._columns is None or self._hovered >= len(self._columns.steps):
            return None
        return int(self._columns.steps[self._hovered])

    def _shown(self) -> Columns | None:
        """The one column that the outline shows."""
        if self._hovered_step() is not None and self._hovered is not None and self._columns is not None:
            whole, one = self._columns, slice(self._hovered, self._hovered + 1)
            return Columns(whole.steps[one], whole.lows[one], whole.highs[one], whole.shares[one])
        if self._newest is None:
            return None
        return one_column(self._newest)

    def _facts(self, shown: Columns | None) -> str:
        if shown is None:
            return ""
        low, high = float(shown.lows[0]), float(shown.highs[0])
        bins = shown.shares.shape[1]
        centres = low + (np.arange(bins) + 0.5) * (high - low) / bins
        mean = (
            mean_of(self._newest)
            if self._hovered is None and self._newest
            else float((centres * shown.shares[0]).sum())
        )
        text = self.tr("{0} to {1} · mean {2}").format(short(low), short(high), short(mean))
        step = self._hovered_step()
        if step is not None:
            text = self.tr("step {0}: {1}").format(numbers.exact_count(step), text)
        elif self._newest is not None and self._newest.num_not_finite:
            text += self.tr(" · {0} not finite").format(f"{self._newest.num_not_finite:,}")
        return text if math.isfinite(mean) else ""
