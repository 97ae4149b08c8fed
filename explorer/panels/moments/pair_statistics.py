"""Two moments of a layer's statistics: how its weights, gradients and activations are distributed, and its numbers.

Left and right share their axes; the third column lays both outlines over each other and says what changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.moments.pair_words import PairWords, change, points, value
from explorer.panels.weights.history import KINDS, Kind, common_range, histogram_of, one_column, strip
from explorer.runs import Histogram, LayersMeasured, LayerStatistics
from explorer.runs.moments_packing import Moment

_BINS = 64
_NUMBERS = ("weight_norm", "gradient_norm", "update_ratio", "dead", "saturated")
_SHARES = ("update_ratio", "dead", "saturated")
Bins = npt.NDArray[np.float32]


class Outline(NamedTuple):
    """One kind of values: outlines over one axis."""

    kind: Kind
    low: float
    high: float
    most: float
    """The share of a bin that is as high as the plot."""
    shares: tuple[Bins | None, ...]
    """What part of the values lies in each bin, of each outline; None where a moment has none."""


class StatisticsPage(QWidget):
    """Three columns of outlines with numbers below."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(OutlinesView(themes, places, self) for places in ((0,), (1,), (0, 1)))
        self._names: dict[Kind, str] = {
            "weights": self.tr("weights"),
            "gradients": self.tr("gradients"),
            "activations": self.tr("activations"),
        }
        self._number_names = dict(
            zip(
                _NUMBERS,
                (
                    self.tr("norm of the weights"),
                    self.tr("norm of the gradient"),
                    self.tr("update to weights"),
                    self.tr("dead channels"),
                    self.tr("saturated values"),
                ),
                strict=True,
            )
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        for column in self.columns:
            row.addWidget(column, 1)

    def show_pair(self, left: Sequence[Moment], right: Sequence[Moment], node_id: str) -> PairWords:
        """Show the statistics of a layer; what there is to say of it."""
        before, after = statistics_of(left, node_id), statistics_of(right, node_id)
        if before is None or after is None:
            for column in self.columns:
                column.show_outlines([], {}, [])
            return PairWords(note=self.tr("These moments hold no statistics of one layer."))
        outlines = [found for kind in KINDS if (found := outline_of(kind, before, after)) is not None]
        pairs = [(name, getattr(before, name), getattr(after, name)) for name in _NUMBERS]
        pairs = [pair for pair in pairs if pair[1:] != (None, None)]
        for place, column in enumerate(self.columns):
            lines = [(self._number_names[name], self._written(name, both, place)) for name, *both in pairs]
            column.show_outlines(outlines, self._names, lines)
        note = "" if outlines or pairs else self.tr("{0} has no statistics.").format(node_id)
        # Where one is measured more seldom than the rest, the last before is shown.
        steps = tuple(self.tr("measured at step {0}").format(f"{_step_of(one):,}") for one in (left, right))
        return PairWords((steps[0], steps[1], self.tr("both over each other")), note)

    def _written(self, name: str, both: Sequence[float | None], place: int) -> str:
        """The number of a moment, or what changed (2)."""
        if place < 2:
            known = both[place]
            if known is None:
                return numbers.UNKNOWN
            return numbers.percent(known, 2) if name in _SHARES else value(known)
        before, after = both
        if before is None or after is None:
            return numbers.UNKNOWN
        by = after - before
        return self.tr("{0} points").format(points(by, 2)) if name in _SHARES else change(by)


class OutlinesView(QWidget):
    """Outlines above each other, and lines of text below."""

    def __init__(self, themes: ThemeSource, places: Sequence[int], parent: QWidget | None = None) -> None:
        """Draw nothing yet.

        Args:
            places: of each outline's two, those that are drawn: the pinned moment's (0), the other's (1).
        """
        super().__init__(parent)
        self._themes = themes
        self._places = tuple(places)
        self.outlines: tuple[Outline, ...] = ()
        self._names: dict[Kind, str] = {}
        self.lines: tuple[tuple[str, str], ...] = ()
        self.setFont(small_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_outlines(
        self, outlines: Sequence[Outline], names: dict[Kind, str], lines: Sequence[tuple[str, str]]
    ) -> None:
        """Show these, with what kinds are called, above lines of a name and a number each."""
        self.outlines, self._names, self.lines = tuple(outlines), names, tuple(lines)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(36 * GRID, 46 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * GRID, 30 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, metrics = self._themes.theme, self.fontMetrics()
        height = metrics.height()
        foot = self.height() - len(self.lines) * (height + 2)
        each = (foot - GRID) / max(1, len(self.outlines))
        for place, outline in enumerate(self.outlines):
            self._draw(painter, outline, QRectF(0, place * each, self.width(), each - GRID))
        for place, (name, number) in enumerate(self.lines):
            line = QRectF(0, foot + place * (height + 2), self.width(), height)
            painter.setPen(theme.muted)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(theme.text)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number)

    def _draw(self, painter: QPainter, outline: Outline, rect: QRectF) -> None:
        theme, height = self._themes.theme, self.fontMetrics().height()
        painter.setPen(theme.text)
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self._names[outline.kind])
        plot = rect.adjusted(0, height + 2, -1, -height - 2)
        painter.setPen(QPen(theme.border, 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        if outline.low < 0 < outline.high:
            zero = plot.left() - outline.low / (outline.high - outline.low) * plot.width()
            painter.setPen(QPen(theme.grid, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(zero, plot.top()), QPointF(zero, plot.bottom()))
        axis = QRectF(plot.left(), plot.bottom() + 2, plot.width(), height)
        painter.setPen(theme.muted)
        painter.drawText(axis, Qt.AlignmentFlag.AlignLeft, value(outline.low))
        painter.drawText(axis, Qt.AlignmentFlag.AlignRight, value(outline.high))
        # As they are marked on the scrubber.
        for place, colour in zip((0, 1), (theme.test, theme.accent), strict=True):
            shares = outline.shares[place]
            if place not in self._places:
                continue
            if shares is None:
                if self._places == (place,):
                    painter.drawText(plot, Qt.AlignmentFlag.AlignCenter, numbers.UNKNOWN)
                continue
            xs = plot.left() + np.arange(len(shares) + 1) / len(shares) * plot.width()
            ys = plot.bottom() - shares / outline.most * plot.height()
            points_ = [QPointF(plot.left(), plot.bottom())]
            for x, after, y in zip(xs[:-1].tolist(), xs[1:].tolist(), ys.tolist(), strict=True):
                points_ += [QPointF(x, y), QPointF(after, y)]
            points_.append(QPointF(plot.right(), plot.bottom()))
            fill = QColor(colour)
            fill.setAlpha(50)
            painter.setBrush(fill)
            painter.setPen(QPen(colour, 1))
            painter.drawPolygon(QPolygonF(points_))


def statistics_of(events: Sequence[Moment], node_id: str) -> LayerStatistics | None:
    """What a moment has of a layer; None for nothing."""
    return next((event.layers.get(node_id) for event in events if isinstance(event, LayersMeasured)), None)


def measured_nodes(events: Sequence[Moment]) -> tuple[str, ...]:
    """The layers that a moment has statistics of."""
    return next((tuple(event.layers) for event in events if isinstance(event, LayersMeasured)), ())


def outline_of(kind: Kind, before: LayerStatistics, after: LayerStatistics) -> Outline | None:
    """Both distributions over one axis; None where neither moment has one."""
    found = histogram_of(before, kind), histogram_of(after, kind)
    known = [histogram for histogram in found if histogram is not None]
    if not known:
        return None
    ends = [common_range(one_column(histogram)) for histogram in known]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    edges = np.linspace(low, high, _BINS + 1)
    shares = tuple(None if histogram is None else _shares(histogram, edges) for histogram in found)
    most = max(float(one.max()) for one in shares if one is not None)
    return Outline(kind, low, high, most or 1.0, shares)


def _shares(histogram: Histogram, edges: npt.NDArray[np.floating]) -> Bins:
    shares: Bins = strip(one_column(histogram), edges)[0]
    return shares


def _step_of(events: Sequence[Moment]) -> int:
    return next(event.step for event in events if isinstance(event, LayersMeasured))
