"""How far a download is, in words. No Qt."""

import time
from collections.abc import Callable

from explorer.look.numbers import duration, short_bytes

_SETTLED_S = 0.5
"""So long a download takes before its speed says something of the time left."""
_INTERVAL_S = 0.1


def transfer_text(done: int, total: int, elapsed_s: float) -> str:
    """ "12.3 MB of 30.9 MB · 00:12 left".

    Args:
        done: bytes that are there.
        total: bytes that will be; 0 where that is not known.
        elapsed_s: since the first of them, in seconds.
    """
    parts = [f"{short_bytes(done)} of {short_bytes(total)}" if total else short_bytes(done)]
    if 0 < done < total and elapsed_s >= _SETTLED_S:
        parts.append(f"{duration(elapsed_s * (total - done) / done)} left")
    return " · ".join(parts)


def said(
    say: Callable[[str, float], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str, int, int], None]:
    """What a download reports in bytes, said as text and share; ten times a second at most.

    Each thing that is done after another starts the time anew; one without a name is said in numbers alone.
    """
    doing: str | None = None
    started, first, last = 0.0, 0, 0.0

    def report(text: str, done: int, total: int) -> None:
        nonlocal doing, started, first, last
        now = clock()
        if text != doing:
            # What lay there from an earlier try says nothing of the speed.
            doing, started, first, last = text, now, done, now - 2 * _INTERVAL_S
        if now - last < _INTERVAL_S and done != total:
            return
        last = now
        arrived = done - first
        elapsed = (now - started) * (done / arrived if arrived else 0)
        words = transfer_text(done, total, elapsed)
        say(f"{text}: {words}" if text else words, min(1.0, done / total) if total else 0.0)

    return report
