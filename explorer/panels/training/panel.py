"""Train the network on screen: configuration, buttons, progress and curves.

The form is `form`'s, the words of the progress `progress`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.augmentation.preview import AugmentationPreview
from explorer.panels.curves.panel import Curves
from explorer.panels.dock_panel import DockPanel
from explorer.panels.estimate_line import EstimateLine
from explorer.panels.training.classes import ClassesLine
from explorer.panels.training.form import ConfigForm
from explorer.panels.training.message import MessageBar
from explorer.panels.training.notes import NotesLine, width_for
from explorer.panels.training.progress import RunProgress
from explorer.runs import Event, RunConfig, RunFailed, RunStarted, TroubleMet
from explorer.session import Document, Snapshot
from explorer.session.run_session import RunSession

SECTION = "training"
"""Where a project keeps its run configuration."""

_WIDE = 100 * GRID
_FORM_WIDTH = 76 * GRID
_ICON_BUTTON = 4 * GRID
_ROOM_FOR_WORDS = 100 * GRID
"""So wide the line of buttons and progress must be for the buttons to have words beside their icons."""
_ROOM_FOR_BOTH = 70 * GRID
"""So wide the part at the right must be for a warning beside the notes; else it stands above them."""
_MOST_BESIDE = 0.7
"""Share of the room beside the estimate that such a warning may take from the notes; a folder's name may be long."""
_LEAST_PICTURES = 20 * GRID
"""Pixels of height that the curves keep, whatever is said above them."""
_WIDEST_FORM = 0.48
"""Share of a wide panel's width that the form may take from the curves."""
_TALLEST_FORM = 0.45
"""Share of a narrow panel's height that the form may take from the curves."""
_UNBOUNDED = 16_777_215
"""The pixels that Qt means by no largest width."""


class TrainingPanel(DockPanel):
    """The panel. Its four actions are also the toolbar's and the menu's, which makes their shortcuts work everywhere.

    Signals:
        config_changed(RunConfig): how the next run, or the learning rate of this one, goes is another now.
        resume_asked(str, str): the user wants this run to go on, on this device.
        seen_changed(bool): it came on screen, or left it.
    """

    config_changed = Signal(object)
    resume_asked = Signal(str, str)
    seen_changed = Signal(bool)

    def __init__(self, document: Document, run: RunSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._themes = themes
        self._section_waits = False
        self._follows = False
        """Whether it shows the run as it goes; only while it is seen."""
        self._told: list[str] = []
        """What was said last that the run did not note."""
        self._urgent: tuple[str, Literal["warning", "error"]] = ("", "warning")
        self._room = 0
        """Pixels of width beside the form."""

        self.start_action = self._action(self.tr("Start"), "F5", self.start)
        self.pause_action = self._action(self.tr("Pause"), "F6", self._pause_or_resume)
        self.step_action = self._action(self.tr("Step"), "F10", self._step_once)
        self.stop_action = self._action(self.tr("Stop"), "Shift+F5", self._run.stop)

        self.form = ConfigForm(themes, self)
        self.form.edited.connect(self._take_edit)
        self.form.refused.connect(lambda why: self._say_notes(why, "error"))
        self.form.told.connect(self._say)
        self.form.opened.connect(self._show_part)
        self.curves = Curves(themes, self)
        self.preview = AugmentationPreview(themes, self)
        self.message = MessageBar(themes, self)
        self.curves.failed.connect(self.message.show_message)
        self._progress = RunProgress(themes, self, counts_first_step=True)
        self.progress, self.progress_text = self._progress.bar, self._progress.text
        self.views_text, self.device_text = self._progress.views, self._progress.device
        self.estimate = EstimateLine(themes, self)
        self.classes = ClassesLine(document, themes, self)
        self.config_changed.connect(lambda config: self.classes.show_data(config.data))
        self.classes.show_data(self.form.config.data)
        self.status = NotesLine(themes, self)
        self._lay_out()
        self.classes.changed.connect(self._show_said)
        self._show_said()

        document.changed.connect(self._apply)
        run.started.connect(self._begin)
        run.events_arrived.connect(self._take_events)
        run.state_changed.connect(self._follow_state)
        run.initial_weights_changed.connect(self._follow_weights)
        run.detached.connect(self._say_notes)
        themes.changed.connect(self._recolour)
        self._load_section()
        self._enable()
        run.set_numbers_seen(False)

    def config(self) -> RunConfig:
        """How the next run goes."""
        return self.form.config

    def set_config(self, config: RunConfig) -> None:
        """Show and keep another configuration."""
        self.form.set_config(config)
        self._keep()
        self.config_changed.emit(config)

    def take_typed(self) -> bool:
        """Take what is being typed into the form; False if it does not fit, which is said."""
        return self.form.take_typed()

    def start(self) -> None:
        """Train the network on screen, if it can be; `start_action`'s tooltip says why not."""
        if self._why_not_start() is None and self.take_typed():
            self._keep()
            self._run.start(self._document.architecture, self.config())

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def minimumSizeHint(self) -> QSize:
        """Not as wide as the form and the buttons' words are at present: they follow the panel's size."""
        now = super().minimumSizeHint()
        buttons = len(self._buttons) * (_ICON_BUTTON + 4) + GRID
        right = buttons + self.device_text.sizeHint().width() + 4 * GRID
        return QSize(min(now.width(), max(_WIDE, round(right / (1 - _WIDEST_FORM)))), now.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._columns.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        form_width = min(_FORM_WIDTH, round(_WIDEST_FORM * self.width()))
        self._area.setMinimumWidth(form_width if wide else 0)
        self._area.setMaximumWidth(form_width if wide else _UNBOUNDED)
        bar = self._area.verticalScrollBar().sizeHint().width()
        self.form.set_room((form_width if wide else self.width() - 2 * GRID) - bar - GRID)
        room = self.width() - (form_width + 2 * GRID if wide else 0) - 2 * GRID
        for button in self._buttons:
            has_text = room >= _ROOM_FOR_WORDS
            style = Qt.ToolButtonStyle
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if has_text else style.ToolButtonIconOnly)
            # Start, Pause and Resume share places; a word that changes must not push the others about.
            button.setMinimumWidth(10 * GRID if has_text else _ICON_BUTTON)
        form = self._left.sizeHint().height()
        self._area.setMinimumHeight(0 if wide else min(form, round(self.height() * _TALLEST_FORM)))
        self._room = room
        self._fit_classes()

    def _lay_out(self) -> None:
        self._buttons: list[QToolButton] = []
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for action in (self.start_action, self.pause_action, self.step_action, self.stop_action):
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setMinimumHeight(3 * GRID + 4)
            button.setIconSize(QSize(2 * GRID, 2 * GRID))
            buttons.addWidget(button)
            self._buttons.append(button)
        buttons.addSpacing(GRID)
        # The bar needs no line of its own, which the curves have then.
        progress = QVBoxLayout()
        progress.setSpacing(0)
        self.progress.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        progress.addWidget(self.progress_text)
        progress.addWidget(self.progress)
        buttons.addLayout(progress, 1)
        buttons.addSpacing(GRID)
        buttons.addWidget(self.device_text)
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
        right = QVBoxLayout()
        right.setSpacing(GRID // 2)
        right.addLayout(buttons)
        # Here, where lines are long; the form beside it keeps its height whatever is said.
        words = QHBoxLayout()
        words.setSpacing(2 * GRID)
        words.addWidget(self.estimate)
        # Not in the line above, where it would cut off the time that is left.
        words.addWidget(self.views_text)
        self._said = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._said.setSpacing(GRID)
        # `classes` hides itself; its place goes while something else is more urgent.
        self._classes_place = QWidget(self)
        place = QVBoxLayout(self._classes_place)
        place.setContentsMargins(0, 0, 0, 0)
        place.addWidget(self.classes)
        self._said.addWidget(self._classes_place)
        self._said.addWidget(self.status, 1)
        words.addLayout(self._said, 1)
        right.addLayout(words)
        # What the form's strengths do stays in sight while the form scrolls.
        self._pictures = QStackedWidget(self)
        self._pictures.setMinimumHeight(_LEAST_PICTURES)
        self._pictures.addWidget(self.curves)
        self._pictures.addWidget(self.preview)
        self.form.groups["augmentation"].folded.connect(self._choose_pictures)
        right.addWidget(self._pictures, 1)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(2 * GRID)
        self._columns.addWidget(self._area, 1)
        self._columns.addLayout(right, 2)
        whole = QVBoxLayout(self)
        # What scrolls may end at the edge.
        whole.setContentsMargins(GRID, GRID // 2, GRID, 0)
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
        if name == "augmentation":
            self._choose_pictures()
        if name == "learning_rate" and self._run.is_active:
            rate = self.config().learning_rate
            self._run.set_learning_rate(rate)
            text = self.tr("Learning rate {rate:g} from the next step on.")
            if self.config().schedule != "constant" or self.config().warmup_epochs > 0:
                text = self.tr("Learning rate {rate:g} from the next step on, times what the schedule makes of it.")
            self._say(text.format(rate=rate))
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
            self._say_notes(self.tr("The project's settings were not used: {why}").format(why=error), "warning")
            return
        self.form.set_config(config)
        self._say_notes()
        self.config_changed.emit(config)

    def _choose_pictures(self) -> None:
        """What the augmentation does, while it is set; else the curves."""
        is_set = self.form.groups["augmentation"].is_open and not self._run.is_active
        self._pictures.setCurrentWidget(self.preview if is_set else self.curves)

    # What happens

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        self.form.set_network(new.architecture.name)
        if old is None:
            self._load_section()
        elif self._run.is_active:
            self._say_notes()
        self._enable()

    def _begin(self, _architecture: object, config: RunConfig) -> None:
        self._progress.begin()
        self._pictures.setCurrentWidget(self.curves)
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
        started = self._progress.started
        for event in events:
            self._progress.take(event)
        if self._progress.started is not started:
            if any(isinstance(event, RunStarted) for event in events):
                self._say_notes()
            else:
                # What was said meanwhile beside the notes stays.
                self._show_said()
        for event in events:
            if isinstance(event, RunFailed):
                self.message.show_message(event.message, event.details, self._help(event))
            elif isinstance(event, TroubleMet):
                self.message.show_message(event.message)
        self.curves.put(events)
        self._show_progress()

    def _help(self, failure: RunFailed) -> tuple[str, Callable[[], object]] | None:
        """What may help, as a button: the largest batch that fits, or the CPU instead of a device that is lost."""
        if failure.fitting_batch_size is not None:
            text = self.tr("Start with a batch of {0}").format(numbers.exact_count(failure.fitting_batch_size))
            return text, partial(self._start_again, batch_size=failure.fitting_batch_size)
        if failure.lost_device is not None and failure.checkpoint is not None:
            return self.tr("Resume on the CPU"), partial(self.resume_asked.emit, failure.run_id, "cpu")
        if failure.lost_device is not None:
            return self.tr("Start again on the CPU"), partial(self._start_again, device="cpu")
        return None

    def _start_again(self, **changes: Any) -> None:
        self.set_config(replace(self.config(), **changes))
        self.start()

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
        self.curves.show_waiting(self._run.is_active, why)
        pause = self.tr("Go on with the run") if paused else self.tr("Hold the run after its current step")
        _offer(self.pause_action, pause, idle if state == "idle" else stopping)
        step = self.tr("Make one optimizer step, then hold") if state != "idle" else self.tr("Start with a single step")
        _offer(self.step_action, step, held or stopping)
        _offer(self.stop_action, self.tr("End the run and keep its weights"), idle if state == "idle" else stopping)
        self._recolour()

    def _follow_seen(self, is_seen: bool) -> None:
        if is_seen == self._follows:
            return
        self._follows = is_seen
        if is_seen:
            self._show_progress()
        else:
            self._progress.rest()
        self._run.set_numbers_seen(is_seen)
        self.seen_changed.emit(is_seen)

    def _show_progress(self) -> None:
        if not self._follows:
            return
        self._progress.show(self._run.state)
        self._progress.show_views(self._run.views_cost, self._run.views_limits)

    def _say_notes(self, urgent: str = "", role: Literal["warning", "error"] = "warning") -> None:
        """Say what the run noted, the newest first, below what is urgent."""
        self._told, self._urgent = [], (urgent, role)
        self._show_said()

    def _say(self, text: str) -> None:
        """Say something above what the run noted, until that is said anew."""
        self._told, self._urgent = [text] if text else [], ("", "warning")
        self._show_said()

    def _show_said(self) -> None:
        urgent, role = self._urgent
        is_wrong = not self.classes.isHidden()
        self._classes_place.setVisible(is_wrong and not urgent)
        if is_wrong and urgent:
            urgent = f"{urgent}\n{self.classes.text.text()}"
        self.status.show_notes([*self._told, *self._notes()], urgent, role)
        self._fit_classes()

    def _fit_classes(self) -> None:
        """Give the warning of the classes two lines beside the notes, or a line of its own."""
        text, button = self.classes.text, self.classes.button
        width = width_for(text.text(), text.font(), 2) + 2
        if not button.isHidden():
            width += GRID + button.sizeHint().width()
        taken = sum(label.sizeHint().width() + 2 * GRID for label in (self.estimate, self.views_text))
        is_beside = self._room >= _ROOM_FOR_BOTH and width <= _MOST_BESIDE * (self._room - taken)
        self._said.setDirection(QBoxLayout.Direction.LeftToRight if is_beside else QBoxLayout.Direction.TopToBottom)
        if is_beside:
            self._classes_place.setFixedSize(width, self.status.height())
        else:
            self._classes_place.setMinimumSize(0, 0)
            self._classes_place.setMaximumSize(_UNBOUNDED, _UNBOUNDED)

    def _notes(self) -> list[str]:
        started = self._progress.started
        notes = list(reversed(started.notes)) if started is not None else []
        active = self._run.is_active and self._document.is_open
        if not self._run.is_active and self._run.initial_weights is not None:
            notes = [self.tr("Starts from {0}.").format(self._run.initial_weights.text)]
        trained = self._run.architecture
        if self._run.is_active and self._run.is_detached and trained is not None:
            notes.insert(0, self.tr("This run trains {0}, which is not what is open.").format(trained.name))
        elif active and trained is not None and trained != self._document.architecture:
            notes.insert(
                0, self.tr("The run trains the network as it was when it started; your edits do not touch it.")
            )
        return notes

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.start_action.setIcon(icon("start", theme, theme.accent))
        self.pause_action.setIcon(icon("start" if self._run.state == "paused" else "pause", theme))
        self.step_action.setIcon(icon("step", theme))
        self.stop_action.setIcon(icon("stop", theme))


def _offer(action: QAction, what: str, why_not: str | None) -> None:
    action.setEnabled(why_not is None)
    action.setToolTip(why_not or f"{what} ({action.shortcut().toString()})")
