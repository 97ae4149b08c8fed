"""How many threads a step on the CPU computes with: measured in the run itself, and again as the machine changes.

On two idle cores two threads are up to 1.9 times as fast as one. Beside other busy programs they wait for each other in
each of a step's hundred operations, whenever the system has put one of them aside: LeNet-5 then takes five to twenty
times as long as with one thread, however the waiting is done. So neither count is right; the steps tell. The time is
the run's own: a trial is made of the run's next steps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch

from explorer.runtime import threads
from explorer.training.plan import RunPlan

_GAIN = 1.05
"""More threads have to be so much faster to be worth it to everybody else on the machine."""
_FALL = 0.6
"""Slower than this share of what was measured, and for so long, the machine has changed."""
_SLOW_S = 1.0
_CLEAR = 0.7
"""A count slower than this share of the other is not tried twice, if the faster is the one in use."""
_TRIAL_S = 0.12
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 4.0, 60.0
_COST = 40.0
"""A trial that cost a second, in which the other count would have been faster, is made again after so many."""


class _Trial(NamedTuple):
    """One count's measurement under way."""

    threads: int
    num_images: int
    seconds: float
    is_warm: bool


class ThreadChoice:
    """Sets the faster of two counts of threads, one and as many as allowed. Pure but for `set_count`; time is given."""

    def __init__(self, most: int, set_count: Callable[[int], None]) -> None:
        """Begin with the larger count.

        Args:
            most: threads to use at most, at least 1. With 1 there is nothing to choose.
            set_count: makes the next steps use so many.
        """
        self._most = most
        self._set_count = set_count
        self.count = most
        """Threads in use."""
        self._before = most
        """In use before the trials under way, or the last ones."""
        self._trials: list[int] = []
        """Counts still to be tried after the one that is tried."""
        self._trial: _Trial | None = None
        self._is_second_round = False
        self._rates: dict[int, float] = {}
        """Images a second with each count, as last measured."""
        self._costs: dict[int, float] = {}
        """Seconds that the last trials of each took."""
        self._waited_s = self._slow_s = 0.0
        self._wait_s = _SHORTEST_WAIT_S
        if most > 1:
            self._begin()

    @property
    def is_trying(self) -> bool:
        """Whether counts are being compared."""
        return self._trial is not None

    def measured(self, num_images: int, seconds: float) -> None:
        """Tell how long the steps since the last call took, and let it change the count for the next ones.

        Args:
            num_images: of those steps.
            seconds: that they took, above 0.
        """
        if self._most == 1:
            return
        if self._trial is not None:
            self._try(self._trial, num_images, seconds)
            return
        self._waited_s += seconds
        is_slow = num_images / seconds < _FALL * self._rates[self.count]
        self._slow_s = self._slow_s + seconds if is_slow else 0.0
        if self._waited_s >= self._wait_s or self._slow_s >= _SLOW_S:
            self._begin()

    def restart(self) -> None:
        """Compare anew, since steps are made otherwise from now on."""
        if self._most > 1 and self._trial is None:
            self._begin()

    def _begin(self) -> None:
        self._before = self.count
        self._rates, self._costs = {}, {}
        self._is_second_round = False
        self._trials = [self._other(self.count)]
        self._start(self.count)

    def _other(self, count: int) -> int:
        return 1 if count == self._most else self._most

    def _start(self, count: int) -> None:
        self._trial = _Trial(count, 0, 0.0, is_warm=False)
        self._use(count)

    def _use(self, count: int) -> None:
        if count != self.count:
            self.count = count
            self._set_count(count)

    def _try(self, trial: _Trial, num_images: int, seconds: float) -> None:
        count = trial.threads
        self._costs[count] = self._costs.get(count, 0.0) + seconds
        if not trial.is_warm:
            # The first steps with a count also pay for its threads and for what they find in no cache.
            self._trial = trial._replace(is_warm=True)
            return
        trial = trial._replace(num_images=trial.num_images + num_images, seconds=trial.seconds + seconds)
        self._trial = trial
        if trial.seconds < _TRIAL_S:
            return
        self._rates[count] = max(trial.num_images / trial.seconds, self._rates.get(count, 0.0))
        if not self._trials and not self._is_second_round and (self._are_close() or self._best() != self._before):
            # A moment's trouble must not decide: the window draws its first pictures, another program starts.
            self._is_second_round = True
            self._trials = [self._other(count), count]
        if self._trials:
            self._start(self._trials.pop(0))
        else:
            self._decide()

    def _are_close(self) -> bool:
        low, high = sorted(self._rates.values())
        return low > _CLEAR * high

    def _best(self) -> int:
        return self._most if self._rates[self._most] > _GAIN * self._rates[1] else 1

    def _decide(self) -> None:
        self._trial = None
        best = self._best()
        worse = self._other(best)
        lost_s = self._costs[worse] * (1 - self._rates[worse] / self._rates[best])
        calm_s = min(2 * self._wait_s, _LONGEST_WAIT_S) if best == self._before else _SHORTEST_WAIT_S
        self._wait_s = max(calm_s, _COST * lost_s)
        self._waited_s = self._slow_s = 0.0
        self._use(best)


@contextmanager
def choosing_threads(plan: RunPlan, num_processes: int) -> Iterator[ThreadChoice | None]:
    """The choice for a run, or None where there is none: the configuration or the environment says how many threads,
    several processes share the machine out among them, or another device computes. Leaves torch's count as it was."""
    before = torch.get_num_threads()
    try:
        if plan.device.type != "cpu" or num_processes > 1:
            yield None
        elif plan.config.threads:
            torch.set_num_threads(plan.config.threads)
            yield None
        else:
            yield None if threads.are_given() else ThreadChoice(before, torch.set_num_threads)
    finally:
        torch.set_num_threads(before)
