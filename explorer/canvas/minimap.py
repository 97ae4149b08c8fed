"""The whole drawing in a corner, with a frame around what is in sight: drag it, or click where to go."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QGraphicsView, QWidget

from explorer.canvas import card as cards
from explorer.canvas.camera import Camera
from explorer.canvas.card_text import mixed
from explorer.canvas.scene import GraphScene
from explorer.look.theme import GRID, ThemeSource

_LARGEST = QSize(24 * GRID, 30 * GRID)
_SHARES = (0.22, 0.42)
"""Of the view's width and height, at most."""
_INSET = GRID / 2
_NARROWEST = 8 * GRID
"""Pixels that a narrow drawing is stretched to, a long chain being a line otherwise."""
_STRETCH = 8.0
"""But no more than this."""
_SMALLEST_CARD = 1.0
"""Pixels."""


class Minimap(QWidget):
    """A map of the scene; it says itself whether it is worth the room."""

    def __init__(self, view: QGraphicsView, graph: GraphScene, camera: Camera, themes: ThemeSource) -> None:
        super().__init__(view)
        self._view = view
        self._graph = graph
        self._camera = camera
        self._themes = themes
        self._is_wanted = True
        self._picture: QPixmap | None = None
        self._grip: QPointF | None = None
        self._faulty: tuple[str, ...] = ()
        self._found: tuple[str, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        # What lies below is not painted for it, least of all while the drawing is pushed.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Map of the network"))
        self.setToolTip(self.tr("Click or drag to go there"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()
        graph.laid_out.connect(self.redraw)
        camera.moved.connect(self._follow)
        themes.changed.connect(self.redraw)

    @property
    def is_wanted(self) -> bool:
        """Whether it may be shown at all."""
        return self._is_wanted

    def show_wanted(self, is_wanted: bool) -> None:
        """Be shown where there is something to find one's way in, or never."""
        self._is_wanted = is_wanted
        self._follow()

    def redraw(self) -> None:
        """The drawing is another, or in other colours."""
        self._picture = None
        self.show_marks(faulty=self._faulty, found=self._found)
        self._follow()
        self.update()

    @property
    def in_sight(self) -> QRectF:
        """The frame around what the view shows, in the widget's coordinates."""
        shown = self._view.mapToScene(self._view.viewport().rect()).boundingRect()
        return QRectF(self._to_map(shown.topLeft()), self._to_map(shown.bottomRight()))

    def place_of(self, key: str) -> QRectF:
        """Where an item is on the map."""
        assert self._graph.placement is not None
        box = QRectF(*self._graph.placement.nodes[key])
        return QRectF(self._to_map(box.topLeft()), self._to_map(box.bottomRight()))

    def show_marks(self, *, faulty: Iterable[str], found: Iterable[str]) -> None:
        """Point out items with a fault, and those that are looked for; whatever is not drawn is left out."""
        placement = self._graph.placement
        drawn = {} if placement is None else placement.nodes
        marks = tuple(tuple(key for key in dict.fromkeys(keys) if key in drawn) for keys in (faulty, found))
        if marks != (self._faulty, self._found):
            self._faulty, self._found = marks
            self.update()

    # Geometry

    @property
    def _bounds(self) -> QRectF:
        placement = self._graph.placement
        return QRectF() if placement is None else QRectF(*placement.bounds)

    def _scales(self) -> tuple[float, float]:
        """Pixels of the map a pixel of the scene, across and down."""
        bounds = self._bounds
        width = min(_LARGEST.width(), self._view.width() * _SHARES[0]) - 2 * _INSET
        height = min(_LARGEST.height(), self._view.height() * _SHARES[1]) - 2 * _INSET
        across, down = width / max(1.0, bounds.width()), height / max(1.0, bounds.height())
        least = min(across, down)
        wanted = max(least, min(least * _STRETCH, _NARROWEST / max(1.0, bounds.width())))
        return min(across, wanted), least

    def _wanted_size(self) -> QSize:
        across, down = self._scales()
        bounds = self._bounds
        return QSize(round(bounds.width() * across + 2 * _INSET), round(bounds.height() * down + 2 * _INSET))

    def _to_map(self, point: QPointF) -> QPointF:
        across, down = self._scales()
        away = point - self._bounds.topLeft()
        return QPointF(_INSET + away.x() * across, _INSET + away.y() * down)

    def _to_scene(self, point: QPointF) -> QPointF:
        across, down = self._scales()
        return self._bounds.topLeft() + QPointF((point.x() - _INSET) / across, (point.y() - _INSET) / down)

    def _is_useful(self) -> bool:
        """Whether the drawing is larger than the view at a zoom to work at, and part of it is out of sight."""
        bounds, viewport = self._bounds, self._view.viewport().rect()
        if bounds.isEmpty() or viewport.isEmpty():
            return False
        zoom = cards.CARD_ZOOM
        if bounds.width() * zoom <= viewport.width() and bounds.height() * zoom <= viewport.height():
            return False
        shown = self._view.mapToScene(viewport).boundingRect()
        return not shown.adjusted(-1, -1, 1, 1).contains(bounds)

    def _follow(self) -> None:
        is_useful = self._is_wanted and self._is_useful()
        if is_useful:
            size = self._wanted_size()
            if size != self.size():
                self._picture = None
                self.resize(size)
                self._place()
            self.update()
        if is_useful == self.isHidden():
            self.setVisible(is_useful)
            self._place()

    def _place(self) -> None:
        """In the lower right corner."""
        self.move(self._view.width() - self.width() - GRID, self._view.height() - self.height() - GRID)

    def view_resized(self) -> None:
        """The view has another size."""
        self._follow()
        self._place()

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        sight, at = self.in_sight, event.position()
        if sight.contains(at):
            self._grip = at - sight.center()
        else:
            self._grip = QPointF()
            self._go(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            self._go(event.position() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def _go(self, middle: QPointF) -> None:
        self._camera.hold(self._view.viewport().rect().center(), self._to_scene(middle))

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatioF() != ratio:
            self._picture = self._drawn(ratio)
        theme, painter = self._themes.theme, QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        room = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        sight = self.in_sight.intersected(room)
        veil = QColor(theme.canvas)
        veil.setAlphaF(0.55)
        # What is out of sight is veiled, so that the frame is found at a glance.
        for part in _around(room, sight):
            painter.fillRect(part, veil)
        for keys, colour in ((self._found, theme.accent), (self._faulty, theme.error)):
            for key in keys:
                painter.fillRect(self.place_of(key).adjusted(-1, -1, 1, 1), colour)
        painter.setPen(QPen(theme.accent, 1.5))
        painter.drawRect(sight)
        painter.end()

    def _drawn(self, ratio: float) -> QPixmap:
        theme = self._themes.theme
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(theme.panel)
        painter = QPainter(picture)
        placement = self._graph.placement
        assert placement is not None
        across, down = self._scales()
        painter.translate(_INSET, _INSET)
        painter.scale(across, down)
        painter.translate(-self._bounds.topLeft())
        ground = mixed(theme.panel, theme.border, 0.4)
        for box in placement.frames.values():
            painter.fillRect(QRectF(*box), ground)
        for card in self._graph.cards():
            at, rect = card.pos(), card.card.rect
            left, height = at.x(), max(rect.height(), _SMALLEST_CARD / down)
            for colour, share in card.colours:
                painter.fillRect(QRectF(left, at.y(), share * rect.width(), height), colour)
                left += share * rect.width()
        painter.resetTransform()
        painter.setPen(QPen(theme.border, 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()
        return picture


def _around(room: QRectF, hole: QRectF) -> tuple[QRectF, ...]:
    """What of a rectangle lies outside another inside it."""
    return (
        QRectF(room.left(), room.top(), room.width(), hole.top() - room.top()),
        QRectF(room.left(), hole.bottom(), room.width(), room.bottom() - hole.bottom()),
        QRectF(room.left(), hole.top(), hole.left() - room.left(), hole.height()),
        QRectF(hole.right(), hole.top(), room.right() - hole.right(), hole.height()),
    )
