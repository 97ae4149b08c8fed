"""One channel enlarged, with what can be done with it."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.feature_maps.colours import colours, picture
from explorer.panels.feature_maps.line import Line

_BUTTON = 3 * GRID + 4


class ChannelSide(QWidget):
    """The channel below its heading, and the buttons that pin it or show it for all probe images."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.text = Line(themes, parent=self)
        self.view = ChannelView(themes, self)
        self.pin_button = Toggle(themes, self, is_small=True)
        self.pin_button.setAccessibleName(self.tr("Pin"))
        self.pin_button.setToolTip(self.tr("Keep this channel in sight beside other layers (P, or double click)"))
        self.compare_button = Toggle(themes, self, is_small=True)
        self.compare_button.setAccessibleName(self.tr("All probe images"))
        self.compare_button.setToolTip(self.tr("Show this channel for all probe images side by side"))
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.text, 1)
        for button in (self.compare_button, self.pin_button):
            button.setFixedSize(_BUTTON, _BUTTON)
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        self._hint = self.tr("Click a channel to enlarge it")
        self._set_icons()

    def show_hint(self) -> None:
        """Show no channel, and how to choose one."""
        for widget in (self.view, self.pin_button, self.compare_button):
            widget.hide()
        self.text.show_text(self._hint)

    def show_channel(
        self, levels: npt.NDArray[np.uint8], channel: int, is_diverging: bool, *, text: str, is_pinned: bool, many: bool
    ) -> None:
        """Show one channel of these levels `(channels, height, width)`.

        Args:
            text: the heading.
            many: whether there are several probe images.
        """
        self.text.show_text(text)
        self.view.show_channel(levels, channel, is_diverging)
        self.view.show()
        self.pin_button.setChecked(is_pinned)
        self.pin_button.show()
        self.compare_button.setVisible(many)

    def _set_icons(self) -> None:
        self.pin_button.show_icon("pin")
        self.compare_button.show_icon("compare")


class ChannelView(QWidget):
    """One channel, as large as whole pixels allow. A click on a pixel holds it, another lets it go.

    Signals:
        hovered(int | None, int, int): as `MapsView.hovered`.
        clicked(int, int, int): channel, row and column of a pixel.
    """

    hovered = Signal(object, int, int)
    clicked = Signal(int, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._levels: npt.NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._is_diverging = False
        self._image = QImage()
        self._channel = 0
        self._marked: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMinimumSize(12 * GRID, 8 * GRID)
        themes.changed.connect(self._redraw)

    def show_channel(self, levels: npt.NDArray[np.uint8], channel: int, is_diverging: bool) -> None:
        """Show this channel of these levels `(channels, height, width)`."""
        self._levels, self._channel, self._is_diverging = levels[channel], channel, is_diverging
        self._redraw()

    def mark(self, place: tuple[int, int] | None) -> None:
        """Mark the pixel at (row, column)."""
        if place != self._marked:
            self._marked = place
            self.update()

    def copy(self) -> None:
        """Put the channel on the clipboard, pixel for pixel."""
        QGuiApplication.clipboard().setImage(self._image)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._under(event.position())
        if place is None:
            self.hovered.emit(None, 0, 0)
        else:
            self.hovered.emit(self._channel, *place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._under(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self._channel, *place)

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        target = self._target()
        smooth = target.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, self._image)
        painter.setPen(QPen(self._themes.theme.border, 1))
        painter.drawRect(target.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self._marked is not None:
            pixel = self.pixel_rect(*self._marked)
            # Two lines, so that it is seen on any colour.
            painter.setPen(QPen(self._themes.theme.panel, 1))
            painter.drawRect(pixel.adjusted(-1.5, -1.5, 1.5, 1.5))
            painter.setPen(QPen(self._themes.theme.accent, 2))
            painter.drawRect(pixel)

    def pixel_rect(self, row: int, column: int) -> QRectF:
        """Where a pixel lies."""
        target = self._target()
        if not target.width():
            return QRectF()
        side = target.width() / self._image.width()
        return QRectF(target.left() + column * side, target.top() + row * side, side, side)

    def _redraw(self) -> None:
        if self._levels.size:
            self._image = picture(self._levels, colours(self._themes.theme, self._is_diverging))
        self.update()

    def _under(self, position: QPointF) -> tuple[int, int] | None:
        rect = self._target()
        if self._image.isNull() or not rect.contains(position):
            return None
        place = position - rect.topLeft()
        x = int(place.x() * self._image.width() / rect.width())
        y = int(place.y() * self._image.height() / rect.height())
        return min(y, self._image.height() - 1), min(x, self._image.width() - 1)

    def _target(self) -> QRectF:
        if self._image.isNull():
            return QRectF()
        ratio = self.devicePixelRatioF()
        room = QRect(QPoint(0, 0), self.size()).adjusted(1, 1, -1, -1)
        fit = min(room.width() / self._image.width(), room.height() / self._image.height()) * ratio
        scale = (int(fit) if fit >= 1 else fit) / ratio
        return QRectF(1, 1, self._image.width() * scale, self._image.height() * scale)
