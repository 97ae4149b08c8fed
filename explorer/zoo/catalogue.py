"""The one dict of networks that the gallery and the command line offer, by id."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from explorer.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A network of the catalogue."""

    id: str
    title: str
    family: str
    year: int
    idea: str
    """One sentence on the idea that it brought, or what sets this form apart."""
    paper: str
    """Authors, year and title, or the document that has this form."""
    build: Callable[[], Architecture]
    has_pretrained: bool = False
    """Whether torchvision ships trained weights for it."""


_ENTRIES: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """List a network.

    Raises:
        ValueError: the id is taken.
    """
    if entry.id in _ENTRIES:
        raise ValueError(f"network {entry.id!r} is registered twice")
    _ENTRIES[entry.id] = entry


def entry(network_id: str) -> Entry:
    """The network of that id.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    try:
        return _ENTRIES[network_id]
    except KeyError:
        near = difflib.get_close_matches(network_id, _ENTRIES, n=3, cutoff=0.5) or sorted(_ENTRIES)
        raise ValueError(f"unknown network {network_id!r}; did you mean {' or '.join(near)}?") from None


def entries() -> tuple[Entry, ...]:
    """All networks, by year; a family's in the order of its file."""
    return tuple(sorted(_ENTRIES.values(), key=lambda entry: entry.year))
