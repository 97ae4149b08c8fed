"""The picture of augmented images: each original, an arrow and its results. `preview` asks for them."""

from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QMenu, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs.augmented_pictures import AugmentedPictures
from explorer.session.probes import to_qimage

_SMALLEST_TILE = 6 * GRID
_LARGEST_TILE = 11 * GRID
_ARROW = 3 * GRID
_GAP = GRID // 2
_APART = 3 * GRID
"""Between one image's pictures and the next one's."""


class PictureStrip(QWidget):
    """Each original and its results side by side, as many in a row and as large as the width allows; labels below."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._pictures: AugmentedPictures | None = None
        self._rows: list[list[QImage]] = []
        self.setFont(small_font())
        self.setAccessibleName(self.tr("Originals and augmented images"))
        themes.changed.connect(self.update)

    @property
    def pictures(self) -> AugmentedPictures | None:
        """What is shown."""
        return self._pictures

    def show_pictures(self, pictures: AugmentedPictures | None) -> None:
        """Show these; None for nothing."""
        self._pictures = pictures
        self._rows = []
        if pictures is not None:
            for original, results in zip(pictures.originals, pictures.results, strict=True):
                arrays = (original, *results)
                self._rows.append([to_qimage(array if len(array) == 3 else array[0]) for array in arrays])
        self._take_height()
        self.updateGeometry()
        self.update()

    def tile(self, row: int, column: int) -> QRect:
        """Where a picture is; column 0 has the originals."""
        per_row, side = self._plan(self.width())
        line, place = divmod(row, per_row)
        left = place * (self._group_width(side) + _APART) + column * (side + _GAP) + (_ARROW if column else 0)
        return QRect(left, line * self._row_height(side), side, side)

    def label(self, row: int, column: int) -> str:
        """What is said of a picture."""
        assert self._pictures is not None
        return self._pictures.result_labels[row][column - 1] if column else self._pictures.labels[row]

    def save_picture(self, path: Path) -> bool:
        """Write what is shown as a picture; whether that could be done."""
        return self.grab().save(str(path))

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(self._group_width(8 * GRID), self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._take_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setPen(self._themes.theme.muted)
        for row in range(len(self._rows)):
            original = self.tile(row, 0)
            arrow = QRect(original.right(), original.top(), _ARROW + _GAP, original.height())
            painter.drawText(arrow, Qt.AlignmentFlag.AlignCenter, "→")
        for row, images in enumerate(self._rows):
            for column, image in enumerate(images):
                self._paint_tile(painter, self.tile(row, column), image, self.label(row, column))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tip(event.pos()), self)
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self._rows:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy picture"), lambda: QGuiApplication.clipboard().setPixmap(self.grab()))
        menu.addAction(self.tr("Save picture…"), self._ask_picture)
        menu.popup(event.globalPos())

    def _paint_tile(self, painter: QPainter, place: QRect, image: QImage, text: str) -> None:
        ratio = self.devicePixelRatioF()
        room = place.size() * ratio
        # Small images keep their pixels; large ones lose them anyway.
        is_enlarged = image.width() <= room.width() and image.height() <= room.height()
        how = Qt.TransformationMode.FastTransformation if is_enlarged else Qt.TransformationMode.SmoothTransformation
        scaled = image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, how)
        scaled.setDevicePixelRatio(ratio)
        size = scaled.deviceIndependentSize().toSize()
        middle = QPoint((place.width() - size.width()) // 2, (place.height() - size.height()) // 2)
        painter.drawImage(place.topLeft() + middle, scaled)
        painter.setPen(self._themes.theme.border)
        painter.drawRect(QRect(place.topLeft() + middle, size).adjusted(0, 0, -1, -1))
        painter.setPen(self._themes.theme.muted)
        below = QRect(place.left(), place.bottom() + 3, place.width(), self.fontMetrics().height())
        for line in text.split(" + ")[: self._label_lines()]:
            elided = self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, elided)
            below.translate(0, below.height())

    def _tip(self, point: QPoint) -> str:
        for row, images in enumerate(self._rows):
            for column in range(len(images)):
                if (
                    self.tile(row, column)
                    .adjusted(0, 0, 0, self._label_lines() * self.fontMetrics().height())
                    .contains(point)
                ):
                    return self.label(row, column)
        return ""

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save picture"), "augmentation.png", self.tr("Picture (*.png)")
        )
        if name:
            self.save_picture(Path(name))

    def _take_height(self) -> None:
        per_row, side = self._plan(self.width())
        self.setMinimumHeight(-(-len(self._rows) // per_row) * self._row_height(side) if self._rows else 0)

    def _columns(self) -> int:
        return len(self._rows[0]) if self._rows else 1

    def _plan(self, width: int) -> tuple[int, int]:
        """How many images stand side by side, and the side of a picture, so that the width is used."""
        smallest = self._group_width(_SMALLEST_TILE + GRID)
        per_row = max(1, (width + _APART) // (smallest + _APART))
        columns = self._columns()
        room = (width - (per_row - 1) * _APART) // per_row - _ARROW - (columns - 1) * _GAP
        return per_row, min(_LARGEST_TILE, max(_SMALLEST_TILE, room // columns))

    def _group_width(self, side: int) -> int:
        return self._columns() * (side + _GAP) - _GAP + _ARROW

    def _row_height(self, side: int) -> int:
        return side + self._label_lines() * self.fontMetrics().height() + GRID

    def _label_lines(self) -> int:
        """A mixed image has two classes, one a line."""
        if self._pictures is None:
            return 1
        return 2 if any(" + " in text for row in self._pictures.result_labels for text in row) else 1
