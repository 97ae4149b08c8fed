"""How the layer table paints a cell and its totals row."""

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from explorer.look.numbers import ARROW
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.table_model import Cell, Index, LayerTableModel

ROW_HEIGHT = 3 * GRID
_MARGIN = GRID // 2
_BAR = 3
_ICON = 2 * GRID
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class CellDelegate(QStyledItemDelegate):
    """Paints a cell as a whole: its tint, icon and text, old → new while an edit is previewed, the share's bar."""

    def __init__(
        self,
        model: LayerTableModel,
        sorted_model: QSortFilterProxyModel,
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._sorted = sorted_model
        self._themes = themes

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        source = self._sorted.mapToSource(index)
        cell = self._model.cell(source.row(), source.column())
        box = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, option.palette.highlight())
        if cell.light is not None:
            painter.fillRect(box, cell.light)
        room = box.adjusted(_MARGIN, 0, -_MARGIN, 0)
        if cell.picture is not None:
            top = box.top() + (box.height() - _ICON) // 2
            cell.picture.paint(painter, QRect(room.left(), top, _ICON, _ICON))
            room.setLeft(room.left() + _ICON + GRID)
        if cell.text or cell.before:
            self._paint_text(painter, option, room, cell)
        if cell.share and cell.bar is not None:
            self._paint_bar(painter, box, cell.share, cell.bar)

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, cell: Cell) -> None:
        theme = self._themes.theme
        if cell.before is not None:
            # A share's column has no room for two, and its bar moves besides.
            text = f"{cell.before} {ARROW} {cell.text}" if cell.before and cell.bar is None else cell.text
            painter.setPen(theme.accent)
            # In a column that is too narrow the new value is what has to be read.
            mode = Qt.TextElideMode.ElideLeft if cell.is_number else Qt.TextElideMode.ElideRight
        else:
            text, mode = cell.text, Qt.TextElideMode.ElideRight
            painter.setPen(cell.colour or theme.text)
        metrics = option.fontMetrics
        if metrics.horizontalAdvance(text) > room.width():
            text = metrics.elidedText(text, mode, room.width())
        painter.setFont(option.font)
        painter.drawText(room, _RIGHT if cell.is_number else _LEFT, text)

    def _paint_bar(self, painter: QPainter, box: QRect, share: float, colour: QColor) -> None:
        length = max(float(_BAR), (box.width() - 2 * _MARGIN) * share)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        right, top = box.right() + 1 - _MARGIN, box.bottom() - _BAR
        painter.drawRoundedRect(QRectF(right - length, top, length, _BAR), _BAR / 2, _BAR / 2)


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
        """What the sums are of: "Total", or "Up to conv2"."""
        return self.tr("Total") if self._stop is None else self.tr("Up to %s") % self._stop

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
                painter.setPen(theme.text if self._stop is None else theme.error)
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
            if column == LayerTableModel.ID and self._stop is not None:
                exact = self.tr("What follows %s is not known, and not in the sums") % self._stop
            QToolTip.showText(event.globalPos(), exact, self)
            return True
        return super().event(event)
