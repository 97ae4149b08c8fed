"""What may be dropped on the window from a file manager: a project, the folder of a run, a folder of images."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QDropEvent

from explorer.app.docks import Docks
from explorer.app.follow_docks import FollowDocks
from explorer.app.projects import Projects
from explorer.panels.data.page import DataPage, dropped_folder
from explorer.session import Document
from explorer.session.run_session import RunSession


class Dropping(QObject):
    """Takes what fits, and opens, follows or reads it."""

    def __init__(
        self,
        document: Document,
        run: RunSession,
        projects: Projects,
        follow_docks: FollowDocks,
        docks: Docks,
        data_page: DataPage,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._projects = projects
        self._follow_docks = follow_docks
        self._docks = docks
        self._data_page = data_page

    def accept(self, event: QDropEvent) -> None:
        """Accept what `take` would take; any other event is left alone."""
        if _project(event) or self._follow_docks.is_run(event) or self._images(event):
            event.acceptProposedAction()

    def take(self, event: QDropEvent) -> None:
        """Do what the drop asks for, and accept it; nothing where it does not fit."""
        path = _project(event)
        if path is not None:
            event.acceptProposedAction()
            # The answer to a drop must not wait for a question about unsaved changes.
            QTimer.singleShot(0, self, lambda: self._projects.open_file(path))
        elif (run := self._follow_docks.is_run(event)) is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self._follow_docks.follow(run))
        elif (folder := self._images(event)) is not None:
            event.acceptProposedAction()
            self._docks.open("data")
            self._data_page.take_folder(folder)

    def _images(self, event: QDropEvent) -> Path | None:
        """A folder of images, where there is a network to train on it."""
        return dropped_folder(event) if self._document.is_open and not self._run.is_active else None


def _project(event: QDropEvent) -> Path | None:
    for url in event.mimeData().urls():
        if url.isLocalFile() and url.toLocalFile().endswith(".json"):
            return Path(url.toLocalFile())
    return None
