"""The time machine's bar: a scrubber over the moments of a run, with what plays, jumps, compares and exports.

The bar decides nothing: it says which moment is chosen (`chosen`), and is told which one is on screen (`show_moment`).
"""

import math
import time

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from explorer.look import icons, numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.curves.data import RunCurves
from explorer.panels.moments.losses import Leap, LeapSearch
from explorer.panels.moments.track import MomentTrack
from explorer.runs import EpochFinished, StepsRecorded

SPEEDS = (1, 2, 4, 8, 16)
"""Moments a second, the usual one in the middle."""
_SHARE = 0.01
"""Of the window's time that this may take."""
_CURVE_INTERVAL_S = 0.5
"""At most so often the curve behind the scrubber is drawn anew while a run goes."""


class MomentsBar(QWidget):
    """Buttons, track, what is shown, and the way back to the present.

    Signals:
        chosen(int, object): look at the moment after this step; then one that is likely to come next, or None.
        live_asked(): look at the present again.
        pin_asked(): compare the moment on screen with others.
        export_asked(): make a film or a file of all moments.
    """

    chosen = Signal(int, object)
    live_asked = Signal()
    pin_asked = Signal()
    export_asked = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._curves = RunCurves()
        self._search = LeapSearch()
        self._steps: tuple[int, ...] = ()
        self._leaps: tuple[Leap, ...] = ()
        self._is_growing = False
        self._is_usable = True
        self._awaited: int | None = None
        """The moment that was asked for and is not on screen yet."""
        self.track = MomentTrack(themes, self)
        self._make_actions()
        self._text = RoleLabel(themes, font=small_font(), parent=self)
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance(self._longest()))
        self.speed = QComboBox(self)
        for speed in SPEEDS:
            self.speed.addItem(self.tr("{0}/s").format(speed), speed)
        self.speed.setCurrentIndex(2)
        self.speed.setToolTip(self.tr("Moments a second while it plays"))
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 2, GRID, 2)
        row.setSpacing(2)
        for action in (self.previous, self.play, self.next, self.loop):
            row.addWidget(self._button(action))
        row.addWidget(self.speed)
        row.addSpacing(GRID)
        row.addWidget(self.track, 1)
        row.addSpacing(GRID)
        row.addWidget(self._text)
        for action in (self.leap, self.pin, self.export):
            row.addWidget(self._button(action))
        self.live_button = self._button(self.live)
        self.live_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.live_button.setMinimumWidth(6 * GRID)
        row.addWidget(self.live_button)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._drawn_s = -math.inf
        """When the curve was drawn last."""
        self._pause_s = _CURVE_INTERVAL_S
        """From there to the next time."""
        self._playing = QTimer(self)
        self._playing.timeout.connect(self._play_on)
        self._redrawing = QTimer(self, singleShot=True)
        self._redrawing.timeout.connect(self._show_run)
        self.track.chosen.connect(self._choose_by_hand)
        self.speed.currentIndexChanged.connect(lambda _place: self._set_pace())
        themes.changed.connect(self._dress)
        self._dress(themes.theme)
        self._enable()

    def _make_actions(self) -> None:
        self._icons: dict[QAction, str] = {}
        self.previous = self._action(self.tr("Previous moment"), "previous", "Alt+Left", lambda: self._go(-1))
        self.play = self._action(self.tr("Play the run's moments"), "start", "Alt+P", self._toggle_playing)
        self.next = self._action(self.tr("Next moment"), "step", "Alt+Right", lambda: self._go(1))
        self.loop = self._action(self.tr("Play in a loop"), "loop", None, lambda: None)
        self.loop.setCheckable(True)
        self.leap = self._action(self.tr("To the next leap of the loss"), "leap", "Alt+L", self._go_to_leap)
        self.pin = self._action(self.tr("Compare with another moment…"), "compare", "Alt+C", self.pin_asked.emit)
        self.export = self._action(self.tr("Export the moments…"), "export", None, self.export_asked.emit)
        self.live = self._action(self.tr("Live"), None, "Alt+End", self._ask_live)

    @property
    def actions_(self) -> tuple[QAction, ...]:
        """All that the bar does, with its keys, for a menu."""
        return (
            self.previous,
            self.next,
            self.play,
            self.loop,
            self.leap,
            self.live,
            self.pin,
            self.export,
        )

    @property
    def step(self) -> int | None:
        """Of the moment on screen; None for the present."""
        return self.track.step

    @property
    def is_playing(self) -> bool:
        return self._playing.isActive()

    @property
    def curves(self) -> RunCurves:
        """What the run measured."""
        return self._curves

    @property
    def text(self) -> str:
        """What it says of the moment on screen."""
        return self._text.text()

    def clear(self) -> None:
        """Forget the run."""
        self.stop()
        self._curves = RunCurves()
        self._search = LeapSearch()
        self._steps, self._leaps = (), ()
        self.track.show_pinned(None)
        self.show_moment(None)
        self._show_run()

    def begin(self, steps_per_epoch: int) -> None:
        """A run began."""
        self._curves = RunCurves(steps_per_epoch)
        self._search = LeapSearch()

    def put(self, event: StepsRecorded | EpochFinished) -> None:
        """Take what the run measured."""
        if isinstance(event, StepsRecorded) and event.first_step <= self._curves.losses.last_step:
            # A run that was taken up again tells some steps anew.
            self._search = LeapSearch()
        self._curves.put(event)
        if self.isVisible() and not self._redrawing.isActive():
            # At once where it may, so that it counts to what showing these numbers takes.
            left_s = self._drawn_s + self._pause_s - time.perf_counter()
            self._redrawing.start(round(1000 * max(0.0, left_s)))

    def show_steps(self, steps: tuple[int, ...], *, is_growing: bool) -> None:
        """Show these moments.

        Args:
            steps: after which there is one, in order.
            is_growing: whether the run goes on.
        """
        self._steps, self._is_growing = steps, is_growing
        self._show_run()
        self._say()

    def show_moment(self, step: int | None) -> None:
        """Mark the moment that is on screen; None for the present."""
        self.track.show_step(step)
        if step is None:
            self.stop()
        self._enable()
        self._say()
        self.update()

    def go_on(self) -> None:
        """What was chosen last is on screen, or never will be: the next may be played."""
        self._awaited = None

    def set_usable(self, is_usable: bool) -> None:
        """Whether its actions do anything, by key or menu: not while the bar is hidden."""
        self._is_usable = is_usable
        if not is_usable:
            self.stop()
        self._enable()

    def stop(self) -> None:
        """Play no further."""
        if self.is_playing:
            self._playing.stop()
            self._dress(self._themes.theme)

    def show_pinned(self, step: int | None) -> None:
        """Mark the moment that others are compared with; None for none."""
        self.track.show_pinned(step)

    def choose(self, step: float) -> None:
        """Go to the moment nearest to a step."""
        near = self.track.nearest(step)
        if near is not None:
            self._choose_by_hand(near)

    def sizeHint(self) -> QSize:
        return QSize(100 * GRID, 5 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        ground = theme.window
        if self.step is not None:
            # The whole bar says that this is the past.
            painter.fillRect(self.rect(), ground)
            painter.setOpacity(0.16)
            painter.fillRect(self.rect(), theme.accent)
            painter.setOpacity(1.0)
            painter.fillRect(0, 0, self.width(), 2, theme.accent)
        else:
            painter.fillRect(self.rect(), ground)
            painter.fillRect(0, 0, self.width(), 1, theme.border)

    # What it does

    def _choose_by_hand(self, step: int) -> None:
        self.stop()
        self._choose(step, self._after(step, 1 if self.step is None or step >= self.step else -1))

    def _choose(self, step: int, ahead: int | None) -> None:
        self.show_moment(step)
        self._awaited = step
        self.chosen.emit(step, ahead)

    def _after(self, step: int, by: int) -> int | None:
        place = self._steps.index(step) + by if step in self._steps else -1
        return self._steps[place] if 0 <= place < len(self._steps) else None

    def _go(self, by: int) -> None:
        step = self.track.neighbour(by)
        if step is not None:
            self._choose_by_hand(step)

    def _toggle_playing(self) -> None:
        if self.is_playing:
            self.stop()
            return
        if not self._steps:
            return
        if self.step is None or self.step >= self._steps[-1]:
            self._choose(self._steps[0], self._after(self._steps[0], 1))
        self._set_pace()
        self._playing.start()
        self._dress(self._themes.theme)

    def _set_pace(self) -> None:
        self._playing.setInterval(1000 // int(self.speed.currentData()))

    def _play_on(self) -> None:
        if self._awaited is not None:
            # Where reading takes longer than a tick, asking for the next would drop each.
            return
        step = self.track.neighbour(1)
        if step is None and self.loop.isChecked() and self._steps:
            step = self._steps[0]
        if step is None:
            self.stop()
        else:
            self._choose(step, self._after(step, 1))

    def _go_to_leap(self) -> None:
        """To the next one marked, in the order of time, and from the last to the first."""
        if self._leaps and self._steps:
            # What a leap did is seen in the first moment that has it behind it.
            after = sorted(
                next((one for one in self._steps if one >= leap.step), self._steps[-1]) for leap in self._leaps
            )
            self._choose_by_hand(next((one for one in after if self.step is not None and one > self.step), after[0]))

    def _ask_live(self) -> None:
        if self.step is not None:
            self.show_moment(None)
            self.live_asked.emit()

    # What it shows

    def _show_run(self) -> None:
        start_s = time.perf_counter()
        # What was to be drawn a little later is drawn with the rest.
        self._redrawing.stop()
        losses = self._curves.losses
        self._leaps = self._search.look(losses.values, losses.first_step)
        last = max(self._curves.last_step, self._steps[-1] if self._steps else 0)
        self.track.show_run(self._steps, losses, self._leaps, last)
        self._enable()
        # A run of a million steps takes longer, and changes less.
        self._drawn_s = time.perf_counter()
        self._pause_s = max(_CURVE_INTERVAL_S, (self._drawn_s - start_s) / _SHARE)

    def _enable(self) -> None:
        has_any = self._is_usable and bool(self._steps)
        may = {self.leap: has_any and bool(self._leaps), self.live: has_any and self.step is not None}
        for action in self.actions_:
            action.setEnabled(may.get(action, has_any))

    def _say(self) -> None:
        step = self.step
        if step is None:
            kept = len(self._steps)
            self._text.set_role("muted")
            self._text.show_text(self.tr("{0} moments kept").format(kept) if kept != 1 else self.tr("1 moment kept"))
        else:
            parts = [self.tr("Looking back: step {0}").format(numbers.exact_count(step))]
            epoch, loss = self._curves.epoch_of(max(1, step)), self._curves.losses.at(step)
            if epoch is not None:
                parts.append(self.tr("epoch {0}").format(epoch))
            if loss is not None:
                parts.append(self.tr("loss {0}").format(numbers.loss(loss)))
            self._text.set_role("text")
            self._text.show_text(" · ".join(parts))
        self.live.setText(self.tr("Live") if self._is_growing else self.tr("Now"))
        self.live_button.setFont(body_font(bold=step is not None))

    def _longest(self) -> str:
        return self.tr("Looking back: step {0}").format("99,999") + " · epoch 999 · loss 0.0000"

    def _action(self, text: str, icon: str | None, keys: str | None, do: object) -> QAction:
        action = QAction(text, self)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
            shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{text} ({shown})")
        if icon is not None:
            self._icons[action] = icon
        assert callable(do)
        action.triggered.connect(lambda _checked=False: do())
        return action

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _dress(self, theme: Theme) -> None:
        for action, name in self._icons.items():
            shown = "pause" if action is self.play and self.is_playing else name
            action.setIcon(icons.icon(shown, theme))
