"""What the pages of two compared moments have in common: the words that belong to them, and numbers in words."""

from typing import NamedTuple

from explorer.look import numbers


class PairWords(NamedTuple):
    """What is said of a comparison."""

    facts: tuple[str, str, str] = ("", "", "")
    """Below the titles: of the pinned moment, of the other, and of what changed between."""
    note: str = ""
    """Beside the choice of what is compared: what both are of, or why there is nothing."""


def value(number: float) -> str:
    """A number in three digits."""
    return f"{number:.3g}".replace("-", numbers.MINUS)


def change(number: float) -> str:
    """The same with its sign; nothing is "0"."""
    return numbers.signed(number, f"{abs(number):.3g}") if number else "0"


def points(share: float, digits: int = 1) -> str:
    """A change of a share as percentage points with their sign, without the word."""
    return numbers.signed(share, f"{abs(100 * share):.{digits}f}")
