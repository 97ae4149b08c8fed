"""One line of text that changes many times a second: it paints itself, and lays out nothing."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.look.labels import Role, role_colour
from explorer.look.theme import ThemeSource, small_font

_BETWEEN = " · "


class Line(QWidget):
    """Shortens itself to its width; the whole is its tooltip then. What it is made of goes part by part, the first
    one first, and the last one is cut only where it is alone."""

    def __init__(
        self, themes: ThemeSource, *, role: Role = "text", font: QFont | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._role: Role = role
        self._parts: tuple[str, ...] = ("",)
        self.setFont(font or small_font())
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def text(self) -> str:
        """All of it."""
        return _BETWEEN.join(self._parts)

    @property
    def shown(self) -> str:
        """What of it is painted."""
        metrics, width = self.fontMetrics(), self.width()
        for first in range(len(self._parts)):
            text = _BETWEEN.join(self._parts[first:])
            if metrics.horizontalAdvance(text) <= width:
                return text
        return metrics.elidedText(self._parts[-1], Qt.TextElideMode.ElideRight, width)

    def show_text(self, text: str) -> None:
        """Say this."""
        self.show_parts((text,))

    def show_parts(self, parts: Sequence[str]) -> None:
        """Say these, least important first."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.setAccessibleName(self.text)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text), metrics.height())

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setToolTip(self.text if self.shown != self.text else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(role_colour(self._role, self._themes.theme))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.shown)


class LinkLine(Line):
    """A line that leads somewhere.

    Signals:
        clicked(): the line was clicked, and there is more to see.
    """

    clicked = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, parent=parent)
        self._has_more = False

    def show_link(self, text: str, has_more: bool) -> None:
        """Say this; with more to see, as a link."""
        self.show_text(text)
        if has_more != self._has_more:
            self._has_more = has_more
            self.setCursor(Qt.CursorShape.PointingHandCursor if has_more else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._has_more:
            self.clicked.emit()
