"""Copy and paste: some nodes with the wires between them as plain data, and put behind a node under names of their own.

A fragment knows nothing of the network that it came from but the names of what it read there, so that it may be pasted
into another. Blocks that the palette offers are fragments too (`explorer.zoo.blocks`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.architecture import files
from explorer.architecture.architecture import Architecture, Block, Node
from explorer.architecture.edits import EditRefused
from explorer.architecture.paths import (
    free_path,
    inside,
    joined,
    members,
    name_of,
    parent,
    ports,
    remade,
    taken_paths,
)
from explorer.layers import Identity, Input

_OUTSIDE = "outside"
"""The path of the stand-ins for what a fragment reads, in its plain form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Nodes that were copied, in order."""

    nodes: tuple[Node, ...]
    """Their ids are relative to where they stood; an input that no node here has is one of `sources`."""
    blocks: tuple[Block, ...]
    sources: tuple[str, ...]
    """What the nodes read outside, by the full ids of then with a dot before them; the first is where a paste goes."""
    exits: tuple[str, ...]
    """Ids of the nodes that were read outside."""


def copied(architecture: Architecture, node_ids: Iterable[str]) -> Fragment:
    """The fragment of some nodes. Blocks that they are all of come along; training is free to change the copies.

    Raises:
        EditRefused: none, the input node, or one that is not there.
    """
    wanted = set(node_ids)
    for node_id in wanted:
        if node_id not in architecture:
            raise EditRefused(f"{node_id!r} is not in {architecture.name}")
    nodes = tuple(node for node in architecture if node.id in wanted)
    if not nodes:
        raise EditRefused("nothing is selected; select the layers to copy")
    if isinstance(nodes[0].layer, Input):
        raise EditRefused(f"{nodes[0].id} is the network's input; a network has one, so it is not copied")
    held = members(architecture)
    paths = [block.path for block in architecture.blocks if block.path in held]
    whole = [path for path in paths if all(node.id in wanted for node in held[path])]
    outermost = [
        min((path for path in whole if node.id.startswith(f"{path}.")), key=len, default=node.id) for node in nodes
    ]
    return _fragment(architecture, nodes, _common(parent(path) for path in outermost), whole)


def copied_block(architecture: Architecture, path: str) -> Fragment:
    """The fragment of a block, under its own name.

    Raises:
        EditRefused: no such block.
    """
    nodes = inside(architecture, path)
    paths = [block.path for block in architecture.blocks if f"{block.path}.".startswith(f"{path}.")]
    return _fragment(architecture, nodes, parent(path), paths)


def _fragment(architecture: Architecture, nodes: tuple[Node, ...], scope: str, paths: Sequence[str]) -> Fragment:
    """The nodes with ids relative to `scope`, and the blocks of these paths."""
    cut = len(scope) + 1 if scope else 0
    own = {node.id: node.id[cut:] for node in nodes}
    found = ports(architecture, nodes)
    return Fragment(
        nodes=tuple(
            Node(id=own[node.id], layer=node.layer, inputs=tuple(own.get(i, f".{i}") for i in node.inputs))
            for node in nodes
        ),
        blocks=tuple(Block(path=b.path[cut:], kind=b.kind) for b in architecture.blocks if b.path in paths),
        sources=tuple(f".{source}" for source in found.sources),
        exits=tuple(own[node_id] for node_id in found.exits) or (own[nodes[-1].id],),
    )


def paste(architecture: Architecture, fragment: Fragment, after: str, beside: str | None = None) -> Architecture:
    """Put a fragment behind a node: what read the node reads the fragment's end, the network's outputs too.

    A block behind the end of another stands beside that one, and is counted on from it: beside one of its own kind, if
    several end there, else beside the innermost; or beside the one that `beside` names. What the fragment read first,
    it reads from `after`; for the rest it reads what has that name, where that is so and lies before it, else `after`
    as well. A fragment with several ends branches off: nothing reads it yet.

    Raises:
        EditRefused: no such node.
    """
    if after not in architecture:
        raise EditRefused(f"{after!r} is not in {architecture.name}")
    names = _names(architecture, fragment, after, beside)
    behind = _behind(architecture, after)
    reads = {}
    for i, source in enumerate(fragment.sources):
        named = source[1:]
        usable = i > 0 and named in architecture and named not in behind
        reads[source] = named if usable else after
    own = {node.id: _renamed(node.id, names) for node in fragment.nodes}
    new = [
        Node(id=own[node.id], layer=node.layer, inputs=tuple(own.get(i) or reads[i] for i in node.inputs))
        for node in fragment.nodes
    ]
    end = own[fragment.exits[0]] if len(fragment.exits) == 1 else after
    nodes: list[Node] = []
    for node in architecture:
        inputs = tuple(end if i == after else i for i in node.inputs)
        nodes.append(node if inputs == node.inputs else replace(node, inputs=inputs))
        if node.id == after:
            nodes += new
    return remade(
        architecture,
        nodes,
        outputs=(end if output == after else output for output in architecture.outputs),
        blocks=(*architecture.blocks, *(Block(path=_renamed(b.path, names), kind=b.kind) for b in fragment.blocks)),
    )


def to_plain(fragment: Fragment) -> dict[str, Any]:
    """The fragment as plain JSON data, for a clipboard."""
    stand_ins = {source: f"{_OUTSIDE}.{i}" for i, source in enumerate(fragment.sources)}
    # As a network whose image stands for all that is read, so that reading it back checks it like any file.
    held = Architecture(
        name="fragment",
        nodes=(
            Node(id="image", layer=Input(channels=1, height=1, width=1), inputs=()),
            *(Node(id=stand_in, layer=Identity(), inputs=("image",)) for stand_in in stand_ins.values()),
            *(
                Node(
                    id=f"copied.{node.id}",
                    layer=node.layer,
                    inputs=tuple(stand_ins.get(i, f"copied.{i}") for i in node.inputs),
                )
                for node in fragment.nodes
            ),
        ),
        outputs=tuple(f"copied.{node_id}" for node_id in fragment.exits),
        blocks=tuple(Block(path=f"copied.{block.path}", kind=block.kind) for block in fragment.blocks),
    )
    return {"sources": [source[1:] for source in fragment.sources], **files.to_plain(held)}


def from_plain(data: object) -> Fragment:
    """The fragment that plain JSON data describes.

    Raises:
        ArchitectureFileError: it is none; says where and what was found.
    """
    held = files.from_plain(data)
    sources = data.get("sources") if isinstance(data, dict) else None
    outside = [node.id for node in held if node.id.startswith(f"{_OUTSIDE}.")]
    nodes = [node for node in held if node.id.startswith("copied.")]
    if (
        not isinstance(sources, list)
        or not all(isinstance(source, str) for source in sources)
        or len(sources) != len(outside)
        or len(held) != 1 + len(outside) + len(nodes)
        or not all(output.startswith("copied.") for output in held.outputs)
    ):
        raise files.ArchitectureFileError("a network and no fragment: it lacks what it reads")
    cut = len("copied.")
    named = {stand_in: f".{source}" for stand_in, source in zip(outside, sources, strict=True)}
    return Fragment(
        nodes=tuple(
            Node(id=node.id[cut:], layer=node.layer, inputs=tuple(named.get(i, i[cut:]) for i in node.inputs))
            for node in nodes
        ),
        blocks=tuple(
            Block(path=block.path[cut:], kind=block.kind) for block in held.blocks if block.path.startswith("copied.")
        ),
        sources=tuple(named.values()),
        exits=tuple(output[cut:] for output in held.outputs),
    )


def _common(scopes: Iterable[str]) -> str:
    """The longest path that all lie in."""
    split = [scope.split(".") if scope else [] for scope in scopes]
    shared: list[str] = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


def _names(architecture: Architecture, fragment: Fragment, after: str, beside: str | None) -> dict[str, str]:
    """For each first part of the fragment's ids, the path that it gets."""
    taken = taken_paths(architecture)
    firsts = list(dict.fromkeys(node.id.partition(".")[0] for node in fragment.nodes))
    if beside is None and all("." in node.id for node in fragment.nodes):
        beside = _ended(architecture, after, {block.kind for block in fragment.blocks if block.path in firsts})
    scope = parent(after) if beside is None else parent(beside)
    names = {}
    for first in firsts:
        wanted = first
        if beside is not None and len(firsts) == 1 and name_of(beside).isdecimal():
            wanted = name_of(beside)
        names[first] = free_path(taken, joined(scope, wanted))
        taken.add(names[first])
    return names


def _ended(architecture: Architecture, node_id: str, kinds: set[str]) -> str | None:
    """The innermost block of these kinds that the node is the one end of, else the innermost path; None if none is."""
    ended = []
    path = parent(node_id)
    while path and ports(architecture, inside(architecture, path)).exits == (node_id,):
        ended.append(path)
        path = parent(path)
    alike = {block.path for block in architecture.blocks if block.kind in kinds}
    return next((path for path in ended if path in alike), ended[0] if ended else None)


def _renamed(path: str, names: dict[str, str]) -> str:
    first, dot, rest = path.partition(".")
    return f"{names[first]}{dot}{rest}"


def _behind(architecture: Architecture, node_id: str) -> set[str]:
    """The nodes whose values depend on a node."""
    found = {node_id}
    for node in architecture:
        if any(source in found for source in node.inputs):
            found.add(node.id)
    return found - {node_id}
