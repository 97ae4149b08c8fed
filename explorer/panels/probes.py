"""The bar to choose the probe image: digits by class, the next of the same class, or a picture of one's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs import Probe
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import ProbeImageError, probe_images, read_image, to_qimage

_TILE = 4 * GRID


class ProbeBar(QWidget):
    """A row of digits, one a class; another click on the chosen one takes the next of its class.

    Signals:
        failed(str): why a file is no probe image.
    """

    failed = Signal(str)

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._probes = probes
        self._by_class: dict[int, tuple[Probe, ...]] = {}
        self._turns: dict[int, int] = {}
        self.setAcceptDrops(True)
        self.digits = _DigitRow(themes, self)
        self.digits.chosen.connect(self.choose_class)
        self.digits.turned.connect(self._turn)
        self.open_button = QToolButton(self)
        self.open_button.setText(self.tr("Open image…"))
        self.open_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.open_button.setMinimumHeight(_TILE)
        self.open_button.setToolTip(self.tr("Use a picture of your own; or drop one on this panel"))
        self.open_button.clicked.connect(self._ask)
        self._own = _Thumbnail(themes, self)
        self._own.hide()
        self._name = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        title = RoleLabel(themes, font=small_font(), role="muted", parent=self)
        title.setText(self.tr("Probe image"))
        self._error = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self._error.hide()
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(title)
        row.addWidget(self.digits)
        row.addWidget(self.open_button)
        row.addWidget(self._own)
        row.addWidget(self._name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._error)
        themes.changed.connect(self._recolour)

    @property
    def current(self) -> Probe | None:
        """The probe image; None before the bar was first shown."""
        return self._probes.current

    @property
    def error(self) -> str:
        """What was wrong with the last file; empty if nothing."""
        return self._error.text()

    def load(self) -> None:
        """Read the digits and take the first, unless an image was chosen before; does nothing the second time."""
        if self._by_class:
            return
        try:
            probes = probe_images()
        except (OSError, ValueError, KeyError) as error:
            self._say(self.tr("The digits cannot be read ({why}); open an image instead").format(why=error))
            return
        for digit in sorted({probe.target for probe in probes if probe.target is not None}):
            self._by_class[digit] = tuple(probe for probe in probes if probe.target == digit)
        self.digits.show_probes([self._by_class[digit][0] for digit in self._by_class])
        if self.current is None:
            self.choose_class(next(iter(self._by_class)))

    def choose_class(self, digit: int) -> None:
        """Take the digit's image; the next one if the digit is chosen already."""
        step = 1 if self.current is not None and self.current.target == digit else 0
        self._turn(digit, step)

    def open_image(self, path: Path) -> None:
        """Take a picture from a file; the bar says so if it cannot be read."""
        try:
            probe = read_image(path)
        except ProbeImageError as error:
            self._say(str(error))
            self.failed.emit(str(error))
            return
        self._own.show_image(to_qimage(probe.image))
        self._take(probe)

    def show_image(self, image: npt.NDArray[np.uint8], label: str) -> None:
        """Take a picture that is here already, `(H, W)` or `(3, H, W)`."""
        self._own.show_image(to_qimage(image))
        self._take(Probe(label=label, image=image))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._finish)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_image(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_image(event)
        if path is not None:
            event.acceptProposedAction()
            self.open_image(path)

    def _finish(self) -> None:
        self.load()
        self._recolour()

    def _turn(self, digit: int, step: int) -> None:
        probes = self._by_class.get(digit)
        if not probes:
            return
        self._turns[digit] = (self._turns.get(digit, 0) + step) % len(probes)
        probe = probes[self._turns[digit]]
        self.digits.replace(digit, probe)
        self._take(probe)

    def _take(self, probe: Probe) -> None:
        self._error.hide()
        self._error.setText("")
        self.digits.mark(probe.target)
        self._own.setVisible(probe.target is None)
        height, width = probe.image.shape[-2:]
        size = self.tr("{width}×{height} pixels").format(width=width, height=height)
        self._name.show_text(f"{probe.label} · {size}")
        self._probes.put(probe)

    def _say(self, text: str) -> None:
        self._error.show_text(text)
        self._error.show()

    def _ask(self) -> None:
        kinds = self.tr("Images (*.png *.jpg *.jpeg *.bmp *.gif *.webp *.ppm *.pgm);;All files (*)")
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open probe image"), "", kinds)
        if name:
            self.open_image(Path(name))

    def _recolour(self) -> None:
        if self.isVisible():
            self.open_button.setIcon(icon("image", self._themes.theme))


class _DigitRow(QWidget):
    """One thumbnail a class: a click or arrow key chooses; another click, or the wheel, turns to its next image.

    Signals:
        chosen(int): a class.
        turned(int, int): a class and by how many images.
    """

    chosen = Signal(int)
    turned = Signal(int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._digits: list[int] = []
        self._images: list[QImage] = []
        self._marked: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Probe image by class"))
        self.setToolTip(self.tr("Click a digit; click again, or turn the wheel, for another of the same class"))
        # The place is kept while the images are read, so that nothing beside it moves.
        self.setFixedSize(10 * (_TILE + 4), _TILE)
        themes.changed.connect(self.update)

    def show_probes(self, probes: Sequence[Probe]) -> None:
        """Show one image a class."""
        self._digits = [probe.target for probe in probes if probe.target is not None]
        self._images = [to_qimage(np.asarray(probe.image)) for probe in probes]
        self.setFixedWidth(len(probes) * (_TILE + 4))
        self.update()

    def replace(self, digit: int, probe: Probe) -> None:
        """Show another image of a class."""
        self._images[self._digits.index(digit)] = to_qimage(np.asarray(probe.image))
        self.update()

    def mark(self, digit: int | None) -> None:
        """Mark the chosen class, or none."""
        self._marked = digit
        self.update()

    def tile_rect(self, digit: int) -> QRect:
        """Where a class' thumbnail lies."""
        return QRect(self._digits.index(digit) * (_TILE + 4), 0, _TILE, _TILE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = int(event.position().x()) // (_TILE + 4)
        if event.button() == Qt.MouseButton.LeftButton and 0 <= place < len(self._digits):
            self.chosen.emit(self._digits[place])

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._marked is None or not event.angleDelta().y():
            event.ignore()
            return
        self.turned.emit(self._marked, -1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        place = self._digits.index(self._marked) if self._marked in self._digits else -1
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        turns = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Space: 1}
        if event.key() in moves and 0 <= place + moves[Qt.Key(event.key())] < len(self._digits):
            self.chosen.emit(self._digits[place + moves[Qt.Key(event.key())]])
        elif event.key() in turns and self._marked is not None:
            self.turned.emit(self._marked, turns[Qt.Key(event.key())])
        elif event.text().isdecimal() and int(event.text()) in self._digits:
            self.chosen.emit(int(event.text()))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        for digit, image in zip(self._digits, self._images, strict=True):
            rect = self.tile_rect(digit)
            painter.drawImage(rect.adjusted(2, 2, -2, -2), image)
            if digit == self._marked:
                painter.setPen(QPen(theme.accent, 2))
                painter.drawRect(rect.adjusted(1, 1, -1, -1))
        if self.hasFocus() and self._marked is None:
            painter.setPen(QPen(theme.accent, 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class _Thumbnail(QWidget):
    """The user's own picture."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._image = QImage()
        self.setFixedSize(_TILE, _TILE)

    def show_image(self, image: QImage) -> None:
        """Show this picture."""
        size = QSize(_TILE - 4, _TILE - 4) * self.devicePixelRatioF()
        kept = Qt.AspectRatioMode.KeepAspectRatio
        self._image = image.scaled(size, kept, Qt.TransformationMode.SmoothTransformation)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self._image.deviceIndependentSize()
        left, top = (self.width() - shown.width()) / 2, (self.height() - shown.height()) / 2
        painter.drawImage(int(left), int(top), self._image)
        painter.setPen(QPen(self._themes.theme.accent, 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


def dropped_image(event: QDropEvent) -> Path | None:
    """The file that is being dropped, whatever its name; a project is not an image."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path for path in paths if not path.name.endswith(".json")), None)
