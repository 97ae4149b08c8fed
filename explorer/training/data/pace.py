"""How far a long reading is and how long it will take, in words; a few times a second at most."""

import time
from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Receives what is being done, and the share done."""

_SETTLED_S = 1.0
"""So long it goes before its speed says something of the time left."""
_INTERVAL_S = 0.1
_SHORT_S = 10


class Pace:
    """Reports pieces of one work: "Decoding 1,234 of 20,000 images, about 40 s left"."""

    def __init__(self, form: str, total: int, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin.

        Args:
            form: with `{done}` and `{total}`.
            total: pieces of the work.
            progress: receives the text and the share.
            clock: in seconds.
        """
        self._form = form
        self._total = total
        self._progress = progress
        self._clock = clock
        self._start_s = clock()
        self._said_s = self._start_s - 2 * _INTERVAL_S

    def done(self, count: int) -> None:
        """Say that so many pieces are done, unless something was said just now."""
        now = self._clock()
        if now - self._said_s < _INTERVAL_S:
            return
        self._said_s = now
        text = self._form.format(done=f"{count:,}", total=f"{self._total:,}")
        elapsed = now - self._start_s
        if elapsed >= _SETTLED_S and 0 < count < self._total:
            text += f", about {rough(elapsed * (self._total - count) / count)} left"
        self._progress(text, count / self._total if self._total else 1.0)


def rough(seconds: float) -> str:
    """A time as one says it, so that it does not tremble while it is counted down: "7 s", "40 s", "3 min", "2 h"."""
    if seconds < _SHORT_S:
        return f"{max(1, round(seconds))} s"
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 100:
        return f"{minutes} min"
    return f"{round(seconds / 3600)} h"
