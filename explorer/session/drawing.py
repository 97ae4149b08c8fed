"""What somebody draws with the mouse: strokes, and the small picture that they make, white on black as MNIST's."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPen, QTransform

_FINER = 8
"""Pixels of the drawing a pixel of the picture has on each side, averaged: strokes get soft edges."""
_MOST_FINE = 1024
_DIGIT_SHARE = 20 / 28
"""Of a side; "normalized to fit in a 20×20 pixel box … centered in a 28×28 image" (MNIST's page, LeCun et al.)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line of the pen, in shares of the sheet's side, 0 to 1."""

    points: tuple[tuple[float, float], ...]
    """x and y; one point is a dot."""
    width: float
    erases: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Strokes in the order in which they were made."""

    strokes: tuple[Stroke, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was drawn."""
        return not any(not stroke.erases for stroke in self.strokes)

    def begun(self, x: float, y: float, width: float, *, erases: bool = False) -> "Drawing":
        """With a new stroke."""
        return Drawing((*self.strokes, Stroke(points=((x, y),), width=width, erases=erases)))

    def drawn_to(self, x: float, y: float) -> "Drawing":
        """With the last stroke going on to there."""
        *others, last = self.strokes
        return Drawing((*others, replace(last, points=(*last.points, (x, y)))))

    def undone(self) -> "Drawing":
        """Without the last stroke."""
        return Drawing(self.strokes[:-1])


def paint(painter: QPainter, drawing: Drawing, side: float) -> None:
    """Draw the strokes on a sheet of that many pixels, whose ground is black."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for stroke in drawing.strokes:
        colour = Qt.GlobalColor.black if stroke.erases else Qt.GlobalColor.white
        pen = QPen(colour, stroke.width * side, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        points = [QPointF(x * side, y * side) for x, y in stroke.points]
        if len(points) == 1:
            painter.drawPoint(points[0])
        else:
            path = QPainterPath(points[0])
            for point in points[1:]:
                path.lineTo(point)
            painter.drawPath(path)


def picture(drawing: Drawing, height: int, width: int, *, fits: bool) -> npt.NDArray[np.uint8]:
    """The drawing as `(height, width)` from black 0 to white 255, soft at the edges.

    Args:
        drawing: on a square sheet, which lies in the middle of a picture that is none.
        height: of the picture.
        width: of the picture.
        fits: scale what was drawn to five sevenths of the side, and bring its centre of mass to the middle, as far as
            nothing is cut off: MNIST's digits are so.
    """
    side = min(height, width)
    finer = max(1, min(_FINER, _MOST_FINE // side))
    fine = QImage(side * finer, side * finer, QImage.Format.Format_Grayscale8)
    fine.fill(0)
    painter = QPainter(fine)
    paint(painter, drawing, side * finer)
    painter.end()
    if fits:
        fine = _fitted(fine)
    rows = np.frombuffer(fine.constBits(), np.uint8).reshape(side * finer, fine.bytesPerLine())[:, : side * finer]
    small = rows.reshape(side, finer, side, finer).mean((1, 3)).round().astype(np.uint8)
    result = np.zeros((height, width), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    result[top : top + side, left : left + side] = small
    result.flags.writeable = False
    return result


def _fitted(fine: QImage) -> QImage:
    side = fine.width()
    rows = np.frombuffer(fine.constBits(), np.uint8).reshape(side, fine.bytesPerLine())[:, :side]
    lines, columns = np.flatnonzero(rows.any(1)), np.flatnonzero(rows.any(0))
    if not len(lines):
        return fine
    top, bottom, left, right = lines[0], lines[-1] + 1, columns[0], columns[-1] + 1
    scale = side * _DIGIT_SHARE / max(bottom - top, right - left)
    weights = rows.astype(np.float64)
    centre_y = float((weights.sum(1) * (np.arange(side) + 0.5)).sum() / weights.sum())
    centre_x = float((weights.sum(0) * (np.arange(side) + 0.5)).sum() / weights.sum())
    # A centre far from the middle of what was drawn would push it over the edge.
    room = side / 2 / scale
    centre_y = min(max(centre_y, bottom - room), top + room)
    centre_x = min(max(centre_x, right - room), left + room)
    result = QImage(side, side, QImage.Format.Format_Grayscale8)
    result.fill(0)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setTransform(QTransform().translate(side / 2, side / 2).scale(scale, scale).translate(-centre_x, -centre_y))
    painter.drawImage(QRectF(0, 0, side, side), fine)
    painter.end()
    return result
