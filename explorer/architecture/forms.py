"""What blocks are made of, as something to compare: equal layers wired alike, whatever they are called.

Which equal blocks are marked, and which is odd among its siblings, is `likeness`'s.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from explorer.architecture.architecture import Architecture, Node
from explorer.architecture.paths import members, parent
from explorer.layers import Layer

_Form = tuple[tuple[int, ...], tuple[int, ...]]
_MOST_NUMBERS = 100_000
"""So many are remembered of layers that edits have made, before all is looked at anew."""


class Forms:
    """The forms of a network's blocks. Of versions that differ in values only, it looks at changed blocks alone."""

    def __init__(self) -> None:
        self._architecture: Architecture | None = None
        self._numbers: dict[int, tuple[int, Layer]] = {}
        """A number for each layer by its identity, the same for equal ones."""
        self._layers: dict[Layer, int] = {}
        self._known: dict[tuple[int, ...], int] = {}
        """The number of each layer with what it reads, over all blocks."""
        self._positions: dict[str, list[int]] = {}
        """Where the nodes of each block stand."""
        self._forms: dict[str, _Form] = {}

    def alike(self, architecture: Architecture) -> tuple[tuple[str, ...], ...]:
        """Paths of blocks made of equal layers wired alike, in groups of at least two, in the network's order.

        Names do not matter, nor the order in which nodes came, nor whether training leaves them alone. Of blocks of
        which one lies in the other, the outer one counts.
        """
        for path in self._stale(architecture):
            self._forms[path] = self._form(architecture, [architecture.nodes[at] for at in self._positions[path]])
        self._architecture = architecture
        found: dict[_Form, list[str]] = {}
        for block in architecture.blocks:
            if block.path in self._forms:
                found.setdefault(self._forms[block.path], []).append(block.path)
        groups = (_outermost(paths) for paths in found.values() if len(paths) > 1)
        return tuple(paths for paths in groups if len(paths) > 1)

    def _stale(self, architecture: Architecture) -> Iterable[str]:
        """The blocks to look at; the others are as they were."""
        before = self._architecture
        if before is None or not _are_alike_but_for_values(architecture, before) or len(self._numbers) > _MOST_NUMBERS:
            self._numbers.clear()
            self._layers.clear()
            self._known.clear()
            self._forms.clear()
            index, held = architecture.structure.index, members(architecture)
            inner = [block.path for block in architecture.blocks if block.path in held]
            # A block with more or fewer layers than all others is like none of them, whatever they are.
            counts = Counter(len(held[path]) for path in inner)
            self._positions = {
                path: [index[node.id] for node in held[path]] for path in inner if counts[len(held[path])] > 1
            }
            return tuple(self._positions)
        pairs = zip(architecture.nodes, before.nodes, strict=True)
        around = chain.from_iterable(_around(new.id) for new, old in pairs if new.layer is not old.layer)
        return tuple(path for path in dict.fromkeys(around) if path in self._positions)

    def _form(self, architecture: Architecture, nodes: list[Node]) -> _Form:
        """Numbers for the nodes of a block, each for a node and all before it; and of them those that leave."""
        consumers, outputs = architecture.structure.consumers, architecture.outputs
        own: dict[str, int] = {}
        outside: dict[str, int] = {}
        ends: list[int] = []
        ids = {node.id for node in nodes}
        for node in nodes:
            key = [self._number(node.layer)]
            for source in node.inputs:
                number = own.get(source)
                # What lies outside is told apart by its turn alone, by negative numbers.
                key.append(outside.setdefault(source, -1 - len(outside)) if number is None else number)
            own[node.id] = number = self._known.setdefault(tuple(key), len(self._known))
            if node.id in outputs or any(reader not in ids for reader in consumers[node.id]):
                ends.append(number)
        return tuple(sorted(own.values())), tuple(sorted(ends))

    def _number(self, layer: Layer) -> int:
        known = self._numbers.get(id(layer))
        if known is None:
            # The layer is kept beside its number, so that no other takes its identity.
            known = self._numbers[id(layer)] = (self._layers.setdefault(layer, len(self._layers)), layer)
        return known[0]


def _are_alike_but_for_values(one: Architecture, other: Architecture) -> bool:
    return one.structure is other.structure and one.blocks == other.blocks and one.outputs == other.outputs


def _outermost(paths: list[str]) -> tuple[str, ...]:
    all_paths = set(paths)
    return tuple(path for path in paths if not any(around in all_paths for around in _around(path)))


def _around(path: str) -> Iterator[str]:
    """The paths around a path, from the innermost on."""
    path = parent(path)
    while path:
        yield path
        path = parent(path)
