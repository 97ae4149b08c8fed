"""The one-click profile of a step and the estimate beside Start, put together: who asks, and where numbers go."""

import sys
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QStackedWidget, QVBoxLayout, QWidget

from explorer.app import profile_engine
from explorer.app.message_bar import MessageBar
from explorer.canvas import GraphView
from explorer.canvas.measures import measured_values
from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.theme import ThemeSource
from explorer.panels.profile_strip import ProfileStrip
from explorer.panels.table.panel import LayerTable
from explorer.panels.training.panel import TrainingPanel
from explorer.runs import RunConfig
from explorer.runs.profile import ProfileRefused
from explorer.session import Document
from explorer.session.profile_session import ProfileSession
from explorer.session.run_session import RunSession
from explorer.session.speed_session import SpeedSession

_LOADED = "explorer.training.recorded"
"""The last that the window loads behind itself; once it is there, a probe waits for nothing."""
_LOAD_LOOK_MS = 500


class Profiling(QObject):
    """Makes the action, and carries what is measured to canvas, table and training panel."""

    def __init__(
        self,
        document: Document,
        run: RunSession,
        training: TrainingPanel,
        canvas: GraphView,
        table: LayerTable,
        bar: MessageBar,
        themes: ThemeSource,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._training = training
        self._canvas = canvas
        self._table = table
        self._bar = bar
        self._themes = themes
        self.session = ProfileSession(document, profile_engine.profile, self)
        self.speed = SpeedSession(document, profile_engine.probe_speed, self)
        self.strip = ProfileStrip(themes)
        self.action = QAction(self.tr("Profile one step"), parent)
        self.action.setShortcut(QKeySequence("Ctrl+Shift+P"))
        self.action.triggered.connect(lambda _checked=False: self.profile())
        themes.changed.connect(lambda _theme: self._set_icons())
        self._set_icons()
        self._loading = QTimer(self, interval=_LOAD_LOOK_MS)
        self._loading.timeout.connect(self._enable_speed)
        self._connect()
        self._offer()
        self._show_estimate()

    def enable(self) -> None:
        """Torch loads behind the window: let estimates begin once it is there."""
        self._loading.start()

    def place_in(self, pages: QStackedWidget) -> None:
        """Put the strip above the pages, seen with the canvas only."""
        central = pages.parentWidget()
        column = None if central is None else central.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(pages), self.strip)
        pages.currentChanged.connect(lambda _place: self._leave(pages.currentWidget()))

    def profile(self) -> None:
        """Profile the network on screen as it would be trained; `action`'s tooltip says why not."""
        if self._why_not() is None and self._training.take_typed():
            self._start(self._training.config())

    def close(self, timeout_s: float) -> None:
        """End all threads."""
        self._loading.stop()
        self.speed.close(timeout_s)
        self.session.close(timeout_s)

    def _connect(self) -> None:
        session, speed, strip, run = self.session, self.speed, self.strip, self._run
        session.started.connect(self._follow_work)
        session.progressed.connect(strip.show_progress)
        session.finished.connect(self._show_result)
        session.refused.connect(self._refuse)
        session.failed.connect(self._fail)
        session.measured_changed.connect(self._give)
        strip.cancel_asked.connect(session.cancel)
        strip.overlay_asked.connect(self._colour_by)
        strip.table_asked.connect(self._show_table)
        self._canvas.reading.colouring.changed.connect(self._follow_overlay)
        self._document.changed.connect(lambda _old, _new: self._follow_document())
        run.started.connect(lambda *_: self._make_room())
        run.state_changed.connect(lambda _state: self._follow_work())
        run.events_arrived.connect(self._training.estimate.take)
        speed.changed.connect(self._show_estimate)
        self._training.estimate.asked.connect(self._estimate)
        self._training.config_changed.connect(self._follow_config)
        self._training.seen_changed.connect(speed.set_watched)
        speed.set_config(self._training.config())

    # Profile

    def _leave(self, page: QWidget | None) -> None:
        if page is not self._canvas:
            self.strip.end()

    def _start(self, config: RunConfig) -> None:
        self.session.start(config)

    def _why_not(self) -> str | None:
        if self._run.is_active:
            return self.tr("A run is active, and would be disturbed; stop it first (Shift+F5).")
        if self.session.is_active:
            return self.tr("A step is being profiled.")
        if not self._document.is_open:
            return self.tr("Open a network first.")
        if errors := self._document.snapshot.inference.errors:
            return self.tr("The network has faults; mend them first. {0}").format(errors[0].text)
        return None

    def _offer(self) -> None:
        why_not = self._why_not()
        self.action.setEnabled(why_not is None)
        what = self.tr("Measure the time and memory of each layer in one training step (Ctrl+Shift+P)")
        self.action.setToolTip(why_not or what)

    def _make_room(self) -> None:
        """A run starts: nothing else may compute."""
        self.session.cancel()

    def _follow_work(self) -> None:
        is_busy = self._run.is_active or self.session.is_active
        self.speed.set_held(is_busy)
        self._offer()

    def _follow_document(self) -> None:
        if not self._run.is_active:
            self._training.estimate.forget_run()
        self._offer()

    def _show_result(self, _profile: object) -> None:
        self._follow_work()
        measured = self.session.measured
        assert measured is not None
        self.strip.show_measured(measured)
        colouring = self._canvas.reading.colouring
        if colouring.choice not in self._keys():
            colouring.choose("forward")
        self._follow_overlay()

    def _refuse(self, refused: ProfileRefused) -> None:
        self.strip.end()
        self._follow_work()
        fitting = refused.fitting_batch_size
        if fitting is None:
            self._bar.error(refused.message)
            return
        config = replace(self._training.config(), batch_size=fitting)
        text = self.tr("Profile with a batch of {0}").format(numbers.exact_count(fitting))
        self._bar.error(refused.message, [(text, lambda: self._start(config))])

    def _fail(self, why: str) -> None:
        self.strip.end()
        self._follow_work()
        if why:
            self._bar.error(why)

    def _give(self) -> None:
        measured, reading = self.session.measured, self._canvas.reading
        titles = {source.key: source.title for source in reading.colouring.sources}
        for key in self._keys():
            values = None if measured is None else measured_values(key, titles[key], measured)
            reading.give(key, values)
        reading.show_measured(measured)
        self._table.show_measured(measured)
        if measured is None:
            self.strip.end()
        elif self.strip.isVisible() and not self.session.is_active:
            self.strip.show_measured(measured)

    def _colour_by(self, key: str) -> None:
        self._canvas.reading.colouring.choose(key)
        self._follow_overlay()

    def _follow_overlay(self) -> None:
        self.strip.show_overlay(self._canvas.reading.colouring.choice)

    def _show_table(self) -> None:
        dock: QWidget | None = self._table
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parentWidget()
        if dock is not None:
            dock.show()
            dock.raise_()

    @staticmethod
    def _keys() -> tuple[str, ...]:
        return ("forward", "backward", "kept", "rate")

    # Estimate

    def _enable_speed(self) -> None:
        if _LOADED in sys.modules:
            self._loading.stop()
            self.speed.enable()

    def _estimate(self) -> None:
        if self._training.take_typed():
            self.speed.ask()

    def _follow_config(self, config: RunConfig) -> None:
        if not self._run.is_active:
            self._training.estimate.forget_run()
        self.speed.set_config(config)
        self._show_estimate()

    def _show_estimate(self) -> None:
        speed = self.speed
        self._training.estimate.show_estimate(
            speed.estimate, self._training.config().epochs, is_probing=speed.is_active, why_not=speed.why_not
        )

    def _set_icons(self) -> None:
        self.action.setIcon(icon("measure", self._themes.theme))
