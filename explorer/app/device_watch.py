"""Looks up the device that training would use and its memory, behind the window: the look-up loads torch."""

import threading
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.panels.estimates import Device

_INTERVAL_MS = 30_000
"""Other programs take and free memory too."""


class DeviceWatch(QObject):
    """Asks now and then, and when told to; never before it is enabled.

    Signals:
        found(Device): the device and its memory; None where there is no such device.
    """

    found = Signal(object)
    _looked = Signal(str, object)

    def __init__(self, look_up: Callable[[str], Device], parent: QObject | None = None) -> None:
        """
        Args:
            look_up: finds the device of a name such as "auto" or "cuda:1"; called in a thread. ValueError where there
                is none.
        """
        super().__init__(parent)
        self._look_up = look_up
        self._name = "auto"
        self._enabled = False
        self._paused = False
        self._closed = threading.Event()
        self._is_looking = False
        self._looked.connect(self._take)
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self.refresh)

    def enable(self) -> None:
        """Begin: torch may load now."""
        self._enabled = True
        self._timer.start()
        self.refresh()

    def set_name(self, name: str) -> None:
        """Watch the device of this name."""
        if name != self._name:
            self._name = name
            self.refresh()

    def set_paused(self, paused: bool) -> None:
        """Keep what is known while a run goes, which takes the very memory that is looked up."""
        if paused != self._paused:
            self._paused = paused
            self.refresh()

    def refresh(self) -> None:
        """Look now, unless a look-up is under way."""
        if self._enabled and not self._paused and not self._is_looking and not self._closed.is_set():
            self._is_looking = True
            threading.Thread(target=self._look, args=(self._name,), name="device", daemon=True).start()

    def close(self) -> None:
        """Send nothing any more."""
        self._closed.set()
        self._timer.stop()

    def _look(self, name: str) -> None:
        device: Device | None
        try:
            device = self._look_up(name)
        except Exception:
            # No such device, or whatever torch and a driver raise: what is not known must not end the window.
            device = None
        if not self._closed.is_set():
            with suppress(RuntimeError):  # the window may go between the two lines
                self._looked.emit(name, device)

    def _take(self, name: str, device: Device | None) -> None:
        self._is_looking = False
        if self._closed.is_set():
            return
        if name == self._name:
            self.found.emit(device)
        else:
            self.refresh()
