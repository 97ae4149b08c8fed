"""What the panel has been given of each layer: a small picture first, its values as soon as they are there."""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.panels.feature_maps.values import Maps, maps_of_atlas, maps_of_output
from explorer.runs import Atlas, Event, FeatureMapsCaptured, LayersOpened, OpenedLayer
from explorer.runs.looks import Pixel
from explorer.runs.observed import ChannelCompared, FieldMeasured
from explorer.session.sources import Source

STALE_AFTER_S = 1.5
"""So long values stand for newer pictures: two captures of about the same moment do not come together."""
_MOST_HEATS = 64
"""Measured values that are kept, for whoever goes back and forth."""


class Taken(NamedTuple):
    """The newest of one node."""

    maps: Maps
    source: Source
    probe: str
    opened: OpenedLayer | None
    """None for a picture."""
    at_s: float


class _Picture(NamedTuple):
    """One that nobody has looked at yet: the canvas asks for many."""

    atlas: Atlas
    source: Source
    probe: str
    at_s: float
    opened: None = None


class Store:
    """The newest of each node that is followed, and what was measured of single values."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._taken: dict[str, Taken | _Picture] = {}
        self._heats: dict[Pixel, FieldMeasured] = {}
        self._moment = ("", -1)
        """Run and step of what came last."""
        self.input: npt.NDArray[np.float32] | None = None
        """What the network was given, `(C, H, W)`."""
        self.compared: ChannelCompared | None = None
        """The newest channel for all probes."""

    def take(
        self, events: Sequence[Event], source: Source, followed: Container[str | None], input_id: str | None
    ) -> tuple[set[str], bool]:
        """Keep what is newest; the nodes that changed, and whether a value was measured.

        Args:
            followed: the nodes that are shown.
            input_id: the network's input.
        """
        fresh: set[str] = set()
        has_heat = False
        now_s = self._clock()
        moment = (source.run_id, -1 if source.step is None else source.step)
        is_other = moment != self._moment if source.is_past else moment[1] < self._moment[1]
        if moment[0] != self._moment[0] or is_other:
            # Another run, or a look back: measured under weights that are not on screen.
            self._heats.clear()
            self.compared = None
        self._moment = moment
        for event in events:
            if isinstance(event, LayersOpened):
                for node_id, opened in event.layers.items():
                    if node_id == input_id:
                        self.input = opened.output
                        fresh.add(node_id)
                    if node_id in followed:
                        self._open(node_id, opened, source, event.probe, now_s)
                        fresh.add(node_id)
            elif isinstance(event, FeatureMapsCaptured):
                for node_id, atlas in event.atlases.items():
                    before = self._taken.get(node_id)
                    if before is None or not self._stands(before, event.probe, source, now_s):
                        self._taken[node_id] = _Picture(atlas, source, event.probe, now_s)
                        fresh.add(node_id)
            elif isinstance(event, ChannelCompared):
                self.compared = event
            elif isinstance(event, FieldMeasured):
                self._heats.pop(event.pixel, None)
                self._heats[event.pixel] = event
                if len(self._heats) > _MOST_HEATS:
                    del self._heats[next(iter(self._heats))]
                has_heat = True
        return fresh, has_heat

    @property
    def node_ids(self) -> tuple[str, ...]:
        """The nodes that something is known of."""
        return tuple(self._taken)

    def of(self, node_id: str | None) -> Taken | None:
        """The newest of a node."""
        found = None if node_id is None else self._taken.get(node_id)
        if node_id is None or not isinstance(found, _Picture):
            return found if isinstance(found, Taken) else None
        taken = Taken(maps_of_atlas(found.atlas), found.source, found.probe, None, found.at_s)
        self._taken[node_id] = taken
        return taken

    def heat(self, pixel: Pixel, probe: str) -> npt.NDArray[np.float32] | None:
        """What was measured of a value on a probe; None where it was not, or on an image of another size."""
        found = self._heats.get(pixel)
        if found is None or found.probe != probe:
            return None
        if self.input is not None and found.heat.shape != self.input.shape[1:]:
            return None
        return found.heat

    def clear(self) -> None:
        """Forget everything."""
        self._taken.clear()
        self._heats.clear()
        self.input = None
        self.compared = None

    def forget(self, node_ids: Iterable[str]) -> None:
        """Forget some nodes, and all that was measured, as an edit makes it wrong."""
        self._heats.clear()
        self.compared = None
        for node_id in node_ids:
            self._taken.pop(node_id, None)

    def _open(self, node_id: str, opened: OpenedLayer, source: Source, probe: str, now_s: float) -> None:
        before = self._taken.get(node_id)
        if not source.run_id and not _is_same(before, opened):
            # Of a network at rest with other weights. During a run the next measurement follows soon, and replaces it.
            self._heats = {pixel: heat for pixel, heat in self._heats.items() if pixel.node_id != node_id}
            if self.compared is not None and self.compared.node_id == node_id:
                self.compared = None
        self._taken[node_id] = Taken(maps_of_output(opened.output), source, probe, opened, now_s)

    @staticmethod
    def _stands(before: Taken | _Picture, probe: str, source: Source, now_s: float) -> bool:
        """Whether values are worth more than a picture that comes after them."""
        if before.opened is None or probe != before.probe or source.run_id != before.source.run_id:
            return False
        if now_s - before.at_s >= STALE_AFTER_S:
            return False
        if source.is_past and source.step != before.source.step:
            return False
        if source.step is None or before.source.step is None:
            return source.text == before.source.text
        return source.step >= before.source.step


def _is_same(before: Taken | _Picture | None, opened: OpenedLayer) -> bool:
    return before is not None and before.opened is not None and np.array_equal(before.opened.output, opened.output)
