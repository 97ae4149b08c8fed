"""What looking at a run takes of its time: captures between its steps, and showing what arrives in the window.

`painting` keeps the window within its limits, `training.observation` and `training.moments` keep the captures; this
only counts what all of them took. Pure; times are given.
"""

from collections import deque
from typing import NamedTuple

from explorer.session.painting import CPU_SHARES, DEVICE_SHARES

_WINDOW_S = 10.0
_INTERVAL_S = 1.0


class ViewsCost(NamedTuple):
    """Shares of a run's time, or seconds."""

    captures: float
    """In the thread that trains, what is kept for looking back included."""
    painting: float
    """Of pictures, in the window's thread."""
    numbers: float
    """And of numbers and curves."""


class ViewsLimits(NamedTuple):
    """Shares of a run's time that each part may take."""

    captures: float
    moments: float
    """What is kept for looking back, on top of the other captures."""
    painting: float
    numbers: float


CPU_LIMITS = ViewsLimits(captures=0.03, moments=0.015, painting=CPU_SHARES.pictures, numbers=CPU_SHARES.numbers)
"""The first two are those of `training`, which imports torch."""
DEVICE_LIMITS = ViewsLimits(
    captures=0.015, moments=0.01, painting=DEVICE_SHARES.pictures, numbers=DEVICE_SHARES.numbers
)


class CostMeter:
    """Measures one run; times in which it stands still count for nothing."""

    def __init__(self) -> None:
        self._told_s: float | None = None
        self._spent = ViewsCost(0.0, 0.0, 0.0)
        self._run_s = 0.0
        self._in_run = ViewsCost(0.0, 0.0, 0.0)
        self._marks = deque([(self._run_s, self._in_run)])
        """Seconds of the run and what was spent in them, one mark a second."""
        self.cost: ViewsCost | None = None
        """Shares of the last ten seconds of the run, once a second another; None in its first second."""

    def is_due(self, now_s: float) -> bool:
        """Whether to say how things stand, as `cost` may be another then; told more often it is the same.

        A change between running and standing still is to be told besides.
        """
        if self._told_s is None:
            return True
        return self._run_s + (now_s - self._told_s) - self._marks[-1][0] >= _INTERVAL_S

    def tell(self, now_s: float, spent: ViewsCost, *, was_running: bool) -> None:
        """Say how things stand.

        Args:
            now_s: a clock's time.
            spent: seconds so far, from any beginning on.
            was_running: whether the run went on since the last call.
        """
        if was_running and self._told_s is not None:
            self._run_s += now_s - self._told_s
            more = (now - then for now, then in zip(spent, self._spent, strict=True))
            self._in_run = ViewsCost(*(part + extra for part, extra in zip(self._in_run, more, strict=True)))
        self._told_s, self._spent = now_s, spent
        if self._run_s - self._marks[-1][0] < _INTERVAL_S:
            return
        while len(self._marks) > 1 and self._run_s - self._marks[1][0] >= _WINDOW_S:
            self._marks.popleft()
        first_s, first = self._marks[0]
        seconds = self._run_s - first_s
        self.cost = ViewsCost(*((now - then) / seconds for now, then in zip(self._in_run, first, strict=True)))
        self._marks.append((self._run_s, self._in_run))
