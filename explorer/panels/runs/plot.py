"""Curves of several runs over each other, drawn by pyqtgraph; imported only once there is something to draw.

A run's test is a line with points, where they have room, else with its last one; its training is a dashed line, both in
the run's own colour. A run that is shown alone has its batches behind them, as the Training tab draws them.
"""

from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.curves.data import Floats, nice_limit
from explorer.panels.curves.plot import batch_colour
from explorer.panels.plotting import make_view, recolour

_HEADROOM = 1.04
_POINT_PITCH = 7
"""Pixels between two points, below which their rims would cover the line."""
_EMPTY = np.empty(0)


class RunLines(NamedTuple):
    """What is drawn of one run, everything over epochs."""

    colour: QColor
    epochs: Floats
    train: Floats
    test: Floats
    batch_epochs: Floats = _EMPTY
    batch: Floats = _EMPTY
    train_colour: QColor | None = None
    """Where it is another one."""


class RunsPlot(QWidget):
    """One measure of several runs."""

    def __init__(self, title: str, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._lines: tuple[RunLines, ...] = ()
        self._limit: float | None = None
        self._points: list[tuple[pg.PlotDataItem, RunLines]] = []
        heading = RoleLabel(themes, font=body_font(bold=True), parent=self)
        heading.setText(title)
        key = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        key.setText(self.tr("test ——  train - - -"))
        self._view = make_view(self.tr("epoch"), 5 * GRID, self)
        self._item = self._view.getPlotItem()
        row = QHBoxLayout()
        row.setContentsMargins(5 * GRID, 0, GRID, 0)
        row.addWidget(heading)
        row.addStretch(1)
        row.addWidget(key)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._view, 1)
        self._item.getViewBox().sigResized.connect(lambda _box: self._put_points())
        themes.changed.connect(self._redraw)
        self._redraw(themes.theme)

    @property
    def lines(self) -> tuple[RunLines, ...]:
        """What is drawn."""
        return self._lines

    def show_lines(self, lines: tuple[RunLines, ...], num_epochs: float, limit: float | None = None) -> None:
        """Draw these runs.

        Args:
            num_epochs: the right end.
            limit: the top of the axis; None for what the lines need.
        """
        self._lines, self._limit = lines, limit
        self._item.getViewBox().setXRange(0, max(1.0, num_epochs), padding=0.02)
        self._draw()

    def _draw(self) -> None:
        self._item.clear()
        self._points = []
        theme = self._themes.theme
        for line in self._lines:
            if len(line.batch):
                pale = batch_colour(theme)
                curve = pg.PlotCurveItem(line.batch_epochs, line.batch, pen=pg.mkPen(pale, width=1), connect="finite")
                self._item.addItem(curve, ignoreBounds=True)
        for line in self._lines:
            dashed = pg.mkPen(line.train_colour or line.colour, width=1.5, style=Qt.PenStyle.DashLine)
            self._item.addItem(pg.PlotDataItem(line.epochs, line.train, pen=dashed, antialias=True), ignoreBounds=True)
            test = pg.PlotDataItem(line.epochs, line.test, pen=pg.mkPen(line.colour, width=2), antialias=True)
            # One smoothed stroke of many corners takes Qt fifty times as long as its parts by themselves.
            test.curve.setSegmentedLineMode("on")
            points = pg.PlotDataItem(
                pen=None,
                symbol="o",
                symbolSize=5,
                symbolBrush=pg.mkBrush(line.colour),
                symbolPen=pg.mkPen(theme.panel),
                antialias=True,
            )
            self._item.addItem(test, ignoreBounds=True)
            self._item.addItem(points, ignoreBounds=True)
            self._points.append((points, line))
        self._put_points()
        self._item.getViewBox().setYRange(0, self._top() * _HEADROOM, padding=0)

    def _put_points(self) -> None:
        box = self._item.getViewBox()
        first, last = box.viewRange()[0]
        has_room = (last - first) * _POINT_PITCH <= box.width()
        for points, line in self._points:
            places = np.flatnonzero(np.isfinite(line.test))[0 if has_room else -1 :]
            points.setData(line.epochs[places], line.test[places])

    def _top(self) -> float:
        if self._limit is not None:
            return self._limit
        values = np.concatenate(
            [_EMPTY, *(part for line in self._lines for part in (line.train, line.test, line.batch))]
        )
        values = values[np.isfinite(values)]
        return nice_limit(float(values.max(initial=0.0)))

    def _redraw(self, theme: Theme) -> None:
        recolour(self._view, theme)
        self._draw()
