"""When things happen on a device, or on two that share a network, noted without waiting for it where it can be."""

import time
from typing import NamedTuple

import torch


class Mark(NamedTuple):
    """A moment, by the host's clock or in the device's queue."""

    host_s: float
    event: torch.cuda.Event | None


class Clock:
    """Notes moments on one device, or several.

    On CUDA a moment is an event in the queue, so that the host runs ahead as in training; the times are known after
    `settle`. On the CPU, where a call returns when it is done, it is `time.perf_counter`. Other devices are waited for,
    and several all together: a moment in the queue of one says nothing of what it waits for on another.
    """

    def __init__(self, *devices: torch.device) -> None:
        self._devices = tuple(dict.fromkeys(devices))

    def mark(self) -> Mark:
        """Now, or when the device has done all that it was given so far."""
        if len(self._devices) == 1 and self._devices[0].type == "cuda":
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record(torch.cuda.current_stream(self._devices[0]))
            return Mark(0.0, event)
        self.settle()
        return Mark(time.perf_counter(), None)

    def settle(self) -> None:
        """Wait until all is done."""
        for device in self._devices:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            elif device.type == "mps":
                torch.mps.synchronize()

    @staticmethod
    def seconds(start: Mark, end: Mark) -> float:
        """Between two moments; on CUDA after `settle`."""
        if start.event is not None and end.event is not None:
            return float(start.event.elapsed_time(end.event)) / 1e3
        return end.host_s - start.host_s


class Allocations:
    """How much the memory of a device grows and peaks, or of several together; None throughout where one of them keeps
    no account of it."""

    def __init__(self, *devices: torch.device) -> None:
        self._devices = tuple(dict.fromkeys(devices))
        self._before = 0

    @property
    def is_known(self) -> bool:
        """Whether there is an account."""
        return all(device.type == "cuda" for device in self._devices)

    def begin(self) -> None:
        """Look from here on."""
        if self.is_known:
            for device in self._devices:
                torch.cuda.reset_peak_memory_stats(device)
            self._before = sum(torch.cuda.memory_allocated(device) for device in self._devices)

    def grown_bytes(self) -> int | None:
        """The most that was allocated since `begin` beyond what lay there then."""
        peak_bytes = self.peak_bytes()
        return None if peak_bytes is None else peak_bytes - self._before

    def peak_bytes(self) -> int | None:
        """The most that was allocated since `begin`, all included."""
        if not self.is_known:
            return None
        return sum(torch.cuda.max_memory_allocated(device) for device in self._devices)
