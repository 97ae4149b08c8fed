"""The value that everything reads: a network as nodes in topological order. Edits live in `edits`, files in `files`.

A node's id is its dotted path and the prefix of its weights in the `state_dict`: `layer1.0.conv1` owns
`layer1.0.conv1.weight`. Blocks (a stage, a residual block) are path prefixes with a kind.
"""

import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

from explorer.layers import Input, Layer, Shape

_PART = re.compile(r"[A-Za-z0-9_]+")
_RESERVED = "training"
"""The one attribute of `torch.nn.Module` that a submodule cannot stand in for: torch writes it."""


class ArchitectureError(ValueError):
    """A network that cannot be: a cycle, a wrong number of inputs, a name twice. Its subclasses say where it came from.

    ArchitectureError
    ├── EditRefused             an edit that would make one; see `edits`
    └── ArchitectureFileError   a file that holds one, or is no such file; see `files`
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One layer in its place."""

    id: str
    layer: Layer
    inputs: tuple[str, ...]
    """Ids of the nodes whose outputs arrive, in order."""
    frozen: bool = False
    """Whether training leaves its parameters as they are."""

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A group of nodes: all whose id starts with `path` and a dot."""

    path: str
    kind: str
    """What it is, in the field's words: "stage", "residual block", "Inception"."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Structure:
    """What follows from ids and connections alone; versions that differ in values only share one."""

    index: Mapping[str, int]
    """Position of each node."""
    consumers: Mapping[str, tuple[str, ...]]
    """Ids of the nodes that read each node's output, in order; a node that reads it twice stands twice."""
    sources: tuple[tuple[int, ...], ...]
    """Positions of the nodes that each node reads, in order, by its own position."""
    single: tuple[int, ...]
    """The one position that each node reads; -1 where it reads none or several."""
    unread: frozenset[int]
    """Positions of the nodes whose output no node reads."""


_UNKNOWN = Structure({}, {}, (), (), frozenset())


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Architecture:
    """A network. Never mutated: an edit returns a new one that shares every node it did not touch.

    Raises:
        ArchitectureError: not a network; the message says where and what would fit.
    """

    name: str
    nodes: tuple[Node, ...]
    """In topological order, the input first."""
    outputs: tuple[str, ...]
    """Ids of the nodes whose values the network returns; the first is trained on."""
    blocks: tuple[Block, ...] = ()
    structure: Structure = field(default=_UNKNOWN, compare=False, repr=False)
    """Worked out from the nodes unless an edit that kept it hands it on."""

    def __post_init__(self) -> None:
        if self.structure is _UNKNOWN:
            object.__setattr__(self, "structure", _structure(self.nodes))
        _check_outputs(self)

    def __getitem__(self, node_id: str) -> Node:
        """The node of that id.

        Raises:
            KeyError: no such node.
        """
        return self.nodes[self.structure.index[node_id]]

    def __contains__(self, node_id: object) -> bool:
        return node_id in self.structure.index

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def input(self) -> Node:
        """The one node with an Input layer."""
        return self.nodes[0]

    @property
    def input_shape(self) -> Shape:
        """`(channels, height, width)` of the images that the network takes."""
        layer = self.nodes[0].layer
        assert isinstance(layer, Input)
        return layer.shape

    def consumers(self, node_id: str) -> tuple[str, ...]:
        """Ids of the nodes that read this node's output."""
        return self.structure.consumers[node_id]


class PackedArchitecture(NamedTuple):
    """An architecture as a history keeps it: the structure is worked out again once all others have let it go."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    blocks: tuple[Block, ...]
    whole: "weakref.ref[Architecture]"
    structure: "weakref.ref[Structure]"

    @classmethod
    def pack(cls, architecture: Architecture) -> Self:
        """The same network, lighter."""
        a = architecture
        return cls(a.name, a.nodes, a.outputs, a.blocks, weakref.ref(a), weakref.ref(a.structure))

    def unpack(self) -> Architecture:
        """The architecture; the same object, or one with the same structure, while somebody else holds it."""
        return self.whole() or Architecture(
            name=self.name,
            nodes=self.nodes,
            outputs=self.outputs,
            blocks=self.blocks,
            structure=self.structure() or _UNKNOWN,
        )


def sorted_nodes(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes in topological order, otherwise as they came.

    Raises:
        ArchitectureError: an id twice, an input that is not there, or a cycle.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.id in by_id:
            raise ArchitectureError(f"{node.id} is there twice; ids must differ")
        by_id[node.id] = node
    done: dict[str, Node] = {}
    for root in by_id.values():
        # Depth first with an own stack: a network may be deeper than Python's recursion limit.
        stack: list[tuple[Node, Iterator[str]]] = [(root, iter(root.inputs))]
        entered = {root.id}
        while stack:
            node, remaining = stack[-1]
            for source in remaining:
                if source in done:
                    continue
                if source not in by_id:
                    raise ArchitectureError(f"{node.id} reads {source!r}, which is not there")
                if source in entered:
                    raise ArchitectureError(f"{node.id} and {source} would feed each other; a network has no cycles")
                entered.add(source)
                stack.append((by_id[source], iter(by_id[source].inputs)))
                break
            else:
                done.setdefault(node.id, node)
                entered.discard(node.id)
                stack.pop()
    return tuple(done.values())


def _structure(nodes: tuple[Node, ...]) -> Structure:
    """Checks ids, order and arity, once for all versions that share the result."""
    if not nodes or not isinstance(nodes[0].layer, Input):
        raise ArchitectureError("a network starts with its Input node; none is first")
    index: dict[str, int] = {}
    consumers: dict[str, list[str]] = {}
    for position, node in enumerate(nodes):
        parts = node.id.split(".")
        if _RESERVED in parts:
            raise ArchitectureError(f"{node.id}: torch's modules use the name {_RESERVED!r} themselves; use another")
        if not all(_PART.fullmatch(part) for part in parts):
            raise ArchitectureError(f"{node.id!r} is no id; use letters, digits and _ in parts joined by dots")
        if node.id in index:
            raise ArchitectureError(f"{node.id} is there twice; ids must differ")
        _check_arity(node)
        if position and isinstance(node.layer, Input):
            raise ArchitectureError(f"{node.id} is a second Input; a network has one")
        for source in node.inputs:
            if source not in index:
                where = "comes later" if any(n.id == source for n in nodes) else "is not there"
                raise ArchitectureError(f"{node.id} reads {source!r}, which {where}")
            consumers[source].append(node.id)
        index[node.id] = position
        consumers[node.id] = []
    for node_id in index:
        prefix = node_id.rpartition(".")[0]
        while prefix:
            if prefix in index:
                raise ArchitectureError(f"{prefix} is a layer, so {node_id} cannot lie inside it; rename one")
            prefix = prefix.rpartition(".")[0]
    sources = tuple([tuple([index[source] for source in node.inputs]) for node in nodes])
    return Structure(
        MappingProxyType(index),
        MappingProxyType({node_id: tuple(ids) for node_id, ids in consumers.items()}),
        sources,
        tuple([positions[0] if len(positions) == 1 else -1 for positions in sources]),
        frozenset([position for position, ids in enumerate(consumers.values()) if not ids]),
    )


def _check_arity(node: Node) -> None:
    least, most, count = node.layer.min_inputs, node.layer.max_inputs, len(node.inputs)
    if count < least or (most is not None and count > most):
        wanted = f"at least {least}" if most is None else str(least) if least == most else f"{least} to {most}"
        raise ArchitectureError(f"{node.id}: {node.layer.type_name} takes {wanted} inputs; received {count}")


def _check_outputs(architecture: Architecture) -> None:
    if not architecture.outputs:
        raise ArchitectureError("a network returns at least one output; none is named")
    for node_id in architecture.outputs:
        if node_id not in architecture.structure.index:
            raise ArchitectureError(f"output {node_id!r} is not there")
    if len(set(architecture.outputs)) < len(architecture.outputs):
        raise ArchitectureError(f"outputs {', '.join(architecture.outputs)}: each may be named once")
