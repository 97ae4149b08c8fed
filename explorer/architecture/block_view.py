"""What some nodes are as a block: which block they are all of, what lies in it, and where it differs from another.

That blocks are equal, or one is odd, is `likeness`'s to say.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import NamedTuple

from explorer.architecture.architecture import Architecture, Block, Node
from explorer.architecture.paths import inside, parent


class Difference(NamedTuple):
    """A layer of one block or of another that the two do not share."""

    name: str
    """Inside the block."""
    own: Node | None
    """None where the block has no such layer."""
    other: Node | None
    """The same of the other block."""


def block_of(architecture: Architecture, node_ids: Iterable[str]) -> Block | None:
    """The outermost block that these nodes are all of; None where they are no block."""
    ids = tuple(node_ids)
    if not ids:
        return None
    # The first and the last in the alphabet share what all share.
    ends = [end.split(".")[:-1] for end in (min(ids), max(ids))]
    path = [part for part, _same in takewhile(lambda pair: pair[0] == pair[1], zip(*ends, strict=False))]
    blocks = {block.path: block for block in architecture.blocks}
    found = None
    around = ".".join(path)
    while around:
        if around in blocks and sum(node.id.startswith(f"{around}.") for node in architecture) == len(ids):
            found = blocks[around]
        around = parent(around)
    return found


def parts(architecture: Architecture, path: str) -> tuple[int, str] | None:
    """How many blocks of one kind lie directly in a block, if two or more do: (6, "bottleneck")."""
    kinds: dict[str, int] = {}
    for block in architecture.blocks:
        if parent(block.path) == path:
            kinds[block.kind] = kinds.get(block.kind, 0) + 1
    kind, count = max(kinds.items(), key=lambda item: item[1], default=("", 0))
    return (count, kind) if count > 1 else None


def differences(architecture: Architecture, path: str, other: str) -> tuple[Difference, ...]:
    """The layers that two blocks do not share, by their names inside: in the block's order, then what it lacks.

    A layer of both differs where its values do, or where it reads other layers of its block.

    Raises:
        EditRefused: no such block.
    """
    own, theirs = _by_name(architecture, path), _by_name(architecture, other)
    found = []
    for name, node in own.items():
        twin = theirs.get(name)
        if twin is None or node.layer != twin.layer or _reads(node, path) != _reads(twin, other):
            found.append(Difference(name, node, twin))
    return (*found, *(Difference(name, None, node) for name, node in theirs.items() if name not in own))


def _by_name(architecture: Architecture, path: str) -> Mapping[str, Node]:
    return {node.id[len(path) + 1 :]: node for node in inside(architecture, path)}


def _reads(node: Node, path: str) -> tuple[str, ...]:
    """What a node reads, by the names inside its block; what lies outside is all one."""
    return tuple(source.removeprefix(f"{path}.") if source.startswith(f"{path}.") else "" for source in node.inputs)
