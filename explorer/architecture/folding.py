"""Which blocks are folded, and what of a network is shown then: nodes, folded blocks, open blocks, wires between them.

Pure values: how they are drawn is the canvas's business, where they stand `placement`'s. Only declared blocks fold; a
path of ids that nothing declares is part of the block around it.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType

from explorer.architecture import edits
from explorer.architecture.architecture import Architecture
from explorer.architecture.paths import members, parent
from explorer.architecture.placement import Wire, wires

MANY_NODES = 60
"""A network of more nodes opens with its blocks folded."""
_WHOLE = 0.9
"""A block that holds more than this share of the nodes is the network under another name, and folding it shows none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to draw. An item is a node by its id, or a folded block by its path; the two never coincide."""

    items: tuple[str, ...]
    """In the network's order, a block where its first node stands."""
    folded: Mapping[str, tuple[str, ...]]
    """The items that are blocks, each with the ids of all nodes that it stands for, in order."""
    frames: tuple[str, ...]
    """Paths of the open blocks around items, each before those inside it."""
    inside: Mapping[str, str]
    """The innermost open block around each item and frame; those at the top are left out."""
    holders: Mapping[str, str]
    """By node id the item that shows it; without the nodes that are not shown at all."""
    links: Mapping[Wire, tuple[Wire, ...]]
    """What runs between the items, each with the network's connections that it stands for.

    Between two nodes that is the connection itself. All that a block reads from an item, and an item from a block, is
    one link, whose port only tells links apart.
    """
    scope: str
    """The block that is open alone; empty where the whole network is shown."""


def foldable(architecture: Architecture) -> frozenset[str]:
    """The blocks that are worth folding: one of a single node hides nothing, one of nearly all nodes everything."""
    held = members(architecture)
    most = _WHOLE * len(architecture)
    return frozenset(b.path for b in architecture.blocks if 1 < len(held.get(b.path, ())) <= most)


def folded_by_default(architecture: Architecture) -> frozenset[str]:
    """The blocks to fold when a network is first seen: all of a large one, so that opening a stage shows its blocks."""
    return foldable(architecture) if len(architecture) > MANY_NODES else frozenset()


def followed(
    states: Mapping[str, bool], architecture: Architecture, equals: Mapping[str, tuple[str, ...]] | None = None
) -> Mapping[str, bool]:
    """Whether each block is folded, once a network is another: what was seen before keeps its state, also if it left.

    Args:
        states: by path, whether it is folded; empty for a network not seen before.
        equals: by path, the blocks made alike: a new one is folded as the last of them that was seen, its model.
    """
    unseen = [block.path for block in architecture.blocks if block.path not in states]
    if not unseen:
        return states
    default, models = folded_by_default(architecture), equals or {}
    new = {}
    for path in unseen:
        seen = [states[model] for model in models.get(path, ()) if model in states]
        new[path] = seen[-1] if seen else path in default
    return MappingProxyType({**states, **new})


def blocks_around(architecture: Architecture, path: str) -> tuple[str, ...]:
    """The declared blocks that a node or block lies in, the outermost first; without itself."""
    declared = {block.path for block in architecture.blocks}
    found = []
    path = parent(path)
    while path:
        if path in declared:
            found.append(path)
        path = parent(path)
    return tuple(reversed(found))


def shown(architecture: Architecture, folded: AbstractSet[str], scope: str = "") -> Shown:
    """What is to be drawn.

    Args:
        folded: paths of folded blocks; those inside a folded one, or that are no blocks, do not matter.
        scope: a block to show alone, open. What it reads and what reads it stand beside it, folded as far out as goes.
    """
    places = _Places(architecture, folded, scope)
    connections = wires(architecture)
    if scope:
        own = {node.id for node in architecture if places.is_in_scope(node.id)}
        connections = tuple(c for c in connections if c.source in own or c.target in own)
        ends = own.union(*((c.source, c.target) for c in connections))
        beside = {block for node_id in ends if (block := places.of(node_id)[0]) is not None}
        seen = {node.id for node in architecture if node.id in ends or places.of(node.id)[0] in beside}
    else:
        seen = set(architecture.structure.index)
    items: dict[str, list[str]] = {}
    holders: dict[str, str] = {}
    frames: dict[str, None] = {}
    inside: dict[str, str] = {}
    for node in architecture:
        if node.id not in seen:
            continue
        block, around = places.of(node.id)
        item = holders[node.id] = node.id if block is None else block
        if item not in items:
            items[item] = []
            if around:
                inside[item] = around[-1]
                for outer, inner in zip(("", *around), around, strict=False):
                    frames[inner] = None
                    if outer:
                        inside[inner] = outer
        items[item].append(node.id)
    return Shown(
        items=tuple(items),
        folded=MappingProxyType({item: tuple(ids) for item, ids in items.items() if item not in holders}),
        frames=tuple(sorted(frames, key=lambda path: path.count("."))),
        inside=MappingProxyType(inside),
        holders=MappingProxyType(holders),
        links=MappingProxyType(_links(connections, holders)),
        scope=scope,
    )


def moved_beside(architecture: Architecture, node_id: str, item: str) -> Architecture:
    """The network with a new node named as what lies beside an item: in the same block as that."""
    if parent(node_id) == parent(item):
        return architecture
    return edits.rename(architecture, node_id, edits.fresh_id(architecture, architecture[node_id].layer, item))


class _Places:
    """Which folded block holds a node and which open ones lie around it, remembered by the path around the node."""

    def __init__(self, architecture: Architecture, folded: AbstractSet[str], scope: str) -> None:
        self._declared = {block.path for block in architecture.blocks}
        self._folded = folded
        self._scope = scope
        self._known: dict[str, tuple[str | None, tuple[str, ...]]] = {"": (None, ())}

    def is_in_scope(self, path: str) -> bool:
        return path.startswith(f"{self._scope}.") or path == self._scope

    def of(self, node_id: str) -> tuple[str | None, tuple[str, ...]]:
        return self._at(parent(node_id))

    def _at(self, path: str) -> tuple[str | None, tuple[str, ...]]:
        found = self._known.get(path)
        if found is None:
            block, around = self._at(parent(path))
            if block is None and path in self._declared:
                if self._is_folded(path):
                    block = path
                elif not self._scope or self.is_in_scope(path):
                    around = (*around, path)
            found = self._known[path] = (block, around)
        return found

    def _is_folded(self, path: str) -> bool:
        if self._scope:
            holds_scope = f"{self._scope}.".startswith(f"{path}.")
            return not holds_scope and (not self.is_in_scope(path) or path in self._folded)
        return path in self._folded


def _links(connections: Iterable[Wire], holders: Mapping[str, str]) -> dict[Wire, tuple[Wire, ...]]:
    found: dict[Wire, list[Wire]] = {}
    by_ends: dict[tuple[str, str], Wire] = {}
    num_into: dict[str, int] = {}
    for connection in connections:
        source, target = holders[connection.source], holders[connection.target]
        if source == target:
            continue
        if source == connection.source and target == connection.target:
            found[connection] = [connection]
            continue
        link = by_ends.get((source, target))
        if link is None:
            # Into a node, its own port is free; into a block, links are counted.
            port = connection.port if target == connection.target else num_into.get(target, 0)
            num_into[target] = num_into.get(target, 0) + 1
            link = by_ends[source, target] = Wire(source, target, port)
            found[link] = []
        found[link].append(connection)
    return {link: tuple(stands_for) for link, stands_for in found.items()}
