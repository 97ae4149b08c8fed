"""The weights of the open project: found and checked when it opens, written beside it when it is saved.

What they are is `runs.project_weights`, the check in a thread `weights_engine`'s; which weights the next run starts
from is kept by the `RunSession`. Nothing is read or imported before the window shows.
"""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from explorer.app import weights_engine
from explorer.app.message_bar import MessageBar
from explorer.app.weights_engine import Checked
from explorer.architecture.files import Companion
from explorer.runs import ProjectWeightsError, SavedWeights, read_facts
from explorer.runs.project_weights import SECTION, find_weights, saved_weights, weights_name
from explorer.session import Document
from explorer.session.job import Job
from explorer.session.recovery import take_over_weights
from explorer.session.run_session import InitialWeights, RunSession

_JOIN_S = 5.0
_MOST_NAMED = 3


class ProjectWeights(QObject):
    """Keeps the project's section of weights and the run's initial weights in step."""

    def __init__(self, document: Document, run: RunSession, bar: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._bar = bar
        self._is_enabled = False
        self._is_adopting = False
        self._drops_when_idle = False
        self._unchecked: tuple[Path, SavedWeights] | None = None
        self._waiting: tuple[Path, SavedWeights] | None = None
        """For the run of another project to end."""
        self._job: Job | None = None
        run.weights_chosen.connect(self._follow)
        run.state_changed.connect(self._drop_if_idle)

    def enable(self) -> None:
        """Begin to check: torch may load now."""
        self._is_enabled = True
        self._check()

    def close(self, timeout_s: float = _JOIN_S) -> None:
        """End a check that is under way."""
        self._unchecked = self._waiting = None
        if self._job is not None:
            self._job.close(timeout_s)
            self._job = None

    def adopt(self, recovered: Path | None = None) -> None:
        """A project was opened: let runs start from its weights, and check them as soon as that can be.

        Args:
            recovered: where they lie, for a project that a killed window left.
        """
        self.close()
        self._drops_when_idle = False
        path = self._document.path
        try:
            saved = saved_weights(self._document.sections)
            if saved is None:
                return
            if recovered is not None:
                found = take_over_weights(recovered)
            elif path is not None:
                found = find_weights(path, saved)
            else:
                raise ProjectWeightsError(f"{saved.file or saved.text} was not kept")
        except (ProjectWeightsError, OSError) as error:
            self._say_lost(str(error) if isinstance(error, ProjectWeightsError) else str(error.strerror or error))
            return
        if self._run.is_active:
            # A run of another project goes on; its own weights are its own, and these wait for the next.
            self._waiting = (found, saved)
            return
        self._take(found, saved)

    def companion(self, path: Path) -> Companion | None:
        """What is to be written beside a project at `path`; the project's section names it from now on."""
        initial = self._run.initial_weights
        if initial is None or not initial.sha256:
            return None
        target = path.resolve().parent / weights_name(path)
        self._document.set_section(SECTION, _saved(initial, target.name).to_plain(), counts=True)
        return Companion(initial.path, target, initial.sha256)

    # Following

    def _follow(self) -> None:
        """Others were applied, or taken away, by hand."""
        if self._is_adopting or not self._document.is_open:
            return
        self.close()
        initial, path = self._run.initial_weights, self._document.path
        name = weights_name(path) if path is not None else "network.weights.safetensors"
        plain = None if initial is None else _saved(initial, name).to_plain()
        self._document.set_section(SECTION, plain, counts=True)

    def _take(self, path: Path, saved: SavedWeights) -> None:
        self._start_from(InitialWeights(path, saved.text, saved.sha256, saved.num_layers, saved.normalization))
        self._unchecked = (path, saved)
        self._check()

    def _start_from(self, weights: InitialWeights | None) -> None:
        self._is_adopting = True
        try:
            self._run.start_from(weights)
        finally:
            self._is_adopting = False

    # Checking

    def _check(self) -> None:
        if not self._is_enabled or self._unchecked is None:
            return
        path, saved = self._unchecked
        self._unchecked = None
        self._job = Job(partial(weights_engine.check_saved, self._document.architecture, path, saved), self)
        self._job.finished.connect(partial(self._checked, path, saved))
        self._job.failed.connect(self._failed)
        self._job.start()

    def _failed(self, why: str) -> None:
        self._job = None
        if why:
            self._lose(why)

    def _checked(self, path: Path, saved: SavedWeights, checked: Checked) -> None:
        self._job = None
        report = checked.report
        if checked.problem:
            usable = checked.sha256 and (report is None or report.taken)
            self._lose(checked.problem, path if usable and checked.sha256 != saved.sha256 else None, checked)
            return
        if report is None or len(report.taken) >= saved.num_layers:
            return
        anew = [node.node_id for node in report.nodes if node.outcome != "taken"]
        names = ", ".join(anew[:_MOST_NAMED]) + ", …" * (len(anew) > _MOST_NAMED)
        self._bar.ask(
            self.tr("The project's weights fit only {0} of {1} layers now: {2} start anew.").format(
                len(report.taken), len(report.nodes), names
            ),
            [],
        )

    def _lose(self, why: str, changed: Path | None = None, checked: Checked | None = None) -> None:
        """These are not used; the project goes on naming them, until somebody says otherwise."""
        if self._run.is_active and not self._run.is_detached:
            self._drops_when_idle = True
            self._say_lost(self.tr("{0}. The run that is active started from them").format(why))
            return
        self._drop()
        self._say_lost(why, changed, checked)

    def _drop(self) -> None:
        self._drops_when_idle = False
        if not self._run.is_active:
            self._start_from(None)

    def _drop_if_idle(self, state: str) -> None:
        if state != "idle":
            return
        if self._drops_when_idle:
            self._drop()
        elif self._waiting is not None:
            (path, saved), self._waiting = self._waiting, None
            self._take(path, saved)

    def _say_lost(self, why: str, changed: Path | None = None, checked: Checked | None = None) -> None:
        actions = [(self.tr("Forget them"), self._forget)]
        if changed is not None and checked is not None:
            actions.insert(0, (self.tr("Use them as they are"), partial(self._accept, changed, checked)))
        text = self.tr("The project's weights: {0}. Until then, runs start from fresh weights.")
        if changed is not None:
            text = self.tr("The project's weights: {0}. Runs start from fresh weights.")
        self._bar.error(text.format(why.rstrip(".")), actions)

    def _forget(self) -> None:
        if not self._run.is_active:
            self._start_from(None)
        self._document.set_section(SECTION, None, counts=True)

    def _accept(self, path: Path, checked: Checked) -> None:
        """Take a file that was changed as the project's from now on; that is a change to save."""
        if self._run.is_active:
            self._bar.error(self.tr("A run is active; stop it first (Shift+F5)."))
            return
        report = checked.report
        text = path.name if report is None else f"{path.name}: {len(report.taken)} of {len(report.nodes)} layers"
        facts = read_facts(path)
        num_layers = 0 if report is None else len(report.taken)
        self._run.start_from(InitialWeights(path, text, checked.sha256, num_layers, facts.normalization))


def _saved(initial: InitialWeights, file: str) -> SavedWeights:
    return SavedWeights(
        file=file,
        sha256=initial.sha256,
        text=initial.text,
        num_layers=initial.num_layers,
        normalization=initial.normalization,
    )
