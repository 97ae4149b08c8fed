"""A sheet to draw a probe image on with the mouse; what is drawn becomes the probe while it is drawn.

Strokes and the picture that they make are `session.drawing`'s.
"""

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QHideEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QShortcut,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from explorer.look.check_box import CheckBox
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.session.drawing import Drawing, paint, picture
from explorer.session.probes import to_qimage

_SIDE = 35 * GRID
_PREVIEW = 12 * GRID
_INTERVAL_MS = 100
"""Between two pictures while the pen moves: maps follow ten times a second, and each is seen before the next."""
_THINNEST, _THICKEST = 2, 24
"""Of the pen, in hundredths of the sheet's side."""
_PEN = 9
"""About two and a half of 28 pixels, as MNIST's digits are written."""
_GUIDE = 20 / 28
"""Of the side; where MNIST's digits lie."""


class Sheet(QWidget):
    """What is drawn on. The left button draws, the right one erases.

    Signals:
        changed(): another drawing.
    """

    changed = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.drawing = Drawing()
        self.pen_width = _PEN / 100
        self.erases = False
        self._is_drawing = False
        self.setFixedSize(_SIDE, _SIDE)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(self.tr("Sheet to draw on"))

    def take(self, drawing: Drawing) -> None:
        """Show another drawing."""
        self.drawing = drawing
        self._is_drawing = False
        self.update()
        self.changed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        buttons = {Qt.MouseButton.LeftButton: self.erases, Qt.MouseButton.RightButton: True}
        if event.button() in buttons and not self._is_drawing:
            x, y = self._place(event.position())
            self._is_drawing = True
            self._show(self.drawing.begun(x, y, self.pen_width, erases=buttons[event.button()]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_drawing:
            self._show(self.drawing.drawn_to(*self._place(event.position())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._is_drawing = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        paint(painter, self.drawing, self.width())
        if self.drawing.is_empty:
            margin = self.width() * (1 - _GUIDE) / 2
            painter.setPen(QPen(Qt.GlobalColor.darkGray, 1, Qt.PenStyle.DotLine))
            painter.drawRect(QRectF(self.rect()).adjusted(margin, margin, -margin, -margin))
            painter.setPen(Qt.GlobalColor.gray)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("draw here"))
        painter.setPen(self._themes.theme.border)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _place(self, point: QPointF) -> tuple[float, float]:
        return point.x() / self.width(), point.y() / self.height()

    def _show(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.update()
        self.changed.emit()


class DrawingPad(QWidget):
    """A small window of its own, beside which everything else goes on.

    Signals:
        drawn(numpy.ndarray, object): the picture `(H, W)` in uint8, and the class that it is meant to be or None; ten
            times a second at most.
        closed(): it is out of sight.
    """

    drawn = Signal(object, object)
    closed = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle(self.tr("Draw a probe image"))
        self._size = (28, 28)
        self._is_due = self._has_drawn = False
        self._timer = QTimer(self, singleShot=True, interval=_INTERVAL_MS)
        self._timer.timeout.connect(self._catch_up)
        self.sheet = Sheet(themes, self)
        self.preview = QLabel(self)
        self.preview.setFixedSize(_PREVIEW, _PREVIEW)
        self.preview.setToolTip(self.tr("What the network gets, before its own padding and scale"))
        self._size_text = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.pen_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.pen_slider.setRange(_THINNEST, _THICKEST)
        self.pen_slider.setValue(_PEN)
        self.pen_slider.setAccessibleName(self.tr("Width of the pen"))
        self.eraser = CheckBox(self.tr("Eraser"), self)
        self.eraser.setToolTip(self.tr("Or draw with the right button"))
        self.fits = CheckBox(self.tr("Centre and scale"), self)
        self.fits.setChecked(True)
        self.fits.setToolTip(self.tr("As MNIST's digits are: in the middle, over five sevenths of the side"))
        self.class_menu = QComboBox(self)
        self.class_menu.setAccessibleName(self.tr("What it is meant to be"))
        self.class_menu.addItem(self.tr("unknown"), None)
        self.undo_button = QPushButton(self.tr("Undo"), self)
        self.clear_button = QPushButton(self.tr("Clear"), self)
        self.done_button = QPushButton(self.tr("Done"), self)
        self._lay_out(themes)
        self.sheet.changed.connect(self._draw)
        self.fits.toggled.connect(lambda _on: self._draw())
        self.class_menu.currentIndexChanged.connect(lambda _place: self._draw())
        self.pen_slider.valueChanged.connect(self._set_width)
        self.eraser.toggled.connect(self._set_eraser)
        self.undo_button.clicked.connect(self.undo)
        self.clear_button.clicked.connect(lambda: self.sheet.take(Drawing()))
        self.done_button.clicked.connect(self.close)
        QShortcut(QKeySequence.StandardKey.Undo, self, self.undo)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self._show_buttons()

    def begin(self, size: tuple[int, int], class_names: tuple[str, ...]) -> None:
        """A clean sheet for pictures of that height and width."""
        self._size = size
        self._timer.stop()
        self._is_due = self._has_drawn = False
        with QSignalBlocker(self.class_menu), QSignalBlocker(self.sheet):
            while self.class_menu.count() > 1:
                self.class_menu.removeItem(1)
            for place, name in enumerate(class_names):
                self.class_menu.addItem(name, place)
            self.class_menu.setCurrentIndex(0)
            self.sheet.take(Drawing())
        self.eraser.setChecked(False)
        self._size_text.show_text(self.tr("{0}×{1} pixels").format(size[1], size[0]))
        self._show_preview(self.picture())
        self._show_buttons()

    def picture(self) -> npt.NDArray[np.uint8]:
        """What is drawn, `(H, W)`."""
        return picture(self.sheet.drawing, *self._size, fits=self.fits.isChecked())

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.sheet.drawing.strokes:
            self.sheet.take(self.sheet.drawing.undone())

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_due:
            self._timer.stop()
            self._catch_up()
        super().closeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()

    def _lay_out(self, themes: ThemeSource) -> None:
        seen = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        seen.setText(self.tr("The network sees"))
        form = QFormLayout()
        form.addRow(self.tr("Pen"), self.pen_slider)
        form.addRow("", self.eraser)
        form.addRow("", self.fits)
        form.addRow(self.tr("It is a"), self.class_menu)
        side = QVBoxLayout()
        side.setSpacing(GRID)
        side.addWidget(seen)
        side.addWidget(self.preview)
        side.addWidget(self._size_text)
        side.addLayout(form)
        side.addStretch(1)
        row = QHBoxLayout()
        row.addWidget(self.undo_button)
        row.addWidget(self.clear_button)
        side.addLayout(row)
        side.addWidget(self.done_button)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(GRID, GRID, GRID, GRID)
        whole.setSpacing(2 * GRID)
        whole.addWidget(self.sheet)
        whole.addLayout(side)
        whole.setSizeConstraint(QHBoxLayout.SizeConstraint.SetFixedSize)

    def _set_width(self, hundredths: int) -> None:
        self.sheet.pen_width = hundredths / 100

    def _set_eraser(self, on: bool) -> None:
        self.sheet.erases = on

    def _draw(self) -> None:
        self._show_buttons()
        if self._timer.isActive():
            self._is_due = True
            return
        self._timer.start()
        self._tell()

    def _catch_up(self) -> None:
        if self._is_due:
            self._is_due = False
            self._timer.start()
            self._tell()

    def _tell(self) -> None:
        made = self.picture()
        self._show_preview(made)
        # An empty sheet is no image that anybody asks about, unless it was drawn on before.
        if self.sheet.drawing.strokes or self._has_drawn:
            self._has_drawn = True
            self.drawn.emit(made, self.class_menu.currentData())

    def _show_preview(self, made: npt.NDArray[np.uint8]) -> None:
        size = QSize(_PREVIEW, _PREVIEW)
        kept, crisp = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
        self.preview.setPixmap(QPixmap.fromImage(to_qimage(made).scaled(size, kept, crisp)))

    def _show_buttons(self) -> None:
        has_strokes = bool(self.sheet.drawing.strokes)
        self.undo_button.setEnabled(has_strokes)
        self.clear_button.setEnabled(has_strokes)
