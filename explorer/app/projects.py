"""Opening, saving and closing projects: file dialogs, recent files, the unsaved-changes question, recovery.

The weights that lie beside a project are `weights_project`'s.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget

from explorer import zoo
from explorer.app.message_bar import MessageBar
from explorer.app.weights_project import ProjectWeights
from explorer.architecture import Architecture, ArchitectureFileError, Node, files
from explorer.architecture.files import Companion
from explorer.layers import Input
from explorer.look.numbers import short_bytes
from explorer.runs import ProjectWeightsError
from explorer.runs.project_weights import SECTION, find_weights, saved_weights
from explorer.session import Document
from explorer.session.places import settings
from explorer.session.recovery import Recovered, recoverable, sweep_weights
from explorer.session.run_session import RunSession

_MOST_RECENT = 12


class Projects(QObject):
    """What the File menu does.

    Signals:
        recent_changed(): the list of recent projects is another.
        opened(): a network or project is on screen.
        saving(): what is open is about to be written, or given up; whoever is being typed into takes it now.
    """

    recent_changed = Signal()
    opened = Signal()
    saving = Signal()

    def __init__(self, document: Document, run: RunSession, bar: MessageBar, window: QWidget) -> None:
        super().__init__(window)
        self._document = document
        self.weights = ProjectWeights(document, run, bar, self)
        self._bar = bar
        self._window = window

    def recent(self) -> list[Path]:
        """Projects opened or saved before, the last one first; those that are gone are left out."""
        stored = settings().value("projects/recent", [])
        paths = [stored] if isinstance(stored, str) else list(stored) if isinstance(stored, list) else []
        return [path for path in map(Path, paths) if path.is_file()]

    def open_network(self, network_id: str, values: Mapping[str, zoo.Value] | None = None) -> bool:
        """Open a network of the catalogue; False if the user kept what was open, or there is none of that name.

        Args:
            values: for parameters of its family, where they are to differ from the defaults.
        """
        try:
            entry = zoo.entry(network_id)
        except ValueError as error:
            self._bar.error(str(error))
            return False
        if not self.may_discard():
            return False
        self._document.open(entry.build(**(values or {})))
        self.weights.adopt()
        self.opened.emit()
        return True

    def new(self) -> bool:
        """Open a network that is nothing but its input, to build one by hand; False if the user kept what was open."""
        if not self.may_discard():
            return False
        image = Node(id="input", layer=Input(channels=3, height=32, width=32), inputs=())
        self._document.open(Architecture(name=self.tr("New network"), nodes=(image,), outputs=(image.id,)))
        self.weights.adopt()
        self.opened.emit()
        return True

    def open_file(self, path: Path) -> bool:
        """Open a project file; False if it cannot be read or the user kept what was open."""
        try:
            project = files.load(path)
        except ArchitectureFileError as error:
            self._bar.error(self.tr("Cannot open {0}").format(error))
            return False
        if not self.may_discard():
            return False
        self._document.open(project.architecture, path=path, sections=project.sections)
        self.weights.adopt()
        self._remember(path)
        self.opened.emit()
        return True

    def ask_open(self) -> bool:
        """Let the user choose a project file and open it."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open project"), self._folder(), self._filter())
        return bool(chosen) and self.open_file(Path(chosen))

    def save(self) -> bool:
        """Save to the project's file, or ask for one; False if it was not saved."""
        if self._document.path is None:
            return self.ask_save()
        self.saving.emit()
        return self._save_to(self._document.path)

    def ask_save(self) -> bool:
        """Let the user choose a file and save there."""
        self.saving.emit()
        name = "".join(c if c.isalnum() or c in "-_ ." else "_" for c in self._document.architecture.name)
        suggestion = self._document.path or Path(self._folder()) / f"{name.strip() or 'network'}{files.SUFFIX}"
        chosen, _ = QFileDialog.getSaveFileName(self._window, self.tr("Save project"), str(suggestion), self._filter())
        if not chosen:
            return False
        path = Path(chosen)
        if path.suffix != ".json":
            path = path.with_name(path.name + files.SUFFIX)
        return self._save_to(path)

    def may_discard(self) -> bool:
        """Whether what is open may go: saved, given up, or nothing to lose."""
        self.saving.emit()
        if not self._document.is_open or not self._document.is_modified:
            return True
        answer = QMessageBox.question(
            self._window,
            self.tr("Unsaved changes"),
            self.tr("Save the changes to {0}?").format(self._document.architecture.name),
            QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Discard | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Save,
        )
        if answer == QMessageBox.StandardButton.Save:
            return self.save()
        return answer == QMessageBox.StandardButton.Discard

    def offer_recovery(self) -> None:
        """Offer what a killed window left, newest first."""
        found = recoverable()
        if not found:
            return
        newest = found[0]
        when = time.strftime("%H:%M", time.localtime(newest.modified_s))
        more = self.tr(" ({0} more)").format(len(found) - 1) if len(found) > 1 else ""
        self._bar.ask(
            self.tr("{0} was not saved before the program ended at {1}{2}.").format(
                newest.project.architecture.name, when, more
            ),
            [
                (self.tr("Restore"), lambda: self._restore(newest)),
                (self.tr("Discard"), self._then_next(newest)),
            ],
        )

    def _restore(self, recovered: Recovered) -> None:
        if not self.may_discard():
            self.offer_recovery()
            return
        project = recovered.project
        self._document.open(project.architecture, path=recovered.origin, sections=project.sections, modified=True)
        self.weights.adopt(recovered.weights)
        # The window keeps its own copy before the killed one's goes: a second kill in between loses nothing.
        self.opened.emit()
        self._remove(recovered)
        self.offer_recovery()

    def _then_next(self, recovered: Recovered) -> Callable[[], None]:
        def discard() -> None:
            self._remove(recovered)
            self.offer_recovery()

        return discard

    def _remove(self, recovered: Recovered) -> None:
        recovered.file.unlink(missing_ok=True)
        sweep_weights()

    def _save_to(self, path: Path) -> bool:
        companion = self.weights.companion(path)
        if companion is not None and not self._may_replace(path, companion):
            return False
        # Weights of half a gigabyte take their second; a half-saved project is never on the disk meanwhile.
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self._document.save(path, companion)
        except OSError as error:
            self._say_not_saved(path, companion, error)
            return False
        finally:
            QApplication.restoreOverrideCursor()
        self._saved(path, "" if companion is None else companion.path.name)
        return True

    def _save_without_weights(self, path: Path) -> None:
        try:
            self._document.save(path, leave_out=SECTION)
        except OSError as error:
            self._say_not_saved(path, None, error)
            return
        self._saved(path, "")

    def _saved(self, path: Path, weights: str) -> None:
        self._remember(path)
        self._bar.note(
            self.tr("Saved {0} with {1}").format(path.name, weights)
            if weights
            else self.tr("Saved {0}").format(path.name)
        )

    def _say_not_saved(self, path: Path, companion: Companion | None, error: OSError) -> None:
        place = str(path)
        actions: list[tuple[str, Callable[[], object]]] = [(self.tr("Save as…"), self.ask_save)]
        if companion is not None and error.filename in (str(companion.path), str(companion.source)):
            size = _size(companion.source)
            place = f"{companion.path} ({short_bytes(size)})" if size else str(companion.path)
            actions.append((self.tr("Save without the weights"), lambda: self._save_without_weights(path)))
        self._bar.error(
            self.tr("Cannot save to {0}: {1}. Your changes are kept here; choose another place.").format(
                place, error.strerror or error
            ),
            actions,
        )

    def _may_replace(self, path: Path, companion: Companion) -> bool:
        """Whether what lies where the weights go may be replaced: a file that belongs to no project there is asked for.

        The project's own file was asked for by the dialog that chose it.
        """
        if not companion.path.exists() or companion.path.resolve() == companion.source.resolve():
            return True
        try:
            saved = saved_weights(files.load(path).sections)
            if saved is not None and find_weights(path, saved) == companion.path:
                return True
        except (ArchitectureFileError, ProjectWeightsError):
            pass  # there is no project, or one without weights: nothing says whose the file is
        answer = QMessageBox.question(
            self._window,
            self.tr("Replace"),
            self.tr("{0} lies there already and does not belong to this project. Replace it with the weights?").format(
                companion.path.name
            ),
        )
        return answer == QMessageBox.StandardButton.Yes

    def _remember(self, path: Path) -> None:
        known = [str(path.resolve()), *(str(p) for p in self.recent())]
        settings().setValue("projects/recent", list(dict.fromkeys(known))[:_MOST_RECENT])
        self.recent_changed.emit()

    def _folder(self) -> str:
        recent = self.recent()
        return str(recent[0].parent if recent else Path.home())

    def _filter(self) -> str:
        return self.tr("Architecture Explorer projects (*{0})").format(files.SUFFIX) + ";;" + self.tr("All files (*)")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
