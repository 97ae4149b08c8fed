"""One line of text that changes many times a second: it paints itself, and lays out nothing."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.look.labels import Role, role_colour
from explorer.look.theme import ThemeSource, small_font


class Line(QWidget):
    """Shortens itself to its width; the whole is its tooltip then."""

    def __init__(
        self, themes: ThemeSource, *, role: Role = "text", font: QFont | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._role: Role = role
        self._text = ""
        self.setFont(font or small_font())
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def text(self) -> str:
        """All of it."""
        return self._text

    def show_text(self, text: str) -> None:
        """Say this."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text), metrics.height())

    def enterEvent(self, event: QEnterEvent) -> None:
        is_cut = self.fontMetrics().horizontalAdvance(self._text) > self.width()
        self.setToolTip(self._text if is_cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(role_colour(self._role, self._themes.theme))
        text = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


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
