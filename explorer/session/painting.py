"""When the window may show what a run has sent: as often as a screen shows it, within a share of the run's time.

Training and painting share the processor, and Python's lock besides. What the window's thread spent since it last took
events, on painting them and on everything else, says how long it now leaves the run alone. Pure; time is given.
"""

SHORTEST_S = 1 / 30
LONGEST_S = 1.0
CPU_SHARE = 0.05
"""Of a run on the CPU, which loses what the window takes."""
DEVICE_SHARE = 0.25
"""Of a run on another device, which only waits for its next orders."""


class PaintingBudget:
    """Spaces updates of the window so that its thread is busy for at most a share of the time between them."""

    def __init__(self, share: float = CPU_SHARE) -> None:
        """Start with an update due at once.

        Args:
            share: part of the time, above 0 and at most 1.
        """
        assert 0 < share <= 1, share
        self.share = share
        self._shown_s: float | None = None
        self._busy_s = 0.0

    def is_due(self, now_s: float, busy_s: float) -> bool:
        """Whether to show what there is.

        Args:
            now_s: a clock's time.
            busy_s: time that the window's thread has been busy for, ever.
        """
        if self._shown_s is None:
            return True
        waited_s, spent_s = now_s - self._shown_s, busy_s - self._busy_s
        # Somebody who pans a large network keeps the thread busy, and still wants to see the run go on.
        return waited_s >= min(LONGEST_S, max(SHORTEST_S, spent_s / self.share))

    def shown(self, now_s: float, busy_s: float) -> None:
        """Tell that an update begins; see `is_due` for the times."""
        self._shown_s, self._busy_s = now_s, busy_s

    def hurry(self) -> None:
        """Let the next update come at once: somebody pressed a button and looks for the answer."""
        self._shown_s = None
