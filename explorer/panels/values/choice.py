"""The editor for one of a few words: a list to choose from, which previews the word under the pointer."""

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from explorer.layers import HyperParameter
from explorer.look.numbers import UNKNOWN
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.values.base import ROW_HEIGHT, Mixed, ValueEditor


class ChoiceEditor(ValueEditor):
    """CHOICE: a list of words. Arrow keys choose at once; in the open list, the word pointed at is previewed."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self.box = _WordBox(self)
        self.box.addItems(list(parameter.options))
        self.box.setAccessibleName(parameter.name)
        self._layout.addWidget(self.box, 1)
        self._end_with_room()
        self.setFocusProxy(self.box)
        self.box.activated.connect(lambda place: self.edited.emit(parameter.options[place]))
        self.box.highlighted.connect(self._point_at)
        self.box.closed.connect(self.preview_ended)
        self.box.left.connect(self.left)

    def show_value(self, value: object, arriving: object) -> None:
        place = -1 if isinstance(value, Mixed) else self.parameter.options.index(str(value))
        if place != self.box.currentIndex():
            self.box.setCurrentIndex(place)

    def _point_at(self, place: int) -> None:
        if self.box.view().isVisible():
            self.previewed.emit(self.parameter.options[place])


class _WordBox(QComboBox):
    """A combo box that leaves the wheel to the form unless it has the focus.

    Signals:
        closed(): the open list went away.
        left(): the focus went elsewhere.
    """

    closed = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFont(body_font())
        self.setPlaceholderText(UNKNOWN)
        self.view().installEventFilter(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Escape and a click elsewhere hide the list without `hidePopup`.
        if event.type() == QEvent.Type.Hide and watched is self.view():
            self.closed.emit()
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.view().isVisible():
            self.left.emit()

    def sizeHint(self) -> QSize:
        return QSize(12 * GRID, ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * GRID, ROW_HEIGHT)
