"""Feature maps while no run is active: a worker thread captures for the latest request and drops older ones."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, SignalInstance

from explorer.architecture import Architecture
from explorer.runs import Atlas


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """What to capture: nodes of a network, with given weights, on one image."""

    architecture: Architecture
    weights: str | None
    """Path of the weights; None for freshly initialised ones."""
    seed: int
    data: str
    """The data set whose normalisation the image gets."""
    image: npt.NDArray[Any]
    """uint8, (H, W) or (C, H, W)."""
    probe: str
    """Label of the image."""
    node_ids: tuple[str, ...]
    normalization: str = "auto"
    """As `RunConfig.normalization`; auto is what the weights were trained with, else the data set's own."""


Capture = Callable[[ProbeRequest], Mapping[str, Atlas]]


class ProbeSession(QObject):
    """Captures in a thread of its own, latest request first and only.

    Signals:
        captured(ProbeRequest, Mapping[str, Atlas]): the maps, in the window's thread.
        failed(ProbeRequest, str): why there are none.
    """

    captured = Signal(object, object)
    failed = Signal(object, str)

    def __init__(self, capture: Capture, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._capture = capture
        self._condition = threading.Condition()
        self._request: ProbeRequest | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    def request(self, request: ProbeRequest) -> None:
        """Ask for maps; a request not yet begun is dropped for this one."""
        with self._condition:
            self._request = request
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name="probe", daemon=True)
                self._thread.start()
            self._condition.notify()

    def cancel(self) -> None:
        """Drop a request that has not begun."""
        with self._condition:
            self._request = None

    def close(self, timeout_s: float = 10.0) -> bool:
        """End the thread; returns whether it ended in time."""
        with self._condition:
            self._closing = True
            self._request = None
            self._condition.notify()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._request is not None or self._closing)
                if self._closing:
                    return
                request, self._request = self._request, None
            assert request is not None
            try:
                atlases = self._capture(request)
            except Exception as error:
                self._report(self.failed, request, str(error))
            else:
                self._report(self.captured, request, atlases)

    def _report(self, signal: SignalInstance, *arguments: object) -> None:
        # A signal sent from this thread is queued for the window's; after close() nobody is there to receive it.
        with self._condition:
            if not self._closing:
                signal.emit(*arguments)
