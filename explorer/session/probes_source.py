"""Brings test images of the run's data set to the probes, as soon as the data set is at hand.

Nothing is read for this: photographs come once a run, or the Data tab, has read them. Who asks for them (`fetch`)
waits. The work needs torch and is the window's to give.
"""

from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from explorer.layers import Shape
from explorer.runs.data_sources import DIGITS
from explorer.session.data_session import Cancelled, Progress
from explorer.session.job import Job
from explorer.session.probe_set import ProbeSet
from explorer.session.probes_offer import ProbeOffer, offer_of_digits


class OfferWork(Protocol):
    """What runs in the thread. Raises ValueError with a sentence for the user."""

    def __call__(
        self, data: str, input_shape: Shape, reads: bool, progress: Progress, cancelled: Cancelled
    ) -> ProbeOffer | None:
        """Some test images of each class; None where they are not at hand and `reads` is False."""


class ProbeSource(QObject):
    """Follows which data set is wanted.

    Signals:
        failed(str): why `fetch` brought nothing.
    """

    failed = Signal(str)

    def __init__(self, probes: ProbeSet, work: OfferWork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._probes = probes
        self._work = work
        self._wanted: tuple[str, Shape] | None = None
        self._offered: tuple[str, Shape] | None = None
        self._job: Job | None = None
        self._is_fetching = False
        """Whether somebody waits for the job."""
        self._ended: list[Job] = []
        self._is_enabled = False
        probes.fetch_asked.connect(self.fetch)

    def enable(self) -> None:
        """Begin: torch may load now."""
        self._is_enabled = True
        self.look()

    def want(self, data: str, input_shape: Shape) -> None:
        """Offer test images of that data set, as a network of that input gets them."""
        height, width = input_shape[1:] if len(input_shape) == 3 else (28, 28)
        self._probes.drawing_size = (28, 28) if (height, width) in {(28, 28), (32, 32)} else (height, width)
        if (data, input_shape) != self._wanted:
            self._wanted = (data, input_shape)
            self._probes.wanted_data = data
            was_fetching = self._job is not None and self._is_fetching
            self._stop()
            if was_fetching:
                self._probes.fetching.emit("", 1.0)
            self.look()

    def look(self) -> None:
        """See whether the images are at hand now, as they may be once a run has begun."""
        if self._wanted is None or self._wanted == self._offered or self._job is not None:
            return
        if self._wanted[0] == DIGITS:
            # Read when they are first looked at, unless other images have to give way now.
            if self._probes.offer is not None and self._probes.offer.data != DIGITS:
                self._offered = self._wanted
                self._probes.take_offer(offer_of_digits())
        elif self._is_enabled:
            self._start(reads=False)

    def fetch(self) -> None:
        """Read the data set, however long it takes."""
        if self._wanted is not None and self._wanted != self._offered and self._wanted[0] != DIGITS:
            self._stop()
            self._start(reads=True)

    def close(self, timeout_s: float = 10.0) -> bool:
        """End all work; returns whether it ended in time."""
        self._is_enabled = False
        self._stop()
        jobs, self._ended = self._ended, []
        ended = [job.close(timeout_s) for job in jobs]  # each, also after one that did not end
        return all(ended)

    def _start(self, *, reads: bool) -> None:
        assert self._wanted is not None
        wanted = self._wanted
        self._is_fetching = reads
        job = self._job = Job(partial(self._work, *wanted, reads), self)

        def end() -> bool:
            """Whether it is still wanted."""
            is_current = self._job is job
            if is_current:
                self._job = None
            elif job in self._ended:
                self._ended.remove(job)
            job.deleteLater()
            if reads and is_current:
                self._probes.fetching.emit("", 1.0)
            return is_current

        def take(result: object) -> None:
            if end() and isinstance(result, ProbeOffer):
                self._offered = wanted
                self._probes.take_offer(result)

        def fail(why: str) -> None:
            if end() and reads and why:
                self.failed.emit(why)

        job.finished.connect(take)
        job.failed.connect(fail)
        if reads:
            say = self._probes.fetching.emit
            job.progressed.connect(lambda text, share: say(text, share) if self._job is job else None)
        job.start()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._ended.append(self._job)
            self._job = None
