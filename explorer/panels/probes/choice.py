"""A panel that pops up to choose probes from test images: a row a class; a click takes an image or gives it back."""

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QToolTip, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.probes.strip import GAP, TILE
from explorer.runs import MOST_PROBES, Probe
from explorer.runs.data_sources import data_title
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import to_qimage

_MOST_NAMES = 14 * GRID
"""Pixels of a class's name; longer ones are shortened."""
_MOST_HEIGHT = 48 * GRID


class OfferPopup(QFrame):
    """Closes by itself at a click elsewhere, and with Esc.

    Signals:
        failed(str): why an image was not taken.
    """

    failed = Signal(str)

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._probes = probes
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._title = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.grid = OfferGrid(probes, themes, self)
        self.grid.failed.connect(self._say)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self.grid)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area = area
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID // 2)
        column.addWidget(self._title)
        column.addWidget(area)
        probes.changed.connect(self._apply)

    def open_at(self, corner: QPoint) -> None:
        """Show it with its lower left corner there, as far as the screen allows."""
        self._apply()
        self.grid.resize(self.grid.sizeHint())
        size = self.grid.sizeHint()
        bar = self._area.verticalScrollBar().sizeHint().width()
        height = min(size.height(), _MOST_HEIGHT)
        self._area.setFixedSize(size.width() + (bar if size.height() > height else 0) + 2, height + 2)
        self.adjustSize()
        screen = self.screen().availableGeometry()
        left = max(screen.left(), min(corner.x(), screen.right() - self.width()))
        top = corner.y() - self.height()
        self.move(left, max(screen.top(), top))
        self.show()

    def _apply(self) -> None:
        offer = self._probes.offer
        if offer is None:
            return
        text = self.tr("Test images of {0}: click to take one, or to give it back · {1} of {2} probes")
        self._title.show_text(text.format(data_title(offer.data), len(self._probes.probes), MOST_PROBES))

    def _say(self, text: str) -> None:
        self._title.show_text(text)
        self.failed.emit(text)


class OfferGrid(QWidget):
    """The images.

    Signals:
        failed(str): why one was not taken.
    """

    failed = Signal(str)

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._probes = probes
        self._themes = themes
        self._images: dict[Probe, QImage] = {}
        self.setFont(small_font())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Test images by class"))
        probes.changed.connect(self.update)
        probes.offer_changed.connect(self._images.clear)

    def rows(self) -> list[tuple[int, tuple[Probe, ...]]]:
        """Classes and their images, from top to bottom."""
        offer = self._probes.offer
        return [] if offer is None else list(offer.by_class.items())

    def tile_rect(self, row: int, column: int) -> QRect:
        """Where an image lies."""
        return QRect(self._names_width() + column * (TILE + GAP), row * (TILE + GAP), TILE, TILE)

    def sizeHint(self) -> QSize:
        rows = self.rows()
        most = max((len(images) for _, images in rows), default=1)
        return QSize(self._names_width() + most * (TILE + GAP), max(1, len(rows)) * (TILE + GAP))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        probe = self._at(event.position().toPoint())
        offer = self._probes.offer
        if probe is None or offer is None or event.button() != Qt.MouseButton.LeftButton:
            return
        labels = [one.label for one in self._probes.probes]
        if probe.label in labels:
            self._probes.remove(labels.index(probe.label))
            return
        try:
            self._probes.add(probe, offer.origin(probe))
        except ValueError as error:
            self.failed.emit(str(error))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            probe = self._at(event.pos())
            QToolTip.showText(event.globalPos(), "" if probe is None else probe.label, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, offer = self._themes.theme, self._probes.offer
        if offer is None:
            return
        painter = QPainter(self)
        taken = {probe.label for probe in self._probes.probes}
        width = self._names_width() - GRID
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for row, (label, images) in enumerate(self.rows()):
            line = QRect(0, row * (TILE + GAP), self.width(), TILE)
            if not line.intersects(event.rect()):
                continue
            painter.setPen(theme.text)
            name = self.fontMetrics().elidedText(offer.class_names[label], Qt.TextElideMode.ElideRight, width)
            painter.drawText(line.adjusted(4, 0, 0, 0), middle, name)
            for column, probe in enumerate(images):
                tile = self.tile_rect(row, column)
                painter.drawImage(QRectF(tile).adjusted(2, 2, -2, -2), self._picture(probe))
                if probe.label in taken:
                    painter.setPen(QPen(theme.accent, 2))
                    painter.drawRect(tile.adjusted(1, 1, -1, -1))

    def _names_width(self) -> int:
        offer = self._probes.offer
        names = () if offer is None else offer.class_names
        longest = max((self.fontMetrics().horizontalAdvance(name) for name in names), default=0)
        return min(_MOST_NAMES, longest + 2 * GRID)

    def _picture(self, probe: Probe) -> QImage:
        image = self._images.get(probe)
        if image is None:
            smooth = Qt.TransformationMode.SmoothTransformation
            size = QSize(TILE - 4, TILE - 4) * self.devicePixelRatioF()
            image = to_qimage(probe.image).scaled(size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, smooth)
            self._images[probe] = image = image.copy(QRect(QPoint(0, 0), size))
        return image

    def _at(self, point: QPoint) -> Probe | None:
        column, rest = divmod(point.x() - self._names_width(), TILE + GAP)
        row = point.y() // (TILE + GAP)
        rows = self.rows()
        if not 0 <= row < len(rows) or rest >= TILE or not 0 <= column < len(rows[row][1]):
            return None
        return rows[row][1][column]
