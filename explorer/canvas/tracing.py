"""What leads to some nodes, and what follows from them. Pure; how it is lit up is `spotlight`'s."""

from collections.abc import Callable, Iterable
from enum import Flag, auto

from explorer.architecture import Architecture


class Trace(Flag):
    """What of a trace is wanted."""

    NONE = 0
    UPSTREAM = auto()
    DOWNSTREAM = auto()


def traced(architecture: Architecture, node_ids: Iterable[str], wanted: Trace) -> frozenset[str]:
    """The nodes and all that their values come from, or flow to, or both."""
    start = tuple(node_ids)
    found = set(start)
    if Trace.UPSTREAM in wanted:
        found |= _reached(start, lambda node_id: architecture[node_id].inputs)
    if Trace.DOWNSTREAM in wanted:
        found |= _reached(start, architecture.consumers)
    return frozenset(found)


def _reached(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    waiting, found = list(start), set(start)
    while waiting:
        for node_id in step(waiting.pop()):
            if node_id not in found:
                found.add(node_id)
                waiting.append(node_id)
    return found
