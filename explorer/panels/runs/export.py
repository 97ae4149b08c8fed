"""Runs as files for other programs: CSV tables, TensorBoard event files. What is in them is `runs.run_files`'s."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from explorer.runs import RunRecord
from explorer.runs.run_files import runs_csv, save_history_csv, save_tensorboard
from explorer.session.job import Job
from explorer.session.runs_session import RunsSession


class RunsExport(QWidget):
    """Asks where to, and writes; it is never shown itself.

    Signals:
        failed(str): what could not be done, and why.
        done(str): what was written.
    """

    failed = Signal(str)
    done = Signal(str)

    def __init__(self, runs: RunsSession, parent: QWidget) -> None:
        super().__init__(parent)
        self._runs = runs
        self._job: Job | None = None
        self.hide()

    def ask_csv(self, selected: tuple[RunRecord, ...], others: tuple[RunRecord, ...]) -> None:
        """Ask for a file, then as `csv`."""
        name = f"{selected[0].run_id}.csv" if len(selected) == 1 else "runs.csv"
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export as CSV"), name, self.tr("Table (*.csv)"))
        if path:
            self.csv(selected, others, Path(path))

    def ask_tensorboard(self, selected: tuple[RunRecord, ...]) -> None:
        """Ask for a folder, then as `tensorboard`."""
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder for TensorBoard"))
        if folder:
            self.tensorboard(selected, Path(folder))

    def csv(self, selected: tuple[RunRecord, ...], others: tuple[RunRecord, ...], path: Path) -> None:
        """Write the curves of one run, or the results and settings of several; of `others` where none is selected."""
        try:
            if len(selected) == 1:
                history = self._runs.history(selected[0])
                if history is None:
                    return
                save_history_csv(selected[0], history, path)
            else:
                path.write_text(runs_csv(selected or others), encoding="utf-8")
        except OSError as error:
            self.failed.emit(self.tr("{0}: {1}").format(path, error.strerror or error))
            return
        self.done.emit(self.tr("Wrote {0}").format(path))

    def tensorboard(self, selected: tuple[RunRecord, ...], folder: Path) -> None:
        """Write runs as event files, in a thread; `done` or `failed` follows."""
        found = [(record, self._runs.history(record)) for record in selected]
        ready = [(record, history) for record, history in found if history is not None]

        def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> int:
            for place, (record, history) in enumerate(ready):
                if cancelled():
                    break
                progress(record.title, place / len(ready))
                save_tensorboard(record, history, folder)
            return len(ready)

        self.close_work()
        self._job = job = Job(work, self)
        said = self.tr("Wrote event files: tensorboard --logdir {0}").format(folder)
        job.finished.connect(lambda _count: self.done.emit(said))
        job.failed.connect(lambda why: self.failed.emit(self.tr("{0}: {1}").format(folder, why)))
        job.start()

    def close_work(self, timeout_s: float = 10.0) -> None:
        """End an export that is under way."""
        if self._job is not None:
            self._job.close(timeout_s)
            self._job = None
