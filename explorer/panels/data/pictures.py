"""Pictures of a data set: the contact sheet by class, and what the network receives beside what is stored."""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs.data_facts import Received, Sheet
from explorer.session.probes import to_qimage

_TILE = 6 * GRID
_GAP = GRID // 2
_LARGE_TILE = 11 * GRID
_NAMES_SHARE = 0.2
_ARROW = 3 * GRID
_FEWEST_RESULTS = 3


class ContactSheet(QWidget):
    """Training images, class under class, each with its name at the left.

    Signals:
        chosen(int): the position of the training image that was clicked.
        resized(): there is room for more or fewer.
    """

    chosen = Signal(int)
    resized = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._sheet: Sheet | None = None
        self._names: tuple[str, ...] = ()
        self._images: list[QImage] = []
        self._tiles: list[QRect] = []
        self._heads: list[tuple[QRect, str]] = []
        self._hovered = -1
        self.setFont(small_font())
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Training images by class"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def sheet(self) -> Sheet | None:
        """What is shown."""
        return self._sheet

    def show_sheet(self, sheet: Sheet | None, class_names: tuple[str, ...] = ()) -> None:
        """Show these pictures; None for nothing."""
        self._sheet = sheet
        self._names = class_names
        self._images = [] if sheet is None else [_picture(image) for image in sheet.images]
        self._hovered = -1
        self._arrange()
        self.update()

    @property
    def num_shown(self) -> int:
        """How many pictures have room: all of one class, else as many as a row takes."""
        return sum(not tile.isEmpty() for tile in self._tiles)

    def tile_rect(self, place: int) -> QRect:
        """Where a picture lies; empty if it has no room."""
        return self._tiles[place]

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.oldSize().width() != event.size().width():
            self._arrange()
            self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0 and self._sheet is not None:
            self.chosen.emit(self._sheet.positions[place])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(place) if place >= 0 else "", self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setPen(theme.muted)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        for rect, name in self._heads:
            if rect.intersects(event.rect()):
                painter.setPen(theme.muted)
                elided = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - GRID)
                painter.drawText(rect.adjusted(0, GRID // 2, 0, 0), flags, elided)
        for place, rect in enumerate(self._tiles):
            if rect.intersects(event.rect()):
                _paint(painter, rect, self._images[place])
                if place == self._hovered:
                    painter.setPen(theme.accent)
                    painter.drawRect(rect.adjusted(-1, -1, 0, 0))

    def _arrange(self) -> None:
        self._tiles, self._heads = [], []
        sheet, width = self._sheet, self.width()
        if sheet is None:
            self.setFixedHeight(0)
            return
        # One class alone needs no names.
        shown = [self._names[label] for label in dict.fromkeys(sheet.labels)] if sheet.only is None else []
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in shown), default=0)
        left = min(widest + 2 * GRID, round(width * _NAMES_SHARE) + GRID) if shown else 0
        columns = max(1, (width - left + _GAP) // (_TILE + _GAP))
        top, column, before = 0, 0, -1
        for label in sheet.labels:
            if label != before:
                if before >= 0:
                    top += _TILE + _GAP
                if shown:
                    self._heads.append((QRect(0, top, left, _TILE), self._names[label]))
                column, before = 0, label
            elif column == columns:
                if shown:
                    # A row a class, so that all classes are seen at once.
                    self._tiles.append(QRect())
                    continue
                top, column = top + _TILE + _GAP, 0
            self._tiles.append(QRect(left + column * (_TILE + _GAP), top, _TILE, _TILE))
            column += 1
        self.setFixedHeight(top + _TILE + _GAP if self._tiles else 0)

    def _at(self, point: QPoint) -> int:
        return next((place for place, rect in enumerate(self._tiles) if rect.contains(point)), -1)

    def _hover(self, place: int) -> None:
        if place != self._hovered:
            self._hovered = place
            self.setCursor(Qt.CursorShape.PointingHandCursor if place >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def _tip(self, place: int) -> str:
        assert self._sheet is not None
        name, number = self._names[self._sheet.labels[place]], self._sheet.positions[place]
        return self.tr("{name}, training image {number}\nClick to look at its feature maps").format(
            name=name, number=f"{number:,}"
        )


class ReceivedPictures(QWidget):
    """What is stored, an arrow, and what the network gets; several results where they are random."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._rows: list[tuple[QImage, list[QImage], str]] = []
        self._result_labels: tuple[tuple[str, ...], ...] = ()
        self.setFont(small_font())
        self.setAccessibleName(self.tr("Images as they are stored, and as the network receives them"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    def show_received(self, received: Received | None) -> None:
        """Show these; None for nothing."""
        self._rows = []
        self._result_labels = () if received is None else received.result_labels
        if received is not None:
            for stored, results, label in zip(received.stored, received.received, received.labels, strict=True):
                self._rows.append((_picture(stored), [_picture(result) for result in results], label))
        self._take_height()
        self.update()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._take_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        for place, (stored, results, label) in enumerate(self._rows):
            cell = self._cell(place)
            if not cell.intersects(event.rect()):
                continue
            tile = QRect(cell.topLeft(), QSize(_LARGE_TILE, _LARGE_TILE))
            _paint(painter, tile, stored)
            painter.setPen(theme.muted)
            arrow = QRect(tile.right(), tile.top(), _ARROW, tile.height())
            painter.drawText(arrow, Qt.AlignmentFlag.AlignCenter, "→")
            tile.translate(_LARGE_TILE + _ARROW, 0)
            self._paint_label(painter, tile.translated(-_LARGE_TILE - _ARROW, 0), label)
            for column, result in enumerate(results[: self._num_results()]):
                _paint(painter, tile, result)
                if self._result_labels:
                    self._paint_label(painter, tile, self._result_labels[place][column])
                tile.translate(_LARGE_TILE + _GAP, 0)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tip(event.pos()), self)
            return True
        return super().event(event)

    def _paint_label(self, painter: QPainter, tile: QRect, text: str) -> None:
        """Below a picture: a class, or the classes of a mixed one, each on a line with its share."""
        metrics = self.fontMetrics()
        below = QRect(tile.left(), tile.bottom() + 3, _LARGE_TILE, metrics.height())
        painter.setPen(self._themes.theme.muted)
        for line in text.split(" + ")[: self._label_lines()]:
            elided = metrics.elidedText(line, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextDontClip, elided)
            below.translate(0, below.height())

    def _label_lines(self) -> int:
        return 2 if any(" + " in text for row in self._result_labels for text in row) else 1

    def _tip(self, point: QPoint) -> str:
        """The whole of what is written below, where it may be shortened."""
        for place, (_, results, label) in enumerate(self._rows):
            cell = self._cell(place)
            if cell.contains(point):
                column = (point.x() - cell.left() - _LARGE_TILE - _ARROW) // (_LARGE_TILE + _GAP)
                if self._result_labels and 0 <= column < min(len(results), self._num_results()):
                    return self._result_labels[place][column]
                return label
        return ""

    def _cell(self, place: int) -> QRect:
        size = self._cell_size()
        columns = max(1, self._num_columns(self._num_results()))
        row, column = divmod(place, columns)
        return QRect(QPoint(column * size.width(), row * size.height()), size)

    def _cell_size(self) -> QSize:
        return QSize(
            self._cell_width(self._num_results()),
            _LARGE_TILE + self._label_lines() * self.fontMetrics().height() + GRID,
        )

    @staticmethod
    def _cell_width(num_results: int) -> int:
        return _LARGE_TILE + _ARROW + num_results * (_LARGE_TILE + _GAP) + 3 * GRID

    def _num_columns(self, num_results: int) -> int:
        # What parts a cell from the next is not needed behind the last.
        return (self.width() + 3 * GRID) // self._cell_width(num_results)

    def _num_results(self) -> int:
        """So many of the results of each that the width is used best."""
        most = len(self._rows[0][1]) if self._rows else 1
        return max(range(min(_FEWEST_RESULTS, most), most + 1), key=lambda count: count * self._num_columns(count))

    def _take_height(self) -> None:
        self.setFixedHeight(self._cell(len(self._rows) - 1).bottom() + 1 if self._rows else 0)


def _picture(image: npt.NDArray[np.uint8]) -> QImage:
    return to_qimage(image[0] if len(image) == 1 else image)


def _paint(painter: QPainter, place: QRect, image: QImage) -> None:
    """As large as the place allows; small images keep their pixels."""
    size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    enlarged = size.width() > image.width()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not enlarged)
    left = place.left() + (place.width() - size.width()) // 2
    top = place.top() + (place.height() - size.height()) // 2
    painter.drawImage(QRect(QPoint(left, top), size), image)
