"""Loading torch and what is built on it, once, whichever of the window's threads comes first.

Python locks each module while it is imported. Two threads that enter the same packages by different modules may so wait
for each other, which ends in an ImportError in one of them; here all of them enter one by one, by the same door.
"""

import threading

from explorer.runtime import threads

_lock = threading.Lock()


def load() -> None:
    """Import what the functions of the engines import, which they do afterwards by name. Call it first in each."""
    threads.prepare()
    with _lock:
        import explorer.runtime.observer
        import explorer.training.recorded  # noqa: F401
