"""What the steps of a run measured: kept on the device until the next report, summed over the epoch, and timed."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.training.pacing import Pace, ReportPacing, Speed

_FEWEST_STEPS = 5
"""Steps before the time left is worth an estimate."""


class Measured(NamedTuple):
    """The steps since the last report, up to the first whose loss is not finite."""

    losses: npt.NDArray[np.float32]
    """Mean loss of each step, `(steps,)`."""
    accuracies: npt.NDArray[np.float32]
    """Share of each step's images that were classified rightly."""
    num_steps: int
    """Steps fetched; more than `losses` holds if one failed on the way."""
    num_images: int
    """Of all steps fetched."""
    seconds: float
    """Since the last report."""
    failing: Tensor | None
    """Where the images of the last of `losses` lie, if that is not finite."""


class Reports:
    """Collects what steps give and fetches it at the reporting interval, where the host waits for the device."""

    def __init__(self, test_steps: float = 0.0) -> None:
        """Start the clock; `restart` starts it again.

        Args:
            test_steps: of how many steps the time is that a test is expected to take, until one was made.
        """
        self._test_steps = test_steps
        self._test_s: float | None = None
        """What the last epoch's end took: its test, and what was written."""
        self._pace = Pace()
        self._pacing = ReportPacing()
        self.speed = Speed()
        self._pending: list[tuple[Tensor, Tensor, Tensor]] = []
        """Loss and right answers of each step since the last report, and where its images lie; all on the device."""
        self._loss_sum = self._num_right = self._num_seen = 0.0
        self.rested_seconds = 0.0
        """How long the run stood still so far."""
        self._start_s = self._reported_s = time.perf_counter()

    # The clock

    def restart(self) -> None:
        """The first step comes now."""
        self._start_s = self._reported_s = time.perf_counter()

    def tested(self) -> None:
        """Leave the time since the last report out of the speed: an epoch's test took it, and what was written then."""
        now_s = time.perf_counter()
        self._test_s, self._reported_s = now_s - self._reported_s, now_s

    def rested(self, seconds: float) -> None:
        """Leave out a time in which the run stood still, which ends now."""
        self._reported_s = time.perf_counter()
        self.rested_seconds += seconds

    @property
    def seconds(self) -> float:
        """Since the first step came, pauses and all."""
        return time.perf_counter() - self._start_s

    def seconds_left(self, num_made: int, num_left: int, tests_left: int) -> float | None:
        """At the speed of about the last 20 s, with the tests to come; None while that is not worth an estimate.

        Args:
            num_made: steps since the start.
            num_left: steps.
            tests_left: ends of epochs.
        """
        if num_made < _FEWEST_STEPS:
            return None
        step_s = self._pace.step_s
        test_s = self._test_steps * step_s if self._test_s is None else self._test_s
        return num_left * step_s + tests_left * test_s

    # The steps

    def add(self, loss: Tensor, num_right: Tensor, positions: Tensor) -> None:
        """Take what a step gave, and where its images lie, `(n,)`."""
        self._pending.append((loss, num_right, positions))

    @property
    def is_due(self) -> bool:
        """Whether so many steps wait that they are to be reported."""
        return len(self._pending) >= self._pacing.num_steps

    def fetch(self) -> Measured | None:
        """Wait for the device and give what the steps since the last call measured; None if there were none."""
        if not self._pending:
            return None
        losses = torch.stack([loss for loss, _, _ in self._pending])
        right = torch.stack([right for _, right, _ in self._pending])
        # Here, at the reporting interval, the host waits for the device; nowhere else between two epochs.
        measured = torch.stack([losses.float(), right.float()]).cpu().numpy()
        places = [positions for _, _, positions in self._pending]
        num_images = np.array([len(positions) for positions in places], np.float32)
        self._pending = []
        now_s = time.perf_counter()
        seconds, self._reported_s = now_s - self._reported_s, now_s
        self._pacing.reported(len(places), seconds)
        self._pace.add(len(places), seconds)
        self.speed.add(int(num_images.sum()), seconds)
        # One after the other, so that the sums do not depend on how many steps a report has.
        for loss, num_right, images in zip(*measured.astype(np.float64).tolist(), num_images.tolist(), strict=True):
            self._loss_sum += loss * images
            self._num_right += num_right
            self._num_seen += images
        finite = np.isfinite(measured[0])
        count = len(finite) if finite.all() else int(finite.argmin()) + 1
        return Measured(
            losses=measured[0, :count].copy(),
            accuracies=(measured[1, :count] / num_images[:count]).astype(np.float32),
            num_steps=len(places),
            num_images=int(num_images.sum()),
            seconds=seconds,
            failing=None if finite[count - 1] else places[count - 1],
        )

    # The epoch

    def begin_epoch(self) -> None:
        """Sum anew."""
        self._loss_sum = self._num_right = self._num_seen = 0.0

    @property
    def epoch_loss(self) -> float:
        """Mean over the images of the epoch so far; of at least one."""
        return self._loss_sum / self._num_seen

    @property
    def epoch_accuracy(self) -> float:
        """Share of the images of the epoch so far that were classified rightly; of at least one."""
        return self._num_right / self._num_seen

    @property
    def sums(self) -> list[float]:
        """Of the epoch so far, as a checkpoint keeps them."""
        return [self._loss_sum, self._num_right, self._num_seen]

    def restore(self, sums: Sequence[float]) -> None:
        """Go on from the `sums` of before."""
        self._loss_sum, self._num_right, self._num_seen = sums
