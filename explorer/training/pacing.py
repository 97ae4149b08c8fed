"""When to look: how often the curves are reported and how often feature maps may be captured. Pure; time is given."""


class CaptureBudget:
    """Spaces captures so that they take at most a share of the run's time, and no more often than a screen shows them.

    The spacing follows what the last capture cost. The first of all also pays for warming up (memory, kernels), so the
    second one, which measures truly, follows after at most `trial_s`.
    """

    def __init__(self, share: float = 0.03, *, shortest_s: float = 1 / 30, trial_s: float = 0.5) -> None:
        """Start with a capture due at once.

        Args:
            share: part of the run's time, above 0 and at most 1.
            shortest_s: least time from one capture's start to the next one's.
            trial_s: longest wait after the first capture.
        """
        assert 0 < share <= 1, share
        self.share = share
        """May be set anew; holds from the next capture on."""
        self._shortest_s = shortest_s
        self._trial_s = trial_s
        self._due_s: float | None = None

    def is_due(self, now_s: float) -> bool:
        """Whether a capture may start."""
        return self._due_s is None or now_s >= self._due_s

    def spent(self, start_s: float, end_s: float) -> None:
        """Count a capture, whether or not it was due."""
        spacing_s = (end_s - start_s) / self.share
        if self._due_s is None:
            spacing_s = min(spacing_s, self._trial_s)
        self._due_s = start_s + max(spacing_s, self._shortest_s)

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        if self._due_s is not None:
            self._due_s += seconds


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
