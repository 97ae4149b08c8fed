"""One channel for all probe images side by side: what it answers to, and what not."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.feature_maps.colours import colours, picture, value_text
from explorer.panels.feature_maps.values import Maps, Scale, levels_of, scale_of


class ComparedView(QWidget):
    """A row of tiles, all on one scale. A click makes an image the current one, arrows go on to another channel.

    Signals:
        chosen(int): the place of an image.
        turned(int): so many channels further.
        closed(): somebody has seen enough.
    """

    chosen = Signal(int)
    turned = Signal(int)
    closed = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._labels: tuple[str, ...] = ()
        self._means: list[float] = []
        self._levels: npt.NDArray[np.uint8] = np.zeros((0, 1, 1), np.uint8)
        self._is_diverging = False
        self._images: list[QImage] = []
        self._place = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("The channel for all probe images"))
        themes.changed.connect(self._redraw)

    @property
    def labels(self) -> tuple[str, ...]:
        """The images on screen."""
        return self._labels

    @property
    def means(self) -> tuple[float, ...]:
        """The channel's mean for each."""
        return tuple(self._means)

    def show_maps(
        self, labels: tuple[str, ...], maps: npt.NDArray[np.float32], place: int, diverging: bool | None
    ) -> Scale:
        """Show the channel for these images; the scale that all have.

        Args:
            maps: `(images, height, width)`.
            place: the current image.
            diverging: as for `scale_of`.
        """
        finite = maps[np.isfinite(maps)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        all_maps = Maps(maps, True, low, high)
        scale = scale_of(all_maps, per_channel=False, diverging=diverging)
        self._levels, self._is_diverging = levels_of(all_maps, scale), scale.is_diverging
        self._means = [float(one.mean(dtype=np.float64)) for one in maps]
        self._labels, self._place = labels, place
        self._redraw()
        return scale

    def tile_rect(self, place: int) -> QRectF:
        """Where an image's tile lies."""
        side, pitch = self._side(), self._pitch()
        height, width = self._levels.shape[1:]
        scale = side / max(height, width)
        return QRectF(4 + place * pitch + (side - width * scale) / 2, 4, width * scale, height * scale)

    def sizeHint(self) -> QSize:
        return QSize(60 * GRID, 20 * GRID)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = int((event.position().x() - 4) // self._pitch())
        if event.button() == Qt.MouseButton.LeftButton and 0 <= place < len(self._labels):
            self.chosen.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        turns = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        if event.key() in turns:
            self.turned.emit(turns[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme.panel)
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        side, pitch = self._side(), self._pitch()
        for place, image in enumerate(self._images):
            rect = self.tile_rect(place)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, rect.width() < image.width())
            painter.drawImage(rect, image)
            is_current = place == self._place
            painter.setPen(QPen(theme.accent if is_current else theme.border, 2 if is_current else 1))
            painter.drawRect(rect.adjusted(-1, -1, 1, 1))
            left, top = 4 + place * pitch, 4 + side + 4
            painter.setPen(theme.text if is_current else theme.muted)
            name = metrics.elidedText(self._labels[place], Qt.TextElideMode.ElideRight, int(pitch) - 6)
            painter.drawText(QPointF(left, top + metrics.ascent()), name)
            painter.setPen(theme.muted)
            mean = self.tr("mean {0}").format(value_text(self._means[place]))
            painter.drawText(QPointF(left, top + metrics.height() + metrics.ascent()), mean)

    def _redraw(self) -> None:
        table = colours(self._themes.theme, self._is_diverging)
        self._images = [picture(levels, table) for levels in self._levels]
        self.update()

    def _side(self) -> float:
        lines = 2 * self.fontMetrics().height() + 10
        across = (self.width() - 8) / max(1, len(self._labels)) - GRID
        return max(16.0, min(self.height() - 8 - lines, across))

    def _pitch(self) -> float:
        return max(self._side() + GRID, min(14.0 * GRID, (self.width() - 8) / max(1, len(self._labels))))
