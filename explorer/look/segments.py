"""Buttons that stay down, alone or one of a row: the same look everywhere, plain in light and dark."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from explorer.look.icons import icon
from explorer.look.theme import Theme, ThemeSource


class Segments(QWidget):
    """A row of exclusive buttons.

    Signals:
        chosen(int): another one was pressed.
    """

    chosen = Signal(int)

    def __init__(self, entries: Sequence[tuple[str, str]], themes: ThemeSource, parent: QWidget | None = None) -> None:
        """One button an entry, which is its text and its tooltip; the first one is down."""
        super().__init__(parent)
        self._themes = themes
        self._icons: tuple[str, ...] = ()
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, (text, tip) in enumerate(entries):
            button = QToolButton(self)
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setChecked(place == 0)
            button.setProperty("isJoined", place < len(entries) - 1)
            self._group.addButton(button, place)
            row.addWidget(button)
        self._group.idClicked.connect(self.chosen)
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    @property
    def current(self) -> int:
        """Which one is down."""
        return self._group.checkedId()

    def button(self, place: int) -> QToolButton:
        """One of them."""
        found = self._group.button(place)
        assert isinstance(found, QToolButton)
        return found

    def choose(self, place: int) -> None:
        """Press one, without saying so."""
        self.button(place).setChecked(True)

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
            button.setIcon(icon(name, theme, theme.accent_text if button.isChecked() else theme.muted))


class Toggle(QToolButton):
    """A button of its own that stays down while something is on."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        themes.changed.connect(self._recolour)
        self._recolour(themes.theme)

    def _recolour(self, theme: Theme) -> None:
        self.setStyleSheet(_sheet(theme))


def _sheet(theme: Theme) -> str:
    return f"""
        QToolButton {{ border: 1px solid {theme.border.name()}; padding: 3px 8px;
                       background: {theme.panel.name()}; color: {theme.text.name()}; }}
        QToolButton[isJoined="true"] {{ margin-right: -1px; }}
        QToolButton:hover {{ background: {theme.window.name()}; }}
        QToolButton:checked {{ background: {theme.accent.name()}; color: {theme.accent_text.name()};
                               border-color: {theme.accent.name()}; }}
        QToolButton:focus {{ border-color: {theme.accent.name()}; }}
        QToolButton:disabled {{ background: {theme.window.name()}; color: {theme.muted.name()};
                                border-color: {theme.border.name()}; }}
    """
