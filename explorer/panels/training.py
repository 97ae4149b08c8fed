"""Train the network on screen: configuration, buttons, progress and curves. The form is `training_form`'s."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.curves import Curves
from explorer.panels.training_form import ConfigForm
from explorer.panels.training_message import MessageBar
from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunFailed,
    RunFinished,
    RunStarted,
    StepsRecorded,
    TroubleMet,
)
from explorer.session import Document, Snapshot
from explorer.session.run_session import RunSession

SECTION = "training"
"""Where a project keeps its run configuration."""

_WIDE = 100 * GRID
_FORM_WIDTH = 60 * GRID
_WIDEST_FORM = 0.48
"""Share of a wide panel's width that the form may take from the curves."""
_TALLEST_FORM = 0.45
"""Share of a narrow panel's height that the form may take from the curves."""
_BAR_STEPS = 1000


class TrainingPanel(QWidget):
    """The panel. Its four actions are also the toolbar's and the menu's, which makes their shortcuts work everywhere.

    Signals:
        config_changed(RunConfig): how the next run, or the learning rate of this one, goes is another now.
    """

    config_changed = Signal(object)

    def __init__(self, document: Document, run: RunSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._themes = themes
        self._icons_shown = False
        self._section_waits = False
        self._started: RunStarted | None = None
        self._steps: StepsRecorded | None = None
        self._tested: EpochFinished | None = None
        self._end: RunFinished | RunFailed | None = None

        self.start_action = self._action(self.tr("Start"), "F5", self.start)
        self.pause_action = self._action(self.tr("Pause"), "F6", self._pause_or_resume)
        self.step_action = self._action(self.tr("Step"), "F10", self._step_once)
        self.stop_action = self._action(self.tr("Stop"), "Shift+F5", self._run.stop)

        self.form = ConfigForm(themes, self)
        self.form.edited.connect(self._take_edit)
        self.form.refused.connect(lambda why: self._say(why, "error"))
        self.form.told.connect(lambda what: self._say(what, "muted"))
        self.form.opened.connect(self._show_part)
        self.curves = Curves(themes, self)
        self.message = MessageBar(themes, self)
        self.curves.failed.connect(self.message.show_message)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(GRID)
        self.progress.setRange(0, _BAR_STEPS)
        self.progress_text = ElidedLabel(themes, font=body_font(), parent=self)
        self.device_text = RoleLabel(themes, role="muted", font=body_font(), parent=self)
        self.status = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self._lay_out()

        document.changed.connect(self._apply)
        run.started.connect(self._begin)
        run.events_arrived.connect(self._take_events)
        run.state_changed.connect(self._follow_state)
        run.initial_weights_changed.connect(self._follow_weights)
        themes.changed.connect(self._recolour)
        self._load_section()
        self._enable()
        self._show_progress()

    def config(self) -> RunConfig:
        """How the next run goes."""
        return self.form.config

    def set_config(self, config: RunConfig) -> None:
        """Show and keep another configuration."""
        self.form.set_config(config)
        self._keep()
        self.config_changed.emit(config)

    def start(self) -> None:
        """Train the network on screen, if it can be; `start_action`'s tooltip says why not."""
        if self._why_not_start() is None and self.form.take_typed():
            self._keep()
            self._run.start(self._document.architecture, self.config())

    def show_icons(self) -> None:
        """Give the actions their icons; the icon font costs 0.2 s, so not before the window's first paint."""
        self._icons_shown = True
        self._recolour()

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._icons_shown:
            QTimer.singleShot(0, self, self.show_icons)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._columns.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        form_width = min(_FORM_WIDTH, round(_WIDEST_FORM * self.width()))
        self._side.setMinimumWidth(form_width if wide else 0)
        self._side.setMaximumWidth(form_width if wide else 16_777_215)
        form = self._left.sizeHint().height()
        self._side.setMinimumHeight(0 if wide else min(form, round(self.height() * _TALLEST_FORM)))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for action in (self.start_action, self.pause_action, self.step_action, self.stop_action):
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setMinimumHeight(3 * GRID + 4)
            button.setIconSize(QSize(2 * GRID, 2 * GRID))
            # Start, Pause and Resume share places; a word that changes must not push the others about.
            button.setMinimumWidth(10 * GRID)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._left = left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(self.form)
        column.addStretch(1)
        self._area = QScrollArea(self)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(left)
        line = QHBoxLayout()
        line.addWidget(self.progress_text, 1)
        line.addWidget(self.device_text)
        right = QVBoxLayout()
        right.setSpacing(GRID)
        right.addLayout(line)
        right.addWidget(self.progress)
        # Here, where lines are long; the form beside it keeps its height whatever is said.
        self.status.setMinimumHeight(2 * GRID)
        right.addWidget(self.status)
        right.addWidget(self.curves, 1)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(2 * GRID)
        # The buttons stay where they are while the form scrolls.
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(GRID)
        side.addLayout(buttons)
        side.addWidget(self._area, 1)
        self._columns.addWidget(self._side, 1)
        self._columns.addLayout(right, 2)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID, GRID, GRID, GRID)
        whole.setSpacing(GRID)
        whole.addWidget(self.message)
        whole.addLayout(self._columns, 1)

    def _action(self, text: str, shortcut: str, do: object) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(shortcut))
        action.triggered.connect(lambda _checked=False: do())  # type: ignore[operator]
        self.addAction(action)
        return action

    def _show_part(self, part: QWidget) -> None:
        """Bring a part that was just unfolded into view, as much of it as there is room for."""
        column = self._left.layout()
        assert column is not None
        column.activate()

        def show() -> None:
            bar, room = self._area.verticalScrollBar(), self._area.viewport().height()
            top = part.mapTo(self._left, QPoint(0, 0)).y()
            # No farther than to its heading, where reading starts.
            bar.setValue(min(top, max(bar.value(), top + part.height() - room)))

        QTimer.singleShot(0, part, show)

    # Commands

    def _pause_or_resume(self) -> None:
        if self._run.state == "paused":
            self._run.resume()
        else:
            self._run.pause()

    def _step_once(self) -> None:
        if not self._run.is_active:
            self.start()
        self._run.step_once()

    def _take_edit(self, name: str) -> None:
        self._keep()
        if name == "learning_rate" and self._run.is_active:
            rate = self.config().learning_rate
            self._run.set_learning_rate(rate)
            text = self.tr("Learning rate {rate:g} from the next step on.")
            if self.config().schedule != "constant" or self.config().warmup_epochs > 0:
                text = self.tr("Learning rate {rate:g} from the next step on, times what the schedule makes of it.")
            self._say(text.format(rate=rate), "muted")
        else:
            self._say_notes()
        self.config_changed.emit(self.config())

    def _keep(self) -> None:
        if self._document.is_open:
            self._document.set_section(SECTION, self.config().to_plain())

    def _load_section(self) -> None:
        if self._run.is_active:
            # The form shows the run's own configuration until it ends.
            self._section_waits = True
            return
        self._section_waits = False
        plain = self._document.sections.get(SECTION)
        if plain is None:
            return  # what the user set last stays
        try:
            config = RunConfig.from_plain(plain)
        except ValueError as error:
            self._say(self.tr("The project's settings were not used: {why}").format(why=error), "warning")
            return
        self.form.set_config(config)
        self._say_notes()
        self.config_changed.emit(config)

    # What happens

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        self.form.set_network(new.architecture.name)
        if old is None:
            self._load_section()
        elif self._run.is_active:
            self._say_notes()
        self._enable()

    def _begin(self, _architecture: object, config: RunConfig) -> None:
        self._started, self._steps, self._tested, self._end = None, None, None, None
        self.message.hide()
        self.form.set_config(config)
        self.curves.clear()
        # torch loads meanwhile, which takes longer than this does.
        if self.curves.isVisible():
            self.curves.prepare()
        self._say_notes()
        self._show_progress()

    def _follow_weights(self) -> None:
        initial = self._run.initial_weights
        self.form.set_weights_normalization(None if initial is None else initial.normalization)
        self._say_notes()

    def _take_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                self._started = event
                self._say_notes()
            elif isinstance(event, StepsRecorded):
                self._steps = event
            elif isinstance(event, EpochFinished):
                self._tested = event
            elif isinstance(event, RunFinished):
                self._end = event
            elif isinstance(event, RunFailed):
                self._end = event
                self.message.show_message(event.message, event.details, self._offer_batch(event.fitting_batch_size))
            elif isinstance(event, TroubleMet):
                self.message.show_message(event.message)
        self.curves.put(events)
        self._show_progress()

    def _offer_batch(self, batch_size: int | None) -> tuple[str, Callable[[], object]] | None:
        """To start again with the largest batch that fits, after a lack of memory."""
        if batch_size is None:
            return None

        def start_again() -> None:
            self.set_config(replace(self.config(), batch_size=batch_size))
            self.start()

        text = self.tr("Start with a batch of {0}").format(numbers.exact_count(batch_size))
        return text, start_again

    def _follow_state(self, state: str) -> None:
        self.form.set_active(state != "idle")
        if state == "idle" and self._section_waits:
            self._load_section()
        self._enable()
        self._show_progress()
        self._say_notes()

    # What the panel says

    def _why_not_start(self) -> str | None:
        if self._run.is_active:
            return self.tr("A run is active; stop it first (Shift+F5).")
        if not self._document.is_open:
            return self.tr("Open a network first.")
        inference = self._document.snapshot.inference
        if errors := inference.errors:
            return self.tr("The network has faults ({count}); mend them first. {first}").format(
                count=len(errors), first=errors[0].text
            )
        if inference.totals.num_parameters == 0:
            return self.tr("No layer has weights, so there is nothing to train; add a Conv2d or a Linear.")
        if inference.totals.num_trainable == 0:
            return self.tr("All layers with weights are frozen; let training change at least one.")
        return None

    def _enable(self) -> None:
        state = self._run.state
        why = self._why_not_start()
        idle = self.tr("No run is active; start one (F5).")
        held = why if state == "idle" else None
        stopping = self.tr("The run is ending.") if state == "stopping" else None
        paused = state == "paused"
        self.pause_action.setText(self.tr("Resume") if paused else self.tr("Pause"))
        _offer(self.start_action, self.tr("Start training the network as it is now"), why)
        pause = self.tr("Go on with the run") if paused else self.tr("Hold the run after its current step")
        _offer(self.pause_action, pause, idle if state == "idle" else stopping)
        step = self.tr("Make one optimizer step, then hold") if state != "idle" else self.tr("Start with a single step")
        _offer(self.step_action, step, held or stopping)
        _offer(self.stop_action, self.tr("End the run and keep its weights"), idle if state == "idle" else stopping)
        self._recolour()

    def _show_progress(self) -> None:
        busy = self._run.state == "starting" and self._started is None
        if self.progress.maximum() != (0 if busy else _BAR_STEPS):
            self.progress.setRange(0, 0 if busy else _BAR_STEPS)
        if not busy:
            self.progress.setValue(round(self._share() * _BAR_STEPS))
        self.curves.show_waiting(self._run.is_active)
        self.progress_text.show_text(self._progress())
        self.device_text.show_text(self._started.device if self._started else "")

    def _share(self) -> float:
        if self._steps is None or self._steps.num_steps_total <= 0:
            return 0.0
        return min(1.0, self._steps.last_step / self._steps.num_steps_total)

    def _progress(self) -> str:
        steps = self._steps
        if self._end is not None and not self._run.is_active:
            return self._ending(self._end)
        if steps is None or self._started is None:
            return self.tr("starting…") if self._run.is_active else self.tr("not trained yet")
        parts = [
            self.tr("epoch {epoch}/{epochs}").format(epoch=steps.epoch, epochs=self._started.config.epochs),
            numbers.percent(self._share(), 0),
            self.tr("{rate} images/s").format(rate=numbers.exact_count(steps.images_per_second)),
        ]
        if self._run.state == "paused":
            parts.append(self.tr("paused at step {step}").format(step=numbers.exact_count(steps.last_step)))
        elif self._run.state == "stopping":
            parts.append(self.tr("stopping…"))
        elif steps.seconds_left is not None:
            parts.append(self.tr("{time} left").format(time=numbers.duration(steps.seconds_left)))
        return " · ".join(parts)

    def _ending(self, end: RunFinished | RunFailed) -> str:
        if isinstance(end, RunFailed):
            return self.tr("failed")
        parts = [
            self.tr("finished") if end.reason == "completed" else self.tr("stopped"),
            self.tr("{steps} steps").format(steps=numbers.exact_count(end.step)),
            numbers.duration(end.seconds),
        ]
        if end.images_per_second is not None:
            parts.append(self.tr("{rate} images/s").format(rate=numbers.exact_count(end.images_per_second)))
        if end.test_accuracy is not None:
            parts.append(self.tr("test accuracy {share}").format(share=numbers.percent(end.test_accuracy)))
        return " · ".join(parts)

    def _say_notes(self) -> None:
        notes = list(self._started.notes) if self._started is not None else []
        active = self._run.is_active and self._document.is_open
        if not self._run.is_active and self._run.initial_weights is not None:
            notes = [self.tr("Starts from {0}.").format(self._run.initial_weights.text)]
        if active and self._run.architecture is not None and self._run.architecture != self._document.architecture:
            notes.append(self.tr("The run trains the network as it was when it started; your edits do not touch it."))
        self._say("\n".join(notes), "muted")

    def _say(self, text: str, role: str) -> None:
        self.status.set_role("error" if role == "error" else "warning" if role == "warning" else "muted")
        self.status.show_text(text)

    def _recolour(self) -> None:
        if not self._icons_shown:
            return
        theme = self._themes.theme
        self.start_action.setIcon(icon("start", theme, theme.accent))
        self.pause_action.setIcon(icon("start" if self._run.state == "paused" else "pause", theme))
        self.step_action.setIcon(icon("step", theme))
        self.stop_action.setIcon(icon("stop", theme))


def _offer(action: QAction, what: str, why_not: str | None) -> None:
    action.setEnabled(why_not is None)
    action.setToolTip(why_not or f"{what} ({action.shortcut().toString()})")
