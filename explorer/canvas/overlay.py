"""What gestures draw over the network: ports, the wire at the pointer, what it fits, and the lines that cards snap to.

Painted as the view's foreground, in the scene's coordinates, so that no item of the scene comes and goes with it.
"""

from dataclasses import dataclass, replace

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsView

from explorer.canvas.ports import RADIUS, Port
from explorer.look.theme import GRID, ThemeSource

_MARGIN = 2 * GRID
"""Around what is drawn, in pixels of the screen, for its lines' widths."""
_DIMMED = 150
"""Of 255: how far cards that a wire cannot lead to step back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """All that is drawn, in the scene's coordinates."""

    ports: tuple[Port, ...] = ()
    lit: QPointF | None = None
    """The port or wire's end under the pointer."""
    line: tuple[QPointF, QPointF] | None = None
    """The wire at the pointer, from an output to an input."""
    is_refused: bool = False
    fitting: tuple[QRectF, ...] = ()
    """Cards that the wire may lead to."""
    dimmed: tuple[QRectF, ...] = ()
    """Cards that it may not."""
    target: QRectF | None = None
    guides: tuple[QLineF, ...] = ()

    @property
    def bounds(self) -> QRectF:
        """Around all of it; null where there is nothing."""
        rect = QRectF()
        for port in self.ports:
            rect = rect.united(_around(port.place))
        if self.lit is not None:
            rect = rect.united(_around(self.lit))
        if self.line is not None:
            rect = rect.united(_wire(*self.line).boundingRect())
        for box in (*self.fitting, *self.dimmed, *(() if self.target is None else (self.target,))):
            rect = rect.united(box)
        for guide in self.guides:
            rect = rect.united(QRectF(guide.p1(), guide.p2()).normalized().adjusted(-1, -1, 1, 1))
        return rect


class Overlay:
    """Draws over a view."""

    def __init__(self, view: QGraphicsView, themes: ThemeSource) -> None:
        self._view = view
        self._themes = themes
        self.drawn = Drawn()

    def show(self, drawn: Drawn) -> None:
        """Draw this and nothing else."""
        if drawn == self.drawn:
            return
        before, self.drawn = self.drawn.bounds, drawn
        area = before.united(drawn.bounds)
        if not area.isEmpty():
            region = self._view.mapFromScene(area).boundingRect()
            self._view.viewport().update(region.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))

    def clear(self) -> None:
        """Draw nothing."""
        self.show(Drawn())

    def show_ports(self, ports: tuple[Port, ...], lit: QPointF | None) -> None:
        """Draw the ports of a card, one of them under the pointer."""
        self.show(replace(Drawn(), ports=ports, lit=lit))

    def paint(self, painter: QPainter, zoom: float) -> None:
        """Draw it."""
        drawn = self.drawn
        if drawn == Drawn():
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_cards(painter, zoom)
        self._paint_guides(painter, zoom)
        if drawn.line is not None:
            self._paint_line(painter, zoom, drawn.line)
        for port in drawn.ports:
            self._paint_port(painter, zoom, port.place, is_lit=port.place == drawn.lit, is_free=_is_free(port))
        if drawn.lit is not None and all(port.place != drawn.lit for port in drawn.ports):
            self._paint_port(painter, zoom, drawn.lit, is_lit=True, is_free=False)
        painter.restore()

    def _paint_cards(self, painter: QPainter, zoom: float) -> None:
        theme, drawn = self._themes.theme, self.drawn
        veil = QColor(theme.canvas)
        veil.setAlpha(_DIMMED)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(veil)
        for box in drawn.dimmed:
            painter.drawRect(box.adjusted(-1, -1, 1, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        soft = QColor(theme.accent)
        soft.setAlpha(130)
        painter.setPen(QPen(soft, 1.5 / zoom))
        for box in drawn.fitting:
            painter.drawRoundedRect(box, GRID * 0.75, GRID * 0.75)
        if drawn.target is not None:
            painter.setPen(QPen(theme.error if drawn.is_refused else theme.accent, 2.5 / zoom))
            away = 2 / zoom
            painter.drawRoundedRect(drawn.target.adjusted(-away, -away, away, away), GRID, GRID)

    def _paint_guides(self, painter: QPainter, zoom: float) -> None:
        pen = QPen(self._themes.theme.accent, 1 / zoom)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.drawLines(list(self.drawn.guides))

    def _paint_line(self, painter: QPainter, zoom: float, line: tuple[QPointF, QPointF]) -> None:
        theme = self._themes.theme
        colour = theme.error if self.drawn.is_refused else theme.accent
        pen = QPen(colour, max(2.0, 1.5 / zoom))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if self.drawn.is_refused:
            pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_wire(*line))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for end in line:
            painter.drawEllipse(end, 3.5 / zoom, 3.5 / zoom)

    def _paint_port(self, painter: QPainter, zoom: float, place: QPointF, *, is_lit: bool, is_free: bool) -> None:
        theme = self._themes.theme
        radius = (RADIUS + 1.5 if is_lit else RADIUS) / max(zoom, 0.5)
        painter.setPen(QPen(theme.accent, 1.5 / zoom))
        painter.setBrush(theme.accent if is_lit else theme.card)
        painter.drawEllipse(place, radius, radius)
        if is_free:
            painter.setPen(QPen(theme.accent_text if is_lit else theme.accent, 1.5 / zoom))
            arm = radius * 0.55
            painter.drawLine(place - QPointF(arm, 0), place + QPointF(arm, 0))
            painter.drawLine(place - QPointF(0, arm), place + QPointF(0, arm))


def _is_free(port: Port) -> bool:
    """Whether one more wire may arrive there, which a plus says."""
    return not port.is_output and port.wire is None


def _wire(start: QPointF, end: QPointF) -> QPainterPath:
    """From an output, which it leaves downwards, to an input, where it arrives from above."""
    bend = max(3.0 * GRID, min(12.0 * GRID, abs(end.y() - start.y()) / 2))
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(0, bend), end - QPointF(0, bend), end)
    return path


def _around(place: QPointF) -> QRectF:
    return QRectF(place.x() - _MARGIN, place.y() - _MARGIN, 2 * _MARGIN, 2 * _MARGIN)
