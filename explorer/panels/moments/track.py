"""The scrubber's track: the run's loss drawn small, a tick for each moment, and the one that is looked back at."""

import bisect

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QByteArray, QDataStream, QEvent, QLine, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.curves.data import Measurements
from explorer.panels.moments.losses import WINDOW, Leap

_MARGIN = GRID
_TICKS = 6
"""Pixels of height that the ticks take."""
_MARK = 5
"""Half the width of the mark of a leap."""
_PITCH = 2
"""Pixels for which the curve has its least and its greatest loss."""


class MomentTrack(QWidget):
    """From the first step at the left to the last at the right; a click or drag chooses the nearest moment.

    Left and Right go from moment to moment, Home and End to the ends, as the wheel does.

    Signals:
        chosen(int): the step of a moment.
    """

    chosen = Signal(int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._steps: tuple[int, ...] = ()
        self._losses = Measurements()
        self._leaps: tuple[Leap, ...] = ()
        self._last_step = 1
        self._step: int | None = None
        self._pinned: int | None = None
        self._ground = QPixmap()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Moments of the run"))
        themes.changed.connect(lambda _theme: self._redraw())

    @property
    def step(self) -> int | None:
        """Of the moment that is marked; None for the present."""
        return self._step

    def show_run(self, steps: tuple[int, ...], losses: Measurements, leaps: tuple[Leap, ...], last_step: int) -> None:
        """Show a run's moments over its loss.

        Args:
            steps: after which there is a moment, in order.
            losses: of its steps.
            leaps: to be marked.
            last_step: at the right end.
        """
        self._steps, self._losses, self._leaps = steps, losses, leaps
        self._last_step = max(1, last_step)
        self._redraw()

    def show_step(self, step: int | None) -> None:
        """Mark the moment that is looked back at; None for the present."""
        if step != self._step:
            self._step = step
            self.update()

    def show_pinned(self, step: int | None) -> None:
        """Mark the moment that others are compared with; None for none."""
        if step != self._pinned:
            self._pinned = step
            self.update()

    def nearest(self, step: float) -> int | None:
        """The moment closest to a step; None where there is none."""
        if not self._steps:
            return None
        place = bisect.bisect_left(self._steps, step)
        near = self._steps[max(0, place - 1) : place + 1]
        return min(near, key=lambda one: abs(one - step))

    def place_of(self, step: float) -> float:
        """Pixels from the left."""
        return _MARGIN + (self.width() - 2 * _MARGIN) * min(1.0, max(0.0, step / self._last_step))

    def sizeHint(self) -> QSize:
        return QSize(60 * GRID, 4 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(16 * GRID, 4 * GRID)

    # Events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose_at(event.position().x())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._go(-1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Left:
                self._go(-1)
            case Qt.Key.Key_Right:
                self._go(1)
            case Qt.Key.Key_Home if self._steps:
                self._choose(self._steps[0])
            case Qt.Key.Key_End if self._steps:
                self._choose(self._steps[-1])
            case _:
                super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tool_tip(event.pos().x()), self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        if self._ground.isNull():
            self._ground = self._drawn_ground()
        painter.drawPixmap(0, 0, self._ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for step, colour in ((self._pinned, theme.test), (self._step, theme.accent)):
            if step is None:
                continue
            x = self.place_of(step)
            painter.setPen(QPen(colour, 2))
            painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 1))
            painter.setPen(QPen(theme.window, 1.5))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(x, self.height() - _TICKS), 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(theme.accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)

    # Drawing

    def _redraw(self) -> None:
        # At once where it is seen, so that whoever asks for it knows what it costs.
        self._ground = self._drawn_ground() if self.isVisible() else QPixmap()
        self.update()

    def _drawn_ground(self) -> QPixmap:
        theme, ratio = self._themes.theme, self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(Qt.GlobalColor.transparent)
        painter = QPainter(ground)
        bottom = self.height() - _TICKS - 2
        left, right = _MARGIN, self.width() - _MARGIN
        painter.setPen(QPen(theme.border, 1))
        painter.drawLine(left, bottom, right, bottom)
        steps, losses = self._losses.envelope(0, self._last_step, max(8, (right - left) // _PITCH))
        known = np.isfinite(losses)
        if known.any():
            values = np.asarray(losses, np.float64)[known]
            # The few losses of the first steps, or of a leap, would press the rest onto the line.
            top = max(float(np.quantile(values, 0.995)), 1e-9)
            x = left + (right - left) * np.minimum(1.0, steps[known] / self._last_step)
            y = bottom - 1 - (bottom - 4) * np.minimum(1.0, values / top)
            painter.setPen(QPen(theme.train, 1))
            painter.setOpacity(0.55)
            painter.drawPolyline(_polygon(x, y))
            painter.setOpacity(1.0)
        painter.setPen(QPen(theme.muted, 1))
        first, last = bottom + 2, self.height() - 2
        # As `place_of`, of all at once: there may be as many as pixels.
        shares = np.clip(np.array(self._steps, np.float64) / self._last_step, 0.0, 1.0)
        places = np.unique(np.rint(left + (right - left) * shares).astype(np.int64)).tolist()
        painter.drawLines([QLine(place, first, place, last) for place in places])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.warning)
        for leap in self._leaps:
            x_leap = self.place_of(leap.step)
            corners = [QPointF(x_leap - _MARK, 0), QPointF(x_leap + _MARK, 0), QPointF(x_leap, _MARK + 2)]
            painter.drawPolygon(QPolygonF(corners))
        painter.end()
        return ground

    # Choosing

    def _choose_at(self, x: float) -> None:
        width = max(1, self.width() - 2 * _MARGIN)
        step = self.nearest((x - _MARGIN) / width * self._last_step)
        if step is not None:
            self._choose(step)

    def _choose(self, step: int) -> None:
        if step != self._step:
            self.chosen.emit(step)

    def _go(self, by: int) -> None:
        step = self.neighbour(by)
        if step is not None:
            self._choose(step)

    def neighbour(self, by: int) -> int | None:
        """The moment before (-1) or after (1) the marked one; the present counts as behind the last."""
        if self._step is None:
            return self._steps[-1] if by < 0 and self._steps else None
        if by < 0:
            place = bisect.bisect_left(self._steps, self._step) - 1
        else:
            place = bisect.bisect_right(self._steps, self._step)
        return self._steps[place] if 0 <= place < len(self._steps) else None

    def _tool_tip(self, x: float) -> str:
        width = max(1, self.width() - 2 * _MARGIN)
        step = self.nearest((x - _MARGIN) / width * self._last_step)
        if step is None:
            return ""
        near = next((leap for leap in self._leaps if abs(self.place_of(leap.step) - x) <= _MARK), None)
        if near is not None:
            text = self.tr("The loss leaps at step {step}, {height} above the {count} steps before")
            return text.format(step=f"{near.step:,}", height=numbers.loss(near.height), count=WINDOW)
        return self.tr("Moment after step {step}; the curve is the loss of each batch").format(step=f"{step:,}")


def _polygon(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> QPolygonF:
    """A line through the points `(n,)`; an object for each of them would take ten times as long."""
    # As Qt writes a polygon into a file: how many points, then all of them, big-endian.
    written = np.array([len(x)], ">u4").tobytes() + np.stack([x, y], axis=1).astype(">f8").tobytes()
    points = QPolygonF()
    QDataStream(QByteArray(written)) >> points
    return points
