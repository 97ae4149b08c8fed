"""What every editor of a hyper-parameter's value shares: its signals, its width, and how it says that values differ."""

from typing import ClassVar, NamedTuple

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from explorer.layers import HyperParameter
from explorer.look.icons import icon
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.values.number import NumberBox

WIDTH = 24 * GRID
"""All editors are as wide as each other where there is room."""

BUTTON_WIDTH = 3 * GRID
"""What stands at the end of a row, behind its numbers."""

ROW_HEIGHT = 3 * GRID + 2


class Mixed(NamedTuple):
    """Shown in place of a value where several nodes have different ones."""

    first: object
    """One of them, at which steps start."""


class ValueEditor(QWidget):
    """Shows and edits one hyper-parameter.

    Signals:
        edited(object): the user chose this value, in the hyper-parameter's own form.
        left(): the focus went elsewhere: the gesture is over.
        previewed(object): the user points at this value, or drags to it, without having chosen it.
        preview_ended(): and no longer.
    """

    edited = Signal(object)
    left = Signal()
    previewed = Signal(object)
    preview_ended = Signal()
    is_labelled: ClassVar[bool] = False
    """Whether the editor shows the name itself, so that the form needs no label for it."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self._themes = themes
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID // 2)

    def show_value(self, value: object, arriving: object) -> None:
        """Show a value, or `Mixed` ones. Emits nothing.

        Args:
            arriving: what the input says to it, or None where that is unknown: the size that a value follows, what
                "same" padding comes to as (top, bottom, left, right), the channels that connections may read.
        """
        raise NotImplementedError

    def refuse(self, why: str) -> None:
        """Say in place why the last value that was edited cannot be; the next one shown or typed ends that."""

    def restart(self) -> None:
        """The editor stands for another node from now on: forget half-typed text and how it was split."""

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, super().sizeHint().height())

    def _add_box(self) -> NumberBox:
        box = NumberBox(self.parameter, self)
        box.left.connect(self.left)
        self._layout.addWidget(box, 1)
        if self.focusProxy() is None:
            self.setFocusProxy(box)
        return box

    def _end_with_room(self) -> None:
        # Stands under a pair's first and second box, whose link takes this room.
        self._layout.addSpacing(BUTTON_WIDTH + GRID // 2)


class RowButton(QToolButton):
    """A small icon at the end of a row, without a frame until it is pointed at: the numbers are what is read."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.setFixedSize(BUTTON_WIDTH, BUTTON_WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        themes.changed.connect(self.redraw)

    def redraw(self) -> None:
        """Ask for the icon again."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus() or (self.underMouse() and self.isEnabled()):
            theme = self._themes.theme
            painter.setPen(theme.accent if self.hasFocus() else theme.border)
            painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        mode = QIcon.Mode.Normal if self.isEnabled() else QIcon.Mode.Disabled
        inset = (BUTTON_WIDTH - 2 * GRID) // 2
        self.icon().paint(painter, self.rect().adjusted(inset, inset, -inset, -inset), mode=mode)


class LinkButton(RowButton):
    """A small chain, closed while checked."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, parent)
        self.setCheckable(True)
        self.toggled.connect(self.redraw)
        self.redraw()

    def redraw(self) -> None:
        theme = self._themes.theme
        linked = self.isChecked()
        self.setIcon(icon("link" if linked else "unlink", theme, theme.accent if linked else theme.muted))


class MenuButton(RowButton):
    """An arrow that opens a menu of further ways; a click, Space and the Down key open it."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, parent)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.redraw()

    def redraw(self) -> None:
        self.setIcon(icon("choose", self._themes.theme, self._themes.theme.muted))
