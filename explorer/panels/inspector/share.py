"""Slim bars: which layers hold the parameters, or do the work."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.layers import Category
from explorer.look.numbers import exact_count, percent
from explorer.look.theme import GRID, ThemeSource, body_font

_ROW = 3 * GRID
_BAR = 4
_MOST_ROWS = 16


class Share(NamedTuple):
    """One layer's part."""

    node_id: str
    category: Category
    amount: int


class ShareBars(QWidget):
    """A row a layer, in the network's order; of many layers the largest, and the rest in one row.

    Signals:
        chosen(str): the user clicked the row of this node.
    """

    chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._shares: list[Share] = []
        self._total = 0
        self._others = (0, 0)
        self._write: Callable[[float], str] = exact_count
        self.setFont(body_font())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def shares(self) -> list[Share]:
        """The rows that are shown."""
        return self._shares

    @property
    def others(self) -> tuple[int, int]:
        """How many layers have no row of their own, and their sum."""
        return self._others

    def apply(self, shares: Sequence[Share], write: Callable[[float], str] = exact_count) -> None:
        """Show these parts of their sum; layers without any are left out.

        Args:
            write: the amounts as text, for the tooltip.
        """
        self._write = write
        present = [share for share in shares if share.amount]
        self._total = sum(share.amount for share in present)
        if len(present) > _MOST_ROWS:
            least = sorted((share.amount for share in present), reverse=True)[_MOST_ROWS - 1]
            kept = [share for share in present if share.amount >= least][:_MOST_ROWS]
        else:
            kept = present
        self._others = (len(present) - len(kept), self._total - sum(share.amount for share in kept))
        rows = self._row_count()
        self._shares = kept
        if self._row_count() != rows:
            self.updateGeometry()
        self.update()

    def _row_count(self) -> int:
        return len(self._shares) + bool(self._others[0])

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(24 * GRID, self._row_count() * _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, share in enumerate(self._shares):
            self._paint_row(painter, row, share.node_id, share.amount, share.category)
        if self._others[0]:
            name = self.tr("%d others") % self._others[0]
            self._paint_row(painter, len(self._shares), name, self._others[1], None)

    def _paint_row(self, painter: QPainter, row: int, name: str, amount: int, category: Category | None) -> None:
        theme = self._themes.theme
        share = amount / self._total
        figure = percent(share)
        top, text_height = row * _ROW, _ROW - _BAR - 2
        figure_width = self.fontMetrics().horizontalAdvance(percent(1.0)) + GRID
        name_width = self.width() - figure_width
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme.text if category else theme.muted)
        elided = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, name_width)
        painter.drawText(QRectF(0, top, name_width, text_height), left, elided)
        painter.setPen(theme.muted)
        painter.drawText(QRectF(name_width, top, figure_width, text_height), right, figure)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.grid)
        groove = QRectF(0, top + text_height, self.width(), _BAR)
        painter.drawRoundedRect(groove, _BAR / 2, _BAR / 2)
        painter.setBrush(theme.category(category) if category else theme.muted)
        groove.setWidth(max(_BAR, share * self.width()))
        painter.drawRoundedRect(groove, _BAR / 2, _BAR / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // _ROW
        if event.button() == Qt.MouseButton.LeftButton and 0 <= row < len(self._shares):
            self.chosen.emit(self._shares[row].node_id)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = event.pos().y() // _ROW
            if 0 <= row < len(self._shares):
                share = self._shares[row]
                QToolTip.showText(event.globalPos(), f"{share.node_id}: {self._write(share.amount)}", self)
            return True
        return super().event(event)
