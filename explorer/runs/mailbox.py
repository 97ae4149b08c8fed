"""Where a run's events wait until the window fetches them: numbers all, in order; what is observed only while new.

The trainer puts and never waits; the window drains at its own pace. However slow it is, at most one atlas a node
and one observation of a kind wait.
"""

import dataclasses
import itertools
import threading
from typing import Literal

from explorer.runs.events import Event, FeatureMapsCaptured
from explorer.runs.observed import Observed


class Mailbox:
    """A thread-safe queue of events in which a newer atlas of a node takes the place of an older one, and a newer
    observation that of an older one of its kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._events: dict[int, Event] = {}
        # (run_id, node id) -> the number of the waiting event that holds the node's newest atlas.
        self._newest: dict[tuple[str, str], int] = {}
        # (run_id, kind) -> the number of the waiting observation.
        self._observed: dict[tuple[str, type], int] = {}
        self._is_closed = False

    def put(self, event: Event) -> None:
        """Leave an event, from any thread; dropped once the mailbox is closed."""
        with self._lock:
            if self._is_closed:
                return
            number = next(self._numbers)
            if isinstance(event, FeatureMapsCaptured):
                if not event.atlases:
                    return
                self._drop_older(event)
                self._newest.update({(event.run_id, node_id): number for node_id in event.atlases})
            elif isinstance(event, Observed):
                older = self._observed.get((event.run_id, type(event)))
                if older is not None:
                    del self._events[older]
                self._observed[event.run_id, type(event)] = number
            self._events[number] = event

    def drain(self, what: Literal["all", "numbers", "pictures"] = "all") -> list[Event]:
        """Take events, oldest first; each stands where it was put, and pictures never outlast a newer one.

        Args:
            what: pictures are what is seen of the network, statistics included; numbers everything else.
        """
        with self._lock:
            taken, left = [], {}
            for number, event in self._events.items():
                is_picture = isinstance(event, FeatureMapsCaptured | Observed)
                if what == "all" or is_picture == (what == "pictures"):
                    taken.append(event)
                else:
                    left[number] = event
            self._events = left
            if what != "numbers":
                self._newest, self._observed = {}, {}
        return taken

    def close(self) -> None:
        """Drop every later event; those that wait can still be drained."""
        with self._lock:
            self._is_closed = True

    def _drop_older(self, event: FeatureMapsCaptured) -> None:
        # An event keeps the atlases that are still the newest, so each one keeps its own step and probe.
        keys = {(event.run_id, node_id) for node_id in event.atlases}
        for number in {self._newest[key] for key in keys & self._newest.keys()}:
            older = self._events[number]
            assert isinstance(older, FeatureMapsCaptured)
            left = {node_id: atlas for node_id, atlas in older.atlases.items() if node_id not in event.atlases}
            if left:
                self._events[number] = dataclasses.replace(older, atlases=left)
            else:
                del self._events[number]
