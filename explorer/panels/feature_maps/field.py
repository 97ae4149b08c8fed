"""The image that the network was given, with what one output value can see of it, and what of that counts.

The box is the theoretical receptive field, the heat the gradient that was measured.
"""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from explorer.inference.receptive_field import Box
from explorer.look.theme import GRID, ThemeSource, small_font

_MARGIN = 0.11
"""Of the image's longer side, around it: room for a box that hangs over the rim."""
_SMALL = 36
"""Pixels on screen: of smaller boxes, a lens shows what is in them."""
_HEAT = QColor("#ff8c1a")


class FieldView(QWidget):
    """The image; with a box where somebody points at a value."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._values: npt.NDArray[np.float32] | None = None
        self._image = QImage()
        self._box: Box | None = None
        self._heat: npt.NDArray[np.float32] | None = None
        self._heat_image = QImage()
        self._why = ""
        self.setMinimumSize(12 * GRID, 8 * GRID)
        themes.changed.connect(self.update)

    @property
    def box(self) -> Box | None:
        """What is framed; parts may lie outside of the image."""
        return self._box

    @property
    def heat(self) -> npt.NDArray[np.float32] | None:
        """What is measured, `(H, W)` of the image."""
        return self._heat

    @property
    def text(self) -> str:
        """What the line below says."""
        if self._image.isNull():
            return ""
        if self._box is None:
            return self.tr("{width}×{height} input").format(width=self._image.width(), height=self._image.height())
        said = self.tr("sees {width}×{height}").format(width=self._box.width, height=self._box.height)
        top, left, height, width = self._box
        inside = (
            max(0, min(left + width, self._image.width()) - max(left, 0)),
            max(0, min(top + height, self._image.height()) - max(top, 0)),
        )
        if inside == (width, height):
            return said
        return self.tr("{said}, {width}×{height} inside").format(said=said, width=inside[0], height=inside[1])

    def sizeHint(self) -> QSize:
        return QSize(20 * GRID, 20 * GRID)

    def show_image(self, values: npt.NDArray[np.float32] | None) -> None:
        """Show what the network was given, `(C, H, W)`, from its smallest to its largest value."""
        if values is self._values:
            return
        if values is not None and self._values is not None and np.array_equal(values, self._values):
            return
        self._values = values
        self._image = QImage() if values is None else input_picture(values)
        self.update()

    def show_field(self, box: Box | None, heat: npt.NDArray[np.float32] | None, why: str = "") -> None:
        """Frame what a value can see; None for nothing.

        Args:
            heat: what it rests on, `(H, W)` of the image; None where that is not measured.
            why: it is not, and will not be.
        """
        if (box, why) == (self._box, self._why) and heat is self._heat:
            return
        if heat is not self._heat:
            self._heat_image = QImage() if heat is None else _heat_picture(heat)
        self._box, self._heat, self._why = box, heat, why
        self.update()

    def image_rect(self) -> QRectF:
        """Where the image lies."""
        if self._image.isNull():
            return QRectF()
        line = self.fontMetrics().height() + 2
        width, height = self._image.width(), self._image.height()
        margin = _MARGIN * max(width, height)
        room = QSizeF(self.width() - 2, self.height() - line - 2)
        scale = max(0.01, min(room.width() / (width + 2 * margin), room.height() / (height + 2 * margin)))
        left = (self.width() - width * scale) / 2
        return QRectF(round(left), round(1 + margin * scale), width * scale, height * scale)

    def box_rect(self) -> QRectF:
        """Where the box lies, as far as it is shown."""
        if self._box is None or self._image.isNull():
            return QRectF()
        image = self.image_rect()
        scale = image.width() / self._image.width()
        whole = QRectF(
            image.left() + self._box.left * scale,
            image.top() + self._box.top * scale,
            self._box.width * scale,
            self._box.height * scale,
        )
        margin = _MARGIN * max(image.width(), image.height()) - 1
        return whole.intersected(image.adjusted(-margin, -margin, margin, margin))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        theme = self._themes.theme
        painter = QPainter(self)
        image = self.image_rect()
        smooth = image.width() < self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(image, self._image)
        if self._box is not None:
            box = self.box_rect()
            veil = QColor(theme.panel)
            veil.setAlpha(70)
            outside = QRegion(image.toAlignedRect()) - QRegion(box.toAlignedRect())
            painter.setClipRegion(outside)
            painter.fillRect(image, veil)
            painter.setClipping(False)
            if not self._heat_image.isNull():
                painter.drawImage(image, self._heat_image)
            self._frame(painter, image, box)
            if max(box.width(), box.height()) < _SMALL:
                self._magnify(painter, image, box)
        painter.setPen(QPen(theme.border, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(image.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._say(painter)

    def _frame(self, painter: QPainter, image: QRectF, box: QRectF) -> None:
        """The box; dashed in the padding, and open where it goes on beyond what is shown."""
        theme = self._themes.theme
        # Around the pixels, so that it hides none of them.
        inside = box.intersected(image).adjusted(-1, -1, 1, 1)
        painter.setPen(QPen(theme.accent, 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if box.intersected(image) != box:
            painter.drawRect(box.adjusted(-1, -1, 1, 1))
        painter.setPen(QPen(theme.panel, 1))
        painter.drawRect(inside.adjusted(-1.5, -1.5, 1.5, 1.5))
        painter.setPen(QPen(theme.accent, 2))
        painter.drawRect(inside)

    def _magnify(self, painter: QPainter, image: QRectF, box: QRectF) -> None:
        """What is in a small box, large in the corner farthest from it."""
        theme, lens = self._themes.theme, self.lens_rect()
        scale = image.width() / self._image.width()
        read = QRectF((box.left() - image.left()) / scale, (box.top() - image.top()) / scale, 0, 0)
        read.setSize(box.size() / scale)
        painter.fillRect(lens, theme.panel)
        # What lies outside of the image stays the ground's.
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setClipRect(lens)
        painter.translate(lens.topLeft())
        painter.scale(lens.width() / read.width(), lens.height() / read.height())
        painter.translate(-read.topLeft())
        painter.drawImage(QPointF(0, 0), self._image)
        if not self._heat_image.isNull():
            painter.drawImage(QPointF(0, 0), self._heat_image)
        painter.restore()
        painter.setPen(QPen(theme.panel, 1))
        painter.drawRect(lens.adjusted(-1.5, -1.5, 1.5, 1.5))
        painter.setPen(QPen(theme.accent, 2))
        painter.drawRect(lens)
        corner = QPointF(
            lens.right() if box.center().x() > lens.center().x() else lens.left(),
            lens.bottom() if box.center().y() > lens.center().y() else lens.top(),
        )
        painter.setPen(QPen(theme.accent, 1))
        painter.drawLine(corner, box.center())

    def lens_rect(self) -> QRectF:
        """Where the lens lies."""
        image, box = self.image_rect(), self.box_rect()
        if box.isEmpty():
            return QRectF()
        side = 0.42 * min(image.width(), image.height())
        across = side * min(1.0, box.width() / box.height()), side * min(1.0, box.height() / box.width())
        left = image.left() + 2 if box.center().x() > image.center().x() else image.right() - 2 - across[0]
        top = image.top() + 2 if box.center().y() > image.center().y() else image.bottom() - 2 - across[1]
        return QRectF(left, top, *across)

    def _say(self, painter: QPainter) -> None:
        theme = self._themes.theme
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        line = QRectF(0, self.height() - metrics.height() - 1, self.width(), metrics.height() + 1)
        parts = [(self.text, theme.accent if self._box is not None else None)]
        if self._box is not None and self._heat is not None:
            parts.append((self.tr("gradient"), _HEAT))
        elif self._box is not None and self._why:
            parts.append((self._why, None))
        side = metrics.height() - 6
        total = sum(metrics.horizontalAdvance(text) + (side + 4 if colour else 0) for text, colour in parts)
        total += GRID * (len(parts) - 1)
        if total > self.width() and len(parts) > 1:
            total -= metrics.horizontalAdvance(parts[1][0])
            parts[1] = ("", parts[1][1])
        left = max(0.0, (self.width() - total) / 2)
        for number, (text, colour) in enumerate(parts):
            if colour is not None:
                swatch = QRectF(left, line.top() + 3, side, side)
                if number == 0:
                    painter.setPen(QPen(colour, 2))
                    painter.drawRect(swatch.adjusted(1, 1, -1, -1))
                else:
                    painter.fillRect(swatch, colour)
                left += side + 4
            painter.setPen(theme.muted)
            painter.drawText(QPointF(left, line.bottom() - metrics.descent()), text)
            left += metrics.horizontalAdvance(text) + GRID


def input_picture(values: npt.NDArray[np.float32]) -> QImage:
    """What a network was given, `(C, H, W)`: three channels as colours, others as the grey of their mean."""
    shown = values if values.shape[0] == 3 else values.mean(axis=0, keepdims=True)
    low, high = float(shown.min()), float(shown.max())
    span = high - low or 1.0
    levels = np.nan_to_num((shown - low) * (255 / span)).clip(0, 255).astype(np.uint8)
    rgb = np.ascontiguousarray(np.broadcast_to(levels, (3, *levels.shape[1:])).transpose(1, 2, 0))
    height, width = rgb.shape[:2]
    image = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _heat_picture(heat: npt.NDArray[np.float32]) -> QImage:
    """The heat as one hue, the more opaque the more there is; roots, so that the weak rim of a field is seen."""
    most = float(heat.max(initial=0.0))
    share = np.sqrt(np.clip(heat / most, 0, 1)) if most > 0 else np.zeros_like(heat)
    alpha = np.nan_to_num(share) * 0.9
    height, width = heat.shape
    parts = [_HEAT.blue() * alpha, _HEAT.green() * alpha, _HEAT.red() * alpha, 255 * alpha]
    pixels = np.stack(parts, axis=2).round().astype(np.uint8)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()
