"""Buttons that stay down, alone or one of a row: the same look everywhere, plain in light and dark."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from explorer.look.icons import icon
from explorer.look.theme import Theme, ThemeSource, small_font


class Segments(QWidget):
    """A row of buttons of which no more than one is down.

    Signals:
        chosen(int): another one was pressed.
    """

    chosen = Signal(int)

    def __init__(
        self,
        entries: Sequence[tuple[str, str]],
        themes: ThemeSource,
        parent: QWidget | None = None,
        *,
        is_small: bool = False,
    ) -> None:
        """One button an entry, which is its text and its tooltip; the first one is down.

        Args:
            is_small: in the size of captions, for a narrow panel.
        """
        super().__init__(parent)
        self._themes = themes
        self._icons: tuple[str, ...] = ()
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, (text, tip) in enumerate(entries):
            button = _Button(themes, self, is_small=is_small)
            button.setText(text)
            button.setToolTip(tip)
            button.setChecked(place == 0)
            button.setProperty("isJoined", place < len(entries) - 1)
            self._group.addButton(button, place)
            row.addWidget(button)
        self._group.idClicked.connect(self.chosen)
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    @property
    def current(self) -> int:
        """Which one is down; -1 for none."""
        return self._group.checkedId()

    def button(self, place: int) -> QToolButton:
        """One of them."""
        found = self._group.button(place)
        assert isinstance(found, QToolButton)
        return found

    def choose(self, place: int | None) -> None:
        """Press one, or let all go, without saying so."""
        if place is not None:
            self.button(place).setChecked(True)
        elif (down := self._group.checkedButton()) is not None:
            self._group.setExclusive(False)
            down.setChecked(False)
            self._group.setExclusive(True)

    def show_icons(self, names: Sequence[str]) -> None:
        """Draw an icon before each text, by the names of `icons`."""
        if not self._icons:
            self._group.buttonToggled.connect(lambda _button, _is_down: self._draw_icons())
        self._icons = tuple(names)
        self._draw_icons()

    def _recolour(self, theme: Theme) -> None:
        self.setStyleSheet(_sheet(theme))
        self._draw_icons()

    def _draw_icons(self) -> None:
        theme = self._themes.theme
        for place, name in enumerate(self._icons):
            button = self.button(place)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIcon(_icon(name, theme, button))


def level(*widgets: QWidget) -> None:
    """Let widgets of one row be as high as the highest of them; styles give each kind a height of its own."""
    for widget in widgets:
        policy = widget.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        widget.setSizePolicy(policy)


class _Button(QToolButton):
    """Shows where the keyboard is: by a thick border, or by a line within where the accent is the ground."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None, *, is_small: bool) -> None:
        super().__init__(parent)
        self._themes = themes
        self.setCheckable(True)
        self.setProperty("isSmall", is_small)
        if is_small:
            self.setFont(small_font())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.hasFocus():
            return
        theme, painter = self._themes.theme, QPainter(self)
        if self.isChecked():
            painter.setPen(QPen(theme.accent_text, 1))
            painter.drawRect(self.rect().adjusted(2, 2, -3, -3))
        else:
            painter.setPen(QPen(theme.accent, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class Toggle(_Button):
    """A button of its own that stays down while something is on."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None, *, is_small: bool = False) -> None:
        """Up.

        Args:
            is_small: in the size of captions, for a narrow panel.
        """
        super().__init__(themes, parent, is_small=is_small)
        self._icon = ""
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    def show_icon(self, name: str) -> None:
        """Draw an icon, by the names of `icons`, before the text if there is one."""
        if not self._icon:
            self.toggled.connect(self._draw_icon)
        self._icon = name
        self.setText(self.text())
        self._draw_icon()

    def setText(self, text: str) -> None:
        super().setText(text)
        if self._icon:
            style = Qt.ToolButtonStyle
            self.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)

    def _recolour(self, theme: Theme) -> None:
        self.setStyleSheet(_sheet(theme))
        self._draw_icon()

    def _draw_icon(self) -> None:
        if self._icon:
            self.setIcon(_icon(self._icon, self._themes.theme, self))


def _icon(name: str, theme: Theme, button: QToolButton) -> QIcon:
    return icon(name, theme, theme.accent_text if button.isChecked() else theme.muted)


def _sheet(theme: Theme) -> str:
    lit = theme.accent.lighter(112) if theme.is_dark else theme.accent.darker(112)
    return f"""
        QToolButton {{ border: 1px solid {theme.border.name()}; padding: 3px 8px;
                       background: {theme.panel.name()}; color: {theme.text.name()}; }}
        QToolButton[isJoined="true"] {{ margin-right: -1px; }}
        QToolButton[isSmall="true"] {{ padding: 1px 3px; }}
        QToolButton:hover {{ background: {theme.grid.name()}; }}
        QToolButton:checked {{ background: {theme.accent.name()}; color: {theme.accent_text.name()};
                               border-color: {theme.accent.name()}; }}
        QToolButton:checked:hover {{ background: {lit.name()}; }}
        QToolButton:disabled {{ background: {theme.window.name()}; color: {theme.muted.name()};
                                border-color: {theme.border.name()}; }}
        QToolButton:checked:disabled {{ background: {theme.border.name()}; }}
    """
