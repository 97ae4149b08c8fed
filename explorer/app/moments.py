"""The time machine: a bar at the foot of the window over the moments of the run on screen, and what it does.

While somebody looks back every view shows what was captured then (`Looking.look_back`), the bar and a chip on the
canvas say so, and the run's curves mark the step. The run that is meant is that of the Training tab: the one that goes
on, else the last, else a past one that was opened; or one that is followed, while that is what is on screen.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QStatusBar

from explorer.app.looking import Looking
from explorer.app.message_bar import MessageBar
from explorer.app.moments_budget import make_budget_menu
from explorer.app.moments_export import ask_export
from explorer.app.moments_views import Stage, views_on_screen, wait_for, wait_until_painted
from explorer.canvas import GraphView, breadcrumbs
from explorer.look.theme import ThemeSource
from explorer.panels.moments.bar import MomentsBar
from explorer.panels.moments.chip import MomentChip
from explorer.panels.moments.pair import MomentPair
from explorer.runs import EpochFinished, Event, LayersMeasured, RunStarted, StepsRecorded
from explorer.runs.moments import MomentFileError, read_moment
from explorer.session import Document, Selection
from explorer.session.classes_session import ClassesSession
from explorer.session.follow_session import FollowSession
from explorer.session.job import Job
from explorer.session.moments_session import MomentsSession, ReadMoment
from explorer.session.probe_set import ProbeSet
from explorer.session.run_session import RunSession
from explorer.session.sources import looked_back

_MOST_MEASURED = 200
"""Moments whose statistics are read at once, for views that show them over the steps."""
_CLOSE_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 10.0
"""For a moment that becomes a frame of a film; one that takes longer is left out."""


class TimeMachine(QObject):
    """Joins the bar, the moments on disk, and the views.

    Signals:
        history_read(list[LayersMeasured]): what was measured during the run, in order, also while nobody looked.
        moment_shown(str, int | None): the run's id, and the step that is looked back at; None for the present.
    """

    history_read = Signal(object)
    moment_shown = Signal(str, object)

    def __init__(
        self,
        window: QMainWindow,
        document: Document,
        selection: Selection,
        probes: ProbeSet,
        run: RunSession,
        root: Path,
        looking: Looking,
        canvas: GraphView,
        classes: ClassesSession,
        bar: MessageBar,
        themes: ThemeSource,
    ) -> None:
        """Add to the window.

        Args:
            root: the run store's folder, below which the runs' own lie.
        """
        super().__init__(window)
        self._window = window
        self._document = document
        self._selection = selection
        self._probes = probes
        self._run = run
        self._root = root
        self._looking = looking
        self._canvas = canvas
        self._classes = classes
        self._epoch: int | None = None
        """Whose test was chosen for the moment on screen."""
        self._message_bar = bar
        self._themes = themes
        self._followed: FollowSession | None = None
        self._is_page_shown = True
        self._was_growing = False
        """As the bar was told last."""
        self._pair: MomentPair | None = None
        self._is_back = False
        self._filmed: list[bool] = []
        """Whether the moment that is to become a frame came on screen; empty while it is awaited."""
        self._is_filming = False
        self._is_shown = False
        """Whether the bar is on screen; where it is not, nothing looks back."""
        self._is_closed = False
        self._reading: Job | None = None
        self._read_until = -1
        """The step up to which statistics of the run were handed out."""
        self.session = MomentsSession(self)
        self.bar = MomentsBar(themes)
        self.chip = MomentChip(themes, canvas, breadcrumbs.HEIGHT)
        self._place = QStatusBar(window)
        self._place.setSizeGripEnabled(False)
        self._place.setStyleSheet("QStatusBar::item { border: none; } QStatusBar { padding: 0; }")
        layout = self._place.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        self._place.setContentsMargins(0, 0, 0, 0)
        self._place.addPermanentWidget(self.bar, 1)
        self._place.hide()
        window.setStatusBar(self._place)
        window.addActions(list(self.bar.actions_))

        self.bar.chosen.connect(self.session.ask)
        self.bar.live_asked.connect(self.look_at_present)
        self.bar.pin_asked.connect(self.compare)
        self.bar.export_asked.connect(self.export)
        self.chip.live_asked.connect(self.look_at_present)
        self.session.steps_changed.connect(self._show_steps)
        self.session.arrived.connect(self._show)
        self.session.failed.connect(self._say_unreadable)
        run.started.connect(lambda *_: self._forget())
        run.events_arrived.connect(self._hear)
        run.state_changed.connect(self._follow_state)
        document.changed.connect(self._follow_document)
        classes.changed.connect(self._choose_epoch)

    def menu(self, title: str) -> QMenu:
        """All that it does, with its keys."""
        menu = QMenu(title, self._window)
        menu.addActions(list(self.bar.actions_))
        menu.addSeparator()
        menu.addMenu(make_budget_menu(menu))
        return menu

    def set_page_shown(self, is_shown: bool) -> None:
        """Whether the canvas is on screen, and not the gallery."""
        self._is_page_shown = is_shown
        self._show_or_hide()

    def follow(self, session: FollowSession | None) -> None:
        """Take the moments of a run that trains elsewhere and is what is on screen; None for none."""
        before, self._followed = self._followed, session
        if before is session:
            return
        if before is not None:
            before.events_arrived.disconnect(self._hear_followed)
            before.status_changed.disconnect(self._catch_up)
        if not self._run.is_active:
            self._forget()
        if session is not None:
            session.events_arrived.connect(self._hear_followed)
            session.status_changed.connect(self._catch_up)
        self._say_growing()

    def choose(self, run_id: str, step: int) -> None:
        """Look back at the moment next to a step, where they are this run's and on screen."""
        if self._is_shown and run_id == self.session.run_id:
            self.bar.choose(step)

    def look_at_present(self) -> None:
        """Show what is the case now."""
        self.session.forget_asked()
        self.bar.show_moment(None)
        self._is_back = False
        if self._epoch is not None:
            self._epoch = None
            self._classes.choose(None)
        self.chip.show_step(None)
        self.moment_shown.emit(self.session.run_id, None)
        self._looking.look_at_present()

    def compare(self) -> None:
        """Pin the moment on screen beside the one that is scrubbed to; the first one where the last is on screen."""
        steps = self.session.steps
        if not steps or self.session.folder is None:
            return
        # The other is the last one, which beside itself would say nothing.
        pinned = steps[0] if self.bar.step in {None, steps[-1]} else self.bar.step
        self._close_pair()
        self._pair = MomentPair(
            self.session.folder,
            steps,
            pinned,
            self._document,
            self._selection,
            self._probes,
            self._finished,
            self._themes,
            self._window,
        )
        self._pair.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pair.closed.connect(self._unpin)
        self._pair.pinned_changed.connect(self.bar.show_pinned)
        self.bar.show_pinned(pinned)
        self._pair.show()

    def export(self) -> None:
        """Ask what is to be made of the moments, and make it."""
        folder = self.session.folder
        if folder is None or not self.session.steps:
            return
        self.bar.stop()
        test = None if self._classes.is_newest else self._classes.shown
        before = (self.bar.step, self._epoch, None if test is None else test.epoch)
        stage = Stage(
            views_on_screen(self._window, self._canvas, self.session.run_id),
            self._show_for_film,
            lambda: self._leave_film(*before),
        )
        ask_export(folder, self.session.steps, self._selection.current, stage, self._themes, self._window)

    def close(self, timeout_s: float = 2.0) -> bool:
        """End the thread; returns whether it ended in time."""
        # What a run that is stopped after this still tells must begin nothing anew.
        self._is_closed = True
        self._close_pair()
        self._stop_reading()
        return self.session.close(timeout_s)

    # Films

    def _show_for_film(self, step: int) -> bool:
        """As if it were scrubbed to, until every view has painted it; False where that cannot be."""
        if not self._is_shown:
            return False
        self._is_filming = True
        self._filmed.clear()
        self.bar.show_moment(step)
        self.session.ask(step)
        wait_for(lambda: bool(self._filmed), _READ_TIMEOUT_S)
        if not any(self._filmed):
            return False
        # Curves over all moments are read when somebody begins to look back.
        wait_for(lambda: self._reading is None, _READ_TIMEOUT_S)
        owners = (self._looking, self._canvas, *self._window.findChildren(QDockWidget))
        wait_until_painted(owners, self._classes)
        return True

    def _leave_film(self, step: int | None, epoch: int | None, tested: int | None) -> None:
        """Show again what was shown before.

        Args:
            step: of the moment; None for the present.
            epoch: as `_epoch` was then.
            tested: the epoch whose test was shown; None for the newest, whichever that is.
        """
        self._is_filming = False
        if step is None:
            self.look_at_present()
        else:
            self._epoch = epoch
            self.bar.show_moment(step)
            self.session.ask(step)
        if tested in self._classes.epochs:
            self._classes.choose(tested)

    # Following the run

    def _forget(self) -> None:
        self._stop_reading()
        self.session.open("", None)
        self.bar.clear()
        self._close_pair()
        self.look_at_present()
        self._show_or_hide()

    def _hear(self, events: Sequence[Event]) -> None:
        self._take(events, lambda run_id: self._root / run_id, is_growing=self._run.is_active)

    def _hear_followed(self, events: Sequence[Event]) -> None:
        followed = self._followed
        if followed is not None and not self._run.is_active:
            self._take(events, lambda _run_id: followed.folder, is_growing=True)

    def _catch_up(self, _status: object) -> None:
        """Its network may have been opened late: what it measured until then comes now."""
        followed = self._followed
        if followed is not None and followed.started is not None and self.session.folder != followed.folder:
            self._hear_followed(followed.events)
        self._say_growing()

    def _say_growing(self) -> None:
        """Of a followed run only its next look says that it has ended, or goes on again."""
        if self._was_growing != self._is_growing:
            self._tell_steps()

    def _tell_steps(self) -> None:
        self._was_growing = self._is_growing
        self.bar.show_steps(self.session.steps, is_growing=self._was_growing)

    def _take(self, events: Sequence[Event], folder_of: object, *, is_growing: bool) -> None:
        assert callable(folder_of)
        for event in events:
            match event:
                case RunStarted():
                    self.bar.begin(event.steps_per_epoch)
                    self.session.open(event.run_id, folder_of(event.run_id), is_growing=is_growing)
                case StepsRecorded() | EpochFinished():
                    self.bar.put(event)
                case _:
                    pass

    def _follow_state(self, state: str) -> None:
        if state == "idle":
            self.session.set_growing(False)
            self._show_steps()

    def _follow_document(self, old: object, _new: object) -> None:
        if old is None:
            # Another project: the moments on screen, and those being read, are of the one before.
            self._close_pair()
            self._stop_reading()
            self.look_at_present()
            self._show_or_hide()
            self._read_history()

    # What is on screen

    def _show_steps(self) -> None:
        self._tell_steps()
        if self._pair is not None:
            self._pair.show_steps(self.session.steps)
        self._show_or_hide()
        if not self._run.is_active:
            self._read_history()

    def _read_history(self) -> None:
        """Hand out what was measured while nobody looked, of a run of what is open."""
        if self._is_closed or not self._is_of_document:
            return
        folder = self.session.folder
        steps = [step for step in self.session.steps if step > self._read_until]
        if folder is None or not steps or self._reading is not None:
            return
        self._read_until = steps[-1]
        every = -(-len(steps) // _MOST_MEASURED)

        def read(
            progress: Callable[[str, float], None],  # noqa: ARG001
            cancelled: Callable[[], bool],
        ) -> list[LayersMeasured]:
            found: list[LayersMeasured] = []
            for step in steps[::every]:
                if cancelled():
                    break
                with suppress(MomentFileError):
                    found += [event for event in read_moment(folder, step) if isinstance(event, LayersMeasured)]
            return found

        self._reading = Job(read, self)
        self._reading.finished.connect(self._take_history)
        self._reading.failed.connect(lambda _why: self._stop_reading())
        self._reading.start()

    def _take_history(self, found: list[LayersMeasured]) -> None:
        self._reading = None
        if found and found[0].run_id == self.session.run_id:
            self.history_read.emit(found)
        if not self._run.is_active:
            # The last ones of a run may have come meanwhile.
            self._read_history()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close(_CLOSE_TIMEOUT_S)
            self._reading = None
        self._read_until = -1

    @property
    def _is_growing(self) -> bool:
        """Whether the run of the moments goes on."""
        followed = self._followed
        if followed is None or followed.folder != self.session.folder:
            return self._run.is_active
        return followed.status is not None and not followed.status.is_ended

    @property
    def _is_of_document(self) -> bool:
        """Whether the moments are those of a run of what is open."""
        is_followed = self._followed is not None and self._followed.folder == self.session.folder
        return self._document.is_open and (is_followed or not self._run.is_detached)

    def _show_or_hide(self) -> None:
        was_shown = self._is_shown
        self._is_shown = bool(self.session.steps) and self._is_page_shown and self._is_of_document
        self._place.setVisible(self._is_shown)
        self.bar.set_usable(self._is_shown)
        if self._is_shown and not was_shown and self.bar.step is not None:
            # It may have arrived meanwhile, for nobody.
            self.session.ask(self.bar.step)

    def _say_unreadable(self, why: str) -> None:
        self.bar.go_on()
        if self._is_filming:
            self._filmed.append(False)
        else:
            self._message_bar.error(why)

    def _show(self, moment: ReadMoment) -> None:
        if moment.step != self.bar.step or not self._is_shown:
            return
        self.bar.go_on()
        if not self._is_back:
            self._is_back = True
            self._read_history()
        self.chip.show_step(moment.step)
        self.moment_shown.emit(self.session.run_id, moment.step)
        self._choose_epoch()
        self._looking.look_back(moment.events, looked_back(moment.step, moment.run_id))
        if self._is_filming:
            self._filmed.append(True)
        elif self._pair is not None:
            self._pair.show_other(moment.step)

    def _choose_epoch(self) -> None:
        """Let the Classes tab show the last test before the moment, or the first of all."""
        step, known = self.bar.step, self._classes.epochs
        if not self._is_back or step is None or not known:
            return
        finished = self._finished(step)
        before = [epoch for epoch in known if finished is not None and epoch <= finished]
        epoch = before[-1] if before else known[0]
        # Once a test, so that another may be chosen there by hand.
        if epoch != self._epoch:
            self._epoch = epoch
            self._classes.choose(epoch)

    def _finished(self, step: int) -> int | None:
        """The last epoch that was finished at a step; None for none."""
        found = self.bar.curves.epoch_at(step)
        return None if found is None else found.epoch

    def _close_pair(self) -> None:
        if self._pair is not None:
            self._pair.close()

    def _unpin(self) -> None:
        self._pair = None
        self.bar.show_pinned(None)
