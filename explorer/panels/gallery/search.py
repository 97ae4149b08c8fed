"""Which networks of the catalogue a search and the filters leave, and how well each fits. No widgets.

The fields that ask for them are `filters`' and `panel`'s.
"""

import re
from typing import NamedTuple

from explorer.zoo import Entry

DESCRIBED = 4
"""From this rank on, it is what is said about a network that fits, and not its name."""


class Band(NamedTuple):
    """Numbers above `low`, up to and with `high`; without a bound where None."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float | None) -> bool:
        """Whether a number lies in it; one that is not known yet lies in the unbounded band only."""
        if self == Band():
            return True
        if value is None:
            return False
        return (self.low is None or value > self.low) and (self.high is None or value <= self.high)


class Facts(NamedTuple):
    """What a network comes to by default."""

    num_parameters: int
    macs: int
    """Multiply-accumulates of one image."""


class Wanted(NamedTuple):
    """What is asked for."""

    text: str = ""
    years: Band = Band()
    parameters: Band = Band()
    macs: Band = Band()

    @property
    def is_filtered(self) -> bool:
        """Whether more is asked for than a text."""
        return self[1:] != Wanted()[1:]

    def rank(self, entry: Entry, facts: Facts | None) -> int | None:
        """How well a network fits, 0 best; None where it does not. Without `facts`, no size and no cost is known."""
        fits = (
            self.years.holds(entry.year)
            and self.parameters.holds(None if facts is None else facts.num_parameters)
            and self.macs.holds(None if facts is None else facts.macs)
        )
        return rank(entry, self.text) if fits else None


def rank(entry: Entry, text: str) -> int | None:
    """How well all words of a search fit a network: as well as the one that fits worst; None where one does not.

    By the whole name, its beginning, the beginning of a part, any place in it, the year, and last by idea or paper.
    """
    ranks = [_rank(entry, word) for word in text.casefold().split()]
    if any(found is None for found in ranks):
        return None
    return max((found for found in ranks if found is not None), default=0)


def _rank(entry: Entry, word: str) -> int | None:
    names = [name.casefold() for name in (entry.id, entry.title, entry.family)]
    parts = [part for name in names for part in re.split(r"[^\w.]+", name)]
    fits = (
        word in names,
        any(name.startswith(word) for name in names),
        any(part.startswith(word) for part in parts),
        any(word in name for name in names) or word == str(entry.year),
        any(part.startswith(word) for part in re.split(r"[^\w.]+", entry.idea.casefold())),
        word in f"{entry.year} {entry.idea} {entry.paper}".casefold(),
    )
    return next((place for place, fit in enumerate(fits) if fit), None)
