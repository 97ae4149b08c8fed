"""A layer's input with the rim that padding adds, the window upon it to scale, and the pixels that nothing reads."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from explorer.look.ramps import picture
from explorer.look.theme import ThemeSource
from explorer.panels.layer_walk.colours import colours, decimals_of, hatch, ink_on, reach, short
from explorer.panels.layer_walk.map import VALUE_CELL, MapView, Region
from explorer.session.layer_arithmetic import Sum, Walk
from explorer.session.layer_window import ABSENT, BETWEEN

_OUTLINED = 7.0
"""Cells below this size are filled where they are taps: a frame would cover them and their neighbours."""
_MOST_TAPS = 400
"""Windows of more taps are drawn as a frame alone."""


class InputView(MapView):
    """One input channel. The window is where the output on show reads."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, parent)
        self._walk: Walk | None = None
        self._channel = 0
        self._values: npt.NDArray[np.float32] = np.zeros((1, 1), np.float32)
        self._scale = 1.0
        self._sum: Sum | None = None
        self._tap: tuple[int, int] | None = None
        self._marked: tuple[int, int] | None = None
        self.setAccessibleName(self.tr("Input"))

    @property
    def scale(self) -> float:
        """The magnitude that has the strongest colour."""
        return self._scale

    @property
    def marked(self) -> tuple[int, int] | None:
        """The pixel whose readers are shown."""
        return self._marked

    def show_input(self, walk: Walk | None, channel: int = 0) -> None:
        """Show a channel of the input; the window is where it was until `show_sum`."""
        same = walk is not None and self._walk is not None and walk.slide.rows.size == self._walk.slide.rows.size
        self._walk, self._channel = walk, channel
        if walk is None:
            self._set_span(0, 0, 0, 0)
        else:
            self._values = walk.input_map(channel)
            self._scale = reach(self._values)
            (top, bottom), (left, right) = walk.slide.rows.span, walk.slide.columns.span
            self._set_span(top, left, bottom, right)
            if not same:
                self._marked = None
        self._arrange()
        self.refresh()

    def show_sum(self, found: Sum | None) -> None:
        """Put the window where this output reads."""
        self._sum = found
        if found is not None and self._walk is not None:
            rows, columns = self._walk.slide
            (top, bottom), (left, right) = rows.extent(found.row), columns.extent(found.column)
            self._set_focus(top, left, bottom - top, right - left)
        self.update()

    def point_at(self, tap: tuple[int, int] | None) -> None:
        """Mark one tap of the window."""
        if tap != self._tap:
            self._tap = tap
            self.update()

    def mark(self, place: tuple[int, int] | None) -> None:
        """Mark a pixel."""
        self._marked = place
        self.update()

    def tap_at(self, row: int, column: int) -> tuple[int, int] | None:
        """The tap of the window that lies at a place; None if none does."""
        if self._sum is None or self._walk is None:
            return None
        rows, columns = self._walk.slide
        down = np.flatnonzero(rows.places[self._sum.row] == row)
        across = np.flatnonzero(columns.places[self._sum.column] == column)
        if not len(down) or not len(across):
            return None
        tap = int(down[0]), int(across[0])
        return None if self._sum.state[tap] == ABSENT else tap

    # Painting

    def _extended(self, region: Region) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """What taps would read at every place of the region, NaN where nothing; and whether that is the map itself."""
        assert self._walk is not None
        rows, columns = self._walk.slide
        down, across = rows.sources_at(region.top, region.bottom), columns.sources_at(region.left, region.right)
        values = self._values[np.ix_(np.maximum(down, 0), np.maximum(across, 0))].astype(np.float64)
        values[down < 0] = np.nan
        values[:, across < 0] = np.nan
        inside = [
            (places >= 0) & (places < axis.size)
            for axis, places in (
                (rows, np.arange(region.top, region.bottom)),
                (columns, np.arange(region.left, region.right)),
            )
        ]
        return values, np.logical_and.outer(*inside)

    def _paint_base(self, painter: QPainter, region: Region) -> None:
        assert self._walk is not None
        theme = self._themes.theme
        values, inside = self._extended(region)
        pixels = colours(values, self._scale, theme)
        painter.drawImage(region.area, picture(pixels))
        rows, columns = self._walk.slide
        whole = region.rect(0, 0, rows.size, columns.size)
        # The rim, whose copies are paler than the pixels that they are copies of.
        rim = QColor(theme.panel)
        rim.setAlpha(110)
        for piece in _around(region.area, whole):
            painter.fillRect(piece, rim)
            painter.fillRect(piece, hatch(theme.muted, 120))
        self._paint_cells(painter, region, region.area)
        self._paint_unread(painter, region)
        if region.cell >= VALUE_CELL:
            self._paint_values(painter, region, np.where(inside, values, np.nan))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.muted, 1, Qt.PenStyle.DotLine))
        # What padding adds ends where the windows may hang over (`ceil_mode`).
        added = region.rect(
            -max(rows.before, 0),
            -max(columns.before, 0),
            rows.size + max(rows.before, 0) + max(rows.after, 0),
            columns.size + max(columns.before, 0) + max(columns.after, 0),
        )
        painter.drawRect(added)
        painter.setPen(QPen(theme.text, 1.4))
        painter.drawRect(whole)

    def _paint_unread(self, painter: QPainter, region: Region) -> None:
        assert self._walk is not None
        rows, columns = self._walk.slide
        down, across = ~rows.is_read, ~columns.is_read
        if not down.any() and not across.any():
            return
        lines = hatch(self._themes.theme.error, 230, Qt.BrushStyle.BDiagPattern)
        veil = QColor(self._themes.theme.panel)
        veil.setAlpha(120)
        for start, end in _runs(down):
            band = region.rect(start, 0, end - start, columns.size)
            painter.fillRect(band, veil)
            painter.fillRect(band, lines)
        kept = _runs(~down)
        for left, right in _runs(across):
            for start, end in kept:
                band = region.rect(start, left, end - start, right - left)
                painter.fillRect(band, veil)
                painter.fillRect(band, lines)

    def _paint_values(self, painter: QPainter, region: Region, values: npt.NDArray[np.float64]) -> None:
        decimals = decimals_of(self._scale)
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                painter.setPen(ink_on(float(value), self._scale, self._themes.theme))
                cell = region.rect(row + region.top, column + region.left)
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, short(float(value), decimals))

    def _paint_marks(self, painter: QPainter, region: Region) -> None:
        if self._sum is None or self._walk is None:
            return
        theme, (rows, columns) = self._themes.theme, self._walk.slide
        found = self._sum
        (top, bottom), (left, right) = rows.extent(found.row), columns.extent(found.column)
        frame = region.rect(top, left, bottom - top, right - left)
        self._paint_next(painter, region, frame)
        has_gaps = bool(np.diff(rows.places[found.row]).max(initial=1) > 1) or bool(
            np.diff(columns.places[found.column]).max(initial=1) > 1
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _outline(painter, frame, theme.accent, theme.panel, 1.2 if has_gaps else 2.2, dashed=has_gaps)
        is_split = has_gaps or bool((found.state == BETWEEN).any())
        if is_split and found.state.size <= _MOST_TAPS:
            self._paint_taps(painter, region)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for place, tint in ((self._tapped(self._tap or found.best), theme.text), (self._marked, theme.good)):
            if place is not None:
                _outline(painter, region.rect(*place), tint, theme.panel, 2.0)

    def _tapped(self, tap: tuple[int, int] | None) -> tuple[float, float] | None:
        """The place of a tap of the window."""
        if tap is None or self._sum is None or self._walk is None:
            return None
        rows, columns = self._walk.slide
        if tap[0] >= rows.taps or tap[1] >= columns.taps:
            return None
        return float(rows.places[self._sum.row, tap[0]]), float(columns.places[self._sum.column, tap[1]])

    def _paint_taps(self, painter: QPainter, region: Region) -> None:
        """Where the window has gaps: a frame for each tap, and a ring for one that meets no pixel."""
        assert self._walk is not None
        assert self._sum is not None
        theme, found = self._themes.theme, self._sum
        rows, columns = self._walk.slide
        for i, row in enumerate(rows.places[found.row]):
            for j, column in enumerate(columns.places[found.column]):
                cell = region.rect(float(row), float(column))
                if found.state[i, j] == ABSENT:
                    continue
                if found.state[i, j] == BETWEEN:
                    painter.setPen(QPen(theme.muted, 1))
                    painter.drawEllipse(cell.center(), region.cell / 6, region.cell / 6)
                elif region.cell < _OUTLINED:
                    painter.fillRect(cell, theme.accent)
                else:
                    _outline(painter, cell.adjusted(0.5, 0.5, -0.5, -0.5), theme.accent, theme.panel, 1.8)

    def _paint_next(self, painter: QPainter, region: Region, frame: QRectF) -> None:
        """Where the window goes next, with the step as an arrow."""
        assert self._walk is not None
        assert self._sum is not None
        columns = self._walk.slide.columns
        step = columns.step
        if not step or self._sum.column + 1 >= columns.outputs:
            return
        theme, moved = self._themes.theme, frame.translated(step * region.cell, 0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ghost = QColor(theme.accent)
        ghost.setAlpha(170)
        painter.setPen(QPen(ghost, 1.4, Qt.PenStyle.DashLine))
        if moved.left() < frame.right():
            # Only what is new: a frame within a frame would be taken for something of its own.
            right = frame.right()
            painter.drawPolyline(
                [QPointF(right, moved.top()), moved.topRight(), moved.bottomRight(), QPointF(right, moved.bottom())]
            )
        else:
            painter.drawRect(moved)
        if step * region.cell < 7:
            return
        painter.setPen(QPen(theme.accent, 1.6))
        y = frame.bottom() + 4 if frame.bottom() + 6 < region.area.bottom() else frame.top() - 4
        start, end = QPointF(frame.left(), y), QPointF(moved.left(), y)
        painter.drawLine(start, end)
        painter.drawLine(end, end + QPointF(-3, -3))
        painter.drawLine(end, end + QPointF(-3, 3))

    def _overview(self) -> QImage:
        if self._walk is None:
            return QImage()
        top, left, bottom, right = self._span
        values, _ = self._extended(Region(top, left, bottom, right, 1.0, QPointF()))
        return picture(colours(values, self._scale, self._themes.theme))


def _runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where a mask holds: (first, end) of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _around(outer: QRectF, inner: QRectF) -> list[QRectF]:
    """What of a rectangle lies around another, as up to four that do not overlap."""
    inner = inner.intersected(outer)
    if inner.isEmpty():
        return [outer]
    pieces = [
        QRectF(outer.left(), outer.top(), outer.width(), inner.top() - outer.top()),
        QRectF(outer.left(), inner.bottom(), outer.width(), outer.bottom() - inner.bottom()),
        QRectF(outer.left(), inner.top(), inner.left() - outer.left(), inner.height()),
        QRectF(inner.right(), inner.top(), outer.right() - inner.right(), inner.height()),
    ]
    return [piece for piece in pieces if piece.width() > 0.5 and piece.height() > 0.5]


def _outline(
    painter: QPainter, rect: QRectF, tint: QColor, ground: QColor, width: float, *, dashed: bool = False
) -> None:
    """A frame that stands out from any colour under it."""
    painter.setPen(QPen(ground, width + 2))
    painter.drawRect(rect)
    painter.setPen(QPen(tint, width, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
    painter.drawRect(rect)
