"""When things happen on a device, noted without waiting for it where it can be."""

import time
from typing import NamedTuple

import torch


class Mark(NamedTuple):
    """A moment, by the host's clock or in the device's queue."""

    host_s: float
    event: torch.cuda.Event | None


class Clock:
    """Notes moments on one device.

    On CUDA a moment is an event in the queue, so that the host runs ahead as in training; the times are known after
    `settle`. On the CPU, where a call returns when it is done, it is `time.perf_counter`. Other devices are waited for.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> Mark:
        """Now, or when the device has done all that it was given so far."""
        if self._device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record(torch.cuda.current_stream(self._device))
            return Mark(0.0, event)
        self.settle()
        return Mark(time.perf_counter(), None)

    def settle(self) -> None:
        """Wait until the device has done all."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()

    @staticmethod
    def seconds(start: Mark, end: Mark) -> float:
        """Between two moments; on CUDA after `settle`."""
        if start.event is not None and end.event is not None:
            return float(start.event.elapsed_time(end.event)) / 1e3
        return end.host_s - start.host_s


class Allocations:
    """How much a device's memory grows and peaks; None throughout where the device keeps no account of it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before = 0

    @property
    def is_known(self) -> bool:
        """Whether the device keeps an account."""
        return self._device.type == "cuda"

    def begin(self) -> None:
        """Look from here on."""
        if self.is_known:
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)

    def grown_bytes(self) -> int | None:
        """The most that was allocated since `begin` beyond what lay there then."""
        return torch.cuda.max_memory_allocated(self._device) - self._before if self.is_known else None

    def peak_bytes(self) -> int | None:
        """The most that was allocated since `begin`, all included."""
        return torch.cuda.max_memory_allocated(self._device) if self.is_known else None
