"""A run that trains elsewhere, seen from the window: its folder is looked at from a thread, its events come as signals.

The reading is `runs.follow`'s. A mount that hangs holds this thread and nothing else.
"""

import threading
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.runs import Event, RunStarted
from explorer.runs.follow import Followed, Follower

POLL_INTERVAL_S = 0.4
_ENDED_INTERVAL_S = 3.0
"""A run that has ended may be taken up again."""


class FollowSession(QObject):
    """Follows one folder until it is closed.

    Signals:
        events_arrived(list[Event]): what the run said since the last time, in order.
        status_changed(Followed): how the run stands; at each look, since silence grows.
        failed(str): the folder cannot be read at the moment, and why; it is tried again. Empty once it can be again.
    """

    events_arrived = Signal(object)
    status_changed = Signal(object)
    failed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None, *, interval_s: float = POLL_INTERVAL_S) -> None:
        super().__init__(parent)
        self.folder = folder
        self._interval_s = interval_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="follow", daemon=True)
        self.started: RunStarted | None = None
        """How the run last began; None before."""
        self.status: Followed | None = None
        """How it stands; None before the first look."""
        self.events_arrived.connect(self._keep)
        self.status_changed.connect(self._keep_status)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> bool:
        """Look no more and send nothing; returns whether the thread ended in time."""
        self._closed.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        follower = Follower(self.folder)
        trouble = ""
        while not self._closed.is_set():
            events: list[Event] = []
            why = ""
            try:
                events = follower.poll()
            except OSError as error:
                why = f"{self.folder}: {error.strerror or error}"
            status = follower.status()
            # The window may go between two of these lines.
            with suppress(RuntimeError):
                if why != trouble and not self._closed.is_set():
                    trouble = why
                    self.failed.emit(why)
                if events and not self._closed.is_set():
                    self.events_arrived.emit(events)
                if not self._closed.is_set():
                    self.status_changed.emit(status)
            self._closed.wait(max(self._interval_s, _ENDED_INTERVAL_S) if status.is_ended else self._interval_s)

    def _keep(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RunStarted):
                self.started = event

    def _keep_status(self, status: Followed) -> None:
        self.status = status
