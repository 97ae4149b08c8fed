"""When to look: how often the curves are reported and how often feature maps may be captured. Pure; time is given."""

import math


class CaptureBudget:
    """Spaces captures so that they take at most a share of the run's time, and no more often than a screen shows them.

    What a capture cost is owed, and paid off by the run's time at the share; the next one is due when nothing is owed.
    One that somebody waits for may come before: up to `OVERDRAFT_S` of the run's time, or `OVERDRAFT_CAPTURES` as long
    as the last one, may be owed, so that the first clicks are answered at once whatever they cost, and over a long time
    the share is kept. The first capture of all also pays for warming up (memory, kernels), so the second one, which
    measures truly, follows after at most `trial_s`.
    """

    OVERDRAFT_S = 1.0
    OVERDRAFT_CAPTURES = 2

    def __init__(self, share: float = 0.03, *, shortest_s: float = 1 / 30, trial_s: float = 0.5) -> None:
        """Start with a capture due at once.

        Args:
            share: part of the run's time, above 0 and at most 1.
            shortest_s: least time from one capture's start to the next one's.
            trial_s: longest wait after the first capture.
        """
        assert 0 < share <= 1, share
        self._share = share
        self._shortest_s = shortest_s
        self._trial_s = trial_s
        self._last_s = 0.0
        """What the last capture cost."""
        self._is_new = True
        self._paid_at_s = self._shown_until_s = -math.inf
        """When nothing is owed any more, and when a screen has shown the last one."""

    def set_share(self, share: float, now_s: float) -> None:
        """Have another share from now on, also for what is owed."""
        if self.owes(now_s):
            self._paid_at_s = now_s + (self._paid_at_s - now_s) * self._share / share
        self._share = share

    def owes(self, now_s: float) -> bool:
        """Whether captures were made that are not paid off yet."""
        return now_s < self._paid_at_s

    def is_due(self, now_s: float) -> bool:
        """Whether a capture may start."""
        return now_s >= max(self._paid_at_s, self._shown_until_s)

    def may_overdraw(self, now_s: float) -> bool:
        """Whether a capture that somebody waits for may start."""
        most_s = max(self.OVERDRAFT_S, self.OVERDRAFT_CAPTURES * self._last_s / self._share)
        return self._paid_at_s - now_s <= most_s

    def spent(self, start_s: float, end_s: float) -> None:
        """Count a capture, whether or not it was due."""
        self._last_s = end_s - start_s
        spacing_s = self._last_s / self._share
        if self._is_new:
            spacing_s = min(spacing_s, self._trial_s)
            self._is_new = False
        self._paid_at_s = max(self._paid_at_s, start_s) + spacing_s
        self._shown_until_s = start_s + self._shortest_s

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        self._paid_at_s += seconds
        self._shown_until_s += seconds


class ReportPacing:
    """How many steps to take before the next look at their measurements, which waits for the device.

    The count follows the measured speed, so that reports come about every `interval_s` and a slow network's device is
    never steps behind.
    """

    def __init__(self, interval_s: float = 0.04) -> None:
        """Start with a report after the first step."""
        self._interval_s = interval_s
        self.num_steps = 1
        """Steps until the next report."""

    def reported(self, num_steps: int, seconds: float) -> None:
        """Tell how long the steps since the last report took; at most doubles the count."""
        if num_steps:
            fitting = int(self._interval_s * num_steps / max(seconds, 1e-9))
            self.num_steps = max(1, min(fitting, 2 * self.num_steps))


class Pace:
    """Seconds a step over about the last `window_s`: the further back a step lies, the less it counts."""

    def __init__(self, window_s: float = 20.0) -> None:
        self._window_s = window_s
        self._steps = self._seconds = 0.0

    def add(self, num_steps: int, seconds: float) -> None:
        """Count steps that took so long together."""
        kept = math.exp(-seconds / self._window_s)
        self._steps = kept * self._steps + num_steps
        self._seconds = kept * self._seconds + seconds

    @property
    def step_s(self) -> float:
        """Of at least one step."""
        return self._seconds / self._steps


class Speed:
    """Images a second over about the last `window_s`, and over everything."""

    def __init__(self, window_s: float = 1.0) -> None:
        self._window_s = window_s
        self._recent: list[tuple[int, float]] = []
        self.num_images = 0
        self.seconds = 0.0

    def add(self, num_images: int, seconds: float) -> None:
        """Count images that took so long."""
        self.num_images += num_images
        self.seconds += seconds
        self._recent.append((num_images, seconds))
        while len(self._recent) > 1 and sum(s for _, s in self._recent[1:]) >= self._window_s:
            del self._recent[0]

    @property
    def recent(self) -> float:
        seconds = sum(s for _, s in self._recent)
        return sum(n for n, _ in self._recent) / seconds if seconds else 0.0

    @property
    def overall(self) -> float:
        return self.num_images / self.seconds if self.seconds else 0.0
