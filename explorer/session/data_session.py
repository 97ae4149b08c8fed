"""What is shown of a data set, worked out in threads: the latest wish first and only; and downloads.

The work itself needs torch and is the window's to give (`DataWork`); nothing here knows what a data set is made of.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from explorer.layers import Shape
from explorer.runs import RunConfig
from explorer.runs.data_facts import DataFacts, DataState, Received, Sheet
from explorer.session.job import Job, Work

_LULL_MS = 250
"""While a size is dragged, no folder is decoded for each of its values."""

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class DataView(NamedTuple):
    """Everything that is shown of a data set at first."""

    facts: DataFacts
    sheet: Sheet
    received: Received | None
    """None where the network cannot take these images."""


class DataWork(Protocol):
    """What the threads run. Each raises ValueError with a sentence for the user."""

    def states(self, progress: Progress, cancelled: Cancelled) -> tuple[DataState, ...]:
        """Which data sets are here."""

    def look(
        self, config: RunConfig, input_shape: Shape, again: bool, progress: Progress, cancelled: Cancelled
    ) -> DataView:
        """Read a data set and describe it; `again` looks at its files anew."""

    def sheet(
        self, config: RunConfig, input_shape: Shape, only: int | None, progress: Progress, cancelled: Cancelled
    ) -> Sheet:
        """Small pictures of one class, or of all."""

    def image(
        self, config: RunConfig, input_shape: Shape, position: int, progress: Progress, cancelled: Cancelled
    ) -> tuple[npt.NDArray[np.uint8], str]:
        """A training image `(C, H, W)` or `(H, W)`, and its label."""

    def fetch(self, name: str, progress: Progress, cancelled: Cancelled) -> None:
        """Download a data set."""


class DataSession(QObject):
    """Follows which data set is wanted, while somebody looks.

    Signals:
        view_changed(object): the `DataView` of what is wanted; None as soon as it is no longer the one shown.
        sheet_changed(Sheet): pictures of another choice of classes.
        image_found(numpy.ndarray, str): the image that was asked for, and its label.
        states_changed(object): a tuple of `DataState`.
        looking(str, float): what is being done for a view and the share done; an empty text once it is.
        downloading(str, float): the same for a download.
        failed(str): why there is no view.
        download_failed(str): why there is no data set; empty if the user ended it.
        downloaded(str): the name of the data set that is here now.
    """

    view_changed = Signal(object)
    sheet_changed = Signal(object)
    image_found = Signal(object, str)
    states_changed = Signal(object)
    looking = Signal(str, float)
    downloading = Signal(str, float)
    failed = Signal(str)
    download_failed = Signal(str)
    downloaded = Signal(str)

    def __init__(self, work: DataWork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._jobs: dict[str, Job] = {}
        self._ended: list[Job] = []
        self._wanted: tuple[RunConfig, Shape] | None = None
        self._shown: tuple[RunConfig, Shape] | None = None
        self._is_watched = False
        self._again = False
        self._view: DataView | None = None
        self._states: Sequence[DataState] = ()
        self._fetched = ""
        self._timer = QTimer(self, singleShot=True, interval=_LULL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def view(self) -> DataView | None:
        """What is shown; None while it is worked out, or cannot be."""
        return self._view

    @property
    def states(self) -> Sequence[DataState]:
        """Which data sets are here, as far as known."""
        return self._states

    @property
    def fetched(self) -> str:
        """The name of the data set that is being downloaded; empty for none."""
        return self._fetched

    def want(self, config: RunConfig, input_shape: Shape) -> None:
        """Show the data set of that configuration, as a network of that input gets it."""
        before, self._wanted = self._wanted, (config, input_shape)
        if before is None or before[0].data != config.data:
            self._forget()
            self._timer.start(0)
        elif before != self._wanted:
            self._timer.start(_LULL_MS)

    def set_watched(self, watched: bool) -> None:
        """Whether somebody looks; nothing is read before."""
        if watched == self._is_watched:
            return
        self._is_watched = watched
        if watched:
            self.look_up()
            self._timer.start(0)

    def reload(self) -> None:
        """Look at the files anew."""
        self._again = True
        self._forget()
        self.look_up()
        self._timer.start(0)

    def look_up(self) -> None:
        """See which data sets are here."""
        self._start("states", self._work.states, self._take_states, self.failed.emit)

    def show_class(self, only: int | None) -> None:
        """Show pictures of one class; None for all."""
        if self._shown is None:
            return
        config, shape = self._shown
        work = partial(self._work.sheet, config, shape, only)
        self._start("sheet", work, self.sheet_changed.emit, self.failed.emit)

    def find_image(self, position: int) -> None:
        """Ask for one training image as it is stored."""
        if self._shown is not None:
            config, shape = self._shown
            work = partial(self._work.image, config, shape, position)
            self._start("image", work, self._take_image, self.failed.emit)

    def download(self, name: str) -> None:
        """Fetch a data set; one at a time."""
        if self._fetched:
            return
        self._fetched = name
        self.downloading.emit("", 0.0)
        work = partial(self._work.fetch, name)
        self._start("fetch", work, self._end_download, self._fail_download, self.downloading.emit)

    def cancel_download(self) -> None:
        """End the download; `download_failed("")` follows."""
        if (job := self._jobs.get("fetch")) is not None:
            job.cancel()

    def close(self, timeout_s: float = 10.0) -> bool:
        """End all work; returns whether it ended in time."""
        self._timer.stop()
        self._is_watched = False
        jobs = [*self._jobs.values(), *self._ended]
        self._jobs.clear()
        self._ended.clear()
        for job in jobs:
            job.cancel()
        ended = [job.close(timeout_s) for job in jobs]  # each, also after one that did not end
        return all(ended)

    def _forget(self) -> None:
        # Whoever comes back to what was shown last wants it again.
        self._shown = None
        if self._view is not None:
            self._view = None
            self.view_changed.emit(None)

    def _look(self) -> None:
        if not self._is_watched or self._wanted is None:
            return
        if self._wanted == self._shown:
            if "look" in self._jobs:  # for what was wanted in between
                self._stop("look")
                self.looking.emit("", 1.0)
            return
        wanted, again = self._wanted, self._again

        def take(result: object) -> None:
            assert isinstance(result, DataView)
            self._shown, self._again = wanted, False
            self._view = result
            self.looking.emit("", 1.0)
            self.view_changed.emit(result)

        def fail(why: str) -> None:
            self._forget()
            self.looking.emit("", 1.0)
            if why:
                self.failed.emit(why)

        self._stop("sheet")
        self._start("look", partial(self._work.look, *wanted, again), take, fail, self.looking.emit)

    def _take_image(self, found: object) -> None:
        assert isinstance(found, tuple)
        self.image_found.emit(*found)

    def _take_states(self, states: object) -> None:
        assert isinstance(states, tuple)
        self._states = states
        self.states_changed.emit(states)

    def _end_download(self, _result: object) -> None:
        name, self._fetched = self._fetched, ""
        self.look_up()
        self.downloaded.emit(name)
        if self._wanted is not None and self._wanted[0].data == name:
            self._shown = None
            self._timer.start(0)

    def _fail_download(self, why: str) -> None:
        self._fetched = ""
        self.download_failed.emit(why)

    # Jobs: one of a kind; what is overtaken ends by itself and is not heard any more.

    def _start(
        self,
        kind: str,
        work: Work,
        take: Callable[[object], object],
        fail: Callable[[str], object],
        report: Callable[[str, float], object] | None = None,
    ) -> None:
        self._stop(kind)
        job = Job(work, self)
        self._jobs[kind] = job

        def is_current() -> bool:
            return self._jobs.get(kind) is job

        def finish(result: object) -> None:
            if is_current():
                del self._jobs[kind]
                take(result)
            self._drop(job)

        def end(why: str) -> None:
            if is_current():
                del self._jobs[kind]
                fail(why)
            self._drop(job)

        job.finished.connect(finish)
        job.failed.connect(end)
        if report is not None:
            job.progressed.connect(lambda text, share: report(text, share) if is_current() else None)
        job.start()

    def _stop(self, kind: str) -> None:
        job = self._jobs.pop(kind, None)
        if job is not None:
            job.cancel()
            self._ended.append(job)

    def _drop(self, job: Job) -> None:
        if job in self._ended:
            self._ended.remove(job)
        job.deleteLater()
