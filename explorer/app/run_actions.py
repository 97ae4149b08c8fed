"""What the Runs tab asks of the window: a run opened with everything as it was, one that goes on, a folder shown."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from explorer.app import engine
from explorer.app.message_bar import MessageBar
from explorer.app.projects import Projects
from explorer.panels.training.panel import SECTION
from explorer.runs import RunRecord
from explorer.runs.recipe import as_asked
from explorer.runs.replay import whole_run
from explorer.session import Document
from explorer.session.run_session import RunSession
from explorer.session.runs_session import RunsSession


class RunActions(QObject):
    """Opens and resumes runs."""

    def __init__(
        self,
        document: Document,
        run: RunSession,
        runs: RunsSession,
        projects: Projects,
        bar: MessageBar,
        show_curves: Callable[[], None],
        parent: QObject,
    ) -> None:
        """Work with these.

        Args:
            show_curves: brings the Training tab to the front.
        """
        super().__init__(parent)
        self._document = document
        self._run = run
        self._runs = runs
        self._projects = projects
        self._bar = bar
        self._show_curves = show_curves

    def open(self, run_id: str) -> bool:
        """Show a run's network, settings, weights and curves as they were; False if that could not be."""
        record = self._runs.record(run_id)
        if record is None or self._is_busy():
            return False
        history = self._runs.history(record)
        if history is None or not self._open_network(record):
            return False
        architecture = self._document.architecture
        self._run.show_ended(architecture, as_asked(record.config), whole_run(record, history))
        self._show_curves()
        return True

    def resume(self, run_id: str, device: str | None = None) -> bool:
        """Let a run go on in this window, with its network on screen; False if that could not be.

        Args:
            run_id: of a run that the list has.
            device: where to go on; None for where its configuration says.
        """
        record = self._runs.record(run_id)
        if record is None or self._is_busy() or not self._open_network(record):
            return False
        config = as_asked(record.config if device is None else replace(record.config, device=device))
        self._run.start_with(self._document.architecture, config, partial(engine.resume, run_id, device=device))
        return True

    def resume_on(self, run_id: str, device: str) -> bool:
        """Let a run that has just ended go on elsewhere, as `resume`."""
        self._runs.refresh()
        return self.resume(run_id, device)

    def reveal(self, folder: Path) -> None:
        """Show a folder in the system's file manager."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._bar.error(self.tr("No program here shows folders; it is {0}").format(folder))

    def _is_busy(self) -> bool:
        if self._run.is_active:
            self._bar.error(self.tr("A run is active; stop it first (Shift+F5)."))
        return self._run.is_active

    def _open_network(self, record: RunRecord) -> bool:
        architecture = self._runs.architecture(record)
        if architecture is None:
            self._bar.error(
                self.tr("The network of {0} cannot be read: {1}").format(record.title, record.architecture_path)
            )
            return False
        if not self._projects.may_discard():
            return False
        self._document.open(architecture, sections={SECTION: as_asked(record.config).to_plain()})
        self._projects.weights.adopt()
        self._projects.opened.emit()
        return True
