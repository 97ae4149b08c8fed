"""The run store seen from the window: the list of runs as it changes, whoever changes it, and what one does with a run.

Runs of other processes are followed by asking the store, which costs microseconds while nothing is new, and only while
somebody looks. Everything here is quick enough for the window's own thread.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.architecture import Architecture, ArchitectureFileError, files
from explorer.runs import RunHistory, RunRecord, RunStore, RunStoreError, default_root

POLL_INTERVAL_MS = 1000
_TIMEOUT_S = 0.3
"""How long the window may stand still for another program that writes."""


class RunsSession(QObject):
    """The runs below one folder.

    Signals:
        changed(): other runs than before, or something about one of them is another.
        trashed(tuple[str, ...]): these runs went into the trash, on the user's word; `restore` takes that back.
        failed(str): the store could not do what was asked, and why.
    """

    changed = Signal()
    trashed = Signal(object)
    failed = Signal(str)

    def __init__(self, root: Path | None = None, parent: QObject | None = None) -> None:
        """Look at the store in `root`; None for the user's own. Nothing is read before it is watched or refreshed."""
        super().__init__(parent)
        self._store = RunStore(default_root() if root is None else root, timeout_s=_TIMEOUT_S)
        self._records: tuple[RunRecord, ...] = ()
        self._shows_trash = False
        self._num_trashed = 0
        self._state_number: int | None = None
        self._last_failure = ""
        self._architectures: dict[str, Architecture | None] = {}
        self._histories: dict[str, tuple[RunRecord, RunHistory]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_INTERVAL_MS)
        self._timer.timeout.connect(self.look)

    @property
    def root(self) -> Path:
        """The store's folder."""
        return self._store.root

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The runs, or those in the trash, newest first."""
        return self._records

    @property
    def shows_trash(self) -> bool:
        """Whether `records` are those in the trash."""
        return self._shows_trash

    @property
    def num_trashed(self) -> int:
        """How many runs are in the trash."""
        return self._num_trashed

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags that a run has, sorted."""
        return tuple(sorted({tag for record in self._records for tag in record.tags}))

    def record(self, run_id: str) -> RunRecord | None:
        """The run of that id among `records`."""
        return next((record for record in self._records if record.run_id == run_id), None)

    def set_watched(self, watched: bool) -> None:
        """Follow the store while somebody looks."""
        if watched and not self._timer.isActive():
            self.look()
            self._timer.start()
        elif not watched:
            self._timer.stop()

    def show_trash(self, shown: bool) -> None:
        """List the trash instead of the other runs."""
        if shown != self._shows_trash:
            self._shows_trash = shown
            self.refresh()

    def look(self) -> None:
        """Read the runs again if anybody wrote to the store, or if a run may have lost its process."""
        if not (self.root / "runs.sqlite").exists():
            self._take((), 0)
            return
        try:
            number = self._store.state_number()
        except RunStoreError as error:
            self._fail(error)
            return
        if number != self._state_number or any(record.state == "running" for record in self._records):
            self._state_number = number
            self.refresh()

    def refresh(self) -> None:
        """Read the runs again."""
        if not (self.root / "runs.sqlite").exists():
            self._take((), 0)
            return
        try:
            found = self._store.list(trashed=None)
        except RunStoreError as error:
            self._fail(error)
            return
        self._last_failure = ""
        trashed = [record for record in found if record.trashed is not None]
        shown = trashed if self._shows_trash else [record for record in found if record.trashed is None]
        self._take(tuple(shown), len(trashed))

    def history(self, record: RunRecord) -> RunHistory | None:
        """The curves of a run as far as they are recorded; None if they cannot be read."""
        known = self._histories.get(record.run_id)
        if known is not None and known[0] == record:
            return known[1]
        try:
            history = self._store.history(record.run_id)
        except RunStoreError as error:
            self._fail(error)
            return None
        self._histories[record.run_id] = (record, history)
        return history

    def architecture(self, record: RunRecord) -> Architecture | None:
        """The network that a run trains; None if its file cannot be read."""
        if record.run_id not in self._architectures:
            try:
                self._architectures[record.run_id] = files.load(record.architecture_path).architecture
            except ArchitectureFileError:
                self._architectures[record.run_id] = None
        return self._architectures[record.run_id]

    def forget_histories(self, kept: Iterable[str]) -> None:
        """Let go of all curves but those of these runs."""
        wanted = set(kept)
        self._histories = {run_id: known for run_id, known in self._histories.items() if run_id in wanted}

    def rename(self, run_id: str, name: str) -> None:
        """Call a run so; empty for its network's name."""
        self._do(partial(self._store.describe, run_id, name=name))

    def set_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Give a run these tags instead of those that it has."""
        self._do(partial(self._store.describe, run_id, tags=tuple(tags)))

    def set_note(self, run_id: str, note: str) -> None:
        """Keep a note with a run."""
        self._do(partial(self._store.describe, run_id, note=note))

    def trash(self, run_ids: Iterable[str]) -> None:
        """Put runs into the trash."""
        done = tuple(run_id for run_id in run_ids if self._do(partial(self._store.trash, run_id), refresh=False))
        if done:
            self.refresh()
            self.trashed.emit(done)

    def restore(self, run_ids: Iterable[str]) -> None:
        """Take runs out of the trash."""
        for run_id in run_ids:
            self._do(partial(self._store.restore, run_id), refresh=False)
        self.refresh()

    def delete(self, run_ids: Iterable[str]) -> None:
        """Remove runs with their weights for good."""
        for run_id in run_ids:
            self._do(partial(self._store.delete, run_id), refresh=False)
        self.refresh()

    def close(self) -> None:
        """Let go of the store."""
        self._timer.stop()
        try:
            self._store.close()
        except RunStoreError as error:
            self._fail(error)

    def _do(self, action: "partial[None]", *, refresh: bool = True) -> bool:
        try:
            action()
        except RunStoreError as error:
            self._last_failure = ""
            self._fail(error)
            return False
        if refresh:
            self.refresh()
        return True

    def _fail(self, error: Exception) -> None:
        # Polling meets the same trouble every second; it is said once.
        if str(error) != self._last_failure:
            self._last_failure = str(error)
            self.failed.emit(str(error))

    def _take(self, records: tuple[RunRecord, ...], num_trashed: int) -> None:
        if (records, num_trashed) != (self._records, self._num_trashed):
            self._records, self._num_trashed = records, num_trashed
            self.changed.emit()
