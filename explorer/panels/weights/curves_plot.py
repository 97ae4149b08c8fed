"""One number of every layer over the steps, on a logarithmic axis, drawn by pyqtgraph; imported once there is something
to draw, as pyqtgraph costs 0.2 s."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.plotting import add_mark, make_view, recolour

Values = npt.NDArray[np.floating[Any]]
_MOST_GROUPS = 200
"""Of which a line has the least and the greatest value each."""
_LEAST_PLAIN, _MOST_PLAIN = -4, 3
"""Exponents of an axis whose numbers need no power of ten."""
_NEAR = 12
"""Pixels from a line at which it is meant."""


def envelope(steps: npt.NDArray[np.int64], values: Values, most: int = _MOST_GROUPS) -> tuple[Values, Values]:
    """The few points of lines that a plot can show: steps `(m,)` and values `(m, layers)`.

    Every value where they fit; else the least and the greatest of each group of steps, so that no peak is lost.
    """
    count = len(steps)
    if count <= 2 * most:
        return steps.astype(np.float64), values
    starts = np.arange(0, count, -(-count // most))
    both = np.stack([np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)], axis=1)
    firsts = steps[starts].astype(np.float64)
    ends = np.append(firsts[1:], steps[-1])
    return np.stack([firsts, (firsts + ends) / 2], axis=1).reshape(-1), both.reshape(-1, values.shape[1])


class LayersPlot(QWidget):
    """A line for each layer.

    Signals:
        layer_chosen(str): a line was clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, title: str, about: str, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._steps: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._names: tuple[str, ...] = ()
        self._logs: Values = np.empty((0, 0))
        self._colours: tuple[QColor, ...] = ()
        self._selected: str | None = None
        self._healthy: float | None = None
        self._limits: tuple[float, float] | None = None
        heading = RoleLabel(themes, font=body_font(bold=True), parent=self)
        heading.setText(title)
        self.about = about
        self.words = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.words.show_text(about)
        self._view = make_view(self.tr("step"), 6 * GRID, self)
        item = self._view.getPlotItem()
        self._box = item.getViewBox()
        self._lines: list[Any] = []
        self._emphasised = pg.PlotCurveItem(antialias=True, connect="finite")
        self._emphasised.setZValue(5)
        item.addItem(self._emphasised, ignoreBounds=True)
        self._healthy_line = add_mark(self._view, is_level=True)
        self._mark = add_mark(self._view)
        self._view.viewport().installEventFilter(self)
        self._view.viewport().setMouseTracking(True)
        row = QHBoxLayout()
        row.setSpacing(GRID + 4)
        row.addWidget(heading)
        row.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._view, 1)
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    @property
    def lines(self) -> Mapping[str, Values]:
        """The logarithms of what is drawn, by layer."""
        return {name: self._logs[:, place] for place, name in enumerate(self._names)}

    def show_healthy(self, value: float, text: str) -> None:
        """Mark a value."""
        self._healthy = float(np.log10(value))
        self._healthy_line.setPos(self._healthy)
        # Its words have to be read, whatever lines run there.
        self._healthy_line.setZValue(10)
        self._healthy_line.show()
        self._label = pg.InfLineLabel(self._healthy_line, text, position=0.98, anchors=[(1, 1), (1, 1)])
        self._label.setFont(small_font())
        self._recolour(self._themes.theme)

    def show_lines(
        self, steps: npt.NDArray[np.int64], values: Mapping[str, Values], colours: Mapping[str, QColor]
    ) -> None:
        """Draw these.

        Args:
            steps: `(n,)`, ascending.
            values: `(n,)` of each layer; what is not above zero has no place on the axis and is left out.
            colours: of each layer.
        """
        self._steps, self._names = steps, tuple(values)
        self._colours = tuple(colours[name] for name in self._names)
        stacked = np.array([values[name] for name in self._names], np.float64).reshape(len(values), len(steps)).T
        with np.errstate(divide="ignore", invalid="ignore"):
            self._logs = np.where(stacked > 0, np.log10(stacked), np.nan)
        self._logs[~np.isfinite(self._logs)] = np.nan
        self._draw()

    def select(self, name: str | None) -> None:
        """Emphasise a layer."""
        if name != self._selected:
            self._selected = name
            self._emphasise()

    def mark(self, step: int | None) -> None:
        """Mark a step, or none."""
        self._mark.setVisible(step is not None)
        if step is not None:
            self._mark.setPos(step)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.words.show_text(self.about)
        elif isinstance(event, QMouseEvent):
            found = self._near(event.position())
            if event.type() == QEvent.Type.MouseMove:
                self.words.show_text(self.about if found is None else self._said(*found))
            elif event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                if found is not None:
                    self.layer_chosen.emit(self._names[found[0]])
                return True
        return False

    def _said(self, layer: int, row: int) -> str:
        value = 10 ** float(self._logs[row, layer])
        return self.tr("{0}: {1} at step {2}").format(
            self._names[layer], f"{value:#.3g}".rstrip("."), f"{self._steps[row]:,}"
        )

    def _near(self, position: QPointF) -> tuple[int, int] | None:
        if not len(self._steps) or not self._names:
            return None
        scene = self._view.mapToScene(position.toPoint())
        if not self._box.sceneBoundingRect().contains(scene):
            return None
        place = self._box.mapSceneToView(QPointF(scene))
        row = int(np.argmin(np.abs(self._steps - place.x())))
        distances = np.abs(self._logs[row] - place.y())
        if np.all(np.isnan(distances)):
            return None
        layer = int(np.nanargmin(distances))
        pixel = self._box.viewPixelSize()[1]
        return (layer, row) if distances[layer] <= _NEAR * pixel else None

    def _draw(self) -> None:
        item = self._view.getPlotItem()
        steps, logs = envelope(self._steps, self._logs)
        groups: dict[int, list[int]] = {}
        for place, colour in enumerate(self._colours):
            groups.setdefault(colour.rgb(), []).append(place)
        while len(self._lines) < len(groups):
            # Thousands of strokes of one pixel: smoothing them costs ten times as much and shows no more.
            line = pg.PlotCurveItem(antialias=False, connect="finite")
            self._lines.append(line)
            item.addItem(line, ignoreBounds=True)
        for line, (shade, places) in zip(self._lines, groups.items(), strict=False):
            # One item for lines of one colour, broken in between.
            x = np.tile(np.append(steps, np.nan), len(places))
            y = np.append(logs[:, places], np.full((1, len(places)), np.nan), axis=0).T.reshape(-1)
            line.setData(x, y)
            line.setPen(pg.mkPen(QColor.fromRgb(shade), width=1))
        for line in self._lines[len(groups) :]:
            line.setData([], [])
        self._show_range()
        self._emphasise()

    def _emphasise(self) -> None:
        if self._selected not in self._names:
            self._emphasised.setData([], [])
            return
        place = self._names.index(self._selected)
        steps, logs = envelope(self._steps, self._logs[:, place : place + 1])
        self._emphasised.setData(steps, logs[:, 0])
        self._emphasised.setPen(pg.mkPen(self._themes.theme.test, width=3))

    def _show_range(self) -> None:
        last = int(self._steps[-1]) if len(self._steps) else 1
        first = int(self._steps[0]) if len(self._steps) else 0
        if [first, max(last, first + 1)] != self._box.viewRange()[0]:
            self._box.setXRange(first, max(last, first + 1), padding=0)
        finite = self._logs[np.isfinite(self._logs)]
        if not len(finite):
            return
        low, high = float(finite.min()), float(finite.max())
        if self._healthy is not None:
            low, high = min(low, self._healthy - 0.3), max(high, self._healthy + 0.3)
        # In steps of half a power of ten, so that the axis stands still mostly.
        limits = (np.floor(low * 2) / 2, np.ceil(high * 2) / 2)
        if limits != self._limits:
            self._limits = limits
            self._box.setYRange(*limits, padding=0.02)
            axis = self._view.getPlotItem().getAxis("left")
            powers = range(int(np.ceil(limits[0])), int(np.floor(limits[1])) + 1)
            every = max(1, len(powers) // 6)
            # One form on one axis.
            is_plain = limits[0] >= _LEAST_PLAIN and limits[1] <= _MOST_PLAIN
            major = [(power, _written(1, power, is_plain)) for power in powers if power % every == 0]
            # Within less than two powers of ten there are few of them to go by.
            between = [(p + float(np.log10(f)), _written(f, p, is_plain)) for p in range(-12, 6) for f in (2, 5)]
            axis.setTicks([major + (between if limits[1] - limits[0] <= 2 else [])])

    def _recolour(self, theme: Theme) -> None:
        recolour(self._view, theme)
        self._mark.setPen(pg.mkPen(theme.accent, width=1))
        self._healthy_line.setPen(pg.mkPen(theme.good, width=1, style=Qt.PenStyle.DashLine))
        if self._healthy is not None:
            self._label.setColor(theme.good)
            # Lines run below it.
            self._label.fill = pg.mkBrush(theme.panel)
            self._label.update()
        self._emphasise()


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _written(factor: int, exponent: int, is_plain: bool) -> str:
    if is_plain or exponent in (0, 1):
        return f"{factor * 10.0**exponent:g}"
    power = f"10{str(exponent).translate(_RAISED)}"
    return power if factor == 1 else f"{factor}·{power}"
