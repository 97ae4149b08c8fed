"""What the run on screen gets right, epoch by epoch: the newest test as it arrives, earlier ones from the run's folder.

The newest is brought up to date while the run goes on, by what the run answers between two tests (`live`).
Of a run that trains elsewhere and is followed, all of them are from its folder. It is read in a thread, since a mount
may hang. Nothing is read while nobody looks. Which images to show is the view's to say; they are fetched in a thread by
work that the window gives, since reading a data set needs torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture
from explorer.layers import Shape
from explorer.runs import ClassesTested, EpochFinished, Event, RunConfig, RunStarted
from explorer.runs.class_figures import TestedImages
from explorer.runs.class_files import EpochTest, TestFileError, kept_epochs, read_test
from explorer.runs.follow import Followed
from explorer.runs.latest_answers import LatestAnswers
from explorer.runs.observed import ImagesEvaluated
from explorer.session.follow_session import FollowSession
from explorer.session.job import Job, Work
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


class LiveTest(NamedTuple):
    """Each test image's latest answer."""

    since: EpochTest | None
    """The whole test before; None for before the first one."""
    epoch: int
    """The last one that was over before the newest answers: that of `since`, or a later one whose test is still on its
    way; 0 before the first one is over."""
    step: int
    """Updates made before the newest answers."""
    num_new: int
    """Images that were evaluated since the test of `epoch`; before the first whole test, all that were."""
    num_images: int
    """All test images."""
    tested: TestedImages
    """Before the first whole test of the images that were evaluated."""


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one run's tests, and which of them is looked at."""

    run_id: str = ""
    config: RunConfig | None = None
    input_shape: Shape = (1, 1, 1)
    folder: Path | None = None
    fingerprint: str = ""
    steps_per_epoch: int = 0
    newest: EpochTest | None = None
    last_epoch: int = 0
    chosen: int | None = None
    shown: EpochTest | None = None
    epochs: tuple[int, ...] = ()
    answers: LatestAnswers | None = None
    """Of `live`; over the test that `live` is since."""
    live: LiveTest | None = None


class _Found(NamedTuple):
    """What a look at a run gave."""

    epochs: tuple[int, ...]
    chosen: int | None
    shown: EpochTest | None
    why: str
    """Why there is no test, where one was to be."""


class ClassesSession(QObject):
    """Follows the tests of the current or last run, or of one that trains elsewhere, whichever came last.

    Signals:
        changed(): another test is `shown`, or none, another one is `live`, other `epochs` are there, or a run begins
            or ends.
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
        self._own = _Known()
        self._elsewhere = _Known()
        self._followed: FollowSession | None = None
        self._is_elsewhere = False
        """Whether the followed run is the one to look at."""
        self._was_active = False
        run.started.connect(self._begin)
        run.events_arrived.connect(self._take)
        run.state_changed.connect(self._follow_state)
        run.detached.connect(self.changed)

    @property
    def _known(self) -> _Known:
        return self._elsewhere if self._is_elsewhere else self._own

    @property
    def shown(self) -> EpochTest | None:
        """The test to look at."""
        return self._known.shown

    @property
    def live(self) -> LiveTest | None:
        """The newest test with what was evaluated since, where it is the newest that is looked at; None for nothing."""
        known = self._known
        is_current = known.live is not None and known.live.since is known.shown and known.chosen is None
        return known.live if is_current else None

    @property
    def wants_live(self) -> bool:
        """Whether answers between two tests would be shown."""
        return self.is_newest and self.is_active

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those whose tests can be looked at, in order."""
        return self._known.epochs

    @property
    def is_newest(self) -> bool:
        """Whether the newest test is shown, and the next one will be."""
        return self._known.chosen is None

    @property
    def is_active(self) -> bool:
        """Whether tests may still come."""
        if not self._is_elsewhere or self._followed is None:
            return self._run.is_active
        return self._followed.status is None or not self._followed.status.is_ended

    @property
    def has_run(self) -> bool:
        """Whether there is or was a run."""
        return self._known.config is not None

    @property
    def elsewhere(self) -> str:
        """The name of the followed run that is looked at; empty where it is the window's own."""
        return self._followed.folder.name if self._is_elsewhere and self._followed is not None else ""

    @property
    def other_network(self) -> str:
        """The name of what the window's own run trains, where that is not what is open; empty where it is."""
        trained = self._run.architecture
        return trained.name if trained is not None and self._run.is_detached and not self._is_elsewhere else ""

    def follow(self, session: FollowSession | None, architecture: Architecture | None = None) -> None:
        """Look at a run that trains elsewhere what is on screen, until one begins here; None for the window's own.

        Args:
            session: what follows it.
            architecture: what it trains.
        """
        if session is self._followed:
            return
        if self._followed is not None:
            self._followed.events_arrived.disconnect(self._take_followed)
            self._followed.status_changed.disconnect(self._follow_status)
        self._followed = session
        self._elsewhere = _Known()
        self._is_elsewhere = session is not None
        if session is not None:
            self._elsewhere.folder = session.folder
            self._elsewhere.last_epoch = session.last_epoch
            if architecture is not None:
                self._elsewhere.input_shape = architecture.input_shape
            if session.started is not None:
                self._elsewhere.run_id = session.started.run_id
                self._elsewhere.config = session.started.config
                self._elsewhere.fingerprint = session.started.data_fingerprint
                self._elsewhere.steps_per_epoch = session.started.steps_per_epoch
            session.events_arrived.connect(self._take_followed)
            session.status_changed.connect(self._follow_status)
        self._show_anew()

    def set_watched(self, watched: bool) -> None:
        """Whether somebody looks."""
        self._is_watched = watched
        if watched and self._is_stale:
            self._look()

    def choose(self, epoch: int | None) -> None:
        """Look at an epoch's test; None for the newest, whichever that is."""
        known = self._known
        if epoch is not None and epoch not in known.epochs:
            raise ValueError(f"epoch {epoch}: not kept; use one of {known.epochs}")
        if epoch != known.chosen:
            known.chosen = epoch
            self._look()

    def take_evaluated(self, event: ImagesEvaluated) -> None:
        """Take what was answered between two tests; passed over where it is not looked at, or not of now."""
        known = self._known
        is_looked_at = self._is_watched and known.chosen is None
        # Numbers and pictures come by different ways: what was answered before the last test may come after it.
        is_newer = known.shown is None or event.step > known.shown.step
        if not (is_looked_at and is_newer) or event.run_id != known.run_id:
            return
        if known.answers is None or known.live is None:
            known.answers = LatestAnswers(None if known.shown is None else known.shown.tested)
        try:
            known.answers.take(event)
        except ValueError:
            # A run elsewhere that was begun anew on other data.
            return
        known.live = _live(known.answers, known.shown, event.step, known.steps_per_epoch)
        self.changed.emit()

    def show_pictures(self, positions: Sequence[int]) -> None:
        """Ask for small pictures of test images; `pictures_found` follows."""
        places = tuple(positions)
        if places:
            take = partial(self._take_pictures, places)
            self._start("pictures", partial(self._work, self._asked(places, PICTURE_SIDE)), take)

    def find_image(self, position: int) -> None:
        """Ask for one test image as it is stored; `image_found` follows."""

        def take(images: object) -> None:
            assert isinstance(images, np.ndarray)
            image = images[0]
            self.image_found.emit((image[0] if len(image) == 1 else image).copy(), position)

        self._start("image", partial(self._work, self._asked((position,), None)), take)

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
        self._own = _Known(config=config, input_shape=architecture.input_shape)
        self._is_elsewhere = False
        self._show_anew()

    def _show_anew(self) -> None:
        self._is_stale = True
        if self._is_watched:
            self._look()
            self.changed.emit()

    def _follow_state(self, _state: str) -> None:
        self._tell_activity()

    def _follow_status(self, _status: Followed) -> None:
        self._tell_activity()

    def _tell_activity(self) -> None:
        if self.is_active != self._was_active:
            self._was_active = self.is_active
            if self._is_watched:
                self.changed.emit()

    def _take(self, events: Sequence[Event]) -> None:
        known = self._own
        is_new = False
        for event in events:
            match event:
                case RunStarted():
                    known.run_id = event.run_id
                    known.folder = self._root / event.run_id
                    known.fingerprint = event.data_fingerprint
                    known.steps_per_epoch = event.steps_per_epoch
                    followed = None if self._followed is None else self._followed.started
                    # What was followed to its end and is shown now as if it were the window's own lies elsewhere still.
                    self._is_elsewhere = followed is not None and followed.run_id == event.run_id
                    is_new = True
                case ClassesTested():
                    known.newest = EpochTest(event.epoch, event.step, event.tested)
                    known.last_epoch = event.epoch
                    is_new = True
                case EpochFinished():
                    known.last_epoch = event.epoch
                    is_new = True
                case _:
                    pass
        if is_new:
            self._look_if_watched()

    def _take_followed(self, events: Sequence[Event]) -> None:
        known = self._elsewhere
        for event in events:
            if isinstance(event, RunStarted):
                known.run_id = event.run_id
                known.config, known.fingerprint = event.config, event.data_fingerprint
                known.steps_per_epoch = event.steps_per_epoch
                # Where it was taken up again, later answers were of steps that are made anew.
                known.answers = known.live = None
            elif isinstance(event, EpochFinished):
                known.last_epoch = event.epoch
        if self._is_elsewhere and any(isinstance(event, (RunStarted, EpochFinished)) for event in events):
            self._look_if_watched()

    def _look_if_watched(self) -> None:
        self._is_stale = True
        if self._is_watched:
            self._look()

    def _look(self) -> None:
        self._is_stale = False
        known = self._known
        found = partial(_find, known.folder, known.last_epoch, known.newest, known.chosen, known.shown)
        if not self._is_elsewhere:
            self._show_found(known, found())
            return

        def take(result: object) -> None:
            assert isinstance(result, _Found)
            if known is self._known and not self._is_stale:
                self._show_found(known, result)

        self._start("tests", lambda _progress, _cancelled: found(), take)

    def _show_found(self, known: _Known, found: _Found) -> None:
        before = (known.shown, known.epochs, known.chosen)
        known.epochs, known.chosen, known.shown, why = found
        if known.chosen is None:
            _join(known)
        if before != (known.shown, known.epochs, known.chosen):
            self.changed.emit()
        if why:
            self.failed.emit(why)

    # Threads: one job of a kind; what is overtaken ends by itself and is not heard any more.

    def _asked(self, positions: tuple[int, ...], side: int | None) -> PicturesAsked:
        known = self._known
        assert known.config is not None
        return PicturesAsked(known.config.data, known.input_shape, known.fingerprint, positions, side)

    def _take_pictures(self, positions: tuple[int, ...], images: object) -> None:
        assert isinstance(images, np.ndarray)
        self.pictures_found.emit(Pictures(positions, images))

    def _start(self, kind: str, work: Work, take: Callable[[object], None]) -> None:
        overtaken = self._jobs.pop(kind, None)
        if overtaken is not None:
            overtaken.cancel()
            self._ended.append(overtaken)
        job = Job(work, self)
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


def _join(known: _Known) -> None:
    """Put the newest test below the answers that were there before it; those that it is newer than go."""
    test, live = known.shown, known.live
    if known.answers is None or live is None or test is None or live.since is test:
        return
    is_newer = live.step > test.step
    if is_newer:
        try:
            known.answers.put_below(test.tested, test.step)
        except ValueError:
            is_newer = False
    if is_newer:
        known.live = _live(known.answers, test, live.step, known.steps_per_epoch)
    else:
        known.answers = known.live = None


def _live(answers: LatestAnswers, since: EpochTest | None, step: int, steps_per_epoch: int) -> LiveTest:
    """What was answered up to `step`.

    Numbers and pictures are fetched from a run by turns, so that answers overtake the tests of epochs that ended
    between. Which those are only the steps tell.
    """
    tested_epoch, tested_step = (0, 0) if since is None else (since.epoch, since.step)
    # A test comes after the last step of its epoch, and what is answered later has at least one step more.
    num_over = max(0, step - 1 - tested_step) // steps_per_epoch if steps_per_epoch else 0
    last = -1 if since is None else tested_step + num_over * steps_per_epoch
    return LiveTest(since, tested_epoch + num_over, step, answers.num_since(last), answers.num_images, answers.tested())


def _find(
    folder: Path | None, last_epoch: int, newest: EpochTest | None, chosen: int | None, shown: EpochTest | None
) -> _Found:
    """Look at a run's folder for the test that is to be shown: the chosen one, else the newest."""
    kept = () if folder is None else kept_epochs(folder)
    # What lies there of epochs that a run taken up again has not reached anew is not its own any more.
    epochs = {epoch for epoch in kept if epoch <= last_epoch}
    if newest is not None:
        epochs.add(newest.epoch)
    if chosen not in epochs:
        chosen = None
    wanted = chosen if chosen is not None else max(epochs, default=None)
    why = ""
    test = next((test for test in (newest, shown) if test is not None and test.epoch == wanted), None)
    if wanted is not None and test is None:
        assert folder is not None
        try:
            test = read_test(folder, wanted)
        except TestFileError as error:
            why = str(error)
    return _Found(tuple(sorted(epochs)), chosen, test, why)
