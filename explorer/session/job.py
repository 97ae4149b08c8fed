"""One piece of work in a background thread, with progress and cancel, seen as signals."""

import threading
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal


class Work(Protocol):
    """What a job runs: reports where it is, and looks whether it should stop."""

    def __call__(self, progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> object: ...


class Job(QObject):
    """Runs once.

    Signals:
        progressed(str, float): what is being done, and the share done, 0 to 1.
        finished(object): the result.
        failed(str): why there is none; empty after a cancel.
    """

    progressed = Signal(str, float)
    finished = Signal(object)
    failed = Signal(str)

    def __init__(self, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._cancelled = threading.Event()
        self._closed = closed = threading.Event()
        # With its owner gone there is nobody to tell; a bound method would be gone too by then.
        self.destroyed.connect(closed.set)
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to stop; `failed("")` follows."""
        self._cancelled.set()

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel, send no more signals, wait for the thread; returns whether it ended in time."""
        self._closed.set()
        self._cancelled.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            result = self._work(self._progress, self._cancelled.is_set)
        except Exception as error:
            if not self._closed.is_set():
                self.failed.emit("" if self._cancelled.is_set() else str(error) or repr(error))
        else:
            if not self._closed.is_set():
                self.finished.emit(result)

    def _progress(self, text: str, share: float) -> None:
        if not self._closed.is_set():
            self.progressed.emit(text, share)
