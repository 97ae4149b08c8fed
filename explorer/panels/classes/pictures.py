"""Test images with what the network said of each: true class, answer, probability."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.session.classes_session import Pictures
from explorer.session.probes import to_qimage

TILE = 7 * GRID
_WIDTH = 13 * GRID
_GAP = GRID


class Answer(NamedTuple):
    """What was said of one image."""

    position: int
    """Among the test images."""
    true: str
    predicted: str
    probability: float

    @property
    def is_right(self) -> bool:
        return self.true == self.predicted


class AnsweredImages(QWidget):
    """Pictures in rows. Arrow keys move from one to the next, Enter chooses one.

    Signals:
        chosen(int): the place of the test image to look at.
    """

    chosen = Signal(int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._answers: tuple[Answer, ...] = ()
        self._images: dict[int, QImage] = {}
        self._hovered = -1
        self._cursor = 0
        self.setFont(small_font())
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Test images with the network's answers"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What is shown."""
        return self._answers

    def missing(self) -> tuple[int, ...]:
        """The images that no picture was given of."""
        return tuple(answer.position for answer in self._answers if answer.position not in self._images)

    def show_answers(self, answers: Sequence[Answer]) -> None:
        """Show these; pictures of images that stay stay too."""
        self._answers = tuple(answers)
        shown = {answer.position for answer in answers}
        self._images = {position: image for position, image in self._images.items() if position in shown}
        self._hovered, self._cursor = -1, 0
        self._take_height()
        self.update()

    def forget_pictures(self) -> None:
        """Forget the pictures, as those of another data set."""
        self._images.clear()

    def take_pictures(self, found: Pictures) -> None:
        """Show these pictures."""
        for position, image in zip(found.positions, found.images, strict=True):
            self._images[position] = to_qimage(image[0] if len(image) == 1 else image)
        self.update()

    def tile_rect(self, place: int) -> QRect:
        """Where an image with its words lies."""
        size = self._tile_size()
        row, column = divmod(place, self._columns())
        corner = QPoint(column * (size.width() + _GAP), row * (size.height() + _GAP))
        return QRect(corner, size)

    def width_of(self, count: int) -> int:
        """Pixels of so many images side by side."""
        return count * (_WIDTH + _GAP) - _GAP

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._take_height()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self._cursor = place
            self.update()
            self.chosen.emit(self._answers[place].position)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = self._columns()
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
        }
        key = Qt.Key(event.key())
        if key in moves and self._answers:
            self._cursor = max(0, min(len(self._answers) - 1, self._cursor + moves[key]))
            self._bring_up()
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._answers:
            self.chosen.emit(self._answers[self._cursor].position)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._at(event.pos())
            QToolTip.showText(event.globalPos(), self.describe(place) if place >= 0 else "", self)
            return True
        return super().event(event)

    def describe(self, place: int) -> str:
        """An image in words."""
        answer = self._answers[place]
        text = self.tr(
            "Test image {number}: {true}\n"
            "The network takes it for {predicted}, to which it gives the probability {share}"
        )
        text += "\n" + self.tr("Click to look at its feature maps")
        share = numbers.percent(answer.probability, 2)
        return text.format(number=f"{answer.position:,}", true=answer.true, predicted=answer.predicted, share=share)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        metrics = self.fontMetrics()
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for place, answer in enumerate(self._answers):
            rect = self.tile_rect(place)
            if not rect.intersects(event.rect()):
                continue
            tile = QRect(rect.topLeft(), QSize(TILE, TILE))
            image = self._images.get(answer.position)
            if image is None:
                painter.fillRect(tile, theme.grid)
            else:
                _paint(painter, tile, image)
            if place == self._hovered or (self.hasFocus() and place == self._cursor):
                painter.setPen(QPen(theme.accent, 1))
                painter.drawRect(tile.adjusted(-1, -1, 0, 0))
            line = QRect(rect.left(), tile.bottom() + 3, rect.width(), metrics.height())
            share = numbers.percent(answer.probability, 1)
            painter.setPen(theme.text)
            painter.drawText(line, left, metrics.elidedText(answer.true, Qt.TextElideMode.ElideRight, line.width()))
            line.translate(0, metrics.height())
            said = metrics.elidedText(f"→ {answer.predicted}", Qt.TextElideMode.ElideRight, line.width())
            painter.setPen(theme.train if answer.is_right else theme.test)
            painter.drawText(line, left, said)
            painter.setPen(theme.muted)
            beside = QRect(tile.right() + GRID // 2, tile.top(), rect.right() - tile.right() - GRID // 2, TILE)
            painter.drawText(beside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, share)

    # Places

    def _tile_size(self) -> QSize:
        return QSize(_WIDTH, TILE + 2 * self.fontMetrics().height() + 4)

    def _columns(self) -> int:
        return max(1, (self.width() + _GAP) // (_WIDTH + _GAP))

    def _take_height(self) -> None:
        self.setFixedHeight(self.tile_rect(len(self._answers) - 1).bottom() + 2 if self._answers else 0)

    def _at(self, point: QPoint) -> int:
        return next((place for place in range(len(self._answers)) if self.tile_rect(place).contains(point)), -1)

    def _hover(self, place: int) -> None:
        if place != self._hovered:
            self._hovered = place
            self.setCursor(Qt.CursorShape.PointingHandCursor if place >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def _bring_up(self) -> None:
        viewport = self.parentWidget()
        area = viewport.parentWidget() if viewport is not None else None
        if isinstance(area, QScrollArea):
            rect = self.tile_rect(self._cursor)
            area.ensureVisible(rect.center().x(), rect.center().y(), rect.width() // 2, rect.height() // 2)


def _paint(painter: QPainter, place: QRect, image: QImage) -> None:
    """As large as the place allows; small images keep their pixels."""
    size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, size.width() < image.width())
    corner = QPoint(
        place.left() + (place.width() - size.width()) // 2, place.top() + (place.height() - size.height()) // 2
    )
    painter.drawImage(QRect(corner, size), image)
