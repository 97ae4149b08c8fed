"""The heading of a part of a panel that folds: chevron, icon, title, count."""

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from explorer.look.theme import GRID, Theme, ThemeSource, body_font

_CHEVRON = 2 * GRID


def draw_chevron(painter: QPainter, theme: Theme, centre: QPointF, *, is_open: bool, is_lit: bool) -> None:
    """The sign that something opens: to the right while folded, down while open."""
    sign = [(-3.0, -1.5), (0.0, 1.5), (3.0, -1.5)] if is_open else [(-1.5, -3.0), (1.5, 0.0), (-1.5, 3.0)]
    painter.setPen(QPen(theme.text if is_lit else theme.muted, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([centre + QPointF(x, y) for x, y in sign]))


class FoldHeading(QAbstractButton):
    """Checked while what it heads is shown; a click, Enter, Space and the arrow keys fold and open."""

    def __init__(self, themes: ThemeSource, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._title = title
        self._count = ""
        self.setCheckable(True)
        self.setChecked(True)
        self.setFont(body_font(bold=True))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    def show_count(self, count: str) -> None:
        """Show how many things it heads."""
        if count != self._count:
            self._count = count
            self.setAccessibleName(f"{self._title} {count}")
            self.updateGeometry()
            self.update()

    # Qt

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self._title) + metrics.horizontalAdvance(self._count)
        return QSize(_CHEVRON + 3 * GRID + width + 2 * GRID, 3 * GRID)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        wanted = key == Qt.Key.Key_Right if key in {Qt.Key.Key_Right, Qt.Key.Key_Left} else not self.isChecked()
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Right, Qt.Key.Key_Left}:
            if wanted != self.isChecked():
                self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.accent, 1) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.grid if self.underMouse() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        middle = QPointF(_CHEVRON / 2 - 2, self.height() / 2)
        draw_chevron(painter, theme, middle, is_open=self.isChecked(), is_lit=self.underMouse())
        size = self.iconSize()
        place = QRect(_CHEVRON, (self.height() - size.height()) // 2, size.width(), size.height())
        self.icon().paint(painter, place)
        left = place.right() + GRID
        room = QRect(left, 0, self.width() - left, self.height())
        painter.setPen(theme.text)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._title)
        room.setLeft(left + self.fontMetrics().horizontalAdvance(self._title) + GRID)
        painter.setPen(theme.muted)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._count)
