"""Words of the legend that do what they say when they are clicked, or on Enter or Space."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from explorer.look.theme import ThemeSource, small_font

_PADDING = 2


class LegendLink(QAbstractButton):
    """One underlined line; Tab reaches it, and a click leaves the focus where it is."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        font = QFont(small_font())
        font.setUnderline(True)
        self.setFont(font)
        themes.changed.connect(self.update)

    def place(self, left: int, top: int, height: int) -> None:
        """Have the words begin there, in a line of that height."""
        self.setGeometry(QRect(left - _PADDING, top, self.sizeHint().width(), height))

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self.text()) + 2 * _PADDING + 1, metrics.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._themes.theme, QPainter(self)
        painter.setFont(self.font())
        painter.setPen(theme.accent)
        words = self.rect().adjusted(_PADDING, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
