"""The probes as a row of thumbnails: one is the current, each can be taken out. What they are is `ProbeSet`'s."""

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource
from explorer.runs import Probe
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import to_qimage

TILE = 4 * GRID
GAP = 4
_CROSS = 12


class ProbeStrip(QWidget):
    """Thumbnails.

    Click, Left and Right choose; Delete takes out; wheel, Up and Down go through the test images of the same class; a
    number takes that class.

    Signals:
        turned(int): by how many images of the current one's class.
        class_chosen(int): a class.
        menu_asked(int, QPoint): which one's, and where on the screen.
    """

    turned = Signal(int)
    class_chosen = Signal(int)
    menu_asked = Signal(int, QPoint)

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._probes = probes
        self._themes = themes
        self._hovered = -1
        self._pictures: dict[Probe, QImage] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Probe images"))
        probes.changed.connect(self._apply)
        themes.changed.connect(self.update)

    def tile_rect(self, place: int) -> QRect:
        """Where a thumbnail lies."""
        return QRect(place * (TILE + GAP), 0, TILE, TILE)

    def cross_rect(self, place: int) -> QRect:
        """Where the cross lies that takes it out, while the pointer is over it."""
        tile = self.tile_rect(place)
        return QRect(tile.right() - _CROSS + 1, tile.top(), _CROSS, _CROSS)

    def sizeHint(self) -> QSize:
        count = max(1, len(self._probes.probes))
        return QSize(count * (TILE + GAP) - GAP, TILE)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        place = self._at(point)
        if event.button() != Qt.MouseButton.LeftButton or place < 0:
            return
        if len(self._probes.probes) > 1 and self.cross_rect(place).contains(point):
            self._probes.remove(place)
        else:
            self._probes.choose(place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place = self._at(event.pos())
        if place >= 0:
            self.menu_asked.emit(place, event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y()
        if steps:
            self.turned.emit(-1 if steps > 0 else 1)
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        turns = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Space: 1}
        place = self._probes.place
        if key in moves:
            if 0 <= place + moves[key] < len(self._probes.probes):
                self._probes.choose(place + moves[key])
        elif key in turns:
            self.turned.emit(turns[key])
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._probes.remove(place)
        elif event.text().isdecimal():
            self.class_chosen.emit(int(event.text()))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._words(self._at(event.pos())), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, probe in enumerate(self._probes.probes):
            tile = self.tile_rect(place)
            image = self._picture(probe)
            shown = image.deviceIndependentSize()
            corner = QPointF(tile.left() + (TILE - shown.width()) / 2, tile.top() + (TILE - shown.height()) / 2)
            painter.drawImage(corner, image)
            is_current = place == self._probes.place
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.accent if is_current else theme.border, 2 if is_current else 1))
            painter.drawRect(QRectF(tile).adjusted(1, 1, -1, -1))
            if is_current and self.hasFocus():
                painter.setPen(QPen(theme.panel, 1, Qt.PenStyle.DotLine))
                painter.drawRect(QRectF(tile).adjusted(2.5, 2.5, -2.5, -2.5))
            if place == self._hovered and len(self._probes.probes) > 1:
                self._draw_cross(painter, QRectF(self.cross_rect(place)))

    # Following

    def _draw_cross(self, painter: QPainter, rect: QRectF) -> None:
        theme = self._themes.theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.panel)
        painter.drawRect(rect)
        painter.setPen(QPen(theme.text, 1.5))
        inner = rect.adjusted(3.5, 3.5, -3.5, -3.5)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())

    def _apply(self) -> None:
        known = set(self._probes.probes)
        self._pictures = {probe: image for probe, image in self._pictures.items() if probe in known}
        if self.width() != self.sizeHint().width():
            self.updateGeometry()
        self.update()

    def _picture(self, probe: Probe) -> QImage:
        image = self._pictures.get(probe)
        if image is None:
            ratio = self.devicePixelRatioF()
            size = QSize(TILE - 4, TILE - 4) * ratio
            kept, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            image = to_qimage(probe.image).scaled(size, kept, smooth)
            image.setDevicePixelRatio(ratio)
            self._pictures[probe] = image
        return image

    def _words(self, place: int) -> str:
        if place < 0:
            return ""
        keys = self.tr("Del takes it out; the wheel goes through the test images of its class")
        return f"{self._probes.probes[place].label}\n{keys}"

    def _hover(self, place: int) -> None:
        if place != self._hovered:
            self._hovered = place
            self.update()

    def _at(self, point: QPoint) -> int:
        place, rest = divmod(point.x(), TILE + GAP)
        return place if 0 <= place < len(self._probes.probes) and rest < TILE else -1
