"""What differs between two versions, for views that redraw no more than that."""

from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.inference.inference import Inference


class Change(NamedTuple):
    """The difference between two versions, by node id."""

    added: frozenset[str]
    removed: frozenset[str]
    changed: frozenset[str]
    """In both versions, with another layer or other numbers."""
    structure: bool
    """Whether nodes, connections, outputs or blocks differ, so that the layout does."""


def changed(
    old: tuple[Architecture, Inference] | None,
    new: tuple[Architecture, Inference],
) -> Change:
    """What a view has to redraw to get from `old` (None: nothing drawn yet) to `new`; found once for all views."""
    for known in _recent:
        if known.old is old and known.new is new:
            return known.change
    change = _changed(old, new)
    _recent[:] = [_Known(old, new, change)]
    return change


class _Known(NamedTuple):
    old: tuple[Architecture, Inference] | None
    new: tuple[Architecture, Inference]
    change: Change


_recent: list[_Known] = []


def _changed(old: tuple[Architecture, Inference] | None, new: tuple[Architecture, Inference]) -> Change:
    new_architecture, new_inference = new
    if old is None:
        return Change(frozenset(new_inference.nodes), frozenset(), frozenset(), True)
    old_architecture, old_inference = old
    before, after = old_inference.nodes, new_inference.nodes
    differing = after.differing(before)
    if old_architecture.structure is new_architecture.structure:
        return Change(frozenset(), frozenset(), differing, False)
    structure = (
        old_architecture.outputs != new_architecture.outputs
        or old_architecture.blocks != new_architecture.blocks
        or [(n.id, n.inputs) for n in old_architecture.nodes] != [(n.id, n.inputs) for n in new_architecture.nodes]
    )
    return Change(
        frozenset(after.keys() - before.keys()), frozenset(before.keys() - after.keys()), differing, structure
    )
