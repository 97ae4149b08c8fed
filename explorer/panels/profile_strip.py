"""The line above the canvas while a step is profiled, and what came of it: the parts of a step, and where to look."""

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel
from explorer.look.segments import Segments, level
from explorer.look.theme import GRID, Theme, ThemeSource, body_font
from explorer.runs.profile import StepProfile
from explorer.session.profile_session import Measured

_PATIENCE_MS = 400
"""What is over sooner needs no progress bar."""
OVERLAYS = ("forward", "backward", "kept", "rate")
"""What the canvas can be coloured by, in the order of the buttons."""


class ProfileStrip(QWidget):
    """Hidden but for while there is something to say.

    Signals:
        cancel_asked(): end what is under way.
        overlay_asked(str): colour the canvas by one of `OVERLAYS`.
        table_asked(): show the table.
    """

    cancel_asked = Signal()
    overlay_asked = Signal(str)
    table_asked = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.label = ElidedLabel(themes, font=body_font(), parent=self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(20 * GRID, GRID)
        self.bar.setRange(0, 100)
        self.cancel_button = self._button(self.tr("Cancel"), self.tr("End the profiling"))
        self.cancel_button.clicked.connect(self.cancel_asked)
        self.overlays = Segments(
            (
                (self.tr("Forward"), self.tr("Colour the canvas by forward time")),
                (self.tr("Backward"), self.tr("Colour the canvas by backward time")),
                (self.tr("Memory"), self.tr("Colour the canvas by the memory kept")),
                (self.tr("FLOP/s"), self.tr("Colour the canvas by the arithmetic achieved")),
            ),
            themes,
            self,
        )
        self.overlays.choose(None)
        self.overlays.chosen.connect(lambda place: self.overlay_asked.emit(OVERLAYS[place]))
        self.table_button = self._button(self.tr("Table"), self.tr("Show the measured columns of the table"))
        self.table_button.clicked.connect(self.table_asked)
        self.close_button = self._button("", self.tr("Dismiss; the numbers stay"))
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID // 2)
        row.addWidget(self.label, 1)
        row.addWidget(self.bar)
        for widget in (self.cancel_button, self.overlays, self.table_button, self.close_button):
            row.addWidget(widget)
        level(self.cancel_button, self.table_button, self.close_button)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self.show)
        self._set_icons()
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self.label.whole

    def show_progress(self, text: str, share: float) -> None:
        """Say what is being done; not at once, since small networks are done sooner than anybody reads."""
        self.label.show_text(text)
        self.bar.setValue(round(100 * share))
        self._show_parts(is_busy=True)
        if not self.isVisible() and not self._patience.isActive():
            self._patience.start()

    def show_measured(self, measured: Measured) -> None:
        """Say what a step takes, and offer to see where."""
        self._patience.stop()
        self.label.show_text(self._words(measured))
        self._show_parts(is_busy=False)
        self.show()

    def show_overlay(self, key: str) -> None:
        """The canvas is coloured by that."""
        self.overlays.choose(OVERLAYS.index(key) if key in OVERLAYS else None)

    def end(self) -> None:
        """There is nothing to say any more."""
        self._patience.stop()
        self.hide()

    def _words(self, measured: Measured) -> str:
        profile = measured.profile
        images = self.tr("1 image") if profile.batch_size == 1 else self.tr("{0} images").format(profile.batch_size)
        parts = [
            self.tr("{images} in {time}").format(images=images, time=numbers.short_time(profile.step_s)),
            self.tr("forward {0}").format(numbers.short_time(profile.forward_s)),
            self.tr("backward {0}").format(numbers.short_time(profile.backward_s)),
            self.tr("loss {0}").format(numbers.short_time(profile.loss_s)),
            self.tr("update {0}").format(numbers.short_time(profile.optimizer_s)),
            self.tr("data {0}").format(numbers.short_time(profile.data_s)),
            self._where(profile),
            self.tr("all parts but the data add up to {0} of the step").format(numbers.percent(profile.coverage, 0)),
            *profile.notes,
        ]
        if not measured.is_whole:
            parts.append(self.tr("layers edited since are left out"))
        return " · ".join(parts)

    def _where(self, profile: StepProfile) -> str:
        if profile.precision == "float32":
            return profile.device_text
        return self.tr("{device} in {precision}").format(device=profile.device_text, precision=profile.precision)

    def _show_parts(self, *, is_busy: bool) -> None:
        self.bar.setVisible(is_busy)
        self.cancel_button.setVisible(is_busy)
        for widget in (self.overlays, self.table_button, self.close_button):
            widget.setVisible(not is_busy)

    def _button(self, text: str, hint: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(hint)
        button.setAccessibleName(text or hint)
        button.setAutoRaise(True)
        button.setFont(body_font())
        button.setIconSize(QSize(2 * GRID, 2 * GRID))
        button.setMinimumHeight(3 * GRID)
        return button

    def _set_icons(self) -> None:
        self._themes.changed.connect(self._recolour)
        self._recolour(self._themes.theme)

    def _recolour(self, theme: Theme) -> None:
        self.close_button.setIcon(icon("close", theme, theme.muted))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._themes.theme, QPainter(self)
        painter.fillRect(self.rect(), theme.card)
        painter.fillRect(0, 0, GRID // 2, self.height(), theme.accent)
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.border)
        painter.end()
