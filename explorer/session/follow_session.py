"""A run that trains elsewhere, seen from the window: its folder is looked at from a thread, its events come as signals.

The reading is `runs.follow`'s, that of what is looked at `runs.follow_looks`'. A mount that hangs holds this thread
and nothing else.
"""

import threading
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.runs import EpochFinished, Event, Look, RunStarted
from explorer.runs.follow import Followed, Follower
from explorer.runs.follow_looks import LookReader

POLL_INTERVAL_S = 0.4
_ENDED_INTERVAL_S = 3.0
"""A run that has ended may be taken up again."""


class FollowSession(QObject):
    """Follows one folder until it is closed.

    Signals:
        events_arrived(list[Event]): what the run said since the last time, in order.
        status_changed(Followed): how the run stands; at each look, since silence grows.
        observed_arrived(tuple[FeatureMapsCaptured | Observed, ...]): of what `watch` asked for.
        remarked(str): why not all that `watch` asked for comes, as sentences; empty once it does.
        failed(str): the folder cannot be read at the moment, and why; it is tried again. Empty once it can be again.
    """

    events_arrived = Signal(object)
    status_changed = Signal(object)
    observed_arrived = Signal(object)
    remarked = Signal(str)
    failed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None, *, interval_s: float = POLL_INTERVAL_S) -> None:
        super().__init__(parent)
        self.folder = folder
        self._interval_s = interval_s
        self._closed = threading.Event()
        self._question: Look | None = None
        """What is looked at, until the thread has taken it."""
        self._thread = threading.Thread(target=self._work, name="follow", daemon=True)
        self.started: RunStarted | None = None
        """How the run last began; None before."""
        self.events: list[Event] = []
        """All of the run since it last began, for who comes late."""
        self.last_epoch = 0
        """The epoch that ended last; 0 before the first."""
        self.status: Followed | None = None
        """How it stands; None before the first look."""
        self.events_arrived.connect(self._keep)
        self.status_changed.connect(self._keep_status)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    @property
    def weights(self) -> Path:
        """Where the run keeps its last whole weights, once there are any."""
        return self.folder / "weights.safetensors"

    def watch(self, look: Look) -> None:
        """Ask for what is looked at, as `RunControl.watch`; a run whose folder cannot be written answers nothing."""
        self._question = look

    def close(self, timeout_s: float = 2.0) -> bool:
        """Look no more and send nothing; returns whether the thread ended in time."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        follower, looks = Follower(self.folder), LookReader(self.folder)
        trouble = remark = ""
        while not self._closed.is_set():
            events: list[Event] = []
            why = ""
            try:
                events = follower.poll()
            except OSError as error:
                why = f"{self.folder}: {error.strerror or error}"
            status = follower.status()
            question, self._question = self._question, None
            if question is not None:
                looks.ask(question)
            observed = () if status.is_ended and not events else looks.poll()
            said = "" if status.is_ended else " ".join(looks.remarks)
            # The window may go between two of these lines.
            with suppress(RuntimeError):
                if why != trouble and not self._closed.is_set():
                    trouble = why
                    self.failed.emit(why)
                if events and not self._closed.is_set():
                    self.events_arrived.emit(events)
                if observed and not self._closed.is_set():
                    self.observed_arrived.emit(observed)
                if said != remark and not self._closed.is_set():
                    remark = said
                    self.remarked.emit(said)
                if not self._closed.is_set():
                    self.status_changed.emit(status)
            self._closed.wait(max(self._interval_s, _ENDED_INTERVAL_S) if status.is_ended else self._interval_s)
        looks.close()

    def _keep(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                self.started = event
                self.events = []
            elif isinstance(event, EpochFinished):
                self.last_epoch = event.epoch
            self.events.append(event)

    def _keep_status(self, status: Followed) -> None:
        self.status = status
