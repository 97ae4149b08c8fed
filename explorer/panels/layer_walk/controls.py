"""The line above the pictures of the Layer tab: which channels, how the window moves, what is shown of the output."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QSpinBox, QToolButton, QWidget

from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Toggle, level
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.layer_walk.colours import colour

SPEEDS = (1, 2, 4, 8, 15, 30, 60, 120, 240)
"""Output pixels a second."""


class ChannelChooser(QWidget):
    """One of a number of channels.

    Signals:
        chosen(int): the user wants this one.
    """

    chosen = Signal(int)

    def __init__(self, name: str, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self._name.setText(name)
        self.box = QSpinBox(self)
        self.box.setFont(small_font())
        self.box.setKeyboardTracking(False)
        self.box.setAccessibleName(name)
        self.box.valueChanged.connect(self.chosen)
        self.says = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        line.addWidget(self._name)
        line.addWidget(self.box)
        line.addWidget(self.says, 1)

    def show_channel(self, channel: int, count: int, says: str, *, is_number: bool = True) -> None:
        """Show which of how many it is. Emits nothing.

        Args:
            is_number: there is something to choose; else only the words are shown.
        """
        self.box.blockSignals(True)
        self.box.setRange(0, count - 1)
        self.box.setValue(channel)
        self.box.blockSignals(False)
        self.box.setEnabled(count > 1)
        self.says.show_text(says)
        for widget in (self._name, self.box):
            widget.setVisible(is_number)


class WalkControls(QWidget):
    """The window's way.

    Signals:
        first_asked(): back to the first output.
        toggled(): play, or pause.
        step_asked(): one output further.
        share_chosen(bool): show the padding's share of each output instead of its value.
    """

    first_asked = Signal()
    toggled = Signal()
    step_asked = Signal()
    share_chosen = Signal(bool)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._is_playing = False
        self.first_button = self._button(self.tr("First output (Home)"))
        self.play_button = self._button(self.tr("Play or pause (Space)"))
        self.step_button = self._button(self.tr("Next output (right arrow)"))
        self.first_button.clicked.connect(self.first_asked)
        self.play_button.clicked.connect(self.toggled)
        self.step_button.clicked.connect(self.step_asked)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, len(SPEEDS) - 1)
        self.slider.setValue(SPEEDS.index(4))
        self.slider.setMinimumWidth(3 * GRID)
        self.slider.setMaximumWidth(10 * GRID)
        self.slider.setAccessibleName(self.tr("Speed"))
        self._speed_says = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self._speed_says.setFixedWidth(10 * GRID)
        self.slider.valueChanged.connect(self._show_speed)
        self.share_button = Toggle(themes, self, is_small=True)
        self.share_button.setText(self.tr("Padding %"))
        self.share_button.toggled.connect(self.share_chosen)
        self._legend = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID // 2)
        line.addStretch(1)
        for widget in (self.first_button, self.play_button, self.step_button, self.slider, self._speed_says):
            line.addWidget(widget)
        line.addWidget(self.share_button)
        level(self.share_button)
        line.addSpacing(GRID // 2)
        line.addWidget(self._legend)
        line.addStretch(1)
        themes.changed.connect(self._draw_icons)
        themes.changed.connect(self._draw_legend)
        self._draw_icons()
        self._draw_legend()
        self._show_speed()
        self.set_padded(False)

    @property
    def pixels_per_second(self) -> int:
        """The speed."""
        return SPEEDS[self.slider.value()]

    def show_playing(self, is_playing: bool) -> None:
        """Offer to pause, or to play."""
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self._draw_icons()

    def set_padded(self, is_padded: bool) -> None:
        """Offer the padding's share where there is any."""
        self.share_button.setEnabled(is_padded)
        self.share_button.setToolTip(
            self.tr("Show how many of each output's taps lie in the padding")
            if is_padded
            else self.tr("No output of this layer reads padding")
        )

    def _button(self, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        # A click leaves the focus with the pictures, whose keys these are.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _draw_icons(self) -> None:
        theme = self._themes.theme
        self.first_button.setIcon(icon("first", theme))
        self.play_button.setIcon(icon("pause" if self._is_playing else "start", theme))
        self.step_button.setIcon(icon("step", theme))

    def _draw_legend(self) -> None:
        theme = self._themes.theme
        below, above = (colour(value, 1.0, theme).name() for value in (-0.7, 0.7))
        said = f'<span style="color:{below}">■</span> {{0}} <span style="color:{above}">■</span> {{1}}'
        self._legend.show_text(said.format(self.tr("below 0"), self.tr("above 0")))

    def _show_speed(self) -> None:
        self._speed_says.show_text(self.tr("{0} a second").format(self.pixels_per_second))
