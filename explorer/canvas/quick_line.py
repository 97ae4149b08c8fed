"""One line of the quick-add box's list: a mark in the layer's colour, its name, and in small what may follow."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from explorer.canvas.card_text import draw_line
from explorer.layers import Category
from explorer.look.quick_completions import Completion
from explorer.look.theme import GRID, ThemeSource, body_font, small_font

_MARK = 4
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class CompletionDelegate(QStyledItemDelegate):
    """Paints a completion, which is the line's data."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._body, self._small = body_font(), small_font()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, QFontMetrics(self._body).lineSpacing() + GRID // 2 + 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = self._themes.theme
        completion = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(completion, Completion):
            return
        rect = QRectF(option.rect)
        state = option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.accent if is_chosen else theme.grid)
        category = completion.category or Category.OTHER
        painter.fillRect(QRectF(rect.left(), rect.top() + 3, _MARK, rect.height() - 6), theme.category(category))
        rect.setLeft(rect.left() + _MARK + GRID)
        colour = theme.accent_text if is_chosen else theme.text
        used = draw_line(painter, rect, completion.title, self._body, colour, _LEFT)
        rect.setLeft(rect.left() + used + 1.5 * GRID)
        rect.setRight(rect.right() - GRID / 2)
        if rect.width() > 4 * GRID:
            muted = theme.accent_text if is_chosen else theme.muted
            draw_line(painter, rect, completion.about, self._small, muted, _LEFT)
        painter.restore()
