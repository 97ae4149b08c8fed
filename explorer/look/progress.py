"""A progress bar that stands still between two values."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QProgressBar

_RADIUS = 2.0
_BUSY_OPACITY = 0.4


class StillProgressBar(QProgressBar):
    """Draws itself flat, without text; one without an end is faint as a whole.

    Qt's own style moves a pattern over every bar that is not full, 60 times a second for as long as that lasts. Beside
    a run on the CPU it took a tenth of a core.
    """

    def paintEvent(self, _event: QPaintEvent) -> None:
        # Not even once by the style: the animation that it starts goes on.
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        palette = self.palette()
        whole = QRectF(self.rect())
        painter.setBrush(palette.color(QPalette.ColorRole.Midlight))
        painter.drawRoundedRect(whole, _RADIUS, _RADIUS)
        colour = QColor(palette.color(QPalette.ColorRole.Highlight))
        share = 1.0
        if self.minimum() == self.maximum():
            colour.setAlphaF(_BUSY_OPACITY)
        else:
            share = (self.value() - self.minimum()) / (self.maximum() - self.minimum())
        if share > 0:
            whole.setWidth(whole.width() * min(1.0, share))
            painter.setBrush(colour)
            painter.drawRoundedRect(whole, _RADIUS, _RADIUS)
