"""When the window may show what a run has sent: as often as a screen shows it, within a share of the run's time.

Training and painting share the processor, and Python's lock besides. What the window's thread spends on showing
something says how long it then leaves the run alone. Numbers cost little and come often; pictures have a budget of
their own, so that many of them on screen do not hold the curves back. Pure; time is given.
"""

from typing import NamedTuple

SHORTEST_S = 1 / 30
UNSEEN_S = 0.5
"""Between two updates of numbers that are not on screen; what else follows from them can wait as long."""
LONGEST_S = 3.0


class Shares(NamedTuple):
    """Of a run's time that showing may take."""

    numbers: float
    pictures: float


CPU_SHARES = Shares(numbers=0.013, pictures=0.017)
"""Of a run on the CPU, which loses what the window takes."""
DEVICE_SHARES = Shares(numbers=0.1, pictures=0.15)
"""Of a run on another device, which only waits for its next orders."""


class PaintingBudget:
    """Spaces updates of one kind so that showing them takes at most a share of the time between them."""

    def __init__(self, share: float) -> None:
        """Start with an update due at once.

        Args:
            share: part of the time, above 0 and at most 1.
        """
        assert 0 < share <= 1, share
        self.share = share
        self.shortest_s = SHORTEST_S
        """Between two updates, however little they take."""
        self.total_s = 0.0
        """All that was ever told to take."""
        self._shown_s: float | None = None
        self._spent_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether to show what there is, at a clock's time."""
        if self._shown_s is None:
            return True
        # However long it takes: whoever opens everything at once still wants to see the run go on.
        return now_s - self._shown_s >= min(LONGEST_S, max(self.shortest_s, self._spent_s / self.share))

    def shown(self, now_s: float) -> None:
        """Tell that an update begins."""
        self._shown_s, self._spent_s = now_s, 0.0

    def spent(self, seconds: float) -> None:
        """Tell that the update took so much of the thread's time, on top of what was told before."""
        self._spent_s += seconds
        self.total_s += seconds

    def hurry(self) -> None:
        """Let the next update come at once: somebody pressed a button and looks for the answer."""
        self._shown_s = None
