"""One output pixel as arithmetic: patch times weights, tap by tap, summed over taps and channels, plus the bias.

Of a pooling only the patch is drawn, with the largest tap marked or the divisor said. Small windows show their numbers,
larger ones colours, with the number under the mouse.
"""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.look import ramps
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.layer_walk.colours import (
    colour,
    colours,
    ink_on,
    short,
)
from explorer.panels.layer_walk.grid import Grid
from explorer.panels.layer_walk.words import Words
from explorer.session.layer_arithmetic import Floats, Sum

MOST_NUMBERS = 7
"""Windows of more taps along a side are colours."""
_TITLE = 15.0
_LINE = 17.0
_CELL_WIDTHS = (21.0, 64.0)
_EASY_WIDTH = 34.0
_CELL_HEIGHTS = (11.5, 36.0)
_SIGN = 20.0
"""Room for "×" and "="."""
_SMALL = (26.0, 64.0)
"""Least and greatest side of a channel's products as a small picture."""


class Scales(NamedTuple):
    """The magnitudes that have the strongest colours."""

    patch: float
    weights: float
    output: float


class _Hit(NamedTuple):
    """Where a grid of taps lies."""

    area: QRectF
    rows: int
    columns: int


class _Cells(NamedTuple):
    """How the taps are drawn."""

    width: float
    height: float
    has_numbers: bool


def wanted_width(taps: int, has_weights: bool) -> int:
    """Pixels in which a window of so many taps along a row has its numbers in a size that is easily read."""
    grids = 3 if has_weights else 1
    return int(grids * min(taps, MOST_NUMBERS) * _EASY_WIDTH + (grids - 1) * _SIGN) + 2


class SumView(QWidget):
    """The sum of one output.

    Signals:
        pointed(object): the tap (row, column) under the mouse, None for none.
        channel_chosen(int): an input channel, to be looked at closely.
    """

    pointed = Signal(object)
    channel_chosen = Signal(int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._words = Words(self.tr)
        self._sum: Sum | None = None
        self._shown = 0
        self._scales = Scales(1, 1, 1)
        self._tap: tuple[int, int] | None = None
        self._grids: list[_Hit] = []
        self._chips: list[tuple[QRectF, int]] = []
        self._offset = 0.0
        self.setMouseTracking(True)
        self.setMinimumSize(30 * GRID, 10 * GRID)
        self.setAccessibleName(self.tr("Arithmetic of one output"))
        themes.changed.connect(self.update)

    @property
    def found(self) -> Sum | None:
        """What is shown."""
        return self._sum

    def sizeHint(self) -> QSize:
        return QSize(70 * GRID, 24 * GRID)

    def show_sum(self, found: Sum | None, channel: int, scales: Scales) -> None:
        """Show how an output comes about, one input channel of it closely."""
        self._sum, self._scales = found, scales
        self._shown = found.reads.index(channel) if found is not None and channel in found.reads else 0
        self.update()

    def point_at(self, tap: tuple[int, int] | None) -> None:
        """Mark a tap and say its numbers."""
        if tap != self._tap:
            self._tap = tap
            self.update()

    # Qt

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        tap = self._tap_under(event.position())
        self.setCursor(
            Qt.CursorShape.PointingHandCursor
            if self._chip_under(event.position()) is not None
            else Qt.CursorShape.ArrowCursor
        )
        if tap != self._tap:
            self.point_at(tap)
            self.pointed.emit(tap)

    def leaveEvent(self, event: object) -> None:
        self.point_at(None)
        self.pointed.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        chip = self._chip_under(event.position())
        if event.button() == Qt.MouseButton.LeftButton and chip is not None:
            self.channel_chosen.emit(chip)

    def _tap_under(self, position: QPointF) -> tuple[int, int] | None:
        for hit in self._grids:
            if hit.area.contains(position):
                row = int((position.y() - hit.area.top()) / hit.area.height() * hit.rows)
                column = int((position.x() - hit.area.left()) / hit.area.width() * hit.columns)
                return min(row, hit.rows - 1), min(column, hit.columns - 1)
        return None

    def _chip_under(self, position: QPointF) -> int | None:
        return next((channel for area, channel in self._chips if area.contains(position)), None)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        found = self._sum
        self._grids, self._chips = [], []
        if found is None:
            return
        painter = QPainter(self)
        painter.setFont(small_font())
        has_channels = len(found.reads) > 1
        rows = found.state.shape[0]
        below = 2 * _LINE + 2
        small = min(_SMALL[1], max(_SMALL[0], (self.height() - below - _TITLE) / 5))
        least = min(rows * _CELL_HEIGHTS[0], 72.0)
        for_channels = small + 2 * _LINE + 2
        has_caption = self.height() - below - _TITLE - for_channels >= 1.4 * least
        if not has_caption:
            small = _SMALL[0]
            for_channels = small + _LINE + 2
        if has_channels and self.height() - below - _TITLE - for_channels < 0.8 * least:
            has_channels = False
        room = self.height() - below - _TITLE - (for_channels if has_channels else 0.0)
        cells = self._cells(found, max(room, 24.0))
        used = _TITLE + cells.height * rows + below + (for_channels if has_channels else 0.0)
        slack = max(0.0, self.height() - used)
        gap = min(slack / 4, 2.0 * GRID)
        # In the middle of what is left, as its neighbours are.
        painter.translate(0, self._shift(slack, gap))
        y = self._paint_grids(painter, found, cells) + gap
        y = self._paint_line(painter, y, self._tap_text(found) or self._words.window_sum(found, self._shown)) + gap
        if has_channels:
            y = self._paint_channels(painter, found, y, small, has_caption) + gap
        self._paint_result(painter, found, y)

    def _shift(self, slack: float, gap: float) -> float:
        self._offset = float(int(max(0.0, slack - 3 * gap) / 2))
        return self._offset

    def _cells(self, found: Sum, room: float) -> _Cells:
        """How large a tap is drawn, and whether with its number."""
        rows, columns = found.state.shape
        count = 3 if found.weights is not None else 1
        width = (self.width() - 2.0 - _SIGN * (count - 1)) / count
        most = 1.0 if count > 1 else 1.6
        cell_width, cell_height = (
            min(width / columns, _CELL_WIDTHS[1] * most),
            min(room / rows, _CELL_HEIGHTS[1] * most),
        )
        has_numbers = (
            max(rows, columns) <= MOST_NUMBERS and cell_width >= _CELL_WIDTHS[0] and cell_height >= _CELL_HEIGHTS[0]
        )
        if not has_numbers:
            cell_width = cell_height = min(cell_width, cell_height)
        return _Cells(min(cell_width, max(38.0, 2.4 * cell_height)), cell_height, has_numbers)

    def _paint_grids(self, painter: QPainter, found: Sum, cells: _Cells) -> float:
        """The patch, and where there are weights those and the products; returns where they end."""
        taps = found.state.shape
        grids: list[tuple[str, Floats, float]] = [
            (self._words.patch(found, self._shown), found.patch[self._shown], self._scales.patch)
        ]
        if found.weights is not None:
            products = self._scales.patch * self._scales.weights
            grids.append((self._words.weights(found), found.weights[self._shown], self._scales.weights))
            grids.append((self._words.products(), found.products[self._shown], products * 0.6))
        width = (self.width() - 2.0 - _SIGN * (len(grids) - 1)) / len(grids)
        cell_width, cell_height, has_numbers = cells.width, cells.height, cells.has_numbers
        column = cell_width * taps[1]
        used = max(column, min(width, 110.0))
        left = max(1.0, (self.width() - used * len(grids) - _SIGN * (len(grids) - 1)) / 2)
        for place, (title, values, scale) in enumerate(grids):
            x = left + place * (used + _SIGN)
            painter.setPen(self._themes.theme.muted)
            metrics = QFontMetricsF(painter.font())
            text = metrics.elidedText(title, Qt.TextElideMode.ElideRight, used + _SIGN * 0.8)
            area = QRectF(x + (used - column) / 2, _TITLE, column, cell_height * taps[0])
            painter.drawText(QRectF(area.left(), 0, used + _SIGN, _TITLE), Qt.AlignmentFlag.AlignLeft, text)
            drawn = Grid(area, has_numbers, is_patch=place == 0)
            drawn.paint(painter, values, scale, found, self._themes.theme)
            drawn.frame(painter, found.best, taps, self._themes.theme.accent)
            drawn.frame(painter, self._tap, taps, self._themes.theme.text)
            self._grids.append(_Hit(area.translated(0, self._offset), *taps))
            if place:
                painter.setPen(self._themes.theme.text)
                painter.setFont(body_font(bold=True))
                sign = QRectF(x - _SIGN, area.top(), _SIGN, area.height())
                painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, "×" if place == 1 else "=")
                painter.setFont(small_font())
        return float(_TITLE + cell_height * taps[0])

    def _tap_text(self, found: Sum) -> str:
        """The numbers of the tap under the mouse; empty without one."""
        tap = self._tap
        if tap is None or tap[0] >= found.state.shape[0] or tap[1] >= found.state.shape[1]:
            return ""
        return self._words.tap(found, self._shown, tap)

    def _paint_line(self, painter: QPainter, y: float, text: str) -> float:
        painter.setPen(self._themes.theme.text)
        text = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, self.width() - 2.0)
        painter.drawText(QRectF(1, y, self.width() - 2, _LINE), Qt.AlignmentFlag.AlignCenter, text)
        return y + _LINE

    def _paint_channels(self, painter: QPainter, found: Sum, y: float, small: float, has_caption: bool) -> float:
        """Every input channel's products as a small picture with its sum; those that do not fit as one number."""
        theme = self._themes.theme
        rows, columns = found.state.shape
        scale = min(small / rows, small / columns)
        picture = QSize(max(3, int(columns * scale)), max(3, int(rows * scale)))
        chip, plus = max(picture.width(), 46.0), 12.0
        count = len(found.reads)
        fits = max(1, int((self.width() - 2.0) / (chip + plus)))
        if count > fits:
            others_width = 84.0
            fits = max(1, int((self.width() - others_width) / (chip + plus)))
        first = max(0, min(self._shown - fits // 2, count - fits))
        chosen = range(first, min(first + fits, count))
        rest = count - len(chosen)
        total = len(chosen) * (chip + plus) - plus + (plus + 84.0 if rest else 0.0)
        x = max(1.0, (self.width() - total) / 2)
        top = y
        if has_caption:
            painter.setPen(theme.muted)
            caption = QRectF(1, y, self.width() - 2, _LINE)
            painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, self._words.channels(found))
            top += _LINE
        strength = self._scales.patch * self._scales.weights * 0.6
        for place in chosen:
            target = QRectF(x + (chip - picture.width()) / 2, top, picture.width(), picture.height())
            painter.drawImage(target, ramps.picture(colours(found.products[place], strength, theme)))
            painter.setPen(QPen(theme.accent, 2) if place == self._shown else QPen(theme.border, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(target)
            painter.setPen(theme.text if place == self._shown else theme.muted)
            label = QRectF(x - plus / 2, top + small + 1, chip + plus, _LINE)
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, short(float(found.channel_sums[place]), 3))
            self._chips.append((QRectF(x, top + self._offset, chip, small + _LINE), found.reads[place]))
            x += chip + plus
            if place != chosen[-1] or rest:
                painter.setPen(theme.muted)
                painter.drawText(QRectF(x - plus, top, plus, small), Qt.AlignmentFlag.AlignCenter, "+")
        if rest:
            others = float(found.channel_sums.sum() - found.channel_sums[chosen.start : chosen.stop].sum())
            painter.setPen(theme.muted)
            area = QRectF(x, top, 84, small)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._words.others(rest))
            painter.drawText(QRectF(x, top + small + 1, 84, _LINE), Qt.AlignmentFlag.AlignCenter, short(others, 3))
        return top + small + _LINE + 2

    def _paint_result(self, painter: QPainter, found: Sum, y: float) -> None:
        """The whole sum on one line, its result in the output's colour, and torch's beside it."""
        theme = self._themes.theme
        before, result, after = self._words.result(found)
        plain, bold = body_font(), body_font(bold=True)
        swatch = colour(found.output, self._scales.output, theme)
        pieces = ((before, plain, False), (result, bold, True), (after, small_font(), False))
        widths = [
            QFontMetricsF(font).horizontalAdvance(text) + (12 if is_result else 8) for text, font, is_result in pieces
        ]
        if sum(widths) > self.width():
            plain = small_font()
            first = QFontMetricsF(plain).horizontalAdvance(before) + QFontMetricsF(_bold(plain)).horizontalAdvance(
                result
            )
            room = max(0.0, self.width() - first - 29)
            after = QFontMetricsF(plain).elidedText(after, Qt.TextElideMode.ElideRight, room)
            pieces = ((before, plain, False), (result, _bold(plain), True), (after, plain, False))
            widths = [
                QFontMetricsF(font).horizontalAdvance(text) + (12 if is_result else 8)
                for text, font, is_result in pieces
            ]
        x = max(1.0, (self.width() - sum(widths)) / 2)
        for (text, font, is_result), width in zip(pieces, widths, strict=True):
            area = QRectF(x, y, width, _LINE)
            painter.setFont(font)
            if is_result:
                painter.setPen(QPen(theme.accent, 1.5))
                painter.setBrush(swatch)
                painter.drawRect(area.adjusted(1, 0.5, -1, -0.5))
                painter.setPen(ink_on(found.output, self._scales.output, theme))
            else:
                painter.setPen(theme.text if font is plain else theme.muted)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
            x += width


def _bold(font: QFont) -> QFont:
    result = QFont(font)
    result.setWeight(QFont.Weight.DemiBold)
    return result
