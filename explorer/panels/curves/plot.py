"""One plot of a run, drawn by pyqtgraph; imported only once there is something to draw, as pyqtgraph costs 0.2 s."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.curves.data import Floats
from explorer.panels.plotting import add_mark, make_view, recolour

_EMPTY = np.empty(0)
_HEADROOM = 1.04
"""The top of the axis lies a little above its last tick, so that the tick and the peaks can be read."""
_CLICK_SLACK = 3
"""Pixels that a click may move."""
_POINT_PITCH = 8
"""An epoch's points are drawn where they have so many pixels each."""
_STROKE_PITCH = 2
"""Their lines are smooth where the points have so many."""


class Line(NamedTuple):
    """The points of one curve."""

    steps: Floats
    values: Floats


class Plot(QWidget):
    """Three curves over the steps: each batch as a light line, each epoch's mean, and the test.

    Signals:
        hovered(float): the step under the mouse; NaN when it leaves.
        moved(float, float): the first and last step now shown, after the user panned or zoomed.
        reset_requested(): a double-click asks for the whole run.
        menu_requested(QPoint): in global pixels.
        resized(): there is room for more or fewer points.
        clicked(float): a step was clicked, without a drag.
    """

    hovered = Signal(float)
    moved = Signal(float, float)
    reset_requested = Signal()
    menu_requested = Signal(QPoint)
    resized = Signal()
    clicked = Signal(float)

    def __init__(self, title: str, unit: str, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._is_moving = False
        self._title, self._full_title = title, f"{title} ({unit})" if unit else title
        self._heading = heading = RoleLabel(themes, font=body_font(bold=True), parent=self)
        heading.setText(self._full_title)
        heading.setToolTip(self._full_title)
        self._legend = _Legend((self.tr("batch"), self.tr("train"), self.tr("test")), themes, self)
        self._view = make_view(self.tr("step"), 5 * GRID, self, can_pan=True)
        item = self._view.getPlotItem()
        self._box = item.getViewBox()
        self._box.setLimits(xMin=0, minXRange=4)
        self._box.sigXRangeChanged.connect(self._report_range)
        # Thousands of strokes of one pixel: smoothing them costs ten times as much and shows no more.
        self._batch = pg.PlotCurveItem(antialias=False, connect="finite")
        self._train = pg.PlotDataItem(antialias=True, symbol="o", symbolSize=5)
        self._test = pg.PlotDataItem(antialias=True, symbol="o", symbolSize=5)
        for line in (self._train, self._test):
            # One smoothed stroke of many corners takes Qt fifty times as long as its parts by themselves.
            line.curve.setSegmentedLineMode("on")
        self._ends: Floats = _EMPTY
        for part in (self._batch, self._train, self._test):
            item.addItem(part, ignoreBounds=True)
        self._cross = add_mark(self._view)
        self._moment = add_mark(self._view)
        self._moment.setZValue(10)
        self._pressed: QPointF | None = None
        self._view.viewport().installEventFilter(self)
        self._view.viewport().setMouseTracking(True)

        self._row = row = QHBoxLayout()
        row.setSpacing(GRID + 4)
        row.addWidget(heading)
        row.addWidget(self._legend, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._view, 1)
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    @property
    def num_columns(self) -> int:
        """Pixels of the plot's width, those of the screen."""
        return max(64, round(float(self._box.width()) * self.devicePixelRatioF()))

    @property
    def range(self) -> tuple[float, float]:
        """The first and last step shown."""
        first, last = self._box.viewRange()[0]
        return float(first), float(last)

    @property
    def batch(self) -> Line:
        """The points of the light line as they are drawn."""
        steps, values = self._batch.getData()
        return Line(_EMPTY if steps is None else steps, _EMPTY if values is None else values)

    @property
    def epoch_steps(self) -> Floats:
        """Where the lines of the epochs have their points."""
        return self._ends

    def show_range(self, first: float, last: float) -> None:
        """Show these steps."""
        self._is_moving = True
        self._box.setXRange(first, last, padding=0)
        self._is_moving = False
        self._fit_points()

    def show_batch(self, line: Line) -> None:
        """Draw the light line."""
        self._batch.setData(line.steps, line.values)

    def show_epochs(self, train: Line, test: Line) -> None:
        """Draw the two lines with a point an epoch."""
        self._ends = train.steps
        self._fit_points()
        self._train.setData(train.steps, train.values)
        self._test.setData(test.steps, test.values)

    def show_limit(self, limit: float) -> None:
        """Let the value axis reach from zero to a little above `limit`."""
        top = limit * _HEADROOM
        if self._box.viewRange()[1] != [0, top]:
            self._box.setYRange(0, top, padding=0)

    def settle(self) -> None:
        """Be done with moving. Left to the painting, what it moves is painted a second time right after."""
        self._view.scene().prepareForPaint()

    def show_readout(self, place: str, values: tuple[str, str, str]) -> None:
        """Say the three curves' values and where they are from."""
        self._legend.show_values(values)
        axis = self._view.getPlotItem().getAxis("bottom")
        if axis.labelText != place:
            axis.setLabel(place)

    def show_cross(self, step: float | None) -> None:
        """Mark a step, or none."""
        self._cross.setVisible(step is not None)
        if step is not None:
            self._cross.setPos(step)

    def show_moment(self, step: int | None) -> None:
        """Mark the step that is looked back at, or none."""
        self._moment.setVisible(step is not None)
        if step is not None:
            self._moment.setPos(step)

    def heading_width(self, width: int) -> int:
        """What its heading takes where the plot is `width` wide; both in pixels."""
        return self._heading.fontMetrics().horizontalAdvance(self._heading_text(width)) + 1

    def fit_head(self, width: int, heading_width: int) -> None:
        """Lay out heading and legend for a plot of that width, in pixels; equal ones have their legends alike."""
        # The heading stands over the plot, unless its numbers need the place over the axis.
        left, right = 5 * GRID if width >= _ROOMY else GRID // 2, GRID // 2
        self._row.setContentsMargins(left, 0, right, 0)
        self._heading.show_text(self._heading_text(width))
        self._heading.setFixedWidth(heading_width)
        self._legend.set_room(width - left - heading_width - self._row.spacing() - right)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.hovered.emit(float("nan"))
        elif isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.MouseMove and not event.buttons():
                scene = self._view.mapToScene(event.position().toPoint())
                inside = self._box.sceneBoundingRect().contains(scene)
                step = float(self._box.mapSceneToView(QPointF(scene)).x()) if inside else float("nan")
                self.hovered.emit(step)
            elif event.button() == Qt.MouseButton.LeftButton and event.type() == QEvent.Type.MouseButtonPress:
                self._pressed = event.position()
            elif event.button() == Qt.MouseButton.LeftButton and event.type() == QEvent.Type.MouseButtonRelease:
                pressed, self._pressed = self._pressed, None
                scene = self._view.mapToScene(event.position().toPoint())
                is_near = pressed is not None and (event.position() - pressed).manhattanLength() <= _CLICK_SLACK
                if is_near and self._box.sceneBoundingRect().contains(scene):
                    self.clicked.emit(float(self._box.mapSceneToView(QPointF(scene)).x()))
            elif event.type() == QEvent.Type.MouseButtonDblClick:
                self.reset_requested.emit()
                return True
            elif event.button() == Qt.MouseButton.RightButton:
                # pyqtgraph would zoom with this button; here it opens the menu.
                if event.type() == QEvent.Type.MouseButtonRelease:
                    self.menu_requested.emit(event.globalPosition().toPoint())
                return True
        return False

    def _heading_text(self, width: int) -> str:
        return self._full_title if width >= _ROOMY else self._title

    def _fit_points(self) -> None:
        """Close together, the points of the epochs would be a band that hides the lines. So close that the lines only
        go up and down, smoothing their edges shows nothing more and takes as long as all else."""
        first, end = np.searchsorted(self._ends, self.range).tolist()
        width = float(self._box.width())
        symbol = "o" if (end - first) * _POINT_PITCH <= width else None
        is_smooth = (end - first) * _STROKE_PITCH <= width
        for item in (self._train, self._test):
            if item.opts["symbol"] != symbol:
                item.setSymbol(symbol)
            if item.opts["antialias"] != is_smooth:
                item.opts["antialias"] = is_smooth
                item.curve.opts["antialias"] = is_smooth

    def _report_range(self) -> None:
        if not self._is_moving:
            self.moved.emit(*self.range)

    def _recolour(self, theme: Theme) -> None:
        recolour(self._view, theme)
        self._batch.setPen(pg.mkPen(batch_colour(theme), width=1))
        for line, colour in ((self._train, theme.train), (self._test, theme.test)):
            line.setPen(pg.mkPen(colour, width=2))
            line.setSymbolBrush(pg.mkBrush(colour))
            line.setSymbolPen(pg.mkPen(theme.panel))
        self._cross.setPen(pg.mkPen(theme.muted, width=1))
        self._moment.setPen(pg.mkPen(theme.accent, width=2))


_ROOMY = 44 * GRID
_WIDEST_VALUES = (numbers.loss(0.0), numbers.percent(1.0))


class _Legend(QWidget):
    """The three curves' names and values in places that stand still; painted, so that a new number moves no layout."""

    def __init__(self, names: tuple[str, str, str], themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._names = names
        self._themes = themes
        self._values = ("", "", "")
        self._room = 0
        self.setFont(small_font())
        self.setMinimumHeight(3 * GRID)
        themes.changed.connect(self.update)

    @property
    def values(self) -> tuple[str, str, str]:
        """What stands behind the names."""
        return self._values

    @property
    def places(self) -> tuple[int, ...]:
        """Where the names stand, from the left, in pixels; of the last two where there is no room for the first."""
        # A single batch says least, and its line is told from the others without a name.
        names = self._names if self._words_width(self._names) + 2 * GRID <= self._room else self._names[1:]
        gap = max(2, min(2 * GRID, (self._room - self._words_width(names)) // len(names)))
        return tuple(self._words_width(names[:number]) + number * gap for number in range(len(names)))

    def set_room(self, width: int) -> None:
        """So wide may it be, in pixels, whatever its place in the layout is."""
        if width != self._room:
            self._room = width
            self.update()

    def show_values(self, values: tuple[str, str, str]) -> None:
        """Show these values; nothing is painted again where they are the same."""
        if values != self._values:
            self._values = values
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        metrics = painter.fontMetrics()
        baseline = (self.height() + metrics.ascent() - metrics.descent()) // 2
        colours = (batch_colour(theme), theme.train, theme.test)
        places = self.places
        lines = list(zip(self._names, self._values, colours, strict=True))[-len(places) :]
        for left, (name, value, colour) in zip(places, lines, strict=True):
            width = metrics.horizontalAdvance(name)
            painter.fillRect(left, baseline + 3, width, 2, colour)
            painter.setPen(theme.muted)
            painter.drawText(left, baseline, name)
            painter.setPen(theme.text)
            painter.drawText(left + width + 4, baseline, value)

    def _words_width(self, names: Sequence[str]) -> int:
        """What these names take, each with a place for its value."""
        advance = self.fontMetrics().horizontalAdvance
        place = max(map(advance, _WIDEST_VALUES))
        return sum(advance(name) + 4 + place for name in names)


def batch_colour(theme: Theme) -> QColor:
    """The training colour, paled towards its ground: the line is drawn opaque, which is fast."""
    share, over, ground = 0.45, theme.train, theme.panel
    return QColor.fromRgbF(
        share * over.redF() + (1 - share) * ground.redF(),
        share * over.greenF() + (1 - share) * ground.greenF(),
        share * over.blueF() + (1 - share) * ground.blueF(),
    )
