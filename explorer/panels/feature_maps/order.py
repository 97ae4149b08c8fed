"""The order of a layer's channels while it learns: what they are compared with, and when they may change places."""

import math
import time

import numpy as np
import numpy.typing as npt

from explorer.panels.feature_maps.taken import Taken
from explorer.panels.feature_maps.values import Reference, References, ordered

_SORT_AFTER_S = 1.5
"""Channels that move several times a second cannot be looked at."""


class ChannelOrder:
    """Remembers what a layer's maps were at first and before."""

    def __init__(self) -> None:
        self._references = References()
        self._order: npt.NDArray[np.intp] = np.arange(0)
        self._ordered_for: tuple[object, ...] = ()
        self._ordered_s = -math.inf

    def clear(self) -> None:
        """Forget all maps."""
        self._references.clear()

    def reference(self, node_id: str, taken: Taken) -> Reference | None:
        """What a layer's maps are compared with."""
        return self._references.of((node_id, taken.probe))

    def take(self, node_id: str, taken: Taken, order: str, *, is_held: bool) -> npt.NDArray[np.intp]:
        """The channels in order; while a run goes on they do not change places all the time.

        Args:
            node_id: the layer.
            taken: its maps.
            order: the kind of order.
            is_held: somebody points at a channel, which has to stay where it is.
        """
        key = (node_id, taken.probe)
        self._references.take(key, taken.maps.values, taken.source.text, taken.source.run_id)
        asked = (*key, order, taken.maps.values.shape)
        now_s = time.monotonic()
        if asked == self._ordered_for and (order == "index" or is_held or now_s - self._ordered_s < _SORT_AFTER_S):
            return self._order
        known = self._references.of(key)
        before = None if known is None else known.first if order == "first" else known.last
        self._order = ordered(taken.maps, order, before)
        self._ordered_for, self._ordered_s = asked, now_s
        return self._order
