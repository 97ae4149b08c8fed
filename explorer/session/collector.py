"""Python's cyclic garbage collector, set for a window: in the window's thread alone, rare, and never over what start-up
has made.

Left to itself the collector runs in whichever thread makes the next object. In a training thread it would take widgets
apart behind the window's back, which Qt does not survive. And an edit makes thousands of small tuples that reference
counting frees again: with Python's default, every 700 of them start a collection, and the larger ones walk over all of
Qt's and torch's wrappers in the middle of a frame.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_YOUNG = 50_000
"""Container objects, net, between collections of the young; an edit of a 500-node network leaves some thousand."""
_OLDER = 20
"""Collections of one age between two of the next."""
_INTERVAL_MS = 250


def settle() -> None:
    """Take all that is there now for permanent; called again after a large import."""
    gc.freeze()


class Collector(QObject):
    """Collects from a timer of its thread, in place of Python. There is one for a program."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what is due."""
        young, middle, old = gc.get_count()
        if young > _YOUNG:
            gc.collect(2 if old > _OLDER else 1 if middle > _OLDER else 0)
