"""Which class of the exported source computes what: blocks as functions of the values that enter and leave them.

A block (a path prefix) can be a class with its own `forward` if what it does can be done in one go. Where values leave
it and come back, it cannot; it is then only a container, `is_open`, and the class around it calls its layers singly.
How all this is written lives in `source`.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from explorer.architecture import Architecture
from explorer.inference import Inference


@dataclass(slots=True, kw_only=True)
class Scope:
    """A block, or with the path "" the whole network."""

    path: str
    depth: int
    children: list[str] = field(default_factory=list)
    """Ids of the layers and paths of the blocks directly inside, in order."""
    values: list[str] = field(default_factory=list)
    """Ids of the nodes inside, at any depth, that are computed."""
    has_modules: bool = False
    """Whether a layer inside, at any depth, is a module; only then does the source hold anything of that name."""
    is_open: bool = False
    """Whether the scope around calls what is inside one by one."""
    inputs: dict[str, None] = field(default_factory=dict)
    """Ids of the values that enter, in the order of their use."""
    outputs: dict[str, None] = field(default_factory=dict)
    """Ids of the values that leave."""
    units: list[str] = field(default_factory=list)
    """What `forward` does, in order: ids of nodes and paths of blocks that are not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A network as nested scopes."""

    scopes: dict[str, Scope]
    """By path."""
    targets: tuple[str, ...]
    """Ids of the values that the network returns; with faults, those that are known and lead up to them."""
    computed: frozenset[str]
    """Ids of the nodes that the targets need."""

    def inner_first(self) -> list[Scope]:
        """All scopes, each after those inside it, otherwise in the network's order."""
        outer_first, waiting = [], [self.scopes[""]]
        while waiting:
            scope = waiting.pop()
            outer_first.append(scope)
            waiting += [self.scopes[path] for path in scope.children if path in self.scopes]
        return outer_first[::-1]


def divide(architecture: Architecture, inference: Inference, modules: Iterable[str]) -> Division:
    """Work out the scopes of a network, as far as it is known.

    Args:
        modules: ids of the nodes that are modules; the others are operators.
    """
    input_id = architecture.input.id
    known = {node_id for node_id, report in inference.nodes.items() if report.output_shape is not None}
    targets = _targets(architecture, known)
    computed = _computed(architecture, targets)

    # The scopes around each node, outermost first, and its own id at the end. The input lies outside all blocks.
    chains: dict[str, list[str]] = {input_id: ["", input_id]}
    root = Scope(path="", depth=0, has_modules=True)
    scopes = {"": root}
    for node in architecture.nodes[1:]:
        chains[node.id] = chain = [""]
        around, end = root, node.id.find(".")
        while end >= 0:
            path = node.id[:end]
            scope = scopes.get(path)
            if scope is None:
                scope = scopes[path] = Scope(path=path, depth=around.depth + 1)
                around.children.append(path)
            chain.append(path)
            around, end = scope, node.id.find(".", end + 1)
        around.children.append(node.id)
        chain.append(node.id)
    for node_id in modules:
        for path in chains[node_id][:-1]:
            scopes[path].has_modules = True
    _find_boundaries(architecture, scopes, chains, targets, computed)
    for scope in scopes.values():
        scope.is_open = not scope.outputs or not scope.has_modules
    root.is_open = False
    division = Division(scopes=scopes, targets=targets, computed=computed)
    sources = {node.id: node.inputs for node in architecture.nodes}
    for scope in division.inner_first():
        scope.units = _ordered_units(scope, scopes, chains, sources)
    return division


def _targets(architecture: Architecture, known: set[str]) -> tuple[str, ...]:
    targets = [node_id for node_id in architecture.outputs if node_id in known]
    if len(known) < len(architecture.nodes):
        for node in architecture.nodes:
            if node.id not in known:
                targets += [source for source in node.inputs if source in known]
    return tuple(dict.fromkeys(targets))


def _computed(architecture: Architecture, targets: tuple[str, ...]) -> frozenset[str]:
    computed, waiting = set(targets), list(targets)
    while waiting:
        for source in architecture[waiting.pop()].inputs:
            if source not in computed:
                computed.add(source)
                waiting.append(source)
    return frozenset(computed)


def _find_boundaries(
    architecture: Architecture,
    scopes: dict[str, Scope],
    chains: dict[str, list[str]],
    targets: tuple[str, ...],
    computed: frozenset[str],
) -> None:
    leaving: dict[str, set[str]] = {}
    for node in architecture.nodes:
        if node.id not in computed:
            continue
        own = chains[node.id][:-1]
        if node.inputs:
            for path in own:
                scopes[path].values.append(node.id)
        for source in node.inputs:
            other = chains[source][:-1]
            shared = 1
            while shared < len(own) and shared < len(other) and own[shared] == other[shared]:
                shared += 1
            for path in own[shared:]:
                scopes[path].inputs[source] = None
            if shared < len(other):
                leaving.setdefault(source, set()).update(other[shared:])
    for node_id in targets:
        leaving.setdefault(node_id, set()).update(chains[node_id][1:-1])
    scopes[""].inputs[architecture.input.id] = None
    scopes[""].outputs.update(dict.fromkeys(targets))
    for node_id in sorted(leaving, key=architecture.structure.index.__getitem__):
        for path in leaving[node_id]:
            scopes[path].outputs[node_id] = None


def _ordered_units(
    scope: Scope, scopes: dict[str, Scope], chains: dict[str, list[str]], sources: dict[str, tuple[str, ...]]
) -> list[str]:
    """The scope's units in an order of calling; blocks that would wait for each other are opened."""
    while True:
        unit_of: dict[str, str] = {}
        order: list[str] = []
        for node_id in scope.values:
            chain, level = chains[node_id], scope.depth + 1
            while (inner := scopes.get(chain[level])) is not None and inner.is_open:
                level += 1
            unit_of[node_id] = unit = chain[level]
            if not order or order[-1] != unit:
                order.append(unit)
        if len(order) == len(set(order)):
            # Each unit's nodes stand together, so their order, which is topological, is the units' too.
            return order
        needs: dict[str, set[str]] = {}
        for node_id, unit in unit_of.items():
            own = needs.setdefault(unit, set())
            for source in sources[node_id]:
                other = unit_of.get(source)
                if other is not None and other != unit:
                    own.add(other)
        order = _sorted_units(needs)
        if len(order) == len(needs):
            return order
        for unit in _between_cycles(needs, order):
            if unit in scopes:
                scopes[unit].is_open = True


def _between_cycles(needs: dict[str, set[str]], order: list[str]) -> set[str]:
    """The units that wait for each other; never only nodes, whose graph has no cycle."""
    waiting = needs.keys() - set(order)
    readers: dict[str, set[str]] = {unit: set() for unit in waiting}
    for unit in waiting:
        for other in needs[unit] & waiting:
            readers[other].add(unit)
    return waiting - set(_sorted_units(readers))


def _sorted_units(needs: dict[str, set[str]]) -> list[str]:
    """Topologically sorted, otherwise as they come; what lies in or behind a cycle is left out."""
    position = {unit: place for place, unit in enumerate(needs)}
    readers: dict[str, list[str]] = {}
    missing = {}
    ready = []
    for unit, needed in needs.items():
        missing[unit] = len(needed)
        if not needed:
            ready.append((position[unit], unit))
        for other in needed:
            readers.setdefault(other, []).append(unit)
    order = []
    while ready:
        _, unit = heapq.heappop(ready)
        order.append(unit)
        for reader in readers.get(unit, ()):
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, (position[reader], reader))
    return order
