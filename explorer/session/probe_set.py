"""The images that the network is looked at with: one to eight, of which one is the current. Every view shares them.

Those of the run's data set follow it: where another data set is offered, its images take the place of the old one's.
Pictures of the user's stay.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from explorer.runs import MOST_PROBES, Probe
from explorer.runs.data_sources import DIGITS
from explorer.session.probes_offer import Origin, ProbeOffer, offer_of_digits

_PICTURE = Origin("picture")


class Awaited(NamedTuple):
    """A test image that is wanted as soon as its data set is at hand."""

    place: int
    data: str
    target: int
    number: int


class ProbeSet(QObject):
    """An ordered set of probes; labels are unique.

    Signals:
        changed(): other probes, or another current one.
        offer_changed(): other test images to choose from.
        fetch_asked(): somebody wants those of `wanted_data`, and waits until they are read.
        fetching(str, float): what is being read for that, and the share done; an empty text once it is.
    """

    changed = Signal()
    offer_changed = Signal()
    fetch_asked = Signal()
    fetching = Signal(str, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._probes: tuple[Probe, ...] = ()
        self._place = 0
        self._origins: dict[str, Origin] = {}
        self._offer: ProbeOffer | None = None
        self._awaited: tuple[Awaited, ...] = ()
        self._awaited_place = 0
        self.wanted_data = DIGITS
        """The run's data set, whose images are offered as soon as they are at hand."""
        self.drawing_size = (28, 28)
        """Height and width of a picture that somebody draws: that of the images that the network gets."""

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

    @property
    def offer(self) -> ProbeOffer | None:
        """The test images to choose from; None until some are known."""
        return self._offer

    @property
    def awaited(self) -> tuple[Awaited, ...]:
        """What comes with a data set that is not at hand yet."""
        return self._awaited

    @property
    def awaited_place(self) -> int:
        """Of the current one once what is awaited has come."""
        return self._awaited_place

    def origin(self, label: str) -> Origin:
        """Where a probe came from."""
        return self._origins.get(label, _PICTURE)

    def put(self, probe: Probe, origin: Origin = _PICTURE) -> None:
        """Take a probe in place of the current one; one whose label is there already becomes the current one."""
        self._origins[probe.label] = origin
        known = self._find(probe.label)
        if known is not None:
            self._set((*self._probes[:known], probe, *self._probes[known + 1 :]), known)
        elif not self._probes:
            self._set((probe,), 0)
        else:
            place = self._place
            self._set((*self._probes[:place], probe, *self._probes[place + 1 :]), place)

    def add(self, probe: Probe, origin: Origin = _PICTURE) -> None:
        """Take one more, which becomes the current one.

        Raises:
            ValueError: there are eight already.
        """
        if self._find(probe.label) is not None:
            self.put(probe, origin)
        elif self.is_full:
            raise ValueError(f"probe images: there are {MOST_PROBES} already; remove one first")
        else:
            self._origins[probe.label] = origin
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

    def set_target(self, place: int, target: int | None) -> None:
        """Say what class of the data set that is offered an image shows; None for unknown."""
        probe = dataclasses.replace(self._probes[place], target=target)
        data = "" if self._offer is None else self._offer.data
        self._origins[probe.label] = self.origin(probe.label)._replace(data=data)
        self._set((*self._probes[:place], probe, *self._probes[place + 1 :]), self._place)

    def restore(self, probes: Sequence[tuple[Probe, Origin]], place: int = 0, awaited: Sequence[Awaited] = ()) -> None:
        """Take those of the last time, all at once; what is awaited comes when its data set is offered."""
        self._origins = {probe.label: origin for probe, origin in probes}
        self._awaited, self._awaited_place = tuple(awaited), place
        if probes:
            self._set(tuple(probe for probe, _ in probes), min(place, len(probes) - 1))
        if self._offer is not None and any(one.data == self._offer.data for one in awaited):
            self.take_offer(self._offer)

    # Test images to choose from

    def ensure(self) -> None:
        """Have an image at least: of what is offered, else an embedded digit.

        Raises:
            OSError, ValueError, KeyError: the digits cannot be read.
        """
        if self._offer is None:
            self._offer = offer_of_digits()
            self.offer_changed.emit()
        if not self._probes:
            first = next(iter(self._offer.by_class.values()))[0]
            self.put(first, self._offer.origin(first))

    def take_offer(self, offer: ProbeOffer) -> None:
        """Offer these; probes of another data set give way to images of this one."""
        before, self._offer = self._offer, offer
        same_names = before is not None and before.class_names == offer.class_names
        kept = [(probe, self.origin(probe.label)) for probe in self._probes]
        wanted = sorted(one for one in self._awaited if one.data == offer.data)
        if wanted:
            kept = [(probe, origin) for probe, origin in kept if origin.kind != "data"]
            self._awaited = ()
        taken: list[tuple[Probe, Origin]] = []
        labels = list(offer.by_class)
        for place, (probe, origin) in enumerate(kept):
            if origin.kind != "data":
                is_strange = probe.target is not None and origin.data != offer.data and not same_names
                taken.append((dataclasses.replace(probe, target=None) if is_strange else probe, origin))
                continue
            is_known = probe.target is not None and (origin.data == offer.data or same_names)
            label = probe.target if is_known and probe.target is not None else labels[place % len(labels)]
            found = offer.find(label, origin.number if is_known else place // len(labels))
            if found is not None:
                taken.append((found, offer.origin(found)))
        for one in wanted:
            found = offer.find(one.target, one.number)
            if found is not None:
                taken.insert(min(one.place, len(taken)), (found, offer.origin(found)))
        unique = list({probe.label: (probe, origin) for probe, origin in taken}.values())[:MOST_PROBES]
        self._origins = {probe.label: origin for probe, origin in unique}
        probes = tuple(probe for probe, _ in unique)
        self.offer_changed.emit()
        place = self._awaited_place if wanted else self._place
        if not probes and self._probes:
            probes = (next(iter(offer.by_class.values()))[0],)
            self._origins[probes[0].label] = offer.origin(probes[0])
        if [id(probe) for probe in probes] != [id(probe) for probe in self._probes]:
            self._set(probes, min(place, max(0, len(probes) - 1)))

    def _find(self, label: str) -> int | None:
        return next((place for place, probe in enumerate(self._probes) if probe.label == label), None)

    def _set(self, probes: tuple[Probe, ...], place: int) -> None:
        self._probes, self._place = probes, place
        self._origins = {probe.label: self.origin(probe.label) for probe in probes}
        self.changed.emit()
