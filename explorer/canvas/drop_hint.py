"""What lies over the canvas during a drag: a slip at the pointer that says what a drop would do, and a node's frame."""

from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font

_WIDEST = 48 * GRID
_OFF = QPoint(2 * GRID, 3 * GRID)
"""From the pointer, clear of the picture that the system drags along."""


class Hint(NamedTuple):
    """What it says."""

    title: str
    facts: str
    """The second line; empty where the title says all."""
    is_refusal: bool


class DropHint(QWidget):
    """Lies over a view and all that floats there, takes no events, and keeps inside."""

    def __init__(self, themes: ThemeSource, viewport: QWidget) -> None:
        # Beside the viewport, not in it: that scrolls what it holds, and lies below minimap and legend.
        super().__init__(viewport.parentWidget())
        self._themes = themes
        self._viewport = viewport
        self._is_refusal = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self.facts = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID + 4, GRID, GRID + 4, GRID)
        column.setSpacing(GRID // 2)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        themes.changed.connect(self.update)
        self.frame = _Frame(themes, viewport.parentWidget())
        self.hide()

    def hide_all(self) -> None:
        """The drag is over, or elsewhere."""
        self.hide()
        self.frame.hide()

    def show_at(self, position: QPoint, hint: Hint, node: QRect | None = None) -> None:
        """Say this at a position of the viewport.

        Args:
            node: where the node is that it is about, in pixels of the viewport; it gets a frame.
        """
        around = None if node is None else node.translated(self._viewport.pos())
        self.frame.show_around(around, is_refusal=hint.is_refusal)
        self._is_refusal = hint.is_refusal
        self.title.set_role("error" if hint.is_refusal else "text")
        for label, text in ((self.title, hint.title), (self.facts, hint.facts)):
            label.show_text(text)
            label.setVisible(bool(text))
            is_long = label.fontMetrics().horizontalAdvance(text) > _WIDEST
            label.setWordWrap(is_long)
            label.setFixedWidth(_WIDEST if is_long else label.fontMetrics().horizontalAdvance(text) + 2)
            label.setFixedHeight(label.heightForWidth(_WIDEST) if is_long else label.fontMetrics().lineSpacing())
        self.adjustSize()
        self.move(self._inside(position, self.size()) + self._viewport.pos())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.error if self._is_refusal else theme.accent, 1.0))
        painter.setBrush(theme.card)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), GRID // 2, GRID // 2)

    def _inside(self, position: QPoint, size: QSize) -> QPoint:
        """Below the pointer at its right; on the other side where there is no room."""
        parent = self._viewport
        corner = position + _OFF
        if corner.x() + size.width() > parent.width():
            corner.setX(max(0, min(position.x() - _OFF.x() - size.width(), parent.width() - size.width())))
        if corner.y() + size.height() > parent.height():
            corner.setY(max(0, position.y() - _OFF.y() - size.height()))
        return corner


class _Frame(QWidget):
    """A frame around the node that a drop would go behind."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._is_refusal = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_around(self, node: QRect | None, *, is_refusal: bool) -> None:
        """Stand around a node, or nowhere."""
        self.setVisible(node is not None)
        if node is not None:
            self._is_refusal = is_refusal
            self.setGeometry(node.adjusted(-2, -2, 2, 2))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.error if self._is_refusal else theme.accent, 2.0))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), GRID // 2, GRID // 2)
