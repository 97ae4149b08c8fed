"""One output's weights enlarged, with their numbers where there is room; and the scale that colours are read by."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.look.ramps import diverging, opaque, picture, signed_levels
from explorer.look.theme import GRID, Theme, ThemeSource, small_font
from explorer.panels.weights.arrangement import colours
from explorer.panels.weights.kernels import Floats

_GREYS = opaque(*(np.arange(255, dtype=np.uint32)[None] for _ in range(3)))
MOST_NUMBERS = 7
"""A kernel with more rows or columns shows no numbers."""
_GAP = GRID
_LARGEST_CELL = 8 * GRID


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float) -> str:
    """A number in three digits: "0.123", "−12.3", "0.00280", "−1.40e-5"."""
    magnitude = abs(value)
    if not math.isfinite(value) or not magnitude:
        return "0" if not magnitude else str(value)
    if not 0.001 <= magnitude < 99_950:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", numbers.MINUS, 1 if value < 0 else 0)
    decimals = max(0, 2 - int(f"{magnitude:.2e}".split("e")[1]))
    return f"{value:.{decimals}f}".replace("-", numbers.MINUS)


def in_common(values: Floats) -> tuple[list[str], str]:
    """Numbers with as many decimals each, and what all are to be multiplied by: `(["0.12", "−3.40"], "×10⁻³")`."""
    largest = float(np.abs(np.nan_to_num(values)).max(initial=0.0))
    power = 0
    if largest and not 0.1 <= largest < 1000:
        power = 3 * math.floor(math.log10(largest) / 3)
    scaled = values.astype(np.float64) / 10.0**power
    top = largest / 10.0**power
    decimals = 3 if top < 1 else 2 if top < 10 else 1 if top < 100 else 0
    texts = [f"{value:.{decimals}f}".replace("-", numbers.MINUS) for value in scaled.reshape(-1).tolist()]
    return texts, f"×10{str(power).translate(_RAISED)}" if power else ""


class KernelView(QWidget):
    """Kernels side by side, each with a heading.

    Signals:
        hovered(int, int, int): kernel, row and column under the mouse; -1 when there is none.
    """

    hovered = Signal(int, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._kernels: Floats = np.zeros((0, 1, 1), np.float32)
        self._headings: tuple[str, ...] = ()
        self._limit = 0.0
        self._in_colour = False
        self._images: list[QImage] = []
        self._levels = np.zeros((0, 1, 1), np.uint8)
        self._texts: list[str] = []
        self._factor = ""
        self._num_values = 0
        self._is_row = False
        self._number_width: float = math.inf
        """Pixels that each number needs; without end where none is shown."""
        self.setFont(small_font())
        self.setMouseTracking(True)
        self.setMinimumSize(10 * GRID, 8 * GRID)
        themes.changed.connect(self._redraw)

    @property
    def kernels(self) -> Floats:
        """What is shown, `(kernels, height, width)`."""
        return self._kernels

    def show_kernels(
        self,
        kernels: Floats,
        headings: tuple[str, ...],
        limit: float,
        *,
        in_colour: bool,
        num_values: int | None = None,
    ) -> None:
        """Show these.

        Args:
            kernels: `(kernels, height, width)`.
            headings: of each; with `in_colour` one more, that of the picture in colour.
            limit: the magnitude at the end of the scale.
            in_colour: whether the kernels are red, green and blue of one picture, which then comes first.
            num_values: how many values a row that was broken into lines has, what follows only filling the last one;
                None for kernels.
        """
        self._num_values = kernels.size if num_values is None else num_values
        self._is_row = num_values is not None
        self._kernels, self._headings, self._limit, self._in_colour = kernels, headings, limit, in_colour
        self._redraw()

    def text(self) -> str:
        """The numbers, a line a row, kernels one below another."""
        if self._is_row:
            return "\t".join(f"{value:.7g}" for value in self._kernels.flat[: self._num_values])
        blocks = ["\n".join("\t".join(f"{value:.7g}" for value in row) for row in kernel) for kernel in self._kernels]
        return "\n\n".join(blocks)

    def sizeHint(self) -> QSize:
        return QSize(28 * GRID, 20 * GRID)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        for place in range(len(self._images)):
            rect = self.rect_of(place)
            if rect.contains(event.position()):
                at = event.position() - rect.topLeft()
                height, width = self._kernels.shape[1:]
                row, column = int(at.y() / rect.height() * height), int(at.x() / rect.width() * width)
                self.hovered.emit(place - self._in_colour, min(row, height - 1), min(column, width - 1))
                return
        self.hovered.emit(-1, 0, 0)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.hovered.emit(-1, 0, 0)
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._themes.theme
        painter.fillRect(self.rect(), theme.panel)
        painter.setFont(small_font())
        metrics = QFontMetricsF(painter.font())
        for place, image in enumerate(self._images):
            rect = self.rect_of(place)
            painter.setPen(theme.muted)
            head = QRectF(rect.left(), rect.top() - metrics.height() - 2, max(rect.width(), 40), metrics.height())
            heading = self._headings[place]
            if (
                self._factor
                and place >= self._in_colour
                and self._number_width <= rect.width() / self._kernels.shape[2]
            ):
                heading = f"{heading} · {self._factor}"
            text = metrics.elidedText(heading, Qt.TextElideMode.ElideRight, head.width())
            painter.drawText(head, Qt.AlignmentFlag.AlignLeft, text)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, rect.width() < image.width())
            painter.drawImage(rect, image)
            painter.setPen(QPen(theme.border, 1))
            painter.drawRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5))
            if place >= self._in_colour:
                self._paint_numbers(painter, rect, place - self._in_colour, metrics)

    def rect_of(self, place: int) -> QRectF:
        """Where a picture lies."""
        columns, cell_width, cell_height = self._grid()
        height, width = self._kernels.shape[1:]
        line = self.fontMetrics().height() + 2
        row, column = divmod(place, columns)
        left = 1 + column * (cell_width * width + _GAP)
        top = line + row * (cell_height * height + line + 4)
        return QRectF(left, top, cell_width * width, cell_height * height)

    def _grid(self) -> tuple[int, float, float]:
        """Columns, and a value's width and height: square, but for numbers, which may need a wider place."""
        height, width = self._kernels.shape[1:]
        count = len(self._images)
        line = self.fontMetrics().height() + 2
        best: tuple[tuple[bool, float], int, float, float] = ((False, 0.0), 1, 1.0, 1.0)
        for columns in range(1, count + 1):
            rows = -(-count // columns)
            room_x = (self.width() - 2 - (columns - 1) * _GAP) / columns / width
            room_y = (self.height() - 2 - rows * line - (rows - 1) * 4) / rows / height
            side = min(_LARGEST_CELL, room_x, room_y)
            side = math.floor(side) if side >= 1 else max(side, 0.05)
            fits = self._number_width <= side and line <= side
            best = max(best, ((fits, side), columns, side, side))
            tall = math.floor(min(_LARGEST_CELL, room_y))
            if not fits and line - 3 <= tall and self._number_width <= room_x:
                best = max(best, ((True, tall), columns, math.floor(min(room_x, max(tall, self._number_width))), tall))
        return best[1:]

    def _paint_numbers(self, painter: QPainter, rect: QRectF, place: int, metrics: QFontMetricsF) -> None:
        height, width = self._kernels.shape[1:]
        across, down = rect.width() / width, rect.height() / height
        if self._number_width > across or metrics.height() - 1 > down:
            return
        ramp = diverging(self._themes.theme)
        for row in range(height):
            for column in range(width):
                ground = QColor.fromRgb(int(ramp[self._levels[place, row, column]]))
                painter.setPen(_readable(ground))
                at = QRectF(rect.left() + column * across, rect.top() + row * down, across, down)
                painter.drawText(at, Qt.AlignmentFlag.AlignCenter, self._texts[(place * height + row) * width + column])

    def _redraw(self, _theme: Theme | None = None) -> None:
        ramp = diverging(self._themes.theme)
        self._texts, self._factor = [], ""
        self._number_width = math.inf
        if len(self._kernels) and max(self._kernels.shape[1:]) <= MOST_NUMBERS:
            self._texts, self._factor = in_common(self._kernels)
            self._texts[self._num_values :] = [""] * (self._kernels.size - self._num_values)
            metrics = QFontMetricsF(small_font())
            widest = max(metrics.horizontalAdvance(text) for text in self._texts)
            self._number_width = math.ceil(widest) + 4
        limits = np.full(len(self._kernels), self._limit, np.float32)
        self._levels = signed_levels(self._kernels, self._limit)
        self._images = [picture(image) for image in colours(self._kernels, limits, ramp)]
        if self._in_colour and len(self._kernels) == 3:
            whole = self._kernels.transpose(1, 2, 0)[None]
            self._images.insert(0, picture(colours(whole, limits[:1], ramp)[0]))
        self.update()


class ScaleBar(QWidget):
    """The diverging scale, or the greys of one colour, with its ends and zero written below."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._words = ("", "", "")
        self._is_grey = False
        self.setFont(small_font())
        self.setFixedSize(26 * GRID, 4 * GRID)
        themes.changed.connect(self.update)

    @property
    def words(self) -> tuple[str, str, str]:
        """What stands at the low end, at zero and at the high end."""
        return self._words

    def show_scale(self, low: str, zero: str, high: str, *, is_grey: bool = False) -> None:
        """Say what the ends and the middle are.

        Args:
            low: at the left end, as `zero` in the middle and `high` at the right.
            zero: see `low`.
            high: see `low`.
            is_grey: whether a value is the depth of one colour of a picture, from dark to light.
        """
        if ((low, zero, high), is_grey) != (self._words, self._is_grey):
            self._words, self._is_grey = (low, zero, high), is_grey
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._themes.theme
        inner = QRectF(1, 2, self.width() - 2, 9)
        painter.drawImage(inner, picture(_GREYS if self._is_grey else diverging(theme)[None]))
        painter.setPen(QPen(theme.border, 1))
        painter.drawRect(inner.adjusted(-0.5, -0.5, 0.5, 0.5))
        middle = inner.center().x()
        painter.setPen(QPen(theme.text, 1))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, inner.bottom() + 3))
        painter.setPen(theme.muted)
        words = QRectF(0, inner.bottom() + 3, self.width(), self.height() - inner.bottom() - 3)
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        for side, text in zip(sides, self._words, strict=True):
            painter.drawText(words, side | Qt.AlignmentFlag.AlignVCenter, text)


def _readable(ground: QColor) -> QColor:
    # Relative luminance of a ground on which black and white have the same contrast is about 0.18.
    light = 0.2126 * ground.redF() ** 2.2 + 0.7152 * ground.greenF() ** 2.2 + 0.0722 * ground.blueF() ** 2.2
    return QColor("#000000") if light > 0.18 else QColor("#ffffff")
