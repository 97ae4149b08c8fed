"""What differs between two inferences, found by identity: unchanged reports are the same objects."""

from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.inference.report import Inference


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
    """What a view has to redraw to get from `old` (None: nothing drawn yet) to `new`."""
    new_architecture, new_inference = new
    if old is None:
        return Change(frozenset(new_inference.nodes), frozenset(), frozenset(), True)
    old_architecture, old_inference = old
    before, after = old_inference.nodes, new_inference.nodes
    differing = frozenset(
        node_id for node_id, report in after.items() if before.get(node_id) is not report and node_id in before
    )
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
