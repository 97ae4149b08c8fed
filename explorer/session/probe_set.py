"""The images that the network is looked at with: one to eight, of which one is the current. Every view shares them."""

from PySide6.QtCore import QObject, Signal

from explorer.runs import MOST_PROBES, Probe


class ProbeSet(QObject):
    """An ordered set of probes; labels are unique.

    Signals:
        changed(): other probes, or another current one.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._probes: tuple[Probe, ...] = ()
        self._place = 0

    @property
    def probes(self) -> tuple[Probe, ...]:
        """In order; empty until the first is known."""
        return self._probes

    @property
    def place(self) -> int:
        """Of the current one among `probes`; 0 where there is none."""
        return self._place

    @property
    def current(self) -> Probe | None:
        """What maps are shown for."""
        return self._probes[self._place] if self._probes else None

    @property
    def is_full(self) -> bool:
        return len(self._probes) >= MOST_PROBES

    def put(self, probe: Probe) -> None:
        """Take a probe in place of the current one; one whose label is there already becomes the current one."""
        known = self._find(probe.label)
        if known is not None:
            self._set((*self._probes[:known], probe, *self._probes[known + 1 :]), known)
        elif not self._probes:
            self._set((probe,), 0)
        else:
            place = self._place
            self._set((*self._probes[:place], probe, *self._probes[place + 1 :]), place)

    def add(self, probe: Probe) -> None:
        """Take one more, which becomes the current one.

        Raises:
            ValueError: there are eight already.
        """
        if self._find(probe.label) is not None:
            self.put(probe)
        elif self.is_full:
            raise ValueError(f"probe images: there are {MOST_PROBES} already; remove one first")
        else:
            self._set((*self._probes, probe), len(self._probes))

    def remove(self, place: int) -> None:
        """Take one out; the last one stays."""
        if len(self._probes) > 1 and 0 <= place < len(self._probes):
            left = (*self._probes[:place], *self._probes[place + 1 :])
            self._set(left, min(self._place - (place < self._place), len(left) - 1))

    def choose(self, place: int) -> None:
        """Make another one the current one.

        Raises:
            IndexError: there is none at that place.
        """
        if not 0 <= place < len(self._probes):
            raise IndexError(f"probe {place} of {len(self._probes)}")
        if place != self._place:
            self._set(self._probes, place)

    def _find(self, label: str) -> int | None:
        return next((place for place, probe in enumerate(self._probes) if probe.label == label), None)

    def _set(self, probes: tuple[Probe, ...], place: int) -> None:
        self._probes, self._place = probes, place
        self.changed.emit()
