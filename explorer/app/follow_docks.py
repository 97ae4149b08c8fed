"""Runs that train elsewhere, each in a dock of its own beside the Training tab, while their folders grow."""

import contextlib
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDropEvent
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow

from explorer.app.message_bar import MessageBar
from explorer.app.projects import Projects
from explorer.architecture import Architecture, ArchitectureFileError, files
from explorer.look.theme import ThemeSource
from explorer.panels.dock_panel import DockPanel
from explorer.panels.follow_panel import FollowPanel
from explorer.runs import RunFailed, RunFinished, RunStarted
from explorer.runs.follow import is_run_folder
from explorer.runs.recipe import as_asked
from explorer.session import Document
from explorer.session.follow_session import FollowSession
from explorer.session.places import settings
from explorer.session.run_session import RunSession

_FOLDER_KEY = "follow/folder"
_ARCHITECTURE = "architecture.arch.json"
_CLOSE_TIMEOUT_S = 1.0


class FollowDocks(QObject):
    """Opens and closes them.

    Signals:
        shown_changed(FollowSession): this run trains what is on screen, so that what is seen of it belongs there; None
            for none.
        step_chosen(str, int): a step of this run was clicked on its curves.
    """

    shown_changed = Signal(object)
    step_chosen = Signal(str, int)

    def __init__(
        self,
        window: QMainWindow,
        docks: dict[str, QDockWidget],
        document: Document,
        run: RunSession,
        projects: Projects,
        bar: MessageBar,
        themes: ThemeSource,
    ) -> None:
        """Add to `docks`, the window's own by name, of which `training` is one."""
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._document = document
        self._run = run
        self._projects = projects
        self._bar = bar
        self._themes = themes
        self._open: dict[Path, tuple[FollowSession, QDockWidget]] = {}
        self._networks: dict[Path, Architecture] = {}
        """What each of them trains."""
        self._shown: FollowSession | None = None
        self._remark = ""
        """What the bar says of the shown one."""
        document.changed.connect(lambda _old, _new: self._choose_shown())

    def ask(self) -> None:
        """Let the user choose a folder, and follow the run in it."""
        start = settings().value(_FOLDER_KEY, "")
        chosen = QFileDialog.getExistingDirectory(self._window, self.tr("Follow a run folder"), str(start))
        if chosen:
            settings().setValue(_FOLDER_KEY, str(Path(chosen).parent))
            self.follow(Path(chosen))

    def follow(self, folder: Path) -> FollowPanel | None:
        """Show the run in a folder as it grows; None if there is none. Where nothing is open, its network is, too."""
        folder = folder.absolute()
        if folder in self._open:
            self._open[folder][1].raise_()
            return _panel(self._open[folder][1])
        try:
            is_run, has_network = is_run_folder(folder), (folder / _ARCHITECTURE).is_file()
        except OSError as error:
            text = self.tr("{0} cannot be looked into: {1}; choose a folder that may be read")
            self._bar.error(text.format(folder, error.strerror or error))
            return None
        if not is_run and not has_network:
            text = self.tr("{0} holds no run; choose the folder of one, with events.jsonl in it")
            self._bar.error(text.format(folder))
            return None
        if not is_run:
            text = self.tr("{0} was recorded by an earlier version, which cannot be followed; open it in the Runs tab")
            self._bar.error(text.format(folder))
            return None
        if not self._document.is_open and not self._open_network(folder):
            return None
        session = FollowSession(folder, self)
        panel = FollowPanel(session, self._themes)
        dock = _Dock(folder.name, self._window)
        dock.setObjectName(f"dock-follow-{folder.name}")
        dock.setWidget(panel)
        for part in (panel, *panel.findChildren(DockPanel)):
            dock.visibilityChanged.connect(part.set_in_front)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        self._window.tabifyDockWidget(self._docks["training"], dock)
        self._docks[dock.objectName()] = dock
        self._open[folder] = (session, dock)
        panel.titled.connect(lambda title: dock.setWindowTitle(f"{title} · {folder.name[-4:]}"))
        session.remarked.connect(lambda text: self._show_remark(session, text))
        panel.curves.step_chosen.connect(self.step_chosen)
        panel.network_asked.connect(lambda: self._show_network(folder))
        # Not within the click itself, since the button goes too.
        panel.end_asked.connect(dock.close, Qt.ConnectionType.QueuedConnection)
        dock.toggleViewAction().setVisible(False)
        dock.closed.connect(lambda: self._forget(folder))
        dock.show()
        dock.raise_()
        with contextlib.suppress(ArchitectureFileError):
            self._networks[folder] = files.load(folder / _ARCHITECTURE).architecture
        self._choose_shown()
        session.start()
        return panel

    def is_run(self, event: QDropEvent) -> Path | None:
        """The folder of a run that is being dropped; None where it is something else."""
        paths = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        for path in paths:
            # One that cannot be looked into is none.
            with contextlib.suppress(OSError):
                if path.is_dir() and is_run_folder(path):
                    return path
        return None

    def show_moment(self, run_id: str, step: int | None) -> None:
        """Mark on a run's curves the step that is looked back at; None for the present."""
        for _session, dock in self._open.values():
            if (panel := _panel(dock)) is not None:
                panel.curves.show_moment(run_id, step)

    def close(self) -> None:
        """Follow nothing any more."""
        for folder in tuple(self._open):
            self._forget(folder)

    def _forget(self, folder: Path) -> None:
        session, dock = self._open.pop(folder)
        self._networks.pop(folder, None)
        self._choose_shown()
        # A mount that hangs must not hold the window.
        session.close(_CLOSE_TIMEOUT_S)
        self._docks.pop(dock.objectName(), None)
        self._window.removeDockWidget(dock)
        dock.deleteLater()
        session.deleteLater()

    def _choose_shown(self) -> None:
        """The run that was followed last of those that train what is open."""
        shown: FollowSession | None = None
        if self._document.is_open:
            for folder, (session, _dock) in self._open.items():
                if self._networks.get(folder) == self._document.architecture:
                    shown = session
        if shown is not self._shown:
            if self._shown is not None:
                self._show_remark(self._shown, "")
            self._shown = shown
            self.shown_changed.emit(shown)

    def _show_remark(self, session: FollowSession, text: str) -> None:
        """Say it above the canvas too: what is missing is missing there and in other tabs, which hide this one."""
        if session is not self._shown:
            return
        if text:
            self._bar.ask(text, ())
        elif self._bar.text == self._remark:
            self._bar.hide()
        self._remark = text

    def _show_network(self, folder: Path) -> None:
        if self._run.is_active:
            self._bar.error(self.tr("A run is active; stop it first (Shift+F5)."))
            return
        if not self._open_network(folder):
            return
        events = self._open[folder][0].events
        if events and isinstance(events[0], RunStarted) and isinstance(events[-1], (RunFinished, RunFailed)):
            self._run.show_ended(self._document.architecture, as_asked(events[0].config), events)

    def _open_network(self, folder: Path) -> bool:
        try:
            project = files.load(folder / _ARCHITECTURE)
        except ArchitectureFileError as error:
            self._bar.error(self.tr("Cannot open {0}").format(error))
            return False
        if not self._projects.may_discard():
            return False
        self._document.open(project.architecture, sections=project.sections)
        self._projects.weights.adopt()
        self._projects.opened.emit()
        return True


class _Dock(QDockWidget):
    """Says when the user closes it, which is another thing than being hidden behind a tab or the gallery.

    Signals:
        closed(): the user wants it no more.
    """

    closed = Signal()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


def _panel(dock: QDockWidget) -> FollowPanel | None:
    widget = dock.widget()
    return widget if isinstance(widget, FollowPanel) else None
