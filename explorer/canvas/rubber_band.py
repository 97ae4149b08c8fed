"""The rubber band: a rectangle drawn over the canvas that selects what it touches, light enough to read through."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.look.theme import ThemeSource
from explorer.session import Selection

_FILL_ALPHA = 24
"""Of 255: what lies under the band stays as legible as beside it."""


class Band(QWidget):
    """The rectangle itself, in the accent's colour: a hint of it inside, a line of one pixel around."""

    def __init__(self, themes: ThemeSource, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._themes = themes
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        accent = self._themes.theme.accent
        fill = QColor(accent)
        fill.setAlpha(_FILL_ALPHA)
        painter = QPainter(self)
        painter.setPen(QPen(accent, 1.0))
        painter.setBrush(fill)
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


class RubberBand:
    """The gesture: the nodes that the rectangle touches are selected while it is drawn."""

    def __init__(
        self,
        start: QPoint,
        viewport: QWidget,
        themes: ThemeSource,
        selection: Selection,
        nodes_in: Callable[[QRect], tuple[str, ...]],
        *,
        extend: bool,
    ) -> None:
        self._start = start
        self._selection = selection
        self._before = selection.ids
        self._kept = selection.ids if extend else ()
        self._nodes_in = nodes_in
        self._band = Band(themes, viewport)

    def move(self, position: QPoint, _modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """The pointer moved."""
        rect = QRect(self._start, position).normalized()
        self._band.setGeometry(QRect(rect.topLeft(), rect.size().expandedTo(QSize(1, 1))))
        self._band.show()
        self._selection.set((*self._kept, *self._nodes_in(rect)))

    def finish(self) -> None:
        """Keep what is selected; without a movement that is nothing but what was kept."""
        if self._band.isHidden():
            self._selection.set(self._kept)
        self._remove()

    def cancel(self) -> None:
        """Select again what was before."""
        self._selection.set(self._before)
        self._remove()

    def _remove(self) -> None:
        self._band.hide()
        self._band.deleteLater()
