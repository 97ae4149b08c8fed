"""A chip over the canvas that says that the past is on screen, and leads back."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, body_font


class MomentChip(QWidget):
    """At the upper left of the widget that it lies on; a click looks at the present again.

    Signals:
        live_asked(): back to the present.
    """

    live_asked = Signal()

    def __init__(self, themes: ThemeSource, over: QWidget, top: int = 0) -> None:
        """Lie on `over`, hidden, below its first `top` pixels."""
        super().__init__(over)
        self._top = top
        self._themes = themes
        self._text = ""
        self.setFont(body_font(bold=True))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(self.tr("Everything on screen is as it was after this step. Click for the present (Alt+End)."))
        themes.changed.connect(lambda _theme: self.update())
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return self._text

    def show_step(self, step: int | None) -> None:
        """Say that this step is looked back at; None for the present."""
        text = "" if step is None else self.tr("Looking back · step {0}  ✕").format(numbers.exact_count(step))
        if text == self._text:
            return
        is_longer = len(text) != len(self._text)
        self._text = text
        self.setVisible(bool(text))
        if is_longer:
            self._place()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.live_asked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawRoundedRect(self.rect(), self.height() / 2, self.height() / 2)
        painter.setPen(theme.accent_text)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)

    def _place(self) -> None:
        metrics = self.fontMetrics()
        width, height = metrics.horizontalAdvance(self._text) + 4 * GRID, metrics.height() + GRID
        self.setGeometry(GRID, self._top + GRID, width, height)
        self.raise_()
