"""A pyqtgraph plot as every panel here draws it: flat, small type, a quiet grid, no menu and no buttons of its own.

Imported only once there is something to draw, as pyqtgraph costs 0.2 s.
"""

from typing import Any

import pyqtgraph as pg
from PySide6.QtWidgets import QGraphicsItem, QWidget

from explorer.look.theme import GRID, Theme, small_font

_AXES = ("bottom", "left")


def make_view(bottom: str, left_width: int, parent: QWidget, *, can_pan: bool = False) -> pg.PlotWidget:
    """An empty plot, which scales nothing by itself.

    Args:
        bottom: what the horizontal axis counts.
        left_width: of the value axis, in pixels; fixed, so that plots over each other share their steps.
        parent: where it lies.
        can_pan: whether the mouse moves it along the horizontal axis.
    """
    view = pg.PlotWidget(parent)
    view.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
    item = view.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setContentsMargins(0, 4, GRID, 0)
    box = item.getViewBox()
    box.setMouseEnabled(x=can_pan, y=False)
    box.disableAutoRange()
    item.getAxis("bottom").label.setFont(small_font())
    item.setLabel("bottom", bottom)
    for name in _AXES:
        axis = item.getAxis(name)
        axis.enableAutoSIPrefix(False)
        axis.setStyle(tickFont=small_font(), tickLength=-4)
        # An axis costs 5 ms to paint and rarely changes.
        axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
    item.getAxis("left").setWidth(left_width)
    item.showGrid(x=False, y=True, alpha=0.25)
    return view


def add_mark(view: pg.PlotWidget, *, is_level: bool = False) -> Any:
    """A line across the plot at one step, or at one value; hidden until it is needed."""
    mark = pg.InfiniteLine(angle=0 if is_level else 90, movable=False)
    mark.hide()
    view.getPlotItem().addItem(mark, ignoreBounds=True)
    return mark


def recolour(view: pg.PlotWidget, theme: Theme) -> None:
    """Draw ground and axes in the theme's colours."""
    view.setBackground(theme.panel)
    for name in _AXES:
        axis = view.getPlotItem().getAxis(name)
        axis.setPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.muted))
