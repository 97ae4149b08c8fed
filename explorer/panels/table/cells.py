"""How the layer table paints its rows, and the totals under them."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent, QPen, QStaticText
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTableView, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.numbers import ARROW
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.table.model import ICON, Cell, LayerTableModel
from explorer.panels.table.rows import ShownRows

ROW_HEIGHT = 3 * GRID
_MARGIN = GRID // 2
_BAR = 3
_MOST_TEXTS = 20_000


class LayerTableView(QTableView):
    """Paints its rows itself: icon and text, old → new while an edit is previewed, the share's bar, what is lit up.

    Qt asks a delegate in Python for each cell, with the options it would need; an edit of a large network then spends
    most of its frame there. Rows all have one height, so what is in sight is known without asking.
    """

    def __init__(
        self,
        model: LayerTableModel,
        rows: ShownRows,
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._rows = rows
        self._themes = themes
        self._texts: dict[str, tuple[QStaticText, float]] = {}
        self.setModel(rows)

    def setFont(self, font: QFont | str | Sequence[str]) -> None:
        self._texts.clear()
        super().setFont(font)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        rows, header = self.verticalHeader(), self.horizontalHeader()
        columns = [
            (column, self.columnViewportPosition(column), self.columnWidth(column))
            for column in range(header.count())
            if not header.isSectionHidden(column)
        ]
        seen = event.rect()
        columns = [
            (c, left, width) for c, left, width in columns if left < seen.right() + 1 and left + width > seen.left()
        ]
        first, last = rows.visualIndexAt(seen.top()), rows.visualIndexAt(seen.bottom())
        if first < 0 or not columns:
            if self._rows.is_filtered and not self._rows.rowCount():
                painter.setPen(self._themes.theme.muted)
                text = self.tr("No layer matches the filter. Esc clears it.")
                painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, text)
            return
        last = self._rows.rowCount() - 1 if last < 0 else last
        chosen = {index.row() for index in self.selectionModel().selectedRows()}
        highlight, right = self.palette().highlight(), columns[-1][1] + columns[-1][2]
        for row in range(first, last + 1):
            top = self.rowViewportPosition(row)
            if row in chosen:
                painter.fillRect(0, top, right, ROW_HEIGHT, highlight)
            source = self._rows.source_row(row)
            for column, left, width in columns:
                self._paint_cell(painter, left, top, width, self._model.cell(source, column))
        current = self.currentIndex()
        if self.hasFocus() and current.isValid() and first <= current.row() <= last:
            pen = QPen(self._themes.theme.accent, 1, Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(0, self.rowViewportPosition(current.row()), right - 1, ROW_HEIGHT - 1)

    def _paint_cell(self, painter: QPainter, left: int, top: int, width: int, cell: Cell) -> None:
        if cell.light is not None:
            painter.fillRect(left, top, width, ROW_HEIGHT, cell.light)
        start, end = left + _MARGIN, left + width - _MARGIN
        if cell.picture is not None:
            painter.drawPixmap(start, top + (ROW_HEIGHT - ICON) // 2, cell.picture)
            start += ICON + GRID
        if cell.text or cell.before:
            self._paint_text(painter, start, end, top, cell)
        if cell.share and cell.bar is not None:
            self._paint_bar(painter, QRectF(left, top, width, ROW_HEIGHT), cell.share, cell.bar)

    def _paint_text(self, painter: QPainter, start: int, end: int, top: int, cell: Cell) -> None:
        theme = self._themes.theme
        text, mode = cell.text, Qt.TextElideMode.ElideRight
        if cell.before is None:
            painter.setPen(cell.colour or theme.text)
        else:
            # A share's column has no room for two, and its bar moves besides.
            text = f"{cell.before} {ARROW} {cell.text}" if cell.before and cell.bar is None else cell.text
            painter.setPen(theme.accent)
            # In a column that is too narrow the new value is what has to be read.
            mode = Qt.TextElideMode.ElideLeft if cell.is_number else Qt.TextElideMode.ElideRight
        laid_out, width = self._laid_out(text)
        if width > end - start:
            laid_out, width = self._laid_out(self.fontMetrics().elidedText(text, mode, end - start))
        left = end - width if cell.is_number else start
        painter.drawStaticText(QPointF(left, top + (ROW_HEIGHT - laid_out.size().height()) / 2), laid_out)

    def _laid_out(self, text: str) -> tuple[QStaticText, float]:
        """The text ready to be drawn, and its width; most texts of a table are drawn again and again."""
        known = self._texts.get(text)
        if known is None:
            if len(self._texts) > _MOST_TEXTS:
                self._texts.clear()
            laid_out = QStaticText(text)
            laid_out.setTextFormat(Qt.TextFormat.PlainText)
            laid_out.prepare(font=self.font())
            known = self._texts[text] = (laid_out, laid_out.size().width())
        return known

    def _paint_bar(self, painter: QPainter, box: QRectF, share: float, colour: QColor) -> None:
        length = max(float(_BAR), (box.width() - 2 * _MARGIN) * share)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        right, top = box.right() - _MARGIN, box.bottom() - _BAR - 1
        painter.drawRoundedRect(QRectF(right - length, top, length, _BAR), _BAR / 2, _BAR / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


class TotalsRow(QWidget):
    """The sums, fixed under the table, in line with its columns."""

    def __init__(
        self, model: LayerTableModel, header: QHeaderView, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._header = header
        self._themes = themes
        self._stop: str | None = None
        self._previews = False
        self.setFont(body_font(bold=True))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        header.sectionResized.connect(self.update)
        header.sectionMoved.connect(self.update)
        themes.changed.connect(self.update)

    @property
    def title(self) -> str:
        """What the sums are of: "Total", "Up to conv2", or, under a filter, "Of the 12 shown"."""
        part = self._model.part
        if part is None:
            return self.tr("Total") if self._stop is None else self.tr("Up to %s") % self._stop
        shown = self.tr("Of the {} shown").format(numbers.exact_count(part.num_rows))
        return shown if self._is_whole else self.tr("{}, up to {}").format(shown, self._stop)

    @property
    def _is_whole(self) -> bool:
        """Whether all that is summed up is known."""
        part = self._model.part
        return self._stop is None if part is None else part.is_complete

    def text(self, column: int) -> str:
        """What stands under that column."""
        if column == LayerTableModel.ID:
            return self.title
        now = self._model.total(column, previewed=False)
        then = self._model.total(column, previewed=True)
        return now if now == then else f"{now} {ARROW} {then}"

    def show_stop(self, stop: str | None) -> None:
        """Show the model's sums, which reach up to `stop`; None: of the whole network."""
        self._stop = stop
        self.update()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(0, ROW_HEIGHT + GRID // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.window)
        painter.setPen(theme.border)
        painter.drawLine(0, 0, self.width(), 0)
        for column in range(self._model.columnCount()):
            text = self.text(column)
            if not text:
                continue
            left, width = self._header.sectionViewportPosition(column), self._header.sectionSize(column)
            room = QRect(left + _MARGIN, 1, width - 2 * _MARGIN, self.height() - 1)
            if column == LayerTableModel.ID:
                painter.setPen(theme.text if self._is_whole else theme.error)
                # Nothing stands under the layer's type, so the title may reach there.
                room.setWidth(room.width() + self._header.sectionSize(LayerTableModel.LAYER))
                painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
            else:
                painter.setPen(theme.accent if ARROW in text else theme.text)
                shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideLeft, room.width())
                painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            column = self._header.logicalIndexAt(event.pos().x())
            exact = self._model.exact_total(column) if column >= 0 else ""
            if column == LayerTableModel.ID and not self._is_whole:
                exact = self.tr("What follows %s is not known, and not in the sums") % self._stop
            QToolTip.showText(event.globalPos(), exact, self)
            return True
        return super().event(event)
