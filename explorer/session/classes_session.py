"""What the run on screen gets right, epoch by epoch: the newest test as it arrives, earlier ones from the run's folder.

Nothing is read while nobody looks. Which images to show is the view's to say; they are fetched in a thread by work that
the window gives, since reading a data set needs torch.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture
from explorer.layers import Shape
from explorer.runs import ClassesTested, EpochFinished, Event, RunConfig, RunStarted
from explorer.runs.class_files import EpochTest, TestFileError, kept_epochs, read_test
from explorer.session.job import Job
from explorer.session.run_session import RunSession

PICTURE_SIDE = 112
"""Pixels of the longer side: twice what a thumbnail takes, for sharp screens."""
Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class PicturesAsked(NamedTuple):
    """Which test images."""

    data: str
    """As `RunConfig.data`."""
    input_shape: Shape
    """The network's `(C, H, W)`."""
    fingerprint: str
    """Of the data that was tested; empty where that is not known."""
    positions: tuple[int, ...]
    side: int | None
    """The longer side at most, in pixels; None for as they are stored."""


class PictureWork(Protocol):
    """What runs in the thread. Raises ValueError with a sentence for the user."""

    def __call__(self, asked: PicturesAsked, progress: Progress, cancelled: Cancelled) -> npt.NDArray[np.uint8]: ...


class Pictures(NamedTuple):
    """Test images that were asked for."""

    positions: tuple[int, ...]
    images: npt.NDArray[np.uint8]
    """`(N, C, H, W)`."""


class ClassesSession(QObject):
    """Follows the tests of the current or last run.

    Signals:
        changed(): another test is `shown`, or none, other `epochs` are there, or a run begins or ends without one.
        pictures_found(Pictures): what `show_pictures` asked for last.
        image_found(numpy.ndarray, int): the image that `find_image` asked for, `(H, W)` or `(3, H, W)`, and its place.
        failed(str): why there is no test or no picture.
    """

    changed = Signal()
    pictures_found = Signal(object)
    image_found = Signal(object, int)
    failed = Signal(str)

    def __init__(self, run: RunSession, root: Path, work: PictureWork, parent: QObject | None = None) -> None:
        """Follow `run`, whose record lies below `root`."""
        super().__init__(parent)
        self._run = run
        self._root = root
        self._work = work
        self._jobs: dict[str, Job] = {}
        self._ended: list[Job] = []
        self._is_watched = self._is_stale = False
        self._forget()
        run.started.connect(self._begin)
        run.events_arrived.connect(self._take)
        run.state_changed.connect(self._follow_state)

    def _forget(self) -> None:
        self._config: RunConfig | None = None
        self._input_shape: Shape = (1, 1, 1)
        self._folder: Path | None = None
        self._fingerprint = ""
        self._newest: EpochTest | None = None
        self._last_epoch = 0
        self._chosen: int | None = None
        self._shown: EpochTest | None = None
        self._epochs: tuple[int, ...] = ()

    @property
    def shown(self) -> EpochTest | None:
        """The test to look at."""
        return self._shown

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those whose tests can be looked at, in order."""
        return self._epochs

    @property
    def is_newest(self) -> bool:
        """Whether the newest test is shown, and the next one will be."""
        return self._chosen is None

    @property
    def is_active(self) -> bool:
        """Whether tests may still come."""
        return self._run.is_active

    @property
    def has_run(self) -> bool:
        """Whether there is or was a run."""
        return self._config is not None

    def set_watched(self, watched: bool) -> None:
        """Whether somebody looks."""
        self._is_watched = watched
        if watched and self._is_stale:
            self._look()

    def choose(self, epoch: int | None) -> None:
        """Look at an epoch's test; None for the newest, whichever that is."""
        if epoch is not None and epoch not in self._epochs:
            raise ValueError(f"epoch {epoch}: not kept; use one of {self._epochs}")
        if epoch != self._chosen:
            self._chosen = epoch
            self._look()

    def show_pictures(self, positions: Sequence[int]) -> None:
        """Ask for small pictures of test images; `pictures_found` follows."""
        places = tuple(positions)
        if places:
            take = partial(self._take_pictures, places)
            self._start("pictures", self._asked(places, PICTURE_SIDE), take)

    def find_image(self, position: int) -> None:
        """Ask for one test image as it is stored; `image_found` follows."""

        def take(images: object) -> None:
            assert isinstance(images, np.ndarray)
            image = images[0]
            self.image_found.emit((image[0] if len(image) == 1 else image).copy(), position)

        self._start("image", self._asked((position,), None), take)

    def close(self, timeout_s: float = 10.0) -> bool:
        """End all work; returns whether it ended in time."""
        self._is_watched = False
        jobs = [*self._jobs.values(), *self._ended]
        self._jobs.clear()
        self._ended.clear()
        for job in jobs:
            job.cancel()
        ended = [job.close(timeout_s) for job in jobs]
        return all(ended)

    # Following the run

    def _begin(self, architecture: Architecture, config: RunConfig) -> None:
        self._forget()
        self._config = config
        self._input_shape = architecture.input_shape
        self._is_stale = True
        if self._is_watched:
            self._look()
            self.changed.emit()

    def _follow_state(self, _state: str) -> None:
        if self._is_watched and self._shown is None:
            self.changed.emit()

    def _take(self, events: Sequence[Event]) -> None:
        is_new = False
        for event in events:
            match event:
                case RunStarted():
                    self._folder = self._root / event.run_id
                    self._fingerprint = event.data_fingerprint
                    is_new = True
                case ClassesTested():
                    self._newest = EpochTest(event.epoch, event.step, event.tested)
                    self._last_epoch = event.epoch
                    is_new = True
                case EpochFinished():
                    self._last_epoch = event.epoch
                    is_new = True
                case _:
                    pass
        if is_new:
            self._look_if_watched()

    def _look_if_watched(self) -> None:
        self._is_stale = True
        if self._is_watched:
            self._look()

    def _look(self) -> None:
        self._is_stale = False
        before = (self._shown, self._epochs, self._chosen)
        kept = () if self._folder is None else kept_epochs(self._folder)
        # What lies there of epochs that a run taken up again has not reached anew is not its own any more.
        epochs = {epoch for epoch in kept if epoch <= self._last_epoch}
        if self._newest is not None:
            epochs.add(self._newest.epoch)
        self._epochs = tuple(sorted(epochs))
        if self._chosen not in epochs:
            self._chosen = None
        wanted = self._chosen if self._chosen is not None else max(epochs, default=None)
        why = ""
        try:
            self._shown = None if wanted is None else self._test(wanted)
        except TestFileError as error:
            self._shown, why = None, str(error)
        if before != (self._shown, self._epochs, self._chosen):
            self.changed.emit()
        if why:
            self.failed.emit(why)

    def _test(self, epoch: int) -> EpochTest:
        if self._newest is not None and self._newest.epoch == epoch:
            return self._newest
        if self._shown is not None and self._shown.epoch == epoch:
            return self._shown
        assert self._folder is not None
        return read_test(self._folder, epoch)

    # Pictures: one job of a kind; what is overtaken ends by itself and is not heard any more.

    def _asked(self, positions: tuple[int, ...], side: int | None) -> PicturesAsked:
        assert self._config is not None
        return PicturesAsked(self._config.data, self._input_shape, self._fingerprint, positions, side)

    def _take_pictures(self, positions: tuple[int, ...], images: object) -> None:
        assert isinstance(images, np.ndarray)
        self.pictures_found.emit(Pictures(positions, images))

    def _start(self, kind: str, asked: PicturesAsked, take: Callable[[object], None]) -> None:
        overtaken = self._jobs.pop(kind, None)
        if overtaken is not None:
            overtaken.cancel()
            self._ended.append(overtaken)
        job = Job(partial(self._work, asked), self)
        self._jobs[kind] = job

        def end(hear: Callable[[], None]) -> None:
            if self._jobs.get(kind) is job:
                del self._jobs[kind]
                hear()
            elif job in self._ended:
                self._ended.remove(job)
            job.deleteLater()

        job.finished.connect(lambda result: end(lambda: take(result)))
        job.failed.connect(lambda why: end(lambda: self.failed.emit(why)))
        job.start()
