"""Which blocks are marked as equal, and which is odd among its siblings. What makes blocks equal is `forms`'s."""

from collections.abc import Mapping
from typing import NamedTuple

from explorer.architecture.architecture import Architecture
from explorer.architecture.forms import Forms
from explorer.architecture.paths import parent


class Likeness(NamedTuple):
    """How a block stands to the others."""

    letter: str
    """The same for all blocks made alike, "A" for the first such group; empty for a block like no other."""
    equals: tuple[str, ...]
    """The blocks made alike, itself among them."""
    is_odd: bool
    """Whether two or more of its siblings of the same kind are alike and it is not one of them."""


def likenesses(architecture: Architecture, forms: Forms | None = None) -> Mapping[str, Likeness]:
    """By path, the blocks that are like others, or odd for not being so; all else is left out.

    Args:
        forms: what is known of a version before, so that an edit costs no more than the blocks that it changes.
    """
    found: dict[str, Likeness] = {}
    for number, paths in enumerate((forms or Forms()).alike(architecture)):
        for path in paths:
            found[path] = Likeness(_letter(number), paths, is_odd=False)
    siblings: dict[tuple[str, str], list[str]] = {}
    for block in architecture.blocks:
        siblings.setdefault((parent(block.path), block.kind), []).append(block.path)
    for paths_of_kind in siblings.values():
        alone = [path for path in paths_of_kind if path not in found]
        # One odd among many is worth a mark; many different ones are just different.
        if alone and 2 <= len(paths_of_kind) - len(alone) >= len(alone):
            found.update({path: Likeness("", (path,), is_odd=True) for path in alone})
    return found


def _letter(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
