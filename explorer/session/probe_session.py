"""What is looked at while no run is active: a worker thread captures for the latest request and drops older ones.

The thread ends when nothing is asked. Whatever torch computes in leaves a team of threads behind while it lives, and
OpenMP stops spinning between two operations once a process has more of them than cores: every later step of a run took
1.7 times as long for the one picture before it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, SignalInstance

from explorer.architecture import Architecture
from explorer.runs import Event, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """What to capture of a network with given weights."""

    architecture: Architecture
    weights: str | None
    """Path of the weights; None for freshly initialised ones."""
    seed: int
    data: str
    """The data set whose normalisation the images get."""
    look: Look
    normalization: str = "auto"
    """As `RunConfig.normalization`; auto is what the weights were trained with, else the data set's own."""


Capture = Callable[[ProbeRequest], tuple[Event, ...]]


class ProbeSession(QObject):
    """Captures in a thread of its own, the latest request only.

    Signals:
        captured(ProbeRequest, tuple[Event, ...]): what was asked for, in the window's thread; step 0 of no run.
        failed(ProbeRequest, str): why there are none.
    """

    captured = Signal(object, object)
    failed = Signal(object, str)

    def __init__(self, capture: Capture, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._capture = capture
        self._lock = threading.Lock()
        self._request: ProbeRequest | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    def request(self, request: ProbeRequest) -> None:
        """Ask for maps; a request not yet begun is dropped for this one."""
        with self._lock:
            self._request = request
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="probe", daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Drop a request that has not begun."""
        with self._lock:
            self._request = None

    def close(self, timeout_s: float = 10.0) -> bool:
        """End the thread; returns whether it ended in time."""
        with self._lock:
            self._closing = True
            self._request = None
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._lock:
                request, self._request = self._request, None
                if request is None:
                    self._thread = None
                    return
            try:
                captured = self._capture(request)
            except Exception as error:
                self._report(self.failed, request, str(error))
            else:
                self._report(self.captured, request, captured)

    def _report(self, signal: SignalInstance, *arguments: object) -> None:
        # A signal sent from this thread is queued for the window's; after close() nobody is there to receive it.
        with self._lock:
            if not self._closing:
                signal.emit(*arguments)
